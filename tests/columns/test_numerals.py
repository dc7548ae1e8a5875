"""The grammar of numbers, held against a recogniser of its own and against exact fractions."""

from __future__ import annotations

import math
import struct
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.laws import settings
from xentcli.columns.numerals import is_number, number, number_hint, numbers

ALPHABET = "0123456789.eE+-_ xXnaifNAIF\t"
DIGITS = "0123456789"
WORDS = ("inf", "infinity", "nan")

laws = settings(deadline=None, max_examples=300)

digits = st.text(DIGITS, max_size=25)
signs = st.sampled_from(["", "+", "-"])
blanks = st.text(" \t", max_size=2)
exponents = st.one_of(st.just(""), st.builds("{}{}{}".format, st.sampled_from("eE"), signs, st.integers(0, 420)))
near_decimals = st.builds(
    "".join, st.tuples(blanks, signs, digits, st.sampled_from(["", ".", ".."]), digits, exponents, blanks)
)
words = st.builds(
    lambda word, upper: "".join(c.upper() if u else c for c, u in zip(word, upper, strict=False)),
    st.sampled_from(["inf", "infinity", "nan", "infinit", "in", "na", "infnan"]),
    st.lists(st.booleans(), min_size=8, max_size=8),
)
near_words = st.builds("{}{}{}{}".format, blanks, signs, words, blanks)
texts = st.one_of(st.text(ALPHABET, max_size=12), near_decimals, near_words)


def run_of_digits(text: str, start: int) -> int:
    """Where the run of ASCII digits that starts at `start` ends."""
    while start < len(text) and text[start] in DIGITS:
        start += 1
    return start


def recognised(text: str) -> Fraction | str | None:
    """Read a number letter by letter: its exact value, the word it is, or None."""
    text = text.strip(" \t")
    negative = text.startswith("-")
    text = text[1:] if text[:1] in ("+", "-") else text
    if text.lower() in WORDS:
        return ("-" if negative else "") + text.lower()
    point = run_of_digits(text, 0)
    whole, fraction, end = text[:point], "", point
    if text[point : point + 1] == ".":
        end = run_of_digits(text, point + 1)
        fraction = text[point + 1 : end]
    if not whole + fraction:
        return None
    power = 0
    if text[end : end + 1] in ("e", "E"):
        start = end + 1
        down = text[start : start + 1] == "-"
        start += text[start : start + 1] in ("+", "-")
        end = run_of_digits(text, start)
        if end == start:
            return None
        power = -int(text[start:end]) if down else int(text[start:end])
    if end != len(text):
        return None
    significand = int(whole + fraction)
    if not significand:
        return Fraction(0)
    power = max(-2000, min(2000, power - len(fraction)))
    return (-1 if negative else 1) * significand * Fraction(10) ** power


def nearest(exact: Fraction) -> float | None:
    """The double nearest to a fraction, by division of integers; None beyond the doubles."""
    try:
        return exact.numerator / exact.denominator
    except OverflowError:
        return None


def bits(value: float) -> bytes:
    return struct.pack("<d", value)


@laws
@given(texts)
@example("")
@example(".")
@example("+.e1")
@example("1e")
@example("1 2")
@example("- 1")
def test_is_number_takes_exactly_what_a_recogniser_written_by_hand_takes(text: str) -> None:
    assert is_number(text) == (recognised(text) is not None)


@laws
@given(texts)
@example("-0")
@example("1.7976931348623158e308")
@example("1.7976931348623159e308")
@example("2.4703282292062328e-324")
@example("9007199254740993")
@example("9007199254740993.00000000000000000000000000000000000000000000000001")
def test_a_decimal_is_the_double_nearest_to_its_exact_fraction(text: str) -> None:
    exact = recognised(text)
    if not isinstance(exact, Fraction):
        return
    expected = nearest(exact)
    got = number(text)
    if expected is None or got is None:
        assert got is expected is None
        return
    assert got == expected
    assert math.copysign(1, got) == (-1 if text.strip(" \t").startswith("-") else 1)


@laws
@given(near_words)
def test_inf_and_nan_are_read_in_any_case_and_with_a_sign(text: str) -> None:
    word = recognised(text)
    got = number(text)
    if word is None:
        assert got is None
        return
    assert isinstance(word, str) and got is not None
    assert math.isnan(got) if word.endswith("nan") else got == (-math.inf if word[0] == "-" else math.inf)


