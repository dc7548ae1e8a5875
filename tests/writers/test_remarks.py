"""What changes the loss is on the screen, in Markdown and in the options of the JSON; bytes say what they are."""

from __future__ import annotations

import json
import math
from fractions import Fraction
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.conftest import Run, Write
from tests.laws import settings
from xentcli import compare, score
from xentcli.errors import UsageError
from xentcli.writers import rendered

CHANGES: dict[str, tuple[list[str], str]] = {
    "weights": (["--weights", "w"], "rows weighted by column w (--weights)"),
    "weights of a further file": (["--weights", "@w.csv:v"], "rows weighted by column @w.csv:v (--weights)"),
    "class weights": (["--class-weight", "a=2"], "class weights a=2, others 1 (--class-weight)"),
    "all class weights": (
        ["--class-weight", "a=2", "--class-weight", "b=0.5"],
        "class weights a=2, b=0.5 (--class-weight)",
    ),
    "smoothing": (["--label-smoothing", "0.1"], "labels smoothed by 0.1 (--label-smoothing)"),
    "scale": (["--scale", "0.9995"], "predictions multiplied by 0.9995 (--scale)"),
    "temperature": (["--temperature", "0.5"], "ln q divided by 0.5, then softmax (--temperature)"),
    "renormalize": (["--renormalize"], "each row divided by its sum (--renormalize)"),
    "tolerance": (
        ["--sum-tolerance", "0.05"],
        "row sums up to 0.05 from 1 accepted, largest deviation 0.0005 (--sum-tolerance)",
    ),
}
NOT_LINES: dict[str, tuple[list[str], str]] = {
    "clip": (["--clip", "0.3"], "clipped         0.3"),
    "base": (["--base", "2"], " bits "),
    "compat": (["--compat", "sklearn"], "scikit-learn"),
    "ignored": (["--ignore-label", "b"], "1 row skipped (--ignore-label)"),
}


@pytest.fixture(autouse=True)
def files(write: Write) -> None:
    write("p.csv", "a,b,w\n0.9,0.1005,10\n0.2,0.8,20\n0.99,0.01,1\n")
    write("y.csv", "y\na\nb\na\n")
    write("w.csv", "v\n1\n2\n3\n")


@pytest.mark.parametrize("what", [*CHANGES, *NOT_LINES])
def test_what_changes_the_loss_is_on_the_screen(what: str, xent: Run) -> None:
    options, line = (CHANGES | NOT_LINES)[what]
    shown = xent("score", "p.csv", "y.csv", "--preds", "a,b", *options).stdout
    assert line in shown
    assert line not in xent("score", "p.csv", "y.csv", "--preds", "a,b").stdout
    told = json.loads(xent("score", "p.csv", "y.csv", "--preds", "a,b", *options, "--format", "json").stdout)
    assert options[0].lstrip("-").replace("-", "_") in told["options"]
    # The figures that were chosen hide nothing of it.
    assert line in xent("score", "p.csv", "y.csv", "--preds", "a,b", *options, "--metrics", "cost").stdout


@pytest.mark.parametrize("what", CHANGES)
def test_markdown_and_check_show_it_too(what: str, xent: Run) -> None:
    options, line = CHANGES[what]
    common = ("p.csv", "y.csv", "--preds", "a,b", *options)
    check, markdown = ("check", *common, "--max", "cost=9"), ("--format", "markdown")
    assert line in xent(*check).stdout
    for command in (("score", *common), check):
        # No @name of a file is a mention in Markdown.
        text = xent(*command, *markdown).stdout.replace("\\", "").replace("<!-- -->", "")
        assert line.split(" (")[0] in text


def test_nothing_is_shown_that_changes_nothing(xent: Run) -> None:
    for options in (
        (),
        ("--sum-tolerance", "0.0009"),
        ("--scale", "1"),
        ("--temperature", "1"),
        ("--label-smoothing", "0"),
    ):
        assert "\nloss " not in xent("score", "p.csv", "y.csv", "--preds", "a,b", *options).stdout
    # Logits have no row sum whose tolerance could matter.
    done = xent("score", "p.csv", "y.csv", "--preds", "a,b", "--kind", "logits", "--sum-tolerance", "0.5")
    assert done.returncode == 2 and "--sum-tolerance" in done.stderr


def test_the_library_gives_class_weights_in_any_form() -> None:
    for given_ in ({"0": 2.0}, ["0=2"], "0=2"):
        text = rendered(score([[0.5, 0.5], [0.25, 0.75]], [0, 1], class_weight=given_), "table")
        assert "class weights 0=2, others 1 (--class-weight)" in text


