"""Which label goes with which prediction: by position, by id, by weight or not at all."""

from __future__ import annotations

import dataclasses
import io
import math
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from pyarrow import feather
from pyarrow import parquet as pq

from tests.conftest import Write, csv
from tests.laws import settings
from xentcli import score
from xentcli.errors import DataError, NoVerdict, XentError
from xentcli.report.per_example import PerExample
from xentcli.report.report import Report

laws = settings(deadline=None, max_examples=60)

PETS = ("cat", "dog", "emu")


def refusal(error: type[XentError], *files: Any, **options: Any) -> str:
    """Score what must be refused; return the message with its advice."""
    with pytest.raises(error) as caught:
        score(*files, **options)
    assert type(caught.value).exit_code == error.exit_code
    return str(caught.value)


def some(rows: int, seed: int = 0) -> pd.DataFrame:
    """Predictions that differ in every row."""
    return pd.DataFrame(np.random.default_rng(seed).dirichlet((1, 2, 3), rows), columns=list(PETS))


def truth(rows: int, seed: int = 0) -> list[str]:
    return [PETS[c] for c in np.random.default_rng(seed + 1).integers(0, 3, rows)]


def figures(report: Report) -> dict[str, Any]:
    """All that a report says of the data, and nothing of the files."""
    plain = report.to_dict()
    return {name: plain[name] for name in plain if name not in ("inputs", "options", "alignment")}


def by_row(*files: Any, **options: Any) -> list[tuple[str | None, float]]:
    """The label of each row and the probability that it was given."""
    blocks: list[PerExample] = []
    score(*files, sink=blocks.append, **options)
    return [pair for block in blocks for pair in zip(block.labels or (), block.probability.tolist(), strict=True)]


# By position when the row counts agree.


def test_rows_are_matched_by_position() -> None:
    preds = some(5)
    labels = truth(5)
    assert by_row(preds, labels) == [(label, preds[label][row]) for row, label in enumerate(labels)]
    assert score(preds, labels).alignment == "position"


def test_neither_blocks_nor_threads_change_which_label_goes_with_which_row(write: Write) -> None:
    preds, labels = some(70), truth(70)
    one = write("p.csv", preds.to_csv(index=False))
    two = write("l.csv", csv([["x" * (row % 40), label] for row, label in enumerate(labels)], ["note", "truth"]))
    whole = score(one, two, label="truth")
    for block_bytes in (1, 100, 300, 1_297):
        for threads in (1, 3):
            assert score(one, two, label="truth", block_bytes=block_bytes, threads=threads) == whole
    assert whole.cost == score(preds, labels).cost


@pytest.mark.parametrize("length", [2, 4, 50])
def test_row_counts_that_differ_are_refused_with_both(length: int) -> None:
    message = refusal(DataError, some(3), truth(length))
    assert "predictions has 3" in message
    assert f"labels has {length}" in message
    assert "--id" not in message, "no column is left for it"


@pytest.mark.parametrize(("count", "other"), [(2_000, 1_999), (1_999, 2_000), (2_000, 1), (1, 2_000), (1234, 5678)])
def test_row_counts_are_told_exactly_however_the_files_are_read(count: int, other: int, write: Write) -> None:
    preds = write("p.csv", some(count).to_csv(index=False))
    labels = write("l.csv", csv([[label] for label in truth(other)], ["truth"]))
    for block_bytes in (500, 1 << 20):
        message = refusal(DataError, preds, labels, block_bytes=block_bytes)
        assert f"{preds} has {count:,}" in message
        assert f"{labels} has {other:,}" in message


def test_row_counts_that_differ_are_refused_also_where_one_file_gives_nothing(write: Write) -> None:
    one, two = write("p.csv", "cat,dog,truth\n.5,.5,cat\n"), write("l.csv", "a,b\n1,2\n3,4\n")
    message = refusal(DataError, one, two, preds="cat,dog", label="truth")
    assert "has 1" in message
    assert "has 2" in message


