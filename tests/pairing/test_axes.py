"""The axis of the classes: every format, order and block size gives the numbers of the array turned by hand."""

from __future__ import annotations

import gzip
import io
import itertools
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.numpy
from scipy.special import log_softmax

import xentcli
from tests.conftest import Run
from tests.laws import LONG
from xentcli.errors import DataError, FileError, UsageError, XentError
from xentcli.readers import npy

SHAPES = [(2, 3, 5), (4, 3, 2, 2), (1, 3, 1), (2, 3, 1, 4), (3, 7), (5, 3, 1)]
RNG = np.random.default_rng(5)


def sample(shape: tuple[int, ...], axis: int) -> tuple[Any, Any, Any, float]:
    """Logits, labels and weights without the axis, and the cost by SciPy."""
    z = RNG.normal(0, 3, shape)
    lead = shape[:axis] + shape[axis + 1 :]
    y, w = RNG.integers(0, shape[axis], lead), RNG.uniform(0.5, 2, lead)
    logs = np.take_along_axis(log_softmax(z, axis=axis), np.expand_dims(y, axis), axis).squeeze(axis)
    return z, y, w, float(-(w * logs).sum() / w.sum())


def cases() -> list[tuple[tuple[int, ...], int]]:
    return [(shape, axis) for shape in SHAPES for axis in range(len(shape)) if shape[axis] > 1]


def memory(folder: Path, z: Any, y: Any, w: Any) -> tuple[Any, ...]:
    np.save(folder / "w.npy", w)
    return (z, y), {"weights": f"@{folder / 'w.npy'}"}


def files(folder: Path, z: Any, y: Any, w: Any) -> tuple[Any, ...]:
    for name, array in (("z", z), ("y", y), ("w", w)):
        np.save(folder / f"{name}.npy", array)
    return (folder / "z.npy", folder / "y.npy"), {"weights": f"@{folder / 'w.npy'}"}


def fortran(folder: Path, z: Any, y: Any, w: Any) -> tuple[Any, ...]:
    return files(folder, np.asfortranarray(z), np.asfortranarray(y), np.asfortranarray(w))


def zipped(folder: Path, z: Any, y: Any, w: Any) -> tuple[Any, ...]:
    (paths, options) = files(folder, z, y, w)
    (folder / "z.npy.gz").write_bytes(gzip.compress(paths[0].read_bytes()))
    return (folder / "z.npy.gz", paths[1]), options


def npz(folder: Path, z: Any, y: Any, w: Any) -> tuple[Any, ...]:
    np.savez(folder / "a.npz", w=w, y=y, z=z, epoch=np.array(3))
    return (folder / "a.npz",), {"preds": "z", "label": "y", "weights": "w"}


def compressed(folder: Path, z: Any, y: Any, w: Any) -> tuple[Any, ...]:
    np.savez_compressed(folder / "a.npz", z=z, y=y, w=w)
    return (folder / "a.npz",), {"preds": "z", "label": "y", "weights": "w"}


def tensors(folder: Path, z: Any, y: Any, w: Any) -> tuple[Any, ...]:
    safetensors.numpy.save_file({"z": np.ascontiguousarray(z), "y": y, "w": w}, folder / "a.safetensors")
    return (folder / "a.safetensors",), {"preds": "z", "label": "y", "weights": "w"}


WAYS = [memory, files, fortran, zipped, npz, compressed, tensors]


# Every second with each run: every shape and axis in three ways or four, and every way with half of these.
TRIED = [(*case, way) for case, way in itertools.product(cases(), WAYS)][:: 1 if LONG else 2]


@pytest.mark.parametrize(("shape", "axis", "way"), TRIED, ids=lambda value: getattr(value, "__name__", str(value)))
def test_every_way_of_giving_an_array_gives_the_cost_that_scipy_gives(
    shape: tuple[int, ...], axis: int, way: Callable[..., Any], tmp_path: Path
) -> None:
    z, y, w, cost = sample(shape, axis)
    inputs, options = way(tmp_path, z, y, w)
    flat = np.moveaxis(z, axis, -1).reshape(-1, shape[axis])
    np.save(tmp_path / "flat-w.npy", w.reshape(-1))
    by_hand = xentcli.score(flat, y.reshape(-1), kind="logits", weights=f"@{tmp_path / 'flat-w.npy'}")
    assert by_hand.cost == pytest.approx(cost, rel=1e-12)
    for given, block in ((axis, 1), (axis, 64), (axis - len(shape), None)):
        report = xentcli.score(*inputs, kind="logits", class_axis=given, block_bytes=block, **options)
        assert (report.cost, report.total, report.examples) == (by_hand.cost, by_hand.total, by_hand.examples)


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
def test_losses_of_each_row_come_in_the_order_of_the_labels(way: Callable[..., Any], tmp_path: Path) -> None:
    z, y, w, _ = sample((3, 4, 5), 1)
    inputs, options = way(tmp_path, z, y, w)
    found: list[float] = []
    xentcli.score(*inputs, kind="logits", class_axis=1, sink=lambda block: found.extend(block.loss.tolist()), **options)
    want = -np.take_along_axis(log_softmax(z, axis=1), y[:, None], 1).squeeze(1)
    assert found == pytest.approx(want.ravel().tolist(), rel=1e-12)


