"""The predictions where no option names them: the columns without a role that row sums or names confirm."""

from __future__ import annotations

import re
import shlex
from collections.abc import Collection, Mapping, Sequence
from dataclasses import field

import numpy as np

from xentcli.arrays import Flags
from xentcli.columns.numerals import is_number, number_hint
from xentcli.errors import DataError, Place, shown
from xentcli.pairing.affixes import cuts_of
from xentcli.pairing.alignment import PartQueue
from xentcli.pairing.by_name import is_probability_by_name, is_score_by_name
from xentcli.pairing.choose import Head, probabilities
from xentcli.pairing.columns import Found, as_option, check_odd, groups_of, listed, name_of
from xentcli.pairing.deciding import labels_that_decide
from xentcli.pairing.inputs import Inputs
from xentcli.pairing.labels import labelled_as
from xentcli.pairing.stray import LOOK_AT, Stray, first_text, first_texts
from xentcli.readers.source import Pick, Source, has_first_line
from xentcli.readers.text.faults import Written, cell_advice
from xentcli.records import record, replace
from xentcli.scoring.kinds import KINDS
from xentcli.settings import OPTIONS, Settings

__all__ = ["Doubt", "find_predictions"]

_TOKENS = "top_logprobs.token"
"""The end of the name of a column of tokens in the answers of OpenAI's interfaces, and of those like them."""

_CALLED = {
    "true-logprobs": r"(?i)^(?!top_).*log_?prob",
    "true-probs": r"(?i)^(?!top_|log).*prob",
    "losses": r"(?i)loss|nll|entropy",
}
"""What a column of each kind without labels may be called."""
_MOST_LISTS, _MOST_SETS = 4, 8
"""With more lists, or sets of columns, the others are not named in the advice."""


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


def find_predictions(read: Inputs) -> Doubt:
    """Take columns without a role as predictions where no option names them; return what is uncertain of them.

    Raises DataError if neither row sums nor the names of the labels say which columns they are, listing them.
    """
    source, queue, settings = read.sources[0], read.queues[0], read.settings
    labelled = KINDS[settings.kind].labelled
    names = read.preds.names if "preds" in read.roles else source.names
    if not labelled and any(re.search(r"\bprompt_logprobs\b", name) for name in names):
        from xentcli.pairing.tokens import prompt_command

        if line := prompt_command(source):
            raise DataError("objects of log-probabilities by token", place=Place(source.path), advice=line)
    if "preds" in read.roles:
        _check_no_json(read.preds, queue)
        return Doubt()
    if settings.kind == "losses" and "loss" in source.names:
        for role, name in (("preds", "loss"), ("weights", "weight")):
            if role not in read.roles and name in source.names:
                read.roles[role] = [Found(source, (source.names.index(name),))]
        return Doubt()
    found = _every_free(read)
    if not labelled and len(found.columns) > 1 and source.tabular:
        raise _several(found, settings)
    if labelled and _unsummed(settings):
        found = _list_alone(found, queue, settings)
    stray = first_text(found, queue)
    if stray is not None or (source.tabular and _are_no_distribution(found, queue, settings)):
        found = _chosen(read, found, stray)
    read.roles["preds"] = [found]
    return _doubt(read, found) if labelled else Doubt()


def _every_free(read: Inputs) -> Found:
    """All columns of the predictions' file without a role; DataError where they cannot be predictions."""
    source, settings = read.sources[0], read.settings
    found = Found(source, tuple(read.free(source)), others=True)
    if not found.columns:
        raise DataError(
            "no column is left for the predictions",
            place=Place(source.path),
            advice="--preds NAME,... chooses the columns of the predictions",
        )
    tokens = next((name for name in found.names if name.endswith(_TOKENS)), None)
    if KINDS[settings.kind].labelled and tokens is not None:
        from xentcli.pairing.suggest import conversion, suggestions

        line = conversion(source, settings, read.sources[1]) if len(read.sources) > 1 else ""
        lines = (line,) if line else suggestions(source, settings)
        raise DataError(f"{tokens} has tokens, not classes", place=Place(source.path), advice=lines)
    check_odd(found, "every column without another role is a prediction")
    return found


def _several(found: Found, settings: Settings) -> DataError:
    """The error for several columns where the kind has one, with the option for the only list or fitting name."""
    source = found.source
    lists = [name_of(source, column) for column in found.columns if column in source.traits.lists]
    called = [name for name in found.names if re.search(_CALLED[settings.kind], name.rpartition(".")[2])]
    return DataError(
        f"{len(found.columns)} columns, and --kind {settings.kind} has one: {listed(found.names)}",
        place=Place(source.path),
        advice=f"--preds {lists[0]} takes every number of its lists"
        if len(lists) == 1
        else f"--preds {shlex.quote(called[0])}, by its name"
        if len(called) == 1
        else "--preds NAME chooses it",
    )


