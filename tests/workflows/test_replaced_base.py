"""A base trained again while adapters are trained on it: both commands say so."""

from __future__ import annotations

import os
import shutil

import pytest

from pinnkan.ground.files import host_name
from pinnkan.storage.runs.paths import work_path
from pinnkan.storage.runs.state_files import running
from pinnkan.storage.store import read_store
from pinnkan.sweeps.trainer import Trainer

HERE = f"pid {os.getpid()} on {host_name()}"


def test_pretrain_names_what_is_trained_on_the_base_it_replaces(done, run, folder):
    with running(work_path(run, "lambda=0.5", "running.json"), title="x"):
        err = done("pretrain", folder / "tiny.yaml", "-o", run, "--force", "--seed", "1").err
    expected = f"{run} is at work: lambda=0.5 ({HERE}); what is trained there now will not fit the new base\n"
    assert expected in err
    assert "is at work" not in done("pretrain", folder / "tiny.yaml", "-o", run, "--force").err


def test_of_many_trainings_a_few_are_named(done, run, folder):
    from contextlib import ExitStack

    with ExitStack() as stack:
        for value in ("0.1", "0.2", "0.3", "0.4", "0.5"):
            stack.enter_context(running(work_path(run, f"lambda={value}", "running.json"), title="x"))
        err = done("pretrain", folder / "tiny.yaml", "-o", run, "--force").err
    assert f"lambda=0.1 ({HERE}); lambda=0.2 ({HERE}); lambda=0.3 ({HERE}) ...; what is" in err


def test_finetune_names_the_training_of_a_new_base(done, run):
    with running(work_path(run, "base", "running.json"), title="x"):
        err = done("finetune", run, "--lambda", "0.25").err
    assert f"a new base is trained in {run} ({HERE}); what is trained now will not fit it\n" in err
    assert "a new base" not in done("finetune", run, "--lambda", "0.75").err


@pytest.fixture
def replacing(monkeypatch, done, folder, run):
    """Let a base of another seed (or the same one) appear while the first value is trained."""

    def prepare(seed):
        done("pretrain", folder / "tiny.yaml", "-o", folder / "new", "--seed", seed, "-q")
        train, trained = Trainer.__call__, []

        def replaced(trainer, identity):
            result = train(trainer, identity)
            if not trained:
                shutil.copy(folder / "new" / "base.h5", run / "other.h5")
                os.replace(run / "other.h5", run / "base.h5")
            trained.append(identity.values["lambda"])
            return result

        monkeypatch.setattr(Trainer, "__call__", replaced)
        return trained

    return prepare


def test_finetune_stops_when_its_base_was_replaced(pinnkan, done, run, replacing):
    trained = replacing(seed=1)
    answer = pinnkan("finetune", run, "--lambda", "0.1,0.2,0.3")
    assert (answer.code, trained) == (3, [0.1])
    assert f"{run / 'base.h5'}: was replaced while this command trained on the old one" in answer.err
    rows = done("status", run, "--lambda", "0.1,0.2", "--json").json["results"]
    assert [(row["status"], row["why"]) for row in rows] == [
        ("stale", "the base changed since"),
        ("missing", "not trained yet"),
    ]
    done("finetune", run, "--lambda", "0.1,0.2,0.3", "-q")
    assert trained == [0.1, 0.1, 0.2, 0.3]


def test_the_same_base_written_again_is_no_other(done, run, replacing):
    trained = replacing(seed=0)
    done("finetune", run, "--lambda", "0.1,0.2")
    assert trained == [0.1, 0.2]


def test_what_is_trained_from_scratch_needs_no_base(done, run, replacing):
    trained = replacing(seed=1)
    done("finetune", run, "--lambda", "0.1,0.2", "--method", "scratch", "--set", "training.steps=2")
    assert trained == [0.1, 0.2]
    assert read_store(run / "adapters" / "lambda=0.1.scratch.h5").meta["base_hash"] is None
