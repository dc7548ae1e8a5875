"""One example, step by step: from numbers on the command line, and from files."""

from __future__ import annotations

import functools
import json
import math
import re
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given
from hypothesis import strategies as st

import xentcli
from tests.conftest import Call, Done, Write
from tests.laws import settings
from xentcli.writers import rendered


@pytest.fixture
def explain(call: Call) -> Call:
    """Run `xent explain` within this process, in the test's folder."""
    return functools.partial(call, "explain")


@pytest.fixture(autouse=True)
def files(write: Write) -> None:
    write("preds.csv", "cat,dog,emu\n0.7,0.2,0.1\n0.1,0.8,0.1\n0.2,0.3,0.5\n")
    write("labels.csv", "truth\ncat\ndog\ncat\n")
    write("id_preds.csv", "image,cat,dog\nb,0.4,0.6\na,0.7,0.3\n")
    write("id_labels.csv", "image,truth\na,cat\nb,dog\n")


def told(done: Done) -> str:
    assert (done.code, done.err) == (0, "")
    return done.out


def document(done: Done) -> dict[str, Any]:
    parsed: dict[str, Any] = json.loads(told(done), parse_constant=lambda name: pytest.fail(f"bare {name}"))
    return parsed


# Numbers on the command line.


def test_probabilities_and_a_label(explain: Call) -> None:
    text = told(explain("--probs", "0.2,0.8", "--label", "1"))
    assert text.startswith("The true class is 1, the 2nd of 2.\n")
    assert "loss = -sum = -ln(0.8) = 0.223144 nats\n" in text
    assert "The model gave the true class a probability of 80.0 % (perplexity 1.25).\n" in text
    assert "this prediction is better" in text


def test_classes_have_the_names_that_were_given(explain: Call, write: Write) -> None:
    text = told(explain("--probs", "0.2,0.8", "--classes", "cat,dog", "--label", "dog"))
    assert "The true class is dog, the 2nd of 2." in text
    assert re.search(r"^dog +1 +0\.8 +-0\.2231 +-0\.2231   <- the only term left$", text, flags=re.MULTILINE)
    write("names.txt", "cat\ndog\n")
    assert told(explain("--probs", "0.2,0.8", "--classes", "@names.txt", "--label", "dog")) == text
    assert told(explain("--probs", "0.2,0.8", "--classes", "cat,dog", "--label", "1")) == text


def test_logits_give_what_their_softmax_gives(explain: Call) -> None:
    logits = document(explain("--logits", "2,-1,0.5", "--label", "2", "--format", "json"))
    assert logits["kind"] == "logits"
    q = [term["q"] for term in logits["terms"]]
    assert math.fsum(q) == pytest.approx(1, rel=1e-15)
    assert q == pytest.approx([math.exp(z) / math.fsum(map(math.exp, (2, -1, 0.5))) for z in (2, -1, 0.5)], rel=1e-14)
    assert logits["loss"] == pytest.approx(logits["logsumexp"] - 0.5, rel=1e-14)
    assert logits["largest"] == 2


def test_a_logit_of_minus_infinity_masks_a_class_out(explain: Call) -> None:
    text = told(explain("--logits=-inf,1,2", "--label", "1"))
    assert re.search(r"^0 +0 +-inf +0\.0000 +0 +-inf +0 ", text, flags=re.MULTILINE)
    assert "= 2.313262 - 1 = 1.313262 nats" in text
    masked = told(explain("--logits=-inf,1,2", "--label", "0"))
    assert "= inf nats" in masked
    assert "probability 0" in masked


def test_huge_logits_do_not_overflow(explain: Call) -> None:
    text = told(explain("--logits", "1000,0", "--label", "1"))
    assert "1,000.000000 nats" in text
    assert "1/inf" not in text
    assert "perplexity inf" not in text
    assert document(explain("--logits", "1000,0", "--label", "1", "--format", "json"))["loss"] == 1000


def test_no_arithmetic_warning_reaches_the_user(explain: Call, write: Write) -> None:
    write("logs.csv", "l\n-inf\n")
    assert "inf nats" in told(explain("logs.csv", "--kind", "true-logprobs", "--row", "1"))
    assert "inf nats" in told(explain("--logits=1e308,-1e308", "--label", "1"))


