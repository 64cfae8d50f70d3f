"""compare: cells, tables, what is never run twice, what is refused."""

from __future__ import annotations

import csv
import json
import os
import shutil
from dataclasses import replace

import pytest
from tiny_family import TINY

from pinnkan.ground.errors import FileAccessError, ProblemError, StoppedError, Terminated, UsageError
from pinnkan.solutions.evaluation.measures import POINTS
from pinnkan.storage.store import read_store
from pinnkan.studies import cells, compare, records
from pinnkan.studies import figures as trajectories
from pinnkan.studies.curves import curves_file, read_curves, write_curves
from pinnkan.studies.planning import planned
from pinnkan.studies.report import section
from pinnkan.studies.rows import read_rows
from pinnkan.studies.study import Level, Presentation, SharedSettings, Study, TableLayout
from pinnkan.studies.study_file import read_study
from pinnkan.studies.tables import table_of, tables_of
from pinnkan.sweeps import job
from pinnkan.sweeps.processes import Pool
from pinnkan.workflows import evaluate, pretrain

STUDY = """\
study: A tiny study
problem: tiny.yaml
values: {lambda: "0.5,1"}
seeds: [0, 1]
set: [training.steps=3, finetuning.steps=2]
axes:
  basis: {chebyshev: [network.basis=chebyshev], fourier: [network.basis=fourier]}
  method: {1/2: [adapter.compression=1/2], full: {method: full}, scratch: {method: scratch}}
exclude: [{basis: fourier, method: full}]
tables:
  - {rows: [lambda, method], columns: basis}
  - {rows: [method], columns: basis, number: trainable_parameters}
quick: {seeds: [1], basis: [fourier]}
"""


@pytest.fixture(autouse=True, scope="module")
def _few_points():
    """Measure errors on fewer points than the 20,000 they are quoted on: rows are compared with rows.

    Nor is a verdict given, which no row holds and which takes longer than so few steps.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(evaluate, "POINTS", 1000)
        patch.setattr(job, "judgement", lambda *_: dict.fromkeys(("relative_residual", "verdict", "reasons")))
        yield


@pytest.fixture
def study(tmp_path):
    (tmp_path / "tiny.yaml").write_text(TINY)
    (tmp_path / "study.yaml").write_text(STUDY)
    return tmp_path / "study.yaml"


@pytest.fixture(scope="module")
def quick_cells(done, tmp_path_factory):
    """The study's quick cells, run once; nobody writes here."""
    folder = tmp_path_factory.mktemp("quickened")
    (folder / "tiny.yaml").write_text(TINY)
    (folder / "study.yaml").write_text(STUDY)
    done("compare", folder / "study.yaml", "-o", folder / "out", "--quick", "-q")
    return folder / "out"


@pytest.fixture
def quickened(quick_cells, tmp_path):
    """A copy of the quick cells in ``out`` beside the study."""
    shutil.copytree(quick_cells, tmp_path / "out")