@pytest.mark.parametrize(("ignored", "names"), [(1, "1"), ([1], "1"), ((0, 1), "0, 1"), ("1", "1")])
def test_a_comparison_shows_ignored_labels_given_in_any_form(ignored: Any, names: str) -> None:
    models = {"a": [[0.5, 0.3, 0.2]] * 3, "b": [[0.2, 0.3, 0.5]] * 3}
    text = rendered(compare(models, [0, 1, 2], ignore_label=ignored), "table")
    assert f"rows with label {names} skipped (--ignore-label)" in text


def test_the_share_of_the_worst_rows_is_shown_only_where_rows_weigh_alike() -> None:
    """Weights that sum to the number of rows are weights all the same."""
    frame = pd.DataFrame({"loss": [1.0, 3.0], "w": [0.5, 1.5]})
    options: dict[str, Any] = {"kind": "losses", "preds": "loss", "worst": 1}
    assert "of the cost" not in rendered(score(frame, weights="w", **options), "table")
    assert "(1 row, 75.0 % of the cost)" in rendered(score(frame, **options), "table")


@pytest.mark.parametrize(
    ("labels", "ignored", "missing"),
    [
        (["a", "b", "a"], ["zz"], ["zz"]),
        (["a", "zz", "a"], ["zz"], []),
        (["a", "zz", "a"], ["zz", "yy", "-100"], ["-100", "yy"]),
        (np.array([0, -100, 1]), ["-100"], []),
        (np.array([0, -100, 1]), ["-100", "-1"], ["-1"]),
        (np.array([0, 1, 1]), ["-100"], ["-100"]),
        (np.array([0.0, np.nan, 1.0]), ["nan"], []),
        (np.array([[1, 0], [-1, -1], [0, 1.0]]), ["-1", "-2"], ["-2"]),
    ],
)
@pytest.mark.parametrize("block_bytes", [1, 1 << 20])
def test_a_label_to_ignore_that_no_row_has_is_a_warning(
    labels: Any, ignored: list[str], missing: list[str], block_bytes: int
) -> None:
    named = pd.DataFrame({"a": [0.5, 0.25, 0.75], "b": [0.5, 0.75, 0.25]})
    report = score(
        named if isinstance(labels, list) else named.to_numpy(), labels, ignore_label=ignored, block_bytes=block_bytes
    )
    found = [warning for warning in report.warnings if warning.code == "ignored-label-not-found"]
    assert [warning.message.split("'")[1] for warning in found] == missing


def test_a_label_to_ignore_that_no_row_has_is_seen_by_every_command(xent: Run, write: Write) -> None:
    options = ("p.csv", "y.csv", "--preds", "a,b", "--ignore-label", "zz\x1b[31m")
    for words in (("score", *options), ("score", *options, "-q"), ("check", *options, "--max", "cost=9")):
        done = xent(*words)
        assert done.returncode == 0
        assert "--ignore-label" in done.stdout + done.stderr and "\x1b" not in done.stdout + done.stderr


def lm(rows: int, seed: int) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    weights = rng.choice([0.0, 0.5, 1.0, 10.0], rows)
    weights[0] = 1.0
    return pd.DataFrame({"l": -rng.exponential(1.0, rows), "n": rng.integers(1, 50, rows), "w": weights})


@settings(deadline=None, max_examples=40)
@given(st.integers(1, 30), st.integers(0, 2**32 - 1), st.booleans(), st.integers(1, 500))
def test_bytes_of_a_column_are_weighted_as_losses_are_and_a_number_is_as_given(
    rows: int, seed: int, weighted: bool, block_bytes: int
) -> None:
    frame = lm(rows, seed)
    w = frame.w if weighted else pd.Series(1.0, frame.index)
    options: dict[str, Any] = {"kind": "true-logprobs", "preds": "l", "block_bytes": block_bytes}
    options |= {"weights": "w"} if weighted else {}
    bits = math.fsum(-w * frame.l) / math.log(2)
    report = score(frame, bytes="n", **options)
    assert report.bits_per_byte == pytest.approx(bits / math.fsum(w * frame.n), rel=1e-13)
    assert report.bytes is not None
    assert (report.bytes.total, report.bytes.column, report.bytes.weighted) == (math.fsum(w * frame.n), "n", weighted)
    report = score(frame, bytes=153, **options)
    assert report.bits_per_byte == pytest.approx(bits / 153, rel=1e-13)
    assert report.to_dict()["bytes"] == {"total": 153.0, "column": None, "weighted": False}


