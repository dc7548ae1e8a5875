"""Roles: which column of which source is a prediction, a label, an id, a weight."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Collection, Mapping, Sequence
from typing import cast

from xentcli.columns.column import texts_of
from xentcli.columns.numerals import number, whole
from xentcli.errors import DataError, Place
from xentcli.given import Given
from xentcli.pairing import near
from xentcli.pairing.alignment import PartQueue
from xentcli.pairing.by_name import is_label_by_name, is_order_by_name
from xentcli.pairing.columns import Found, Roles, find_columns, listed, name_of, spec_items
from xentcli.pairing.index import INDEX, index_column, is_held
from xentcli.pairing.lists import has_lists
from xentcli.pairing.stray import LOOK_AT, first_text
from xentcli.pairing.suggest import (
    are_of_several,
    as_option,
    conversion,
    fitting,
    has_counts,
    has_missing,
    named_as_predicted,
    nearly_as,
    nearly_fitting,
    needed_for,
    not_the_truth,
    one_hot,
    predicted_among,
    suggestions,
    with_labels,
)
from xentcli.readers.source import Pick, Selection, Source, text_for_numbers
from xentcli.records import record
from xentcli.settings import Settings

__all__ = [
    "NO_WEIGHT",
    "explicit_roles",
    "find_labels",
    "find_row_names",
    "flattened",
    "free_columns",
    "have_counted",
    "picks_of",
    "predicted_labels",
    "unused_columns",
    "used_columns",
    "used_in",
]

_MEANINGS = {
    "preds": "the predictions",
    "label": "one column for each class",
    "weights": "the weights",
    "bytes": "--bytes",
    "reference": "the forecast of --reference",
}
_NO_NUMBER = "a column that is not a prediction? --preds NAME,... chooses the columns"
ROLES = {"preds": "numbers", "label": "values", "weights": "numbers", "id": "text", "index": "text", "bytes": "numbers"}
_FORECASTS = ("preds", "reference")
NO_WEIGHT = "a row without a weight? a weight of 0 leaves it out"
_IF_MISSING = {
    "reference": "rows without a reference forecast? --skip-missing leaves them out",
    "preds": "rows without a prediction? --skip-missing leaves them out",
    "label": "targets that are missing? --ignore-label missing skips them",
    "weights": NO_WEIGHT,
}
ROLES |= {"by": "keys", "cluster": "keys", "show": "text", "reference": "numbers"}
_TAKING = ROLES.keys() - {"show"}
_FEW = 5
"""Least number of rows in which distinct cells are taken for ids."""
_WITH_ANY_CELL = ("csv", "parquet", "arrow")
_OF_RECORDS = ("json", "jsonl")
"""Formats whose columns can be read without refusing a row, and those whose rows may lack a key."""


def explicit_roles(settings: Settings, sources: Sequence[Source], further: Sequence[Source]) -> Roles:
    """The columns that options name; --id is searched in every file, other options in one."""
    roles: Roles = {}
    other = sources[-1]

    def find(role: str, spec: str | Sequence[str], home: Source = other) -> None:
        option = f"--{role.partition('.')[0]}"
        roles[role] = [find_columns(option, spec, sources, home, further)]

    for role in ("label", "weights", "cluster"):
        spec = getattr(settings, role)
        if spec is not None:
            find(role, spec)
    if settings.preds is not None:
        find("preds", settings.preds, sources[0])
    if settings.reference is not None and settings.reference_shares is None:
        find("reference", cast("str | Sequence[str]", settings.reference), sources[0])
    if settings.bytes is not None and settings.bytes_in_all is None:
        find("bytes", settings.bytes if isinstance(settings.bytes, str) else str(settings.bytes))
    for option, specs in (("by", settings.slices), ("show", settings.shown_columns)):
        for index, spec in enumerate(specs):
            whole = isinstance(spec, Given) or any(spec in source.names for source in sources)
            for place, item in enumerate([spec] if whole else spec_items(spec)):
                find(f"{option}.{index}.{place}", item)
    if settings.id is not None:
        sides = zip(sources, ("predictions", "labels"), strict=False)
        roles["id"] = [_ids_of(source, settings.id, side) for source, side in sides]
        # Data given for a role have no columns to choose from; their index always identifies their rows.
        roles["id"] += [_ids_of(source, INDEX if is_held(source) else settings.id) for source in further]
        if "reference" in roles:
            roles["reference"] = _without_ids(roles["reference"], roles["id"])
    for role, places in roles.items():
        for found in places if role not in ("label", *_FORECASTS) else ():
            if len(found.columns) != 1:
                name = role.partition(".")[0]
                raise DataError(f"--{name} takes one column, not {len(found.columns)}: {listed(found.names)}")
    _check_overlap(roles)
    return roles


def _without_ids(places: Sequence[Found], ids: Sequence[Found]) -> list[Found]:
    """The columns of --reference without those of ids, if it names a whole file."""
    taken = {(found.source.path, column) for found in ids for column in found.columns}
    return [Found(f.source, tuple(c for c in f.columns if (f.source.path, c) not in taken)) for f in places]


def _ids_of(source: Source, spec: str, side: str = "") -> Found:
    """The ids of a source: its index or a column; a dict can name one per side."""
    sides = spec.data if isinstance(spec, Given) and isinstance(spec.data, Mapping) else {}
    name = sides.get(side)
    if isinstance(name, str):
        return find_columns("--id", name, [source], source)
    column = index_column(source, spec)
    return find_columns("--id", spec, [source], source) if column is None else Found(source, (column,))


def _check_overlap(roles: Roles) -> None:
    owner: dict[tuple[int, int], str] = {}
    for role in ("label", "weights", "preds", "id", "bytes", "reference"):
        for found in roles.get(role, ()):
            for column in found.columns:
                before = owner.setdefault((id(found.source), column), role)
                if before != role:
                    raise DataError(
                        f"column {name_of(found.source, column)} is given as --{before} and as --{role}",
                        place=Place(found.source.path),
                    )


def used_in(source: Source, roles: Roles, options: Collection[str]) -> dict[int, str]:
    """The columns of a source that these options name, each with the first such option."""
    used: dict[int, str] = {}
    for role, places in roles.items():
        for found in places:
            if found.source is source and (option := role.partition(".")[0]) in options:
                used = dict.fromkeys(found.columns, option) | used
    return used


def free_columns(source: Source, roles: Roles) -> list[int]:
    """The columns of a source without a role (--show is none), except an unnamed first column of row names."""
    used, row_names = used_in(source, roles, _TAKING), source.row_names
    return [column for column in range(source.width) if column not in used and column != row_names]


def find_labels(roles: Roles, sources: Sequence[Source], queues: Sequence[PartQueue], settings: Settings) -> None:
    """Find the label columns if no option names them: the only candidates.

    Raises DataError if there are several candidates; lists them.
    """
    if "label" in roles:
        return
    source = sources[-1]
    free = free_columns(source, roles)
    if len(sources) > 1:
        columns = len(roles["preds"][0].columns) if "preds" in roles else len(free_columns(sources[0], roles))
        found = Found(source, tuple(free))
        if len(free) == 1 or (
            len(free) == columns and columns > 1 and _could_be_targets(found, queues[len(sources) - 1], settings)
        ):
            roles["label"] = [found]
            return
        if line := conversion(sources[0], settings, source):
            raise DataError("no column for each class", place=Place(sources[0].path), advice=line)
        raise _which_label(found, roles, sources, queues, settings, swapped=columns == 1 and len(free) > 1)
    if "preds" in roles and len(free) == 1:
        roles["label"] = [Found(source, tuple(free))]
        return
    columns_ = listed([name_of(source, c) for c in range(source.width)])
    raise DataError(
        f"which column has the labels? The columns are {columns_}",
        place=Place(source.path),
        advice=suggestions(source, settings),
    )


def _could_be_targets(found: Found, queue: PartQueue, settings: Settings) -> bool:
    """Whether the first rows of several columns are numbers; without names they lie from 0 to 1, or are counts."""
    if first_text(found, queue) is not None:
        return False
    if found.named or settings.votes or not found.source.tabular:
        return True
    rows = next(queue.look({str(c): Pick((c,), "text") for c in found.columns}, LOOK_AT), None)
    numbers = [number(text) for column in rows.values.values() for text in texts_of(column)] if rows else []
    values = [value for value in numbers if value is not None]
    return all(0 <= value <= 1 for value in values) or all(value >= 0 and value.is_integer() for value in values)


def _which_label(
    found: Found,
    roles: Roles,
    sources: Sequence[Source],
    queues: Sequence[PartQueue],
    settings: Settings,
    *,
    swapped: bool,
) -> DataError:
    """The error that lists the candidates for the labels, without columns of the predicted class."""
    preds = roles["preds"][0] if "preds" in roles else Found(sources[0], tuple(free_columns(sources[0], roles)))
    by_id = _matching(roles, sources, queues, settings)
    predicted = predicted_labels(found, preds, queues, settings, by_id.columns)
    queue = queues[len(sources) - 1]
    names = [name for name in found.names if name not in predicted and name != by_id.name]
    if predicted:
        # Ids and predictions beside it are no labels.
        own = {*names} & {*preds.names} if len(names) > 1 else set[str]()
        called = dict(zip(found.names, found.columns, strict=True))
        left = [name for name in names if name not in own and not _tells_rows_apart(called[name], queue)]
        names = names if left else []
    # What both files have is an id rather than a class.
    without = (found.names, (by_id.name,))
    apart = [tuple(c for c in preds.columns if name_of(preds.source, c) not in shared) for shared in without]
    each = (preds, *(Found(preds.source, some) for some in apart if 0 < len(some) < len(preds.columns)))
    fits = next(filter(None, ([n for n in fitting(found, one, queue) if n in names] for one in each)), [])
    alike = [name for name in fits if is_label_by_name(name)]
    by_name = len(fits) > 1 == len(alike) and not by_id.copy
    fits = alike if by_name else fits
    chooses = "--label NAME chooses the column of the labels"
    if by_id.name and names:
        label = as_option(names, found.source) if len(names) == 1 else "NAME"
        chooses = (
            f"{by_id.copy}--label {label}{by_id.options}: the column of the labels, and the ids that both files have"
        )
    if len(fits) == 1:
        needed = needed_for(preds, queues[0], settings).options
        option = f"{by_id.copy}--label {as_option(fits, found.source)}{needed}{by_id.options}"
        why = ", by its name" if by_name else " has the classes of the predictions as its values"
        chooses = option if by_id.copy else f"{option}{why}"
        if not settings.ignored and has_missing(found, fits[0], queue):
            chooses = f"{option} --ignore-label missing: its values are the classes of the predictions, or missing"
    elif not fits and len(of_classes := [name for name in one_hot(found, preds, queue) if name in names]) > 1:
        votes = "" if settings.votes or not has_counts(found, of_classes, queue) else " --votes"
        several = bool(votes) and are_of_several(found, preds, of_classes, (queues[0], queue))
        votes = " --multilabel" if several and not settings.multilabel else votes
        option = f"--label {as_option(of_classes, found.source)}{votes}{by_id.options}"
        why = "a yes or no for each class" if several else "counts of each class"
        chooses = f"{option}: {why}" if votes else f"{option} has a column for each class"
        if by_id.name and not votes and len(of_classes) == len(names):
            chooses = f"{by_id.options.strip()}, if it matches the rows: the others are the classes"
    elif not fits and len(nearly := _nearly(found, preds, queues, settings, names, by_id.columns)) == 1:
        names = [name for name in found.names if name in (*names, *nearly)]
        chooses = nearly_as(found, preds, nearly[0], queue)
    swapped = swapped and not fits and first_text(found, queue) is None
    swapped = swapped and bool(fitting(preds, found, queues[0], by_position=True))
    return DataError(
        f"{len(names)} column{'s' * (len(names) > 1)} could be the labels: {listed(names)}"
        if names
        else "no column is left for the labels",
        place=Place(found.source.path),
        advice=(
            *([f"are the files swapped? xent score {found.source.path} {sources[0].path}"] if swapped else []),
            *map(not_the_truth, predicted[:2]),
            *(named_as_predicted(name, sources[0].path) for name in fits[:1] if len(fits) == 1),
            chooses
            if names
            else f"the truth is not in this file; with a file of labels: {with_labels(sources[0].path)}",
        ),
    )


@record(frozen=True)
class _Ids:
    """The column by which rows of two files can be matched, empty without one, and the options that do so."""

    name: str = ""
    options: str = ""
    copy: str = ""
    """The command that makes nearly equal ids equal, and what follows it; empty where they are equal."""
    columns: tuple[int, int] | None = None
    """The column of each file; None without one."""


def _matching(roles: Roles, sources: Sequence[Source], queues: Sequence[PartQueue], settings: Settings) -> _Ids:
    """The first column that tells rows apart in both files, with --subset where only some of short files match."""
    if settings.id is not None or settings.align is not None or len(sources) < 2:
        return _Ids()
    columns = _ids_in_both(roles, sources, queues)
    if not columns:
        return _ids_of_two_names(roles, sources, queues)
    name = name_of(sources[0], columns[0])
    ids = [_first_texts(column, queue) for column, queue in zip(columns, queues, strict=False)]
    if any(number(text) is not None and whole(text) is None and not text.isdecimal() for text in itertools.chain(*ids)):
        # A column of probabilities that both have.
        return _Ids()
    short = all(len(texts) < LOOK_AT for texts in ids)
    subset = short and not settings.subset and bool({*ids[0]} & {*ids[1]}) and {*ids[0]} != {*ids[1]}
    copy = _made_equal(columns, ids, sources) if short and not {*ids[0]} & {*ids[1]} else ""
    pair = (columns[0], columns[1])
    return _Ids(name, f" --id {as_option([name], sources[0])}{' --subset' if subset else ''}", copy, pair)


def _ids_of_two_names(roles: Roles, sources: Sequence[Source], queues: Sequence[PartQueue]) -> _Ids:
    """The ids that are the same in both files under two names: by their number, else once a command renames them."""
    if not all(source.names and source.tabular for source in sources):
        return _Ids()
    each = [
        {c: ids for c in free_columns(source, roles) if _are_ids(ids := _first_texts(c, queue))}
        for source, queue in zip(sources[:2], queues, strict=False)
    ]
    for (column, ids), (place, others) in itertools.product(*(found.items() for found in each)):
        one, other = name_of(sources[0], column), name_of(sources[1], place)
        if one == other or {*ids} != {*others} or is_order_by_name(one) or is_order_by_name(other):
            continue
        if column == place:
            return _Ids(other, f" --id '#{column + 1}'", "", (column, place))
        if copy := near.renaming(sources[1], other, one):
            return _Ids(other, f" --id {one}", f"{copy}, then ", (column, place))
    return _Ids()


def _made_equal(columns: Sequence[int], ids: Sequence[Sequence[str]], sources: Sequence[Source]) -> str:
    """The command that makes ids equal that differ by blanks, case, leading zeros and the like in one file alone."""
    for place, other in ((0, 1), (1, 0)):
        if {*map(near.loose, ids[place])} == {*ids[other]}:
            steps = [step for step in near.STEPS if any(step.apply(text) != text for text in ids[place])]
            copy = near.clean_copy(sources[place], columns[place], steps)
            return f"{copy}, then " if copy else ""
    return ""


def _nearly(
    found: Found,
    preds: Found,
    queues: Sequence[PartQueue],
    settings: Settings,
    names: Sequence[str],
    ids: tuple[int, int] | None,
) -> list[str]:
    """Return those of `names` whose values nearly are the classes, else the predicted class if spelled differently.

    Most tools spell predicted classes like their columns; a different spelling may be the truth, with a good model.
    """
    every = nearly_fitting(found, preds, next(queue for queue in queues if queue.source is found.source))
    if nearly := [name for name in every if name in names]:
        return nearly
    exactly = predicted_labels(found, preds, queues, settings, ids, exactly=True)
    return [name for name in every if name not in exactly]


def predicted_labels(
    label: Found,
    preds: Found,
    queues: Sequence[PartQueue],
    settings: Settings,
    ids: tuple[int, int] | None = None,
    *,
    exactly: bool = False,
) -> list[str]:
    """Return the names of the label columns that are the predicted class in all of the first rows.

    Empty with --id, as ids are not matched yet. `ids` and `exactly` are as in `predicted_among`.
    """
    if settings.id is not None or not label.columns or len(preds.columns) < 2:
        return []
    by_source = {id(queue.source): queue for queue in queues}
    labels_queue, preds_queue = by_source[id(label.source)], by_source[id(preds.source)]
    return predicted_among(label, preds, labels_queue, preds_queue, exactly=exactly, ids=ids)


def flattened(source: Source, roles: Roles) -> tuple[Source, Roles]:
    """For kinds without labels: turn every number of an array into an example."""
    if source.width == 1 or source.tabular or len(roles["preds"][0].columns) == 1:
        return source, roles
    if (
        sum(found.source is source for places in roles.values() for found in places) > 1
        or len(roles["preds"][0].columns) < source.width
    ):
        raise DataError(
            "an array of several columns is read whole, every number an example; no column can be chosen beside",
            place=Place(source.path),
            advice="numpy.save('p.npy', array[:, 0]) keeps one column",
        )
    flat = source.flattened()
    return flat, {**roles, "preds": [Found(flat, (0,))]}


def find_row_names(roles: Roles, sources: Sequence[Source], queues: Sequence[PartQueue], settings: Settings) -> bool:
    """Find row names to compare: those that both sources have, or a column without a role that identifies rows."""
    if len(sources) < 2 or settings.id is not None or settings.align is not None:
        return False
    columns: Sequence[int | None] = [source.row_names for source in sources]
    if all(column is None for column in columns):
        columns = _ids_in_both(roles, sources, queues) or _ids_apart(roles, sources, queues)
    found = [Found(s, (column,)) for s, column in zip(sources, columns, strict=False) if column is not None]
    if len(found) == len(sources):
        roles["index"] = found
    return "index" in roles


def _ids_in_both(roles: Roles, sources: Sequence[Source], queues: Sequence[PartQueue]) -> list[int]:
    """The first column without a role that both tables have under one name, with distinct first cells."""
    free = [{s.names[c]: c for c in free_columns(s, roles)} if s.names and s.tabular else {} for s in sources]
    for name in free[0]:
        places = [names[name] for names in free if name in names]
        if name and len(places) == len(free) and all(map(_differ, places, queues)):
            return places
    return []


def _ids_apart(roles: Roles, sources: Sequence[Source], queues: Sequence[PartQueue]) -> list[int]:
    """The only column of distinct texts of each of two files, else of distinct whole numbers, under two names.

    Names of predictions are predicted classes.
    """
    if not all(source.names and source.format in (*_WITH_ANY_CELL, *_OF_RECORDS) for source in sources):
        return []
    classes = {*roles["preds"][0].names} if "preds" in roles else set[str]()
    texts, wholes, counting = list[list[int]](), list[list[int]](), list[list[int]]()
    for source, queue in zip(sources, queues, strict=False):
        most = LOOK_AT if source.format in _OF_RECORDS else sys.maxsize
        try:
            read = {c: _first_texts(c, queue) for c in free_columns(source, roles)}
        except DataError:
            return []
        read = {c: ids for c, ids in read.items() if _FEW <= len(ids) < most}
        each = {c: ids for c, ids in read.items() if _are_ids(ids)}
        texts.append([c for c, ids in each.items() if not all(map(_is_code, ids)) and not {*ids} <= classes])
        wholes.append([c for c, ids in each.items() if all(map(_is_code, ids))])
        others = [c for c in read if c not in texts[-1] and not is_order_by_name(name_of(source, c))]
        counting.append([c for c in others if c in each or _count_rows(read[c])])
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


def have_counted(roles: Roles, queues: Sequence[PartQueue]) -> bool:
    """Return whether the row names of a file count its rows, as other columns do that are no ids."""
    places = [found.columns[0] for found in roles.get("index", ())]
    return any(_count_rows(_first_texts(c, queue)) for c, queue in zip(places, queues, strict=False))


def _is_code(text: str) -> bool:
    """Whether a text is digits alone, as of an id."""
    return text.isascii() and text.isdigit()


def _differ(column: int, queue: PartQueue) -> bool:
    """Whether the first cells of a column all differ."""
    texts = _first_texts(column, queue)
    return len(texts) > 0 and len({*texts}) == len(texts)


def _tells_rows_apart(column: int, queue: PartQueue) -> bool:
    """Whether the first cells of a column all differ, in more rows than by chance."""
    return _differ(column, queue) and len(_first_texts(column, queue)) >= _FEW


def _first_texts(column: int, queue: PartQueue) -> Sequence[str]:
    """The first cells of a column; none of lists."""
    if column in queue.source.traits.lists:
        return ()
    rows = next(queue.look({"id": Pick((column,), "text")}, LOOK_AT), None)
    return () if rows is None else texts_of(rows.values["id"])


def picks_of(roles: Roles, sources: Sequence[Source], settings: Settings) -> tuple[Selection, ...]:
    """Return the columns to load from each source."""
    picks: list[dict[str, Pick]] = [{} for _ in sources]
    preds = roles["preds"][0]
    listed_ = has_lists(preds.source, preds.columns)
    absent = {*_FORECASTS} if settings.skip_missing else set()
    absent |= {"label"} if "missing" in settings.ignored else set()
    for role, places in roles.items():
        for found in places:
            as_ = "numbers" if role == "label" and len(found.columns) > 1 else ROLES[role.partition(".")[0]]
            if listed_ and has_lists(found.source, found.columns) and role not in ("id", "bytes"):
                as_ = "lists" if as_ == "numbers" else "texts"
            if as_ == "numbers":
                _check_no_text(role, found)
            advice = _NO_NUMBER if role == "preds" else ""
            picks[sources.index(found.source)][role] = Pick(
                found.columns,
                as_,  # type: ignore[arg-type]
                found.others,
                required=role == "id",
                advice=advice,
                if_missing=_IF_MISSING.get(role, ""),
                missing=role in absent,
            )
    return tuple(picks)


def _check_no_text(role: str, found: Found) -> None:
    """Refuse an array of text for a role that needs numbers."""
    # All columns of an array are of one type.
    if any(found.source.numeric(column) is False for column in found.columns[: None if found.source.tabular else 1]):
        raise text_for_numbers(found.source.path, _MEANINGS.get(role, role), held=is_held(found.source))


def used_columns(roles: Roles, option: str) -> list[tuple[str, ...]]:
    """Return the column names of each use of a repeatable option."""
    uses: dict[str, list[str]] = {}
    for role, places in roles.items():
        if role.partition(".")[0] == option:
            uses.setdefault(role.rpartition(".")[0], []).extend(name for found in places for name in found.names)
    return [tuple(names) for names in uses.values()]


def unused_columns(source: Source, roles: Roles) -> tuple[str, ...]:
    """Return the names of the columns that have no role and are not shown."""
    shown_ = used_in(source, roles, ("show",))
    # A column that is only compared has no role.
    others = {role: places for role, places in roles.items() if role != "index"}
    return tuple(name_of(source, column) for column in free_columns(source, others) if column not in shown_)
