"""Columns that name the rows: which of two files have the same, to compare them or to match rows by them."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Sequence

from xentcli.columns.column import texts_of
from xentcli.columns.numerals import number, whole
from xentcli.errors import DataError
from xentcli.pairing import near
from xentcli.pairing.alignment import PartQueue
from xentcli.pairing.by_name import is_order_by_name
from xentcli.pairing.columns import Found, as_option, name_of
from xentcli.pairing.inputs import Inputs
from xentcli.pairing.stray import LOOK_AT
from xentcli.readers.source import Pick, Source
from xentcli.records import record

__all__ = ["MatchingIds", "find_row_names", "have_counted", "matching_ids", "tells_rows_apart"]

_FEW = 5
"""Least number of rows in which distinct cells are taken for ids."""
_WITH_ANY_CELL = ("csv", "parquet", "arrow")
_OF_RECORDS = ("json", "jsonl")
"""Formats whose columns can be read without refusing a row, and those whose rows may lack a key."""


def find_row_names(read: Inputs) -> bool:
    """Find row names to compare: those that both sources have, or a column without a role that identifies rows."""
    sources = read.pair
    if len(sources) < 2 or read.settings.id is not None or read.settings.align is not None:
        return False
    columns: Sequence[int | None] = [source.row_names for source in sources]
    if all(column is None for column in columns):
        columns = _in_both(read) or _apart(read)
    found = [Found(s, (column,)) for s, column in zip(sources, columns, strict=False) if column is not None]
    if len(found) == len(sources):
        read.roles["index"] = found
    return "index" in read.roles


def have_counted(read: Inputs) -> bool:
    """Return whether the row names of a file count its rows, as other columns do that are no ids."""
    places = [found.columns[0] for found in read.roles.get("index", ())]
    return any(_count_rows(_first_texts(c, queue)) for c, queue in zip(places, read.queues, strict=False))


@record(frozen=True)
class MatchingIds:
    """The column by which rows of two files can be matched, empty without one, and the options that do so."""

    name: str = ""
    options: str = ""
    copy: str = ""
    """The command that makes nearly equal ids equal, and what follows it; empty where they are equal."""
    columns: tuple[int, int] | None = None
    """The column of each file; None without one."""


def matching_ids(read: Inputs) -> MatchingIds:
    """Return the first column that tells rows apart in both files, with --subset where only some of short files match.

    Without one, a column of each file that has the same ids under two names.
    """
    sources, settings = read.pair, read.settings
    if settings.id is not None or settings.align is not None or len(sources) < 2:
        return MatchingIds()
    columns = _in_both(read)
    if not columns:
        return _of_two_names(read)
    name = name_of(sources[0], columns[0])
    ids = [_first_texts(column, queue) for column, queue in zip(columns, read.queues, strict=False)]
    if any(number(text) is not None and whole(text) is None and not text.isdecimal() for text in itertools.chain(*ids)):
        # A column of probabilities that both have.
        return MatchingIds()
    short = all(len(texts) < LOOK_AT for texts in ids)
    subset = short and not settings.subset and bool({*ids[0]} & {*ids[1]}) and {*ids[0]} != {*ids[1]}
    copy = _made_equal(columns, ids, sources) if short and not {*ids[0]} & {*ids[1]} else ""
    options = f" --id {as_option([name], sources[0])}{' --subset' if subset else ''}"
    return MatchingIds(name, options, copy, (columns[0], columns[1]))


def _of_two_names(read: Inputs) -> MatchingIds:
    """The ids that are the same in both files under two names: by their number, else once a command renames them."""
    sources = read.pair
    if not all(source.names and source.tabular for source in sources):
        return MatchingIds()
    each = [
        {c: ids for c in read.free(source) if _are_ids(ids := _first_texts(c, queue))}
        for source, queue in zip(sources, read.queues, strict=False)
    ]
    for (column, ids), (place, others) in itertools.product(*(found.items() for found in each)):
        one, other = name_of(sources[0], column), name_of(sources[1], place)
        if one == other or {*ids} != {*others} or is_order_by_name(one) or is_order_by_name(other):
            continue
        if column == place:
            return MatchingIds(other, f" --id '#{column + 1}'", "", (column, place))
        if copy := near.renaming(sources[1], other, one):
            return MatchingIds(other, f" --id {one}", f"{copy}, then ", (column, place))
    return MatchingIds()


def _made_equal(columns: Sequence[int], ids: Sequence[Sequence[str]], sources: Sequence[Source]) -> str:
    """The command that makes ids equal that differ by blanks, case, leading zeros and the like in one file alone."""
    for place, other in ((0, 1), (1, 0)):
        if {*map(near.loose, ids[place])} == {*ids[other]}:
            steps = [step for step in near.STEPS if any(step.apply(text) != text for text in ids[place])]
            copy = near.clean_copy(sources[place], columns[place], steps)
            return f"{copy}, then " if copy else ""
    return ""


def _in_both(read: Inputs) -> list[int]:
    """The first column without a role that both tables have under one name, with distinct first cells."""
    free = [{s.names[c]: c for c in read.free(s)} if s.names and s.tabular else {} for s in read.pair]
    for name in free[0]:
        places = [names[name] for names in free if name in names]
        if name and len(places) == len(free) and all(map(_differ, places, read.queues)):
            return places
    return []


def _apart(read: Inputs) -> list[int]:
    """The only column of distinct texts of each of two files, else of distinct whole numbers, under two names.

    Names of predictions are predicted classes.
    """
    if not all(source.names and source.format in (*_WITH_ANY_CELL, *_OF_RECORDS) for source in read.pair):
        return []
    classes = {*read.preds.names} if "preds" in read.roles else set[str]()
    texts, wholes, counting = list[list[int]](), list[list[int]](), list[list[int]]()
    for source, queue in zip(read.pair, read.queues, strict=False):
        most = LOOK_AT if source.format in _OF_RECORDS else sys.maxsize
        try:
            cells = {c: _first_texts(c, queue) for c in read.free(source)}
        except DataError:
            return []
        cells = {c: ids for c, ids in cells.items() if _FEW <= len(ids) < most}
        each = {c: ids for c, ids in cells.items() if _are_ids(ids)}
        texts.append([c for c, ids in each.items() if not all(map(_is_code, ids)) and not {*ids} <= classes])
        wholes.append([c for c, ids in each.items() if all(map(_is_code, ids))])
        others = [c for c in cells if c not in texts[-1] and not is_order_by_name(name_of(source, c))]
        counting.append([c for c in others if c in each or _count_rows(cells[c])])
    found = [some for some in (texts, wholes, counting) if all(len(columns) == 1 for columns in some)]
    return [column for columns in found[0] for column in columns] if found else []


def _are_ids(texts: Sequence[str]) -> bool:
    """Whether cells are distinct texts, or distinct whole numbers other than those of the rows in order."""
    if len({*texts}) < len(texts) or not texts:
        return False
    if all(map(_is_code, texts)):
        return not _count_rows(texts)
    return not any(number(text) is not None for text in texts)


def _count_rows(texts: Sequence[str]) -> bool:
    """Whether cells count the rows in order, from 0 or 1."""
    bases = (0, 1) if all(map(_is_code, texts)) else ()
    return any([int(text) - base for text in texts] == [*range(len(texts))] for base in bases)


def _is_code(text: str) -> bool:
    """Whether a text is digits alone, as of an id."""
    return text.isascii() and text.isdigit()


def _differ(column: int, queue: PartQueue, least: int = 1) -> bool:
    """Whether the first cells of a column, `least` or more, all differ."""
    texts = _first_texts(column, queue)
    return len(texts) >= least and len({*texts}) == len(texts)


def tells_rows_apart(column: int, queue: PartQueue) -> bool:
    """Return whether the first cells of a column all differ, in more rows than by chance."""
    return _differ(column, queue, _FEW)


def _first_texts(column: int, queue: PartQueue) -> Sequence[str]:
    """The first cells of a column; none of lists."""
    if column in queue.source.traits.lists:
        return ()
    rows = next(queue.look({"id": Pick((column,), "text")}, LOOK_AT), None)
    return () if rows is None else texts_of(rows.values["id"])
