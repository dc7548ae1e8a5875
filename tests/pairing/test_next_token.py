"""--shift-labels: the cost of the logits of a language model as its training computes it."""

from __future__ import annotations

import gzip
import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.special import log_softmax

import xentcli
from tests.conftest import Call

RNG = np.random.default_rng(11)
SHAPES = [(4, 6, 5), (1, 2, 3), (7, 1, 4), (3, 40, 2)]
KIND: dict[str, Any] = {"kind": "logits", "shift_labels": True, "ignore_label": -100}


def sample(shape: tuple[int, ...]) -> tuple[Any, Any, Any]:
    """Logits; labels with padding, among them the first of each sequence; weights."""
    z, y = RNG.normal(0, 2, shape), RNG.integers(0, shape[2], shape[:2])
    y[:, 0], y[0, -1] = -100, -100 if shape[0] > 1 else 0
    return z, y, RNG.uniform(0.5, 2, shape[:2])


def wanted(z: Any, y: Any, w: Any) -> float:
    """cross_entropy(logits[:, :-1].reshape(-1, V), labels[:, 1:].reshape(-1), ignore_index=-100), weighted."""
    logs, labels, weights = log_softmax(z[:, :-1], axis=2).reshape(-1, z.shape[2]), y[:, 1:].ravel(), w[:, 1:].ravel()
    kept = np.flatnonzero(labels != -100)
    return float(-(weights[kept] * logs[kept, labels[kept]]).sum() / weights[kept].sum())


