"""A system of two unknowns through every command, and what is said of files that are none."""

from __future__ import annotations

import meshio
import numpy as np
import pytest
from matplotlib.figure import Figure

import pinnkan as python_way
from pinnkan.ground.errors import UsageError
from pinnkan.language.problem import load_problem
from pinnkan.solutions.derived_fields import derived_field

EXCHANGE = """\
title: Two fields that feed each other
coordinates: [x, y]
domain: {shape: box, x: [0, 1], y: [0, 2]}
unknowns: [u, v]
family: {k: {base: 1, range: [0.5, 2]}}
definitions: {U: [u, v]}
exact: {u: sin(pi*x)*y, v: 10*x*y^2}
source: manufactured
equations:
  - {name: balance, equation: "-laplace(U) + k*[v, u] = source"}
boundary: ["U = [exact.u, exact.v]"]
network: {hidden: [5, 5], functions: 6}
points: {interior: 200, held_out: 100}
training: {steps: 25}
finetuning: {steps: 12}
"""
POINTS = np.array([[0.25, 0.5], [0.5, 1.0], [0.75, 1.75]])


@pytest.fixture(scope="module")
def system(tmp_path_factory, done):
    """Return a folder with a base and an adapter of the system."""
    folder = tmp_path_factory.mktemp("system")
    (folder / "exchange.yaml").write_text(EXCHANGE)
    for command in (
        ("pretrain", folder / "exchange.yaml", "-o", folder / "run", "-q"),
        ("finetune", folder / "run", "--param", "k=2", "-q"),
    ):
        done(*command)
    return folder / "run"


def exact_of(points):
    x, y = points.T
    return {"u": np.sin(np.pi * x) * y, "v": 10 * x * y**2}


def test_evaluate_tells_of_every_unknown(done, system):
    base, adapter = done("evaluate", system, "--json").json["results"]
    for row, limit in ((base, 1e-3), (adapter, 3e-3)):
        assert set(row["fields"]) == {"u", "v"}
        assert row["relative_l2"] == max(field["relative_l2"] for field in row["fields"].values()) < limit
        assert row["error_estimate"] == max(field["error_estimate"] for field in row["fields"].values())
        assert not any(field["centred"] for field in row["fields"].values())
        assert set(row["relative_residual"]) == {"balance.x", "balance.y", "boundary[0].x", "boundary[0].y"}
        assert row["verdict"] == "solved"
        assert 0.2 < row["error_estimate"] / row["relative_l2"] < 10


def test_an_unknown_whose_reference_is_zero_is_held_to_its_scale(pinnkan, system, tmp_path):
    points = tmp_path / "p.csv"
    points.write_text("x,y,v\n0.5,1,0\n0.25,0.5,0\n")
    answer = pinnkan("evaluate", system, "--param", "k=2", "--points", points, "--fail-above", 1e-2)
    assert answer.code == 5
    assert "v: absolute_rms" in answer.err
    assert "of its scale" in answer.err


def test_the_python_way_in_names_the_unknowns(system):
    solution = python_way.load(system).at(2.0)
    assert solution.unknowns == ("u", "v")
    found, wanted = solution(POINTS), exact_of(POINTS)
    for name in ("u", "v"):
        assert found[name] == pytest.approx(wanted[name], rel=1e-2)
        assert solution.exact(POINTS)[name] == pytest.approx(wanted[name])
    slope = np.pi * np.cos(np.pi * POINTS[:, 0]) * POINTS[:, 1]
    assert solution.jet(POINTS, "u_x", "v") == pytest.approx(
        np.stack([slope, wanted["v"]]), rel=2e-2, abs=2e-2
    )
    assert set(solution.residual(POINTS)) == {"balance.x", "balance.y"}


def test_formulas_of_the_unknowns_are_fields(system):
    solution = python_way.load(system).at()
    u, v = solution(POINTS).values()
    assert np.array_equal(solution.field(POINTS, "U"), [u, v])
    assert solution.field(POINTS, "norm(U)") == pytest.approx(np.hypot(u, v), rel=1e-14)
    u_y, v_x = solution.jet(POINTS, "u_y", "v_x")
    assert solution.field(POINTS, "k*(v_x - u_y)") == pytest.approx(v_x - u_y, rel=1e-14)
    assert solution.field(POINTS, "x + exact.u") == pytest.approx(POINTS[:, 0] + exact_of(POINTS)["u"])
    assert np.isnan(solution.field(POINTS, "sqrt(0 - y)")).all()


FLOW = """
coordinates: [x, y]
time: {t: [0, 1]}
domain: {shape: box, x: [0, 1], y: [0, 1]}
unknowns: [u, v, p]
exact: {u: y, v: x, p: x*y*t}
source: manufactured
equations: ["dt([u, v]) + grad(p) = laplace([u, v]) + source", "div([u, v]) = 0"]
boundary: ["[u, v] = [exact.u, exact.v]"]
initial: ["[u, v] = [y, x]"]
"""


