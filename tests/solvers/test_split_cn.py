"""The split march: orders in time, its two errors, what it refuses, and its kernels."""

from dataclasses import replace

import numpy as np
import pytest
import scipy.sparse as sp
from numpy.typing import NDArray
from scipy.linalg import expm

from crtransport.solvers.cell_grid import CellAxis, CellGrid, clustered_nodes
from crtransport.solvers.direct import solve_direct
from crtransport.solvers.errors import ConvergenceError
from crtransport.solvers.levels import Levels, rate, weight_of
from crtransport.solvers.problem import FieldProblem, Operator, Term
from crtransport.solvers.split_cn import solve_split_cn, time_steps
from crtransport.solvers.sweep_gmres import solve_sweep
from crtransport.solvers.upwind import drift, spread

Array = NDArray[np.float64]
RANDOM = np.random.default_rng(20240229)


def summed(matrix: sp.csr_array) -> Operator:
    return Operator(matrix=matrix, total=np.asarray(matrix.sum(axis=0)).ravel())


def chain(n: int) -> sp.csr_array:
    """Unequal exchange between neighbours, carried along a little, with a leak at the end."""
    rate = RANDOM.uniform(0.5, 1.5, n)
    up, down = rate[:-1], 0.8 * rate[:-1]
    diagonal = np.r_[up, rate[-1]] + np.r_[0, down]
    return sp.csr_array(sp.diags_array([-up, diagonal, -down], offsets=[-1, 0, 1]))


def exchange(dimension: int, shape: tuple[int, ...]) -> sp.csr_array:
    """The chain along one dimension of a space."""
    matrix = sp.csr_array(sp.eye_array(1))
    for d, size in enumerate(shape):
        factor = chain(size) if d == dimension else sp.eye_array(size)
        matrix = sp.kron(matrix, factor, "csr")
    matrix.eliminate_zeros()
    return matrix


def problem(shape: tuple[int, ...], n: int) -> FieldProblem:
    """Exchange in each dimension, drift and spreading along the axis, a reaction."""
    m = int(np.prod(shape))
    density = summed(sp.csr_array(sp.diags_array(RANDOM.uniform(0.2, 1, m))))
    ones = np.ones(n)
    terms = [
        Term(
            name=f"escape {d}",
            along=rate(np.linspace(0.5, 2, n), ones),
            across=summed(exchange(d, shape)),
        )
        for d in range(len(shape))
    ]
    terms.append(Term(name="drift", along=summed(chain(n)), across=density))
    terms.append(Term(name="reaction", along=rate(0.3 * ones, ones), across=density))
    return FieldProblem(
        terms=tuple(terms),
        source=RANDOM.uniform(0.5, 1, (n, m)),
        mass=RANDOM.uniform(0.5, 1.5, m),
        weight=ones,
        shape=shape,
    )


def error(found: Array, exact: Array) -> float:
    return float(np.max(np.abs(found / exact - 1)))


@pytest.mark.parametrize(("shape", "n"), [((), 12), ((12,), 1), ((3, 7), 1), ((7, 3), 1)])
def test_second_order_in_time_along_one_direction(shape: tuple[int, ...], n: int) -> None:
    """y(t) = (1 − e^(−M⁻¹At)) A⁻¹q: along the axis, and along either dimension of a plane."""
    task = problem(shape, n)
    if len(shape) == 2:
        kept = 0 if shape[0] > shape[1] else 1
        task = replace(task, terms=(task.terms[kept], task.terms[-1]))
    dense = sum(np.kron(t.along.matrix.toarray(), t.across.matrix.toarray()) for t in task.terms)
    mass = np.tile(task.mass, n)[:, None]
    steady = np.linalg.solve(dense, task.source.ravel())
    exact = (steady - expm(-dense / mass) @ steady).reshape(task.source.shape)
    steps = np.array([8, 16, 32])
    errors = [error(solve_split_cn(task, 1 / k, 0.5, 1 / k, int(k)).values, exact) for k in steps]
    assert np.log2(errors[1] / errors[2]) == pytest.approx(2, abs=0.1)
    assert errors[2] < 1e-2


@pytest.mark.parametrize("shape", [(5,), (4, 6), (3, 2, 4)])
def test_first_order_in_time_when_it_stands_still(shape: tuple[int, ...]) -> None:
    task = problem(shape, 9)
    exact = solve_direct(task).values
    assert solve_sweep(task, rtol=1e-12).values == pytest.approx(exact, rel=1e-9)
    errors = []
    for step in (0.02, 0.01, 0.005):
        found = solve_split_cn(task, 2.56, 0.5, step, round(20 / step))
        errors.append(error(found.values, exact))
    orders = np.log2(np.divide(errors[:-1], errors[1:]))
    assert orders == pytest.approx(1, abs=0.05)
    assert errors[-1] < 1e-2


def test_the_schedule_in_use_errs_by_one_over_its_repeats() -> None:
    """Four times the repeats act as if all steps were four times as long, one notch later."""
    task = problem((6, 8), 13)
    exact = solve_direct(task).values
    errors = np.array(
        [error(solve_split_cn(task, 1e3, 0.25, 1e-4, k).values, exact) for k in (20, 80, 320)]
    )
    assert errors[:-1] / errors[1:] == pytest.approx(4, rel=0.15)
    # and shorter last steps do not help
    longer = solve_split_cn(task, 1e3, 0.25, 1e-7, 20)
    assert error(longer.values, exact) == pytest.approx(errors[0], rel=0.05)


