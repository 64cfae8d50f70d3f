"""What is written comes back: bit for bit, in its dtype and shape, from pinnkan and from plain h5py."""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import h5py
import hypothesis.extra.numpy as npst
import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from store_files import adapter_arrays, adapter_meta, saved_adapter

from pinnkan.ground.errors import DamagedFileError, DivergedError, UsageError
from pinnkan.storage import store
from pinnkan.storage.store import hash_arrays, layout, read_store, verify, write_store

NAMES = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_.\[\]-]{0,20}", fullmatch=True)
ARRAYS = st.dictionaries(
    NAMES,
    st.sampled_from(["<f8", "<f4", ">f8", "<i8", ">i8", "u1"]).flatmap(
        lambda dtype: npst.arrays(
            dtype,
            npst.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=4),
            elements={"allow_nan": False, "allow_infinity": False} if "f" in dtype else None,
        )
    ),
    max_size=6,
)
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(codec="utf-8"))
)
META = st.dictionaries(
    st.text(st.characters(codec="utf-8")),
    st.recursive(
        SCALARS, lambda inner: st.lists(inner) | st.dictionaries(st.text("abλ"), inner), max_leaves=8
    ),
    max_size=4,
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(arrays=ARRAYS, meta=META)
def test_everything_comes_back_bit_for_bit(tmp_path, arrays, meta):
    path = tmp_path / "base.h5"
    write_store(path, "base", arrays=arrays, meta=meta)
    stored = read_store(path, kind="base")
    assert list(stored.arrays) == list(arrays)
    for name, array in arrays.items():
        found = stored.arrays[name]
        assert found.dtype == array.dtype.newbyteorder("=")
        assert found.dtype.isnative
        assert found.shape == array.shape
        assert found.tobytes() == array.astype(array.dtype.newbyteorder("=")).tobytes()
    assert json.dumps(stored.meta) == json.dumps(meta)
    assert hash_arrays(stored.arrays) == hash_arrays(arrays)


def test_facts_of_a_stored_file(tmp_path):
    data = saved_adapter(tmp_path / "lambda=0.1.h5")
    stored = read_store(tmp_path / "lambda=0.1.h5", kind="adapter")
    assert (stored.kind, stored.version, stored.file_bytes) == ("adapter", "1.0", len(data))
    assert stored.file_hash == hashlib.sha256(data[512:]).hexdigest() == verify(tmp_path / "lambda=0.1.h5")
    assert stored.meta == adapter_meta()
    assert os.listdir(tmp_path) == ["lambda=0.1.h5"]


def test_arrays_of_a_file_own_their_memory(tmp_path):
    saved_adapter(tmp_path / "a.h5")
    arrays = read_store(tmp_path / "a.h5").arrays
    assert all(array.flags.owndata or array.base.flags.owndata for array in arrays.values())
    arrays["layers[1].core"][:] = 0
    assert np.array_equal(arrays["layers[0].weight"], adapter_arrays()["layers[0].weight"])


def test_strided_arrays_are_stored_in_c_order(tmp_path):
    array = np.arange(24.0).reshape(2, 3, 4).transpose(2, 0, 1)[::2]
    write_store(tmp_path / "a.h5", "base", arrays={"a": array}, meta={})
    assert np.array_equal(read_store(tmp_path / "a.h5").arrays["a"], array)


def test_the_same_contents_give_the_same_bytes(tmp_path):
    assert saved_adapter(tmp_path / "a.h5") == saved_adapter(tmp_path / "b.h5")
    assert saved_adapter(tmp_path / "a.h5") != saved_adapter(tmp_path / "b.h5", seed=1)


def test_an_adapter_costs_at_most_1_3_times_its_numbers_plus_4_kib(tmp_path):
    assert sum(array.size for array in adapter_arrays().values()) == 2632
    size = len(saved_adapter(tmp_path / "a.h5"))
    assert size <= 1.3 * 8 * 2632 + 4096, size


def test_format_page_recipe_reads_the_arrays(tmp_path, monkeypatch):
    page = (Path(store.__file__).parent / "FORMAT.md").read_text(encoding="utf-8")
    recipe = re.search(r"```python\n(.*?)```", page, re.DOTALL)[1]
    assert len(recipe.splitlines()) == 3
    array = np.random.default_rng(3).normal(size=(8, 8, 1))
    arrays = {"first": np.ones(5), "1.core": array, "last": np.ones(2)}
    write_store(tmp_path / "lambda=0.1.h5", "adapter", arrays=arrays, meta={})
    monkeypatch.chdir(tmp_path)
    scope = {"h5py": h5py, "json": json}
    exec(recipe, scope)
    scope["file"].close()
    assert np.array_equal(scope["array"], array)


def test_format_page_states_the_layout_of_the_file(tmp_path):
    saved_adapter(tmp_path / "a.h5")
    with h5py.File(tmp_path / "a.h5") as file:
        assert file.userblock_size == 512
        assert dict(file.attrs) == {"encoding-type": b"pinnkan-adapter", "encoding-version": b"1.0"}
        assert sorted(file) == ["float64", "json"]
        assert file["float64"].dtype == np.dtype("<f8")
        assert file["float64"].fletcher32
        assert file["json"].fletcher32
        assert file["json"].compression == "gzip"


@pytest.mark.skipif(sys.platform == "win32", reason="links need a privilege")
def test_a_symbolic_link_keeps_its_place(tmp_path):
    (tmp_path / "scratch").mkdir()
    (tmp_path / "base.h5").symlink_to(tmp_path / "scratch" / "real.h5")
    for seed in (0, 1):
        saved_adapter(tmp_path / "base.h5", seed)
        assert (tmp_path / "base.h5").is_symlink()
        assert read_store(tmp_path / "scratch" / "real.h5").meta == adapter_meta(seed)
    assert os.listdir(tmp_path / "scratch") == ["real.h5"]


def test_hash_of_arrays_is_fixed_for_ever():
    arrays = {"b": np.arange(6, dtype=np.float32).reshape(2, 3), "a": np.array([1, -2])}
    by_hand = hashlib.sha256(
        b'["a", "int64", [2]]' + np.array([1, -2], "<i8").tobytes()
        + b'["b", "float32", [2, 3]]' + np.arange(6, dtype="<f4").tobytes()
    )  # fmt: skip
    assert hash_arrays(arrays) == by_hand.hexdigest()
    assert hash_arrays({**arrays, "b": arrays["b"].astype(">f4")}) == by_hand.hexdigest()


@pytest.mark.parametrize(
    "changed",
    [
        {"a": np.array([0.0, 1.0])},
        {"a": np.array([[0.0], [1.0]])},
        {"a": np.array([0, 1])},
        {"b": np.array([-0.0, 1.0])},
        {"a": np.array([-0.0, np.nextafter(1.0, 2.0)])},
    ],
)
def test_hash_of_arrays_sees_names_dtypes_shapes_and_every_bit(changed):
    assert hash_arrays(changed) != hash_arrays({"a": np.array([-0.0, 1.0])})


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_numbers_that_are_not_finite_are_not_written(tmp_path, value, dtype):
    saved_adapter(tmp_path / "a.h5")
    before = (tmp_path / "a.h5").read_bytes()
    arrays = {"good": np.ones(3), "bad": np.array([1.0, value, value], dtype)}
    with pytest.raises(
        DivergedError, match=r"cannot write .*a\.h5: array 'bad' holds 2 numbers that are not finite"
    ):
        write_store(tmp_path / "a.h5", "adapter", arrays=arrays, meta={})
    assert (tmp_path / "a.h5").read_bytes() == before


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        (
            {"a": np.ones(2, np.float16)},
            "array 'a' has dtype float16; a stored array is one of float64, float32",
        ),
        ({"a": np.ones(2, bool)}, "array 'a' has dtype bool"),
        ({"a": np.array(["x"])}, "array 'a' has dtype <U1"),
        ({"a/b": np.ones(2)}, "array name 'a/b' is not of letters, digits"),
        ({"": np.ones(2)}, "array name '' is not"),
        ({"x" * 101: np.ones(2)}, "is not of letters"),
        ({"a": np.ones((1,) * 9)}, "array 'a' has 9 axes; at most 8 are stored"),
        ({f"a{i}": np.ones(1) for i in range(4097)}, "a file holds at most 4096 arrays, got 4097"),
    ],
)
def test_arrays_that_cannot_be_stored_are_refused(tmp_path, arrays, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        write_store(tmp_path / "a.h5", "adapter", arrays=arrays, meta={})
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize(
    ("meta", "message"),
    [
        ({"loss": [1.0, float("nan")]}, "meta.loss[1] is nan; JSON has finite numbers only, write null"),
        ({"a": {"b": float("-inf")}}, "meta.a.b is -inf"),
        ({"a": np.float32(1)}, "meta.a is of type float32, which is not JSON"),
        ({"a": 2**63}, "meta.a is an integer of more than 64 bits"),
        ({"a": {1: 2}}, "meta.a has the key 1, which is not a text"),
        ({"a": "\ud800"}, "meta.a holds a text that is not valid Unicode"),
        ({"\ud800": 1}, "meta holds a text that is not valid Unicode"),
        ({"a": "x" * (4 << 20)}, "the JSON text takes 4194"),
    ],
)
def test_meta_that_is_no_json_is_refused(tmp_path, meta, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        write_store(tmp_path / "a.h5", "adapter", arrays={}, meta=meta)
    assert os.listdir(tmp_path) == []


def test_meta_nested_too_deeply_is_refused(tmp_path):
    meta: dict[str, object] = {}
    for _ in range(40):
        meta = {"a": meta}
    with pytest.raises(ValueError, match="is nested more than 32 deep"):
        write_store(tmp_path / "a.h5", "adapter", arrays={}, meta=meta)


def test_more_than_a_file_holds_is_refused(tmp_path, monkeypatch):
    small = layout.Kind("pinnkan-adapter", "1.0", (8 << 20) + 100)
    monkeypatch.setitem(layout.KINDS, "adapter", small)
    with pytest.raises(UsageError, match=r"its arrays take 104 bytes, a file holds at most 8388708"):
        write_store(tmp_path / "a.h5", "adapter", arrays={"a": np.ones(13)}, meta={})


def test_a_file_of_another_kind_is_refused(tmp_path):
    saved_adapter(tmp_path / "a.h5")
    assert read_store(tmp_path / "a.h5").kind == "adapter"
    with pytest.raises(DamagedFileError, match=r"a\.h5: this is a file of kind 'adapter', expected 'base'"):
        read_store(tmp_path / "a.h5", kind="base")


def test_a_missing_file_and_a_directory_are_faults_of_usage(tmp_path):
    for read in (read_store, verify):
        with pytest.raises(UsageError, match=r"no such file: .*nowhere\.h5"):
            read(tmp_path / "nowhere.h5")
        with pytest.raises(UsageError, match="is a directory, expected a file"):
            read(tmp_path)
    (tmp_path / "plain").write_text("x")
    with pytest.raises(UsageError, match="no such file"):
        read_store(tmp_path / "plain" / "base.h5", kind="base")


def test_h5py_is_imported_when_needed_and_without_plugins():
    code = (
        "import os, sys, pathlib, pinnkan.storage.store as s; assert 'h5py' not in sys.modules;"
        "assert 'HDF5_PLUGIN_PRELOAD' not in os.environ;"
        "p = pathlib.Path(sys.argv[1]); s.write_store(p, 'base', arrays={}, meta={});"
        "print(os.environ['HDF5_PLUGIN_PRELOAD'], len(s.read_store(p).arrays))"
    )
    environment = {key: value for key, value in os.environ.items() if key != "HDF5_PLUGIN_PRELOAD"}
    path = Path(os.environ.get("TMPDIR", "/tmp")) / f"pinnkan-lazy-{os.getpid()}.h5"
    try:
        run = [sys.executable, "-c", code, str(path)]
        result = subprocess.run(run, env=environment, capture_output=True, text=True, check=False)
    finally:
        path.unlink(missing_ok=True)
    assert (result.stdout, result.stderr) == (":: 0\n", "")