def _list_alone(found: Found, queue: PartQueue, settings: Settings) -> Found:
    """The only list of several numbers: no row sum would show that a column beside it is not a class.

    Raises DataError if there are several lists, or if columns beside the list are called as predictions, or are
    several, and the list is not.
    """
    groups = {n: tuple(c) for n, c in groups_of(found.source).items() if {*c} <= {*found.columns}}
    lists = {name: columns for name, columns in groups.items() if len(columns) > 1}
    inner = {column for columns in lists.values() for column in columns}
    beside = [column for column in found.columns if column not in inner]
    if not lists or (len(lists) == 1 and not beside):
        return found
    called = is_score_by_name if settings.kind == "logits" else is_probability_by_name
    fitting = [name for name in lists if called(name)]
    others = [name_of(found.source, c) for c in beside if _is_numeric(found.source, c, queue)]
    doubtful = not fitting and (len(others) > 1 or any(map(called, others)))
    if len(lists) == 1 and not doubtful:
        return Found(found.source, next(iter(lists.values())))
    each = [*fitting, *(name for name in lists if name not in fitting)]
    advice = [f"--preds {shlex.quote(name)} takes the {len(lists[name]):,} numbers of its lists" for name in each]
    raise DataError(
        f"which are the {settings.kind}? there are lists in {listed(each)}"
        + (f", and numbers in {listed(others)}" if doubtful else ""),
        place=Place(found.source.path),
        advice=(*advice[:_MOST_LISTS], *([f"or --preds {as_option(others, found.source)}"] if doubtful else [])),
    )


def _check_no_json(found: Found, queue: PartQueue) -> None:
    """Refuse a column of JSON texts, which only a conversion makes columns of."""
    if not found.source.tabular or len(found.columns) != 1 or found.source is not queue.source:
        return
    stray = first_text(found, queue)
    if stray is not None and stray.text.lstrip()[:1] in ("[", "{"):
        advice = cell_advice(stray.text, _written(found.source))
        raise DataError(f"{shown(stray.text)} is not a number", place=stray.place, advice=advice)


def _written(source: Source) -> Written:
    """A text with its delimiter, a comma for other files."""
    dialect = getattr(source, "dialect", None)
    return Written(source.path, dialect.delimiter if dialect is not None else ",")


def _are_no_distribution(found: Found, queue: PartQueue, settings: Settings) -> bool:
    """Whether the first rows of several columns of probabilities do not sum to 1."""
    summed = KINDS[settings.kind].labelled and not _unsummed(settings) and len(found.columns) > 1
    return summed and not _sum_to_1(found.columns, queue, settings)


def _chosen(read: Inputs, found: Found, stray: Stray | None) -> Found:
    """The columns that are predictions: all that have numbers, or those named as the labels are."""
    queue, settings, counted = read.queues[0], read.settings, _counted(read)
    # A comma at the end of every line makes an unnamed column, which is an error in the file.
    if stray is None and (counted is None or "" in found.source.names[1:]):
        return found
    apart = tuple(column for column in found.columns if column not in found.source.traits.lists)
    if len(apart) < len(found.columns):
        if len(apart) < 2 and stray is None:
            return found
        if len(apart) < 2:
            raise _no_number(read, stray, found)
        found = Found(found.source, apart)
    head = Head.of(found, queue, settings, counted)
    numeric = head.without_text
    if not KINDS[settings.kind].labelled or (stray is not None and len(found.columns) == 1):
        raise _no_number(read, stray, found)
    if _unsummed(settings):
        # Which of these are classes is decided later, by their names.
        hinted = any(number_hint(text.text) for text in first_texts(found, queue))
        if head.is_mixed or len(numeric) < 2 or hinted:
            raise _no_number(read, stray, found)
        return Found(found.source, head.columns(numeric))
    if head.sums_to_1(numeric):
        return found if len(numeric) == len(found.columns) else Found(found.source, head.columns(numeric))
    labels = _called(read)
    named = head.named(labels)
    sets = [places for places in named if head.sums_to_1(places)]
    if len(sets) == 1:
        return Found(found.source, head.columns(sets[0]))
    if sets:
        raise DataError(
            f"{len(sets)} sets of columns are named as the labels are, and sum to 1: which are the predictions?",
            place=Place(found.source.path),
            advice=tuple(f"--preds {_as_option(head, places)}" for places in sets[:_MOST_SETS]),
        )
    summing = head.summing
    if stray is not None:
        names = [name_of(found.source, column) for column in head.columns(summing)]
        raise _no_number(read, stray, found, names)
    return _confirmed_by_nothing(read, head, summing or next(iter(named), ()), labels[0])


