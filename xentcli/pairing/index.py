"""Use the index of data in memory as ids: the index of a pandas object, or ids given for its rows.

If the index of the labels is that of the predictions in another order, rows are matched by it, as with --id. An
index 0 to n-1 only counts rows: if it matches in another order, an option must decide.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeGuard

import numpy as np

from xentcli.errors import DataError, Place, UsageError, shown
from xentcli.given import Given
from xentcli.readers.source import Source
from xentcli.records import replace
from xentcli.settings import Settings

if TYPE_CHECKING:
    from xentcli.readers.memory import MemorySource

__all__ = ["INDEX", "index_column", "index_of_rows", "is_held", "named_by_others", "reordered", "with_ids"]

INDEX = Given("index", None, "index")
"""The value of --id if rows are matched by their index."""
_BY_POSITION = "align='position' matches rows by position"


def is_held(source: Source) -> TypeGuard[MemorySource]:
    """Whether a source is data in memory: an array or a data frame."""
    return source.format == "memory"


def index_column(source: Source, spec: str) -> int | None:
    """Return the column of the index if --id refers to it: by given ids, its name, or "index"."""
    if not is_held(source) or source.index is None or spec in source.names:
        return None
    named = isinstance(spec, Given) or spec in (source.index_name, "index")
    return source.width if named else None


def with_ids(
    predictions: Source, labels: Source | None, others: Sequence[Source], settings: Settings
) -> tuple[Source, Source | None, Sequence[Source], Settings]:
    """Return the sources, and the settings with --id if rows are to be matched by the index.

    In that case data without an index get the index of the predictions, that is, are matched by position.

    Raises DataError for data whose index does not match that of the predictions.
    """
    unnamed = all(getattr(source, "index", None) is None for source in (predictions, labels, *others))
    if unnamed and not isinstance(settings.id, Given):
        return predictions, labels, others, settings
    sources = _with_given(predictions, labels, others, settings)
    first = next((source for source in sources if _index(source) is not None), None)
    if first is None or settings.align is not None:
        return predictions, labels, others, settings
    spec, files = settings.id, 1 if labels is None else 2
    if spec is None and _reordered(first, sources, labels, known=first in sources[:files]):
        settings = replace(settings, id=INDEX)
        sources = [_adopting(source, first, counted=True) for source in sources]
    elif spec is not None and any(index_column(source, spec) is not None for source in sources[:files]):
        column = isinstance(_side(spec, "labels"), str)
        have = [spec in source.names or (column and source is labels) for source in sources]
        sources = [s if has else _adopting(s, first) for s, has in zip(sources, have, strict=True)]
    return sources[0], None if labels is None else sources[1], sources[files:], settings


def named_by_others(sources: Sequence[Source]) -> tuple[Source, ...]:
    """Return the sources, with the index of the labels or of further data for predictions in memory that have none.

    It names rows that are matched by position, so it is not compared.
    """
    predictions, *others = sources
    if is_held(predictions) and predictions.index is None:
        for other in filter(is_held, others):
            if other.row_names is not None and other.rows == predictions.rows:
                lent = replace(predictions, index=other.index, index_name=other.index_name, lent=True)
                return (lent, *others)
    return tuple(sources)


def index_of_rows(predictions: Any, labels: Any, settings: Settings, rows: int) -> Any:
    """Return the pandas index of the predictions, else of the labels or of data given for a role; None without one."""
    if hasattr(predictions, "iloc"):
        return predictions.index if len(predictions.index) == rows else None
    if isinstance(_side(settings.id, "predictions"), str | None):
        for data in (labels, *(given.data for given in settings.given)):
            if hasattr(data, "iloc") and len(data.index) == rows:
                return data.index
    return None


def reordered(indexes: Mapping[str, Any], labels: bool) -> bool:
    """Return whether the rows of models, each with its index, are in different orders and must be matched by it.

    `labels` says whether there are labels that have an index too.

    Raises DataError if the index cannot match them.
    """
    from xentcli.readers.memory import MemorySource

    models: list[Source] = [MemorySource(name, (), len(index), index=index) for name, index in indexes.items()]
    if len(models) < 2 or not _reordered(models[0], models[1:], None):
        return False
    if not labels:
        first, second = (model.path for model in models[:2])
        raise DataError(
            "the models have the same index in another order, and no labels have it",
            advice=(
                f"{second}.loc[{first}.index] has the rows in the order of {first}",
                "labels=pandas.Series(labels, index=...) gives labels an index",
                _BY_POSITION,
            ),
        )
    return True


def _index(source: Source) -> Any:
    return getattr(source, "index", None)


def _with_given(
    predictions: Source, labels: Source | None, others: Sequence[Source], settings: Settings
) -> list[Source]:
    """The sources, with the ids that --id gives as data for predictions and labels."""
    found: list[Source] = []
    for side, source in (("predictions", predictions), ("labels", labels)):
        ids = _side(settings.id, side)
        if source is not None:
            found.append(source if ids is None or isinstance(ids, str) else _identified(source, ids, side))
    return [*found, *others]


def _side(spec: str | None, side: str) -> Any:
    """The value of --id for a side: ids, the name of a column, or None."""
    data = spec.data if isinstance(spec, Given) else None
    return data.get(side) if isinstance(data, Mapping) else data if side == "predictions" else None


def _identified(source: Source, ids: Any, side: str) -> Source:
    """A source with ids as its index."""
    from xentcli.readers.objects import open_memory

    if not is_held(source):
        raise UsageError(
            f"id= gives ids of {side} in memory; of a file the name of their column: id={{{side!r}: NAME}}"
        )
    column = open_memory(ids, f"id[{side!r}]", "id")
    if column.width != 1 or column.rows != source.rows:
        raise DataError(f"{column.rows:,} ids of {source.rows:,} rows", place=Place(source.path))
    index = column.columns[0] if column.array is None else column.array[:, 0]
    return replace(source, index=index, index_name="id")


def _texts(source: Source) -> list[str]:
    return [str(name) for name in _index(source).tolist()]


def _reordered(first: Source, sources: Sequence[Source], labels: Source | None, *, known: bool = True) -> bool:
    """Whether an index is that of the first source in another order; raises DataError if it cannot match the rows.

    `known` says that predictions or labels have an index; otherwise none of two orders is known to be theirs.
    """
    found = False
    for source in sources:
        index = _index(source)
        if index is None or source is first or np.array_equal(index, _index(first)):
            continue
        first_ids, ids = _texts(first), _texts(source)
        if first_ids == ids:
            continue
        if sorted(first_ids) == sorted(ids):
            if not known:
                raise _no_order(first, source)
            _check_ids(first, source, len(set(first_ids)) < len(first_ids))
            found = True
        elif not (first.traits.counts or source.traits.counts) and (source is not labels or len(first_ids) != len(ids)):
            raise _other_index(first, source, set(first_ids), set(ids))
    return found


def _no_order(first: Source, source: Source) -> DataError:
    """The error for two orders of the same rows, where neither predictions nor labels have an index."""
    each = [f"{one.path}.loc[{other.path}.index]" for one, other in ((first, source), (source, first))]
    return DataError(
        f"{first.path} and {source.path} have the same index in another order, and predictions and labels have none",
        advice=(
            f"{each[0]} if the predictions are in the order of {source.path}",
            f"{each[1]} if they are in the order of {first.path}",
            _BY_POSITION,
        ),
    )


def _check_ids(first: Source, source: Source, repeat: bool) -> None:
    """Refuse an index in two orders that repeats values or only counts rows."""
    same = f"{first.path} and {source.path} have the same index in another order"
    if repeat:
        raise DataError(f"{same}, and values of it repeat", advice=_BY_POSITION)
    counting = next((each.path for each in (first, source) if each.traits.counts), None)
    if counting is not None:
        raise DataError(
            f"{same}, and that of {counting} counts its rows: it may name them or not",
            advice=("id='index' matches the rows by it", _BY_POSITION),
        )


def _other_index(first: Source, source: Source, first_ids: set[str], ids: set[str]) -> DataError:
    """The error for an index with other values."""
    lines = [f"{source.path}.to_numpy() has no index: its rows are matched by position"]
    if first_ids < ids:
        lines = [f"{source.path}.loc[{first.path}.index] has the rows of {first.path}"]
    elif ids < first_ids:
        lines = [f"{first.path}.loc[{source.path}.index] has the rows of {source.path}"]
    odd, path = (min(ids - first_ids), first.path) if ids - first_ids else (min(first_ids - ids), source.path)
    return DataError(
        f"the index of {source.path} is not that of {first.path}: {shown(odd)} is not in {path}",
        advice=(*lines, *(["id='index', subset=True scores the rows that both have"] if first_ids & ids else [])),
    )


def _adopting(source: Source, first: Source, *, counted: bool = False) -> Source:
    """A source with an index: its own (one that only counts rows only if `counted`), or that of the first source."""
    if _index(source) is not None and (counted or first.traits.counts or not source.traits.counts):
        return source
    if is_held(source) and source.rows == len(_index(first)):
        return replace(source, index=_index(first), index_name=getattr(first, "index_name", None))
    if is_held(source):
        rows = f"the row counts differ: {first.path} has {len(_index(first)):,} and {source.path} has {source.rows:,}"
        raise DataError(rows)
    raise DataError(
        f"rows are matched by the index of {first.path}, and a file has none",
        place=Place(source.path),
        advice=(
            f"{first.path}.reset_index() makes a column of the index, which --id names for both",
            "id={'predictions': ids, 'labels': 'NAME'} names the column of the ids in the file of the labels",
        ),
    )
