"""spectrum: tables, JSON, picture, and what has no spectrum."""

from __future__ import annotations

import numpy as np
import pytest

from pinnkan.storage.store import read_store


def matrices(tensor: np.ndarray) -> list[np.ndarray]:
    return [np.moveaxis(tensor, mode, 0).reshape(tensor.shape[mode], -1) for mode in range(3)]


def test_base_update_and_sum_of_an_adapter(done, run, arrays):
    base = arrays(run / "base.h5")["1.coefficients"]
    adapter = arrays(run / "adapters" / "lambda=0.5.h5")
    factors = (adapter[f"1.{name}"] for name in ("core", "u1", "u2", "u3"))
    update = np.einsum("abc,ia,jb,kc->ijk", *factors)
    found = done("spectrum", run / "adapters" / "lambda=0.5.h5", "--json").json["results"]
    assert [one["tensor"] for one in found] == ["base", "update", "sum"]
    assert [one["parameters"]["lambda"] for one in found] == [0.0, 0.5, 0.5]
    for one, tensor in zip(found, (base, update, base + update), strict=True):
        for row, matrix in zip(one["spectra"], matrices(tensor), strict=True):
            values = np.linalg.svd(matrix, compute_uv=False)
            assert row["singular_values"] == pytest.approx(values.tolist(), abs=1e-14)
            assert row["leading"] == pytest.approx((values / values[0])[:5].tolist(), abs=1e-14)
            assert row["discarded_energy"][1] == pytest.approx(1 - values[0] ** 2 / (values**2).sum())
    # The update has the adapter's ranks (2, 2, 2), the base those of its sizes.
    assert max(row["rank_99.9%"] for row in found[1]["spectra"]) <= 2
    assert [row["mode"] for row in found[0]["spectra"]] == ["1 inputs", "2 outputs", "3 functions"]


def test_the_bound_stands_beside_what_a_truncation_does(done, run):
    found = done("spectrum", run / "adapters" / "lambda=0.5.h5", "--json").json["results"]
    for one in found:
        known = one["theorem1"]
        assert (known["B"], known["L"], known["layers"]) == (pytest.approx(1.0), pytest.approx(3.0), 3)
        assert [row["compression"] for row in known["truncations"]] == [1 / 16, 1 / 8, 1 / 4, 1 / 2]
        assert all(row["difference"] <= row["bound"] for row in known["truncations"])
    # What is removed is a norm, eps its bound by the discarded singular values (Lemma 1).
    tensor = read_store(run / "base.h5").arrays["1.coefficients"]
    for row in found[0]["theorem1"]["truncations"]:
        bases = [
            np.linalg.svd(m)[0][:, :rank] for m, rank in zip(matrices(tensor), row["ranks"][0], strict=True)
        ]
        kept = np.einsum("ijk,ia,jb,kc,xa,yb,zc->xyz", tensor, *bases, *bases, optimize=True)
        assert row["removed"] == pytest.approx(np.linalg.norm(tensor - kept))
        lost = [np.linalg.norm(m - u @ u.T @ m) for m, u in zip(matrices(tensor), bases, strict=True)]
        assert row["eps"] == pytest.approx(np.linalg.norm(lost))
        assert row["removed"] <= row["eps"]
    # An adapter of ranks (2, 2, 2) is its own truncation to them.
    last = found[1]["theorem1"]["truncations"][-1]
    assert last["ranks"] == [[2, 2, 2]]
    assert last["difference"] < 1e-14
    assert found[0]["theorem1"]["truncations"][-1]["difference"] > 1e-3


def test_full_and_scratch_results_and_the_base_only_once(done, run):
    for method in ("full", "scratch"):
        done("finetune", run, "--lambda", 1, "--method", method, "-q")
    adapters = run / "adapters"
    files = [run / "base.h5", adapters / "lambda=1.full.h5", adapters / "lambda=1.scratch.h5"]
    found = done("spectrum", *files, "--json").json["results"]
    assert [one["tensor"] for one in found] == ["base", "update", "sum", "scratch"]
    base, full = (read_store(path).arrays["1.coefficients"] for path in files[:2])
    update = np.linalg.svd(matrices(full - base)[0], compute_uv=False)
    assert found[1]["spectra"][0]["singular_values"] == pytest.approx(update.tolist(), abs=1e-14)


def test_tables(done, run):
    out = done("spectrum", run / "base.h5").out
    assert f"base of {run / 'base.h5'}\n" in out
    assert "layer  mode         count  leading" in out
    assert "    1  3 functions      4  1, " in out
    assert "L = 3  largest slope of a basis function in a hidden layer's input\n" in out
    assert "        0.5  2 x 2 x 2" in out


@pytest.mark.parametrize("suffix", ["png", "pdf", "svg"])
def test_picture(done, run, folder, suffix):
    target = folder / f"spectra.{suffix}"
    answer = done("spectrum", run / "adapters" / "lambda=0.5.h5", "-o", target)
    assert answer.err == f"wrote {target}\n"
    assert target.stat().st_size > 5000


