"""Before torch loads: threads wait asleep, and a machine that is busy already is called so."""

from __future__ import annotations

import os

import pytest

from pinnkan.ground import machine


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({}, {"OMP_WAIT_POLICY": "PASSIVE"}),
        ({"OMP_WAIT_POLICY": "active"}, {"OMP_WAIT_POLICY": "active"}),
        ({"GOMP_SPINCOUNT": "1000"}, {"GOMP_SPINCOUNT": "1000"}),
        ({"KMP_BLOCKTIME": "200"}, {"KMP_BLOCKTIME": "200"}),
        ({"OMP_NUM_THREADS": "3"}, {"OMP_WAIT_POLICY": "PASSIVE"}),
    ],
)
def test_threads_wait_asleep_unless_the_user_said_otherwise(monkeypatch, said, expected):
    for name in machine.WAITING:
        monkeypatch.delenv(name, raising=False)
    for name, value in said.items():
        monkeypatch.setenv(name, value)
    machine.wait_passively()
    found = {name: os.environ[name] for name in machine.WAITING if name in os.environ}
    for name in machine.WAITING:  # what monkeypatch has not seen it would leave
        os.environ.pop(name, None)
    assert found == expected


BUSY = "load average {} before this training's {}, {} cores; it may take {} times as long as alone"


@pytest.mark.parametrize(
    ("load", "others", "cores", "threads", "expected"),
    [
        (0.0, 0.0, 2, None, None),
        (0.3, 1.0, 2, None, None),  # a little is what every machine has
        (1.0, 1.0, 2, None, BUSY.format("1.0", "2 threads", 2, "1.5")),
        (1.0, 1.0, 2, 1, None),  # one core each
        (2.0, 3.0, 2, 1, BUSY.format("2.0", "1 thread", 2, "1.5")),
        (1.9, 0.0, 2, None, None),  # our own last training: nobody is at work now
        (0.2, 3.0, 2, None, None),  # a moment's work
        (4.0, 4.0, 64, None, None),
        (64.0, 60.0, 64, None, BUSY.format("64.0", "64 threads", 64, "2.0")),
        (1.0, 1.0, 2, 8, BUSY.format("1.0", "2 threads", 2, "1.5")),
    ],
)
def test_a_busy_machine_is_called_so(monkeypatch, load, others, cores, threads, expected):
    monkeypatch.setattr(os, "cpu_count", lambda: cores)
    monkeypatch.setattr(os, "getloadavg", lambda: (load, 9.0, 9.0))
    monkeypatch.setattr(machine, "_others_at_work", lambda load: others)
    found = machine.crowding(threads)
    assert found == (expected and f"the machine is oversubscribed: {expected}")


def test_where_the_system_does_not_tell_nothing_is_said(monkeypatch):
    def fail():
        raise OSError("no load average")

    monkeypatch.setattr(os, "getloadavg", fail)
    assert machine.crowding(None) is None
    monkeypatch.delattr(os, "getloadavg")
    assert machine.crowding(None) is None


def test_this_very_thread_is_nobody_else():
    found = machine._others_at_work(7.0)
    assert found == 7.0 or float(found).is_integer()
    assert found >= 0