SIZES = st.sampled_from([5e-324, 1e-300, 1e-9, 1.0, 7e9, 1e300, 1.7e308])
LARGE = st.lists(st.tuples(SIZES, SIZES, SIZES), min_size=1, max_size=4)


def close(exact: Fraction) -> Any:
    """The double nearest to a fraction, or the next to it; infinite beyond the doubles."""
    try:
        return pytest.approx(float(exact), rel=1e-15, abs=5e-324)
    except OverflowError:
        return math.inf


@settings(deadline=None, max_examples=100)
@given(LARGE, st.booleans(), SIZES)
@example([(1.7e308, 1.0, 1.7e308)] * 4, True, 8.0)
@example([(1.7e308, 1.7e308, 1.7e308)] * 4, False, 1.7e308)
@example([(5e-324, 5e-324, 5e-324)], True, 5e-324)
def test_what_a_report_divides_is_right_where_the_sums_are_no_doubles(
    rows: list[tuple[float, float, float]], weighted: bool, number: float
) -> None:
    frame = pd.DataFrame(rows, columns=["l", "n", "w"])
    options: dict[str, Any] = {"kind": "losses", "preds": "l"} | ({"weights": "w"} if weighted else {})
    exact = [(Fraction(loss), Fraction(n), Fraction(w) if weighted else Fraction(1)) for loss, n, w in rows]
    total, size = sum(loss * w for loss, _, w in exact), sum(n * w for _, n, w in exact)
    bits = total / Fraction(math.log(2))
    assert score(frame, bytes="n", **options).bits_per_byte == close(bits / size)
    assert score(frame, bytes=number, **options).bits_per_byte == close(bits / Fraction(number))
    assert score(frame, base=2, **options).total == close(bits)
    assert score(frame, base=10, **options).total == close(total / Fraction(math.log(10)))


def test_the_share_of_what_clipping_changed_is_right_where_the_total_is_no_double() -> None:
    frame = pd.DataFrame({"l": [-800.0, -1.0, -2.0], "w": [1.0e307, 1.2e308, 1.5e308]})
    clip = score(frame, kind="true-logprobs", preds="l", weights="w", clip=1e-9).clip
    assert clip is not None
    a = [Fraction(-math.log(1e-9)) * Fraction(1.0e307), Fraction(1.2e308), 2 * Fraction(1.5e308)]
    assert clip.share == pytest.approx(float(a[0] / sum(a)), rel=1e-14)


@settings(deadline=None, max_examples=20)
@given(st.integers(1, 12), st.integers(0, 2**32 - 1))
def test_a_row_of_weight_2_is_the_row_twice_in_bits_per_byte(rows: int, seed: int) -> None:
    frame = lm(rows, seed).assign(w=np.random.default_rng(seed).integers(1, 4, rows))
    options: dict[str, Any] = {"kind": "true-logprobs", "preds": "l", "bytes": "n"}
    repeated = frame.loc[frame.index.repeat(frame.w)].reset_index(drop=True)
    assert score(frame, weights="w", **options).bits_per_byte == pytest.approx(
        score(repeated, **options).bits_per_byte, rel=1e-14
    )


@pytest.mark.parametrize(
    ("options", "remark"),
    [
        (["--bytes", "n"], "60 bytes of column n"),
        (["--bytes", "n", "--weights", "w"], "330 bytes of column n, each row times its weight"),
        (["--bytes", "60"], "60 bytes in total, as given"),
        (["--bytes", "60", "--weights", "w"], "60 bytes in total, as given: weights apply to the losses only"),
    ],
)
def test_the_report_says_which_bytes_they_are(options: list[str], remark: str, xent: Run, write: Write) -> None:
    write("lm.csv", "l,n,w\n-1,10,1\n-2,20,1\n-3,30,10\n")
    command = ("score", "lm.csv", "--kind", "true-logprobs", "--preds", "l", *options)
    line = next(line for line in xent(*command).stdout.splitlines() if line.startswith("bits per byte"))
    assert line.endswith(f"   {remark}")
    assert f"| {remark} |" in xent(*command, "--format", "markdown").stdout
    assert remark in xent(*command, "--metrics", "bits_per_byte").stdout


def test_bytes_that_are_no_number_of_bytes_are_refused_or_explained() -> None:
    for bad in ("inf", "nan", "-inf", "0"):
        with pytest.raises(UsageError, match="--bytes"):
            score([-1.0], kind="true-logprobs", bytes=bad)
    report = score(pd.DataFrame({"l": [-1.0], "n": [0]}), kind="true-logprobs", preds="l", bytes="n")
    assert report.bits_per_byte is None
    assert report.undefined["bits_per_byte"] == "the bytes sum to 0"