@pytest.mark.usefixtures("quickened")
def test_every_cell_is_a_row_and_none_is_run_twice(done, study, tmp_path, monkeypatch):
    arguments = ["compare", study, "-o", tmp_path / "out", "--json", "-q"]
    quick = done(*arguments, "--quick").json
    assert [(c["basis"], c["method"], c["lambda"], c["seed"]) for c in quick["cells"]] == [
        ("fourier", method, value, 1) for method in ("1/2", "scratch") for value in (0.5, 1)
    ]
    ran = []
    real = cells.CellRunner.__call__
    monkeypatch.setattr(
        cells.CellRunner, "__call__", lambda run, cell: ran.append(cell.key) or real(run, cell)
    )
    whole = done(*arguments).json
    assert len(whole["cells"]) == 20
    assert len(ran) == 16
    assert not {cell["key"] for cell in quick["cells"]} & set(ran)
    ran.clear()
    again = done(*arguments).json
    assert ran == []
    assert json.dumps(again["tables"]) == json.dumps(whole["tables"])
    # Five bases: two for each of chebyshev and fourier.
    assert len(list((tmp_path / "out" / "bases").iterdir())) == 4
    with open(tmp_path / "out" / "cells.csv", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [row["status"] for row in rows] == ["done"] * 20
    assert [row["key"] for row in rows] == [cell["key"] for cell in whole["cells"]]
    assert {row["trainable_parameters"] for row in rows if row["method"] == "full"} == {"112"}


def test_a_study_may_train_in_single_precision(done, study, tmp_path):
    study.write_text(study.read_text() + "dtype: float32\n")
    done("compare", study, "-o", tmp_path / "out", "-q", "--quick")
    (folder,) = (tmp_path / "out" / "bases").iterdir()
    stored = [read_store(path) for path in (folder / "base.h5", *(folder / "adapters").iterdir())]
    assert {str(array.dtype) for one in stored for array in one.arrays.values()} == {"float32"}


@pytest.mark.usefixtures("quickened")
def test_a_cell_is_what_the_commands_give(done, study, tmp_path):
    cells = done("compare", study, "-o", tmp_path / "out", "--json", "-q", "--quick").json["cells"]
    run = tmp_path / "run"
    sets = ["--seed", 1, "--set", "training.steps=3", "--set", "network.basis=fourier"]
    done("pretrain", tmp_path / "tiny.yaml", "-o", run, "-q", *sets)
    done("finetune", run, "--lambda", 0.5, "-q", "--seed", 1, "--set", "finetuning.steps=2")
    base, adapter = done("evaluate", run, "--json").json["results"]
    (cell,) = [one for one in cells if (one["method"], one["lambda"]) == ("1/2", 0.5)]
    assert cell["relative_l2"] == pytest.approx(adapter["relative_l2"], rel=1e-9)
    assert cell["base_relative_l2"] == pytest.approx(base["relative_l2"], rel=1e-9)
    assert cell["residual_rms"] == pytest.approx(adapter["residual_rms"], rel=1e-9)


def test_workers_give_the_same_rows(done, study, tmp_path, monkeypatch):
    monkeypatch.setattr(evaluate, "POINTS", POINTS)  # as in the workers
    one = done("compare", study, "-o", tmp_path / "one", "--json", "-q", "--quick", "--threads", 1).json
    two = done(
        "compare", study, "-o", tmp_path / "two", "--json", "-q", "--quick", "--threads", 1, "--jobs", 2
    ).json
    assert [c["relative_l2"] for c in one["cells"]] == [c["relative_l2"] for c in two["cells"]]


def test_a_failed_cell_is_shown_as_failed(pinnkan, study, tmp_path):
    wild = ["finetuning.optimizer=adam", "finetuning.rate=1e6", "finetuning.steps=50"]
    sets = [word for text in wild for word in ("--set", text)]
    answer = pinnkan("compare", study, "-o", tmp_path / "out", "--quick", *sets)
    assert answer.code == 1
    assert "1 of 1 diverged" in answer.out
    assert "fourier, 1/2, 0.5, 1: diverged: " in answer.err
    rows = read_rows(tmp_path / "out" / "cells.csv")
    assert {(row["method"], row["status"]) for row in rows} == {("1/2", "diverged"), ("scratch", "done")}
    assert all("diverged" in row["error"] for row in rows if row["status"] == "diverged")


@pytest.mark.parametrize("jobs", [[], ["--jobs", 2]])
@pytest.mark.parametrize("signal", [KeyboardInterrupt, Terminated])
def test_a_signal_between_two_cells_stops_the_study_too(pinnkan, study, tmp_path, monkeypatch, jobs, signal):
    real, signals = records.write_rows, iter([None, signal()])

    def interrupted(*arguments):
        real(*arguments)
        if fault := next(signals, None):
            raise fault

    monkeypatch.setattr(records, "write_rows", interrupted)
    arguments = ["compare", study, "-o", tmp_path / "out", "--quick", "-q", "--threads", 1]
    answer = pinnkan(*arguments, *jobs)
    assert answer.code == 75
    assert "rows are kept" in answer.err
    assert len(read_rows(tmp_path / "out" / "cells.csv")) == 2
    assert pinnkan(*arguments).code == 0
    assert len(read_rows(tmp_path / "out" / "cells.csv")) == 4


def test_what_a_signal_or_the_system_stopped_is_tried_again(pinnkan, study, tmp_path, monkeypatch):
    """Neither leaves a result: a stopped cell has no row, one that the system failed a row that says so."""
    real, faults = cells.finetune, iter([FileAccessError("disk full"), StoppedError("stopped")])

    def stumble(options, values, observer):
        if options.method == "scratch" and (fault := next(faults, None)):
            raise fault
        return real(options, values, observer)

    monkeypatch.setattr(cells, "finetune", stumble)
    arguments = ["compare", study, "-o", tmp_path / "out", "--quick", "-q"]
    answer = pinnkan(*arguments)
    assert (answer.code, answer.err) == (75, "error: stopped\n")
    rows = read_rows(tmp_path / "out" / "cells.csv")
    assert [row["status"] for row in rows] == ["done", "done", "failed"]
    assert rows[2]["error"] == "disk full"
    assert pinnkan(*arguments).code == 0
    rows = read_rows(tmp_path / "out" / "cells.csv")
    assert [row["status"] for row in rows] == ["done"] * 4


def make_nothing():
    return lambda job: None


def test_a_worker_may_answer_nothing():
    pool = Pool(1, make_nothing)
    pool.submit("key", "job")
    assert pool.next(60) == ("key", None)
    pool.close()


def test_brackets_keep_a_level_together_and_an_mlp_has_no_adapter(done, study, tmp_path):
    def cells(*axes):
        options = [word for axis in axes for word in ("--axis", axis)]
        arguments = ["--lambda", 1, *options, "-o", tmp_path / "out", "--time-limit", 0, "-q", "--json"]
        return done("compare", tmp_path / "tiny.yaml", *arguments).json["planned"]

    assert cells("network.hidden=[4],[4,4],[4, 4, 4]") == 3
    assert cells("kind=kan,mlp", "method=1/8,full,lotra") == 4
    assert cells("compression=1/2,1/4") == 2


def test_an_optimizer_is_also_that_of_values_trained_from_scratch(done, study, tmp_path):
    """By ``training:``, and the base of all is one."""
    axes = ["--axis", "optimizer=lm,adam", "--axis", "method=full,scratch"]
    arguments = ["--lambda", 1, *axes, "-o", tmp_path / "out", "-q", "--json", "--set", "finetuning.steps=2"]
    arguments += ["--set", "training.steps=3"]
    cells = done("compare", tmp_path / "tiny.yaml", *arguments).json["cells"]
    assert len({cell["base_seconds"] for cell in cells}) == 1
    scratch = {cell["optimizer"]: cell["relative_l2"] for cell in cells if cell["method"] == "scratch"}
    assert scratch["lm"] < 0.3 < 0.9 < scratch["adam"]


def test_a_time_limit_leaves_cells_for_the_next_time(done, study, tmp_path):
    arguments = ["compare", study, "-o", tmp_path / "out", "--quick", "--json", "-q"]
    begun = done(*[word for word in arguments if word != "-q"], "--time-limit", 0)
    assert (begun.json["cells"], begun.json["planned"]) == ([], 4)
    assert "4 of 4 cells are still to be run; the same command goes on" in begun.err
    assert len(done(*arguments).json["cells"]) == 4


def test_options_make_a_study_of_a_problem(done, study, tmp_path):
    picture = tmp_path / "losses.png"
    axes = ["--axis", "optimizer=lm,adam", "--axis", "method=1/4,full", "--seeds", "0,3"]
    out = done(
        "compare",
        tmp_path / "tiny.yaml",
        "--lambda",
        0.5,
        *axes,
        "-o",
        tmp_path / "out",
        "-q",
        "--plot",
        picture,
        "--set",
        "finetuning.steps=3",
    ).out
    assert "relative_l2, median (least..most) of seeds 0, 3" in out
    assert picture.stat().st_size > 10_000
    rows = read_rows(tmp_path / "out" / "cells.csv")
    assert {(row["optimizer"], row["method"]) for row in rows} == {
        (optimizer, method) for optimizer in ("lm", "adam") for method in ("1/4", "full")
    }


FIGURES = """\
figures:
  - {name: fourier, panels: [lambda], where: {basis: fourier}}
  - {name: elsewhere, where: {basis: [chebyshev]}}
"""


TWO_VALUES = Study("x", "elliptic", {"lambda": ("1,2",)})


@pytest.mark.usefixtures("quickened")
def test_a_study_says_what_is_drawn(pinnkan, study, tmp_path, monkeypatch):
    """A panel for each value, lines named by what differs between them; no file of cells that did not run."""
    drawn = {}
    monkeypatch.setattr(
        trajectories, "plot_trajectories", lambda file, panels, title: drawn.update({title: panels})
    )
    study.write_text(STUDY + FIGURES)
    arguments = ["compare", study, "-o", tmp_path / "out", "--quick", "--plot", tmp_path / "losses.png"]
    answer = pinnkan(*arguments)
    assert answer.code == 0
    assert answer.err.splitlines()[-1] == f"wrote {tmp_path / 'losses-fourier.png'}"
    (panels,) = drawn.values()
    assert list(drawn) == ["A tiny study: fourier"]
    assert [panel.title for panel in panels] == [r"$\lambda$ = $0.5$", r"$\lambda$ = $1$"]
    for panel in panels:
        assert {label: [len(run.steps) for run in runs] for label, runs in panel.lines.items()} == {
            "1/2": [2],
            "scratch": [3],
        }
    rows = read_rows(tmp_path / "out" / "cells.csv")
    (run,) = panels[0].lines["1/2"]
    known = read_curves(tmp_path / "out" / "cells.csv")[rows[0]["key"]]
    assert list(run.loss) == known["loss"]
    assert rows[0]["loss"] == pytest.approx(known["loss"][-1], rel=1e-4)


@pytest.mark.usefixtures("quickened")
def test_tables_are_there_whatever_becomes_of_the_picture(pinnkan, study, tmp_path):
    arguments = ["compare", study, "--quick", "-q", "--table", tmp_path / "cells.csv"]
    assert pinnkan(*arguments, "-o", tmp_path / "out").code == 0
    arguments += ["-o", tmp_path / "elsewhere", "--plot", tmp_path / "losses.png"]
    assert pinnkan(*arguments).code == 0  # a clone with the table and its curves draws what was run elsewhere
    curves_file(tmp_path / "cells.csv").unlink()
    answer = pinnkan(*arguments)
    assert answer.code == 2
    assert "cells.curves.json has no curves of these cells: their rows came without it" in answer.err
    assert "relative_l2, median" in answer.out


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "[]",
        '{"k": 1}',
        '{"k": {"step": [1], "seconds": [1], "loss": ["x"]}}',
        "[" * 100_000,
        '{"k":' * 100_000 + "1" + "}" * 100_000,
        '{"k": NaN}',
        "\x00",
    ],
    ids=lambda text: text[:20],
)
def test_curves_of_anybody_are_refused(pinnkan, study, tmp_path, text):
    table = tmp_path / "out" / "cells.csv"
    table.parent.mkdir()
    curves_file(table).write_text(text)
    answer = pinnkan("compare", study, "-o", tmp_path / "out", "--quick", "-q", "--time-limit", 0)
    assert answer.code == 3
    assert "cells.curves.json: not " in answer.err
    assert len(answer.err.splitlines()) == 1


