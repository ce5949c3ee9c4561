"""The sweeping solver and alternating directions against a dense solution; factors; limits."""

from dataclasses import replace

import numpy as np
import pytest
import scipy.sparse as sp
from numpy.typing import NDArray

from crtransport.solvers.alternating import Alternating
from crtransport.solvers.differences import drift, spread
from crtransport.solvers.direct import solve_direct
from crtransport.solvers.errors import ConvergenceError, SingularOperatorError
from crtransport.solvers.factors import factor_levels, factor_sums
from crtransport.solvers.levels import GHOSTS, Levels, rate, weight_of
from crtransport.solvers.nodal_grid import NodalAxis, NodalGrid
from crtransport.solvers.problem import FieldProblem, Operator, Term
from crtransport.solvers.sweep_gmres import solve_sweep

Array = NDArray[np.float64]


def problem(wind: float = 0.0, strength: float = 0.03) -> FieldProblem:
    """Diffusion in two dimensions, drift down, spreading, a reaction: some of everything."""
    grid = NodalGrid(
        axes=(
            NodalAxis(edges=np.array([0.0, 1.0, 2.0]), orders=(4, 3), radial=1),
            NodalAxis(edges=np.array([0.0, 0.1, 1.0]), orders=(4, 4)),
        )
    )
    levels = Levels(first=-1.0, step=0.2, n=19)
    u = levels.extended
    scale, inner = -2.0 * u, slice(GHOSTS, -GHOSTS)
    weight = weight_of(scale)
    halo = 10 ** (0.4 * levels.values)
    near = grid.mass(lambda r, z: np.exp(-z / 0.1) * (1 + r))
    terms = [
        *(
            Term(
                name="escape",
                along=rate(halo, weight),
                across=grid.stiffness(axis, lambda r, z: 0.1 + z),
            )
            for axis in (0, 1)
        ),
        Term(name="drift", along=drift(levels, 3 * np.exp(-u), scale, 5), across=near),
        Term(
            name="spread",
            along=spread(levels, strength * np.exp(-0.4 * u), 3.0 * u, scale, 5),
            across=grid.mass(lambda r, z: 1 / (0.1 + z)),
        ),
        Term(name="reaction", along=rate(np.ones(19), weight), across=near),
    ]
    if wind:
        across = grid.convection(1, lambda r, z: wind * z)
        terms.append(Term(name="wind", along=rate(np.ones(19), weight), across=across))
    source = np.outer(np.exp(0.1 * u[inner]), grid.load(lambda r, z: np.exp(-z / 0.2 - r)))
    return FieldProblem(
        terms=tuple(terms),
        source=source,
        mass=grid.load(lambda r, z: np.ones_like(r)),
        weight=weight,
        shape=grid.shape,
    )


def dense(task: FieldProblem) -> Array:
    """The same by one dense matrix."""
    n, m = task.source.shape
    matrix = sum(np.kron(t.along.matrix.toarray(), t.across.matrix.toarray()) for t in task.terms)
    for k, local in enumerate(task.local):
        matrix[k * m : (k + 1) * m, k * m : (k + 1) * m] += local.toarray()
    return np.linalg.solve(matrix, task.source.ravel()).reshape(n, m)


@pytest.mark.parametrize("wind", [0.0, 2.0])
def test_against_a_dense_solution(wind: float) -> None:
    task = problem(wind)
    found = solve_sweep(task, rtol=1e-11)
    assert found.residual <= 1e-11
    assert found.values == pytest.approx(dense(task), rel=1e-8, abs=1e-10)
    assert sum(task.budget(found.values).values()) == pytest.approx(1.0, abs=1e-10)


def test_without_spreading_one_pass_does_most() -> None:
    assert solve_sweep(problem(strength=1e-9)).iterations < solve_sweep(problem()).iterations


def test_what_is_no_sum_of_products() -> None:
    """One matrix for each level, of another pattern than the terms'."""
    task = problem()
    n, m = task.source.shape
    rng = np.random.default_rng(1)
    extra = [sp.random_array((m, m), density=0.02, rng=rng) for _ in range(n)]
    local = tuple(sp.csr_array(a @ a.T + 0.1 * sp.eye_array(m)) for a in extra)
    task = replace(task, local=local)
    assert solve_sweep(task, rtol=1e-11).values == pytest.approx(dense(task), rel=1e-8, abs=1e-10)


