"""Texts of problems, well posed and not, and what the tests of well-posedness say of them."""

from __future__ import annotations

from pinnkan.language.problem import load_problem
from pinnkan.physics.family import Family
from pinnkan.physics.wellposed import examine

LINE = "coordinates: [x]\ndomain: {shape: interval, x: [0, 1]}\n"
SQUARE = "coordinates: [x, y]\ndomain: {shape: box, x: [0, 1], y: [0, 1]}\n"
CUBE = "coordinates: [x, y, z]\ndomain: {shape: box, x: [0, 1], y: [0, 1], z: [0, 1]}\n"
DISK = "coordinates: [x, y]\ndomain: {shape: disk, center: [0, 0], radius: 1}\n"
RING = "coordinates: [x]\ndomain: {shape: interval, x: [0, 1], periodic: x}\n"
TIME = "time: {t: [0, 1]}\n"
PAIR = ["laplace(u) = v", "laplace(v) = u"]
LAME = ["2*u_xx + u_yy + v_xy = 1", "v_xx + 2*v_yy + u_xy = 0"]
FLOW_IN_TIME = ["u_t + p_x = laplace(u)", "v_t + p_y = laplace(v)", "u_x + v_y = 0"]


def system(
    head: str, unknowns: str, equations: list[str], boundary: list = (), initial: list = (), more: str = ""
) -> str:
    """Write a system; a boundary entry is an equation, or (part, equation), or (part, where, equation)."""
    lines = [head, f"unknowns: [{unknowns}]\n", more, "equations:\n", *(f'  - "{e}"\n' for e in equations)]
    lines += ["boundary:\n"] if boundary else []
    for entry in boundary:
        part, where, equation = (
            (None, None, entry)
            if isinstance(entry, str)
            else (entry[0], entry[1] if len(entry) == 3 else None, entry[-1])
        )
        keys = [f"on: {part}"] * (part is not None) + [f"where: {where}"] * (where is not None)
        lines.append("  - {" + ", ".join([*keys, f'equation: "{equation}"']) + "}\n")
    lines += ["initial:\n", *(f'  - "{c}"\n' for c in initial)] if initial else []
    return "".join(lines)


def poisson(head: str, *boundary: str, equation: str = "laplace(u) = 0", more: str = "") -> str:
    listed = "".join(f"  - {entry}\n" for entry in boundary)
    return f'{head}unknowns: u\n{more}equations: ["{equation}"]\nboundary:\n{listed}'


def held(equation: str, where: str = "", part: str = "") -> str:
    keys = [f"on: {part}"] * bool(part) + [f'where: "{where}"'] * bool(where)
    return "{" + ", ".join([*keys, f'equation: "{equation}"']) + "}"


def findings_of(text: str) -> list[str]:
    """Return what the tests say of a problem at its base values."""
    return [f"{finding.severity}: {finding.message}" for finding in examine(Family(load_problem(text)).at())]
