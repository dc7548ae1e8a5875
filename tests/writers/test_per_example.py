"""One row per example: what stands in it, and that the file is whole or not there."""

from __future__ import annotations

import csv
import io
import math
import os
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import xentcli
from tests.conftest import Call, Write
from xentcli.errors import DataError, FileError, UsageError
from xentcli.pairing import deciding
from xentcli.report.per_example import PerExample
from xentcli.writers.per_example import COLUMNS, SINKS, check_path, per_example_sink
from xentcli.writers.safe import terminal


def block(start: int, losses: list[float], **changes: object) -> PerExample:
    labels = changes.pop("labels", None)
    if isinstance(labels, list):
        found = list(dict.fromkeys(labels))
        changes |= {"found": found, "index": np.array([found.index(label) for label in labels])}
    values: dict[str, object] = {
        "start": start,
        "count": len(losses),
        "ids": None,
        "found": None,
        "index": None,
        "probability": np.exp(-np.array(losses)),
        "loss": np.array(losses),
        "weight": np.ones(len(losses)),
    }
    return PerExample(**{**values, **changes})  # type: ignore[arg-type]


def written(path: Path, *blocks: PerExample) -> list[dict[str, str]]:
    with per_example_sink(str(path)) as sink:
        assert sink is not None
        for part in blocks:
            sink(part)
    return list(csv.DictReader(io.StringIO(path.read_bytes().decode(), newline=""), strict=True))


def test_rows_count_on_from_1_through_the_blocks(tmp_path: Path) -> None:
    rows = written(tmp_path / "a.csv", block(0, [0.5, 0.25]), block(2, [1.5]))
    assert [row["row"] for row in rows] == ["1", "2", "3"]
    assert [row["loss"] for row in rows] == ["0.5", "0.25", "1.5"]
    assert tuple(rows[0]) == COLUMNS == ("row", "id", "label", "probability", "loss", "weight")


def test_losses_are_written_to_the_last_bit(tmp_path: Path) -> None:
    losses = np.random.default_rng(5).exponential(size=1000)
    losses[:4] = [5e-324, 1.7976931348623157e308, 0.0, 0.1 + 0.2]
    rows = written(tmp_path / "a.csv", block(0, losses.tolist()))
    assert [float(row["loss"]) for row in rows] == losses.tolist()


def test_infinity_and_rows_of_weight_0(tmp_path: Path) -> None:
    part = block(
        0,
        [math.inf, math.nan],
        probability=np.array([0.0, math.nan]),
        weight=np.array([2.5, 0.0]),
        labels=["cat", None],
        ids=["a", "b"],
    )
    rows = written(tmp_path / "a.csv", part)
    assert rows[0] == {"row": "1", "id": "a", "label": "cat", "probability": "0.0", "loss": "inf", "weight": "2.5"}
    assert rows[1] == {"row": "2", "id": "b", "label": "", "probability": "", "loss": "nan", "weight": "0.0"}


def test_a_file_without_rows_has_its_header(tmp_path: Path) -> None:
    assert written(tmp_path / "a.csv") == []
    assert (tmp_path / "a.csv").read_text() == ",".join(COLUMNS) + "\n"
    with per_example_sink(str(tmp_path / "a.npy")):
        pass
    assert np.load(tmp_path / "a.npy").shape == (0,)


@pytest.mark.parametrize(
    "text",
    [
        "a,b",
        'say "hi"',
        "two\nlines",
        "  spaced ",
        "é 漢字",
        "=cmd()",
        "-1.5",
        "\u200eעברית",
        "crlf\r\nx",
        "cr\rx",
        "nul\0x",
    ],
    ids=ascii,
)
def test_ids_and_labels_are_read_back(tmp_path: Path, text: str) -> None:
    rows = written(tmp_path / "a.csv", block(0, [0.5, 1.0], ids=[text, "z"], labels=["cat", text]))
    assert len(rows) == 2
    for got in (rows[0]["id"], rows[1]["label"]):
        assert got.removeprefix("'") in (text, terminal(text))
    assert rows[1]["loss"] == "1.0"


