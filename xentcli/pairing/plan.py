"""The Plan of a score: roles of columns, rule of the labels, alignment of the rows."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from xentcli.batch import KINDS, Floats
from xentcli.errors import DataError, FileError, NoVerdict, Place, UsageError, shown
from xentcli.pairing.alignment import HEAD_ROWS, Companion, Join, PartQueue, Task, by_position
from xentcli.pairing.columns import Found, find_columns, listed, name_of
from xentcli.pairing.headers import with_headers
from xentcli.pairing.labels import Census, Distribution, Matcher, decide, decide_binary, distribution_order
from xentcli.pairing.suggest import suggestion
from xentcli.readers.csv import CsvSource
from xentcli.readers.numerals import is_number
from xentcli.readers.source import BLOCK_BYTES, Pick, Rows, Selection, Source, take
from xentcli.settings import Settings

__all__ = ["Plan", "pair"]

ROLES = {"preds": "numbers", "label": "values", "weights": "numbers", "id": "text", "index": "text"}


@dataclass(frozen=True, eq=False)
class Plan:
    """All that was decided before the first row is scored.

    Attributes
    ----------
    predictions, labels
        The sources; labels is None where one file has all.
    picks
        For each source, by its place in `sources`, what is loaded of it.
    classes
        The class names; empty for kinds without labels.
    matcher
        The rule of the labels; None for kinds without labels.
    label_columns
        The names of the label columns.
    alignment
        "position" or "id".
    unused
        For each source, the names of the columns with no role.
    """

    settings: Settings
    sources: tuple[Source, ...]
    queues: tuple[PartQueue, ...]
    picks: tuple[Selection, ...]
    classes: tuple[str, ...]
    matcher: Matcher | None
    label_columns: tuple[str, ...]
    alignment: str
    unused: tuple[tuple[str, ...], ...]
    compare_row_names: bool = False
    join: Join | None = field(default=None)

    @property
    def predictions(self) -> Source:
        """The source of the predictions."""
        return self.sources[0]

    @property
    def repeatable(self) -> bool:
        """Whether all sources can be read again."""
        return all(source.repeatable for source in self.sources)

    def tasks(self) -> Iterator[Task]:
        """Yield the parts of the predictions with the rows that go with them."""
        if self.join is not None:
            start = 0
            for part in self.queues[0]:
                yield Task(part, start)
                start += part.rows
            return
        companions = [Companion(q, p) for q, p in zip(self.queues[1:], self.picks[1:], strict=True) if p]
        yield from by_position(self.queues[0], companions)


def pair(
    predictions: Source,
    labels: Source | None,
    settings: Settings,
    *,
    block_bytes: int = BLOCK_BYTES,
    whole: bool = False,
) -> Plan:
    """Decide how two sources, or one that holds both, are to be read.

    Parameters
    ----------
    predictions, labels
        Opened sources. `labels` is None where the predictions' file has the labels too,
        or none are needed.
    settings
        What was asked for.
    block_bytes
        About how much of a file is read at once.
    whole
        Let all labels decide their rule, not only the first 65,536.

    Raises
    ------
    DataError
        When something cannot be decided without an option, which the message names.
    NoVerdict
        When there is nothing in the files.
    """
    kind = KINDS[settings.kind]
    _check_empty(predictions, labels)
    names = _given_classes(settings)
    predictions, labels = with_headers(predictions, labels, settings, names or ())
    sources = (predictions,) if labels is None else (predictions, labels)
    roles = _explicit_roles(settings, sources)
    if kind.labelled:
        _find_labels(roles, sources, settings, names)
    queues = tuple(PartQueue(source, block_bytes) for source in sources)
    stray = _find_predictions(roles, sources, queues, settings)
    if not kind.labelled:
        predictions, roles = _flattened(predictions, roles)
        sources = (predictions, *sources[1:])
        queues = (PartQueue(predictions, block_bytes), *queues[1:])
    compare = _find_row_names(roles, sources, settings)
    picks = _picks(roles, sources)
    join = None
    if settings.id is not None and len(sources) > 1:
        join = Join.of(Companion(queues[1], picks[1]))
    classes, matcher, columns = _match(roles, queues, settings, names, join, whole) if kind.labelled else ((), None, ())
    if stray and matcher is not None and settings.classes is None:
        _check_stray(roles["preds"][0], matcher)
    unused = tuple(_unused(source, roles) for source in sources)
    alignment = "id" if settings.id is not None else "position"
    return Plan(settings, sources, queues, picks, classes, matcher, columns, alignment, unused, compare, join)


Roles = dict[str, list[Found]]


def _check_empty(predictions: Source, labels: Source | None) -> None:
    empty = [source for source in (predictions, labels) if isinstance(source, CsvSource) and not source.width]
    if not empty:
        return
    if len(empty) == (1 if labels is None else 2):
        raise NoVerdict("there are no rows", place=Place(predictions.path))
    raise DataError("the file is empty", place=Place(empty[0].path))


def _given_classes(settings: Settings) -> tuple[str, ...] | None:
    """The names of --classes, from a file of one name a line where @FILE was given."""
    given = settings.classes
    if given is None:
        return None
    if isinstance(given, str) and given.startswith("@"):
        path = given[1:]
        try:
            names = tuple(Path(path).read_text(encoding="utf-8-sig").splitlines())
        except UnicodeDecodeError:
            raise DataError("class names are UTF-8 text, one a line", place=Place(path)) from None
        except OSError as error:
            raise FileError(f"cannot be read: {error.strerror}", place=Place(path)) from None
    else:
        names = tuple(given.split(",")) if isinstance(given, str) else tuple(given)
        names = tuple(name.strip() for name in names)
    twice = (
        next((name for index, name in enumerate(names) if name in names[:index]), None)
        if len(set(names)) < len(names)
        else None
    )
    if twice is not None or "" in names:
        raise UsageError(f"--classes names {shown(twice)} twice" if twice else "--classes has an empty name")
    return names


def _explicit_roles(settings: Settings, sources: Sequence[Source]) -> Roles:
    """The columns that options name; --id is looked for in every file, the others in one."""
    roles: Roles = {}
    other = sources[-1]
    for role, spec, home in (
        ("label", settings.label, other),
        ("weights", settings.weights, other),
        ("preds", settings.preds, sources[0]),
    ):
        if spec is not None:
            roles[role] = [find_columns(f"--{role}", spec, sources, home)]
    if settings.id is not None:
        roles["id"] = [find_columns("--id", settings.id, [source], source) for source in sources]
    for role in ("weights", "id"):
        for found in roles.get(role, ()):
            if len(found.columns) != 1:
                raise DataError(f"--{role} takes one column, not {len(found.columns)}: {listed(found.names)}")
    _check_overlap(roles)
    return roles


def _check_overlap(roles: Roles) -> None:
    owner: dict[tuple[int, int], str] = {}
    for role, places in roles.items():
        for found in places:
            for column in found.columns:
                before = owner.setdefault((id(found.source), column), role)
                if before != role:
                    raise DataError(
                        f"column {name_of(found.source, column)} is given as --{before} and as --{role}",
                        place=Place(found.source.path),
                    )


def _free(source: Source, roles: Roles) -> list[int]:
    """The columns of a source without a role; an unnamed first one is row names."""
    used = {c for places in roles.values() for found in places if found.source is source for c in found.columns}
    unnamed = bool(source.names) and source.names[0] == "" and source.width > 1
    return [c for c in range(source.width) if c not in used and not (c == 0 and unnamed)]


def _find_labels(roles: Roles, sources: Sequence[Source], settings: Settings, names: tuple[str, ...] | None) -> None:
    if "label" in roles:
        return
    source = sources[-1]
    free = _free(source, roles)
    if len(sources) > 1:
        columns = len(roles["preds"][0].columns) if "preds" in roles else len(_free(sources[0], roles))
        if len(free) == 1 or (len(free) == columns and columns > 1):
            roles["label"] = [Found(source, tuple(free))]
            return
        advice = ["--label NAME chooses the column of the labels"]
        if columns == 1 and len(free) > 1:
            advice.insert(0, f"are the files swapped? xent score {source.path} {sources[0].path}")
        found = Found(source, tuple(free)).names
        raise DataError(
            f"{len(free)} columns could be the labels: {listed(found)}" if free else "no column is left for the labels",
            place=Place(source.path),
            advice=tuple(advice),
        )
    if "preds" in roles and len(free) == 1:
        roles["label"] = [Found(source, tuple(free))]
        return
    columns_ = listed([name_of(source, c) for c in range(source.width)])
    raise DataError(
        f"which column has the labels? The columns are {columns_}",
        place=Place(source.path),
        advice=(suggestion(source, settings), "or give a file of labels: xent score PREDS LABELS"),
    )


def _find_predictions(roles: Roles, sources: Sequence[Source], queues: Sequence[PartQueue], settings: Settings) -> bool:
    """Take the columns without a role as predictions; say whether a stray one could be among them."""
    if "preds" in roles:
        return False
    source = sources[0]
    if settings.kind == "losses" and "loss" in source.names:
        roles["preds"] = [Found(source, (source.names.index("loss"),))]
        if "weights" not in roles and "weight" in source.names:
            roles["weights"] = [Found(source, (source.names.index("weight"),))]
        return False
    free = tuple(_free(source, roles))
    if not free:
        raise DataError(
            "no column is left for the predictions",
            place=Place(source.path),
            advice="--preds NAME,... chooses the columns of the predictions",
        )
    found = Found(source, free)
    if not KINDS[settings.kind].labelled and len(free) > 1 and source.format == "csv":
        raise DataError(
            f"{len(free)} columns, and --kind {settings.kind} has one: {listed(found.names)}",
            place=Place(source.path),
            advice="--preds NAME chooses it",
        )
    _check_numeric(found, queues[0], sources, settings)
    roles["preds"] = [found]
    return settings.kind == "logits" and source.format == "csv" and len(free) > 1


def _check_numeric(found: Found, queue: PartQueue, sources: Sequence[Source], settings: Settings) -> None:
    """Refuse a column of text among the predictions that nobody chose, listing them all."""
    if found.source.format != "csv":
        return
    head = next(queue.look({f"{c}": Pick((c,), "text") for c in found.columns}, 20), None)
    if head is None:
        return
    for role, values in head.values.items():
        assert isinstance(values, list)
        row = next((row for row, text in enumerate(values) if not is_number(text) and text.strip()), None)
        if row is None:
            continue
        place = replace(head.place(role, row), column=name_of(found.source, int(role)))
        if len(found.columns) == 1 and len(sources) > 1 and sources[1].width > 1:
            raise DataError(
                f"{shown(values[row])} is not a number",
                place=place,
                advice=f"are the files swapped? xent score {sources[1].path} {sources[0].path}",
            )
        raise DataError(
            f"{shown(values[row])} is not a number, and no option says which columns are predictions",
            place=place,
            advice=(f"columns: {listed(found.names)}", suggestion(found.source, settings)),
        )


def _flattened(source: Source, roles: Roles) -> tuple[Source, Roles]:
    """For kinds without labels every number of an array is an example of its own."""
    if (
        source.width == 1
        or source.format == "csv"
        or not hasattr(source, "flattened")
        or len(roles["preds"][0].columns) == 1
    ):
        return source, roles
    flat: Source = source.flattened()
    return flat, {**roles, "preds": [Found(flat, (0,))]}


def _find_row_names(roles: Roles, sources: Sequence[Source], settings: Settings) -> bool:
    """Compare unnamed first columns where both files have one."""
    if len(sources) < 2 or settings.id is not None or settings.align is not None:
        return False
    if not all(source.width > 1 and source.names[:1] == ("",) for source in sources):
        return False
    roles["index"] = [Found(source, (0,)) for source in sources]
    return True


def _picks(roles: Roles, sources: Sequence[Source]) -> tuple[Selection, ...]:
    picks: list[dict[str, Pick]] = [{} for _ in sources]
    for role, places in roles.items():
        for found in places:
            as_ = "numbers" if role == "label" and len(found.columns) > 1 else ROLES[role]
            picks[sources.index(found.source)][role] = Pick(found.columns, as_)  # type: ignore[arg-type]
    return tuple(picks)


def _match(
    roles: Roles,
    queues: Sequence[PartQueue],
    settings: Settings,
    names: tuple[str, ...] | None,
    join: Join | None,
    whole: bool,
) -> tuple[tuple[str, ...], Matcher, tuple[str, ...]]:
    """The classes, the rule of the labels, and the label columns."""
    preds, label = roles["preds"][0], roles["label"][0]
    columns = len(preds.columns)
    if names is not None and columns > 1 and len(names) != columns:
        raise DataError(
            f"--classes has {len(names):,} names and there are {columns:,} prediction columns",
            place=Place(preds.source.path),
            advice=f"prediction columns: {listed(preds.names)}",
        )
    if len(label.columns) > 1:
        return _distribution(preds, label, settings, names)
    census = _census(roles, queues, join, whole)
    if columns == 1:
        matcher, pair_of = decide_binary(census, names, settings.positive, settings.index_base)
        return pair_of, matcher, label.names
    if settings.positive is not None:
        raise DataError(
            f"--positive is for one column of predictions, and there are {columns}", place=Place(preds.source.path)
        )
    named = names is not None or bool(preds.source.names)
    classes = names or (preds.names if named else tuple(str(i) for i in range(columns)))
    return classes, decide(census, classes, named, settings.index_base), label.names


def _distribution(
    preds: Found, label: Found, settings: Settings, names: tuple[str, ...] | None
) -> tuple[tuple[str, ...], Matcher, tuple[str, ...]]:
    columns = len(preds.columns)
    place = Place(label.source.path)
    if columns == 1 or len(label.columns) != columns:
        raise DataError(
            f"{len(label.columns)} label columns for {columns} prediction column{'s' * (columns > 1)}",
            place=place,
            advice=(
                f"label columns: {listed(label.names)}",
                f"prediction columns: {listed(preds.names)}",
                "--label NAME chooses one column",
            ),
        )
    named = bool(preds.source.names) or names is not None
    classes = names or (preds.names if named else tuple(str(i) for i in range(columns)))
    order, note = distribution_order(label.names, classes, named and bool(label.source.names), place)
    return classes, Distribution(note, settings.sum_tolerance, order), label.names


def _census(roles: Roles, queues: Sequence[PartQueue], join: Join | None, whole: bool) -> Census:
    """The first labels, which decide their rule; rows of weight 0 have no say."""
    label = roles["label"][0]
    census = Census(Place(label.source.path, column=label.names[0]))
    if join is not None and label.source is queues[-1].source:
        if join.rows.count:
            census.add(join.rows.values["label"], lambda row: join.rows.place("label", row, 0))
        return census
    limit = 1 << 62 if whole and label.source.repeatable else HEAD_ROWS
    by_source = {id(queue.source): queue for queue in queues}
    weights = roles["weights"][0] if "weights" in roles and join is None else None
    beside = None
    if weights is not None:
        beside = by_source[id(weights.source)].look({"weights": Pick(weights.columns)}, limit)
    weight = _Pieces(beside)
    for rows in by_source[id(label.source)].look({"label": Pick(label.columns, "values")}, limit):
        kept = np.flatnonzero(weight.take(rows.count) != 0)
        values = rows.values["label"] if len(kept) == rows.count else take(rows.values["label"], kept)
        census.add(values, lambda row, rows=rows, kept=kept: rows.place("label", int(kept[row]), 0))  # type: ignore[misc]
    return census


class _Pieces:
    """The weights beside the labels, in pieces of another size; 1 where there are none."""

    def __init__(self, rows: Iterator[Rows] | None) -> None:
        self._rows = rows
        self._held = np.zeros(0)

    def take(self, count: int) -> Floats:
        """The next `count` weights."""
        if self._rows is None:
            return np.ones(count)
        while len(self._held) < count and (piece := next(self._rows, None)) is not None:
            column = piece.values["weights"]
            assert not isinstance(column, list)
            self._held = np.concatenate([self._held, column[:, 0].astype(np.float64)])
        taken, self._held = self._held[:count], self._held[count:]
        return np.concatenate([taken, np.ones(count - len(taken))])


def _check_stray(preds: Found, matcher: Matcher) -> None:
    """Logits have no row sum that would catch a stray column: their names must vouch for them."""
    if matcher.matched in ("name", "prefix") or (preds.source.names and _is_series(preds.names)):
        return
    first, last = preds.names[0], preds.names[-1]
    raise DataError(
        f"which columns are logits? Nothing shows that all of these are: {listed(preds.names)}",
        place=Place(preds.source.path),
        advice=f"--preds {first}:{last} takes them all; --preds NAME,... chooses",
    )


def _is_series(names: Sequence[str]) -> bool:
    """Whether names are 0..K-1, or a common prefix with consecutive numbers."""
    found = [re.fullmatch(r"(.*?)([0-9]{1,9})", name) for name in names]
    if not all(found):
        return False
    parts = [(match[1], int(match[2])) for match in found if match]
    first = parts[0][1]
    return all(part == (parts[0][0], first + index) for index, part in enumerate(parts))


def _unused(source: Source, roles: Roles) -> tuple[str, ...]:
    return tuple(name_of(source, column) for column in _free(source, roles))