def test_a_soft_target_has_an_entropy_and_a_divergence(explain: Call) -> None:
    text = told(explain("--probs", "0.7,0.2,0.1", "--target", "0.8,0.1,0.1"))
    assert text.startswith("The target is spread over 3 of 3 classes.\n")
    assert "loss = -sum = 0.676542 nats" in text
    assert "its entropy, 0.639032." in text
    assert "The rest, 0.037510, is the Kullback-Leibler divergence" in text


def test_a_one_hot_target_is_a_label(explain: Call) -> None:
    assert told(explain("--probs", "0.2,0.8", "--target", "0,1")) == told(explain("--probs", "0.2,0.8", "--label", "1"))


def test_a_zero_where_the_target_is_not_is_infinite(explain: Call) -> None:
    text = told(explain("--probs", "0,0.5,0.5", "--target", "0.5,0.5,0"))
    assert "loss = -sum = inf nats" in text
    assert "The target is spread over 2 of 3 classes." in text


def test_a_zero_at_the_truth_is_infinite_and_said_so(explain: Call) -> None:
    text = told(explain("--probs", "0,1", "--label", "0"))
    assert "loss = -sum = -ln(0) = inf nats" in text
    assert "The model gave the true class probability 0: the loss is infinite, and so is any average with it." in text
    assert "nan" not in text
    assert "However the probability is split, the loss is" in told(explain("--probs", "0,0.5,0.5", "--label", "0"))
    parsed = document(explain("--probs", "0,1", "--label", "0", "--format", "json"))
    assert parsed["loss"] == parsed["perplexity"] == "inf"
    assert [term["term"] for term in parsed["terms"]] == ["-inf", 0.0]


def test_a_zero_elsewhere_does_not_matter(explain: Call) -> None:
    text = told(explain("--probs", "0.5,0,0.5", "--label", "0"))
    assert re.search(r"^1 +0 +0 +-inf +0   y is 0: q does not matter$", text, flags=re.MULTILINE)
    assert "0.693147 nats" in text


def test_a_perfect_prediction_costs_nothing(explain: Call) -> None:
    text = told(explain("--probs", "0,1,0", "--label", "1"))
    assert "= 0.000000 nats" in text
    assert "-0.000000" not in text
    assert "a probability of 100.0 %" in text
    assert re.search("sum +0$", text, flags=re.MULTILINE), "the sum is written as its terms are"


@pytest.mark.parametrize(("q", "shown"), [("0.999873", "99.99 %"), ("0.99999999", "99.999999 %"), ("0.973", "97.3 %")])
def test_a_probability_below_1_is_not_shown_as_100_percent(explain: Call, q: str, shown: str) -> None:
    assert f"a probability of {shown} (" in told(explain("--probs", q, "--label", "1"))


@pytest.mark.parametrize(
    ("label", "truth", "loss"), [("1", "1, the 2nd of 2", 1.203973), ("0", "0, the 1st of 2", 0.356675)]
)
def test_one_number_is_the_probability_of_class_1(explain: Call, label: str, truth: str, loss: float) -> None:
    text = told(explain("--probs", "0.3", "--label", label))
    assert f"The true class is {truth}." in text
    assert f"{loss} nats" in text


def test_one_logit_is_that_of_class_1(explain: Call) -> None:
    assert "0.201413 nats" in told(explain("--logits", "1.5", "--label", "1"))


def test_a_tie_in_a_binary_label_is_a_soft_target(explain: Call) -> None:
    text = told(explain("--probs", "0.3", "--label", "0.5"))
    assert "The target is spread over 2 of 2 classes." in text
    assert "0.780324 nats" in text


def test_one_number_with_a_positive_class(explain: Call) -> None:
    assert "-ln(0.7) =" in told(explain("--probs", "0.7", "--positive", "spam", "--label", "spam"))
    assert "-ln(0.3) =" in told(explain("--probs", "0.7", "--positive", "spam", "--label", "ham"))


