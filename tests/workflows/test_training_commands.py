"""pretrain and finetune: what is trained, what is left alone, what is refused, what survives."""

from __future__ import annotations

import errno
import os

import numpy as np
import pytest

from pinnkan.storage.store import read_store


def same(left, right):
    return left.keys() == right.keys() and all(np.array_equal(left[name], right[name]) for name in left)


# --- what is there already ------------------------------------------------------------------


def test_a_finished_base_is_left_as_it_is(pinnkan, run, folder):
    before = (run / "base.h5").read_bytes()
    answer = pinnkan("pretrain", folder / "tiny.yaml", "-o", run, "--json")
    assert answer.code == 0
    assert answer.json["status"] == "present"
    assert f"{run / 'base.h5'} is finished for this problem and these settings" in answer.err
    assert (run / "base.h5").read_bytes() == before


@pytest.mark.parametrize(
    "changes",
    [
        ["--set", "training.steps=7"],
        ["--seed", "1"],
        ["--dtype", "float32"],
        ["--seed", "1", "--dtype", "float64"],
    ],
    ids=" ".join,
)
def test_a_base_of_other_settings_is_not_overwritten(pinnkan, run, folder, changes):
    before = (run / "base.h5").read_bytes()
    answer = pinnkan("pretrain", folder / "tiny.yaml", "-o", run, *changes, "-q")
    assert answer.code == 2
    assert answer.err.startswith(f"error: {run / 'base.h5'} is the base of another problem, settings")
    assert (run / "base.h5").read_bytes() == before


@pytest.mark.parametrize(
    "options", [["--seed", "1"], ["--dtype", "float32"], ["--seed", "2", "--dtype", "float32"]], ids=" ".join
)
def test_a_base_answers_a_command_that_leaves_its_seed_and_precision_open(pinnkan, done, folder, options):
    base = folder / "other" / "base.h5"
    plain = ("pretrain", folder / "tiny.yaml", "-o", base.parent)
    done(*plain, *options, "-q")
    before = base.read_bytes()
    answer = done(*plain, "--json")
    assert (answer.json["status"], base.read_bytes()) == ("present", before)
    assert f"trains it again (trained with {' '.join(options)})" in answer.err
    assert "trained with" not in done(*plain, *options).err
    assert pinnkan(*plain, "--seed", 3).code == pinnkan(*plain, "--set", "training.steps=7").code == 2
    assert base.read_bytes() == before
    done("finetune", base.parent, "--lambda", 0.5, "-q")
    (row,) = done("finetune", base.parent, "--lambda", 0.5, "--json").json["results"]
    assert row["status"] == "present"


@pytest.mark.parametrize(
    "options", [["--seed", "1"], ["--dtype", "float32"], ["--start", "nearest"]], ids=" ".join
)
def test_an_adapter_answers_a_command_that_leaves_open_how_it_was_trained(pinnkan, done, run, options):
    path, plain = run / "adapters" / "lambda=1.h5", ("finetune", run, "--lambda", "0.25,1")
    done(*plain, *options, "-q")
    before = path.read_bytes()
    answer = done(*plain)
    assert "2 of 2 values were finished; --force trains them again (trained with" in answer.err
    assert " ".join(options) in answer.err
    answer = done("status", *plain[1:])
    assert "2 done" in answer.out
    assert f"with {' '.join(options)}" in answer.out
    stated = [options[0], {"--seed": "0", "--dtype": "float64", "--start": "base"}[options[0]]]
    assert pinnkan("finetune", run, "--lambda", 1, *stated).code == 2
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    ("options", "why"),
    [
        (["--set", "finetuning.steps=2"], "settings"),
        (["--compression", "1/4"], "settings"),
        (["--seed", "1"], "seed (0)"),
        (["--dtype", "float32"], "precision (float64)"),
    ],
    ids=str,
)
def test_a_finished_value_is_replaced_by_force_alone(pinnkan, done, run, options, why):
    path = run / "adapters" / "lambda=0.5.h5"
    before = path.read_bytes()
    answer = pinnkan("finetune", run, "--lambda", 0.5, *options, "-q")
    said = f"error: {path} is finished, with other {why}; --force trains again, over what is there;"
    assert (answer.code, answer.err.startswith(said)) == (2, True), answer.err
    answer = pinnkan("finetune", run, "--lambda", "0.5,0.75", *options, "--json", "-q")
    assert answer.code == 1
    assert [row["status"] for row in answer.json["results"]] == ["failed", "trained"]
    assert f"error: lambda=0.5: finished, with other {why}; --force" in answer.err
    assert (path.read_bytes(), list((run / "work").glob("*"))) == (before, [])
    (row,) = done("finetune", run, "--lambda", 0.5, *options, "--json", "-q", "--force").json["results"]
    assert (row["status"], path.read_bytes() == before) == ("trained", False)