def test_a_header_that_was_taken_as_data_is_the_likely_reason_of_one_row_too_many(write: Write) -> None:
    preds = write("p.csv", "5,2,3\n.5,.3,.2\n.1,.6,.3\n")
    message = refusal(DataError, preds, write("l.csv", "truth\n1\n0\n"), kind="logits", preds="#1:#3")
    assert f"is the first line of {preds}, '5,2,3', a header? --header predictions" in message


def test_data_that_were_taken_as_a_header_are_the_likely_reason_of_one_row_too_few(write: Write) -> None:
    labels = write("l.csv", "ham\nspam\n")
    message = refusal(DataError, write("p.csv", "p\n.5\n.25\n"), labels, positive="spam")
    assert f"is the first line of {labels}, 'ham', data? --no-header labels" in message


def test_a_file_with_a_header_alone_is_refused_beside_a_file_with_rows(write: Write) -> None:
    rows = write("p.csv", "cat,dog\n.5,.5\n.25,.75\n")
    message = refusal(DataError, rows, write("l.csv", "truth\n"))
    assert "has 2" in message
    assert "has 0" in message
    message = refusal(DataError, write("h.csv", "cat,dog\n"), write("m.csv", "truth\ncat\n"))
    assert "has 1" in message
    assert "has 0" in message


@pytest.mark.parametrize("labels", ["truth\ncat\ndog\n", "truth\n0\n1\n", "0\n1\n", "1\n0\n"])
def test_files_that_were_swapped_are_the_likely_reason(labels: str, write: Write) -> None:
    preds, two = write("p.csv", "cat,dog\n.5,.5\n.25,.75\n"), write("l.csv", labels)
    message = refusal(DataError, two, preds)
    assert "swapped" in message
    assert f"xent score {preds} {two}" in message


def test_arrays_that_were_swapped_are_the_likely_reason(tmp_path: Any) -> None:
    np.save(tmp_path / "p.npy", np.full((3, 4), 0.25))
    np.save(tmp_path / "l.npy", np.array([0, 1, 2]))
    assert "swapped" in refusal(DataError, tmp_path / "l.npy", tmp_path / "p.npy")


# By --id in any order.


@given(st.permutations(range(12)), st.permutations(range(12)), st.booleans())
@laws
def test_by_id_any_order_of_either_file_gives_every_figure_the_same_bits(
    order: Sequence[int], other_order: Sequence[int], weighted: bool
) -> None:
    preds = some(12).assign(image=range(100, 112))
    labels = pd.DataFrame({"image": range(100, 112), "truth": truth(12), "w": np.arange(12) % 5 / 3})
    options: dict[str, Any] = {"label": "truth", "weights": "w"} if weighted else {"label": "truth"}
    by_position = score(preds.drop(columns="image"), labels.drop(columns="image"), **options)
    by_id = score(preds.iloc[list(order)], labels.iloc[list(other_order)], id="image", **options)
    assert figures(by_id) == figures(by_position)
    assert by_id.alignment == "id"


def test_by_id_each_row_gets_its_own_label(write: Write) -> None:
    preds = write("p.csv", "image,cat,dog\nc,.5,.5\na,.25,.75\nb,.125,.875\n")
    labels = write("l.csv", "truth,image\ncat,a\ndog,b\ndog,c\n")
    assert by_row(preds, labels, id="image") == [("dog", 0.5), ("cat", 0.25), ("dog", 0.875)]
    assert by_row(preds, labels, id="image", block_bytes=1) == by_row(preds, labels, id="image")


def test_by_id_the_report_counts_the_rows_of_both(write: Write) -> None:
    preds = write("p.csv", "image,cat,dog\nb,.5,.5\na,.25,.75\n")
    report = score(preds, write("l.csv", "image,truth\na,cat\nb,dog\n"), id="image")
    assert [given.rows for given in report.inputs] == [2, 2]
    assert [given.unused for given in report.inputs] == [(), ()]


