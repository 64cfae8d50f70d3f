"""What the files of systems say of themselves, by SymPy: their exact solutions meet every line of theirs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import sympy
from reference_beam import clamped_beam, tip_of_timoshenko
from reference_tables import TABLES
from written_formulas import WrittenFormulas, column, read_formulas

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = ROOT / "problems", ROOT / "tests" / "benchmarks" / "drafts"
EXACT = ("kovasznay", "stokes", "elasticity", "schroedinger", "maxwell")
SIDES = {"left": (0, 0), "right": (0, 1), "bottom": (1, 0), "top": (1, 1)}
"""Coordinate and end of every side."""


def path_of(name: str) -> Path:
    """Return where a file is: shipped, or a draft."""
    (path,) = (folder / name for folder in FOLDERS if (folder / name).exists())
    return path


def corners(formulas: WrittenFormulas) -> list[dict[str, float]]:
    """Return the base value and both ends of every parameter."""
    family = formulas.file["family"]
    base = {name: float(sympy.Rational(str(said["base"]))) for name, said in family.items()}
    return [base] + [base | {name: float(end)} for name, said in family.items() for end in said["range"]]


def corner_values(formulas: WrittenFormulas) -> list[float]:
    """Return the base value and both ends of the only parameter."""
    return [value for parameters in corners(formulas) for value in parameters.values()]


def drawn(formulas: WrittenFormulas, parameters: dict[str, float], count: int = 40) -> np.ndarray:
    """Return seeded points, time first."""
    names = [*formulas.file.get("time", ()), *formulas.file.get("coordinates", ())]
    low, high = np.transpose([formulas.interval(name, parameters) for name in names])
    return np.random.default_rng(3).uniform(low, high, (count, len(names)))


def statements(formulas: WrittenFormulas) -> Iterator[tuple[str, str]]:
    """Return every equation and condition with where it holds, but those that make a source."""
    file = formulas.file
    for item in file["equations"]:
        if "source" not in item["equation"]:
            yield item["equation"], "inside"
    for item in file.get("boundary", ()):
        told = item if isinstance(item, dict) else {"equation": item}
        places = told.get("on", list(SIDES))
        for side in [places] if isinstance(places, str) else places:
            yield told["equation"], side
    for item in file.get("initial", ()):
        yield item, "start"


def place_points(
    formulas: WrittenFormulas, points: np.ndarray, place: str, parameters: dict[str, float]
) -> None:
    """Move points to a side, or to the first time."""
    if place == "start":
        points[:, 0] = 0.0
    elif place in SIDES:
        axis, end = SIDES[place]
        name = formulas.file["coordinates"][axis]
        points[:, axis - len(formulas.space)] = formulas.interval(name, parameters)[end]


def misfits(formulas: WrittenFormulas) -> dict[str, float]:
    """Return the largest violation of every statement, where the exact solution is of size one."""
    found = {}
    for text, place in statements(formulas):
        if place in SIDES:
            axis, end = SIDES[place]
            formulas["n"] = column(*((2 * end - 1) * (k == axis) for k in range(len(formulas.space))))
        residual = formulas.compiled(formulas.residual(text))
        worst = 0.0
        for parameters in corners(formulas):
            points = drawn(formulas, parameters)
            place_points(formulas, points, place, parameters)
            worst = max(worst, float(np.abs(residual(points, parameters)).max()))
        found[f"{text} [{place}]"] = worst
    return found


@pytest.mark.parametrize("name", EXACT)
def test_an_exact_solution_meets_its_file(name):
    found = misfits(read_formulas(path_of(f"{name}.yaml")))
    assert len(found) >= 2
    assert max(found.values()) < 1e-11, found


@pytest.mark.parametrize(
    ("name", "right", "wrong"),
    [
        ("kovasznay", "v: a/(2*pi)", "v: -a/(2*pi)"),
        ("kovasznay", "sqrt(Re^2/4", "sqrt(Re^2/2"),
        ("stokes", "k/(2*pi)*sin", "k/pi*sin"),
        ("elasticity", "-2*pi*lam", "2*pi*lam"),
        ("schroedinger", "(1 - c^2)/2*t", "(1 + c^2)/2*t"),
        ("maxwell", "omega: pi*sqrt(5/eps)", "omega: pi*sqrt(5*eps)"),
        ("maxwell", "Hy: 2*pi", "Hy: -2*pi"),
        ("cantilever", "(4 + 5*nu)", "(4 + 2*nu)"),
        ("cantilever", "p: P*(L - x)", "p: P*(x - L)"),
    ],
)
def test_a_wrong_file_is_seen(name, right, wrong):
    text = path_of(f"{name}.yaml").read_text(encoding="utf-8")
    assert text.count(right) == 1
    assert max(misfits(WrittenFormulas(text.replace(right, wrong))).values()) > 1e-3


@pytest.mark.parametrize("name", ["kovasznay", "stokes"])
def test_the_mean_pressure_is_zero(name):
    formulas = read_formulas(path_of(f"{name}.yaml"))
    assert formulas.file["constraints"] == ["mean(p) = 0"]
    nodes, weights = np.polynomial.legendre.leggauss(40)
    pressure = formulas.compiled(formulas["p"])
    for parameters in corners(formulas):
        (a, b), (c, d) = (formulas.interval(x, parameters) for x in "xy")
        x, y = np.meshgrid(a + (b - a) * (nodes + 1) / 2, c + (d - c) * (nodes + 1) / 2, indexing="ij")
        (p,) = pressure(np.stack([x.ravel(), y.ravel()], axis=1), parameters)
        assert np.outer(weights, weights).ravel() @ p / 4 == pytest.approx(0, abs=1e-13 * np.abs(p).max())


def test_the_tails_of_the_soliton_do_not_meet():
    """Both ends of the ring see less than 1e-9 of the crest, at all times and speeds."""
    formulas = read_formulas(path_of("schroedinger.yaml"))
    exact = formulas.compiled(column(*formulas.exact.values()))
    for parameters in corners(formulas):
        ends = np.array([[t, x] for t in (0.0, 2.0) for x in (-24.0, 24.0)])
        assert np.abs(exact(ends, parameters)).max() < 1e-9


def test_hooke_s_law_is_that_of_lame():
    """-div sigma = -(lam + mu) grad div U - mu laplace U, with the traction from its components."""
    formulas = read_formulas(path_of("elasticity.yaml"))
    U, lam, mu, sigma = (formulas[name] for name in ("U", "lam", "mu", "sigma"))
    by_lame = (lam + mu) * formulas.grad(formulas.div(U)) + mu * formulas.laplace(U)
    difference = formulas.compiled(formulas.div(sigma) - by_lame)
    for parameters in corners(formulas):
        assert np.abs(difference(drawn(formulas, parameters), parameters)).max() < 1e-11


@pytest.mark.parametrize(
    "name", [pytest.param("clamped_beam", marks=pytest.mark.slow), "brusselator", "predator_prey"]
)
def test_reference_tables_are_what_their_solvers_give(name):
    stored, made = path_of(f"{name}.csv").read_text().splitlines(), list(TABLES[name]())
    assert stored[0] == made[0]
    tables = [np.array([line.split(",") for line in lines[1:]], dtype=float) for lines in (stored, made)]
    assert tables[0] == pytest.approx(tables[1], rel=3e-8)
    said = read_formulas(path_of(f"{name}.yaml"))
    assert said.file["reference"] == f"{name}.csv"
    assert sorted({row[0] for row in tables[0]}) == pytest.approx(sorted(corner_values(said)))


def test_every_reference_table_is_held_to_its_solver():
    assert {path.stem for folder in FOLDERS for path in folder.glob("*.csv")} == set(TABLES)


def test_the_stored_beam_is_what_finite_elements_give():
    table = np.loadtxt(path_of("clamped_beam.csv"), delimiter=",", skiprows=1)
    _, x, y, u, v = table[table[:, 0] == 48].T
    coarse = clamped_beam(x, y, 48, cells=(16, 8))
    for stored, again in zip((u, v), coarse, strict=True):
        assert np.linalg.norm(stored - again) < 1e-5 * np.linalg.norm(stored)


def test_the_clamped_tip_is_that_of_timoshenko_and_goodier():
    """A clamp moves the tip by 0.07% of the published deflection; of a shorter beam by 0.3%."""
    assert tip_of_timoshenko(48) == pytest.approx(0.0089, rel=1e-12)
    for length, excess in ((36, 0.00287), (48, 0.00074), (60, -0.00013)):
        tip = clamped_beam(np.array([length]), np.array([0.0]), length, cells=(12, 8))[1, 0]
        assert -tip / tip_of_timoshenko(length) - 1 == pytest.approx(excess, abs=2e-5)


def test_the_published_beam_meets_the_file_inside_and_where_it_is_loaded():
    """Timoshenko and Goodier, article 21: in equilibrium, its faces free, its end loaded as the file says."""
    text = path_of("clamped_beam.yaml").read_text(encoding="utf-8")
    bend, squeeze = "P*y/(6*E*J)*((6*L - 3*x)*x + (2 + nu)*(y^2 - D^2/4))", "3*nu*y^2*(L - x)"
    sink = f"-P/(6*E*J)*({squeeze} + (4 + 5*nu)*D^2*x/4 + (3*L - x)*x^2)"
    formulas = WrittenFormulas(
        text.replace("reference: clamped_beam.csv", f"exact: {{u: {bend}, v: {sink}}}")
    )
    found = misfits(formulas)
    clamp = found.pop("U = [0, 0] [left]")
    assert max(found.values()) < 1e-9, found  # of stresses up to 2,000
    assert 1e-5 < clamp < 1e-3  # where it warps
    tip = formulas.compiled(formulas["v"])(np.array([[48.0, 0.0]]), {"L": 48.0})
    assert tip == pytest.approx(-tip_of_timoshenko(48))


def test_the_shipped_beam_is_the_published_one():
    """Its formulas meet every line of the file, and its tip sinks by 0.0089."""
    formulas = read_formulas(path_of("cantilever.yaml"))
    found = misfits(formulas)
    assert len(found) == 9
    assert max(found.values()) < 1e-9, found  # of stresses up to 2,500
    tip = formulas.compiled(formulas.exact["v"])(np.array([[48.0, 0.0]]), {"L": 48.0})
    assert tip == pytest.approx(-0.0089, rel=1e-12)
