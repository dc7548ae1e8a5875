"""The fast reader of delimited text: NumPy over blocks of bytes.

It returns the doubles and texts that the careful reader returns, or declines the block,
which then goes the careful way; it never decides that something is an error. What it
knows of a block is where the bytes stand that are no digits: separators, points, signs,
the e of exponents. Everything else in a number is a digit.

1. The separators must be as many as rows times columns, with a line end after each row
   and a delimiter everywhere else; then each field is known by its start and end.
2. In a field the other bytes must come in the order sign, point, e, sign of the
   exponent. Fields in which they do not (inf, spaces, nonsense) are read one by one, by
   the careful reader's rule.
3. Digits are read eight at a time in 64-bit arithmetic (the method is D. Lemire's, "Number
   parsing at a gigabyte per second", Software: Practice and Experience 51, 2021).
4. The digits, as one integer of up to 19, are multiplied by a power of ten, both as sums of
   two doubles. Where the rounding of that product is not certain, float() decides.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING

import numpy as np

from xentcli.arrays import Bytes, Flags, Floats, Ints, Words
from xentcli.readers.delimited import Dialect
from xentcli.readers.numerals import numbers
from xentcli.readers.source import Coded
from xentcli.records import record

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = ["Fields", "fields_of"]


PAD = 40
"""So many bytes stand before and after the text, so that words may reach beyond it."""
DIGITS = 19
"""An integer of so many digits is below 2**64."""
_POINT, _PLUS, _MINUS, _QUOTE, _CR, _LF, _E = (ord(letter) for letter in '.+-"\r\ne')
_ZEROS = np.uint64(0x3030303030303030)
_LEAST, _MOST = -290, 280
"""Powers of ten with which no product of 19 digits leaves the normal doubles."""
_SLOTS = 14


@record(frozen=True, eq=False)
class Fields:
    """Where the fields of some rows stand in a block of text.

    Attributes
    ----------
    data
        The bytes of the block.
    buffer
        u1: the same, with PAD bytes before and after.
    odd, kinds
        Where bytes stand that are no digits, and which they are.
    start, end
        i8[rows, width]: where each field begins and ends, quotes aside.
    first, count
        i8[rows, width]: the first of the odd bytes in each field, and how many it has.
    """

    data: bytes
    buffer: Bytes
    odd: Ints
    kinds: Bytes
    start: Ints
    end: Ints
    first: Ints
    count: Ints

    @property
    def rows(self) -> int:
        """How many rows there are."""
        return len(self.start)

    @property
    def longest(self) -> int:
        """The length of the longest field."""
        return int((self.end - self.start).max())

    @cached_property
    def _text(self) -> str | None:
        """The text, where each character is a byte."""
        return self.data.decode("ascii") if self.data.isascii() else None

    def texts(self, column: int) -> list[str]:
        """Return the fields of a column as text."""
        pairs = zip((self.start[:, column] - PAD).tolist(), (self.end[:, column] - PAD).tolist(), strict=True)
        if self._text is not None:
            text = self._text
            return [text[a:b] for a, b in pairs]
        return [self.data[a:b].decode() for a, b in pairs]

    def coded(self, column: int) -> Coded | list[str]:
        """Return the fields of a column as few texts and a code for each row; as texts where they are long or many."""
        start, length = self.start[:, column], self.end[:, column] - self.start[:, column]
        longest = int(length.max())
        if longest > 32:
            return self.texts(column)
        words = [
            _kept(self._words(start + 8 * j, 1)[:, 0], np.clip(length - 8 * j, 0, 8))
            for j in range(max(1, -(-longest // 8)))
        ]
        mixed = (length + 1).astype(np.uint64)
        for j, word in enumerate(words):
            mixed += (word ^ (word >> np.uint64(29))) * np.uint64(0x9E3779B97F4A7C15 + 2 * j)
        mixed *= np.uint64(0xBF58476D1CE4E5B9)
        slot = (mixed >> np.uint64(64 - _SLOTS)).astype(np.intp)
        owner = np.zeros(1 << _SLOTS, dtype=np.intp)
        owner[slot] = np.arange(len(slot))
        like = owner[slot]
        if not ((length == length[like]).all() and all((word == word[like]).all() for word in words)):
            # Two texts share a slot.
            return self.texts(column)
        used = np.zeros(1 << _SLOTS, dtype=bool)
        used[slot] = True
        code = np.cumsum(used) - 1
        rows = owner[used]
        pairs = zip((start[rows] - PAD).tolist(), (self.end[rows, column] - PAD).tolist(), strict=True)
        return Coded(tuple(self.data[a:b].decode() for a, b in pairs), code[slot])

    def numbers(self, columns: Sequence[int], *, whole: bool = False) -> tuple[Floats, list[int]] | None:
        """Return columns as doubles, f8[rows, k], and the places of those too small to be told from 0.

        `whole` says that they are all, in order. None where a field is no number.
        """
        shape = (len(self.start), len(columns))
        start, end, first, count = (
            (part if whole else part[:, list(columns)]).ravel()
            for part in (self.start, self.end, self.first, self.count)
        )
        parsed = self._parsed(start, end, first, count)
        values, small = parsed.values, []
        left = np.flatnonzero(parsed.unknown)
        if len(left):
            raw = [
                self.data[a:b] for a, b in zip((start[left] - PAD).tolist(), (end[left] - PAD).tolist(), strict=True)
            ]
            found = numbers([text.decode() for text in raw])
            if isinstance(found, int):
                return None
            values[left] = found[0]
            small = left[found[1]].tolist()
        return values.reshape(shape), small

    def _parsed(self, start: Ints, end: Ints, first: Ints, count: Ints) -> _Parsed:
        scan = _scanned(self.odd, self.kinds, start, end, first, count)
        whole = scan.point - scan.start
        places = scan.stop - scan.point
        places -= 1
        np.maximum(places, 0, out=places)
        length = whole + places
        unknown = scan.unknown
        unknown |= length < 1
        unknown |= whole > 16
        digits = self._whole_part(scan.point, whole)
        truncated = None
        most = int(places.max())
        if most:
            words = self._words(scan.point + 1, min(3, -(-most // 8)))
            if most > 24:
                np.minimum(places, 24, out=places)
            fraction, lead = _fraction(words, places)
            long = np.flatnonzero(length > DIGITS)
            if len(long):
                truncated = self._cut(long, length, whole, digits, words, places, fraction, lead)
            if digits.any():
                fraction += digits * _TENS[np.minimum(places, DIGITS)]
            digits = fraction
        exponent = np.negative(places, out=places)
        if scan.power is not None:
            exponent += self._exponents(scan.power, unknown)
        values = _scaled(digits, exponent, truncated, unknown)
        if scan.negative is not None:
            np.negative(values, out=values, where=scan.negative)
        return _Parsed(values, unknown)

    def _cut(
        self,
        long: Ints,
        length: Ints,
        whole: Ints,
        digits: Words,
        words: Words,
        places: Ints,
        fraction: Words,
        lead: Words,
    ) -> Ints | None:
        """Cut numbers of more than DIGITS digits to so many; return which of them lost any.

        Zeros before the first digit that counts take none of the places.
        """
        behind, before = length[long] - whole[long], digits[long]
        spare = np.clip(8 - (behind - DIGITS), 0, 8)
        exact = (before == 0) & (behind <= 24) & (lead[long] < _TENS[spare]) | (before == 0) & (behind <= DIGITS)
        cut: Ints = long[~exact]
        if not len(cut):
            return None
        places[cut] = np.maximum(DIGITS - whole[cut], 0)
        fraction[cut] = _fraction(words[cut], places[cut])[0]
        return cut

    def _words(self, at: Ints, count: int) -> Words:
        """u8[n, count]: the bytes from each place on, eight to a word."""
        size = 8 * count
        chunks: npt.NDArray[np.void] = np.ndarray((len(self.buffer) - size + 1,), f"V{size}", self.buffer, strides=(1,))
        words: Words = chunks[at].view("<u8").reshape(-1, count)
        return words

    def _whole_part(self, point: Ints, whole: Ints) -> Words:
        """The integers before the points: of 0 or 1 digits mostly, of 16 at most."""
        most = int(whole.max())
        if most <= 1:
            digit: Words = (self.buffer[point - 1] - np.uint8(48)).astype(np.uint64)
            digit[whole != 1] = 0
            return digit
        words = self._words(point - 16, 2) if most > 8 else self._words(point - 8, 1)
        last = _eight(_kept_high(words[:, -1], np.clip(whole, 0, 8)))
        if most <= 8:
            return last
        before: Words = _eight(_kept_high(words[:, 0], np.clip(whole - 8, 0, 8)))
        before *= _TENS[8]
        before += last
        return before

    def _exponents(self, power: _Power, unknown: Flags) -> Ints:
        """The exponents of ten; 0 where none is written."""
        length = power.end - power.start
        unknown[power.numbers] |= (length < 1) | (length > 4)
        word = _kept_high(self._words(power.end - 8, 1)[:, 0], np.clip(length, 0, 8))
        found = _eight(word).astype(np.int64)
        result = np.zeros(len(unknown), dtype=np.int64)
        result[power.numbers] = np.where(power.negative, -found, found)
        return result


@record(frozen=True, eq=False)
class _Parsed:
    """Doubles, and which of them are still to be read."""

    values: Floats
    unknown: Flags


@record(frozen=True, eq=False)
class _Power:
    """The exponents that are written: of which numbers, where their digits are, and their signs."""

    numbers: Ints
    start: Ints
    end: Ints
    negative: Flags


@record(frozen=True, eq=False)
class _Scan:
    """The parts of some numbers: where digits start and stop, and the point; who is odd; signs and exponents if any."""

    start: Ints
    point: Ints
    stop: Ints
    unknown: Flags
    negative: Flags | None = None
    power: _Power | None = None


def fields_of(data: bytes, dialect: Dialect, width: int) -> Fields | None:
    """Find the fields of whole rows; None where only the careful reader can say."""
    if (
        dialect.ends_with_cr
        or dialect.decimal != "."
        or dialect.delimiter.isdigit()
        or b"\0" in data
        or not _is_utf8(data)
    ):
        return None
    size = len(data) + (not data.endswith(b"\n"))
    buffer = np.empty(size + 2 * PAD, dtype=np.uint8)
    buffer[:PAD] = buffer[PAD + len(data) :] = _LF
    buffer[PAD : PAD + len(data)] = np.frombuffer(data, np.uint8)
    odd = np.flatnonzero((buffer[PAD : PAD + size] - np.uint8(48)) > 9)
    odd += PAD
    kinds = buffer[odd]
    separators = np.flatnonzero((kinds == ord(dialect.delimiter)) | (kinds == _LF))
    rows, left = divmod(len(separators), width)
    if left or not rows:
        return None
    found = kinds[separators].reshape(rows, width)
    if not ((found[:, -1] == _LF).all() and (found[:, :-1] != _LF).all()):
        return None
    end = odd[separators]
    start = np.empty_like(end)
    start[0], start[1:] = PAD, end[:-1] + 1
    first = np.empty_like(separators)
    first[0], first[1:] = 0, separators[:-1] + 1
    count = separators - first
    if b"\r" in data and not _without_cr(kinds, odd, separators, end, count, rows, width):
        return None
    if b'"' in data and dialect.quotes and not _without_quotes(kinds, odd, separators, start, end, first, count):
        return None
    if width == 1 and (start == end).any():
        # A blank line, unless it is quoted.
        return None
    shape = (rows, width)
    return Fields(
        data,
        buffer,
        odd,
        kinds,
        start.reshape(shape),
        end.reshape(shape),
        first.reshape(shape),
        count.reshape(shape),
    )


def _is_utf8(data: bytes) -> bool:
    if data.isascii():
        return True
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


def _without_cr(kinds: Bytes, odd: Ints, separators: Ints, end: Ints, count: Ints, rows: int, width: int) -> bool:
    """Take the CR before each LF from the last field of each row; say whether there are no others."""
    last = slice(width - 1, None, width)
    before = separators[last] - 1
    if int(np.count_nonzero(kinds == _CR)) != rows or not (count[last] > 0).all():
        return False
    if not ((kinds[before] == _CR) & (odd[before] == end[last] - 1)).all():
        return False
    end[last] -= 1
    count[last] -= 1
    return True


def _without_quotes(
    kinds: Bytes, odd: Ints, separators: Ints, start: Ints, end: Ints, first: Ints, count: Ints
) -> bool:
    """Take the quotes off fields that are quoted whole; say whether there are no others.

    A separator within quotes would leave a field with one quote.
    """
    quotes = np.flatnonzero(kinds == _QUOTE)
    if len(quotes) % 2:
        return False
    field = np.searchsorted(separators, quotes)
    opening, closing = quotes[0::2], quotes[1::2]
    owner = field[0::2]
    if not ((owner == field[1::2]).all() and (np.diff(owner) > 0).all()):
        return False
    if not ((odd[opening] == start[owner]) & (odd[closing] == end[owner] - 1)).all():
        return False
    start[owner] += 1
    end[owner] -= 1
    first[owner] += 1
    count[owner] -= 2
    return True


def _scanned(odd: Ints, kinds: Bytes, start: Ints, end: Ints, first: Ints, count: Ints) -> _Scan:
    """Find sign, point and exponent of each number, in this order."""
    kind = kinds[first]
    negative = None
    signed = (kind == _MINUS) | (kind == _PLUS)
    if signed.any():
        signed &= odd[first] == start
        negative = signed & (kind == _MINUS)
        start, first, count = start + signed, first + signed, count - signed
        kind = kinds[first]
    plain = (count == 1) & (kind == _POINT)
    point = odd[first]
    unknown = np.zeros(len(start), dtype=bool)
    if plain.all():
        return _Scan(start, point, end, unknown, negative)
    others = np.flatnonzero(~plain)
    return _with_powers(odd, kinds, _Scan(start, point, end, unknown, negative), others, first[others], count[others])


def _with_powers(odd: Ints, kinds: Bytes, scan: _Scan, others: Ints, place: Ints, left: Ints) -> _Scan:
    """Find the points and exponents of the others, which are not digits with a point among them."""
    end = scan.stop[others]
    pointed = (left > 0) & (kinds[place] == _POINT)
    point = odd[place]
    place, left = place + pointed, left - pointed
    at = odd[place]
    powered = (left > 0) & ((kinds[place] | 32) == _E)
    place, left = place + powered, left - powered
    stop = np.where(powered, at, end)
    kind = kinds[place]
    sign = powered & (left > 0) & ((kind == _MINUS) | (kind == _PLUS)) & (odd[place] == at + 1)
    scan.unknown[others] = left - sign > 0
    scan.point[others] = np.where(pointed, point, stop)
    if not powered.any():
        return scan
    stops = scan.stop.copy()
    stops[others] = stop
    power = _Power(others[powered], (at + 1 + sign)[powered], end[powered], (sign & (kind == _MINUS))[powered])
    return replace(scan, stop=stops, power=power)


def _eight(word: Words) -> Words:
    """Read eight digits, the first in the lowest byte; bytes of 0 stand for digits that are not there."""
    pairs = word >> np.uint64(8)
    word = word * np.uint64(10)
    word += pairs
    fours = word & np.uint64(0x000000FF000000FF)
    fours *= np.uint64(0x000F424000000064)
    word >>= np.uint64(16)
    word &= np.uint64(0x000000FF000000FF)
    word *= np.uint64(0x0000271000000001)
    word += fours
    word >>= np.uint64(32)
    return word


def _kept(word: Words, count: Ints) -> Words:
    """Keep the first bytes of each word."""
    return word & _LOW[count]


def _kept_high(word: Words, count: Ints) -> Words:
    """Keep the last digits of each word, those before them being 0."""
    return (word ^ _ZEROS) & ~_LOW[8 - count]


def _fraction(words: Words, places: Ints) -> tuple[Words, Words]:
    """Read the digits after the points, `places` of them (at most 24); also the first eight of them."""
    total = lead = _eight((words[:, 0] ^ _ZEROS) << _SHIFTS[0][places])
    for j in range(1, words.shape[1]):
        found = _eight((words[:, j] ^ _ZEROS) << _SHIFTS[j][places])
        total = total * _FACTORS[j][places]
        total += found
    return total, lead


_TENS: Words = np.array([10**n for n in range(DIGITS + 1)], dtype=np.uint64)
_LOW: Words = np.array([(1 << 8 * n) - 1 for n in range(9)], dtype=np.uint64)
_IN_WORD = [[min(max(places - 8 * j, 0), 8) for places in range(25)] for j in range(3)]
"""How many of so many digits stand in each of three words."""
_SHIFTS: Words = np.array([[64 - 8 * count for count in counts] for counts in _IN_WORD], dtype=np.uint64)
_FACTORS: Words = np.array([[10**count for count in counts] for counts in _IN_WORD], dtype=np.uint64)


@lru_cache(maxsize=1)
def _powers() -> tuple[Floats, Floats]:
    """10**e for e from _LEAST to _MOST as sums of two doubles, the first of 21 bits."""
    upper, lower = [], []
    for e in range(_LEAST, _MOST + 1):
        over, under = (10**e, 1) if e >= 0 else (1, 10**-e)
        mantissa, shift = math.frexp(over / under)
        first = math.ldexp(math.floor(mantissa * 2**21), shift - 21)
        n, d = first.as_integer_ratio()
        upper.append(first)
        lower.append((over * d - n * under) / (under * d))
    return np.array(upper), np.array(lower)


_EXACT = np.array([10.0**n for n in range(23)])
_HALF = np.int64((1 << 32) - 1)


def _scaled(digits: Words, exponent: Ints, truncated: Ints | None, unknown: Flags) -> Floats:
    """Return digits x 10**exponent, rounded once; where that is not certain, it is noted as unknown.

    `truncated` are those whose digits were cut: they stand for all up to the next integer.
    """
    lowest, highest = int(exponent.min()), int(exponent.max())
    if truncated is None and lowest >= -22 and highest <= 0 and int(digits.max()) < 1 << 53:
        # Both are doubles, and a quotient of doubles is rounded once (W. D. Clinger, PLDI 1990).
        quotients: Floats = digits.view(np.int64).astype(np.float64)
        quotients /= _EXACT[-exponent]
        return quotients
    if lowest < _LEAST or highest > _MOST:
        unknown |= (exponent < _LEAST) | (exponent > _MOST)
        exponent = np.clip(exponent, _LEAST, _MOST)
    index = exponent - _LEAST
    upper, lower = (table[index] for table in _powers())
    # 31 and 32 bits times 21 bits are exact; what is rounded is small beside the first product.
    integer = digits.view(np.int64)
    low_bits = integer & _HALF
    high = (integer - low_bits).astype(np.float64)
    low = low_bits.astype(np.float64)
    product = high * upper
    upper *= low
    high *= lower
    rest = upper + high
    low *= lower
    rest += low
    values = product + rest
    # Three roundings of sums, and the end of the power, each below 2**-53 of the rest.
    doubt = rest * 2.0**-50
    if truncated is not None:
        # What was cut off is less than one unit of the last digit, whatever the digits are.
        unit = sum(table[index[truncated]] for table in _powers())
        doubt[truncated] += unit * (1 + 2.0**-40)
    product -= values
    rest += product
    sure = values + (rest + doubt) == values
    sure &= values + (rest - doubt) == values
    sure &= integer >= 0
    if not sure.all():
        doubtful = np.flatnonzero(~sure)
        small = doubtful[(digits[doubtful] < 1 << 53) & (exponent[doubtful] >= -22) & (exponent[doubtful] <= 0)]
        if truncated is None:
            values[small] = integer[small] / _EXACT[-exponent[small]]
            sure[small] = True
        unknown |= ~sure
    return values
