"""Short texts as bytes in arrays: compared by array operations, decoded to strings on demand."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import overload

import numpy as np

from xentcli.arrays import Flags, Ints, Words
from xentcli.records import record

__all__ = ["LONGEST", "Texts", "joined", "same_texts"]

LONGEST = 64
"""Longer texts (in bytes) are kept as strings."""


@record(frozen=True, eq=False)
class Texts(Sequence[str]):
    """Some texts of at most LONGEST bytes each.

    Attributes
    ----------
    words
        u8[w, n]: the UTF-8 bytes of each text, eight per word, the first in the lowest byte, padded with zeros.
    lengths
        i8[n]: the number of bytes of each text.

    >>> texts = Texts(np.array([[0x746163, 0x676F64]], dtype=np.uint64), np.array([3, 3]))
    >>> list(texts), texts[1], len(texts.take(np.array([1])))
    (['cat', 'dog'], 'dog', 1)
    """

    words: Words
    lengths: Ints

    @classmethod
    def of(cls, texts: Sequence[str]) -> Texts:
        """Return strings as texts; each has at most LONGEST bytes."""
        return cls.of_bytes([text.encode(errors="surrogatepass") for text in texts])

    @classmethod
    def of_bytes(cls, encoded: Sequence[bytes]) -> Texts:
        """Return strings in UTF-8 as texts; each has at most LONGEST bytes."""
        lengths = np.array([len(text) for text in encoded], dtype=np.int64)
        width = max(1, -(-int(lengths.max(initial=0)) // 8))
        data = b"".join([text.ljust(8 * width, b"\0") for text in encoded])
        words = np.frombuffer(data, dtype="<u8").reshape(len(encoded), width)
        return cls(np.ascontiguousarray(words.T), lengths)

    def __len__(self) -> int:
        """Return how many texts there are."""
        return len(self.lengths)

    @overload
    def __getitem__(self, place: int) -> str: ...
    @overload
    def __getitem__(self, place: slice) -> Texts: ...
    def __getitem__(self, place: int | slice) -> str | Texts:
        """Return a text, or some."""
        if isinstance(place, slice):
            return Texts(self.words[:, place], self.lengths[place])
        return self.words[:, place].tobytes()[: self.lengths[place]].decode(errors="surrogatepass")

    def __iter__(self) -> Iterator[str]:
        """Yield each text."""
        data, size = np.ascontiguousarray(self.words.T).tobytes(), 8 * len(self.words)
        places = zip(range(0, len(data), size), self.lengths.tolist(), strict=True)
        if data.isascii():
            text = data.decode("ascii")
            return iter([text[at : at + length] for at, length in places])
        return iter([data[at : at + length].decode(errors="surrogatepass") for at, length in places])

    def take(self, places: Ints) -> Texts:
        """Return the texts at some places (i8[m])."""
        return Texts(self.words[:, places], self.lengths[places])

    def mixed(self) -> Words:
        """Return a 64-bit hash of each text (u8[n]), without a key."""
        mixed = (self.lengths + 1).astype(np.uint64)
        for j, word in enumerate(self.words):
            mixed += (word ^ (word >> np.uint64(29))) * np.uint64(0x9E3779B97F4A7C15 + 2 * j)
        mixed *= np.uint64(0xBF58476D1CE4E5B9)
        return mixed

    def same(self, places: Ints | slice, other: Texts, others: Ints | slice) -> Flags:
        """bool[m]: whether the texts at some places (i8[m], or a slice) equal those at some places of another."""
        found: Flags = self.lengths[places] == other.lengths[others]
        for one, two in zip(self.words, other.words, strict=False):
            found &= one[places] == two[others]
        return found


def joined(parts: Sequence[Sequence[str]]) -> Texts | list[str]:
    """Concatenate texts; the result is strings if all are strings, or one is long.

    >>> list(joined([["a"], Texts.of(["b", "a longer one"])])), joined([["a" * 99], Texts.of(["b"])])[1]
    (['a', 'b', 'a longer one'], 'b')
    """
    some = any(isinstance(part, Texts) for part in parts)
    texts = [short for part in parts if (short := _short(part)) is not None] if some else []
    if len(texts) < max(1, len(parts)):
        return [text for part in parts for text in part]
    words = np.zeros((max(len(part.words) for part in texts), sum(map(len, texts))), dtype=np.uint64)
    begin = 0
    for part in texts:
        words[: len(part.words), begin : begin + len(part)] = part.words
        begin += len(part)
    return Texts(words, np.concatenate([part.lengths for part in texts]))


def _short(part: Sequence[str]) -> Texts | None:
    """Return strings as texts; None if one is long."""
    if isinstance(part, Texts):
        return part
    # A character has up to four bytes in UTF-8.
    return Texts.of(part) if max(map(len, part), default=0) <= LONGEST // 4 else None


def same_texts(one: Sequence[str], other: Sequence[str]) -> bool:
    """Whether two columns have the same texts in the same order.

    >>> same_texts(Texts.of(["a", "b"]), ["a", "b"]), same_texts(["a"], ["a", "b"])
    (True, False)
    """
    if len(one) != len(other):
        return False
    if not isinstance(one, Texts) or not isinstance(other, Texts):
        return list(one) == list(other)
    common = min(len(one.words), len(other.words))
    return (
        np.array_equal(one.lengths, other.lengths)
        and np.array_equal(one.words[:common], other.words[:common])
        and not (one.words[common:].any() or other.words[common:].any())
    )
