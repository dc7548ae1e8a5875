"""Columns of text as bytes of one width, many rows at once: whole numbers, doubles, texts.

What is shorter than its column is padded with a byte that no UTF-8 has, and the padding is
taken out when the columns are put together. A double is written as repr does, in a quarter
of its time: the shortest decimal that is read as that double, the nearest to it of those.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from xentcli.arrays import Bytes, Flags, Floats, Ints, Words, distinct, two_product

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = ["blanked", "decimals", "put_together", "runs", "texts", "texts_of", "whole_numbers"]

_NOTHING = 0xFF
_ZERO, _POINT = ord("0"), ord(".")
_DIGITS = 17
"""So many digits tell every double from all others."""
_LONGEST = 24
"""The length of -1.7976931348623157e+308."""
_SPELT = 20
"""Digits are written four at once."""
_LOWEST, _HIGHEST = -40, 15
"""The exponents of ten of the doubles that are written many at once."""
_LAST_FIXED = -4
"""Smaller numbers are written with an exponent."""
_DOUBT = 2.0**-20
"""Far more than the rounding errors of what is compared, in units of the last digit."""
_MOST_BYTES = 1 << 23
_BESIDE = 100
"""About so many bytes stand beside the texts of a row."""


def put_together(columns: Sequence[Bytes]) -> bytes:
    r"""Put columns (u1[n, widths]) beside each other, commas between them and line ends behind.

    >>> put_together([whole_numbers(9, 2), texts(["a", "é"]), decimals(np.array([0.1, 1e-7]))])
    b'9,a,0.1\n10,\xc3\xa9,1e-07\n'
    """
    room = np.empty((len(columns[0]), sum(column.shape[1] + 1 for column in columns)), dtype=np.uint8)
    at = 0
    for column in columns:
        if column.shape[1]:
            _items(room[:, at : at + column.shape[1]])[...] = _items(column)
        at += column.shape[1] + 1
        room[:, at - 1] = ord(",")
    room[:, -1:] = ord("\n")
    flat = room.reshape(-1)
    written: bytes = flat[flat != _NOTHING].tobytes()
    return written


def runs(lengths: Ints) -> Iterator[slice]:
    """Yield rows that are put together at once: of texts of so many characters (i8[n]) one long one stands with few.

    >>> [(some.start, some.stop) for some in runs(np.array([3, 1 << 22, 5]))]
    [(0, 1), (1, 2), (2, 3)]
    """
    begin = 0
    while begin < len(lengths):
        count = len(lengths) - begin
        while count > 1 and count * (_BESIDE + 4 * int(lengths[begin : begin + count].max())) > _MOST_BYTES:
            count = -(-count // 2)
        yield slice(begin, begin + count)
        begin += count


def whole_numbers(first: int, count: int) -> Bytes:
    r"""Write `count` numbers from `first` (0 or more) on: u1[n, width].

    >>> bytes(whole_numbers(99, 2)).replace(b"\xff", b" ")
    b' 99100'
    """
    width = len(str(first + count))
    left = np.arange(first, first + count, dtype=np.uint64)
    room = np.empty((count, width), dtype=np.uint8)
    for place in reversed(range(width)):
        upper = left // np.uint64(10)
        room[:, place] = left - upper * np.uint64(10) + np.uint64(_ZERO)
        if place < width - 1:
            room[left == 0, place] = _NOTHING
        left = upper
    return room


def texts_of(values: Sequence[str], of_rows: Ints) -> Bytes:
    r"""Write for each row one of some texts (i8[n]): u1[n, width], in UTF-8; halves of surrogate pairs are escaped.

    >>> bytes(texts_of(["a", "long"], np.array([0, 0]))), texts_of(["a", "long"], np.array([1, 0])).shape
    (b'aa', (2, 4))
    """
    found, _, places = distinct(of_rows)
    return texts([values[place] for place in found.tolist()])[places]


def texts(values: Sequence[str]) -> Bytes:
    """Write texts: u1[n, width], in UTF-8; halves of surrogate pairs are escaped."""
    encoded = [value.encode(errors="backslashreplace") for value in values]
    lengths = np.array([len(value) for value in encoded], dtype=np.int64)
    room = np.full((len(encoded), int(lengths.max(initial=0))), _NOTHING, dtype=np.uint8)
    room[np.arange(room.shape[1]) < lengths[:, None]] = np.frombuffer(b"".join(encoded), np.uint8)
    return room


def blanked(column: Bytes, rows: Flags) -> Bytes:
    """Leave these rows (bool[n]) of a column empty, in place."""
    column[rows] = _NOTHING
    return column


def decimals(values: Floats) -> Bytes:
    """Write doubles (f8[n]) as repr does: u1[n, width].

    Of a double x the digits are the integer part of x 10**p, known to twice the digits of a
    double. The nearest number of 15 digits, else of 16, is x if it lies nearer than half the
    distance of the doubles; 17 digits always do. What is too near to say is left to repr.
    (G. L. Steele and J. L. White, PLDI 1990, tell what the shortest decimal is.)

    >>> bytes(decimals(np.array([0.1 + 0.2]))[0, :19])
    b'0.30000000000000004'
    """
    bits = values.view(np.int64)
    if len(values) and (bits == bits[0]).all():
        # Weights are mostly 1.
        return np.repeat(texts([repr(float(values[0]))]), len(values), axis=0)
    room = np.full((len(values), _LONGEST), _NOTHING, dtype=np.uint8)
    usual = (values >= float(f"1e{_LOWEST}")) & (values < float(f"1e{_HIGHEST + 1}"))
    x = np.where(usual, values, 1.0)
    # Of the last double before a power of ten the logarithm is that of the power.
    exponent = np.minimum(np.floor(np.log10(x)).astype(np.int64), _HIGHEST)
    digits, count, sure = _shortest(x, exponent)
    sure &= usual
    written = _spelt(digits, count)
    for power in (np.flatnonzero(np.bincount(exponent - _LOWEST)) + _LOWEST).tolist():
        _lay_out(room, np.flatnonzero(exponent == power), written[:, -_DIGITS:], count, power)
    zero = bits == 0
    room[zero] = _padded(b"0.0")
    for row in np.flatnonzero(~sure & ~zero).tolist():
        room[row] = _padded(repr(float(values[row])).encode())
    return room


def _shortest(x: Floats, exponent: Ints) -> tuple[Words, Ints, Flags]:
    """The digits of the shortest decimals, as integers of 17 digits; how many count; and which are certain."""
    upper, lower = (table[exponent - _LOWEST] for table in _powers())
    product, error = two_product(x, upper)
    error += x * lower
    scaled = product + error
    product -= scaled
    error += product
    bits = x.view(np.int64)
    # Half the distance to the next double, in units of the 17th digit.
    half = (bits & np.int64(0x7FF << 52)).view(np.float64) * 2.0**-53
    half *= upper
    step = np.rint(error)
    error -= step
    n = scaled.astype(np.int64) + step.astype(np.int64)
    sure = n >= 10 ** (_DIGITS - 1)
    digits, count = n, np.full(len(x), _DIGITS)
    for unit in (10, 100):
        whole = n.view(np.uint64) // np.uint64(unit) * np.uint64(unit)
        part = (n - whole.view(np.int64)) + error
        distance = np.minimum(part, unit - part)
        found = distance < half
        sure &= np.abs(distance - half) > _DOUBT
        sure &= ~found | (distance < unit / 2 - _DOUBT)
        nearest = whole.view(np.int64) + unit * (part > unit / 2)
        # Where a number of fewer digits is found, one of more is.
        digits = digits + (nearest - digits) * found
        count -= found
    sure &= (count < _DIGITS) | (np.abs(error) < 0.5 - _DOUBT)
    # The doubles below a power of two are nearer to it than those above.
    sure &= ((bits & np.int64((1 << 52) - 1)) != 0) | (np.abs(digits - n - error) < half / 2 - _DOUBT)
    sure &= digits < 10**_DIGITS
    short = np.flatnonzero(count == _DIGITS - 2)
    if len(short):
        rest, zeros = digits[short] // 100, np.zeros(len(short), dtype=np.int64)
        for step_ in (8, 4, 2, 1):
            fits = rest % 10**step_ == 0
            rest = np.where(fits, rest // 10**step_, rest)
            zeros += step_ * fits
        count[short] -= zeros
    return digits.view(np.uint64), count, sure


def _spelt(digits: Words, count: Ints) -> Bytes:
    """u1[n, 20]: the digits of integers of 17 digits, the first `count` of them; the others are padding."""
    fours = np.empty((len(digits), _SPELT // 4), dtype="<u4")
    for place in (4, 3, 2, 1):
        upper = digits // np.uint64(10_000)
        fours[:, place] = _four_digits()[(digits - upper * np.uint64(10_000)).view(np.int64)]
        digits = upper
    fours[:, 0] = _four_digits()[np.minimum(digits, np.uint64(9999)).view(np.int64)]
    fours |= _items(_beyond().view(np.uint8))[count].view("<u4").reshape(fours.shape)
    return fours.view(np.uint8)


def _lay_out(room: Bytes, rows: Ints, digits: Bytes, count: Ints, exponent: int) -> None:
    """Write the digits (u1[n, 17]) of rows whose numbers have one exponent of ten into the room (u1[n, 24])."""

    def write(at: int, items: npt.NDArray[np.void]) -> None:
        _items(room[:, at : at + items.itemsize])[rows] = items

    def write_all(at: int, text: bytes) -> None:
        write(at, np.frombuffer(text, f"V{len(text)}"))

    if exponent >= 0:
        whole = exponent + 1
        before = digits[rows, :whole]
        before[before == _NOTHING] = _ZERO
        write(0, _items(before))
        write_all(whole, b".")
        write(whole + 1, _items(digits[:, whole:])[rows])
        room[rows[count[rows] <= whole], whole + 1] = _ZERO
    elif exponent >= _LAST_FIXED:
        begin = b"0." + b"0" * (-exponent - 1)
        write_all(0, begin)
        write(len(begin), _items(digits)[rows])
    else:
        write(0, _items(digits[:, :1])[rows])
        room[rows[count[rows] > 1], 1] = _POINT
        write(2, _items(digits[:, 1:])[rows])
        write_all(_DIGITS + 1, f"e{exponent:03d}".encode())


def _items(rows: Bytes) -> npt.NDArray[np.void]:
    """Each row (u1[n, width]) as an item of its own: rows are moved in a third of the time."""
    items: npt.NDArray[np.void] = rows.view(f"V{rows.shape[1]}")[:, 0]
    return items


def _padded(text: bytes) -> Bytes:
    return np.frombuffer(text.ljust(_LONGEST, bytes([_NOTHING])), np.uint8)


@lru_cache(maxsize=1)
def _powers() -> tuple[Floats, Floats]:
    """10**(16 - e) for each exponent e, as the sum of two doubles."""
    powers = [10 ** (_DIGITS - 1 - e) for e in range(_LOWEST, _HIGHEST + 1)]
    return np.array([float(p) for p in powers]), np.array([float(p - int(float(p))) for p in powers])


@lru_cache(maxsize=1)
def _four_digits() -> Words:
    """u4[10000]: the four digits of each number, as the bytes of a word."""
    return np.frombuffer("".join(f"{n:04d}" for n in range(10_000)).encode(), "<u4")


@lru_cache(maxsize=1)
def _beyond() -> Words:
    """u4[18, 5]: by the number of digits that count, padding in place of the others."""
    place = np.arange(_SPELT) - (_SPELT - _DIGITS)
    return np.where(place < np.arange(_DIGITS + 1)[:, None], 0, _NOTHING).astype(np.uint8).view("<u4")
