"""The fast reader of delimited text: NumPy over blocks of bytes.

It returns the doubles and texts that the careful reader returns, or declines the block,
which then goes the careful way; it never decides that something is an error.

1. The separators must be as many as rows times columns, with a line end after each row
   and a delimiter everywhere else; then each field is known by its start and end.
2. Most numbers are 1 to 4 digits, a point and up to 22 digits, with a minus or none: of all of
   them the same three words are read from the digit before the point on and combined, and
   whatever does not fit is seen then. Where few have a point so soon, the same is done with
   whole numbers of up to eight digits.
3. In the others the bytes that are no digits are looked for: they must come in the order
   sign, point, e, sign of the exponent. Fields in which they do not (inf, spaces, nonsense)
   are read one by one, by the careful reader's rule.
4. Digits are read eight at a time in 64-bit arithmetic (the method is D. Lemire's, "Number
   parsing at a gigabyte per second", Software: Practice and Experience 51, 2021).
5. The digits are multiplied by a power of ten, both as sums of two doubles. Where the
   rounding of that product is not certain, float() decides.

Each step is a pass of NumPy over the numbers of a block. So there are few steps, each over
many numbers: two threads wait for each other at the end of each.
"""

from __future__ import annotations

import math
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING

import numpy as np

from xentcli.arrays import Bytes, Flags, Floats, Ints, Words
from xentcli.columns.numerals import numbers
from xentcli.columns.texts import LONGEST, Texts
from xentcli.columns.vocabulary import alike
from xentcli.readers.source import Coded
from xentcli.readers.text.delimited import PAD, Dialect, room_for
from xentcli.records import record, replace

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = ["Fields", "between", "fields_in", "fields_of", "in_rows"]


DIGITS = 19
"""An integer of so many digits is below 2**64."""
_POINT, _PLUS, _MINUS, _QUOTE, _CR, _LF, _E = (ord(letter) for letter in '.+-"\r\ne')
_ZEROS = np.uint64(0x3030303030303030)
_LEAST, _MOST = -290, 280
"""Powers of ten with which no product of 19 digits leaves the normal doubles."""
_FEW = 16
"""Of so many numbers one may be other than most: those are read by themselves."""
_VERY_FEW = 64
_FEW_TEXTS = 64
"""Fewer are strings sooner than they are anything else."""
_SAMPLED = 64
"""Of so many numbers one is looked at for a minus, and for digits before the one before the point."""
_FIRST_BYTES = 1024
"""Which bytes a block has is foretold by so many."""


@record(frozen=True, eq=False)
class _Marks:
    """The bytes that are no digits.

    Attributes
    ----------
    odd, kinds
        Where they stand, and which they are.
    first, count
        i8[rows, width]: the first of them in each field, and how many it has.
    """

    odd: Ints
    kinds: Bytes
    first: Ints
    count: Ints