def test_values_of_the_same_other_settings_are_one_line(pinnkan, done, run):
    done("finetune", run, "--lambda", "0:1:5", "-q")
    answer = pinnkan("finetune", run, "--lambda", "0:1:5", "--seed", 1, "-q")
    assert answer.code == 1
    assert "error: 5 values (lambda=0 ... lambda=1): finished, with other seed (0); --force" in answer.err
    assert answer.err.count("error: ") == 1


def test_force_replaces_a_base_and_makes_its_adapters_stale(pinnkan, done, run, folder):
    done("pretrain", folder / "tiny.yaml", "-o", run, "--seed", 1, "--force", "-q")
    answer = pinnkan("evaluate", run, "--lambda", 0.5)
    assert answer.code == 3
    assert "lambda=0.5.h5: was trained for another base than" in answer.err
    assert [row["status"] for row in done("show", run, "--json").json["adapters"]] == ["stale"]
    again = done("finetune", run, "--lambda", 0.5, "--json", "-q").json["results"]
    assert [row["status"] for row in again] == ["trained"]
    assert done("evaluate", run, "--lambda", 0.5, "--json").json["results"][0]["relative_l2"] < 0.2


def test_finished_values_are_left_and_missing_ones_trained(done, run):
    kept = (run / "adapters" / "lambda=0.5.h5").read_bytes()
    answer = done("finetune", run, "--lambda", "0.25,0.5", "--json")
    assert [row["status"] for row in answer.json["results"]] == ["trained", "present"]
    assert "lambda=0.5.h5 is finished; --force trains it again" in answer.err
    assert (run / "adapters" / "lambda=0.5.h5").read_bytes() == kept


def test_a_damaged_adapter_is_trained_again(done, run):
    path = run / "adapters" / "lambda=0.5.h5"
    path.write_bytes(path.read_bytes()[:-1])
    answer = done("finetune", run, "--lambda", 0.5, "--json")
    assert [row["status"] for row in answer.json["results"]] == ["trained"]
    assert f"{path} does not count and is replaced: damaged" in answer.err
    assert read_store(path).meta["values"] == {"lambda": 0.5}


def test_a_damaged_base_is_named_and_force_replaces_it(pinnkan, done, run, folder):
    path = run / "base.h5"
    path.write_bytes(path.read_bytes()[:2000])
    answer = pinnkan("pretrain", folder / "tiny.yaml", "-o", run, "-q")
    assert answer.code == 3
    assert "--force trains a new base over it" in answer.err
    done("pretrain", folder / "tiny.yaml", "-o", run, "--force", "-q")


# --- what is trained ------------------------------------------------------------------------


