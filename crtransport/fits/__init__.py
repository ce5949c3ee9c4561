"""Statistics of fits: likelihoods of measurements, minima, profiles, samples.

Arrays and `Measurement` in, numbers out; what predicts the measurements is elsewhere.
"""

from crtransport.fits.dataset import Curve, DataSet, Match
from crtransport.fits.likelihood import Likelihood, Objective
from crtransport.fits.minimise import Fit, minimise
from crtransport.fits.parameters import FitError, Parameter, Unpredictable
from crtransport.fits.profiles import Profile, contour, ellipse, profile
from crtransport.fits.sample import Evaluation, Samples, sample_ensemble, sample_nested
from crtransport.fits.treatments import Correlated, Given, Quadrature, Systematics

__all__ = [
    "Correlated",
    "Curve",
    "DataSet",
    "Evaluation",
    "Fit",
    "FitError",
    "Given",
    "Likelihood",
    "Match",
    "Objective",
    "Parameter",
    "Profile",
    "Quadrature",
    "Samples",
    "Systematics",
    "Unpredictable",
    "contour",
    "ellipse",
    "minimise",
    "profile",
    "sample_ensemble",
    "sample_nested",
]