def test_curves_that_are_no_file_are_refused_at_once(pinnkan, study, tmp_path):
    (tmp_path / "out").mkdir()
    os.mkfifo(curves_file(tmp_path / "out" / "cells.csv"))
    answer = pinnkan("compare", study, "-o", tmp_path / "out", "--quick", "-q", "--time-limit", 0)
    assert (answer.code, "cells.curves.json: not a regular file" in answer.err) == (3, True)


def test_more_lines_than_can_be_told_apart_are_refused(study, tmp_path):
    rows = [{"key": str(n), "basis": str(n), "method": "full", "lambda": 1.0} for n in range(25)]
    facts = {name: [1] for name in ("step", "seconds", "loss", "held_out", "error")}
    write_curves(tmp_path / "cells.csv", {row["key"]: facts for row in rows})
    with pytest.raises(UsageError, match="1 panels of up to 25 lines in one picture, at most 8 of 24"):
        trajectories.draw_figures(read_study(study), rows, tmp_path / "cells.csv", tmp_path / "a.png")


def row_of(place, seed, name, number):
    """A row with one number; without it a diverged one."""
    return {**place, "seed": seed, "status": "diverged" if number is None else "done", name: number}


def test_tables_show_median_and_range_in_the_study_s_order():
    axes = {"method": {"full": Level(method="full"), "1/8": Level()}}
    study = Study("x", "p", {"lambda": ("1,0.1",)}, shared=SharedSettings((0, 1, 2)), axes=axes)
    numbers = {"1/8": [3e-5, 1e-5, 2e-5], "full": [1e-4, None, 2e-4]}
    rows = [
        row_of({"method": method, "lambda": value}, seed, "relative_l2", n)
        for value in (1.0, 0.1)
        for method, found in numbers.items()
        for seed, n in enumerate(found)
    ]
    table = table_of(study, TableLayout(("lambda",), "method"), rows)
    assert table.header == ("lambda", "full", "1/8")
    assert table.body == (
        ("0.1", "1.5e-04 (1.0e-04..2.0e-04), 1 of 3 diverged", "2.0e-05 (1.0e-05..3.0e-05)"),
        ("1", "1.5e-04 (1.0e-04..2.0e-04), 1 of 3 diverged", "2.0e-05 (1.0e-05..3.0e-05)"),
    )
    assert table.markdown().splitlines()[:2] == ["| lambda | full | 1/8 |", "| --- | --- | --- |"]
    rows = [row for row in rows if (row["method"], row["lambda"], row["seed"]) != ("1/8", 1.0, 2)]
    table = table_of(study, TableLayout(("lambda",), "method"), rows)
    assert [line[2] for line in table.body] == [
        "2.0e-05 (1.0e-05..3.0e-05)",
        "2.0e-05 (1.0e-05..3.0e-05), 2 of 3 seeds",
    ]
    assert tables_of(study, rows)[0].header == ("lambda", "full", "1/8")