def test_ids_are_text(write: Write) -> None:
    preds = write("p.csv", "image,cat,dog\n01,.5,.5\n1,.25,.75\nNA,.125,.875\n")
    labels = write("l.csv", "image,truth\nNA,cat\n1,cat\n01,cat\n")
    assert by_row(preds, labels, id="image") == [("cat", 0.5), ("cat", 0.25), ("cat", 0.125)]
    assert "01" in refusal(DataError, preds, write("m.csv", "image,truth\nNA,cat\n1,cat\n1.0,cat\n"), id="image")


@pytest.mark.parametrize("spec", ["#1", "image", "im*"])
def test_the_id_is_looked_for_in_both_files(spec: str, write: Write) -> None:
    preds = write("p.csv", "image,cat,dog\nb,.5,.5\na,.25,.75\n")
    labels = write("l.csv", "image,truth\na,cat\nb,dog\n")
    assert by_row(preds, labels, id=spec) == [("dog", 0.5), ("cat", 0.25)]


def test_an_id_that_one_file_has_not_is_refused_listing_its_columns(write: Write) -> None:
    labels = write("l.csv", "name,truth\na,cat\n")
    message = refusal(DataError, write("p.csv", "image,cat,dog\na,.5,.5\n"), labels, id="image", label="truth")
    assert "--id 'image'" in message
    assert f"{labels} has the columns name, truth" in message


def ids(*names: str) -> pd.DataFrame:
    return pd.DataFrame({"id": names, "cat": 0.5, "dog": 0.5})


def labelled(*names: str) -> pd.DataFrame:
    return pd.DataFrame({"id": names, "truth": "cat"})


def test_ids_without_a_label_are_refused_with_count_and_examples() -> None:
    message = refusal(DataError, ids("a", "x", "b", "y", "z", "u", "v"), labelled("a", "b"), id="id")
    assert "5 ids are not in labels: 'x', 'y', 'z'" in message
    assert "'a'" not in message


def test_one_id_without_a_label_is_refused() -> None:
    assert "1 id is not in labels: 'x'" in refusal(DataError, ids("a", "x"), labelled("a", "b"), id="id")


@pytest.mark.parametrize("extra", [1, 5, 2_500])
def test_labels_without_a_prediction_are_refused_with_count_and_examples(extra: int) -> None:
    message = refusal(DataError, ids("a"), labelled("a", *(f"b{i}" for i in range(extra))), id="id")
    assert f"{extra:,} id" in message
    assert "in predictions" in message
    assert "'b0'" in message


@pytest.mark.parametrize(("names", "count"), [(("a", "b", "a"), 1), (("a", "b", "b", "a", "b"), 3)])
@pytest.mark.parametrize("side", ["predictions", "labels"])
def test_an_id_that_is_there_twice_is_refused_on_either_side(names: tuple[str, ...], count: int, side: str) -> None:
    files = (ids(*names), labelled("a", "b")) if side == "predictions" else (ids("a", "b"), labelled(*names))
    message = refusal(DataError, *files, id="id")
    assert message.startswith(side)
    assert "'a'" in message or "row 3: id 'b' appears twice, first at row 2" in message
    assert count == 1 or f"{count} rows repeat an id" in message


def test_examples_of_missing_ids_are_missing_ids_also_where_others_are_there_twice() -> None:
    message = refusal(DataError, ids("a", "a", "a", "x"), labelled("a", "b"), id="id")
    assert "id 'a' appears twice, first at row 1 (2 rows repeat an id)" in message
    assert "not in labels: 'a'" not in message
    assert "1 id is not in labels: 'x'" in refusal(DataError, ids("a", "x"), labelled("a"), id="id")