def test_the_same_seed_gives_the_same_bits_and_another_one_does_not(done, run, folder, arrays):
    base, adapter = arrays(run / "base.h5"), arrays(run / "adapters" / "lambda=0.5.h5")
    again = folder / "again"
    done("pretrain", folder / "tiny.yaml", "-o", again, "-q")
    done("finetune", again, "--lambda", 0.5, "-q")
    assert same(arrays(again / "base.h5"), base)
    assert same(arrays(again / "adapters" / "lambda=0.5.h5"), adapter)
    done("finetune", again, "--lambda", 0.5, "--seed", 1, "--tag", "other", "-q")
    assert not same(arrays(again / "adapters" / "lambda=0.5.other.h5"), adapter)


def test_the_exact_solution_trains_nothing(done, run, folder, arrays):
    text = (folder / "tiny.yaml").read_text()
    (folder / "tiny.yaml").write_text(text.replace("(1 + lambda*x)", "sin(3*x + lambda)"))
    other = folder / "other"
    done("pretrain", folder / "tiny.yaml", "-o", other, "-q")
    done("finetune", other, "--lambda", 0.5, "-q")
    assert same(arrays(other / "base.h5"), arrays(run / "base.h5"))
    name = "adapters/lambda=0.5.h5"
    assert same(arrays(other / name), arrays(run / name))
    errors = [
        done("evaluate", place, "--lambda", 0.5, "--json").json["results"][0]["relative_l2"]
        for place in (run, other)
    ]
    assert errors[0] < 0.2 < errors[1], errors


def test_the_base_value_is_trained_like_any_other(done, run, arrays):
    (row,) = done("finetune", run, "--lambda", 0, "--json", "-q").json["results"]
    assert (row["status"], row["method"], row["steps"]) == ("trained", "lotra", 4)
    assert set(arrays(run / "adapters" / "lambda=0.h5")) >= {"0.change", "1.core", "2.change"}


@pytest.mark.parametrize(("method", "parts"), [("full", "change"), ("scratch", "coefficients")])
def test_methods_and_tags_have_files_of_their_own(done, run, arrays, method, parts):
    (row,) = done("finetune", run, "--lambda", 0.5, "--method", method, "--tag", "t1", "--json", "-q").json[
        "results"
    ]
    path = run / "adapters" / f"lambda=0.5.{method}.t1.h5"
    assert (row["file"], row["method"], row["tag"]) == (str(path), method, "t1")
    # 2-4-4-1 with 4 functions: 4 (8 + 16 + 4) coefficients.
    assert row["trainable_parameters"] == 4 * (8 + 16 + 4)
    assert path.is_file()
    (found,) = [
        r for r in done("evaluate", run, "--lambda", 0.5, "--json").json["results"] if r["tag"] == "t1"
    ]
    assert found["method"] == method
    assert sum(a.size for a in arrays(path).values()) == 112


def test_several_parameters_share_one_file_name(done, folder):
    done("finetune", folder / "heat", "--param", "c=2", "-q")
    assert [path.name for path in (folder / "heat" / "adapters").iterdir()] == ["kappa=0.1,c=2.h5"]


def test_overrides_train_another_adapter_but_no_other_base(pinnkan, done, run):
    options = ("--lambda", 0.75, "--set", "finetuning.steps=2", "--json", "-q")
    (row,) = done("finetune", run, *options).json["results"]
    assert (row["status"], row["steps"]) == ("trained", 2)
    answer = pinnkan("finetune", run, "--lambda", 0.5, "--set", "network.functions=9", "-q")
    assert answer.code == 2
    assert "--set network.functions=9: the base is trained already" in answer.err


def test_ranks_that_grow_are_stored_and_shown(done, run, arrays):
    answer = done("finetune", run, "--lambda", 0.5, "--compression", "auto", "--tag", "auto", "--json")
    (row,) = answer.json["results"]
    path = run / "adapters" / "lambda=0.5.auto.h5"
    stored = arrays(path)
    assert row["ranks"] == [list(stored["1.core"].shape)]
    assert row["trainable_parameters"] == sum(array.size for array in stored.values())
    # A width of 4 knows two of the four ratios.
    assert "lambda=0.5: ranks grow to 2 x 2 x 2\n" in answer.err
    assert "1 x 1 x 1\n" not in answer.err.replace("back to 1 x 1 x 1", "")
    assert done("show", path, "--json").json["training"]["ranks"] == row["ranks"]
    assert done("show", run / "base.h5", "--json").json["training"]["ranks"] is None
    errors = done("evaluate", run, "--lambda", 0.5, "--json").json["results"]
    assert {one["tag"] for one in errors} == {None, "auto"}