def test_levels_without_a_cell_have_a_column_too():
    axes = {"method": {"full": Level(method="full"), "1/8": Level()}}
    study = Study("x", "p", {"lambda": ("1",)}, axes=axes)
    rows = [{"method": "1/8", "lambda": 1.0, "seed": 0, "status": "done", "relative_l2": 2e-5}]
    table = table_of(study, TableLayout(("lambda",), "method"), rows)
    assert (table.header, table.body) == (("lambda", "full", "1/8"), (("1", "-", "2.0e-05"),))


def test_a_ranking_compares_what_is_equal_but_for_one_axis():
    """At 1 a wins on both seeds, at 2 b once; what diverged or stands alone is compared with nothing."""
    axes = {"kind": {name: Level() for name in "abc"}}
    study = Study("x", "p", {"lambda": ("1,2",)}, shared=SharedSettings((0, 1)), axes=axes)
    losses = {
        (1.0, 0): {"a": 1.0, "b": 2.0, "c": 3.0},
        (1.0, 1): {"a": 1.0, "b": 4.0, "c": 5.0},
        (2.0, 0): {"a": 3.0, "b": 1.0, "c": None},
        (2.0, 1): {"b": 7.0},
    }
    rows = [
        row_of({"kind": kind, "lambda": value}, seed, "loss", loss)
        for (value, seed), found in losses.items()
        for kind, loss in found.items()
    ]
    table = table_of(study, TableLayout(("lambda",), "kind", "loss", "ranking"), rows)
    assert table.header == ("lambda", "a", "b", "c")
    assert table.body == (("1", "2 of 2, 1", "0 of 2, 3", "0 of 2, 4"), ("2", "0 of 1, 3", "1 of 1, 1", "-"))
    assert table.title == "loss: lowest in how many cells, all else equal, and median ratio to the lowest"
    whole = table_of(study, TableLayout((), "kind", "loss", "ranking"), rows)
    assert whole.body == (("2 of 3, 1", "1 of 3, 2", "0 of 2, 4"),)


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("problem: tiny", "problm: tiny", "unknown key 'problm'; did you mean 'problem'?"),
        (
            "method: full}]",
            "method: fll}]",
            "exclude: axis method has no level 'fll'; there are 1/2, full, scratch",
        ),
        ("method: full}]", "mthod: full}]", "exclude: there is no axis 'mthod'; axes are basis, method"),
        (
            "{method: full}",
            "{method: fulll}",
            "axes.method.full.method: expected one of lotra, full, scratch",
        ),
        ("number: trainable_parameters", "number: error", "tables.number: expected one of relative_l2"),
        (
            "rows: [lambda, method]",
            "rows: [nu, method]",
            "tables: expected axes or parameters (basis, method, lambda)",
        ),
        (
            "seeds: [0, 1]",
            "figures: [{name: a, panels: [nu]}]",
            "figures: expected axes or parameters (basis, method, lambda), got 'nu'",
        ),
        ("seeds: [0, 1]", "figures: [{name: a/b}]", "figures: expected a name of letters and digits"),
        (
            "seeds: [0, 1]",
            "figures: [{name: a, line: 1}]",
            "unknown key 'line' in figures; known keys: name, panels, where",
        ),
        (
            "seeds: [0, 1]",
            "figures: [{name: a, where: {basis: [fourier, taylor]}}]",
            "figures.where: axis basis has no level 'taylor'; there are chebyshev, fourier",
        ),
        ("seeds: [1], basis", "seeds: [1], bases", "quick: there is no axis 'bases'"),
        ("number: trainable_parameters", "shows: best", "tables.shows: expected one of median, ranking"),
        ("seeds: [0, 1]", "dtype: half", "dtype: expected one of float64, float32"),
        ("seeds: [0, 1]", "seeds: [0, -1]", "seeds: seeds are 0 or more"),
        ("exclude: [{basis: fourier, method: full}]", "exclude: [{}]", "exclude: no axis is named"),
        ("  basis: {", "  steps: {", "axes.steps: a column of the table has this name"),
        ('values: {lambda: "0.5,1"}', "values: {}", "no values: state the parameter values"),
        ("seeds: [0, 1]", "published: none.csv", "published: cannot read"),
        (
            "seeds: [0, 1]",
            "published: tiny.yaml",
            "published: tiny.yaml: unknown columns title: Tiny Poisson",
        ),
        ("seeds: [0, 1]", "seeds: [a]", "seeds: expected a whole number, got 'a'"),
        ('values: {lambda: "0.5,1"}', "", "no values: state the parameter values"),
    ],
)
def test_faults_of_a_study_are_shown_at_their_places(study, old, new, fault):
    assert old in STUDY
    study.write_text(STUDY.replace(old, new, 1))
    with pytest.raises(ProblemError) as found:
        read_study(study)
    assert fault in str(found.value)
    assert str(found.value).startswith(f"{study}:")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["tiny.yaml"], "which parameter values? Give --lambda VALUES or --param NAME=VALUES"),
        (
            ["tiny.yaml", "--lambda", "1", "--axis", "rank=1"],
            "--axis: unknown axis 'rank'; there are method, optimizer",
        ),
        (
            ["tiny.yaml", "--lambda", "1", "--axis", "method=full", "--axis", "method=1/8"],
            "--axis method is given twice; name all its levels in one",
        ),
        (["tiny.yaml", "--lambda", "1", "--axis", "basis=fourier,chebychev"], "did you mean 'chebyshev'?"),
        (["tiny.yaml", "--lambda", "1", "--axis", "method=1/8,lora"], "adapter.compression: expected"),
        (
            ["tiny.yaml", "--lambda", "1", "--axis", "rates=LR-1"],
            "changes nothing, for no phase of fine-tuning",
        ),
        (
            ["tiny.yaml", "--lambda", "1", "--axis", "kind=mlp"],
            "a LoTRA adapter needs a KAN; exclude the combination",
        ),
        (["tiny.yaml", "--lambda", "1", "--axis", "basis"], "--axis: expected NAME=LEVEL,LEVEL"),
        (["tiny.yaml", "--lambda", "1", "--seeds", "a"], "--seeds 'a': expected whole numbers"),
        (["study.yaml", "--lambda", "1"], "is a study: its values and axes stand in the file"),
        (["study.yaml", "--table", "bad.csv"], "bad.csv: not a table of cells"),
        (["nowhere"], "problem 'nowhere': no such file"),
    ],
)
def test_what_cannot_be_compared_is_one_message(pinnkan, study, tmp_path, monkeypatch, arguments, message):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "bad.csv").write_text("a,b\n1,2\n")
    answer = pinnkan("compare", *arguments)
    assert answer.code == (3 if "bad.csv" in arguments else 2)
    assert message in answer.err
    assert not (tmp_path / "runs").exists()
    assert "Traceback" not in answer.err