def test_couplings_of_levels_with_any_matrix() -> None:
    """A full triangular matrix along the axis, with a matrix across that is not diagonal."""
    task = problem()
    n, m = task.source.shape
    along = Operator(matrix=sp.csr_array(-0.02 * np.triu(np.ones((n, n)))), total=np.zeros(n))
    across = Operator(
        matrix=sp.csr_array(
            sp.diags_array([np.full(m, 2e-3), np.full(m - 1, 1e-3)], offsets=[0, 1])
        ),
        total=np.zeros(m),
    )
    task = replace(task, terms=(*task.terms, Term(name="any", along=along, across=across)))
    assert solve_sweep(task, rtol=1e-11).values == pytest.approx(dense(task), rel=1e-8, abs=1e-10)


def test_factors_solve_each_level() -> None:
    task = problem(wind=1.0)
    factors = factor_levels(task)
    load = np.arange(1.0, task.source.shape[1] + 1)
    found = factors.solve(np.tile(load, (len(task.source), 1)))
    for k in (0, 7, 18):
        level = sum(t.along.matrix[k, k] * t.across.matrix for t in task.terms).toarray()
        assert found[k] == pytest.approx(np.linalg.solve(level, load), rel=1e-9)
    # sweeps read them level by level
    assert all(part.flags.c_contiguous for part in (factors.low, factors.up, factors.inverse))


def test_a_single_place() -> None:
    whole = Operator.diag(np.array([2.0]))
    factors = factor_sums([(whole, np.array([1.0, 4.0]))], 2)
    assert factors.solve(np.ones((2, 1))) == pytest.approx(np.array([[0.5], [0.125]]))
    assert factors.low.shape == (2, 0)


def test_nothing_at_any_level_is_refused() -> None:
    task = problem()
    with pytest.raises(SingularOperatorError, match="zero"):
        factor_levels(replace(task, terms=()))


def test_singular_level_is_refused() -> None:
    task = problem()
    broken = replace(task, terms=tuple(t for t in task.terms if t.name == "reaction"))
    matrix = sp.csr_array(broken.terms[0].across.matrix * 0.0)
    none = replace(broken.terms[0], across=Operator(matrix=matrix, total=np.zeros(len(task.mass))))
    with pytest.raises(SingularOperatorError):
        solve_sweep(replace(broken, terms=(none,)))


def test_elimination_goes_on_where_sweeps_end() -> None:
    exact = solve_direct(problem()).values
    found = solve_sweep(problem(), max_iterations=3)
    assert found.iterations == 4
    np.testing.assert_allclose(found.values, exact, atol=1e-9 * np.abs(exact).max())


def fast_and_slow() -> FieldProblem:
    """Losses near the plane that are far faster than the escape, and strong spreading."""
    task = problem()
    n = len(task.source)
    levels = Levels(first=-1.0, step=0.2, n=n)
    u = levels.extended
    escape = rate(10 ** (2 * levels.values), task.weight)
    slow = tuple(replace(term, along=escape) for term in task.terms[:2])
    down = replace(task.terms[2], along=drift(levels, 1e4 * np.exp(-4 * (u + 1)), -2.0 * u, 5))
    both = replace(
        task.terms[3], along=spread(levels, 300 * np.exp(-2 * (u + 1)), 3 * u, -2 * u, 5)
    )
    return replace(task, terms=(*slow, down, both, task.terms[4]))


def test_alternating_directions_go_on_where_sweeps_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """70 sweeps do not suffice; where that is so, and there are too many unknowns to eliminate."""
    task = fast_and_slow()
    exact = solve_direct(task).values
    assert solve_sweep(task).iterations > 90
    monkeypatch.setattr("crtransport.solvers.sweep_gmres._ELIMINATED", 0)
    found = solve_sweep(task, max_iterations=70)
    assert 70 < found.iterations < 110
    assert found.residual <= 1e-10
    np.testing.assert_allclose(found.values, exact, atol=1e-7 * np.abs(exact).max())


def test_directions_alternate_only_where_the_operator_is_a_sum_of_both() -> None:
    task = fast_and_slow()
    assert Alternating.of(task) is not None
    mixed = Term(name="any", along=task.terms[3].along, across=task.terms[0].across)
    assert Alternating.of(replace(task, terms=(*task.terms, mixed))) is None
    assert Alternating.of(replace(task, terms=task.terms[2:])) is None  # nothing in space


def test_directions_do_not_alternate_where_the_factors_would_fill_the_memory(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("crtransport.solvers.alternating._KEPT", 1e3)
    assert Alternating.of(fast_and_slow()) is None


def test_says_how_far_it_came(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where there are too many unknowns for elimination."""
    monkeypatch.setattr("crtransport.solvers.sweep_gmres._ELIMINATED", 0)
    with pytest.raises(ConvergenceError, match="after 6 iterations; asked for 1e-10"):
        solve_sweep(problem(), max_iterations=3)
    with pytest.raises(ConvergenceError, match="residual"):
        solve_sweep(problem(), rtol=1e-25)