def test_ids_that_are_wrong_are_told_before_a_row_is_scored_wrongly() -> None:
    blocks: list[PerExample] = []
    refusal(DataError, ids("a", "x"), labelled("a", "b"), id="id", sink=blocks.append, block_bytes=1)
    assert sum(block.count for block in blocks) <= 1


def test_an_error_of_a_row_that_was_matched_by_id_names_where_it_stands(write: Write) -> None:
    preds = write("p.csv", "id,cat,dog\nc,.5,.5\nb,.5,.5\na,.5,.5\n")
    labels = write("l.csv", "id,truth\na,cat\nb,cow\nc,dog\n")
    message = refusal(DataError, preds, labels, id="id")
    assert f"cow is first in {labels}, row 2 (line 3), column truth" in message
    labels = write("l.csv", "id,truth,w\na,cat,1\nb,dog,-2\nc,dog,1\n")
    message = refusal(DataError, preds, labels, id="id", label="truth", weights="w")
    assert f"{labels}, row 2 (line 3), column w: weight -2" in message
    preds = write("p.csv", "id,cat,dog\nc,.5,.5\nb,.5,.5\na,.5,.6\n")
    labels = write("l.csv", "id,truth\na,cat\nb,dog\nc,dog\n")
    assert f"{preds}, row 3 (line 4)" in refusal(DataError, preds, labels, id="id")


def test_by_id_a_stream_is_joined_too(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    preds = write("p.csv", "id,cat,dog\nb,.5,.5\na,.25,.75\n")
    labels = write("l.csv", "id,truth\na,cat\nb,dog\n")
    for files, text in (
        ((preds, "-"), b"id,truth\na,cat\nb,dog\n"),
        (("-", labels), b"id,cat,dog\nb,.5,.5\na,.25,.75\n"),
    ):
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text), encoding="utf-8"))
        assert by_row(*files, id="id") == [("dog", 0.5), ("cat", 0.25)]


def test_in_one_file_the_id_is_carried_along(write: Write) -> None:
    path = write("p.csv", "id,cat,dog,truth\nb,.5,.5,cat\nb,.25,.75,dog\n")
    blocks: list[PerExample] = []
    score(path, id="id", label="truth", sink=blocks.append)
    assert [one for block in blocks for one in block.ids or ()] == ["b", "b"]


# An unnamed first column, what pandas writes for its index.


def indexed(order: Sequence[int]) -> tuple[str, str]:
    """Predictions and labels as pandas writes them, the labels in this order."""
    preds = pd.DataFrame({"cat": [0.5, 0.25, 0.125], "dog": [0.5, 0.75, 0.875]})
    labels = pd.DataFrame({"truth": ["cat", "dog", "dog"]})
    return preds.to_csv(), labels.iloc[list(order)].to_csv()


def test_an_unnamed_first_column_is_no_class(write: Write) -> None:
    report = score(write("p.csv", indexed((0, 1, 2))[0]), ["cat", "dog", "dog"])
    assert report.classes == ("cat", "dog")
    assert report.warnings == ()
    logits = write("z.csv", ",0,1,2\n0,1.5,2.5,-1\n1,.5,.25,1\n")
    assert score(logits, [0, 2], kind="logits").classes == ("0", "1", "2")


def test_row_names_in_the_same_order_in_both_files_are_fine(write: Write) -> None:
    preds, labels = indexed((0, 1, 2))
    report = score(write("p.csv", preds), write("l.csv", labels))
    assert report.labels.counts == (1, 2)
    assert report.warnings == ()


@pytest.mark.parametrize("block_bytes", [1, 1 << 20])
def test_the_same_row_names_in_another_order_are_refused_naming_both_ways_out(block_bytes: int, write: Write) -> None:
    preds, labels = (write(name, text) for name, text in zip(("p.csv", "l.csv"), indexed((2, 0, 1)), strict=True))
    message = refusal(DataError, preds, labels, block_bytes=block_bytes)
    assert preds in message
    assert labels in message
    assert "--id '#1'" in message
    assert "--align position" in message