def test_compression_is_short_for_a_setting(done, pinnkan, run):
    quarter = ["--lambda", 0.5, "--tag", "b", "--json", "-q"]
    (row,) = done("finetune", run, *quarter, "--compression", "1/4").json["results"]
    assert (row["status"], row["ranks"]) == ("trained", [[1, 1, 1]])
    (row,) = done("finetune", run, *quarter, "--set", "adapter.compression=1/4").json["results"]
    assert row["status"] == "present"
    answer = pinnkan("finetune", run, "--lambda", 0.75, "--compression", "much", "-q")
    assert answer.code == 2
    assert "adapter.compression: expected a number or auto, got" in answer.err


def test_the_paper_s_adapter_file_is_small(done, folder):
    """2-64-64-1 with 8 functions at cr = 1/8: 2,632 numbers, float64."""
    sizes = ["network.hidden=[64,64]", "network.functions=8", "adapter.compression=1/8", "training.steps=0"]
    sets = [word for text in sizes for word in ("--set", text)]
    done("pretrain", folder / "tiny.yaml", "-o", folder / "wide", *sets, "-q")
    done("finetune", folder / "wide", "--lambda", 1, "--set", "finetuning.steps=60", "-q")
    path = folder / "wide" / "adapters" / "lambda=1.h5"
    stored = read_store(path)
    assert sum(array.size for array in stored.arrays.values()) == 2632
    assert len(stored.meta["history"]["step"]) > 10
    assert path.stat().st_size <= 1.3 * 8 * 2632 + 4096


def test_single_precision_is_half_the_size_and_stays_single(done, run, folder, arrays):
    single = folder / "single"
    done("pretrain", folder / "tiny.yaml", "-o", single, "--dtype", "float32", "-q")
    (row,) = done("finetune", single, "--lambda", 0.5, "--json", "-q").json["results"]
    for path in (single / "base.h5", single / "adapters" / "lambda=0.5.h5"):
        assert {array.dtype for array in arrays(path).values()} == {np.dtype(np.float32)}
    double = done("evaluate", run, "--lambda", 0.5, "--json").json["results"][0]
    found = done("evaluate", single, "--lambda", 0.5, "--json").json["results"][0]
    assert found["relative_l2"] == pytest.approx(double["relative_l2"], rel=0.5)
    # What was shown at the end of training is what the file then holds.
    assert row["relative_l2"] == pytest.approx(found["relative_l2"], rel=0.2)


def test_a_time_limit_ends_a_training_with_what_it_has(done, folder):
    row = done(
        "pretrain", folder / "tiny.yaml", "-o", folder / "hasty", "--time-limit", 0, "--json", "-q"
    ).json
    assert (row["status"], row["steps"], row["stop_reason"]) == ("trained", 1, "time_limit")


# --- what goes wrong ------------------------------------------------------------------------


