"""Symbolic links in a circle, wherever a command is told to write: one line, exit code 74, the links left."""

from __future__ import annotations

import os

import pytest

COMMANDS = {
    "pretrain -o": ("pretrain", "FOLDER/tiny.yaml", "-o", "CIRCLE"),
    "fit -o": ("fit", "x^2", "--domain", "x=0:1", "-o", "CIRCLE"),
    "check --plot": ("check", "FOLDER/tiny.yaml", "--plot", "CIRCLE.png"),
    "export csv": ("export", "FOLDER/tiny", "--grid", "5x5", "-o", "CIRCLE.csv"),
    "export npz": ("export", "FOLDER/tiny", "--grid", "5x5", "-o", "CIRCLE.npz"),
    "export vtu": ("export", "FOLDER/tiny", "--grid", "5x5", "-o", "CIRCLE.vtu"),
    "export h5": ("export", "FOLDER/tiny", "--grid", "5x5", "-o", "CIRCLE.h5"),
    "plot": ("plot", "FOLDER/tiny", "--dpi", "20", "-o", "CIRCLE.png"),
    "spectrum": ("spectrum", "FOLDER/tiny/base.h5", "-o", "CIRCLE.png"),
    "compare --table": (
        "compare",
        "FOLDER/tiny.yaml",
        "--lambda",
        "0.5",
        "-o",
        "FOLDER/c",
        "--table",
        "CIRCLE.csv",
    ),
    "compare -o": ("compare", "FOLDER/tiny.yaml", "--lambda", "0.5", "-o", "CIRCLE"),
}


@pytest.mark.parametrize("name", COMMANDS)
def test_a_circle_of_links_is_refused_in_one_line(pinnkan, folder, name):
    words = [word.replace("FOLDER", str(folder)) for word in COMMANDS[name]]
    (circle,) = (word for word in words if "CIRCLE" in word)
    suffix = circle.removeprefix("CIRCLE")
    place, other = folder / f"circle{suffix}", folder / f"other{suffix}"
    place.symlink_to(other)
    other.symlink_to(place)
    answer = pinnkan(*(str(place) if word == circle else word for word in words), "-q")
    assert answer.code == 74, answer.err
    assert len(answer.err.splitlines()) == 1
    assert answer.err.startswith("error: cannot ")
    assert (os.readlink(place), os.readlink(other)) == (str(other), str(place))


@pytest.mark.parametrize("command", ["status", "evaluate", "show", "finetune"])
def test_a_run_that_is_a_circle_is_none(pinnkan, tmp_path, command):
    (tmp_path / "a").symlink_to(tmp_path / "b")
    (tmp_path / "b").symlink_to(tmp_path / "a")
    answer = pinnkan(command, tmp_path / "a", *(["--lambda", "1"] if command == "finetune" else []))
    assert answer.code == 2
    assert answer.err.startswith("error: there is no ")
