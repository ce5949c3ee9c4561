"""The deck of model = "clusters": which tables, which analysis, and how limits count."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal

from crtransport.deck.scan import Scan
from crtransport.measurements.fetch import is_catalogue
from crtransport.units import Count, Positive, Quantity

Observable = Literal["encounter_rate", "u_total", "u_mw", "u_gc", "metallicity"]
Energy = Annotated[float, Quantity(unit="MeV", gt=0, le=1e6)]
Temperature = Annotated[float, Quantity(unit="K", gt=1, le=1e6)]


@dataclass(frozen=True, kw_only=True)
class Correlations:
    """Gamma-ray luminosity against properties of the clusters, with upper limits.

        log₁₀ L = slope log₁₀ X + intercept, with Gaussian scatter

    Files lie in the data folder of the run, or are named by their whole path: text with commas, or
    ECSV, FITS or VOTable, whose units are converted. See `crtransport.clusters.catalogue` and
    `crtransport.clusters.fluxes` for their columns.

    Attributes
    ----------
    clusters : str
        File of all clusters: positions, distances, encounter rates, metallicities, magnitudes.
    photon_fields : str
        File of the Milky Way's photon field at each.
    luminosities : str
        File of the gamma-ray sources among them, or of luminosities and limits. A cluster that is
        not in it has a limit at the flux where a source at its latitude would just be detected.
        "fermipy:gll_psc_v20.fit" is a catalogue of Fermi's LAT that the package fermipy ships.
    vizier : str
        Catalogue of VizieR whose luminosities and limits are taken in place of ``luminosities``
        where it is at hand: "J/MNRAS/507/5161", after `crtransport data fetch J/MNRAS/507/5161`.
        "" for none.
    observables : tuple of str
        X: "encounter_rate" (47 Tuc = 1000), "u_total", "u_mw" and "u_gc" (photon fields, eV cm⁻³),
        or "metallicity" ([Fe/H], which is a logarithm already).
    threshold_factor : float
        On the fluxes at which clusters without a row would be detected; the results at half and
        at twice these are given as well.
    permutations : int
        Random permutations of the luminosities, for the significance.
    seed : int
        Of the permutations.
    """

    __pydantic_config__: ClassVar[Any] = {"extra": "forbid"}

    clusters: str
    photon_fields: str
    luminosities: str
    vizier: str = ""
    observables: tuple[Observable, ...] = ("encounter_rate", "u_total", "u_mw", "metallicity")
    threshold_factor: Positive = 1.0
    permutations: Annotated[int, Count(ge=100, le=100_000_000)] = 100_000
    seed: Annotated[int, Count(ge=0, le=2**32 - 1)] = 1

    def __post_init__(self) -> None:
        if not self.observables:
            raise ValueError("observables is empty: give at least one")
        if len(set(self.observables)) < len(self.observables):
            raise ValueError("observables names one twice")
        if self.vizier and not is_catalogue(self.vizier):
            why = "is no catalogue of VizieR, such as J/MNRAS/507/5161"
            raise ValueError(f"vizier: {self.vizier[:80]!r} {why}")


@dataclass(frozen=True, kw_only=True)
class InverseCompton:
    """Inverse Compton spectra of some clusters, computed by naima and drawn over the fit.

    Electrons with the index that follows from Γ₂ scatter the microwave background, the dust's and
    the stars' light of the Milky Way, and the light of the cluster's own stars at its half-light
    radius, each a diluted black body. The spectrum is scaled to the fitted energy flux. Without
    the package naima (the extra ``clusters``) it is left out.

    Attributes
    ----------
    names : tuple of str
        The clusters, of those with bands.
    clusters : str
        File of all clusters, as for correlations.
    photon_fields : str
        File of the Milky Way's photon field at each, with its parts ``u_opt``, ``u_ir``, ``u_cmb``.
    T_stars : float
        Of the Milky Way's starlight, K. By default naima's, after GALPROP (Zabalza 2015, ICRC).
    T_dust : float
        Of its dust, K. By default naima's.
    T_cluster : float
        Of the cluster's own starlight, K. By default that of Venter et al. 2009, ApJ 696, L52.
    """

    __pydantic_config__: ClassVar[Any] = {"extra": "forbid"}

    names: tuple[str, ...]
    clusters: str
    photon_fields: str
    T_stars: Temperature = 3000.0
    T_dust: Temperature = 30.0
    T_cluster: Temperature = 4500.0

    def __post_init__(self) -> None:
        if not self.names:
            raise ValueError("names is empty: give at least one cluster")
        if len(set(self.names)) < len(self.names):
            raise ValueError("names has a cluster twice")


@dataclass(frozen=True, kw_only=True)
class Spectra:
    """One spectral shape for all clusters (Song et al. 2021, MNRAS 507, 5161, Eqs. 3 to 5).

        dN/dE = N₁ (E/E₀)^−Γ₁ e^(−E/E_cut) + N₂ (E/E₀)^−Γ₂,   E₀ = 1 GeV

    Attributes
    ----------
    bands : str
        File of fluxes in bands, in the data folder; see `crtransport.clusters.bands`. It may be a
        catalogue of Fermi's LAT as it comes, as under ``luminosities`` of correlations.
    E_min : tuple of float
        The bands that begin at or above it are fitted, MeV. Results are those of the first; the
        shape and the significance are given for each.
    limits : str
        How a band without a detection counts: "symmetric", as if it were one; "one-sided", only
        where the model is above its best flux; "erf", by the chance that it was not seen.
    simulations : int
        Data sets drawn from the fit without inverse Compton, to see how often chance gives as
        large a gain; each takes about a tenth of a second.
    seed : int
        Of the simulations.
    inverse_compton
        Spectra computed from the photon fields of some clusters.
    """

    __pydantic_config__: ClassVar[Any] = {"extra": "forbid"}

    bands: str
    E_min: tuple[Energy, ...] = (300.0,)
    limits: Literal["symmetric", "one-sided", "erf"] = "symmetric"
    simulations: Annotated[int, Count(ge=10, le=1_000_000)] = 100
    seed: Annotated[int, Count(ge=0, le=2**32 - 1)] = 1
    inverse_compton: InverseCompton | None = None

    def __post_init__(self) -> None:
        if not self.E_min:
            raise ValueError("E_min is empty: give at least one energy")
        if len(set(self.E_min)) < len(self.E_min):
            raise ValueError("E_min has an energy twice")


@dataclass(frozen=True, kw_only=True)
class ClustersDeck:
    """Gamma rays from globular clusters: statistics of a catalogue, no transport.

    Attributes
    ----------
    model : str
        "clusters".
    title : str
        One line, for lists and figures.
    analysis : str
        "correlations" or "spectra"; the table of this name is then needed, and the other refused.
    correlations, spectra
        The tables of the deck.
    scan : Scan
        The keys that vary, of a deck that is run at many values of them.
    """

    __pydantic_config__: ClassVar[Any] = {"extra": "forbid"}

    model: Literal["clusters"]
    title: str = ""
    analysis: Literal["correlations", "spectra"]
    correlations: Correlations | None = None
    spectra: Spectra | None = None
    scan: Scan | None = None

    def __post_init__(self) -> None:
        for name in ("correlations", "spectra"):
            if (getattr(self, name) is not None) != (self.analysis == name):
                raise ValueError(f'analysis = "{name}" and a table [{name}] go together')