def test_what_has_no_spectrum(pinnkan, done, run, folder):
    answer = pinnkan("spectrum", folder / "heat" / "base.h5")
    assert answer.code == 2
    assert "spectra are of the (I, J, K) coefficients of a KAN's hidden layers; this network has none" in (
        answer.err
    )
    done("pretrain", folder / "tiny.yaml", "-o", folder / "mlp", "--set", "network.kind=mlp", "-q")
    assert "this network has none" in pinnkan("spectrum", folder / "mlp" / "base.h5").err


@pytest.mark.parametrize(
    ("name", "code", "message"),
    [
        ("nowhere.h5", 2, "there is no file"),
        (".", 2, "is a directory; name files in it: base.h5, adapters/...h5"),
        ("tiny.yaml", 3, "tiny.yaml: "),
        ("alone.h5", 2, "there is no base beside it"),
    ],
)
def test_files_that_cannot_be_read(pinnkan, run, folder, name, code, message):
    (folder / "alone.h5").write_bytes((run / "adapters" / "lambda=0.5.h5").read_bytes())
    answer = pinnkan("spectrum", folder / name)
    assert answer.code == code
    assert message in answer.err


def test_an_adapter_of_another_base(pinnkan, done, run, folder):
    done("pretrain", folder / "tiny.yaml", "-o", run, "--seed", 5, "--force", "-q")
    answer = pinnkan("spectrum", run / "adapters" / "lambda=0.5.h5")
    assert answer.code == 3
    assert "was trained for another base" in answer.err


def test_pictures_that_cannot_be_written(pinnkan, run, folder):
    base = run / "base.h5"
    before = base.read_bytes()
    answer = pinnkan("spectrum", base, "-o", base)
    assert (answer.code, base.read_bytes() == before) == (2, True)
    assert "is one of the files to be read; name another one" in answer.err
    assert pinnkan("spectrum", base, "-o", folder / "x.bmp").code == 2


def test_too_many_tensors_for_one_picture(tmp_path):
    from pinnkan.ground.errors import UsageError
    from pinnkan.output.pictures.labels import Caption
    from pinnkan.output.pictures.spectra import SpectraPanel, plot_spectra

    panels = [SpectraPanel("t", {"m": np.ones(2)}, {"m": np.ones(3)})] * 13
    with pytest.raises(UsageError, match="a picture shows 12 tensors at most, found 13; name fewer files"):
        plot_spectra(tmp_path / "x.png", panels, caption=Caption("many"))


def test_three_tensors_stand_abreast_and_others_below(tmp_path):
    from matplotlib.image import imread

    from pinnkan.output.pictures.labels import Caption
    from pinnkan.output.pictures.spectra import SpectraPanel, plot_spectra

    panel = SpectraPanel("t", {"m": np.array([1, 0.1])}, {"m": np.array([1, 0.01, 0])})
    sizes = []
    for count in (3, 5, 7):
        plot_spectra(tmp_path / "x.png", [panel] * count, caption=Caption("some"), dpi=100)
        sizes.append(np.array(imread(tmp_path / "x.png").shape[:2]) / 100 * 25.4)
    assert [width for _, width in sizes] == pytest.approx([174] * 3, abs=0.3)  # mm: two columns of a journal
    assert [height for height, _ in sizes] == pytest.approx([100, 188, 276], abs=0.3)


def test_the_function_pair_of_the_paper_s_figure_1(done, folder):
    """The whole way on a small network; the paper's own size is the shipped file as it stands."""
    small = ["network.hidden=[6, 6]", "network.functions=8", "points.interior=300"]
    small += ["training.phases=[{steps: 30}]", "finetuning.phases=[{steps: 30}]"]
    sets = [word for text in small for word in ("--set", text)]
    done("pretrain", "paper/figure1", "-o", folder / "pair", *sets, "-q")
    row = done("finetune", folder / "pair", "--lambda", 1, "--method", "full", "--json", "-q").json
    assert row["results"][0]["relative_l2"] < 0.02
    path = folder / "pair" / "adapters" / "lambda=1.full.h5"
    found = done("spectrum", path, "--json").json["results"]
    assert [row["count"] for one in found for row in one["spectra"]] == [6, 6, 8] * 3


@pytest.mark.slow
def test_the_paper_s_figure_1_at_its_own_size(done, folder):
    """What the page says of it: the update is of low rank in the functions, not in inputs and outputs."""
    done("pretrain", "paper/figure1", "-o", folder / "pair", "-q")
    assert done("evaluate", folder / "pair", "--json").json["results"][0]["relative_l2"] < 1e-2
    row = done("finetune", folder / "pair", "--lambda", 1, "--method", "full", "--json", "-q").json
    assert row["results"][0]["relative_l2"] < 5e-3
    path = folder / "pair" / "adapters" / "lambda=1.full.h5"
    base, update, _ = done("spectrum", path, "--json").json["results"]
    assert [row["rank_99%"] > 25 for row in base["spectra"]] == [True, True, True]
    assert [row["rank_99%"] > 25 for row in update["spectra"]] == [True, True, False]
    assert update["spectra"][2]["rank_99%"] <= 10