def test_one_long_id_among_many_takes_no_room_beside_the_others(tmp_path: Path) -> None:
    rows = 20_000
    ids = [f"id{row}" for row in range(rows)]
    ids[777] = "é" * 200_000
    part = block(0, [0.25 + row for row in range(rows)], ids=ids, labels=["cat", None] * (rows // 2))
    resource = pytest.importorskip("resource")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with per_example_sink(str(tmp_path / "a.csv")) as sink:
        sink(part)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100 * 1024
    with open(tmp_path / "a.csv", encoding="utf-8", newline="") as file:
        csv.field_size_limit(1 << 20)
        found = list(csv.reader(file, strict=True))[1:]
    assert [row[1] for row in found] == ids
    assert [row[2] for row in found] == ["cat", ""] * (rows // 2)
    assert [float(row[4]) for row in found] == part.loss.tolist()


def test_npy_has_the_losses_alone(tmp_path: Path) -> None:
    path = tmp_path / "a.NPY"
    with per_example_sink(str(path)) as sink:
        assert sink is not None
        for start in range(0, 3000, 1000):
            sink(block(start, [start + 0.5] * 1000))
        sink(block(3000, [math.inf, math.nan]))
    losses = np.load(path, allow_pickle=False)
    assert losses.dtype == np.dtype("<f8")
    assert losses.shape == (3002,)
    assert losses[:3000:1000].tolist() == [0.5, 1000.5, 2000.5]
    assert losses[3000] == math.inf
    assert math.isnan(losses[3001])
    assert path.stat().st_size == 128 + 8 * 3002


def test_a_dash_is_standard_output(capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    with per_example_sink("-") as sink:
        assert sink is not None
        sink(block(0, [0.5], labels=["é"]))
    assert capsysbinary.readouterr().out.decode() == ",".join(COLUMNS) + f"\n1,,é,{math.exp(-0.5)!r},0.5,1.0\n"
    assert not sys.stdout.buffer.closed


@pytest.mark.parametrize("name", ["a.csv", "a.npy"])
def test_an_error_midway_leaves_the_old_file_and_no_other(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(b"old")

    def fails() -> None:
        with per_example_sink(str(path)) as sink:
            assert sink is not None
            sink(block(0, [0.5] * 10_000))
            assert path.read_bytes() == b"old"
            raise DataError("row 10,001 is broken")

    with pytest.raises(DataError, match="broken"):
        fails()
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == [name]


def test_a_bad_row_late_in_the_data_leaves_nothing(tmp_path: Path) -> None:
    predictions = np.full((200_000, 2), 0.5)
    predictions[-1] = [0.9, 0.9]
    labels = np.zeros(200_000, dtype=np.int64)

    def fails() -> None:
        with per_example_sink(str(tmp_path / "a.csv")) as sink:
            xentcli.score(predictions, labels, sink=sink, block_bytes=1 << 16)

    with pytest.raises(DataError, match=r"sums to 1\.8"):
        fails()
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("extension", SINKS)
def test_what_was_written_before_a_label_that_breaks_the_rule_is_taken_back(
    tmp_path: Path, extension: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The first 1,000 labels are read as names; all of them are positions.
    monkeypatch.setattr(deciding, "HEAD_ROWS", 1000)
    labels = ["1", "0"] * 1100 + ["2"] * 100
    (tmp_path / "l.csv").write_text("truth\n" + "".join(f"{label}\n" for label in labels))
    q = np.round(np.random.default_rng(7).dirichlet((2, 3, 4), len(labels)), 4)
    np.savetxt(tmp_path / "p.csv", q, delimiter=",", header="0,1,other", comments="", fmt="%.4f")
    paths = (tmp_path / "p.csv", tmp_path / "l.csv")
    with per_example_sink(str(tmp_path / f"a{extension}")) as sink:
        report = xentcli.score(*paths, sink=sink, header="predictions", block_bytes=4096)
    assert report.labels is not None
    assert report.labels.matched == "index"
    with per_example_sink(str(tmp_path / f"b{extension}")) as sink:
        # A function of blocks cannot be started again: all labels are read beforehand.
        xentcli.score(*paths, sink=lambda block: sink(block), header="predictions", block_bytes=4096)
    assert (tmp_path / f"a{extension}").read_bytes() == (tmp_path / f"b{extension}").read_bytes()
    if extension == ".npy":
        assert np.load(tmp_path / "a.npy").tolist() == pytest.approx(
            -np.log(q[np.arange(len(q)), np.array(labels, dtype=int)])
        )


@pytest.mark.parametrize("name", ["/dev/null", "a.csv"])
def test_only_a_file_can_be_begun_anew(tmp_path: Path, name: str) -> None:
    link = tmp_path / "link.csv"
    link.symlink_to(name)
    with per_example_sink(str(link)) as sink:
        assert (sink.restart is None) == (name == "/dev/null")


@pytest.mark.parametrize("name", ["nowhere/a.csv", "nowhere/a.npy"])
def test_a_folder_that_is_not_there_is_a_file_error(tmp_path: Path, name: str) -> None:
    with pytest.raises(FileError, match="cannot be written"), per_example_sink(str(tmp_path / name)):
        pass


@pytest.mark.parametrize("path", ["losses", "losses.txt", "losses.csv.gz", ".csv", "csv", ""])
def test_an_extension_that_says_nothing_is_refused(path: str) -> None:
    with pytest.raises(UsageError, match="unknown extension"):
        check_path(path)


@pytest.mark.parametrize("path", ["-", "a.csv", "a.NPY", "x/y.z/a.Csv"])
def test_an_extension_that_is_known_is_fine(path: str) -> None:
    check_path(path)


def test_every_sink_takes_what_a_score_gives(tmp_path: Path) -> None:
    for extension in SINKS:
        path = tmp_path / f"a{extension}"
        with per_example_sink(str(path)) as sink:
            xentcli.score([[0.5, 0.5], [0.25, 0.75]], [0, 1], sink=sink)
        assert path.stat().st_size > 0


def test_rows_of_weight_0_are_nan_in_both_files(tmp_path: Path) -> None:
    (tmp_path / "p.csv").write_text("cat,dog,w\n0.5,0.5,1\nnan,7,0\n0.25,0.75,2\n")
    (tmp_path / "l.csv").write_text("truth\ncat\npadding\ndog\n")
    for name in ("a.csv", "a.npy"):
        with per_example_sink(str(tmp_path / name)) as sink:
            report = xentcli.score(tmp_path / "p.csv", tmp_path / "l.csv", weights="w", sink=sink)
    losses = np.load(tmp_path / "a.npy")
    assert np.isnan(losses).tolist() == [False, True, False]
    rows = list(csv.DictReader((tmp_path / "a.csv").read_text().splitlines()))
    assert [row["weight"] for row in rows] == ["1.0", "0.0", "2.0"]
    assert [row["loss"] for row in rows] == [repr(float(loss)) for loss in losses]
    assert rows[1]["label"] == rows[1]["probability"] == ""
    again = xentcli.score(tmp_path / "a.csv", kind="losses")
    assert again.cost == report.cost
    assert again.examples == report.examples


@pytest.mark.parametrize("kind", ["true-probs", "true-logprobs", "probs", "logprobs"])
def test_losses_just_below_0_are_read_as_they_were_written(kind: Any, tmp_path: Path) -> None:
    q = np.array([0.3, 1.0, 1.0 + 1e-9, 1.0005, 1.0009])
    preds = np.stack([q, 1 - q], axis=1) if kind in ("probs", "logprobs") else q
    labels = np.zeros(len(q), int) if preds.ndim > 1 else None
    if "log" in kind:
        with np.errstate(divide="ignore"):
            preds = np.log(np.abs(preds))
    with per_example_sink(str(tmp_path / "a.csv")) as sink:
        report = xentcli.score(preds, labels, kind=kind, sum_tolerance=0.002, sink=sink)
    assert min(float(row["loss"]) for row in csv.DictReader((tmp_path / "a.csv").open())) < 0
    assert xentcli.score(tmp_path / "a.csv", kind="losses").cost == report.cost


def test_soft_targets_have_no_label_and_no_one_probability(tmp_path: Path) -> None:
    with per_example_sink(str(tmp_path / "a.csv")) as sink:
        xentcli.score([[0.5, 0.5], [0.25, 0.75]], [[0.5, 0.5], [0.0, 1.0]], sink=sink)
    rows = list(csv.DictReader((tmp_path / "a.csv").read_text().splitlines()))
    assert rows[0]["label"] == ""
    assert rows[1]["label"] == "1"
    assert rows[1]["probability"] == "0.75"
    assert rows[0]["probability"] == ""


def test_the_probability_is_unclipped_and_the_loss_is_clipped(tmp_path: Path) -> None:
    with per_example_sink(str(tmp_path / "a.csv")) as sink:
        xentcli.score([[0.0, 1.0], [0.25, 0.75]], [0, 1], clip=0.01, sink=sink)
    rows = list(csv.DictReader((tmp_path / "a.csv").read_text().splitlines()))
    assert float(rows[0]["probability"]) == 0.0
    assert float(rows[0]["loss"]) == pytest.approx(-math.log(0.01), rel=1e-15)


def test_losses_are_in_nats_whatever_the_base(tmp_path: Path) -> None:
    with per_example_sink(str(tmp_path / "a.npy")) as sink:
        xentcli.score([[0.5, 0.5]], [0], base="2", sink=sink)
    assert np.load(tmp_path / "a.npy").tolist() == [math.log(2)]


def test_a_probability_of_the_truth_is_the_one_that_was_read(call: Call, write: Write) -> None:
    write("q.csv", "q\n0.1\n0.3\n0.7\n")
    table = call("score", "q.csv", "--kind", "true-probs", "--per-example", "-").out.splitlines()
    assert [line.split(",")[3] for line in table] == ["probability", "0.1", "0.3", "0.7"]
