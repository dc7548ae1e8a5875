"""Columns of lists: every number is an example (kinds without labels), or a row has a varying number of choices."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import numpy as np

from xentcli.errors import DataError, Place
from xentcli.options import items
from xentcli.pairing.alignment import PartQueue
from xentcli.readers.source import Pick, Source
from xentcli.scoring.kinds import KINDS
from xentcli.settings import Settings

__all__ = ["has_lists", "undivided", "with_choices"]

_LOOK_AT = 1000
_KINDS = ("logits", "logprobs")
"""Not probabilities: those cover all classes, so a shorter list is an error."""


def undivided(sources: Sequence[Source], settings: Settings) -> tuple[Source, ...]:
    """Return the sources with list columns kept as lists, not spread out to K columns each.

    This applies to those named in options; to all if no option uses a column number or a place in a list.
    """
    if KINDS[settings.kind].labelled:
        return tuple(sources)
    named = {spec.rpartition(":")[2] if spec.startswith("@") else spec for spec in _specs(settings)}
    whole = not any(letter in spec for spec in named for letter in "#[")
    return tuple(_undivided(source, None if whole else named) for source in sources)


def _specs(settings: Settings) -> list[str]:
    """The values of the options that take columns."""
    given = [settings.preds, settings.weights, settings.cluster, settings.bytes, settings.id]
    specs = [spec for value in (*given, settings.slices, settings.shown_columns) for spec in items(value)]
    return [str(part) for spec in specs for part in (spec, *str(spec).split(","))]


def _undivided(source: Source, named: set[str] | None) -> Source:
    flat = source.traits.flat
    if flat is None or not hasattr(source, "with_lists"):
        return source
    lists = [name for name, columns in flat.groups.items() if flat.positional(columns[0])]
    lists += [flat.names[column] for column in flat.lists]
    chosen = [name for name in lists if named is None or name in named]
    return cast("Source", cast("Any", source).with_lists(chosen)) if chosen else source


def has_lists(source: Source, columns: Sequence[int]) -> bool:
    """Whether this is a single column of lists of any length."""
    return len(columns) == 1 and columns[0] in source.traits.lists


def _column_of_lists(source: Source, settings: Settings) -> tuple[Source, int] | None:
    """Return the source with the column of --preds as lists, and that column; None if it has no lists."""
    name, flat = settings.preds, source.traits.flat
    if not isinstance(name, str) or not source.repeatable:
        return None
    if flat is not None and hasattr(source, "with_lists") and name in flat.groups:
        if not flat.positional(flat.groups[name][0]):
            return None
        source = cast("Source", cast("Any", source).with_lists([name]))
    if name not in source.names or source.names.index(name) not in source.traits.lists:
        return None
    return source, source.names.index(name)


def with_choices(source: Source, settings: Settings, *, whole: bool) -> Source:
    """Return predictions that are lists of differing length with as many columns as the longest; others unchanged.

    Shorter lists are padded with -inf, which changes no figure. Whether lengths differ is decided by
    the first 1,000 rows, with `whole` by all.

    Raises
    ------
    DataError
        Beside --label-smoothing, for which all choices must be there.
    """
    found = _column_of_lists(source, settings) if settings.kind in _KINDS and not settings.multilabel else None
    if found is None:
        return source
    undivided, column = found
    pick = {"preds": Pick((column,), "lists")}
    looked = () if whole else PartQueue(undivided).look(pick, _LOOK_AT)
    lengths = np.concatenate([np.zeros(0, np.int64), *(rows.lists["preds"].lengths for rows in looked)])
    if not whole and (not len(lengths) or (lengths == lengths[0]).all()):
        return source
    if settings.label_smoothing:
        raise DataError(
            "--label-smoothing gives every class a part of the target, and rows have choices of differing number",
            place=Place(source.path),
        )
    longest, shortest = 0, 1 << 62
    for part in undivided.parts():
        sizes = part.load(pick).lists["preds"].lengths
        longest, shortest = max(longest, int(sizes.max(initial=0))), min(shortest, int(sizes.min(initial=1 << 62)))
    if longest == shortest or longest < 2:
        return source
    from xentcli.readers.padded import Padded

    settings.limits.check_columns(longest, Place(source.path))
    return cast("Source", cast("Any", Padded)(undivided, column, longest, -np.inf))