@laws
@given(st.floats(allow_nan=False, allow_infinity=False))
@example(5e-324)
@example(-0.0)
@example(1.7976931348623157e308)
def test_the_shortest_form_of_a_double_reads_back_as_its_bits(value: float) -> None:
    text = repr(value)
    got = number(text)
    assert got is not None and bits(got) == bits(value)
    found = numbers([text])
    assert not isinstance(found, int) and bits(found[0].item()) == bits(value) and found[1] == []


@laws
@given(st.floats(allow_nan=False, allow_infinity=False, width=32), st.sampled_from(["%.17g", "%.20e", "%.6f", "%+.3e"]))
def test_any_printf_form_reads_as_the_nearest_double(value: float, form: str) -> None:
    text = form % value
    exact = nearest(Fraction(text))
    assert exact is not None and number(text) == exact


@pytest.mark.parametrize(
    "text",
    [
        "", " ", "\t", ".", "e5", "+", "-", "+-1", "1e", "1e+", "1e5.0", "1..2", "1.2.3", "1 2", "1_000", "1_0e1_0",
        "0x10", "0x1p3", "0b1", "1,5", "1,000", "0,5", "١", "٣.١٤", "１", "1\u0660", "1\n", "\n1", "1\u00a0",
        "\u20091", "1\x0c", "\x0b1", "1\0", "NA", "null", "None", "true", "1f", "1d0", "1e5f", "1%", "$1", "−1",
        "infinit", "nann", "nan(1)", "1.#INF", "#N/A", "<NA>", "inf inity", "i n f", "[0.1]", "1/2", "1e٣",
    ],
)  # fmt: skip
def test_what_only_looks_like_a_number_is_refused(text: str) -> None:
    assert not is_number(text)
    assert number(text) is None
    assert numbers(["0.5", text, "0.5"]) == 1


@pytest.mark.parametrize("text", ["1e400", "-1e400", "1.8e308", "9" * 400, "1e999999999999", "-1e309"])
def test_a_number_beyond_the_doubles_is_refused_not_read_as_infinity(text: str) -> None:
    assert number(text) is None
    assert numbers(["1", text]) == 1
    assert numbers(["inf", text]) == 1


@pytest.mark.parametrize(
    ("text", "underflows"),
    [
        ("1e-400", 1), ("-1e-400", 1), ("0.0000001e-330", 1), ("2e-324", 1), (" +1e-999999999 ", 1), (".1e-400", 1),
        ("0." + "0" * 400 + "1", 1), ("0", 0), ("-0", 0), ("0.000", 0), ("0e5", 0), ("0e-400", 0), (".0e-9", 0),
        ("5e-324", 0), ("3e-324", 0), ("1e-310", 0),
    ],
)  # fmt: skip
@pytest.mark.parametrize("company", ["1", "inf"])
def test_a_number_too_small_for_a_double_is_zero_and_counted(text: str, underflows: int, company: str) -> None:
    found = numbers([text, company])
    assert not isinstance(found, int)
    values, small = found
    assert small == [0] * underflows
    assert bits(values[0].item()) == bits(float(text))


@laws
@given(st.lists(texts, max_size=6))
def test_many_cells_read_as_each_alone(cells: list[str]) -> None:
    each = [number(cell) for cell in cells]
    found = numbers(cells)
    if None in each:
        assert found == each.index(None)
        return
    assert not isinstance(found, int)
    values, underflows = found
    assert values.dtype == np.float64 and values.shape == (len(cells),)
    for value, alone in zip(values.tolist(), each, strict=True):
        assert alone is not None
        assert (math.isnan(value) and math.isnan(alone)) or bits(value) == bits(alone)
    exact = [recognised(cell) for cell in cells]
    assert underflows == [
        index
        for index, (value, alone) in enumerate(zip(exact, each, strict=True))
        if alone == 0 and isinstance(value, Fraction) and value != 0
    ]


@laws
@given(texts)
def test_spaces_around_a_number_change_nothing(text: str) -> None:
    padded = f" \t{text}\t "
    assert is_number(padded) == is_number(text)
    one, other = number(padded), number(text)
    assert one == other or (one is not None and other is not None and math.isnan(one) and math.isnan(other))


@pytest.mark.parametrize(
    "text", ["[" + "." * (1 << 20) + "x", "[" * (1 << 20), "[" + "]" * (1 << 20) + "x", "1" + ",000" * (1 << 18) + "x"]
)
def test_a_hint_for_a_long_cell_is_found_in_linear_time(text: str) -> None:
    # In quadratic time the test would not end.
    assert number_hint(text) == ""