@pytest.mark.parametrize(
    ("formula", "determined"),
    [
        ("u + v_t", True),
        ("p_x", True),
        ("norm(grad(p))", True),
        ("p", False),
        ("p + u", False),
        ("p_t", False),
    ],
)
def test_what_is_known_up_to_a_constant_has_no_exact_formula_beside_it(formula, determined):
    assert derived_field(load_problem(FLOW, name="flow"), formula).is_determined is determined
    held = load_problem(FLOW + 'constraints: ["integral(p) = t/4"]', name="flow")
    assert derived_field(held, formula).is_determined


@pytest.mark.parametrize(
    ("formula", "message"),
    [
        ("w", "field 'w': unknown name 'w'"),
        ("u +", "field 'u +': "),
        ("source*u", "field 'source*u': source has no value outside an equation"),
        ("dn(u)", "field 'dn(u)': dn is the normal derivative, which is known in boundary conditions only"),
    ],
)
def test_what_is_no_field_is_said(system, formula, message):
    with pytest.raises(UsageError) as fault:
        python_way.load(system).at().field(POINTS, formula)
    assert str(fault.value).startswith(message)


def test_exports_hold_every_unknown_and_vectors(done, system, tmp_path):
    done("export", system, "--param", "k=2", "--grid", "4x3", "-o", tmp_path / "f.vtu")
    mesh = meshio.read(tmp_path / "f.vtu")
    assert set(mesh.point_data) >= {"u", "v", "U", "exact_u", "error_u", "exact_v", "error_v"}
    assert np.array_equal(mesh.point_data["U"][:, :2], np.column_stack([mesh.point_data[n] for n in "uv"]))
    assert not mesh.point_data["U"][:, 2].any()
    found = python_way.load(system).at(2.0)(mesh.points[:, :2])
    assert np.array_equal(mesh.point_data["v"], found["v"])


def test_exports_take_formulas(done, pinnkan, system, tmp_path):
    fields = ("--fields", "v_x - u_y, U, dot(U, [1, 2])")
    done("export", system, "--grid", "4x3", *fields, "-o", tmp_path / "f.csv")
    header, *rows = (tmp_path / "f.csv").read_text().splitlines()
    assert header == 'x,y,v_x - u_y,U.x,U.y,"dot(U, [1, 2])"'
    table = np.array([[float(word) for word in row.split(",")] for row in rows])
    assert table[:, 5] == pytest.approx(table[:, 3] + 2 * table[:, 4], rel=1e-13)
    twice = pinnkan("export", system, "--grid", "4x3", "--fields", "u, U, u", "-o", tmp_path / "g.csv")
    assert (twice.code, twice.err) == (2, "error: --fields u, U, u: the column u occurs twice\n")


@pytest.fixture
def figure_of(monkeypatch, done, tmp_path):
    """Run a plot command and return the figure it saved."""
    saved = []
    monkeypatch.setattr(Figure, "savefig", lambda figure, *_, **__: saved.append(figure))

    def draw(*arguments):
        done("plot", *arguments, "-o", tmp_path / "p.png", "--dpi", 40)
        return saved[-1]

    return draw


def test_a_picture_has_a_panel_an_unknown(figure_of, system):
    titles = [axes.get_title() for axes in figure_of(system).axes if axes.get_title()]
    assert titles == [f"{word} ${name}$" for name in "uv" for word in ("solution", "reference", "error")]
    assert [axes.get_title() for axes in figure_of(system, "--field", "v").axes if axes.get_title()] == [
        "solution", "reference", "error",
    ]  # fmt: skip
    residuals = {axes.get_title() for axes in figure_of(system, "--field", "residual").axes}
    assert residuals >= {"|residual of balance.x|", "|residual of balance.y|"}


def test_streamlines_and_arrows_are_those_of_the_vector(figure_of, system):
    arrows = figure_of(system, "--field", "v_x - u_y", "--arrows", "U").axes[0]
    (quiver,) = [item for item in arrows.collections if type(item).__name__ == "Quiver"]
    places = quiver.get_offsets()
    found = python_way.load(system).at()(np.asarray(places))
    assert np.asarray(quiver.V) / np.asarray(quiver.U) == pytest.approx(found["v"] / found["u"], rel=0.05)
    assert arrows.get_title() == "v_x - u_y"
    lines = figure_of(system, "--streamlines", "U").axes[0]
    assert lines.get_title() == "norm(U)"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--field", "sollution"), "error: --field 'sollution': unknown name 'sollution'"),
        (("--arrows", "u"), "error: --arrows u: expected a vector with an entry each for x, y"),
        (("--arrows", "U", "--slice", "y=1"), "error: --streamlines and --arrows are drawn over two lengths"),
    ],
)  # fmt: skip
def test_what_cannot_be_drawn_is_said(pinnkan, system, tmp_path, arguments, message):
    answer = pinnkan("plot", system, *arguments, "-o", tmp_path / "p.png")
    assert answer.code == 2
    assert answer.err.startswith(message)


def test_a_formula_of_several_unknowns_is_refused(pinnkan, system):
    answer = pinnkan("formula", system)
    assert answer.code == 2
    assert "has 2 unknowns (u, v); a formula is found where there is one alone" in answer.err