def test_row_names_in_another_order_are_matched_by_id_or_taken_as_they_stand(write: Write) -> None:
    preds, labels = (write(name, text) for name, text in zip(("p.csv", "l.csv"), indexed((2, 0, 1)), strict=True))
    assert by_row(preds, labels, id="#1") == [("cat", 0.5), ("dog", 0.75), ("dog", 0.875)]
    assert by_row(preds, labels, align="position") == [("dog", 0.5), ("cat", 0.25), ("dog", 0.875)]
    assert score(preds, labels, align="position").warnings == ()


def test_row_names_that_are_other_sets_are_matched_by_position_with_a_warning(write: Write) -> None:
    preds = write("p.csv", indexed((0, 1, 2))[0])
    labels = write("l.csv", ",truth\n7,cat\n8,dog\n9,dog\n")
    report = score(preds, labels)
    assert report.labels.counts == (1, 2)
    assert [warning.code for warning in report.warnings] == ["row-names-differ"]
    assert "--id '#1'" in report.warnings[0].advice
    assert "--align position" in report.warnings[0].advice


def test_row_names_that_occur_a_different_number_of_times_are_other_sets(write: Write) -> None:
    preds = write("p.csv", ",cat,dog\na,.5,.5\na,.5,.5\nb,.5,.5\n")
    labels = write("l.csv", ",truth\na,cat\nb,dog\nb,dog\n")
    assert [warning.code for warning in score(preds, labels).warnings] == ["row-names-differ"]


def test_row_names_in_one_file_alone_are_left_out(write: Write) -> None:
    labels = write("l.csv", ",truth\n2,cat\n0,dog\n1,dog\n")
    assert score(some(3)[["cat", "dog"]].pipe(lambda f: f.div(f.sum(axis=1), axis=0)), labels).warnings == ()


# Weights.


@pytest.mark.parametrize("side", ["predictions", "labels"])
def test_weights_may_stand_in_either_file(side: str, write: Write) -> None:
    preds, labels = "cat,dog{}\n.5,.5{}\n.25,.75{}\n", "truth{}\ncat{}\ncat{}\n"
    added = (",w", ",1", ",3")
    one = write("p.csv", preds.format(*(added if side == "predictions" else ("",) * 3)))
    two = write("l.csv", labels.format(*(added if side == "labels" else ("",) * 3)))
    report = score(one, two, weights="w")
    assert report.cost == pytest.approx((math.log(2) + 3 * math.log(4)) / 4, rel=1e-15)
    assert report.weight_sum == 4


@pytest.mark.parametrize("weight", ["-1", "-1e-300", "nan", "inf", "-inf"])
@pytest.mark.parametrize("side", ["predictions", "labels"])
def test_a_weight_that_is_negative_or_not_finite_is_refused_with_its_row(weight: str, side: str, write: Write) -> None:
    preds, labels = "cat,dog{}\n.5,.5{}\n.25,.75{}\n", "truth{}\ncat{}\ncat{}\n"
    added = (",w", ",1", f",{weight}")
    one = write("p.csv", preds.format(*(added if side == "predictions" else ("",) * 3)))
    two = write("l.csv", labels.format(*(added if side == "labels" else ("",) * 3)))
    message = refusal(DataError, one, two, weights="w")
    assert f"{one if side == 'predictions' else two}, row 2 (line 3), column w" in message
    assert f"weight {weight}" in message


def test_a_weight_that_is_no_number_is_refused_with_its_row(write: Write) -> None:
    path = write("p.csv", "cat,dog,w\n.5,.5,1\n.25,.75,NA\n")
    assert f"{path}, row 2 (line 3), column w: 'NA' is not a number" in refusal(
        DataError, path, ["cat", "dog"], weights="w"
    )


