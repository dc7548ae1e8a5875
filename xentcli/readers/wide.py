"""Columns of K numbers each: a member of an archive, a list, an object."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import field

from xentcli.records import record

__all__ = ["Flat"]


@record(frozen=True)
class Flat:
    """The columns of a table; a column of K numbers is spread out into K columns.

    Attributes
    ----------
    names
        ``a``; of a list ``probs[0]``, ``probs[1]``; of an object ``probs.cat``, ``probs.dog``.
    origin
        For each of them the index of the column it comes from, and its key there: None
        for a column of its own, a position, or a name.
    groups
        The columns that each column of K numbers became.
    """

    names: tuple[str, ...]
    origin: tuple[tuple[int, int | str | None], ...]
    groups: Mapping[str, range] = field(default_factory=dict)

    @classmethod
    def of(cls, columns: Sequence[tuple[str, int | Sequence[str] | None]]) -> Flat:
        """Spread columns out, each a name with None, the length of its lists, or the keys of its objects.

        A list of length 0 and an object without keys stay one column.

        >>> Flat.of([("id", None), ("p", 2), ("q", ["cat", "dog"])]).names
        ('id', 'p[0]', 'p[1]', 'q.cat', 'q.dog')
        """
        names: list[str] = []
        origin: list[tuple[int, int | str | None]] = []
        groups: dict[str, range] = {}
        for index, (name, inner) in enumerate(columns):
            if not inner:
                names.append(name)
                origin.append((index, None))
                continue
            start = len(names)
            if isinstance(inner, int):
                names += [f"{name}[{place}]" for place in range(inner)]
                origin += [(index, place) for place in range(inner)]
            else:
                names += [f"{name}.{key}" for key in inner]
                origin += [(index, key) for key in inner]
            groups[name] = range(start, len(names))
        return cls(tuple(names), tuple(origin), groups)

    def positional(self, column: int) -> bool:
        """Whether a column is a position in a list, so that its name is not the name of a class."""
        return isinstance(self.origin[column][1], int)
