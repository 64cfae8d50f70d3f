"""show: a base, an adapter, a run, and what does not fit or cannot be read."""

from __future__ import annotations

import pytest
from tiny_family import TINY

from pinnkan.storage.store import write_store


def test_a_run(done, run):
    shown = done("show", run, "--json").json
    assert (shown["problem"], shown["title"]) == ("tiny", "Tiny Poisson equation")
    assert shown["equations"] == ["-laplace(u) = source"]
    assert shown["family"] == [{"parameter": "lambda", "base": 0.0, "low": 0.0, "high": 1.0}]
    assert shown["network"] == {"kind": "kan", "widths": "2-4-4-1", "basis": "chebyshev", "functions": 4}
    base, (adapter,) = shown["base"], shown["adapters"]
    assert (base["numbers"], base["training"]["steps"], base["seed"], base["dtype"]) == (112, 6, 0, "float64")
    assert base["file_bytes"] == (run / "base.h5").stat().st_size
    assert base["provenance"]["device"] == "cpu"
    assert (adapter["file"], adapter["status"]) == ("lambda=0.5.h5", "fits")
    assert adapter["parameters"] == {"lambda": 0.5}
    assert adapter["relative_l2"] < 0.1
    assert shown["problem_text"] == TINY


def test_a_run_as_a_document(done, run):
    out = done("show", run).out
    assert "title        Tiny Poisson equation\n" in out
    assert "lambda=0.5.h5  fits" in out
    assert TINY not in out
    assert TINY in done("show", run, "-v").out


def test_files(done, run):
    base = done("show", run / "base.h5", "--json").json
    assert (base["kind"], base["parameters"], base["method"]) == ("base", {"lambda": 0.0}, "base")
    assert "status" not in base
    adapter = done("show", run / "adapters" / "lambda=0.5.h5", "--json").json
    assert (adapter["kind"], adapter["method"], adapter["status"]) == ("adapter", "lotra", "fits")
    # Outer layers in full (32 + 16), the hidden one at ranks (2, 2, 2): core 8, factors 3 x 8.
    assert adapter["numbers"] == adapter["training"]["trainable_parameters"] == 48 + 8 + 24


def test_an_adapter_away_from_its_run_is_usable_text(done, run, folder):
    (folder / "alone.h5").write_bytes((run / "adapters" / "lambda=0.5.h5").read_bytes())
    shown = done("show", folder / "alone.h5", "--json").json
    assert shown["status"] == "no base beside it"
    assert shown["problem_text"] == TINY


def test_stale_damaged_and_foreign_adapters_are_marked_beside_good_ones(done, run, folder):
    other = folder / "other"
    done("pretrain", folder / "tiny.yaml", "-o", other, "--seed", 5, "-q")
    done("finetune", other, "--lambda", 0.25, "-q")
    (other / "adapters" / "lambda=0.25.h5").rename(run / "adapters" / "lambda=0.25.h5")
    (run / "adapters" / "lambda=0.75.h5").write_bytes(b"not HDF5")
    write_store(run / "adapters" / "lambda=1.h5", "adapter", arrays={}, meta={"values": {"lambda": 1.0}})
    shown = done("show", run, "--json").json["adapters"]
    assert [(row["file"], row["status"]) for row in shown] == [
        ("lambda=0.25.h5", "stale"),
        ("lambda=0.5.h5", "fits"),
        ("lambda=0.75.h5", "damaged"),
        ("lambda=1.h5", "damaged"),
    ]
    assert "lambda=0.75.h5: " in shown[2]["fault"]
    assert shown[3]["fault"].endswith("no method or no training facts inside; not written by pinnkan")
    assert done("show", run / "adapters" / "lambda=0.25.h5", "--json").json["status"] == "stale"
    (run / "base.h5").write_bytes(b"")
    shown = done("show", run / "adapters" / "lambda=0.5.h5", "--json").json
    assert shown["status"] == "the base beside it is damaged"


@pytest.mark.parametrize(
    ("name", "content", "code", "message"),
    [
        ("nowhere", None, 2, "there is no file or directory"),
        ("empty.h5", b"", 3, "empty.h5: "),
        ("text.h5", b"x,y\n" * 1000, 3, "text.h5: "),
    ],
)
def test_what_cannot_be_shown(pinnkan, folder, name, content, code, message):
    if content is not None:
        (folder / name).write_bytes(content)
    answer = pinnkan("show", folder / name)
    assert answer.code == code
    assert message in answer.err


def test_a_folder_without_a_base(pinnkan, folder):
    answer = pinnkan("show", folder)
    assert (answer.code, answer.err) == (
        2,
        f"error: {folder} has no base.h5; 'pinnkan pretrain PROBLEM -o {folder}' makes one\n",
    )


def test_the_state_of_a_stopped_training_is_no_result(pinnkan, run):
    path = run / "work" / "base.checkpoint.h5"
    write_store(path, "checkpoint", arrays={}, meta={})
    answer = pinnkan("show", path)
    assert (answer.code, answer.err) == (
        2,
        f"error: {path} is the state of a training that was stopped, no result; "
        f"'pinnkan status {run}' tells of it\n",
    )


def test_an_exported_file_is_foreign(pinnkan, done, run, folder):
    done("export", run, "--grid", "3x3", "-o", folder / "u.h5")
    assert pinnkan("show", folder / "u.h5").code == 3