def test_a_weight_of_minus_0_is_0() -> None:
    report = score(some(2).assign(w=[-0.0, 1.0]), ["cat", "dog"], weights="w")
    assert report.examples.zero_weight == 1


def test_weights_that_are_all_0_are_no_verdict() -> None:
    assert "weights" in refusal(NoVerdict, some(2).assign(w=0.0), ["cat", "dog"], weights="w")
    assert "weights" in refusal(NoVerdict, some(2).assign(w=0), ["junk", "more"], weights="w")


def test_a_weight_of_2_means_what_the_row_twice_means() -> None:
    preds, labels = some(3), truth(3)
    twice = score(pd.concat([preds, preds.iloc[[1]]]), [*labels, labels[1]])
    weighted = score(preds.assign(w=[1, 2, 1]), labels, weights="w")
    for name in ("cost", "accuracy", "brier", "prior", "total", "weight_sum"):
        assert getattr(weighted, name) == pytest.approx(getattr(twice, name), rel=1e-15)


def test_weights_of_1_are_no_weights() -> None:
    preds, labels = some(20), truth(20)
    assert figures(score(preds.assign(w=1.0), labels, weights="w")) == figures(score(preds, labels))


@given(st.lists(st.sampled_from([0.0, 0.0, 1.0, 0.1, 2.5]), min_size=2, max_size=30), st.integers(0, 1000))
@laws
def test_rows_of_weight_0_change_no_bit_of_any_figure(weights: list[float], seed: int) -> None:
    assume(any(weights))
    kept = [row for row, weight in enumerate(weights) if weight]
    gone = [row for row, weight in enumerate(weights) if not weight]
    preds = some(len(weights), seed).assign(w=weights)
    labels = pd.Series(truth(len(weights), seed), dtype=object)
    clean = score(preds.iloc[kept], labels.iloc[kept], weights="w")
    preds.loc[gone, list(PETS)] = (math.nan, 7.0, -math.inf)
    labels[gone] = "junk"
    report = score(preds, labels, weights="w")
    assert report.examples.read == len(weights)
    assert report.examples.zero_weight == len(gone)
    with_their_counts = dataclasses.replace(report, examples=clean.examples)
    assert figures(with_their_counts) == figures(clean)


def test_rows_of_weight_0_cause_no_warnings(write: Write) -> None:
    path = write("p.csv", "cat,dog,w\n.5,.5,1\n1e-400,1,0\n0,0,0\n")
    assert score(path, ["dog", "cat", "cat"], weights="w").warnings == ()


def test_rows_of_weight_0_keep_the_row_numbers_of_the_others(write: Write) -> None:
    path = write("p.csv", "cat,dog,w\n7,7,0\n.5,.5,1\n0,1,1\n.5,.6,1\n")
    message = refusal(DataError, path, ["cat"] * 4, weights="w")
    assert f"{path}, row 4 (line 5)" in message
    report = score(path, ["cat"] * 4, weights="w", sum_tolerance=0.2)
    assert report.infinite.rows == (3,)


def test_rows_of_weight_0_have_nan_in_the_per_example_losses() -> None:
    blocks: list[PerExample] = []
    score(some(3).assign(w=[1, 0, 2]), ["cat", "junk", "dog"], weights="w", sink=blocks.append)
    assert [math.isnan(loss) for block in blocks for loss in block.loss] == [False, True, False]
    assert [weight for block in blocks for weight in block.weight] == [1, 0, 2]


# Nothing to judge.


EMPTY = {"zero bytes": "", "blank lines": "\n\n", "a byte order mark": "\ufeff", "a header": "cat,dog\n"}


@pytest.mark.parametrize("preds", EMPTY.values(), ids=EMPTY)
@pytest.mark.parametrize("labels", ["", "truth\n"], ids=["zero bytes", "a header"])
def test_two_files_without_rows_are_no_verdict(preds: str, labels: str, write: Write) -> None:
    assert "no rows" in refusal(NoVerdict, write("p.csv", preds), write("l.csv", labels))