def _called(read: Inputs) -> list[Collection[str]]:
    """The names that labels give the classes: the labels that decide, or names of label columns without common ends."""
    if len(read.label.columns) > 1:
        return [names for _, names in cuts_of(read.label.names) if "" not in names]
    # With ids, these weights may belong to other rows.
    census, _ = labels_that_decide(read if read.settings.id is None else replace(read, roles={"label": [read.label]}))
    return [census.read, *([("True", "False"), ("true", "false")] if census.true_false else [])]


def _counted(read: Inputs) -> Flags | None:
    """bool[n]: which of the first rows have a weight above 0 and a label that is not ignored; None where ids say."""
    counted, settings = np.ones(LOOK_AT, dtype=bool), read.settings
    for role in ("weights", *(["label"] if settings.ignored else [])):
        for found in read.roles.get(role, ()):
            if settings.id is not None and found.source is not read.sources[0]:
                return None
            start = 0
            for rows in read.queue_of(found).look({role: Pick(found.columns, "values")}, LOOK_AT):
                values, span = rows.values[role], slice(start, start + rows.count)
                skipped = labelled_as(values, settings.ignored if role == "label" else {"0"}, settings.decimal_of_any)
                counted[span] &= ~skipped
                start += rows.count
    return counted


def _confirmed_by_nothing(read: Inputs, head: Head, chosen: Sequence[int], labels: Collection[str]) -> Found:
    """All columns, though rows do not sum to 1; DataError if a subset is nearer, or one column has probabilities."""
    from xentcli.pairing.suggest import confidences

    found = head.found
    chosen = chosen or (head.shares if len(head.shares) == 1 else head.only_graded if len(labels) == 2 else ())
    # One column alone has no sum.
    nearer = len(chosen) > 1 and head.all_are_nearer(chosen)
    clear = bool(np.isfinite(head.q).all()) or head.sums_to_1(chosen)
    if not clear or not 0 < len(chosen) < len(found.columns) or not len(head.q) or nearer:
        # Scoring reports invalid rows, with --sum-tolerance or --renormalize as advice.
        return found
    sure = (
        confidences(read.sources[0], read.settings)
        if len(chosen) == 1 and head.q[:, chosen].min() >= 1 / len(labels)
        else ""
    )
    first, *_ = np.flatnonzero(head.off(range(len(found.columns)))).tolist()
    *_, rows = read.queues[0].look({"preds": Pick(found.columns[:1], "values")}, int(head.rows[first]) + 1)
    raise DataError(
        f"the row sums to {head.q[first].sum():.6g}, not to 1 within {head.tolerance:g}",
        place=rows.place("preds", rows.count - 1),
        advice=sure or _chooses(head, chosen, read.sources, labels),
    )


def _as_option(head: Head, places: Sequence[int]) -> str:
    """The columns at some places as --preds takes them, by their whole names."""
    source = head.found.source
    return as_option([name_of(source, column) for column in head.columns(places)], source)


def _chooses(head: Head, chosen: Sequence[int], sources: Sequence[Source], labels: Collection[str]) -> tuple[str, ...]:
    """The options that choose some columns, with the reason; --id for distinct values that every file has."""
    from xentcli.pairing.misfits import IF_SORTED, respelled, sorted_classes

    names = head.names(chosen)
    out = [name for name in head.found.names if name not in names]
    if not head.sums_to_1(chosen):
        only = "is the only one from 0 to 1" if len(head.shares) == 1 else "alone has probabilities"
        why = only if len(chosen) == 1 else "are named as the labels are"
        why = f"{listed(names)} {why}"
    else:
        why = f"without {listed(out)} every row sums to 1"
    called = respelled(labels, names)
    if not called and (option := sorted_classes(labels, names)):
        called = f" {option}: {IF_SORTED}"
    preds = f"--preds {_as_option(head, chosen)}{called}"
    ids = [name for name in out if head.is_distinct(name) and all(name in source.names for source in sources)]
    if ids and (len(sources) > 1 or len(out) == 1):
        return f"{why}: --id {shlex.quote(ids[0])}{called}", f"or {preds}"
    return (f"{why}: {preds}",)


