"""Flat: columns that hold K numbers per row (members of archives, lists, objects), spread out to K columns."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import field

from xentcli.records import record

__all__ = ["Flat"]


@record(frozen=True)
class Flat:
    """The columns of a table after spreading out columns with K numbers per row.

    Attributes
    ----------
    names
        ``a``; of a list ``probs[0]``, ``probs[1]``; of an object ``probs.cat``, ``probs.dog``.
    origin
        For each column, the index of the original column and the key within it: None for a single
        value, a position, or a name.
    groups
        For each original column with K numbers, the range of its K columns.
    lists
        The columns that hold lists of any length, not spread out.
    columns
        The columns before, as `of` takes them.
    """

    names: tuple[str, ...]
    origin: tuple[tuple[int, int | str | None], ...]
    groups: Mapping[str, range] = field(default_factory=dict)
    lists: frozenset[int] = frozenset()
    columns: tuple[tuple[str, int | Sequence[str] | None], ...] = ()

    @classmethod
    def of(cls, columns: Sequence[tuple[str, int | Sequence[str] | None]]) -> Flat:
        """Spread out columns, given as pairs of a name and None, the length of lists, or the keys of objects.

        A list of length 0, which may stand for lists of any length, and an object without keys stay one column.
        Columns without a name form no group: values of a list are unnamed, those of an object have their own names.

        >>> Flat.of([("id", None), ("p", 2), ("q", ["cat", "dog"])]).names
        ('id', 'p[0]', 'p[1]', 'q.cat', 'q.dog')
        >>> Flat.of([("", 2)]).names, Flat.of([("", ["cat", "dog"])]).names
        (('', ''), ('cat', 'dog'))
        """
        names: list[str] = []
        origin: list[tuple[int, int | str | None]] = []
        groups: dict[str, range] = {}
        lists: set[int] = set()
        for index, (name, inner) in enumerate(columns):
            if not inner:
                if isinstance(inner, int):
                    lists.add(len(names))
                names.append(name)
                origin.append((index, None))
                continue
            start = len(names)
            if isinstance(inner, int):
                names += [f"{name}[{place}]" if name else "" for place in range(inner)]
                origin += [(index, place) for place in range(inner)]
            else:
                names += [f"{name}.{key}" if name else key for key in inner]
                origin += [(index, key) for key in inner]
            if name:
                groups[name] = range(start, len(names))
        return cls(tuple(names), tuple(origin), groups, frozenset(lists), tuple(columns))

    def undivided(self, names: Collection[str]) -> Flat:
        """Return it with these columns as one column of lists each.

        >>> Flat.of([("id", None), ("p", 2)]).undivided(["p"]).names
        ('id', 'p')
        """
        return Flat.of([(name, 0 if inner and name in names else inner) for name, inner in self.columns])

    def positional(self, column: int) -> bool:
        """Whether a column is a position in a list, so that its name is not a class name."""
        return isinstance(self.origin[column][1], int)
