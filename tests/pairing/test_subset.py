"""--subset scores the rows that both files have, and counts what either side lacks; ids that nearly match are shown."""

from __future__ import annotations

import json
import random
import shlex
from pathlib import Path

import numpy as np
import pytest

from tests.conftest import Call, Write
from xentcli import score
from xentcli.errors import DataError
from xentcli.pairing.near import STEPS, differing, loose
from xentcli.report.per_example import PerExample

Q = {f"r{i}": (round(0.05 + 0.9 * i / 40, 4), "ab"[i % 3 == 0]) for i in range(40)}


def preds(ids: list[str]) -> str:
    return "id,a,b\n" + "".join(f"{i},{Q[i][0]},{1 - Q[i][0]:.4f}\n" for i in ids)


def labels(ids: list[str], **odd: str) -> str:
    return "id,truth,w\n" + "".join(f"{i},{odd.get(i, Q[i][1])},{1 + int(i[1:]) % 3}\n" for i in ids)


@pytest.mark.parametrize("block_bytes", [1, 60, 1 << 20])
@pytest.mark.parametrize("weights", [None, "w"])
def test_a_subset_is_both_files_without_what_the_other_lacks(
    write: Write, block_bytes: int, weights: str | None
) -> None:
    predicted, labelled = list(Q)[:30], list(Q)[12:]
    random.Random(1).shuffle(labelled)
    both = [one for one in predicted if one in labelled]
    # What has no prediction does not decide the rule of the labels, and its weight is not checked.
    odd = labels(labelled, r35="zebra").replace("r36,b,1", "r36,b,-1")
    whole = score(write("p.csv", preds(predicted)), write("y.csv", odd), id="id", label="truth", weights=weights,
                  subset=True, block_bytes=block_bytes)  # fmt: skip
    cut = score(write("p2.csv", preds(both)), write("y2.csv", labels(both)), id="id", label="truth", weights=weights)
    for name in ("cost", "standard_error", "accuracy", "brier", "prior", "weight_sum"):
        assert whole.value(name) == cut.value(name)
    assert whole.examples.unmatched == 12 and whole.examples.read == 30 and whole.examples.scored == 18
    assert whole.unmatched is not None and cut.unmatched is None
    assert (whole.unmatched.predictions, whole.unmatched.labels) == (12, 10)
    assert whole.unmatched.prediction_ids == ("r0", "r1", "r2")
    assert set(whole.unmatched.label_ids) <= set(labelled) - set(both) and len(whole.unmatched.label_ids) == 3


def test_a_row_without_a_partner_has_no_loss_and_is_in_its_place(write: Write, call: Call) -> None:
    taken: list[PerExample] = []
    files = write("p.csv", preds(["r1", "r2", "r3"])), write("y.csv", labels(["r3", "r1"]))
    score(*files, id="id", label="truth", subset=True, sink=taken.append)
    losses = np.concatenate([each.loss for each in taken])
    assert np.isnan(losses).tolist() == [False, True, False]
    shown = call("score", *files, "--id", "id", "--label", "truth", "--subset")
    assert "1 prediction without a label: r2" in shown.out
    report = json.loads(call("score", *files, "--id", "id", "--label", "truth", "--subset", "--format", "json").out)
    assert report["unmatched"] == {"predictions": 1, "labels": 0, "prediction_ids": ["r2"], "label_ids": []}
    refused = call("explain", *files, "--id", "id", "--label", "truth", "--subset", "--row", "2")
    assert refused.code == 3 and "the row has no partner" in refused.err


def test_without_subset_the_refusal_counts_both_and_names_it(write: Write) -> None:
    files = write("p.csv", preds(["r1", "r2", "r3"])), write("y.csv", labels(["r3", "r1"]))
    with pytest.raises(DataError, match=r"1 id is not in .*: 'r2' \(2 are\)\n.*--subset scores the 2 rows that both"):
        score(*files, id="id", label="truth")
    with pytest.raises(DataError, match=r"no rows|not in"):
        score(write("p3.csv", preds(["r9"])), files[1], id="id", label="truth", subset=True)


NEAR = {
    "leading zeros": ("3", "00003"),
    "a decimal point": ("3.0", "3"),
    "the folder before it": ("a.jpg", "data/test/a.jpg"),
    "the file extension": ("a.jpg", "a"),
    "blanks around it": ("a", " a "),
    "upper and lower case": ("Img_1", "img_1"),
    "Unicode normalisation": ("For\u00eat", "Fore\u0302t"),
    "a plus sign": ("+1", "1"),
    "quotes around it": ("'a'", "a"),
    "true or false as a number": ("true", "1"),
    "leading zeros and a decimal point": ("7.0", "007"),
}


@pytest.mark.parametrize("differ", NEAR)
@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize("delimiter", [",", "\t"])
def test_the_line_that_is_shown_makes_the_ids_match(
    tmp_path: Path, call: Call, differ: str, turned: bool, delimiter: str
) -> None:
    predicted, labelled = NEAR[differ][::-1] if turned else NEAR[differ]
    files = {"p.csv": f"id,a,b\n{predicted},0.25,0.75\nz,0.5,0.5\n", "y.csv": f"truth,id\nb,{labelled}\na,z\n"}
    for name, text in files.items():
        (tmp_path / name).write_text(text.replace(",", delimiter), encoding="utf-8")
    first = call("score", "p.csv", "y.csv", "--id", "id")
    assert first.code == 3 and f"they differ by {differ}" in first.err, first.err
    lines = [line.strip() for line in first.err.splitlines() if line.strip().startswith("python3 -c ")]
    assert lines
    given = ["p.csv", "y.csv"]
    for line in lines:
        words = shlex.split(line, comments=True)
        exec(compile(words[2], line, "exec"), {})
        copy, original = line.rpartition("# writes ")[2].split(", to use in place of ")
        given[given.index(original)] = copy
    second = call("score", *given, "--id", "id", "-q")
    assert second.code == 0, second.err
    assert float(second.out) == score([[0.25, 0.75], [0.5, 0.5]], [1, 0]).cost


def test_what_a_step_does_is_what_its_code_does() -> None:
    import re
    import unicodedata

    texts = [text for pair in NEAR.values() for text in pair] + ["", " ", "0", "00", "0.0", "cat.dog", "a/b\\c.PNG"]
    for step in STEPS:
        for text in texts:
            got = eval(step.code, {"re": re, "unicodedata": unicodedata, "s": text, "chr": chr})
            assert got == step.apply(text) or step.name == "the file extension", (step.name, text)


def test_texts_that_differ_otherwise_are_not_near() -> None:
    assert not differing("cat", "cats") and not differing("1.5", "1") and not differing("a", "a")
    assert loose("IMG-01.PNG") == "img-01"


@pytest.mark.parametrize("block_bytes", [1, 1 << 20])
def test_an_id_twice_that_no_label_has_is_refused_too(write: Write, block_bytes: int) -> None:
    preds = write("p.csv", "id,a,b\n1,.5,.5\n9,.1,.9\n2,.3,.7\n8,.5,.5\n9,.1,.9\n")
    labels = write("y.csv", "id,truth\n2,b\n1,a\n5,a\n")
    with pytest.raises(DataError, match=r"row 5 \(line 6\): id '9' appears twice, first at row 2 \(line 3\)"):
        score(preds, labels, id="id", label="truth", subset=True, block_bytes=block_bytes)
