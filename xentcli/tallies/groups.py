"""Groups: sums for each group of rows, where groups are those of --by, classes, clusters or sizes of the loss."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import field
from typing import Any, Generic, TypeVar

from xentcli.arrays import Floats
from xentcli.columns.keys import Keys
from xentcli.columns.vocabulary import Vocabulary
from xentcli.records import cached_property, record
from xentcli.tallies.exact import Among
from xentcli.tallies.moments import GroupMeans, GroupMoments
from xentcli.tallies.tally import Tally

__all__ = ["GroupName", "Groups", "Piece", "Slicings", "named"]

K = TypeVar("K", bound=Hashable)
GroupName = str | tuple[str, ...]
"""The name of a group of --by: the text in its column, or a tuple of texts if there are several columns."""
_MANY, _AT_LEAST = 1 << 14, 1 << 8
"""Pieces are not joined while they have fewer than _MANY groups in total; each counts as at least _AT_LEAST."""


@record(frozen=True, eq=False)
class Piece:
    """Distinct groups, and named columns of sums with one entry per group."""

    names: Sequence[Any] = ()
    sums: Mapping[str, GroupMeans | GroupMoments] = field(default_factory=dict)

    @property
    def is_sound(self) -> bool:
        """Whether names are distinct, and there is a sum for each."""
        count = len(self.names)
        return len(set(self.names)) == count and all(len(sums) == count for sums in self.sums.values())


@record(frozen=True, eq=False)
class Groups(Tally, Generic[K]):
    """Named columns of sums for every group that occurs.

    Merges collect pieces. These are joined once they have, in total, more than three times as many
    groups as the largest one, so that each group is joined only a few times.

    >>> import numpy as np
    >>> sites = Groups.tallied((["n", "s"], np.array([0, 1, 1])), None, cost=np.array([1.0, 3.0, 5.0]))
    >>> {name: sums["cost"].value for name, sums in sites.merge(sites)}
    {'n': 1.0, 's': 4.0}
    """

    pieces: tuple[Piece, ...] = ()

    @property
    def is_sound(self) -> bool:
        """Whether all pieces have the same sums."""
        kinds = [{name: type(sums) for name, sums in piece.sums.items()} for piece in self.pieces]
        return all(kind == kinds[0] for kind in kinds)

    @classmethod
    def of(cls, names: Sequence[K], **sums: GroupMeans | GroupMoments) -> Groups[K]:
        """Return the sums of distinct groups."""
        return cls((Piece(names, sums),) if len(names) else ())

    @classmethod
    def tallied(
        cls, keys: Keys, weight: Floats | None, mass: Floats | None = None, moments: str = "", /, **values: Floats
    ) -> Groups[K]:
        """Return for each group the mean of each of the values (f8[n]), and of the one named `moments` the moments.

        The other arguments go by position: a value may have any name, such as mass.
        """
        names, codes = keys
        among = Among(codes, len(names))
        kinds: dict[str, Any] = {name: GroupMoments if name == moments else GroupMeans for name in values}
        return cls.of(names, **{name: kinds[name].of(each, weight, mass, among) for name, each in values.items()})

    def merge(self, other: Groups[K]) -> Groups[K]:
        """Return the groups of both."""
        pieces = (*self.pieces, *other.pieces)
        sizes = [max(len(piece.names), _AT_LEAST) for piece in pieces]
        few = sum(sizes) <= max(_MANY, 3 * max(sizes, default=0))
        return Groups(pieces if few else (_joined(pieces),))

    @cached_property
    def whole(self) -> Piece:
        """All pieces joined."""
        return _joined(self.pieces) if len(self.pieces) > 1 else self.pieces[0] if self.pieces else Piece()

    @property
    def at_least(self) -> int:
        """A lower bound on the number of groups, found without joining pieces."""
        return max((len(piece.names) for piece in self.pieces), default=0)

    @property
    def names(self) -> Sequence[K]:
        """The groups that occur, in no particular order."""
        return self.whole.names

    def __getitem__(self, name: str) -> Any:
        """Return a column of sums, one for each of `names`; KeyError if there are no groups."""
        return self.whole.sums[name]

    def __iter__(self) -> Iterator[tuple[K, dict[str, Any]]]:
        """Yield each group with its sums by name."""
        keys, columns = self.whole.sums.keys(), self.whole.sums.values()
        for name, *sums in zip(self.names, *columns, strict=True):
            yield name, dict(zip(keys, sums, strict=True))

    def __eq__(self, other: object) -> bool:
        """Compare the groups, whatever their order."""
        return dict(self) == dict(other) if isinstance(other, Groups) else NotImplemented


def _joined(pieces: Sequence[Piece]) -> Piece:
    """Join at least one piece into one."""
    vocabulary = Vocabulary()
    places = [vocabulary.add(piece.names) for piece in pieces]
    count = len(vocabulary)
    kinds: dict[str, Any] = {name: type(sums) for name, sums in pieces[0].sums.items()}
    sums = {name: kind.joined([piece.sums[name] for piece in pieces], places, count) for name, kind in kinds.items()}
    return Piece(vocabulary.names, sums)


@record(frozen=True)
class Slicings(Tally):
    """The groups of each --by."""

    each: tuple[Groups[GroupName], ...] = ()

    def merge(self, other: Slicings) -> Slicings:
        """Return the groups of the rows of both."""
        if not (self.each and other.each):
            return self if self.each else other
        return Slicings(tuple(one.merge(two) for one, two in zip(self.each, other.each, strict=True)))


def named(columns: Sequence[str], name: GroupName) -> dict[str, str]:
    """Return the text of each column by which a group is named.

    >>> named(["site"], "north"), named(["site", "day"], ("north", "2"))
    ({'site': 'north'}, {'site': 'north', 'day': '2'})
    """
    return dict(zip(columns, name if isinstance(name, tuple) else (name,), strict=True))
