"""Numerals to doubles: NumPy over all the numbers of a block at once.

`doubles` reads three forms, and leaves every other number, such as inf or 1e-200, to float():

1. decimals: an optional minus, 1 to 8 digits, a point, up to 22 digits;
2. decimals with one digit before the point and an exponent of two digits (1.5e-05);
3. integers of up to 8 digits.

Of each decimal the same three 8-byte words are read, beginning with the last digit before the
point, so that each digit has the same place value in every number. XOR with "0.000000..." leaves
the digits, and shows any other byte as more than 9. Eight digits become an integer by three
multiplications (D. Lemire, "Number parsing at a gigabyte per second", Software: Practice and
Experience 51, 2021). The integers are multiplied by a power of ten in double-double arithmetic;
a number so close to the middle of two doubles that its rounding is not certain goes to float().
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from xentcli.arrays import Bytes, Flags, Floats, Ints, Words

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = ["LOW_BYTES", "doubles", "words_at"]

_POINT, _PLUS, _MINUS, _ZERO, _E = (ord(letter) for letter in ".+-0e")
_WORDS = 3
_BEFORE = 8
"""Digits before the point, at most."""
_SHORTEST, _LONGEST = 3, 8 * _WORDS
"""Bytes of one digit, a point and the digits after it."""
_SAMPLE = 64
"""Every n-th number is checked for a minus, and for a second digit before the point."""
_FEW = 16
"""If fewer than one number in 16 ends in an earlier word, only those are masked there."""


def doubles(buffer: Bytes, start: Ints, end: Ints, *, ascii: bool) -> tuple[Floats, Ints]:
    """Read numerals: their doubles (f8[n]), and the indices (i8[m]) of those that are left to float().

    `start` and `end` (i8[n]) are places in the buffer, which has 40 bytes or more before and after them;
    `ascii` says whether all its bytes are below 128.
    """
    sample = start[:: max(1, len(start) // 64)]
    decimals_first = _mostly_decimals(buffer, sample)
    steps = (_decimals, _with_exponents, _integers) if decimals_first else (_integers, _decimals, _with_exponents)
    values, unknown = steps[0](buffer, start, end, ascii)
    left = np.flatnonzero(unknown)
    for read in steps[1:]:
        if not len(left):
            break
        # take() has several cache misses in flight at once, unlike indexing.
        values[left], unknown = read(buffer, start.take(left), end.take(left), ascii)
        left = left[unknown]
    return values, left


def _mostly_decimals(buffer: Bytes, start: Ints) -> bool:
    """Whether most numbers begin with up to _BEFORE digits and a point, after a minus or none."""
    start = start + (buffer[start] == _MINUS)
    points = buffer[start[:, None] + np.arange(1, _BEFORE + 1)] == _POINT
    return bool(2 * np.count_nonzero(points.any(axis=1)) > len(start))


def _integers(buffer: Bytes, start: Ints, end: Ints, ascii: bool) -> tuple[Floats, Flags]:
    """Read integers of 1 to 8 digits; returns the values, and which numbers have another form."""
    length = end - start
    unknown: Flags = (length < 1) | (length > 8)
    if not (length > 1).any():
        digit = buffer.take(start) - np.uint8(_ZERO)
        return digit.astype(np.float64), unknown | (digit > 9)
    words = (words_at(buffer, end - 8, 1)[:, 0] ^ _EXPECTED[1]) & ~LOW_BYTES[8 - np.clip(length, 0, 8)]
    unknown |= ((words | (words + _TOO_MUCH[1])) & _TOP_BITS) != 0
    return _eight_digits(words).astype(np.float64), unknown


def _with_exponents(buffer: Bytes, start: Ints, end: Ints, ascii: bool) -> tuple[Floats, Flags]:
    """Read decimals that end with an exponent such as e-05 or E+01; returns the values, and which have another form."""
    letter, sign, tens, ones = (buffer.take(end - j) for j in (4, 3, 2, 1))
    tens -= np.uint8(_ZERO)
    ones -= np.uint8(_ZERO)
    known = ((letter | 32) == _E) & ((sign == _MINUS) | (sign == _PLUS)) & (tens <= 9) & (ones <= 9)
    values, unknown = np.zeros(len(start)), ~known
    if known.any():
        power = (10 * tens + ones)[known].astype(np.int64)
        np.negative(power, out=power, where=sign[known] == _MINUS)
        values[known], unknown[known] = _decimals(buffer, start[known], end[known] - 4, ascii, power)
    return values, unknown


def _decimals(buffer: Bytes, start: Ints, end: Ints, ascii: bool, power: Ints | None = None) -> tuple[Floats, Flags]:
    """Read decimals; returns the values, and which numbers have another form or no certain rounding.

    With `power` each has one digit before the point, and is multiplied by 10**power.
    """
    # Without a minus in the sample, a number that has one is of another form.
    signed = bool((buffer[start[::_SAMPLE]] == _MINUS).any())
    if signed:
        negative = buffer.take(start) == _MINUS
        start = start + negative
    before = None
    if power is None and (buffer[start[::_SAMPLE] + 1] != _POINT).any():
        start, before = _digits_before(buffer, start)
    n, m, unknown, spare = _digits(buffer, start, end, ascii)
    values, doubtful = _rounded(n, m, power, before, spare)
    unknown |= doubtful
    if signed:
        np.negative(values, out=values, where=negative)
    return values, unknown


def _digits_before(buffer: Bytes, start: Ints) -> tuple[Ints, Floats]:
    """Read the digits before the last one before the point: that one's place, and 10 x their integer.

    A number with one digit before the point, or no point within _BEFORE digits, keeps its start and has 0.
    """
    start, tens = start.copy(), np.zeros(len(start))
    left = np.flatnonzero(buffer.take(start + 1) != _POINT)
    at, integer = start.take(left), np.zeros(len(left))
    for count in range(1, _BEFORE):
        if not len(left):
            break
        digit = buffer.take(at + (count - 1)) - np.uint8(_ZERO)
        integer *= 10
        integer += digit
        is_digit = digit <= 9
        pointed = is_digit & (buffer.take(at + (count + 1)) == _POINT)
        here = left[pointed]
        start[here] += count
        tens[here] = 10 * integer[pointed]
        more = is_digit & ~pointed
        left, at, integer = left[more], at[more], integer[more]
    return start, tens


def _digits(buffer: Bytes, start: Ints, end: Ints, ascii: bool) -> tuple[Words, Words | None, Flags, Words]:
    """Read one digit, a point and up to 22 digits.

    Returns n, the integer of the first 15 digits; m, that of the next 8, or None if no number has
    more than 15; which numbers have another form; and an array that may be overwritten.
    """
    length = end - start
    shortest, longest = int(np.minimum.reduce(length)), int(np.maximum.reduce(length))
    count = min(_WORDS, max(1, -(-longest // 8)))
    read = words_at(buffer, start, count)
    words = np.bitwise_xor(read.T, _EXPECTED[:count], order="C")
    last = count - 1
    words[last] &= _KEPT[last].take(length, mode="clip")
    short = np.flatnonzero(length < 8 * last) if shortest < 8 * last else ()
    if _FEW * len(short) > len(length):
        words[:last] &= _KEPT[:last].take(length, axis=1, mode="clip")
    elif len(short):
        words[:last, short] &= _KEPT[:last].take(length[short], axis=1, mode="clip")
    # Reuse memory that is in the cache.
    room = read.view(np.uint64).reshape(count, -1)
    high_bits = np.add(words[0], _TOO_MUCH[0], out=room[0])
    for j in range(1, count):
        high_bits |= np.add(words[j], _TOO_MUCH[j], out=room[1])
    if not ascii:
        high_bits |= np.bitwise_or.reduce(words, axis=0)
    high_bits &= _TOP_BITS
    unknown: Flags = high_bits != 0
    if shortest < _SHORTEST or longest > _LONGEST:
        unknown |= (length < _SHORTEST) | (length > _LONGEST)
    first_digit = np.bitwise_and(words[0], np.uint64(0xFF), out=room[0])
    eights = _eight_digits(words)
    n = eights[0]
    if np.maximum.reduce(first_digit):
        # The point counts as a digit 0: d0ffffff becomes dffffff.
        first_digit *= np.uint64(9 * 10**6)
        n -= first_digit
    n *= np.uint64(10**8)
    if count > 1:
        n += eights[1]
    return n, eights[2] if count > 2 else None, unknown, room[0]


# Bytes of other forms give meaningless values, which are not used.
@np.errstate(invalid="ignore", over="ignore")
def _rounded(
    n: Words, m: Words | None, power: Ints | None, before: Floats | None, spare: Words
) -> tuple[Floats, Flags]:
    """Return n 10**-14 + m 10**-22, times 10**power or plus `before`, rounded; and where that is not certain.

    All arguments are written over.

    The power is the sum of two doubles, upper (26 bits) and lower. n without its last 25 bits
    times upper is exact, and so is the error of adding that to `before` (Fast2Sum). All other
    terms, none of which is negative, are known to 5 x 2**-53 of their sum: a rounded factor, the
    rounded product, and three sums. The result is certain if this cannot reach the next double.
    """
    upper: float | Floats
    lower: float | Floats
    least: float | Floats
    if power is None:
        (upper, lower), least = _power_of_ten(-14), 1e-22
    else:
        index = power + _LARGEST_POWER
        upper, lower, least = (table.take(index) for table in _powers_of_ten())
    low_bits = np.bitwise_and(n, _LOW_BITS, out=spare)
    n -= low_bits
    high, low = _as_doubles(n), _as_doubles(low_bits)
    rest = high * lower
    high *= upper
    low *= upper + lower
    rest += low
    if m is not None:
        last_digits = _as_doubles(m)
        last_digits *= least
        rest += last_digits
    doubt = rest
    if before is not None:
        total = before + high
        before -= total
        before += high
        doubt = np.abs(before)
        doubt += rest
        rest += before
        high = total
    values = high + rest
    high -= values
    high += rest
    doubt *= _DOUBT
    lost = np.abs(high, out=high)
    lost += doubt
    return values, np.subtract(values, lost, out=low) != values


def _as_doubles(integers: Words) -> Floats:
    """Convert integers below 2**52 to doubles in place: they are the last bits of 2**52 + integer."""
    integers |= _TWO_52
    converted: Floats = integers.view(np.float64)
    converted -= 2.0**52
    return converted


def _eight_digits(words: Words) -> Words:
    """Convert eight digits (0 to 9, the first in the lowest byte) to an integer in place.

    Neighbours are combined in pairs: bytes in 16 bits, then those in 32, then those in 64.
    """
    pairs = words.view(np.uint16)
    pairs *= np.uint16(10 << 8 | 1)
    pairs >>= np.uint16(8)
    fours = words.view(np.uint32)
    fours *= np.uint32(100 << 16 | 1)
    fours >>= np.uint32(16)
    words *= np.uint64(10_000 << 32 | 1)
    words >>= np.uint64(32)
    return words


def words_at(buffer: Bytes, at: Ints, count: int) -> Words:
    """Return the bytes from each place on, eight to a word: u8[n, count]."""
    size = 8 * count
    chunks: npt.NDArray[np.void] = np.ndarray((len(buffer) - size + 1,), f"V{size}", buffer, strides=(1,))
    words: Words = chunks[at].view("<u8").reshape(-1, count)
    return words


LOW_BYTES: Words = np.array([(1 << 8 * n) - 1 for n in range(9)], dtype=np.uint64)
"""Masks of the first n bytes of a word."""
_KEPT: Words = np.array(
    [[(1 << 8 * min(max(n - 8 * j, 0), 8)) - 1 for n in range(_LONGEST + 1)] for j in range(_WORDS)], dtype=np.uint64
)
"""For each word the mask of the bytes of a number of n bytes."""
_EXPECTED: Words = np.array([[0x3030303030302E30], [0x3030303030303030], [0x3030303030303030]], dtype=np.uint64)
""""0.000000", and "00000000" twice."""
_TOO_MUCH: Words = np.array([[0x7676767676767F76], [0x7676767676767676], [0x7676767676767676]], dtype=np.uint64)
"""Added to digits, this sets the top bit of a byte above 9, and of the point's if that is not 0."""
_TOP_BITS = np.uint64(0x8080808080808080)
_LOW_BITS = np.uint64((1 << 25) - 1)
_TWO_52: Words = np.array([2.0**52]).view(np.uint64)
_DOUBT = 5 * 2.0**-53 * (1 + 2.0**-10)
_LARGEST_POWER = 99
"""The largest exponent of two digits."""


@lru_cache(maxsize=256)
def _power_of_ten(power: int) -> tuple[float, float]:
    """10**power as the sum of two doubles; the first has 26 bits and is not above it."""
    over, under = (10**power, 1) if power >= 0 else (1, 10**-power)
    mantissa, shift = math.frexp(over / under)
    upper = math.ldexp(math.floor(mantissa * 2**26), shift - 26)
    n, d = upper.as_integer_ratio()
    return upper, (over * d - n * under) / (under * d)


@lru_cache(maxsize=1)
def _powers_of_ten() -> tuple[Floats, Floats, Floats]:
    """Both doubles of 10**(p - 14), and 10**(p - 22), for p from -_LARGEST_POWER to _LARGEST_POWER."""
    powers = range(-_LARGEST_POWER, _LARGEST_POWER + 1)
    upper, lower = zip(*(_power_of_ten(p - 14) for p in powers), strict=True)
    return np.array(upper), np.array(lower), np.array([float(f"1e{p - 22}") for p in powers])