@record(frozen=True, eq=False)
class Fields:
    """Where the fields of some rows stand in a block of text.

    Attributes
    ----------
    buffer
        u1: the bytes of the block, with PAD bytes before and after.
    size
        How many bytes the block has.
    dialect
        What separates the fields.
    start, end
        i8[rows, width]: where each field begins and ends, quotes and carriage returns aside.
    bare
        Whether each field reaches from separator to separator: there are none of those.
    ascii
        Whether all bytes are ASCII.
    """

    buffer: Bytes
    size: int
    dialect: Dialect
    start: Ints
    end: Ints
    bare: bool
    ascii: bool

    @cached_property
    def marks(self) -> _Marks:
        """The bytes of all fields that are no digits."""
        odd = np.flatnonzero((self.buffer[PAD : len(self.buffer) - PAD] - np.uint8(48)) > 9)
        odd += PAD
        kinds = self.buffer[odd]
        if self.bare:
            after = np.flatnonzero(_separates(kinds, self.dialect))
            first = np.empty_like(after)
            first[0], first[1:] = 0, after[:-1] + 1
        else:
            first, after = (np.searchsorted(odd, place.ravel()) for place in (self.start, self.end))
        shape = self.start.shape
        return _Marks(odd, kinds, first.reshape(shape), (after - first).reshape(shape))

    @property
    def rows(self) -> int:
        """How many rows there are."""
        return len(self.start)

    def longer_than(self, most: int) -> bool:
        """Whether a field has more bytes than that."""
        ends = self.end[:, -1]
        # Hardly ever a row has.
        rows = max(int(ends[0]) - PAD, int(np.diff(ends).max(initial=0)))
        return rows > most and int((self.end - self.start).max()) > most

    @cached_property
    def data(self) -> bytes:
        """The bytes of the block."""
        return self.buffer[PAD : PAD + self.size].tobytes()

    @cached_property
    def _text(self) -> str | None:
        """The text, where each character is a byte."""
        return self.data.decode("ascii") if self.ascii else None

    def texts(self, column: int) -> Texts | list[str]:
        """Return the fields of a column as texts; as strings where one is long, or there are few."""
        start, end = self.start[:, column], self.end[:, column]
        if len(start) < _FEW_TEXTS or (end - start).max() > LONGEST:
            return self._strings(start, end)
        return self._short(start, end - start)

    def _short(self, start: Ints, length: Ints) -> Texts:
        longest = int(length.max())
        words = np.empty((max(1, -(-longest // 8)), len(start)), dtype=np.uint64)
        for j, word in zip(range(0, 8 * len(words), 8), words, strict=True):
            # Short texts near the end have no bytes where long ones have their last.
            at = np.minimum(start + j, len(self.buffer) - 8) if j else start
            count = length if longest <= 8 else np.clip(length - j, 0, 8)
            np.bitwise_and(_words(self.buffer, at, 1)[:, 0], _LOW[count], out=word)
        return Texts(words, length)

    def _strings(self, start: Ints, end: Ints) -> list[str]:
        if self._text is None:
            return [text.decode() for text in self._slices(start, end)]
        text = self._text
        return [text[a:b] for a, b in zip((start - PAD).tolist(), (end - PAD).tolist(), strict=True)]

    def coded(self, column: int) -> Coded | list[str]:
        """Return the fields of a column as those that differ and a code for each row; as strings where one is long."""
        start, end = self.start[:, column], self.end[:, column]
        length = end - start
        longest = int(length.max())
        if longest <= 2:
            return self._shortly_coded(start, length)
        if longest > LONGEST:
            return self._strings(start, end)
        texts = self._short(start, length)
        found = alike(texts)
        if found is None:
            return list(texts)
        first, codes = found
        return Coded(texts.take(first), codes)

    def _shortly_coded(self, start: Ints, length: Ints) -> Coded:
        """Code texts of at most two bytes, none of which is 0, by these bytes."""
        slot: Ints = self.buffer[start].astype(np.intp)
        slot[length == 0] = 0
        two = length == 2
        if two.any():
            slot[two] += self.buffer[start[two] + 1].astype(np.intp) << 8
        used = np.zeros(1 << 16 if two.any() else 1 << 8, dtype=bool)
        used[slot] = True
        code = np.cumsum(used) - 1
        words = np.flatnonzero(used)
        lengths = (words > 0).astype(np.int64) + (words > 0xFF)
        return Coded(Texts(words.astype(np.uint64)[None], lengths), code[slot])

    def numbers(self, chosen: slice | list[int]) -> tuple[Floats, list[int]] | None:
        """Return columns as doubles, f8[rows, k], and the places of those too small to be told from 0.

        None where a field is no number.
        """
        shape = self.start[:, chosen].shape
        start, end = self.start[:, chosen].ravel(), self.end[:, chosen].ravel()
        some = slice(None, None, max(1, len(start) // 64))
        decimals = _mostly_decimals(self.buffer, start[some])
        if decimals:
            parsed = _decimals(self.buffer, start, end, ascii=self.ascii)
        else:
            parsed = _integers(self.buffer, start, end)
        values, left = parsed.values, np.flatnonzero(parsed.unknown)
        if decimals and len(left):
            left = self._small(left, start, end, values)
        small: list[int] = []
        if len(left):
            found = self._others(left, start[left], end[left], chosen)
            if found is None:
                return None
            values[left] = found[0]
            small = left[found[1]].tolist()
        return values.reshape(shape), small

    def _small(self, left: Ints, start: Ints, end: Ints, values: Floats) -> Ints:
        """Read those numbers that end with an exponent such as e-05 or e+01; return the others."""
        # They lie far from each other: take waits for several of them at once, as indexing does not.
        after = end.take(left)
        letter, sign, tens, ones = (self.buffer.take(after - j) for j in (4, 3, 2, 1))
        tens -= np.uint8(48)
        ones -= np.uint8(48)
        known = (letter == _E) & ((sign == _MINUS) | (sign == _PLUS)) & (tens <= 9) & (ones <= 9)
        some = left[known]
        if not len(some):
            return left
        power = (10 * tens + ones)[known].astype(np.int64)
        np.negative(power, out=power, where=sign[known] == _MINUS)
        parsed = _decimals(self.buffer, start.take(some), after[known] - 4, power, ascii=self.ascii)
        values[some] = parsed.values
        known[known] = ~parsed.unknown
        rest: Ints = left[~known]
        return rest

    def _others(self, left: Ints, start: Ints, end: Ints, chosen: slice | list[int]) -> tuple[Floats, list[int]] | None:
        """Read the numbers that are not as most are: very few one by one, a few as a block of their own."""
        if len(left) <= _VERY_FEW:
            read = numbers([self.buffer[a:b].tobytes().decode() for a, b in zip(start, end, strict=True)])
            return None if isinstance(read, int) else (np.array(read[0]), read[1])
        if _FEW * len(left) < self.start[:, chosen].size:
            few = fields_of(b"\n".join(self._slices(start, end)), self.dialect, 1)
            if few is None:
                return None
            return few._marked(few.start[:, 0], few.end[:, 0], few.marks.first[:, 0], few.marks.count[:, 0])
        first, count = (part[:, chosen].ravel()[left] for part in (self.marks.first, self.marks.count))
        return self._marked(start, end, first, count)

    def _slices(self, start: Ints, end: Ints) -> list[bytes]:
        return [self.data[a:b] for a, b in zip((start - PAD).tolist(), (end - PAD).tolist(), strict=True)]

    def _marked(self, start: Ints, end: Ints, first: Ints, count: Ints) -> tuple[Floats, list[int]] | None:
        """Read numbers of which the bytes are known that are no digits; those in no order one by one."""
        parsed = self._parsed(_scanned(self.marks.odd, self.marks.kinds, start, end, first, count))
        values, small = parsed.values, []
        left = np.flatnonzero(parsed.unknown)
        if len(left):
            found = numbers([text.decode() for text in self._slices(start[left], end[left])])
            if isinstance(found, int):
                return None
            values[left] = found[0]
            small = left[found[1]].tolist()
        return values, small

    def _parsed(self, scan: _Scan) -> _Parsed:
        """Read the digits, of which it is known where they are."""
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
            words = _words(self.buffer, scan.point + 1, min(3, -(-most // 8)))
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

    def _whole_part(self, point: Ints, whole: Ints) -> Words:
        """The integers before the points: of 0 or 1 digits mostly, of 16 at most."""
        most = int(whole.max())
        if most <= 1:
            digit: Words = (self.buffer[point - 1] - np.uint8(48)).astype(np.uint64)
            digit[whole != 1] = 0
            return digit
        words = _words(self.buffer, point - 16, 2) if most > 8 else _words(self.buffer, point - 8, 1)
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
        word = _kept_high(_words(self.buffer, power.end - 8, 1)[:, 0], np.clip(length, 0, 8))
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
    buffer, text = room_for(len(data))
    text[:] = np.frombuffer(data, np.uint8)
    return fields_in(buffer, len(data), dialect, width)


def fields_in(buffer: Bytes, size: int, dialect: Dialect, width: int) -> Fields | None:
    """Find the fields of whole rows: the first `size` bytes in the place that `room_for` gave."""
    if dialect.ends_with_cr or dialect.decimal != "." or dialect.delimiter.isdigit() or not (size and width):
        return None
    text = buffer[PAD : PAD + size]
    ascii_ = bool(np.maximum.reduce(text) <= 127)
    if not ascii_ and not _is_utf8(text.tobytes()):
        return None
    whole = buffer[PAD : PAD + size + (text[-1] != _LF)]
    buffer = buffer[: len(whole) + 2 * PAD]
    found = _bare(buffer, whole, dialect, width) if _looks_bare(whole[:_FIRST_BYTES], dialect) else None
    found = found or _quoted(buffer, whole, dialect, width)
    if found is None:
        return None
    start, end, bare = found
    if width == 1 and (start == end).any():
        # A blank line, unless it is quoted.
        return None
    shape = (-1, width)
    return Fields(buffer, size, dialect, start.reshape(shape), end.reshape(shape), bare, ascii_)


Found = tuple["Ints", "Ints", bool]


def _looks_bare(text: Bytes, dialect: Dialect) -> bool:
    """Whether the first rows, which the others are like, have no byte up to a comma but separators."""
    low = text[text <= ord(",")].tobytes()
    return not low.strip(b"\r\n" + dialect.delimiter.encode())


def _bare(buffer: Bytes, text: Bytes, dialect: Dialect, width: int) -> Found | None:
    """Find the fields where no byte up to a comma is there but separators, and a CR before each line end or none."""
    room = _room(len(text))
    low = np.less_equal(text, ord(","), out=room[: len(text)])
    if ord(dialect.delimiter) > ord(","):
        low |= text == ord(dialect.delimiter)
    returns = b"\r\n" in text[:_FIRST_BYTES].tobytes()
    if returns:
        # A row ends with its CR then: two separators side by side are found slowly.
        low &= text != _LF
    end = _places(room)
    end += PAD
    if not in_rows(buffer, end, dialect, width, b"\r" if returns else b"\n"):
        return None
    start, end = between(end)
    if returns:
        last = end[width - 1 :: width]
        if np.count_nonzero(text == _LF) != len(last) or not (buffer.take(last + 1) == _LF).all():
            return None
        start[width::width] += 1
    return start, end, not returns


def _quoted(buffer: Bytes, text: Bytes, dialect: Dialect, width: int) -> Found | None:
    """Find the fields where some are quoted, or may hold any bytes but NUL."""
    if not np.minimum.reduce(text):
        return None
    room = _room(len(text))
    _separates(text, dialect, room[: len(text)])
    end = _places(room)
    end += PAD
    if not in_rows(buffer, end, dialect, width):
        return None
    start, end = between(end)
    bare = True
    if (returns := int(np.count_nonzero(text == _CR))) > 0:
        if not _without_cr(buffer, end[width - 1 :: width], returns):
            return None
        bare = False
    if dialect.quotes and len(quotes := np.flatnonzero(text == _QUOTE)):
        if not _without_quotes(quotes + PAD, start, end):
            return None
        bare = False
    return start, end, bare


def _room(size: int) -> Flags:
    """Room for so many flags, and false ones up to a multiple of eight."""
    room = np.empty(-(-size // 8) * 8, dtype=bool)
    room[size:] = False
    return room


def _places(flags: Flags) -> Ints:
    """Where flags (bool[8 n]) are true: found among words of eight, each of which mostly has one or none, or two."""
    words = flags.view("<u8")
    place = np.flatnonzero(words != 0)
    found = words.take(place).astype(np.uint64, copy=False)
    place *= 8
    count = np.count_nonzero(flags)
    if count == len(place):
        return _flagged(place, found)
    first = found & np.negative(found)
    found ^= first
    more = np.flatnonzero(found)
    if count != len(place) + len(more):
        return np.flatnonzero(flags)
    second = _flagged(place[more], found[more])
    return np.insert(_flagged(place, first), more + 1, second)


def _flagged(place: Ints, word: Words) -> Ints:
    """Add to each place which byte of its word has the one flag; both are written over."""
    # The flag moves the number of its byte to the top.
    word *= np.uint64(0x0001020304050607)
    word >>= np.uint64(56)
    place += word.view(np.int64)
    return place


def in_rows(buffer: Bytes, separators: Ints, dialect: Dialect, width: int, end: bytes = b"\n") -> bool:
    """Whether separators are those of whole rows of `width` fields, the last of them this line end."""
    rows, left = divmod(len(separators), width)
    row = dialect.delimiter.encode() * (width - 1) + end
    return not left and rows > 0 and buffer.take(separators).tobytes() == row * rows


def between(separators: Ints) -> tuple[Ints, Ints]:
    """Where the fields that end at separators start and end; the first starts at PAD."""
    start = np.empty_like(separators)
    start[0] = PAD
    np.add(separators[:-1], 1, out=start[1:])
    return start, separators


def _separates(letters: Bytes, dialect: Dialect, out: Flags | None = None) -> Flags:
    found: Flags = np.equal(letters, ord(dialect.delimiter), out=out)
    found |= letters == _LF
    return found


def _at(buffer: Bytes, places: Ints, size: int) -> npt.NDArray[np.void]:
    """The `size` bytes from each place on."""
    chunks: npt.NDArray[np.void] = np.ndarray((len(buffer) - size + 1,), f"V{size}", buffer, strides=(1,))
    return chunks[places]


def _words(buffer: Bytes, at: Ints, count: int) -> Words:
    """u8[n, count]: the bytes from each place on, eight to a word."""
    words: Words = _at(buffer, at, 8 * count).view("<u8").reshape(-1, count)
    return words


def _is_utf8(data: bytes) -> bool:
    if data.isascii():
        return True
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


def _without_cr(buffer: Bytes, last: Ints, returns: int) -> bool:
    """Take the CR before each LF from the last field of each row; say whether there are no others."""
    if returns != len(last) or not (buffer.take(last - 1) == _CR).all():
        return False
    last -= 1
    return True


def _without_quotes(quotes: Ints, start: Ints, end: Ints) -> bool:
    """Take the quotes off fields that are quoted whole; say whether there are no others.

    A separator within quotes would leave a field with one quote.
    """
    if len(quotes) % 2:
        return False
    opening, closing = quotes[0::2], quotes[1::2]
    owner = np.searchsorted(end, opening)
    if not ((start[owner] == opening).all() and (end[owner] - 1 == closing).all()):
        return False
    start[owner] += 1
    end[owner] -= 1
    return True


_WORDS = 3
_BEFORE = 4
"""So many digits at most are before the point of what is read fast."""
_SHORTEST, _LONGEST = 3, 8 * _WORDS
"""So many bytes are read of a digit, a point and digits."""
_KEPT: Words = np.array(
    [[(1 << 8 * min(max(n - 8 * j, 0), 8)) - 1 for n in range(_LONGEST + 1)] for j in range(_WORDS)], dtype=np.uint64
)
"""For each word the bytes that belong to a number of so many bytes."""
_TOP_BITS = np.uint64(0x8080808080808080)
# The zeros of digits, and the point behind the first of them: what is left of a number are its digits.
_EXPECTED: Words = np.array([[0x3030303030302E30], [0x3030303030303030], [0x3030303030303030]], dtype=np.uint64)
# A byte that is more than 9, and where the point was more than 0, gets a top bit.
_TOO_MUCH: Words = np.array([[0x7676767676767F76], [0x7676767676767676], [0x7676767676767676]], dtype=np.uint64)
_LOW_BITS = np.uint64((1 << 25) - 1)
_DOUBT = 5 * 2.0**-53 * (1 + 2.0**-10)
_TWO_52: Words = np.array([2.0**52]).view(np.uint64)


_LARGEST_POWER = 99
"""Powers of ten of two digits."""


@lru_cache(maxsize=256)
def _unit(power: int) -> tuple[float, float]:
    """10**power as the sum of two doubles, the first of 26 bits and below it."""
    over, under = (10**power, 1) if power >= 0 else (1, 10**-power)
    mantissa, shift = math.frexp(over / under)
    upper = math.ldexp(math.floor(mantissa * 2**26), shift - 26)
    n, d = upper.as_integer_ratio()
    return upper, (over * d - n * under) / (under * d)


@lru_cache(maxsize=1)
def _units() -> tuple[Floats, Floats, Floats]:
    """What `_unit` says of 10**(p - 14), and 10**(p - 22), for p from -_LARGEST_POWER to _LARGEST_POWER."""
    powers = range(-_LARGEST_POWER, _LARGEST_POWER + 1)
    upper, lower = zip(*(_unit(p - 14) for p in powers), strict=True)
    return np.array(upper), np.array(lower), np.array([float(f"1e{p - 22}") for p in powers])


def _mostly_decimals(buffer: Bytes, start: Ints) -> bool:
    """Whether most numbers begin with up to four digits and a point, or a minus before them."""
    start = start + (buffer[start] == _MINUS)
    points = buffer[start[:, None] + np.arange(1, _BEFORE + 1)] == _POINT
    return bool(2 * np.count_nonzero(points.any(axis=1)) > len(start))


def _integers(buffer: Bytes, start: Ints, end: Ints) -> _Parsed:
    """Read numbers that are up to eight digits; unknown are all others."""
    length = end - start
    unknown: Flags = (length < 1) | (length > 8)
    if not (length > 1).any():
        digit = buffer.take(start) - np.uint8(48)
        unknown |= digit > 9
        return _Parsed(digit.astype(np.float64), unknown)
    words = _kept_high(_words(buffer, end - 8, 1)[:, 0], np.clip(length, 0, 8))
    unknown |= ((words | (words + _TOO_MUCH[1])) & _TOP_BITS) != 0
    return _Parsed(_eight_in(words).astype(np.float64), unknown)


def _beyond(buffer: Bytes, start: Ints) -> tuple[Ints, Floats]:
    """Find what the digits before the last one before the point are worth, where there are up to three.

    Returns where the last one stands, and 10 times the integer before it: 0 of numbers of
    one digit, and of what has no point so soon.
    """
    start, worth = start.copy(), np.zeros(len(start))
    left = np.flatnonzero(buffer.take(start + 1) != _POINT)
    at, integer = start.take(left), np.zeros(len(left))
    for count in range(1, _BEFORE):
        digit = buffer.take(at + (count - 1)) - np.uint8(48)
        integer *= 10
        integer += digit
        # What is no digit is no part of a plain number, and its place is not moved.
        digits = digit <= 9
        pointed = digits & (buffer.take(at + (count + 1)) == _POINT)
        here = left[pointed]
        start[here] += count
        worth[here] = 10 * integer[pointed]
        digits ^= pointed
        left, at, integer = left[digits], at[digits], integer[digits]
    return start, worth


def _decimals(buffer: Bytes, start: Ints, end: Ints, power: Ints | None = None, *, ascii: bool = False) -> _Parsed:
    """Read numbers that are 1 to 4 digits, a point and up to 22 digits, with a minus or none; unknown are all others.

    With `power` each is to be multiplied by 10**power, and has one digit before the point.
    """
    # A minus where no sample has one is seen like any byte that is no digit.
    signed = bool((buffer[start[::_SAMPLED]] == _MINUS).any())
    if signed:
        negative = buffer.take(start) == _MINUS
        start = start + negative
    beyond = None
    if power is None and (buffer[start[::_SAMPLED] + 1] != _POINT).any():
        start, beyond = _beyond(buffer, start)
    n, m, unknown, spare = _digits(buffer, start, end, ascii=ascii)
    values, doubtful = _rounded(n, m, power, beyond, spare)
    unknown |= doubtful
    if signed:
        np.negative(values, out=values, where=negative)
    return _Parsed(values, unknown)


def _digits(buffer: Bytes, start: Ints, end: Ints, *, ascii: bool) -> tuple[Words, Words | None, Flags, Words]:
    """Read the digits of numbers that are one digit, a point and up to 22 digits.

    Returns the integer of the first 15 digits and that of the next 8, None where no number has
    so many; which numbers are otherwise; and room that is not needed any more.
    """
    length = end - start
    shortest, longest = int(np.minimum.reduce(length)), int(np.maximum.reduce(length))
    # Of short numbers fewer words are read.
    count = min(_WORDS, max(1, -(-longest // 8)))
    read = _words(buffer, start, count)
    words = np.bitwise_xor(read.T, _EXPECTED[:count], order="C")
    last = count - 1
    words[last] &= _KEPT[last].take(length, mode="clip")
    short = np.flatnonzero(length < 8 * last) if shortest < 8 * last else ()
    if _FEW * len(short) > len(length):
        words[:last] &= _KEPT[:last].take(length, axis=1, mode="clip")
    elif len(short):
        # Most numbers of a column are about as long: few end in an earlier word.
        words[:last, short] &= _KEPT[:last].take(length[short], axis=1, mode="clip")
    # What was read is not needed any more: its place is in the cache, a new one may not be.
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
    lead = np.bitwise_and(words[0], np.uint64(0xFF), out=room[0])
    eights = _eight_in(words)
    n = eights[0]
    if np.maximum.reduce(lead):
        # Between the first digit and the others a 0 stands for the point.
        lead *= np.uint64(9 * 10**6)
        n -= lead
    n *= _TENS[8]
    if count > 1:
        n += eights[1]
    return n, eights[2] if count > 2 else None, unknown, room[0]


# What is made of other bytes than those of decimals may be no number, and is not used.
@np.errstate(invalid="ignore", over="ignore")
def _rounded(
    n: Words, m: Words | None, power: Ints | None, beyond: Floats | None, spare: Words
) -> tuple[Floats, Flags]:
    """Return the doubles nearest to n 10**-14 + m 10**-22, and for which of them that is not certain.

    That times 10**power where it is given, or that and what is `beyond` it. All is written over.

    The product of the upper bits of n with those of the power of ten is exact, and so is what
    its sum with `beyond` loses. What is added, nothing below 0, is known to 5 x 2**-53 of itself:
    of each part of it a factor is rounded, the product, and three sums.
    """
    upper: float | Floats
    lower: float | Floats
    least: float | Floats
    if power is None:
        (upper, lower), least = _unit(-14), 1e-22
    else:
        index = power + _LARGEST_POWER
        upper, lower, least = (table.take(index) for table in _units())
    low_bits = np.bitwise_and(n, _LOW_BITS, out=spare)
    n -= low_bits
    high, low = _as_doubles(n), _as_doubles(low_bits)
    rest = high * lower
    high *= upper
    low *= upper + lower
    rest += low
    if m is not None:
        end_digits = _as_doubles(m)
        end_digits *= least
        rest += end_digits
    doubt = rest
    if beyond is not None:
        total = beyond + high
        beyond -= total
        beyond += high
        doubt = np.abs(beyond)
        doubt += rest
        rest += beyond
        high = total
    values = high + rest
    # What the sum lost, and what is not known of it, must not reach the next double.
    high -= values
    high += rest
    doubt *= _DOUBT
    lost = np.abs(high, out=high)
    lost += doubt
    return values, np.subtract(values, lost, out=low) != values


def _as_doubles(integers: Words) -> Floats:
    """Make doubles of integers below 2**52 in their place, as the last bits of 2**52 + integer."""
    integers |= _TWO_52
    doubles: Floats = integers.view(np.float64)
    doubles -= 2.0**52
    return doubles


def _eight_in(word: Words) -> Words:
    """Read eight digits of each word in its place, the first in the lowest byte; bytes of 0 are no digits.

    Pairs become one number: of bytes in 16 bits, of those in 32, of those in 64.
    """
    pairs = word.view(np.uint16)
    pairs *= np.uint16(10 << 8 | 1)
    pairs >>= np.uint16(8)
    fours = word.view(np.uint32)
    fours *= np.uint32(100 << 16 | 1)
    fours >>= np.uint32(16)
    word *= np.uint64(10_000 << 32 | 1)
    word >>= np.uint64(32)
    return word


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
    return _eight_in(word.copy())


def _kept_high(word: Words, count: Ints) -> Words:
    """Keep the last digits of each word, those before them being 0."""
    return (word ^ _ZEROS) & ~_LOW[8 - count]


def _fraction(words: Words, places: Ints) -> tuple[Words, Words]:
    """Read the digits after the points, `places` of them (at most 24); also the first eight of them."""
    least = int(places.min())
    total = lead = np.zeros(0, dtype=np.uint64)
    for j in range(words.shape[1]):
        word = words[:, j] ^ _ZEROS
        if least < 8 * (j + 1):
            word <<= _SHIFTS[j][places]
        found = _eight(word)
        if not j:
            total = lead = found
            continue
        total = total * (_TENS[8] if least >= 8 * (j + 1) else _FACTORS[j][places])
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