@pytest.mark.parametrize("classes", [2, 3, 7, 10, 14, 18, 19, 100])
def test_a_uniform_prediction_is_no_better_and_no_worse(explain: Call, classes: int) -> None:
    for option, value in (("--probs", repr(1 / classes)), ("--logits", "0.5")):
        assert "no better and no worse" in told(explain(option, ",".join([value] * classes), "--label", "0"))


def test_the_equation_of_a_clipped_loss_is_true(explain: Call) -> None:
    text = told(explain("--probs", "0.2,0.8", "--label", "0", "--clip", "0.3"))
    assert "1.203973" in text
    for argument, value in re.findall(r"-ln\(([\d.]+)\) = ([\d.]+)", text):
        assert float(value) == pytest.approx(-math.log(float(argument)), abs=1e-6)


def test_the_other_split_has_the_same_loss(explain: Call) -> None:
    for probs in ("0.1,0.5,0.1,0.1,0.2", "0.25,0.25,0.25,0.25", "0.6,0.3,0.1"):
        text = told(explain("--probs", probs, "--label", "0"))
        match = re.search(r"^ +([\d., ]+)  ->  ", text, flags=re.MULTILINE)
        assert match is not None
        split = [float(q) for q in match[1].split(", ")]
        given = [float(q) for q in probs.split(",")]
        assert split != given
        assert split[0] == given[0]
        assert math.fsum(split) == pytest.approx(1, abs=1e-12)
        assert min(split) >= 0


def test_the_other_split_is_left_out_where_there_is_nothing_to_split(explain: Call) -> None:
    assert "However" not in told(explain("--probs", "1.8579e-16,1.57267e-12,6.75e-08,0.9999999", "--label", "0"))
    assert "However" not in told(explain("--probs", "1,0,0", "--label", "0"))


