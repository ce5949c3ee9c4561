"""Every analytic comparison that the package makes of itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module

from crtransport.errors import require_known

#: model -> module with its rows()
MODULES = {
    "flux-tube": "crtransport.validation.flux_tube",
    "burst": "crtransport.validation.burst",
    "galaxy": "crtransport.validation.galaxy",
    "clusters": "crtransport.validation.clusters",
}


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """One number beside its reference.

    Attributes
    ----------
    name : str
        model/solver/quantity/case.
    computed, reference : float
    rel_error : float
        |computed − reference| / |reference|.
    tolerance : float
        Largest rel_error that passes.
    ok : bool
    formula : str
        The closed form, or where the reference comes from.
    """

    name: str
    computed: float
    reference: float
    rel_error: float
    tolerance: float
    ok: bool
    formula: str


def comparisons(names: Sequence[str] = ()) -> list[Comparison]:
    """The comparisons whose names begin with one of ``names``; all by default.

    Raises
    ------
    UnknownNameError
        For a name that no comparison begins with.
    """
    heads = [name.split("/")[0] for name in names]
    # what no model begins with is said before anything is run
    require_known(heads, list(MODULES), "comparison")
    wanted = [m for m in MODULES if not names or m.startswith(tuple(heads))]
    found = [
        _compare(f"{model}/{name}", float(computed), float(reference), tolerance, formula)
        for model in wanted
        for name, computed, reference, tolerance, formula in import_module(MODULES[model]).rows()
    ]
    require_known(names, [row.name for row in found], "comparison")
    return [row for row in found if not names or row.name.startswith(tuple(names))]


def _compare(
    name: str, computed: float, reference: float, tolerance: float, formula: str
) -> Comparison:
    error = abs(computed - reference) / abs(reference)
    return Comparison(
        name=name,
        computed=computed,
        reference=reference,
        rel_error=error,
        tolerance=tolerance,
        ok=error <= tolerance,  # nan is not
        formula=formula,
    )