@pytest.mark.parametrize("empty", EMPTY.values(), ids=EMPTY)
def test_one_file_of_two_without_rows_is_refused(empty: str, write: Write) -> None:
    nothing = write("e.csv", empty)
    assert nothing in refusal(DataError, nothing, write("l.csv", "truth\ncat\ndog\n"))
    assert nothing in refusal(DataError, write("p.csv", "cat,dog\n.5,.5\n"), nothing)


@pytest.mark.parametrize("row", [".5,.5\n", ".25,.75", "1,0\n"])
def test_a_file_of_one_row_is_refused_beside_an_empty_file(row: str, write: Write) -> None:
    nothing = write("e.csv", "")
    assert nothing in refusal(DataError, write("p.csv", row), nothing)
    assert nothing in refusal(DataError, nothing, write("l.csv", "1\n"))
    assert nothing in refusal(DataError, write("h.csv", "cat,dog\n"), nothing, no_header="predictions", classes="a,b")


def test_an_array_without_rows_beside_an_empty_file_is_no_verdict(write: Write) -> None:
    assert "no rows" in refusal(NoVerdict, np.zeros((0, 2)), write("l.csv", ""))
    assert "no rows" in refusal(NoVerdict, write("p.csv", ""), np.zeros(0))


@pytest.mark.parametrize("text", ["", "\n", "cat,dog,truth\n"])
def test_one_file_alone_without_rows_is_no_verdict(text: str, write: Write) -> None:
    assert "no rows" in refusal(NoVerdict, write("p.csv", text), label="truth")


@pytest.mark.parametrize("kind", ["true-probs", "true-logprobs", "losses"])
def test_a_file_without_rows_is_no_verdict_for_kinds_without_labels(kind: str, write: Write, tmp_path: Any) -> None:
    assert "no rows" in refusal(NoVerdict, write("p.csv", "loss\n"), kind=kind)
    np.save(tmp_path / "e.npy", np.zeros(0))
    assert "no rows" in refusal(NoVerdict, tmp_path / "e.npy", kind=kind)


def test_arrays_without_rows_are_no_verdict(tmp_path: Any) -> None:
    np.save(tmp_path / "p.npy", np.zeros((0, 3)))
    np.save(tmp_path / "l.npy", np.zeros(0, dtype=int))
    assert "no rows" in refusal(NoVerdict, tmp_path / "p.npy", tmp_path / "l.npy")
    assert "no rows" in refusal(NoVerdict, np.zeros((0, 3)), np.zeros(0, dtype=int))
    assert "no rows" in refusal(NoVerdict, np.zeros((0, 3)), [])
    assert "no rows" in refusal(NoVerdict, some(0), pd.Series([], dtype=object))


def test_one_array_of_two_without_rows_is_refused(tmp_path: Any) -> None:
    np.save(tmp_path / "p.npy", np.zeros((0, 3)))
    assert "has 0" in refusal(DataError, tmp_path / "p.npy", [0, 1])
    assert "has 0" in refusal(DataError, np.full((2, 2), 0.5), np.zeros(0, dtype=int))


def test_by_id_two_files_without_rows_are_no_verdict_and_one_is_refused(write: Write) -> None:
    preds, labels = write("p.csv", "id,cat,dog\n"), write("l.csv", "id,truth\n")
    assert "no rows" in refusal(NoVerdict, preds, labels, id="id")
    refusal(DataError, preds, write("m.csv", "id,truth\na,cat\n"), id="id")
    refusal(DataError, write("q.csv", "id,cat,dog\na,.5,.5\n"), labels, id="id")