def _no_number(read: Inputs, stray: Stray | None, found: Found, summing: Sequence[str] = ()) -> DataError:
    """The error for a column of text among the predictions that nobody chose; `summing` are those that sum to 1."""
    from xentcli.pairing.firsts import needed_for
    from xentcli.pairing.suggest import classes_of, conversion, suggestions, summing_option

    assert stray is not None
    sources, settings = read.sources, read.settings
    message = f"{shown(stray.text)} is not a number"
    if len(found.columns) == 1 and len(sources) > 1 and sources[1].width > 1:
        swapped = f"are the files swapped? xent score {sources[1].path} {sources[0].path}"
        return DataError(message, place=stray.place, advice=swapped)
    hint = (
        (_written(found.source).apart(stray.text) if found.source.format == "csv" else "")
        or number_hint(stray.text)
        or cell_advice(stray.text, _written(found.source))
        or stray.outside
        or (conversion(found.source, settings, sources[1]) if len(sources) > 1 else "")
    )
    if number_hint(stray.text) and found.source.repeatable:
        needed = needed_for(found, PartQueue(found.source), settings)
        hint = f"decimal commas and percent?{needed.options}" if needed.commas and needed.percent else hint
    if hint and not summing:
        return DataError(message, place=stray.place, advice=hint)
    if found.source.width == 1:
        if any(map(is_number, stray.text.split())):
            advice = f"fields with spaces between? --delimiter space{_numbers_between(stray, found.source)}"
            return DataError(message, place=stray.place, advice=advice)
        swapped = f"are the files swapped? xent score {sources[-1].path} {found.source.path}"
        alone = len(sources) == 1 or any(map(is_number, stray.column))
        return DataError(message, place=stray.place, advice="" if alone else swapped)
    if summing:
        option, line = classes_of(found, summing, settings)
        preds = f"every row of some sums to 1: --preds {as_option(summing, found.source)}{option}"
        chooses: Sequence[str] = [line or preds]
    else:
        chooses = (
            [summing_option(found.source, settings) or "--preds NAME,... chooses the predictions"]
            if len(sources) > 1
            else suggestions(found.source, settings)
        )
    return DataError(
        f"{message}, and no option says which columns are predictions",
        place=stray.place,
        advice=(f"columns: {listed(found.names)}", *chooses),
    )


def _numbers_between(stray: Stray, source: Source) -> str:
    """The options for the only column of numbers of cells with blanks in them; empty where there is none."""
    first = source.first_fields[0].split() if has_first_line(source) else []
    rows = [cell.split() for cell in stray.column]
    if {*map(len, rows)} != {len(first)}:
        return ""
    numeric = [place for place, column in enumerate(zip(*rows, strict=True)) if all(map(is_number, column))]
    if len(numeric) != 1 or len(first) < 2:
        return ""
    return f" --preds '#{numeric[0] + 1}'{' --no-header predictions' * is_number(first[numeric[0]])}"


def _doubt(read: Inputs, found: Found) -> Doubt:
    """Return what is uncertain of predictions without a role: row sums close to 1 confirm two and more columns."""
    source, queue, settings = found.source, read.queues[0], read.settings
    used = read.used(source, ("by", "cluster", "weights", "bytes"))
    taken = {column: used[column] for column in sorted(used) if _is_numeric(source, column, queue)}
    if settings.positive is not None and len(found.columns) == 1:
        # --positive implies one column of predictions.
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


def _is_numeric(source: Source, column: int, queue: PartQueue) -> bool:
    known = source.numeric(column)
    return first_text(Found(source, (column,)), queue, blank=True) is None if known is None else known


def _confirmed(found: Found, queue: PartQueue, settings: Settings) -> bool:
    """Whether row sums say that no class is missing; a wider tolerance than the default could hide one."""
    usual = OPTIONS["sum_tolerance"].default
    if len(found.columns) < 2 or settings.sum_tolerance <= usual:
        return len(found.columns) > 1
    return _sum_to_1(found.columns, queue, replace(settings, sum_tolerance=usual))


def _sum_to_1(columns: tuple[int, ...], queue: PartQueue, settings: Settings) -> bool:
    """Whether two columns or more sum to 1 within the tolerance in all of the first rows."""
    if len(columns) < 2:
        return False
    try:
        for rows in queue.look({"preds": Pick(columns)}, LOOK_AT):
            with np.errstate(over="ignore"):
                sums = probabilities(rows.values["preds"], settings).sum(axis=1)
            if not (np.abs(sums - 1) <= settings.sum_tolerance).all():
                return False
    except DataError:
        # Scoring reports invalid rows.
        return False
    return True