@pytest.mark.parametrize(
    ("args", "code", "message"),
    [
        ((), 2, "--probs"),
        (("--label", "1"), 2, "--probs"),
        (("--probs", "0.2,0.8"), 2, "--label"),
        (("--probs", "0.2,0.8", "--label", "0", "--target", "1,0"), 2, "--label and --target"),
        (("--logits", "1,2", "--logprobs=-1,-2", "--label", "0"), 2, "--probs, --logits or --logprobs"),
        (("--probs", "[0.2, 0.8", "--label", "0"), 2, "'[0.2' is not a number"),
        (("--probs", "[]", "--label", "0"), 2, "'' is not a number"),
        (("--probs", "0.2,0.8", "--logits", "1,2", "--label", "0"), 2, "--probs, --logits or --logprobs"),
        (("--probs", "0.2,x", "--label", "0"), 2, "'x' is not a number"),
        (("--probs", "", "--label", "0"), 2, "'' is not a number"),
        (("--probs", "0.2,,0.8", "--label", "0"), 2, "'' is not a number"),
        (("--probs", "0.2 0.8", "--label", "0"), 2, "'0.2 0.8' is not a number"),
        (("--probs", "0.2,0.8", "--target", "1,y"), 2, "--target: 'y'"),
        (("--probs", "0.2,0.8", "--label", "0", "--row", "3"), 2, "--row"),
        (("--logits", "1,2", "--label", "0", "--kind", "logprobs"), 2, "--kind"),
        (("--probs", "0.5,0.6", "--label", "0"), 3, "sums to 1.1"),
        (("--probs", "0.2,0.8", "--label", "2"), 3, "--index-base"),
        (("--probs", "0.2,0.8", "--label", "7"), 3, "7"),
        (("--probs", "0.2,0.8", "--label", "-1"), 3, "-1"),
        (("--probs", "0.2,0.8", "--label", "cow", "--classes", "cat,dog"), 3, "'cow' is not a class"),
        (("--probs", "20,80", "--label", "0"), 3, "--scale 0.01"),
        (("--probs", "0.2,0.8", "--target", "0.5,0.6"), 3, "1.1"),
        (("--probs", "0.2,0.8", "--target", "0.5,0.3,0.2"), 3, "--target has 3 numbers, and --probs has 2"),
        (("--logits", "inf,1", "--label", "0"), 3, "inf"),
        (("--logits", "nan,1", "--label", "0"), 3, "nan"),
        (("--logits=-inf,-inf", "--label", "0"), 3, "-inf"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_what_makes_no_sense_is_refused(explain: Call, args: tuple[str, ...], code: int, message: str) -> None:
    done = explain(*args)
    assert (done.code, done.out) == (code, "")
    assert message in done.err


@pytest.mark.parametrize(
    "args",
    [
        ("--probs", "0.2,0.8", "--label", "cow", "--classes", "cat,dog"),
        ("--probs", "0.2,0.8", "--label", "2"),
        ("--probs", "2,-1,0.5", "--label", "0"),
        ("--probs=-0.5,0.5,1", "--label", "0"),
        ("--probs", "20,80", "--label", "0"),
        ("--probs", "0.3,0.3", "--label", "0"),
        ("--probs", "0.7,0.8", "--label", "0"),
        ("--probs=-0.7,-0.8", "--label", "0"),
        ("--probs", "1.5", "--label", "1"),
        ("--logprobs", "0.5,0.5", "--label", "0"),
        ("--logprobs=-2,-2", "--label", "0"),
        ("--logits", "nan,1", "--label", "0"),
        ("--logits=-inf,-inf", "--label", "0"),
        ("--probs", "0.2,0.5,0.3", "--target", "0,1"),
        ("--probs", "0.2,0.8", "--target", "0.5,0.6"),
        ("--probs", "0.2,0.8", "--target=-1,2"),
        ("--probs", "0.2,0.8", "--label", "a", "--positive", "b"),
        ("--logits", "2,-1,0.5", "--label", "5"),
        ("--logits", "2,-1,0.5", "--label=-1"),
        ("--probs", "0.2,nan", "--label", "1"),
        ("--probs", "0.2,0.8", "--label", "cow"),
    ],
    ids=" ".join,
)
def test_a_message_about_a_literal_speaks_of_what_was_typed(explain: Call, args: tuple[str, ...]) -> None:
    done = explain(*args)
    assert done.code == 3
    assert not re.search(r"\brow 1\b|#\d|label columns?|--preds|--kind|--label NAME|--multilabel", done.err)
    assert not re.search(r"\blabels: |--ignore-label|--skip-missing", done.err)


@pytest.mark.parametrize(
    ("args", "loss"),
    [
        (("--probs", "2,-1,0.5", "--label", "0"), math.log(math.fsum(map(math.exp, (0, -3, -1.5))))),
        (("--probs=-0.7,-0.8", "--label", "0"), math.log(1 + math.exp(-0.1))),
        (("--probs=-0.693147181,-0.693147181", "--label", "0"), math.log(2)),
        (("--logprobs", "0.5,0.5", "--label", "0"), math.log(2)),
        (("--logprobs=-2,-2", "--label", "0"), math.log(2)),
        (("--probs", "20,80", "--label", "0"), math.log(5)),
        (("--probs", "0.3,0.3", "--label", "0"), math.log(2)),
        (("--probs=-0.002,0.5,0.502", "--label", "1"), math.log(2)),
        (("--probs", "0.2,0.8", "--label", "2"), -math.log(0.8)),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_the_first_advice_about_a_literal_gives_its_loss(explain: Call, args: tuple[str, ...], loss: float) -> None:
    refused = explain(*args)
    assert refused.code == 3
    option = re.search(r"--[a-z-]+(?:[= ][-.,e0-9]+(?!\w))?", refused.err.split("\n", 1)[1])
    assert option is not None
    replaced = option[0].startswith(("--probs", "--logits", "--logprobs"))
    kept = args[args.index("--label") :] if replaced else args
    assert document(explain(*kept, *option[0].split(), "--format", "json"))["loss"] == pytest.approx(loss, abs=1e-8)


@pytest.mark.parametrize(
    "text", ["[0.1, 0.5, 0.4]", "(0.1,0.5,0.4)", "[0.1 0.5 0.4]", "0.1, 0.5, 0.4", "[0.1, 0.5, 0.4,]"]
)
def test_a_list_is_read_as_python_and_numpy_print_it(explain: Call, text: str) -> None:
    assert told(explain("--probs", text, "--label", "0")) == told(explain("--probs", "0.1,0.5,0.4", "--label", "0"))
    one_hot = told(explain("--probs", "0.1,0.5,0.4", "--target", "[1. 0. 0.]"))
    assert one_hot == told(explain("--probs", "0.1,0.5,0.4", "--label", "0"))


def test_log_probabilities_give_what_their_probabilities_give(explain: Call) -> None:
    q = (0.1, 0.5, 0.4)
    logs = document(explain("--logprobs=" + ",".join(repr(math.log(p)) for p in q), "--label", "0", "--format", "json"))
    assert logs["kind"] == "logprobs"
    assert logs["loss"] == -math.log(0.1)
    assert [term["q"] for term in logs["terms"]] == pytest.approx(q, rel=1e-15)


# What is printed holds for what is printed.

LOG = {"ln": math.log, "log2": math.log2, "log10": math.log10}
NUMBER = r"(-?(?:inf|[\d,]*\.?\d+(?:e[-+]?\d+)?))"


def value(text: str) -> float:
    return float(text.replace(",", ""))


def as_printed(number: float, text: str) -> bool:
    """Whether a number, rounded as a printed text is, is that text."""
    if not math.isfinite(number) or not math.isfinite(value(text)):
        return number == value(text)
    mantissa, _, exponent = text.replace(",", "").partition("e")
    unit = Decimal(1).scaleb(-len(mantissa.partition(".")[2]) + int(exponent or 0))
    # A tie may have been rounded either way.
    return abs(Decimal(number) - Decimal(text.replace(",", ""))) <= unit / 2 * (1 + Decimal("1e-6"))


def check_equations(text: str) -> None:
    """Recompute every printed equation from the printed numbers."""
    log = LOG[re.search(r"(\w+) q +y x", text)[1]]  # type: ignore[index]
    by = math.e if log is math.log else 2 if log is math.log2 else 10
    loss = re.search(rf"^loss = .*?{NUMBER} (?:nats|bits|bans)", text, flags=re.MULTILINE)
    assert loss is not None
    for argument, result in re.findall(rf"-(?:ln|log2|log10)\({NUMBER}\) = {NUMBER}", text):
        assert as_printed(-log(value(argument)) if value(argument) else math.inf, result)
    for top, total, result in re.findall(rf"= {NUMBER} \+ ln\({NUMBER}\) = {NUMBER}", text):
        assert as_printed(value(top) + math.log(value(total)), result)
    for left, right, result in re.findall(rf"= \(?{NUMBER} - \(?{NUMBER}\)*(?: / ln \d+)? = {NUMBER}", text):
        assert as_printed((value(left) - value(right)) / math.log(by), result)
    for rest, result in re.findall(rf"ln\(1 \+ {NUMBER}\)(?: / ln \d+)? = {NUMBER}", text):
        assert as_printed(math.log1p(value(rest)) / math.log(by), result)
    table = text[re.search(r"^class ", text, flags=re.MULTILINE).start() :].split("\n\n")[0]  # type: ignore[union-attr]
    rows = [re.split(r" {2,}", line.split("   <-")[0].split("   y is")[0].strip()) for line in table.splitlines()[1:]]
    for row in rows[:-1]:
        assert as_printed(value(row[1]) * value(row[-2]) if value(row[1]) else 0.0, row[-1]), row
    assert as_printed(math.fsum(value(row[-1]) for row in rows[:-1]), rows[-1][-1])
    assert as_printed(-value(loss[1]), rows[-1][-1]) or as_printed(-value(rows[-1][-1]), loss[1])
    parts = re.search(rf"entropy, {NUMBER}\.\n.*The rest, {NUMBER},", text)
    if parts is not None and math.isfinite(value(loss[1])):
        places = Decimal(1).scaleb(-len(loss[1].partition(".")[2]))
        assert abs(Decimal(parts[1]) + Decimal(parts[2]) - Decimal(loss[1])) < places / 2
    guess = re.search(rf"costs (?:ln|log2|log10) (\d+) = {NUMBER}", text)
    assert guess is not None
    assert as_printed(log(int(guess[1])), guess[2])


@pytest.mark.parametrize("base", ["e", "2", "10"])
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    q=st.lists(st.floats(1e-6, 1), min_size=2, max_size=12),
    y=st.lists(st.floats(1e-3, 1), min_size=12, max_size=12),
    form=st.sampled_from(["probs", "logits", "soft", "soft logits"]),
    label=st.integers(0, 1),
)
def test_the_printed_steps_agree_in_the_digits_that_are_printed(
    explain: Call, base: str, q: list[float], y: list[float], form: str, label: int
) -> None:
    logits = [round(30 * math.log(p), 4) if label else float(np.float32(2 * math.log(p) + 5)) for p in q]
    values = logits if "logits" in form else [p / math.fsum(q) for p in q]
    option = "--logits" if "logits" in form else "--probs"
    target = [t / math.fsum(y[: len(q)]) for t in y[: len(q)]]
    hard = ("--label", str(label), "--index-base", "0")
    truth = ("--target", ",".join(map(repr, target))) if "soft" in form else hard
    text = told(explain(f"{option}={','.join(map(repr, values))}", *truth, "--base", base))
    check_equations(text)
    units = {"e": ("nats", "ln q"), "2": ("bits", "log2 q"), "10": ("bans", "log10 q")}[base]
    assert units[0] in text and units[1] in text


@pytest.mark.parametrize("args", [("--probs", "0.2,0.8", "--label", "0"), ("preds.csv", "labels.csv", "--row", "1")])
def test_an_option_is_honoured_or_refused_and_never_ignored(explain: Call, args: tuple[str, ...]) -> None:
    for option in (("--base", "2"), ("--confidence", "0.5"), ("--id", "image"), ("--weights", "w")):
        plain, changed = explain(*args), explain(*args, *option)
        assert changed.code in (2, 3) or changed.out != plain.out, option


# Rows of files.


def test_a_row_of_a_file_with_the_names_of_its_header(explain: Call) -> None:
    text = told(explain("preds.csv", "labels.csv", "--row", "2"))
    assert text.startswith("Row 2 of preds.csv. The true class is dog, the 2nd of 3.\n")
    assert "-ln(0.8) = 0.223144 nats" in text


def test_rows_are_found_by_id_and_named_by_it(explain: Call) -> None:
    text = told(explain("id_preds.csv", "id_labels.csv", "--id", "image", "--row", "1"))
    assert text.startswith("Row 1 of id_preds.csv, id b. The true class is dog, the 2nd of 2.\n")
    assert (
        document(explain("id_preds.csv", "id_labels.csv", "--id", "image", "--row", "2", "--format", "json"))["id"]
        == "a"
    )


def test_a_column_of_the_same_file_is_the_label(explain: Call, write: Write) -> None:
    write("run.csv", "truth,cat,dog,note\ndog,0.25,0.75,hi\ncat,0.5,0.5,ho\n")
    text = told(explain("run.csv", "--label", "truth", "--preds", "cat,dog", "--row", "1"))
    assert "The true class is dog, the 2nd of 2." in text


@pytest.mark.parametrize(("row", "code"), [("4", 3), ("99", 3), ("0", 2), ("-1", 2), ("1.5", 2), ("x", 2)])
def test_a_row_that_is_not_there_is_refused(explain: Call, row: str, code: int) -> None:
    done = explain("preds.csv", "labels.csv", "--row", row)
    assert (done.code, done.out) == (code, "")
    if code == 3:
        assert f"there is no row {row}; the last is 3" in done.err


def test_a_file_takes_no_literal(explain: Call) -> None:
    for extra in (("--probs", "0.5,0.5"), ("--logits", "1,2"), ("--target", "1,0,0")):
        done = explain("preds.csv", "labels.csv", "--row", "1", *extra)
        assert done.code == 2, extra


def test_a_row_in_any_block_is_the_same_row(tmp_path: Path, explain: Call) -> None:
    generator = np.random.default_rng(3)
    logits, labels = generator.normal(size=(70_000, 4)), generator.integers(0, 4, 70_000)
    np.save(tmp_path / "logits.npy", logits)
    np.save(tmp_path / "labels.npy", labels)
    losses: list[float] = []
    xentcli.score(logits, labels, kind="logits", sink=lambda block: losses.extend(block.loss.tolist()))
    for row in (1, 32_768, 65_537, 70_000):
        args = ("logits.npy", "labels.npy", "--kind", "logits", "--row", str(row), "--format", "json")
        assert document(explain(*args))["loss"] == losses[row - 1]


def test_a_bad_row_elsewhere_does_not_hide_the_row_asked_for(explain: Call, write: Write) -> None:
    write("bad.csv", "cat,dog,emu\n0.7,0.2,0.1\n0.1,0.8,0.1\n9,9,9\n")
    assert explain("bad.csv", "labels.csv", "--row", "1").code == 0
    done = explain("bad.csv", "labels.csv", "--row", "3")
    assert done.code == 3
    assert "bad.csv, row 3 (line 4)" in done.err


def test_a_row_of_weight_0_is_not_explained(explain: Call, write: Write) -> None:
    write("weighted.csv", "truth,w\ncat,1\ndog,0\ncat,1\n")
    args = ("preds.csv", "weighted.csv", "--label", "truth", "--weights", "w", "--row")
    assert explain(*args, "1").code == 0
    done = explain(*args, "2")
    assert (done.code, done.out) == (3, "")
    assert "weight 0" in done.err


def test_losses_are_shown_as_they_are(explain: Call, write: Write) -> None:
    write("losses.csv", "loss\n0.5\n0.25\ninf\n")
    text = told(explain("losses.csv", "--kind", "losses", "--row", "2"))
    assert text.startswith("Row 2 of losses.csv.\n")
    assert "loss = 0.250000 nats, as the file has it" in text
    assert "probability 0" in told(explain("losses.csv", "--kind", "losses", "--row", "3"))


def test_kinds_without_labels_have_one_term(explain: Call, write: Write) -> None:
    write("true.csv", "q\n0.5\n0\n")
    text = told(explain("true.csv", "--kind", "true-probs", "--row", "1"))
    assert "-ln(0.5) = 0.693147 nats" in text
    assert "Guessing" not in text
    write("logs.csv", "l\n-0.5\n")
    assert "0.500000 nats" in told(explain("logs.csv", "--kind", "true-logprobs", "--row", "1"))


def test_a_thousand_classes_stay_short_on_a_terminal_and_are_all_in_a_pipe(explain: Call, tmp_path: Path) -> None:
    predictions = np.full((1, 1000), 0.5 / 999)
    predictions[0, 567] = 0.5
    np.save(tmp_path / "p.npy", predictions)
    np.save(tmp_path / "l.npy", np.array([123]))
    screen = rendered(xentcli.explain(predictions, [123], row=1), "table", width=80)
    assert len(screen.splitlines()) < 30
    assert "(990 more; -o FILE.csv has all)" in screen
    text = told(explain("p.npy", "l.npy", "--row", "1"))
    assert re.findall(r"^([0-9]+) +[01] ", text, flags=re.MULTILINE) == [str(name) for name in range(1000)]
    assert "more" not in text
    for shown in (screen, text):
        assert "The true class is 123, the 124th of 1,000." in shown
        assert re.search(r"^123 +1 ", shown, flags=re.MULTILINE)
        assert re.search(r"^567 +0 +0\.5 ", shown, flags=re.MULTILINE)
        assert "Guessing all 1,000 equally" in shown
        assert shown.count("y is 0: q does not matter") == 1
    page = told(explain("p.npy", "l.npy", "--row", "1", "--format", "markdown"))
    assert len(re.findall(r"^\| [0-9]+ \|", page, flags=re.MULTILINE)) == 1000


def test_a_label_from_standard_values_of_a_file_without_names(explain: Call, write: Write) -> None:
    write("p.csv", "0.25,0.75\n0.5,0.5\n")
    write("l.csv", "1\n0\n")
    text = told(explain("p.csv", "l.csv", "--no-header", "--row", "1"))
    assert "The true class is 1, the 2nd of 2." in text


# Other forms.


def test_json_has_every_term_in_full_precision(explain: Call) -> None:
    parsed = document(explain("--probs", "0.1,0.5,0.4", "--label", "0", "--format", "json"))
    assert parsed["loss"] == -math.log(0.1)
    assert parsed["perplexity"] == math.exp(-math.log(0.1))
    assert parsed["truth"] == "0"
    assert parsed["truth_index"] == 0
    assert parsed["predicted"] == "1"
    assert [(term["name"], term["y"], term["q"]) for term in parsed["terms"]] == [
        ("0", 1, 0.1),
        ("1", 0, 0.5),
        ("2", 0, 0.4),
    ]
    assert parsed["loss"] == -math.fsum(term["term"] for term in parsed["terms"])
    assert parsed["schema_version"] == 1


def test_json_of_a_row_names_its_files_truly(explain: Call) -> None:
    parsed = document(explain("preds.csv", "labels.csv", "--row", "2", "--format", "json"))
    assert parsed["row"] == 2
    assert [given["path"] for given in parsed["inputs"]] == ["preds.csv", "labels.csv"]
    assert all(given["rows"] in (3, None) for given in parsed["inputs"])


def test_markdown_has_a_table_with_the_sum(explain: Call, tmp_path: Path) -> None:
    page = told(explain("--probs", "0.1,0.5,0.4", "--label", "0", "--format", "markdown", "-o", "told.md"))
    assert (tmp_path / "told.md").read_text() == page
    rows = [line for line in page.splitlines() if line.startswith("|")]
    assert len({row.replace(r"\|", "").count("|") for row in rows}) == 1
    assert "-2.3026" in page.replace("\\", "")
    assert "2.302585 nats" in page
    assert "sum" in "".join(rows)


def test_the_report_goes_to_a_file_too(explain: Call, tmp_path: Path) -> None:
    text = told(explain("--probs", "0.2,0.8", "--label", "0", "-o", "told.txt", "-o", "told.json"))
    assert (tmp_path / "told.txt").read_text() == text
    assert json.loads((tmp_path / "told.json").read_text())["loss"] == -math.log(0.2)
    assert explain("preds.csv", "labels.csv", "--row", "1", "-o", "labels.csv").code == 2


def test_the_loss_is_that_of_per_example(tmp_path: Path, explain: Call) -> None:
    losses: list[float] = []
    xentcli.score(
        tmp_path / "preds.csv", tmp_path / "labels.csv", sink=lambda block: losses.extend(block.loss.tolist())
    )
    for row, loss in enumerate(losses, start=1):
        parsed = document(explain("preds.csv", "labels.csv", "--row", str(row), "--format", "json"))
        assert parsed["loss"] == loss


@pytest.mark.parametrize(
    "option",
    [
        "--max-columns 5",
        "--max-groups 2",
        "--skip-missing",
        "--ignore-label 1",
        "--class-axis 0",
        "--labels labels.csv",
    ],
)
def test_options_about_files_are_refused_beside_one_example(explain: Call, option: str) -> None:
    name, *value = option.split()
    done = explain("--probs", "0.1,0.9", "--label", "0", name, *value)
    assert (done.code, done.out) == (2, "")
    assert done.err == f"xent: {name} applies to files; --probs gives one example\n"


@pytest.mark.parametrize("option", [("--by", "truth"), ("--max-groups", "2")])
def test_a_row_has_no_groups(explain: Call, option: tuple[str, str]) -> None:
    done = explain("preds.csv", "labels.csv", "--row", "1", *option)
    assert done.code == 2 and f"{option[0]} is about groups" in done.err


@pytest.mark.parametrize("option", [("--positive", "cat"), ("--index-base", "1")])
def test_how_to_read_a_label_is_refused_where_targets_are_distributions(
    call: Call, write: Write, option: tuple[str, str]
) -> None:
    write("soft.csv", "cat,dog,emu\n0.7,0.2,0.1\n0,1,0\n0.5,0.5,0\n")
    done = call("score", "preds.csv", "soft.csv", *option)
    assert done.code == 3
    assert done.err == f"xent: soft.csv: {option[0]} is about one column of labels, and there are 3\n"
