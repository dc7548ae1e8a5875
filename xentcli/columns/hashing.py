"""Hashes of texts, the same for texts as bytes and as strings."""

from __future__ import annotations

import os
from collections.abc import Sequence

import numpy as np

from xentcli.arrays import Words
from xentcli.columns.texts import LONGEST, Texts
from xentcli.records import record

__all__ = ["TextHash", "sum_of_hashes"]

_LOWER = np.uint64(0xFFFFFFFF)
_KEY_BYTES = 8 * 4 * (2 + LONGEST // 4)


@record(frozen=True, eq=False)
class TextHash:
    """Two 64-bit hashes of a text, for an index that does not hold the texts.

    Each half of a hash is the upper half of a sum of products mod 2**64: each 32-bit half word,
    and the length, times a key (strongly universal; J. L. Carter and M. N.
    Wegman, Journal of Computer and System Sciences 18, 1979; M. Dietzfelbinger, STACS 1996).
    Without the keys, two texts with the same hashes are found with a probability of 2**-128.
    Texts of more than LONGEST bytes are hashed by keyed BLAKE2.

    Attributes
    ----------
    add, times
        u8[4] and u8[4, 1 + LONGEST / 4]: the keys.

    >>> first, second = TextHash.random().of(["a", "b", "a"])
    >>> bool(first[0] == first[2]), bool(first[0] == first[1]), first.dtype
    (True, False, dtype('uint64'))
    """

    add: Words
    times: Words

    @classmethod
    def random(cls) -> TextHash:
        """Return hashes with random keys."""
        return cls._of(os.urandom(_KEY_BYTES))

    @classmethod
    def of_key(cls, key: bytes) -> TextHash:
        """Return hashes with keys derived from `key`."""
        import hashlib

        return cls._of(hashlib.shake_256(key).digest(_KEY_BYTES))

    @classmethod
    def _of(cls, keys: bytes) -> TextHash:
        table = np.frombuffer(keys, dtype="<u8").reshape(4, -1)
        return cls(table[:, 0], table[:, 1:])

    def of(self, texts: Sequence[str]) -> tuple[Words, Words]:
        """Return both hashes of each text: u8[n] each."""
        if isinstance(texts, Texts):
            return self._of_texts(texts)
        encoded = [text.encode(errors="surrogatepass") for text in texts]
        sizes = np.fromiter(map(len, encoded), np.int64, len(encoded))
        short, long = np.flatnonzero(sizes <= LONGEST).tolist(), np.flatnonzero(sizes > LONGEST).tolist()
        first, second = np.empty((2, len(encoded)), dtype=np.uint64)
        first[short], second[short] = self._of_texts(Texts.of_bytes([encoded[place] for place in short]))
        for place in long:
            first[place], second[place] = self._of_long(encoded[place])
        return first, second

    def _of_texts(self, texts: Texts) -> tuple[Words, Words]:
        halves = [texts.lengths.astype(np.uint64)]
        for word in texts.words:
            halves += [word & _LOWER, word >> np.uint64(32)]
        uppers = []
        for add, times in zip(self.add, self.times, strict=True):
            total = halves[0] * times[0] + add
            for half, key in zip(halves[1:], times[1:], strict=False):
                total += half * key
            uppers.append(total)
        one, two, three, four = uppers
        return (one & ~_LOWER) | (two >> np.uint64(32)), (three & ~_LOWER) | (four >> np.uint64(32))

    def _of_long(self, text: bytes) -> tuple[int, int]:
        import hashlib

        digest = hashlib.blake2b(text, digest_size=16, key=self.add.tobytes()).digest()
        return int.from_bytes(digest[:8], "little"), int.from_bytes(digest[8:], "little")


def sum_of_hashes(texts: Sequence[str]) -> int:
    """Return a number that depends on the texts but not on their order, and is the same in every process.

    >>> sum_of_hashes(["1", "4"]) == sum_of_hashes(["4", "1"]), sum_of_hashes(["1", "4"]) == sum_of_hashes(["2", "3"])
    (True, False)
    """
    found, _ = TextHash.of_key(b"row names").of(texts)
    # The hashes are linear in the bytes, so their sums would be too: mix the bits first.
    for factor in (0xFF51AFD7ED558CCD, 0xC4CEB9FE1A85EC53):
        found ^= found >> np.uint64(33)
        found *= np.uint64(factor)
    return (int(np.add.reduce(found >> np.uint64(32))) << 32) + int(np.add.reduce(found & _LOWER))
