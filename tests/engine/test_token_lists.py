"""Lists of any length: every number is an example, as if each stood in a row of its own."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.feather as feather
import pyarrow.parquet as pq
import pytest

import xentcli
from tests.conftest import Call, Write

RNG = np.random.default_rng(34)
LENGTHS = [3, 0, 1, 7, 2, 40, 1, 5, 0]
ENDS = np.concatenate([[0], np.cumsum(LENGTHS)])
LISTS = [(-RNG.exponential(2, n)).tolist() for n in LENGTHS]
WEIGHTS = RNG.uniform(0.5, 2, len(LISTS)).tolist()
GROUPS = [f"g{i % 3}" for i in range(len(LISTS))]
IDS = [f"r{i}" for i in range(len(LISTS))]
MASKS = [RNG.integers(0, 2, n).tolist() for n in LENGTHS]
TABLE = {"id": IDS, "lp": LISTS, "w": WEIGHTS, "g": GROUPS, "mask": MASKS}


def arrow(kind: Any = None) -> Any:
    return pa.table({**TABLE, "lp": pa.array(LISTS, kind or pa.list_(pa.float64()))})


def jsonl(path: Path) -> Any:
    rows = [dict(zip(TABLE, row, strict=True)) for row in zip(*TABLE.values(), strict=True)]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def parquet(path: Path) -> Any:
    pq.write_table(arrow(), path, row_group_size=4)
    return path


def large(path: Path) -> Any:
    pq.write_table(arrow(pa.large_list(pa.float64())), path)
    return path


def ipc(path: Path) -> Any:
    feather.write_feather(arrow(), path, chunksize=2)
    return path


def frame(path: Path) -> Any:
    return pd.DataFrame(TABLE)


def shards(path: Path) -> Any:
    path.mkdir()
    pq.write_table(arrow().slice(0, 2), path / "1.parquet")
    pq.write_table(arrow().slice(2, 3), path / "2.parquet")
    pq.write_table(arrow().slice(5), path / "10.parquet")
    return path


LAYOUTS: dict[str, Callable[[Path], Any]] = {
    ".jsonl": jsonl, ".parquet": parquet, "-large.parquet": large, ".arrow": ipc, "-frame": frame, "-shards": shards
}  # fmt: skip


def flat(values: Any) -> Any:
    """Values of rows, repeated for each number of the row."""
    return np.repeat(np.array(values), LENGTHS)


FLAT = pd.DataFrame(
    {
        "lp": np.concatenate(LISTS),
        "w": flat(WEIGHTS),
        "g": flat(GROUPS),
        "id": flat(IDS),
        "mask": [m for row in MASKS for m in row],
    }
)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize(
    "options",
    [{}, {"weights": "w"}, {"weights": "mask"}, {"by": ("g",), "cluster": "id"}, {"by": ("g,mask",), "weights": "w"}],
)
@pytest.mark.parametrize("block_bytes", [None, 64])
def test_every_layout_gives_the_bits_of_one_number_a_row(
    tmp_path: Path, layout: str, options: dict[str, Any], block_bytes: int | None
) -> None:
    data = LAYOUTS[layout](tmp_path / f"p{layout}")
    kind: Any = {"kind": "true-logprobs", "preds": "lp", **options}
    listed = xentcli.score(data, block_bytes=block_bytes, **kind)
    one_a_row = xentcli.score(FLAT, **kind)
    for name in ("metrics", "examples", "interval", "clusters", "by"):
        assert getattr(listed, name) == getattr(one_a_row, name), name


@pytest.mark.parametrize("kind", ["losses", "true-probs"])
def test_the_other_kinds_take_lists_too(tmp_path: Path, kind: Any) -> None:
    lists = [np.exp(row).tolist() for row in LISTS]
    listed = xentcli.score(pd.DataFrame({"v": lists}), kind=kind)
    assert listed.cost == xentcli.score(np.concatenate(lists), kind=kind).cost


def test_an_example_is_named_by_its_row_and_its_place_there(call: Call, write: Write) -> None:
    path = write("p.jsonl", '{"id":"a","lp":[-1,-2]}\n{"id":"b","lp":[]}\n{"id":"c","lp":[-7]}\n')
    kind = ("--kind", "true-logprobs", "--preds", "lp")
    worst = json.loads(call("score", path, *kind, "--id", "id", "--worst", "2", "--format", "json").out)["worst"]
    assert [(row["row"], row["id"], row["loss"]) for row in worst] == [(3, "c[0]", 7.0), (1, "a[1]", 2.0)]
    rows = list(csv.DictReader(io.StringIO(call("score", path, *kind, "--per-example", "-").out)))
    assert [(row["row"], row["id"], row["loss"]) for row in rows] == [
        ("1", "1[0]", "1.0"), ("1", "1[1]", "2.0"), ("3", "3[0]", "7.0")
    ]  # fmt: skip


def test_compare_matches_examples_by_row_and_place(call: Call, write: Write, tmp_path: Path) -> None:
    rows = [{"id": f"r{i}", "g": f"g{i % 3}", "lp": row} for i, row in enumerate(LISTS)]
    one = write("a.jsonl", "".join(json.dumps(row) + "\n" for row in rows))
    two = write("b.jsonl", "".join(json.dumps({**row, "lp": [2 * q for q in row["lp"]]}) + "\n" for row in rows))
    options = ("--kind", "true-logprobs", "--preds", "lp", "--format", "json", "--by", "g")
    done = call("compare", one, two, *options, "--worst", "1", "--id", "id")
    report = json.loads(done.out)
    assert report["pairs"][0]["change"] == pytest.approx(-np.concatenate(LISTS).mean(), rel=1e-14)
    worst, row = report["worst"][0], min(range(len(LISTS)), key=lambda i: min(LISTS[i], default=0))
    assert (worst["row"], worst["id"]) == (row + 1, f"r{row}[{int(np.argmin(LISTS[row]))}]")
    for path in (one, two):
        lines = Path(path).read_text(encoding="utf-8").splitlines(keepends=True)
        Path(path[:-6]).mkdir()
        for place in range(0, len(lines), 2):
            Path(path[:-6], f"{place}.jsonl").write_text("".join(lines[place : place + 2]), encoding="utf-8")
    listed = xentcli.compare([one[:-6], two[:-6]], kind="true-logprobs", preds="lp", by=("g",))
    assert [(g.group, g.change) for g in listed.by] == [(g["group"], g["change"]) for g in report["by"]]


def test_losses_per_example_are_read_back(call: Call, write: Write, tmp_path: Path) -> None:
    path = write("p.jsonl", '{"lp":[null,-2]}\n{"lp":[-1]}\n')
    written = str(tmp_path / "losses.parquet")
    assert call("score", path, "--kind", "true-logprobs", "--per-example", written, "-q").out == "1.5\n"
    assert call("score", written, "--kind", "losses", "-q").out == "1.5\n"


def test_the_first_of_a_list_may_be_missing(call: Call, write: Write) -> None:
    path = write("p.jsonl", '{"lp":[null,-1,-2]}\n{"lp":[]}\n{"lp":[-3]}\n{"lp":[null]}\n')
    done = call("score", path, "--kind", "true-logprobs", "--format", "json")
    report = json.loads(done.out)
    assert {name: count for name, count in report["examples"].items() if count} == {
        "read": 5,
        "scored": 3,
        "ignored": 2,
    }
    assert report["cost"] == 2.0
    assert "2 rows skipped (missing at the start of a list)" in call("score", path, "--kind", "true-logprobs").out


@pytest.mark.parametrize("value", [None, np.nan])
def test_missing_numbers_of_parquet(call: Call, tmp_path: Path, value: float | None) -> None:
    path = str(tmp_path / "p.parquet")
    pq.write_table(pa.table({"lp": [[value, -1.0], [-3.0]]}), path)
    assert call("score", path, "--kind", "true-logprobs", "-q").out == "2.0\n"
    pq.write_table(pa.table({"lp": [[-1.0], [-3.0, value]]}), path)
    done = call("score", path, "--kind", "true-logprobs", "-q")
    assert (done.code, "row 2, column lp[1]: a number is missing" in done.err) == (3, True)
    assert call("score", path, "--kind", "true-logprobs", "-q", "--ignore-label", "nan").out == "2.0\n"


def test_padding_of_weight_0_is_not_checked(write: Write, call: Call) -> None:
    path = write("p.jsonl", '{"lp":[-1,null],"m":[1,0]}\n{"lp":[5,-3],"m":[false,true]}\n')
    assert call("score", path, "--kind", "true-logprobs", "--preds", "lp", "--weights", "m", "-q").out == "2.0\n"


@pytest.mark.parametrize(
    ("second", "message"),
    [
        ('{"lp": [-1, null]}', "row 2 (line 2), column lp[1]: a number is missing; only the first of a list may be"),
        ('{"lp": null}', "row 2 (line 2), column lp: 'null' where the first row has a list"),
        ('{"lp": -1}', "row 2 (line 2), column lp: '-1' where the first row has a list"),
        ('{"lp": [-1, "x"]}', "row 2 (line 2), column lp[1]: 'x' is not a number"),
        ('{"lp": [-1, true]}', "row 2 (line 2), column lp[1]: 'true' is not a number"),
        ('{"lp": [-1, [2]]}', "row 2 (line 2), column lp[1]: '[2]' is not a number"),
        ('{"lp": [-1, 0.5]}', "row 2 (line 2), column lp[1]: 0.5 is not the logarithm of a probability"),
        (f'{{"lp": [-1, -1{"0" * 310}]}}', "larger than any double"),
        ('{"q": [-1]}', "'q' is new"),
    ],
)
def test_an_item_that_cannot_be_scored_is_refused_with_its_place(
    call: Call, write: Write, second: str, message: str
) -> None:
    done = call("score", write("p.jsonl", '{"lp": [null, -2]}\n' + second + "\n"), "--kind", "true-logprobs")
    assert (done.code, message in done.err) == (3, True), done.err


def test_lists_beside_must_be_as_long(call: Call, write: Write) -> None:
    path = write("p.jsonl", '{"lp":[-1,-2],"w":[1,1]}\n{"lp":[-1],"w":[1,1]}\n')
    done = call("score", path, "--kind", "true-logprobs", "--preds", "lp", "--weights", "w")
    assert (done.code, "row 2 (line 2), column w: a list of 2 beside predictions of 1" in done.err) == (3, True)


def test_bytes_of_a_row_count_once(call: Call, write: Write) -> None:
    path = write("p.jsonl", '{"lp":[null,-1,-2],"n":10,"m":[1,0,1]}\n{"lp":[-3],"n":4,"m":[1]}\n')
    options = ("score", path, "--kind", "true-logprobs", "--preds", "lp", "--bytes", "n", "--format", "json")
    assert json.loads(call(*options).out)["bits_per_byte"] == pytest.approx(6 / np.log(2) / 14, rel=1e-15)
    masked = json.loads(call(*options, "--weights", "m").out)
    assert masked["bits_per_byte"] == pytest.approx(5 / np.log(2) / 14, rel=1e-15)


def test_the_column_of_lists_is_proposed(call: Call, write: Write) -> None:
    path = write("p.jsonl", '{"id":"a","lp":[-1,-2]}\n{"id":"b","lp":[-3]}\n')
    done = call("score", path, "--kind", "true-logprobs")
    assert (done.code, "--preds lp takes every number of its lists" in done.err) == (3, True)
    assert call("score", path, "--kind", "true-logprobs", "--preds", "lp", "-q").out == "2.0\n"


def test_a_place_in_lists_of_one_length_is_still_a_column(call: Call, write: Write) -> None:
    path = write("p.jsonl", '{"lp":[-1,-2]}\n{"lp":[-3,-4]}\n')
    assert call("score", path, "--kind", "true-logprobs", "--preds", "lp[1]", "-q").out == "3.0\n"


def test_nothing_in_any_list_is_no_verdict(call: Call, write: Write) -> None:
    assert call("score", write("p.jsonl", '{"lp":[]}\n{"lp":[]}\n'), "--kind", "true-logprobs").code == 5
    assert call("score", write("p.jsonl", '{"lp":[null]}\n'), "--kind", "true-logprobs").code == 5


def test_explain_names_a_way_to_the_losses_of_a_list(call: Call, write: Write) -> None:
    path = write("p.jsonl", '{"lp":[-1,-2]}\n{"lp":[-3]}\n')
    done = call("explain", path, "--kind", "true-logprobs", "--row", "2")
    assert (done.code, "--per-example FILE" in done.err) == (3, True)
