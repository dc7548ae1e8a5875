"""Ids of the labels' side are kept as hashes: right, compact, and told by name where something is wrong."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.conftest import Run, Write
from tests.laws import settings
from xentcli import score
from xentcli.analysis.score import opened
from xentcli.columns.hashing import TextHash
from xentcli.errors import DataError
from xentcli.pairing.join import Keys, ids_at
from xentcli.settings import Settings

laws = settings(deadline=None, max_examples=200)
HASH = TextHash.random()
IDS = st.text(max_size=4) | st.text(min_size=60, max_size=68, alphabet="ab")
HALVES = st.sampled_from([0, 1, 2, 3, 2**62, 2**63 - 1, 2**63, 2**63 + 1, 2**64 - 2, 2**64 - 1])


def keys_of(first: list[int], second: list[int]) -> Keys:
    return Keys.of(HASH, [np.array(first, np.uint64)], [np.array(second, np.uint64)])


@laws
@given(st.lists(IDS, max_size=40), st.lists(IDS, max_size=40))
def test_an_id_is_found_where_it_stands(known: list[str], asked: list[str]) -> None:
    known = list(dict.fromkeys(known))
    keys = Keys.of(HASH, *([half] for half in HASH.of(known)))
    expected = [known.index(one) if one in known else -1 for one in [*asked, *known]]
    assert keys.find([*asked, *known]).tolist() == expected
    assert keys.repeated() is None


@laws
@given(
    st.lists(st.tuples(HALVES, st.integers(0, 3)), max_size=12, unique=True),
    st.lists(st.tuples(HALVES, st.integers(0, 3)), max_size=12),
)
def test_half_a_hash_that_collides_is_told_apart_by_the_other(
    known: list[tuple[int, int]], asked: list[tuple[int, int]]
) -> None:
    keys = keys_of([a for a, _ in known], [b for _, b in known])
    halves = (np.array([a for a, _ in asked], np.uint64), np.array([b for _, b in asked], np.uint64))
    found = keys.find_hashes(*halves).tolist()
    assert found == [known.index(pair) if pair in known else -1 for pair in asked]


@laws
@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2)), max_size=10))
def test_the_first_repetition_is_told(pairs: list[tuple[int, int]]) -> None:
    found = keys_of([a for a, _ in pairs], [b for _, b in pairs]).repeated()
    again = [row for row, pair in enumerate(pairs) if pair in pairs[:row]]
    assert found == ((again[0], pairs.index(pairs[again[0]]), len(again)) if again else None)


def write_files(folder: Path, rows: int) -> tuple[str, str]:
    order = np.random.default_rng(0).permutation(rows).tolist()
    preds, labels = folder / f"p{rows}.csv", folder / f"y{rows}.csv"
    preds.write_text("id,a,b\n" + "".join(f"image_{i:08d}.jpg,0.25,0.75\n" for i in range(rows)))
    labels.write_text("id,truth\n" + "".join(f"image_{i:08d}.jpg,{'ab'[i % 2]}\n" for i in order))
    return str(preds), str(labels)


def traced(files: tuple[str, str]) -> int:
    tracemalloc.start()
    try:
        opened(*files, Settings(id="id"))
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_an_id_and_its_label_take_at_most_forty_bytes(tmp_path: Path) -> None:
    # What is read ahead of both files is all in memory with the fewer rows already.
    few, many = 250_000, 750_000
    peaks = [traced(write_files(tmp_path, rows)) for rows in (few, many)]
    assert (peaks[1] - peaks[0]) / (many - few) <= 40, peaks


def test_what_is_unused_is_told_by_name_and_of_a_stream_by_row(tmp_path: Path) -> None:
    (tmp_path / "p.csv").write_text("id,a,b\nu,0.5,0.5\n")
    (tmp_path / "y.csv").write_text("id,truth\nv,a\nu,b\nw,a\n")
    with pytest.raises(DataError, match=r"2 ids are not in .*: 'v', 'w'"):
        score(tmp_path / "p.csv", tmp_path / "y.csv", id="id")
    feed = opened(str(tmp_path / "p.csv"), str(tmp_path / "y.csv"), Settings(id="id"))
    source, pick = feed.sources[1], feed.plan.picks[1]["id"]
    assert ids_at(source, pick, [0, 2]) == ["v", "w"]
    object.__setattr__(source.stream, "path", None)  # type: ignore[attr-defined]
    assert ids_at(source, pick, [0, 2]) == ["row 1", "row 3"]


@pytest.mark.parametrize("block_bytes", [1, 16, 1 << 20])
def test_an_id_that_comes_again_in_a_later_block_is_refused(block_bytes: int, write: Write) -> None:
    labels = write("l.csv", "id,label\nx,a\ny,b\nz,a\n")
    for ids, told in (
        ("xyx", "row 3 (line 4): id 'x' appears twice, first at row 1 (line 2)"),
        ("xyzxyz", "row 4 (line 5): id 'x' appears twice, first at row 1 (line 2) (3 rows repeat an id)"),
        ("xxy", "row 2 (line 3): id 'x' appears twice, first at row 1 (line 2)"),
        ("yxy", "row 3 (line 4): id 'y' appears twice, first at row 1 (line 2)"),
    ):
        preds = write("p.csv", "id,a,b\n" + "".join(f"{name},0.5,0.5\n" for name in ids))
        with pytest.raises(DataError, match="twice") as caught:
            score(preds, labels, id="id", subset=True, block_bytes=block_bytes)
        assert told in str(caught.value), str(caught.value)


@pytest.mark.parametrize("block_bytes", [1, 40, 1 << 20])
def test_ids_that_are_told_are_those_of_any_block(block_bytes: int, write: Write) -> None:
    names = [f"id{number}" for number in range(60)]
    labels = write("l.csv", "id,label\n" + "".join(f"{name},a\n" for name in names))
    for left_out in ([0], [59], [7, 30, 58], [1, 2, 3, 4, 5]):
        kept = [name for number, name in enumerate(names) if number not in left_out]
        preds = write("p.csv", "id,a,b\n" + "".join(f"{name},0.5,0.5\n" for name in kept))
        with pytest.raises(DataError, match="not in") as caught:
            score(preds, labels, id="id", block_bytes=block_bytes)
        few = [f"'id{number}'" for number in left_out[:3]]
        assert all(name in str(caught.value) for name in few), str(caught.value)
        assert str(caught.value).count("'id") == len(few)


def test_an_id_of_a_stream_that_is_there_twice_is_told_by_its_row(xent: Run, write: Write) -> None:
    preds = write("p.csv", "id,a,b\nx,0.5,0.5\ny,0.5,0.5\n")
    done = xent("score", preds, "-", "--id", "id", input="id,label\nx,a\ny,b\nx,a\n")
    assert done.returncode == 3
    assert "row 3" in done.stderr and ": an id appears twice, first at row 1" in done.stderr