BARE: dict[str, Any] = {"p.csv": "1,2\n", "p.jsonl": "", "p.npy": np.zeros((0, 2)), "p.npz": np.zeros((0, 2))}
WITHOUT_LABELS: dict[str, Any] = {
    "l.jsonl": "",
    "l.csv": "",
    "l.tsv": "t_1\tt_2\n",
    "l.npy": np.zeros((0, 2)),
    "l.npz": np.zeros((0, 2)),
}


@pytest.mark.parametrize("options", [{}, {"classes": "cat,dog"}, {"multilabel": True}, {"kind": "logits"}], ids=str)
@pytest.mark.parametrize("labels", WITHOUT_LABELS)
@pytest.mark.parametrize("preds", BARE)
def test_without_a_row_the_number_of_columns_does_not_matter(
    preds: str, labels: str, options: dict[str, Any], tmp_path: Path
) -> None:
    """How many numbers a list column has, only a row says; what an empty file would have been, nothing says."""
    for name, content in ((preds, BARE[preds]), (labels, WITHOUT_LABELS[labels])):
        path = tmp_path / name
        if isinstance(content, str):
            path.write_text(content)
        elif path.suffix == ".npz":
            arrays: dict[str, Any] = {path.stem: content}
            np.savez(path, **arrays)
        else:
            np.save(path, np.asarray(content))
    said: dict[str, Any] = {"header": "predictions"} if preds == "p.csv" else {}
    if labels == "l.csv":
        said["no_header"] = "labels"
    assert "no rows" in refusal(NoVerdict, tmp_path / preds, tmp_path / labels, **options, **said)


def test_a_list_column_without_rows_is_no_verdict_whatever_the_label_columns_are(tmp_path: Path) -> None:
    lists = pa.array([], pa.list_(pa.float64()))
    pq.write_table(pa.table({"scores": lists, "truth": pa.array([], pa.string())}), tmp_path / "p.parquet")
    feather.write_feather(pa.table({"dist": lists, "site": lists}), tmp_path / "l.arrow", compression="uncompressed")
    for options in ({}, {"classes": "cat,dog,emu"}, {"multilabel": True}):
        assert "no rows" in refusal(NoVerdict, tmp_path / "p.parquet", tmp_path / "l.arrow", label="dist", **options)
        assert "no rows" in refusal(NoVerdict, tmp_path / "p.parquet", preds="scores", label="truth", **options)


@pytest.mark.parametrize(
    ("preds", "options"), [("a,b\n", {}), ("1,2\n", {"header": "both"}), ("", {"preds": "a,b"})], ids=str
)
def test_a_stream_without_rows_beside_an_empty_file_is_no_verdict(
    preds: str, options: dict[str, Any], write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(preds.encode()), encoding="utf-8"))
    assert "no rows" in refusal(NoVerdict, "-", write("l.csv", ""), **options)


def test_a_column_that_is_not_there_is_told_before_there_are_no_rows(write: Write) -> None:
    preds, labels = write("p.csv", "cat,dog\n"), write("l.csv", "truth\n")
    assert "no such column" in refusal(DataError, preds, labels, preds="cat,emu")


@pytest.mark.parametrize("block_bytes", [1, 64, 1 << 20])
def test_row_names_in_another_order_are_seen_whatever_the_blocks(block_bytes: int, write: Write) -> None:
    names = [f"r{number}" for number in range(40)]
    preds = write("p.csv", ",a,b\n" + "".join(f"{name},0.5,0.5\n" for name in names))
    for order, refused in (
        (names, False),
        (names[::-1], True),
        ([*names[1:], names[0]], True),
        ([f"s{n}" for n in names], False),
    ):
        labels = write("y.csv", ",label\n" + "".join(f"{name},a\n" for name in order))
        if refused:
            with pytest.raises(DataError, match="in another order"):
                score(preds, labels, block_bytes=block_bytes)
        else:
            report = score(preds, labels, block_bytes=block_bytes)
            codes = {warning.code for warning in report.warnings} - {"worse-than-prior"}
            assert bool(codes) == (order != names)