def test_published_numbers_stand_beside_ours():
    axes = {"method": {"full": Level(method="full"), "1/8": Level()}}
    published = ({"lambda": "1", "method": "full", "relative_l2": "4e-4"}, {"lambda": "1", "method": "1/8"})
    study = Study("x", "p", {"lambda": ("1,0.1",)}, axes=axes, presentation=Presentation(published=published))
    rows = [
        {"method": method, "lambda": value, "seed": 0, "status": "done", "relative_l2": 1e-4}
        for value in (1.0, 0.1)
        for method in axes["method"]
    ]
    table = table_of(study, TableLayout(("lambda",), "method"), rows)
    assert table.body == (("0.1", "1.0e-04", "1.0e-04"), ("1", "1.0e-04 [4.0e-04]", "1.0e-04"))
    assert table.title == "relative_l2, median (least..most) of seeds 0 [published]"
    assert table.notes == (
        "Published numbers over our medians, 1 cells: 4 (1, full) to 4, median 4; "
        "at least 3 in 1 cells, at least 10 in 0.",
    )
    seconds = TableLayout(("lambda",), "method", "train_seconds")
    assert table_of(study, seconds, [row | {"train_seconds": 2} for row in rows]).notes == ()


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("lambda,method\n1\n", "p.csv:2: expected 2 columns"),
        ("method,relative_l2\nfulll,1\n", "p.csv:2: axis method has no level 'fulll'"),
        ("method,relative_l2\nfull,0.05%\n", "p.csv:2: relative_l2: expected a number, got '0.05%'"),
        ("method,relative_l2\nfull,nan\n", "p.csv:2: relative_l2: expected a number, got 'nan'"),
        ("method,relative_l2\n", "p.csv: no rows"),
    ],
)
def test_published_numbers_are_checked_when_they_are_read(study, tmp_path, text, fault):
    (tmp_path / "p.csv").write_text(text)
    study.write_text(study.read_text() + "published: p.csv\n")
    with pytest.raises(ProblemError) as found:
        read_study(study)
    assert f"published: {fault}" in str(found.value)