def finite_volumes() -> FieldProblem:
    """A thin disk that emits and slows down, in a cylinder that also spreads and carries off."""
    levels = Levels(first=-3.0, step=0.4, n=30)
    u = levels.extended
    log_scale = -2.4 * u - np.exp(u - 8)
    weight, power = weight_of(log_scale), np.exp(0.5 * levels.values)
    grid = CellGrid(
        axes=(
            CellAxis(nodes=clustered_nodes(20.0, 10, 20.0, (8.5,)), radial=1),
            CellAxis(nodes=clustered_nodes(4.0, 14, 0.2)),
        )
    )

    def disk(r: Array, z: Array) -> Array:
        return np.asarray(np.exp(-r / 8 - (z / 0.1) ** 2))

    def outward(r: Array, z: Array) -> Array:
        return np.asarray(0.02 * z)

    volume, wind = grid.mass(lambda r, z: np.ones_like(r)), grid.convection(1, outward)
    stiff = [grid.stiffness(d, lambda r, z: 1 + np.exp(z - 4)) for d in (0, 1)]
    slowed = drift(levels, 0.5 * np.exp(-0.5 * u) + 0.01, log_scale, 1)
    spreading = spread(levels, 0.003 * np.exp(-0.5 * u), 3.0 * u, log_scale, 1)
    return FieldProblem(
        terms=(
            *(Term(name="escape", along=rate(0.03 * power, weight), across=x) for x in stiff),
            Term(name="wind", along=rate(np.ones(levels.n), weight), across=wind),
            Term(name="drift", along=slowed, across=grid.mass(disk)),
            Term(name="spread", along=spreading, across=volume),
            Term(name="reaction", along=rate(0.01 / power, weight), across=volume),
        ),
        source=np.ones((levels.n, 1)) * grid.load(disk),
        mass=volume.total,
        weight=weight,
        shape=grid.shape,
    )


def test_finite_volumes_by_all_methods() -> None:
    task = finite_volumes()
    exact = solve_direct(task).values
    budget = task.budget(exact)
    # what leaves is found apart from the matrices
    assert sum(budget.values()) == pytest.approx(1, abs=1e-12)
    assert min(budget[name] for name in ("escape", "wind", "drift", "reaction")) > 0.005
    assert np.all(exact > 0)
    assert solve_sweep(task, rtol=1e-12).values == pytest.approx(exact, rel=1e-8)
    errors = [error(solve_split_cn(task, 1e3, 0.25, 1e-4, k).values, exact) for k in (80, 320)]
    assert errors[0] / errors[1] == pytest.approx(4, rel=0.1)
    assert errors[1] < 0.1


def test_time_steps() -> None:
    steps = time_steps(1e3, 0.25, 1e-4)
    assert len(steps) == 12
    assert steps[[0, 1, -1]] == pytest.approx([1e3, 250.0, 1e3 / 4**11])
    # a last step that rounding puts just below the end is one
    assert time_steps(0.3, 0.1, 0.3e-3) == pytest.approx([0.3, 0.03, 3e-3, 3e-4])


def test_counts_its_steps() -> None:
    task = problem((3,), 4)
    found = solve_split_cn(task, 8.0, 0.5, 1.0, 5)
    assert found.iterations == 20
    assert found.residual == task.residual(found.values)


def with_term(along: Array, across: Array) -> FieldProblem:
    """The problem in a plane of 3 × 3, and a term "odd"."""
    task = problem((3, 3), 6)
    odd = Term(name="odd", along=summed(sp.csr_array(along)), across=summed(sp.csr_array(across)))
    return replace(task, terms=(*task.terms, odd))


@pytest.mark.parametrize(
    ("along", "across"),
    [
        (np.eye(6, k=2), np.eye(9)),  # two levels apart
        (np.eye(6, k=1), np.eye(9, k=3)),  # along the axis and across at once
        (np.eye(6), np.eye(9, k=2)),  # two places apart, or down a row and back
        (np.eye(6), np.eye(9, k=1)),  # from the end of a row to the beginning of the next
        (np.eye(6), np.diag(np.array([1.0, 1, 0] * 3), k=0) @ np.eye(9, k=1) + np.eye(9, k=3)),
    ],
)
def test_refuses_what_no_tridiagonal_system_solves(along: Array, across: Array) -> None:
    with pytest.raises(ValueError, match='"odd" couples more'):
        solve_split_cn(with_term(along, across), 1.0, 0.5, 0.5, 1)


def test_a_stored_zero_couples_nothing() -> None:
    task = with_term(np.eye(6), np.eye(9))
    matrix = sp.coo_array(([1.0, 0.0], ([0, 0], [0, 8])), shape=(9, 9))
    zero = replace(task.terms[-1], across=summed(sp.csr_array(matrix)))
    task = replace(task, terms=(*task.terms[:-1], zero))
    assert np.all(solve_split_cn(task, 1.0, 0.5, 0.5, 1).values > 0)


def test_refuses_local_matrices() -> None:
    task = problem((3,), 4)
    task = replace(task, local=(sp.csr_array(sp.eye_array(3)),) * 4)
    with pytest.raises(ValueError, match="local matrices"):
        solve_split_cn(task, 1.0, 0.5, 0.5, 1)


# without the compiler NumPy warns of what the kernels do not
@pytest.mark.filterwarnings("ignore:(overflow|invalid value):RuntimeWarning")
def test_says_that_a_field_grows_beyond_all_bounds() -> None:
    task = problem((3,), 4)
    gain = replace(task.terms[-1], along=rate(np.full(4, -50.0), np.ones(4)))
    with pytest.raises(ConvergenceError, match="not finite after 1 × 5000 time steps"):
        solve_split_cn(replace(task, terms=(gain,)), 0.01, 0.5, 0.01, 5000)
