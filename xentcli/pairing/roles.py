"""Roles: which column of which source is a prediction, a label, an id, a weight."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import field

import numpy as np

from xentcli.columns.column import texts_of
from xentcli.columns.missing import is_missing
from xentcli.columns.numerals import hundredths, in_points, is_number, number_hint
from xentcli.errors import DataError, Place, shown
from xentcli.pairing.alignment import PartQueue
from xentcli.pairing.columns import Found, check_odd, find_columns, listed, name_of, spec_items
from xentcli.pairing.lists import has_lists
from xentcli.pairing.suggest import not_the_truth, predicted_among, suggestions
from xentcli.readers.source import Pick, Rows, Selection, Source, files_in, has_first_line, text_for_numbers
from xentcli.readers.text.faults import Written, above_or_below, cell_advice, may_be_title
from xentcli.records import record, replace
from xentcli.scoring.kinds import KINDS
from xentcli.settings import Settings

__all__ = [
    "Doubt",
    "Roles",
    "explicit_roles",
    "find_labels",
    "find_predictions",
    "find_row_names",
    "flattened",
    "picks_of",
    "predicted_labels",
    "unused_columns",
    "used_columns",
]

Roles = dict[str, list[Found]]
"""For each role the columns that have it; ids and row names have them in every source."""

LOOK_AT = 100
_MEANINGS = {
    "preds": "the predictions",
    "label": "one column for each class",
    "weights": "the weights",
    "bytes": "--bytes",
}
_NO_NUMBER = "a column that is no prediction? --preds NAME,... chooses the columns"
ROLES = {"preds": "numbers", "label": "values", "weights": "numbers", "id": "text", "index": "text", "bytes": "numbers"}
_IF_MISSING = {
    "preds": "rows without a prediction? --skip-missing leaves them out",
    "label": "targets that are missing? --ignore-label missing skips them",
}
ROLES |= {"by": "keys", "cluster": "keys", "show": "text"}


def explicit_roles(settings: Settings, sources: Sequence[Source], further: Sequence[Source]) -> Roles:
    """The columns that options name; --id is looked for in every file, the others in one."""
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
    if settings.bytes is not None and settings.bytes_in_all is None:
        find("bytes", str(settings.bytes))
    for option, specs in (("by", settings.slices), ("show", settings.shown_columns)):
        for index, spec in enumerate(specs):
            whole = any(spec in source.names for source in sources)
            for place, item in enumerate([spec] if whole else spec_items(spec)):
                find(f"{option}.{index}.{place}", item)
    if settings.id is not None:
        everywhere = (*sources, *further)
        roles["id"] = [find_columns("--id", settings.id, [source], source) for source in everywhere]
    for role, places in roles.items():
        for found in places if role not in ("label", "preds") else ():
            if len(found.columns) != 1:
                name = role.partition(".")[0]
                raise DataError(f"--{name} takes one column, not {len(found.columns)}: {listed(found.names)}")
    _check_overlap(roles)
    return roles


def _check_overlap(roles: Roles) -> None:
    owner: dict[tuple[int, int], str] = {}
    for role in ("label", "weights", "preds", "id", "bytes"):
        for found in roles.get(role, ()):
            for column in found.columns:
                before = owner.setdefault((id(found.source), column), role)
                if before != role:
                    raise DataError(
                        f"column {name_of(found.source, column)} is given as --{before} and as --{role}",
                        place=Place(found.source.path),
                    )


def _used(source: Source, roles: Roles, options: Collection[str]) -> dict[int, str]:
    """The columns of a source that some options name, each with the first of these options."""
    used: dict[int, str] = {}
    for role, places in roles.items():
        option = role.partition(".")[0]
        for found in places if option in options else ():
            if found.source is source:
                used = dict.fromkeys(found.columns, option) | used
    return used


def _free(source: Source, roles: Roles) -> list[int]:
    """The columns of a source without a role; --show gives none, and an unnamed first column is row names."""
    used = _used(source, roles, ROLES.keys() - {"show"})
    return [column for column in range(source.width) if column not in used and column != source.row_names]


def find_labels(roles: Roles, sources: Sequence[Source], queues: Sequence[PartQueue], settings: Settings) -> None:
    """Take the label columns where no option names them: the only ones that can be.

    Raises
    ------
    DataError
        When several could be, listing them.
    """
    if "label" in roles:
        return
    source = sources[-1]
    free = _free(source, roles)
    if len(sources) > 1:
        columns = len(roles["preds"][0].columns) if "preds" in roles else len(_free(sources[0], roles))
        found = Found(source, tuple(free))
        if len(free) == 1 or (
            len(free) == columns and columns > 1 and _first_text(found, queues[len(sources) - 1]) is None
        ):
            roles["label"] = [found]
            return
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


def _which_label(
    found: Found,
    roles: Roles,
    sources: Sequence[Source],
    queues: Sequence[PartQueue],
    settings: Settings,
    *,
    swapped: bool,
) -> DataError:
    """The error that lists the columns that could be the labels, without those that are the predicted class."""
    preds = roles["preds"][0] if "preds" in roles else Found(sources[0], tuple(_free(sources[0], roles)))
    predicted = predicted_labels(found, preds, queues, settings)
    names = [name for name in found.names if name not in predicted]
    return DataError(
        f"{len(names)} column{'s' * (len(names) > 1)} could be the labels: {listed(names)}"
        if names
        else "no column is left for the labels",
        place=Place(found.source.path),
        advice=(
            *([f"are the files swapped? xent score {found.source.path} {sources[0].path}"] if swapped else []),
            *map(not_the_truth, predicted[:2]),
            "--label NAME chooses the column of the labels"
            if names
            else "no column has the true labels; give a file that does: xent score PREDS LABELS",
        ),
    )


def predicted_labels(label: Found, preds: Found, queues: Sequence[PartQueue], settings: Settings) -> list[str]:
    """Return the names of the label columns that are the predicted class in all of the first rows.

    None are compared with --id: the ids are not matched yet.
    """
    if settings.id is not None or not label.columns or len(preds.columns) < 2:
        return []
    by_source = {id(queue.source): queue for queue in queues}
    return predicted_among(label, preds, by_source[id(label.source)], by_source[id(preds.source)])


@record(frozen=True)
class Doubt:
    """What is uncertain of predictions that no option names.

    Attributes
    ----------
    stray
        Whether a column that is not a class could be among them: no row sum would catch it.
    taken
        Columns of the same file that have another role and could be classes, each with its option.
    """

    stray: bool = False
    taken: Mapping[int, str] = field(default_factory=dict)

    @property
    def shareable(self) -> bool:
        """Whether all columns that are taken may be predictions too."""
        return not {"weights", "bytes"} & set(self.taken.values())


def find_predictions(roles: Roles, sources: Sequence[Source], queues: Sequence[PartQueue], settings: Settings) -> Doubt:
    """Take the columns without a role as predictions where no option names them; return what is uncertain of them."""
    if "preds" in roles:
        return Doubt()
    source = sources[0]
    if settings.kind == "losses" and "loss" in source.names:
        roles["preds"] = [Found(source, (source.names.index("loss"),))]
        if "weights" not in roles and "weight" in source.names:
            roles["weights"] = [Found(source, (source.names.index("weight"),))]
        return Doubt()
    free = _without_shown_text(source, tuple(_free(source, roles)), roles, queues[0], settings)
    if not free:
        raise DataError(
            "no column is left for the predictions",
            place=Place(source.path),
            advice="--preds NAME,... chooses the columns of the predictions",
        )
    found = Found(source, free, others=True)
    check_odd(found, "every column without another role is a prediction")
    if not KINDS[settings.kind].labelled and len(free) > 1 and source.tabular:
        lists = [name_of(source, column) for column in free if column in source.traits.lists]
        raise DataError(
            f"{len(free)} columns, and --kind {settings.kind} has one: {listed(found.names)}",
            place=Place(source.path),
            advice=f"--preds {lists[0]} takes every number of its lists"
            if len(lists) == 1
            else "--preds NAME chooses it",
        )
    _check_numeric(found, queues[0], sources, settings)
    roles["preds"] = [found]
    return _doubt(found, roles, queues[0], settings) if KINDS[settings.kind].labelled else Doubt()


def _doubt(found: Found, roles: Roles, queue: PartQueue, settings: Settings) -> Doubt:
    """Return what is uncertain of predictions without a role: row sums close to 1 confirm two and more columns."""
    source = found.source
    used = _used(source, roles, ("by", "cluster", "weights", "bytes"))
    taken = {column: used[column] for column in sorted(used) if _is_numeric(source, column, queue)}
    if settings.positive is not None and len(found.columns) == 1:
        # --positive says that there is one column of predictions.
        return Doubt()
    unsummed = _unsummed(settings)
    if not unsummed and (
        _confirmed(found, queue, settings) or not _sum_to_1((*found.columns, *taken), queue, settings)
    ):
        taken = {}
    return Doubt(unsummed and source.tabular and len(found.columns) + len(taken) > 1, taken)


def _unsummed(settings: Settings) -> bool:
    """Whether no row sum confirms which columns are predictions."""
    return settings.kind == "logits" or settings.multilabel or settings.recipe().renormalize


def _without_shown_text(
    source: Source, free: tuple[int, ...], roles: Roles, queue: PartQueue, settings: Settings
) -> tuple[int, ...]:
    """Leave out text columns of --show, if row sums confirm that the others are the predictions."""
    if _unsummed(settings) or not KINDS[settings.kind].labelled:
        return free
    shown_ = _used(source, roles, ("show",))
    kept = tuple(c for c in free if c not in shown_ or _first_text(Found(source, (c,)), queue) is None)
    return kept if len(kept) > 1 else free


def _is_numeric(source: Source, column: int, queue: PartQueue) -> bool:
    known = source.numeric(column)
    return _first_text(Found(source, (column,)), queue, blank=True) is None if known is None else known


def _confirmed(found: Found, queue: PartQueue, settings: Settings) -> bool:
    """Whether row sums say that no class is missing; a wider tolerance than the default could hide one."""
    strict = replace(settings, sum_tolerance=min(settings.sum_tolerance, Settings().sum_tolerance))
    return len(found.columns) > 1 and (strict == settings or _sum_to_1(found.columns, queue, strict))


def _sum_to_1(columns: tuple[int, ...], queue: PartQueue, settings: Settings) -> bool:
    """Whether two columns or more sum to 1 within the tolerance in all of the first rows."""
    if len(columns) < 2:
        return False
    try:
        for rows in queue.look({"preds": Pick(columns)}, LOOK_AT):
            q = settings.recipe().scaled(np.asarray(rows.values["preds"], dtype=np.float64))
            with np.errstate(over="ignore"):
                sums = (np.exp(q) if settings.kind == "logprobs" else q).sum(axis=1)
            if not (np.abs(sums - 1) <= settings.sum_tolerance).all():
                return False
    except DataError:
        # What is wrong with a row is said when it is scored.
        return False
    return True


@record(frozen=True, eq=False)
class _Stray:
    """A cell that is not a number, by the row and the role under which its column was loaded."""

    source: Source
    head: Rows
    role: str
    row: int

    @property
    def column(self) -> Sequence[str]:
        """The first cells of its column, numbers with a point whatever the decimal separator."""
        decimal = self.source.traits.decimal
        return [in_points(text, decimal) for text in texts_of(self.head.values[self.role])]

    @property
    def text(self) -> str:
        """What is in it."""
        return texts_of(self.head.values[self.role])[self.row]

    @property
    def place(self) -> Place:
        """Where it stands."""
        return replace(self.head.place(self.role, self.row), column=name_of(self.source, int(self.role)))

    @property
    def outside(self) -> str:
        """The command that skips what is no row; empty where the cell is in one."""
        source, column = self.source, self.column
        if not has_first_line(source) or files_in(source):
            return ""
        return above_or_below(
            column,
            self.row,
            lambda row: self.head.place(self.role, row).line,
            Written(source.path),
            titled=may_be_title(source.names),
            last=source.repeatable and len(column) == source.lines() - bool(source.header),
        )


def _first_text(found: Found, queue: PartQueue, *, blank: bool = False) -> _Stray | None:
    """The first cell of the columns of a table, by columns, that is not a number, in the first rows.

    A missing one is one only with `blank`.
    """
    source = found.source
    unread = [column for column in found.columns if column not in source.traits.lists]
    texts = [column for column in unread if source.tabular and source.numeric(column) is None]
    head = next(queue.look({f"{c}": Pick((c,), "values") for c in texts}, LOOK_AT), None)
    for role, column in head.values.items() if head is not None else ():
        values = [in_points(text, source.traits.decimal) for text in texts_of(column)]
        if int(role) in source.traits.percent:
            values = [hundredths(text, source.traits.decimal) for text in values]
        row = next(
            (row for row, text in enumerate(values) if not is_number(text) and (blank or not is_missing(text))), None
        )
        if head is not None and row is not None:
            return _Stray(source, head, role, row)
    return None


def _check_numeric(found: Found, queue: PartQueue, sources: Sequence[Source], settings: Settings) -> None:
    """Refuse a column of text among the predictions that nobody chose, listing them all."""
    stray = _first_text(found, queue)
    if stray is None:
        return
    message = f"{shown(stray.text)} is not a number"
    if len(found.columns) == 1 and len(sources) > 1 and sources[1].width > 1:
        swapped = f"are the files swapped? xent score {sources[1].path} {sources[0].path}"
        raise DataError(message, place=stray.place, advice=swapped)
    hint = number_hint(stray.text) or cell_advice(stray.text, Written(found.source.path)) or stray.outside
    if hint:
        raise DataError(message, place=stray.place, advice=hint)
    if found.source.width == 1:
        if any(map(is_number, stray.text.split())):
            raise DataError(message, place=stray.place, advice="fields with spaces between? --delimiter space")
        swapped = f"are the files swapped? xent score {sources[-1].path} {found.source.path}"
        alone = len(sources) == 1 or any(map(is_number, stray.column))
        raise DataError(message, place=stray.place, advice="" if alone else swapped)
    chooses = ["--preds NAME,... chooses the predictions"] if len(sources) > 1 else suggestions(found.source, settings)
    raise DataError(
        f"{message}, and no option says which columns are predictions",
        place=stray.place,
        advice=(f"columns: {listed(found.names)}", *chooses),
    )


def flattened(source: Source, roles: Roles) -> tuple[Source, Roles]:
    """For kinds without labels every number of an array is an example of its own."""
    if source.width == 1 or source.tabular or len(roles["preds"][0].columns) == 1:
        return source, roles
    if sum(len(found) for found in roles.values()) > 1 or len(roles["preds"][0].columns) < source.width:
        raise DataError(
            "an array of several columns is read whole, every number an example; no column can be chosen beside",
            place=Place(source.path),
            advice="numpy.save('p.npy', array[:, 0]) keeps one column",
        )
    flat = source.flattened()
    return flat, {**roles, "preds": [Found(flat, (0,))]}


def find_row_names(roles: Roles, sources: Sequence[Source], settings: Settings) -> bool:
    """Compare the row names where both sources have them."""
    if len(sources) < 2 or settings.id is not None or settings.align is not None:
        return False
    columns = [source.row_names for source in sources]
    if any(column is not None for column in columns):
        # An index that only counts is a name of rows beside another pandas object's.
        columns = [
            s.width if c is None and s.traits.counts and sources[0].format == sources[1].format else c
            for s, c in zip(sources, columns, strict=True)
        ]
    roles["index"] = [Found(s, (column,)) for s, column in zip(sources, columns, strict=True) if column is not None]
    if len(roles["index"]) == len(sources):
        return True
    del roles["index"]
    return False


def picks_of(roles: Roles, sources: Sequence[Source], settings: Settings) -> tuple[Selection, ...]:
    """Return what is loaded of each source."""
    picks: list[dict[str, Pick]] = [{} for _ in sources]
    preds = roles["preds"][0]
    listed_ = has_lists(preds.source, preds.columns)
    absent = {"preds"} if settings.skip_missing else set()
    absent |= {"label"} if "missing" in settings.ignored else set()
    for role, places in roles.items():
        for found in places:
            as_ = "numbers" if role == "label" and len(found.columns) > 1 else ROLES[role.partition(".")[0]]
            if listed_ and has_lists(found.source, found.columns) and role not in ("id", "bytes"):
                as_ = "lists" if as_ == "numbers" else "texts"
            if as_ == "numbers":
                _check_no_text(role, found)
            advice = _NO_NUMBER if role == "preds" else ""
            pick = Pick(found.columns, as_, found.others, role == "id", advice)  # type: ignore[arg-type]
            pick = replace(pick, if_missing=_IF_MISSING.get(role, ""), missing=role in absent)
            picks[sources.index(found.source)][role] = pick
    return tuple(picks)


def _check_no_text(role: str, found: Found) -> None:
    """Refuse an array of text where numbers must be."""
    # All columns of an array are of one type.
    if any(found.source.numeric(column) is False for column in found.columns[: None if found.source.tabular else 1]):
        raise text_for_numbers(found.source.path, _MEANINGS.get(role, role))


def used_columns(roles: Roles, option: str) -> list[tuple[str, ...]]:
    """Name the columns of each use of an option that may be given several times."""
    uses: dict[str, list[str]] = {}
    for role, places in roles.items():
        if role.partition(".")[0] == option:
            uses.setdefault(role.rpartition(".")[0], []).extend(name for found in places for name in found.names)
    return [tuple(names) for names in uses.values()]


def unused_columns(source: Source, roles: Roles) -> tuple[str, ...]:
    """Name the columns of a source that have no role and are not shown."""
    shown_ = _used(source, roles, ("show",))
    return tuple(name_of(source, column) for column in _free(source, roles) if column not in shown_)