def test_labels_are_the_study_s_and_the_problem_that_of_its_planning(done, study, tmp_path, monkeypatch):
    """Neither a new name of an axis nor an edit of the problem's file under way makes a row another one."""
    real = cells.finetune

    def edited(*arguments):
        (tmp_path / "tiny.yaml").write_text(TINY + "# edited\n")
        return real(*arguments)

    monkeypatch.setattr(cells, "finetune", edited)
    arguments = ["compare", study, "-o", tmp_path / "out", "--quick", "-q", "--json"]
    before = done(*arguments).json["cells"]
    monkeypatch.undo()
    (tmp_path / "tiny.yaml").write_text(TINY)
    study.write_text(STUDY.replace("basis:", "functions:").replace("columns: basis", "columns: functions"))
    after = done(*arguments, "--time-limit", 0).json["cells"]
    assert [cell["key"] for cell in after] == [cell["key"] for cell in before]
    assert [cell["functions"] for cell in after] == ["fourier"] * 4
    assert not any("basis" in cell for cell in after)


def test_a_base_that_diverged_is_not_trained_again_for_every_cell(pinnkan, study, tmp_path, monkeypatch):
    wild = ["training.optimizer=adam", "training.rate=1e6", "training.steps=50"]
    sets = [word for text in wild for word in ("--set", text)]
    trained = []
    real = pretrain.pretrain_in_windows
    monkeypatch.setattr(
        pretrain, "pretrain_in_windows", lambda run, **more: trained.append(run) or real(run, **more)
    )
    answer = pinnkan("compare", study, "-o", tmp_path / "out", "--quick", "-q", *sets)
    assert answer.code == 1
    assert len(trained) == 1
    rows = read_rows(tmp_path / "out" / "cells.csv")
    assert [row["status"] for row in rows] == ["diverged"] * 4