@pytest.mark.parametrize("shape", [shape for shape in SHAPES if shape[1] > 1])
@pytest.mark.parametrize("block_bytes", [None, 40])
def test_position_t_has_the_label_of_the_next(tmp_path: Path, shape: tuple[int, ...], block_bytes: int | None) -> None:
    z, y, w = sample(shape)
    for name, array in (("z", z), ("z1", np.moveaxis(z, 2, 1)), ("y", y), ("w", w), ("f", np.asfortranarray(z))):
        np.save(tmp_path / f"{name}.npy", array)
    np.savez(tmp_path / "all.npz", logits=z, label_ids=y, w=w)
    np.savez_compressed(tmp_path / "small.npz", logits=z, label_ids=y, w=w)
    half = max(1, len(z) // 2)
    for number, rows in enumerate((slice(0, half), slice(half, None))):
        if len(z[rows]):
            np.save(tmp_path / f"zs-{number}.npy", z[rows])
            np.save(tmp_path / f"ys-{number}.npy", y[rows])
    (tmp_path / "z.npy.gz").write_bytes(gzip.compress((tmp_path / "z.npy").read_bytes()))
    weights, member = {"weights": f"@{tmp_path / 'w.npy'}"}, {"preds": "logits", "label": "label_ids"}
    calls: list[tuple[Any, dict[str, Any]]] = [
        ((tmp_path / "z.npy", tmp_path / "y.npy"), weights),
        ((tmp_path / "z.npy.gz", tmp_path / "y.npy"), weights),
        ((tmp_path / "f.npy", tmp_path / "y.npy"), weights),
        ((tmp_path / "z1.npy", tmp_path / "y.npy"), {**weights, "class_axis": 1}),
        ((z, y), weights),
        ((tmp_path / "all.npz",), {**member, "weights": "w"}),
        ((tmp_path / "small.npz",), {**member, "weights": "w"}),
        ((tmp_path / "zs-*.npy", tmp_path / "ys-*.npy"), weights),
    ]
    found = [
        xentcli.score(
            inputs[0], inputs[1] if len(inputs) > 1 else None, block_bytes=block_bytes, **KIND, **options
        ).cost
        for inputs, options in calls
    ]
    assert len({*found}) == 1
    assert found[0] == pytest.approx(wanted(z, y, w), rel=1e-14)


def test_the_last_positions_are_counted_as_ignored() -> None:
    z, y, w = sample((4, 6, 5))
    report = xentcli.score(z, y, **KIND)
    scored = int((y[:, 1:] != -100).sum())
    assert (report.examples.read, report.examples.scored, report.examples.ignored) == (24, scored, 24 - scored)
    assert report.cost == pytest.approx(wanted(z, y, np.ones_like(w)), rel=1e-14)
    assert report.options["shift_labels"].value is True


def test_soft_labels_shift_too() -> None:
    z, y, _ = sample((4, 6, 5))
    y[y == -100] = 0
    soft = np.eye(5)[y]
    assert xentcli.score(z, soft, kind="logits", shift_labels=True, class_axis=2).cost == pytest.approx(
        xentcli.score(z, y, kind="logits", shift_labels=True).cost, rel=1e-14
    )


def test_one_position_has_no_next(tmp_path: Path, call: Call) -> None:
    z, y, _ = sample((7, 1, 4))
    np.save(tmp_path / "z.npy", z)
    np.save(tmp_path / "y.npy", np.zeros_like(y))
    assert call("score", "z.npy", "y.npy", "--kind", "logits", "--shift-labels").code == 5


@pytest.mark.parametrize(
    ("shape", "labels", "why"),
    [
        ((6, 5), (6,), "this is an array of shape (6, 5)"),
        ((2, 3, 4, 5), (2, 3, 4), "this is an array of shape (2, 3, 4, 5)"),
    ],
)
def test_other_shapes_do_not_say_where_a_sequence_ends(
    tmp_path: Path, call: Call, shape: tuple[int, ...], labels: tuple[int, ...], why: str
) -> None:
    np.save(tmp_path / "z.npy", np.zeros(shape))
    np.save(tmp_path / "y.npy", np.zeros(labels, dtype=int))
    done = call("score", "z.npy", "y.npy", "--kind", "logits", "--shift-labels")
    assert (done.code, why in done.err) == (3, True), done.err


def test_tables_have_no_sequences(call: Call, write: Any) -> None:
    one, two = write("p.csv", "a,b\n.5,.5\n.5,.5\n"), write("y.csv", "y\na\nb\n")
    assert "this is a table" in call("score", one, two, "--shift-labels").err
    both = write("b.csv", "a,b,y\n.5,.5,a\n")
    done = call("score", both, "--preds", "a,b", "--label", "y", "--shift-labels")
    assert (done.code, "xent score PREDS LABELS --shift-labels" in done.err) == (3, True)


def test_a_stream_of_labels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    z, y, w = sample((4, 6, 5))
    np.save(tmp_path / "y.npy", y)

    class Stdin:
        buffer = io.BytesIO((tmp_path / "y.npy").read_bytes())

    monkeypatch.setattr("sys.stdin", Stdin)
    assert xentcli.score(z, "-", **KIND).cost == pytest.approx(wanted(z, y, np.ones_like(w)), rel=1e-14)


def test_an_unshifted_language_model_is_told_the_option(tmp_path: Path, call: Call) -> None:
    generator = np.random.default_rng(3)
    labels = generator.integers(0, 6, (8, 12))
    logits = generator.normal(size=(8, 12, 6))
    np.put_along_axis(logits[:, :-1], labels[:, 1:, None], 4.0, axis=2)
    np.save(tmp_path / "z.npy", logits)
    np.save(tmp_path / "y.npy", labels)
    done = call("score", "z.npy", "y.npy", "--kind", "logits")
    assert "--shift-labels" in done.out and "row missing" not in done.out
    followed = call("score", "z.npy", "y.npy", "--kind", "logits", "--shift-labels")
    assert "warning" not in followed.out


@pytest.mark.parametrize("breaks", [0, 20])
def test_columns_in_a_cyclic_order_are_named_beside_the_option_where_classes_follow_one_another(breaks: int) -> None:
    generator = np.random.default_rng(breaks)
    labels = np.arange(300) % 3
    labels[generator.choice(300, breaks, replace=False)] = 0
    logits = generator.normal(size=(300, 3))
    logits[np.arange(300), labels] += 3
    # Times 3 they are the logits of the classes given these numbers, so that the confidence is the accuracy.
    logits *= 3
    found = {one.code: one.advice for one in xentcli.score(np.roll(logits, 1, axis=1), labels, kind="logits").warnings}
    assert "--shift-labels takes the label" in found["shifted"]
    assert "--preds '#2,#3,#1'" in found["columns-permuted"]


@pytest.mark.parametrize("classes", [7, 30])
def test_logits_of_one_sequence_are_told_the_option_and_no_order_of_columns(classes: int) -> None:
    generator = np.random.default_rng(classes)
    chances = generator.dirichlet([0.1] * classes, classes)
    tokens = [0]
    for _ in range(599):
        tokens.append(int(generator.choice(classes, p=chances[tokens[-1]])))
    logits = np.log(chances[tokens] + 1e-6) + generator.normal(0, 0.4, (600, classes))
    labels = np.array(tokens)
    for shape in ((600,), (2, 300)):
        found = xentcli.score(logits.reshape(*shape, classes), labels.reshape(shape), kind="logits").warnings
        assert "columns-permuted" not in [warning.code for warning in found]
        assert "--shift-labels takes the label" in next(one.advice for one in found if one.code == "shifted")
    followed = xentcli.score(logits[None], labels[None], kind="logits", shift_labels=True)
    assert followed.warnings == () and followed.cost < 2