def test_divergence_of_the_one_value_asked_for_is_exit_4(pinnkan, run, folder):
    before = sorted((run / "adapters").iterdir())
    wild = ["training.optimizer=adam", "training.rate=1e6", "training.steps=50"]
    sets = [word for text in wild for word in ("--set", text)]
    answer = pinnkan("pretrain", folder / "tiny.yaml", "-o", folder / "wild", *sets, "-q")
    assert answer.code == 4
    assert "diverged at step" in answer.err
    assert "lower the rate" in answer.err
    assert not (folder / "wild" / "base.h5").exists()
    sets = [word.replace("training", "finetuning") for word in sets]
    answer = pinnkan("finetune", run, "--lambda", 1, "--method", "full", *sets, "-q")
    assert answer.code == 4
    assert sorted((run / "adapters").iterdir()) == before


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EACCES, errno.EROFS])
def test_a_disk_that_refuses_leaves_the_old_files(pinnkan, run, folder, monkeypatch, code):
    before = {path: path.read_bytes() for path in run.rglob("*.h5")}

    def refuse(*_):
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(os, "fsync", refuse)
    commands = [
        ("pretrain", folder / "tiny.yaml", "-o", run, "--force", "-q"),
        ("finetune", run, "--lambda", 0.5, "--force", "-q"),
        ("finetune", run, "--lambda", 0.75, "-q"),
    ]
    for command in commands:
        answer = pinnkan(*command)
        assert answer.code == 74, answer.err
        assert os.strerror(code) in answer.err
    assert {path: path.read_bytes() for path in run.rglob("*.h5")} == before
    assert not [path for path in run.rglob(".*") if path.is_file()]


def test_a_run_directory_that_is_a_file_cannot_be_written(pinnkan, folder):
    (folder / "taken").write_text("mine")
    answer = pinnkan("pretrain", folder / "tiny.yaml", "-o", folder / "taken")
    assert answer.code == 74
    assert "step" not in answer.err  # found out before the training, not after it
    assert answer.err.startswith("error: cannot")
    assert (folder / "taken").read_text() == "mine"


@pytest.mark.parametrize("tag", ["a.b", "full", "5", "", "x" * 41])
def test_a_tag_that_would_be_mistaken_in_a_file_name_is_refused(pinnkan, run, tag):
    """5 above all: the tag 5 of lambda=0 would be the file of lambda=0.5."""
    answer = pinnkan("finetune", run, "--lambda", 0, "--tag", tag)
    assert answer.code == 2
    assert f"--tag {tag!r}: expected a letter, then letters, digits, - and _ (40 at most)" in answer.err


@pytest.mark.parametrize("name", ["nowhere", "mps:7", "cuda:99"])
def test_a_device_that_is_not_there_is_a_matter_of_usage(pinnkan, folder, name):
    answer = pinnkan("pretrain", folder / "tiny.yaml", "-o", folder / "new", "--device", name, "-q")
    assert answer.code == 2
    assert f"--device {name}: not usable here" in answer.err
    assert len(answer.err) < 400


def test_close_values_have_files_of_their_own_and_older_names_are_found(done, run):
    """Names of 12 digits let 0.1000000000000001 replace the finished result of 0.1 in silence."""
    close = "0.1,0.1000000000000001,1/3"
    told = done("finetune", run, "--lambda", close)
    names = {"lambda=0.1.h5", "lambda=0.1000000000000001.h5", "lambda=0.3333333333333333.h5"}
    assert {path.name for path in (run / "adapters").glob("*.h5")} >= names
    assert "lambda=0.1000000000000001" in told.err
    third = run / "adapters" / "lambda=0.3333333333333333.h5"
    older = third.rename(third.with_name("lambda=0.333333333333.h5"))
    content = older.read_bytes()
    assert "3 of 3 values were finished" in done("finetune", run, "--lambda", close).err
    assert [
        row["parameters"]["lambda"]
        for row in done("evaluate", run, "--lambda", "1/3", "--json").json["results"]
    ] == [1 / 3]
    # Nobody takes it for the result of the value in its name.
    assert done("status", run, "--lambda", "0.333333333333", "--json").json["counts"]["done"] == 0
    assert (older.read_bytes(), third.exists()) == (content, False)


def test_a_value_named_twice_is_said_once(done, run):
    answer = done("finetune", run, "--lambda", "0.5,0.5")
    assert "lambda=0.5 asked for more than once; once is enough\n" in answer.err
    assert "more than once" not in done("finetune", run, "--lambda", "0.5,0.5", "-q").err
