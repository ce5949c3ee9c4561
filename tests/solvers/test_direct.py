"""The direct solver: exact to rounding, closed in its budget, honest about what it cannot do."""

from dataclasses import replace

import numpy as np
import pytest
import scipy.sparse as sp
from numpy.typing import NDArray

from crtransport.solvers import direct
from crtransport.solvers.direct import solve_direct
from crtransport.solvers.errors import ConvergenceError, SingularOperatorError
from crtransport.solvers.levels import rate
from crtransport.solvers.problem import FieldProblem, Operator, Term
from crtransport.solvers.sweep_gmres import solve_sweep

Array = NDArray[np.float64]

N, SHAPE = 11, (4, 5)
M = SHAPE[0] * SHAPE[1]


def chain(n: int, leak: float = 1.0) -> sp.csr_array:
    """Exchange between neighbours, with a leak through the last."""
    diagonal = np.full(n, 2.0)
    diagonal[0], diagonal[-1] = 1.0, 1.0 + leak
    return sp.csr_array(
        sp.diags_array([-np.ones(n - 1), diagonal, -np.ones(n - 1)], offsets=[-1, 0, 1])
    )


def summed(matrix: sp.csr_array) -> Operator:
    return Operator(matrix=matrix, total=np.asarray(matrix.sum(axis=0)).ravel())


def problem(leak: float = 1.0, loss: float = 0.3) -> FieldProblem:
    """Rates over eight decades: exchange in two dimensions, a drift down, losses."""
    rng = np.random.default_rng(7)
    ones, speed = np.ones(N), np.logspace(4, -4, N)
    drift = sp.csr_array(sp.diags_array([speed, -speed[1:]], offsets=[0, 1]))
    across = [
        sp.kron(chain(SHAPE[0], leak), sp.eye_array(SHAPE[1]), "csr"),
        sp.kron(sp.eye_array(SHAPE[0]), chain(SHAPE[1], leak), "csr"),
    ]
    density = summed(sp.csr_array(sp.diags_array(rng.uniform(0.1, 1, M))))
    terms = (
        *(Term(name="escape", along=rate(speed**-0.5, ones), across=summed(x)) for x in across),
        Term(name="drift", along=summed(drift), across=density),
        Term(name="reaction", along=rate(loss * ones, ones), across=density),
    )
    if not loss:
        terms = terms[:2]
    return FieldProblem(
        terms=terms,
        source=rng.uniform(0.5, 1, (N, M)) * np.sqrt(speed)[:, None],
        mass=np.ones(M),
        weight=ones,
        shape=SHAPE,
    )


def test_is_exact_and_closes_the_budget() -> None:
    task = problem()
    found = solve_direct(task)
    dense = sum(np.kron(t.along.matrix.toarray(), t.across.matrix.toarray()) for t in task.terms)
    expected = np.linalg.solve(dense, task.source.ravel()).reshape(N, M)
    assert found.values == pytest.approx(expected, rel=1e-12)
    assert found.residual < 1e-14
    assert sum(task.budget(found.values).values()) == pytest.approx(1, abs=1e-13)


def test_agrees_with_the_sweeps_also_where_no_product_says_what_happens() -> None:
    task = problem()
    local = tuple(sp.csr_array((k + 1) * chain(M)) for k in range(N))
    task = replace(task, local=local)
    swept = solve_sweep(task, rtol=1e-12).values
    assert solve_direct(task).values == pytest.approx(swept, rel=1e-9)
    assert not np.allclose(swept, solve_direct(problem()).values, rtol=0.1)


def test_singular_is_refused() -> None:
    task = problem(leak=0.0, loss=0.0)  # nothing takes away what the source sets free
    with pytest.raises(SingularOperatorError):
        solve_direct(task)
    with pytest.raises(SingularOperatorError, match="to rounding"):
        solve_direct(problem(leak=1e-18, loss=0.0))


def test_an_empty_row_is_refused() -> None:
    task = problem()
    empty = replace(
        task,
        terms=(Term(name="none", along=rate(np.eye(N)[0], np.ones(N)), across=summed(chain(M))),),
    )
    with pytest.raises(SingularOperatorError, match="rows is zero"):
        solve_direct(empty)


def test_too_many_unknowns_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(direct, "LIMIT", N * M - 1)
    with pytest.raises(ConvergenceError, match=f"{N * M} unknowns; .* at most {N * M - 1}"):
        solve_direct(problem())