def test_a_report_goes_into_text_with_both_its_marks(pinnkan, study, tmp_path):
    report, begin = tmp_path / "report.md", "<!-- study: study -->"
    arguments = ["compare", study, "-o", tmp_path / "out", "--quick", "-q", "--report"]
    for contents, said in ((f"{begin}\nmine".encode(), "is missing, so"), (b"\xff\xfe", "not a text file")):
        report.write_bytes(contents)
        answer = pinnkan(*arguments, report)
        assert (answer.code, said in answer.err) == (2, True)
        assert report.read_bytes() == contents
    answer = pinnkan(*arguments, tmp_path / "out" / "cells.csv")
    assert (answer.code, "expected a Markdown file (.md)" in answer.err) == (2, True)
    assert not (tmp_path / "out").exists()


def test_a_report_says_how_long_the_trainings_took():
    axes = {"method": {"full": Level(method="full"), "1/8": Level()}}
    study = replace(TWO_VALUES, axes=axes)
    rows = [
        {"method": method, "lambda": value, "seed": 0, "status": "done", "relative_l2": 1e-4, "error": None}
        | {"train_seconds": 3600.0, "base_seconds": 1800.0 + value}
        for value in (1.0, 2.0)
        for method in axes["method"]
    ]
    assert "Trainings: 5.00 h, 1.00 h of them bases." in section("x", study, rows)


def test_a_report_replaces_its_own_section_only(done, study, tmp_path, quick_cells):
    (tmp_path / "published.csv").write_text("lambda,method,basis,relative_l2\n1,scratch,fourier,10\n")
    study.write_text(study.read_text() + "published: published.csv\n")
    report = tmp_path / "report.md"
    report.write_text("# Mine\n")
    arguments = ["compare", study, "-o", tmp_path / "out", "--quick", "-q", "--report", report]
    done(*arguments, "--time-limit", 0)
    empty = report.read_text()
    assert empty.startswith("# Mine\n\n<!-- study: study -->\n\n## A tiny study\n\n0 of 4 cells done")
    report.write_text(empty + "\nMy end.\n")
    shutil.copytree(quick_cells, tmp_path / "out", dirs_exist_ok=True)
    out = done(*arguments).out
    text = report.read_text()
    assert text.startswith(
        "# Mine\n\n<!-- study: study -->\n\n## A tiny study\n\n4 of 4 cells done, 0 diverged"
    )
    assert text.endswith("<!-- end of study -->\n\nMy end.\n")
    assert "| 1 | scratch |" in text
    assert " [10] |" in text
    assert "Published numbers over our medians, 1 cells: " in text
    assert "Published numbers over our medians, 1 cells: " in out
    done(*arguments)
    assert report.read_text() == text


def test_reports_of_one_problem_by_other_axes_or_settings_stand_beside_each_other(done, tmp_path):
    (tmp_path / "tiny.yaml").write_text(TINY)
    report = tmp_path / "report.md"
    arguments = ["compare", tmp_path / "tiny.yaml", "--lambda", 1, "-o", tmp_path / "out", "--time-limit", 0]
    arguments += ["-q", "--report", report]
    by_basis = ["--axis", "basis=chebyshev,fourier"]
    done(*arguments, *by_basis)
    done(*arguments, "--axis", "compression=1/2,1/4")
    done(*arguments, *by_basis, "--set", "training.steps=3")
    text = report.read_text()
    done(*arguments, *by_basis)
    assert report.read_text() == text
    marks = [line for line in text.splitlines() if line.startswith("<!-- study: ")]
    assert marks == [
        "<!-- study: tiny by basis -->",
        "<!-- study: tiny by compression -->",
        "<!-- study: tiny by basis with training.steps=3 -->",
    ]
    assert text.count("by basis\n\n0 of 2 cells done") == 2
    assert text.count("Settings of all cells: `training.steps=3`.") == 1


