"""list(map(repr, values)) in a quarter of the time, for --per-example.

With repr a whole run of 400k x 10 with --per-example .csv takes 1.4 to 1.5 times the CPU time.
Everything here is behind one function, so that `repr` can replace it.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from xentcli.arrays import Bytes, Flags, Floats, Ints, Words, two_product

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = ["shortest"]

_PADDING = 0xFF
"""Fills what a number leaves of its fixed width; no text in UTF-8 has this byte."""
_ZERO, _POINT, _LF = ord("0"), ord("."), ord("\n")
_DIGITS = 17
"""17 digits distinguish every double from all others."""
_LONGEST = 24
"""The length of -1.7976931348623157e+308."""
_SPELT = 20
"""Digits are written four at a time."""
_LOWEST, _HIGHEST = -40, 15
"""The exponents of ten that are written here; numbers with others go to repr."""
_LAST_FIXED = -4
"""Smaller numbers are written with an exponent."""
_DOUBT = 2.0**-20
"""Far above the rounding errors of the comparisons, in units of the last digit."""


def shortest(values: Floats) -> list[str]:
    """Return the repr of each double (f8[n]): the shortest decimal that reads back as it, and the nearest such.

    x 10**p is computed to twice the digits of a double. The nearest number of 15 digits, else of
    16, is taken if it is nearer to x than half the distance to the next double; else 17 digits
    (G. L. Steele and J. L. White, "How to print floating-point numbers accurately", PLDI 1990).
    A comparison too close to be certain goes to repr.

    >>> shortest(np.array([0.1 + 0.2, 1e-7, 1.0]))
    ['0.30000000000000004', '1e-07', '1.0']
    """
    bits = values.view(np.int64)
    if len(values) and (bits == bits[0]).all():
        # Weights are mostly 1.
        return [repr(float(values[0]))] * len(values)
    lines = np.full((len(values), _LONGEST + 1), _PADDING, dtype=np.uint8)
    lines[:, _LONGEST] = _LF
    room = lines[:, :_LONGEST]
    usual = (values >= float(f"1e{_LOWEST}")) & (values < float(f"1e{_HIGHEST + 1}"))
    x = np.where(usual, values, 1.0)
    # log10 can round up to the next integer.
    exponent = np.minimum(np.floor(np.log10(x)).astype(np.int64), _HIGHEST)
    digits, count, sure = _shortest(x, exponent)
    sure &= usual
    spelt = _spelt(digits, count)
    for power in (np.flatnonzero(np.bincount(exponent - _LOWEST)) + _LOWEST).tolist():
        _lay_out(room, np.flatnonzero(exponent == power), spelt[:, -_DIGITS:], count, power)
    zero = bits == 0
    room[zero] = _padded(0.0)
    for row in np.flatnonzero(~sure & ~zero).tolist():
        room[row] = _padded(values[row])
    flat = lines.reshape(-1)
    written: bytes = flat[flat != _PADDING].tobytes()
    return written.decode("ascii").split("\n")[:-1]


def _padded(value: float) -> Bytes:
    return np.frombuffer(repr(float(value)).encode().ljust(_LONGEST, bytes([_PADDING])), np.uint8)


def _shortest(x: Floats, exponent: Ints) -> tuple[Words, Ints, Flags]:
    """Return the shortest decimals as 17-digit integers, how many digits are significant, and which are certain."""
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
        # A number of 15 digits is found only where one of 16 is.
        digits = digits + (nearest - digits) * found
        count -= found
    sure &= (count < _DIGITS) | (np.abs(error) < 0.5 - _DOUBT)
    # Below a power of two the next double is at half the distance of the one above.
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
    """u1[n, 20]: the first `count` digits of 17-digit integers, then padding."""
    fours = np.empty((len(digits), _SPELT // 4), dtype="<u4")
    for place in (4, 3, 2, 1):
        upper = digits // np.uint64(10_000)
        fours[:, place] = _four_digits()[(digits - upper * np.uint64(10_000)).view(np.int64)]
        digits = upper
    fours[:, 0] = _four_digits()[np.minimum(digits, np.uint64(9999)).view(np.int64)]
    fours |= _items(_beyond().view(np.uint8))[count].view("<u4").reshape(fours.shape)
    return fours.view(np.uint8)


def _lay_out(room: Bytes, rows: Ints, digits: Bytes, count: Ints, exponent: int) -> None:
    """Write the rows of one exponent of ten from their digits (u1[n, 17]) into the room (u1[n, 24])."""

    def write(at: int, items: npt.NDArray[np.void]) -> None:
        _items(room[:, at : at + items.itemsize])[rows] = items

    def write_all(at: int, text: bytes) -> None:
        write(at, np.frombuffer(text, f"V{len(text)}"))

    if exponent >= 0:
        whole = exponent + 1
        before = digits[rows, :whole]
        before[before == _PADDING] = _ZERO
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
    """View each row (u1[n, width]) as one item: assigning items takes a third of the time."""
    items: npt.NDArray[np.void] = rows.view(f"V{rows.shape[1]}")[:, 0]
    return items


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
    """u4[18, 5]: for each number of significant digits the padding in place of the others."""
    place = np.arange(_SPELT) - (_SPELT - _DIGITS)
    return np.where(place < np.arange(_DIGITS + 1)[:, None], 0, _PADDING).astype(np.uint8).view("<u4")
