"""--shard I/N: the I-th of N parts of the rows; the N runs together cover each row once."""

from __future__ import annotations

from xentcli.errors import DataError, Place
from xentcli.records import record

__all__ = ["Shard"]


@record(frozen=True)
class Shard:
    """Part `index` of `count` consecutive parts, counted from 1.

    >>> [Shard(index, 3).share(8) for index in (1, 2, 3)]
    [slice(0, 2, None), slice(2, 5, None), slice(5, 8, None)]
    """

    index: int
    count: int

    @classmethod
    def of(cls, text: str) -> Shard:
        """Return the shard that --shard names; the numbers must be valid."""
        index, _, count = text.partition("/")
        return cls(int(index), int(count))

    def share(self, total: int) -> slice:
        """Return its range of `total` files or rows; sizes differ by at most one."""
        return slice((self.index - 1) * total // self.count, self.index * total // self.count)

    def check(self, rows: int, path: str) -> None:
        """Refuse more shards than there are rows.

        Raises DataError, naming the most.
        """
        if rows < self.count:
            raise DataError(
                f"{rows:,} row{'s' * (rows != 1)}, fewer than the {self.count:,} shards of --shard",
                place=Place(path),
                advice=f"--shard I/{rows}" if rows else "",
            )