@pytest.mark.usefixtures("quickened")
def test_a_cell_that_is_trained_but_has_no_row_is_measured(done, study, tmp_path):
    arguments = ["compare", study, "-o", tmp_path / "out", "--quick"]
    first = done(*arguments, "--json").json["cells"]
    (tmp_path / "out" / "cells.csv").unlink()
    answer = done(*arguments, "--json")
    assert answer.json["cells"] == first
    assert "--force" not in answer.err  # an option that compare does not have


@pytest.mark.usefixtures("quickened")
def test_rows_that_another_process_writes_meanwhile_are_kept(done, study, tmp_path, monkeypatch):
    table, real, other = tmp_path / "cells.csv", cells.CellRunner.__call__, {}
    done(
        "compare",
        study,
        "-o",
        tmp_path / "one",
        "--table",
        tmp_path / "one.csv",
        "-q",
        "--quick",
        "--seeds",
        5,
    )

    def run(runner, cell):
        if not other:  # the other process ends a cell after this one has read the table
            other.update({row["key"]: row for row in read_rows(tmp_path / "one.csv")})
            table.write_bytes((tmp_path / "one.csv").read_bytes())
            curves_file(table).write_bytes(curves_file(tmp_path / "one.csv").read_bytes())
        return real(runner, cell)

    monkeypatch.setattr(cells.CellRunner, "__call__", run)
    done("compare", study, "-o", tmp_path / "out", "--table", table, "-q", "--quick")
    rows = {row["key"]: row for row in read_rows(table)}
    assert len(rows) == 4 + len(other)
    assert {key: rows[key] for key in other} == other
    assert set(read_curves(table)) == set(rows)


def test_values_may_be_said_in_several_options(done, tmp_path):
    (tmp_path / "tiny.yaml").write_text(TINY)
    (tmp_path / "values.txt").write_text("0.5\n")
    arguments = ["compare", tmp_path / "tiny.yaml", "-o", tmp_path / "out", "--time-limit", 0, "-q", "--json"]
    for words in (
        ["--param", "lambda=1", "--param", "lambda=2"],
        ["--lambda", f"@{tmp_path / 'values.txt'}", "--lambda", "0.7"],
    ):
        assert done(*arguments, *words).json["planned"] == 2


def test_a_level_s_problem_is_sought_beside_the_study(done, study, tmp_path, monkeypatch):
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    study.write_text(
        STUDY.replace("problem: tiny.yaml\n", "").replace(
            "axes:", "axes:\n  family: {tiny: {problem: tiny.yaml}}"
        )
    )
    assert (
        done("compare", study, "-o", tmp_path / "out", "--time-limit", 0, "-q", "--json").json["planned"]
        == 20
    )


def test_what_cannot_be_shown_is_refused_before_anything_is_trained(pinnkan, study, tmp_path):
    arguments = ["compare", study, "-o", tmp_path / "out", "--quick", "-q"]
    answer = pinnkan(*arguments, "--plot", tmp_path / "x.jpg")
    assert answer.code == 2
    assert "unknown suffix '.jpg'" in answer.err
    study.write_text(
        STUDY.replace("{rows: [lambda, method], columns: basis}", "{rows: [basis], columns: basis}")
    )
    answer = pinnkan(*arguments)
    assert answer.code == 2
    assert "tables: basis stands in rows and in columns; name it once" in answer.err
    assert not (tmp_path / "out").exists()


def test_a_base_is_trained_by_one_worker_while_others_train_other_bases(study, tmp_path):
    missing = planned(read_study(study))
    first = compare._next(missing, [], tmp_path)
    assert first is missing[0]
    other = compare._next(missing[1:], [first], tmp_path)
    assert other.base_key != first.base_key
    assert other is next(cell for cell in missing if cell.base_key != first.base_key)
    folder = tmp_path / "bases" / first.base_key
    folder.mkdir(parents=True)
    (folder / "base.h5").touch()
    assert compare._next(missing[1:], [first], tmp_path) is missing[1]
    same = [cell for cell in missing if cell.base_key == other.base_key]
    assert compare._next(same, [other], tmp_path) is None
