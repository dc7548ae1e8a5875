"""Columns of lists whose every number is an example, for kinds without labels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

from xentcli.options import items
from xentcli.readers.source import Source
from xentcli.scoring.kinds import KINDS
from xentcli.settings import Settings

__all__ = ["has_lists", "undivided"]


def undivided(sources: Sequence[Source], settings: Settings) -> tuple[Source, ...]:
    """Return the sources with columns of lists as such, not as K columns each.

    Those that an option names are, and all unless an option means a column by its number, or a place in a list.
    """
    if KINDS[settings.kind].labelled:
        return tuple(sources)
    named = {spec.rpartition(":")[2] if spec.startswith("@") else spec for spec in _specs(settings)}
    whole = not any(letter in spec for spec in named for letter in "#[")
    return tuple(_undivided(source, None if whole else named) for source in sources)


def _specs(settings: Settings) -> list[str]:
    """What the options that take columns were given."""
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
    """Whether some columns, of which there is one, hold lists of any length."""
    return len(columns) == 1 and columns[0] in source.traits.lists