@pytest.mark.parametrize("dtype", ["f2", "f4", ">f8", "i2"])
@pytest.mark.parametrize("order", "CF")
def test_planes_are_read_in_runs_where_a_block_is_large(
    dtype: str, order: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(npy, "_SMALL_BLOCK", 0)
    z = np.asarray(RNG.normal(0, 9, (3, 4, 20)).astype(dtype), order=order)
    y = RNG.integers(0, 4, (3, 20))
    np.save(tmp_path / "z.npy", z)
    np.save(tmp_path / "y.npy", y)
    want = xentcli.score(np.moveaxis(z, 1, -1).reshape(-1, 4), y.ravel(), kind="logits")
    for block in (1, 100, 400, None):
        report = xentcli.score(
            tmp_path / "z.npy", tmp_path / "y.npy", kind="logits", class_axis=1, block_bytes=block, threads=1
        )
        assert report.total == want.total


def test_bfloat16_and_shards_and_booleans_have_an_axis_too(tmp_path: Path) -> None:
    import ml_dtypes

    z, y, _, _ = sample((4, 3, 5), 1)
    short = z.astype(ml_dtypes.bfloat16)
    want = xentcli.score(np.moveaxis(short.astype("f8"), 1, -1).reshape(-1, 3), y.ravel(), kind="logits").cost
    np.save(tmp_path / "b.npy", short)
    np.save(tmp_path / "y.npy", y)
    assert xentcli.score(tmp_path / "b.npy", y, kind="logits", class_axis=1, dtype="bfloat16").cost == want
    for name, some in (("1", slice(0, 1)), ("2", slice(1, 4))):
        np.save(tmp_path / f"p-{name}.npy", short[some].astype("f8"))
        np.save(tmp_path / f"l-{name}.npy", y[some])
        np.savez(tmp_path / f"a-{name}.npz", z=short[some].astype("f8"), y=y[some])
    assert xentcli.score(tmp_path / "p-*.npy", tmp_path / "l-*.npy", kind="logits", class_axis=1).cost == want
    options: dict[str, Any] = {"kind": "logits", "class_axis": 1, "preds": "z", "label": "y"}
    assert xentcli.score(tmp_path / "a-*.npz", **options).cost == want
    with pytest.raises(DataError, match="joined along axis 0"):
        xentcli.score(tmp_path / "p-*.npy", tmp_path / "l-*.npy", kind="logits", class_axis=0)
    hard = np.moveaxis(np.eye(3)[y], -1, 1).astype(bool)
    assert xentcli.score(hard, hard, class_axis=1).cost == 0


def test_one_hot_and_soft_labels_have_the_axis_where_the_predictions_have_it() -> None:
    z, y, _, _ = sample((2, 3, 4), 1)
    want = xentcli.score(z, y, kind="logits", class_axis=1)
    assert xentcli.score(z, np.moveaxis(np.eye(3)[y], -1, 1), kind="logits", class_axis=1).cost == want.cost
    soft = RNG.dirichlet(np.ones(3), (2, 4))
    turned = np.moveaxis(z, 1, -1)
    by_hand = -(soft * log_softmax(turned, axis=-1)).sum(axis=-1).mean()
    for inputs, axis in (((z, np.moveaxis(soft, -1, 1)), 1), ((turned, soft), 2)):
        assert xentcli.score(*inputs, kind="logits", class_axis=axis).cost == pytest.approx(by_hand, rel=1e-12)


def test_the_figures_of_torch_have_its_axis() -> None:
    # The figure is nn.functional.cross_entropy(z, y) of PyTorch 2.13, in doubles.
    z, y = np.array([[[0.5, -1.0], [1.2, 0.3]]]), np.array([[0, 1]])
    report = xentcli.score(z, y, kind="logits", compat="torch")
    assert report.cost == pytest.approx(0.6720972513592250, rel=1e-14)
    assert report.options["class_axis"].value == 1 and report.options["class_axis"].by == "compat"
    assert report.compat is not None and "classes on axis 1" in report.compat
    other = xentcli.score(z, y, kind="logits", compat="torch", class_axis=2)
    assert other.options["class_axis"].by == "flag" and other.cost != report.cost
    table = xentcli.score(z[0], y[0], kind="logits", compat="torch")
    assert "class_axis" not in table.options


AMBIGUOUS: list[tuple[tuple[int, ...], tuple[int, ...], list[int]]] = [
    ((1, 2, 2), (1, 2), [1, 2]),
    ((2, 2, 2), (2, 2), [0, 1, 2]),
    ((5, 3, 3), (5, 3), [1, 2]),
    ((2, 3, 4), (2, 4), [1]),
    ((2, 3, 4), (3, 4), [0]),
    ((2, 3, 4, 4), (2, 3, 4), [2, 3]),
    ((2, 3, 4), (2, 3, 4), [0, 1, 2]),
]


@pytest.mark.parametrize("archive", [False, True])
@pytest.mark.parametrize(("shape", "labels", "axes"), AMBIGUOUS, ids=str)
def test_shapes_that_fit_in_two_ways_or_in_another_are_refused_with_the_axes(
    shape: tuple[int, ...], labels: tuple[int, ...], axes: list[int], archive: bool, tmp_path: Path, xent: Run
) -> None:
    z = RNG.normal(size=shape)
    y = np.zeros(labels, dtype=int)
    if labels == shape:
        y = np.ones(labels, dtype=int)
    np.save(tmp_path / "z.npy", z)
    np.save(tmp_path / "y.npy", y)
    np.savez(tmp_path / "a.npz", z=z, y=y)
    args = ["a.npz", "--preds", "z", "--label", "y"] if archive else ["z.npy", "y.npy"]
    done = xent("score", *args, "--kind", "logits")
    assert (done.returncode, done.stdout) == (3, "")
    assert str(shape) in done.stderr and str(labels) in done.stderr
    advised = [line.split(":")[0].strip() for line in done.stderr.splitlines() if "--class-axis" in line]
    assert sorted(advised) == [f"--class-axis {axis}" for axis in axes]
    if labels == shape:
        return
    for advice in advised:
        axis = int(advice.split()[1])
        turned = log_softmax(z, axis=axis).take(0, axis=axis)
        found = xent("score", *args, "--kind", "logits", *advice.split(), "-q")
        assert float(found.stdout) == pytest.approx(-turned.mean(), rel=1e-12)


def test_a_weight_of_another_shape_decides_between_two_axes_or_is_refused(tmp_path: Path) -> None:
    z, y, w, cost = sample((2, 3, 3), 2)
    np.save(tmp_path / "w.npy", w)
    np.save(tmp_path / "bad.npy", w.ravel())
    weighted: dict[str, Any] = {"kind": "logits", "weights": f"@{tmp_path / 'w.npy'}"}
    with pytest.raises(DataError, match="axis must be 1 or 2"):
        xentcli.score(z, y, **weighted)
    assert xentcli.score(z, y, **weighted, class_axis=2).cost == pytest.approx(cost, rel=1e-12)
    with pytest.raises(DataError, match=r"bad\.npy has shape \(6,\)"):
        xentcli.score(z, y, kind="logits", class_axis=2, weights=f"@{tmp_path / 'bad.npy'}")


def test_groups_have_the_shape_of_the_labels(tmp_path: Path) -> None:
    z, y, _, _ = sample((2, 3, 5), 1)
    groups = np.array([["u", "v", "u", "v", "w"], ["v"] * 5])
    np.save(tmp_path / "g.npy", groups)
    report = xentcli.score(
        z, y, kind="logits", class_axis=1, by=f"@{tmp_path / 'g.npy'}", cluster=f"@{tmp_path / 'g.npy'}"
    )
    losses = -np.take_along_axis(log_softmax(z, axis=1), y[:, None], 1).squeeze(1)
    want = {name: losses[groups == name].mean() for name in "uvw"}
    assert {next(iter(part.group.values())): part.cost for part in report.by} == pytest.approx(want, rel=1e-12)


@pytest.mark.parametrize("axis", [None, 1])
def test_the_advice_makes_a_table_that_costs_what_the_array_does(axis: int | None, tmp_path: Path, xent: Run) -> None:
    z, y, _, _ = sample((2, 3, 5), 1)
    np.save(tmp_path / "z.npy", z)
    (tmp_path / "y.csv").write_text("y\n" + "".join(f"{label}\n" for label in y.ravel()))
    options = [] if axis is None else ["--class-axis", "1"]
    done = xent("score", "z.npy", "y.csv", "--kind", "logits", *options)
    assert done.returncode == 3
    line = next(line.strip() for line in done.stderr.splitlines() if "numpy.save" in line)
    code = line.partition(" writes")[0].replace("AXIS", "1")
    script = f"import numpy; array = numpy.load('z.npy'); {code}"
    subprocess.run([sys.executable, "-c", script], cwd=tmp_path, check=True)
    assert np.array_equal(np.load(tmp_path / "z.npy"), z)
    (name,) = {path.name for path in tmp_path.iterdir()} - {"z.npy", "y.csv"}
    cost = float(xent("score", name, "y.csv", "--kind", "logits", "-q").stdout)
    assert cost == xentcli.score(z, y, kind="logits", class_axis=1).cost


def test_a_table_and_a_kind_without_classes_have_no_axis(tmp_path: Path) -> None:
    (tmp_path / "p.csv").write_text("a,b\n0.5,0.5\n")
    (tmp_path / "l.csv").write_text("y\na\n")
    with pytest.raises(DataError, match="--class-axis is for arrays"):
        xentcli.score(tmp_path / "p.csv", tmp_path / "l.csv", class_axis=1)
    for axis in (0, 1):
        with pytest.raises(UsageError, match="--class-axis"):
            xentcli.score(np.array([0.5]), kind="losses", class_axis=axis)
    with pytest.raises(DataError, match="one axis, its rows"):
        xentcli.score(np.array([0.5]), np.array([0]), class_axis=0)
    for axis in (2, -3):
        with pytest.raises(DataError, match="has axes 0 to 1"):
            xentcli.score(np.array([[0.5, 0.5]]), np.array([0]), class_axis=axis)


def test_a_table_of_labels_is_counted_by_the_rows_of_the_turned_array(tmp_path: Path) -> None:
    # Five rows of two classes: a first line 0 is data since the counts agree so.
    np.save(tmp_path / "p.npy", np.array([[0.75, 0.5, 0.25, 0.5, 1.0], [0.25, 0.5, 0.75, 0.5, 0.0]]))
    (tmp_path / "l.csv").write_text("0\n1\n1\n0\n0\n")
    report = xentcli.score(tmp_path / "p.npy", tmp_path / "l.csv", class_axis=0)
    assert report.cost == pytest.approx(-np.log([0.75, 0.5, 0.75, 0.5, 1]).mean(), rel=1e-14)


def test_the_option_is_in_the_report(tmp_path: Path, xent: Run) -> None:
    z, y, _, _ = sample((2, 3, 5), 1)
    np.save(tmp_path / "z.npy", z)
    np.save(tmp_path / "y.npy", y)
    report = json.loads(
        xent("score", "z.npy", "y.npy", "--kind", "logits", "--class-axis", "1", "--format", "json").stdout
    )
    assert report["options"]["class_axis"] == {"value": 1, "by": "flag"}
    checked = xent("check", "z.npy", "y.npy", "--kind", "logits", "--class-axis", "1", "--max", "cost=100")
    explained = xent("explain", "z.npy", "y.npy", "--kind", "logits", "--class-axis", "1", "--row", "7")
    assert (checked.returncode, explained.returncode) == (0, 0)
    loss = -np.take_along_axis(log_softmax(z, axis=1), y[:, None], 1).squeeze(1).ravel()[6]
    assert f"{loss:.6f}" in explained.stdout


def test_what_can_be_read_only_together_has_a_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    z, y, _, _ = sample((2, 3, 50), 1)
    np.save(tmp_path / "z.npy", z)
    np.save(tmp_path / "f.npy", np.asfortranarray(z))
    (tmp_path / "z.npy.gz").write_bytes(gzip.compress((tmp_path / "z.npy").read_bytes()))
    want = xentcli.score(z, y, kind="logits", class_axis=1).cost
    monkeypatch.setattr(npy, "HELD_BYTES", 3 * 50 * 8 - 1)
    assert xentcli.score(tmp_path / "z.npy", y, kind="logits", class_axis=1).cost == want
    for name, advice in (("f.npy", "ascontiguousarray"), ("z.npy.gz", "moveaxis(array, 1, -1)")):
        with pytest.raises(FileError, match="the limit is") as caught:
            xentcli.score(tmp_path / name, y, kind="logits", class_axis=1)
        assert any(advice in line for line in caught.value.advice)


@pytest.mark.parametrize("more", [-1, 1, -7, 240, -240])
def test_a_stream_of_another_length_is_refused(more: int, tmp_path: Path) -> None:
    z, y, _, _ = sample((2, 3, 5), 1)
    file = io.BytesIO()
    np.save(file, z)
    data = file.getvalue()[:more] if more < 0 else file.getvalue() + bytes(more)
    (tmp_path / "z.npy.gz").write_bytes(gzip.compress(data))
    with pytest.raises(XentError) as caught:
        xentcli.score(tmp_path / "z.npy.gz", y, kind="logits", class_axis=1)
    assert "truncated" in str(caught.value) if more < 0 else "longer" in str(caught.value)
