"""Decide the classes, and the rule by which labels become targets."""

from __future__ import annotations

import contextlib
import os
import re
import shlex
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING

from xentcli.columns.missing import is_missing
from xentcli.columns.numerals import in_points, is_number, whole_or_text
from xentcli.errors import DataError, LabelsBreakRule, Place, Warning, shown
from xentcli.pairing.affixes import cuts_of
from xentcli.pairing.alignment import PartQueue
from xentcli.pairing.by_name import is_score_by_name
from xentcli.pairing.choose import families
from xentcli.pairing.columns import Found, as_option, is_group, listed, name_of, spec_of
from xentcli.pairing.counts import title_or_footer
from xentcli.pairing.deciding import labels_that_decide
from xentcli.pairing.inputs import Inputs
from xentcli.pairing.labels import Census
from xentcli.pairing.matchers import ByName, Distribution, Matcher, Multilabel, counts_classes
from xentcli.pairing.near import differing, loose
from xentcli.pairing.predictions import Doubt
from xentcli.pairing.rules import decide, decide_binary, distribution_order
from xentcli.readers.source import Source, has_first_line
from xentcli.records import record
from xentcli.settings import Settings

if TYPE_CHECKING:
    from xentcli.pairing.join import Join

__all__ = ["Rule", "could_be_classes", "match"]

_ROW_ID = r"(^|[\W_])(id|idx|index|row)$|(?<=[a-z])I[dD]$"
"""The name of a column that numbers the rows."""
MOST_NAMED = 6
"""Maximum number of columns named in an example of --preds."""

_YES_NO = {("true", "false"), ("yes", "no"), ("positive", "negative"), ("pos", "neg"), ("t", "f"), ("y", "n")}
"""Pairs of class names (positive, negative): beside 0/1 labels, 1 usually means the first."""

_WHOLE_WORD = r"(?<![^\W_])(?<!\.)\d+(?:\.0+)?(?![^\W_]|\.\d)"
"""A whole number in a name that is no part of a word or of a decimal: the 2 of "2 cat", not of "p2"."""


def _check_by_position(names: Sequence[str], census: Census, matcher: Matcher) -> None:
    """Refuse labels as positions if the given class names suggest matching by name.

    Allowed are names without numbers (cat, dog, emu), which labels 0..K-1 cannot match. Refused are
    names some of which are labels, and names with numbers other than 0..K-1 in order, whatever
    surrounds the numbers: quotes, spaces, another column.
    """
    labels, known = list(census.read), set(names)
    if not labels or matcher.matched not in ("index", "binary") or isinstance(matcher, ByName):
        return
    stranger = next((label for label in labels if label not in known), labels[0])
    met = next((label for label in labels if label in known), None)
    words = [[whole_or_text(word) for word in re.findall(_WHOLE_WORD, name)] for name in names]
    in_order = [str(index) for index in range(len(names))]
    if met is not None:
        message = f"label {shown(stranger)} is not a class, but label {shown(met)} is"
    elif all(words) and in_order not in ([first for first, *_ in words], [last for *_, last in words]):
        last = len(names) - 1
        message = f"label {shown(stranger)} is not a class, and the numbers in the class names are not 0 to {last:,}"
    else:
        return
    raise DataError(
        message,
        place=census.read[stranger],
        advice=(
            f"classes: {listed(tuple(names))}",
            "--index-base 0 (or 1) takes labels as positions, whatever the names are",
        ),
    )


@record(frozen=True)
class Rule:
    """How labels become targets.

    Attributes
    ----------
    classes
        The class names.
    matcher
        Converts labels to targets; None for kinds without labels.
    columns
        The names of the label columns.
    uncertain_base
        Whether labels are class indices, no option gives the base, and none of the deciding labels is 0.
    warnings
        Warnings about columns whose names contradict the labels.
    """

    classes: tuple[str, ...] = ()
    matcher: Matcher | None = None
    columns: tuple[str, ...] = ()
    uncertain_base: bool = False
    warnings: tuple[Warning, ...] = ()


def match(read: Inputs, names: tuple[str, ...] | None, joins: Sequence[Join], doubt: Doubt) -> Rule:
    """Decide the rule of the labels.

    With `doubt.stray` the names must show that all prediction columns, and columns with another role that
    could be classes, are predictions: logits have no row sum that would reveal a stray column.

    Raises DataError if no rule holds.
    """
    preds, label, settings = read.preds, read.label, read.settings
    given = names
    if names is not None:
        _check_given(names, preds, settings)
        # The same names in another order only confirm the columns, which keep their order.
        names = preds.names if _in_another_order(preds, names, settings.decimal_of_any) else names
    if len(label.columns) > 1 or settings.multilabel:
        _check_no_names(label, settings)
        order, distribution = _distribution(read, names)
        if given is not None and not distribution.by_name:
            _check_order(preds, given, settings.decimal_of_any)
        if doubt.stray and names is None and not distribution.by_name:
            _check_vouched(preds, preds, (), settings, final=True)
        return Rule(order, distribution, label.names)
    if settings.votes:
        raise DataError(
            "--votes takes a column of counts for each class, and there is one label column",
            place=Place(label.source.path),
            advice="--label NAME,... names the columns",
        )
    with _with_its_label(label, preds, settings):
        census, complete = labels_that_decide(read, joins)
    # The first line may be a label that was read as a header only because a footer adds a row.
    first = label.source.first_fields[label.columns[0]] if has_first_line(label.source) else None
    is_label = first is not None and (
        is_number(in_points(first, settings.decimal_of_any)) or first in (names or preds.names)
    )
    with contextlib.nullcontext() if joins else title_or_footer(label.source, preds.source, is_label):
        beside = label.names[0] if label.source is preds.source else ""
        classes, matcher = _decided(census, preds, beside, names, settings)
    warnings: tuple[Warning, ...] = ()
    if names is None and settings.index_base is None and not isinstance(matcher, ByName):
        _check_codes(label, preds)
        warnings = _positive_first(preds) if counts_classes(matcher) else ()
    if given is not None and not isinstance(matcher, ByName):
        _check_order(preds, given, settings.decimal_of_any)
    if names is not None and settings.index_base is None:
        _check_by_position(names, census, matcher)
    if doubt.stray and names is None:
        single = len(preds.columns) == 1
        # Those with another role that could be classes too, in the order of the file.
        every = Found(preds.source, tuple(sorted((*preds.columns, *could_be_classes(preds, doubt, matcher, None, 1)))))
        called = () if single else _called(census, matcher)
        _check_vouched(preds, every, called, settings, final=single or complete, twice=doubt.shareable)
    uncertain_base = settings.index_base is None and counts_classes(matcher) and "0" not in census.read
    return Rule(classes, matcher, label.names, uncertain_base, warnings)


def _check_no_names(label: Found, settings: Settings) -> None:
    """Refuse what says how to read a label, where each class has a column of numbers."""
    for option, value in (("--positive", settings.positive), ("--index-base", settings.index_base)):
        if value is not None:
            raise DataError(
                f"{option} is about one column of labels, and there are {len(label.columns):,}",
                place=Place(label.source.path),
            )


@contextlib.contextmanager
def _with_its_label(label: Found, preds: Found, settings: Settings) -> Iterator[None]:
    """Add to a command that cuts the table out of a file of labels the option for its column of the labels.

    Raises
    ------
    DataError
        The error of reading the labels.
    """
    try:
        yield
    except DataError as error:
        option = "" if settings.label is not None or label.source is preds.source else _column_of(label.source, preds)
        if not option or not any(" < " in line for line in error.advice):
            raise
        advice = [f"{line}, then {option}" if " < " in line else line for line in error.advice]
        raise type(error)(error.message, place=error.place, advice=tuple(advice)) from None


def _column_of(source: Source, preds: Found) -> str:
    """The option for the only column of the first lines of a text that has the classes, or nearly; else nothing."""
    dialect, stream = getattr(source, "dialect", None), getattr(source, "stream", None)
    if dialect is None or stream is None or dialect.runs:
        return ""
    rows = [line.split(dialect.delimiter) for line in stream.head.decode(errors="replace").splitlines()[:-1]]
    width, _ = Counter(map(len, rows)).most_common(1)[0] if rows else (0, 0)
    columns = list(zip(*(row for row in rows if len(row) == width), strict=True)) if width > 1 else []
    classes, texts = {*map(loose, preds.names)}, [{*map(loose, column)} for column in columns]
    found = [place for place, some in enumerate(texts, 1) if len(some) > 1 and some <= classes]
    return f"--label '#{found[0]}'" if len(found) == 1 else ""


def _check_given(names: tuple[str, ...], preds: Found, settings: Settings) -> None:
    """Refuse too many or too few names in --classes, and names of which the columns have only some."""
    columns = len(preds.columns)
    common = {*names} & {*preds.names} if preds.source.names and columns > 1 else set()
    apart = [name for name in names if name not in common], [name for name in preds.names if name not in common]
    differs = (
        f"no column: {listed(apart[0])}" if common and apart[0] else "",
        f"not in --classes: {listed(apart[1])}" if common and apart[1] else "",
    )
    if columns > 1 and len(names) != columns:
        headed = len(names) == columns + 1 and str(settings.classes).startswith("@")
        raise DataError(
            f"--classes has {len(names):,} names and there are {columns:,} prediction columns",
            place=Place(preds.source.path),
            advice=(
                f"prediction columns: {listed(preds.names)}",
                *differs,
                f"a file of class names has no header; is {shown(names[0])} one? Remove that line" if headed else "",
            ),
        )
    # Numbers may be written in several ways, +1 is 1; texts too.
    alike = all(is_number(name) or any(differing(name, other) for other in apart[1]) for name in apart[0])
    if common and not alike:
        raise DataError(
            f"--classes and the prediction columns have {len(common):,} of {columns:,} names in common",
            place=Place(preds.source.path),
            advice=differs,
        )


def _in_another_order(preds: Found, names: tuple[str, ...], decimal: str) -> bool:
    """Whether the names are those of the prediction columns in another order."""
    if not preds.source.names:
        return False
    given, called = ([in_points(name, decimal) for name in each] for each in (names, preds.names))
    return given != called and sorted(given) == sorted(called)


def _decided(
    census: Census, preds: Found, label: str, names: tuple[str, ...] | None, settings: Settings
) -> tuple[tuple[str, ...], Matcher]:
    """Decide the classes and the rule for one column of labels (`label` if it is in PREDS) by the labels that occur."""
    columns = len(preds.columns)
    if columns == 1:
        binary, pair_of = decide_binary(census, names, settings.positive, settings.index_base, preds.names[0])
        return pair_of, binary
    if settings.positive is not None:
        raise DataError(
            f"--positive is for one column of predictions, and there are {columns}", place=Place(preds.source.path)
        )
    named = names is not None or preds.named
    classes = names or (preds.names if named else tuple(str(i) for i in range(columns)))
    if preds.source.repeatable:
        census.needs = partial(_needed, preds, settings)
    try:
        return classes, decide(census, classes, named, settings.index_base)
    except DataError as error:
        from xentcli.pairing.misfits import renamed, without_column

        if names is None and (advice := _advice_by_cells(error, census, preds, label, classes, settings)):
            raise DataError(error.message, place=error.place, advice=advice) from None
        if not named or names is not None or census.whole:
            raise
        if found := renamed(census, classes):
            strange, others = found
            were = "was that column" if len(others) == 1 else "were those columns"
            line = f"no label is {listed(others)}: {were} renamed? Give them the names of the labels"
            raise _no_column(preds, census, strange, classes, line) from None
        if strange := without_column(census, classes, settings.decimal_of("labels")[0]):
            raise _no_column(preds, census, strange, classes, *error.advice) from error
        raise


def _needed(preds: Found, settings: Settings) -> str:
    """The options that reading some columns as predictions needs."""
    from xentcli.pairing.firsts import needed_for

    return needed_for(preds, PartQueue(preds.source), settings).options


def _advice_by_cells(
    error: DataError, census: Census, preds: Found, label: str, classes: Sequence[str], settings: Settings
) -> tuple[str, ...]:
    """The advice for labels that are not classes, from the first cells of the file of predictions; may be empty."""
    from xentcli.pairing.firsts import FirstCells
    from xentcli.pairing.predicted import are_places
    from xentcli.pairing.suggest import are_in_descending_order, classes_beside, only_number, ranks

    line = _of_family(census, preds, settings) if settings.preds is None else ""
    if line := line or (only_number(FirstCells.of_file(preds.source), settings) if label else ""):
        return line, f"classes: {listed(classes)}"
    unnamed = are_places(classes)
    if unnamed and (advice := classes_beside(preds, label, settings)):
        return error.advice[0], *advice
    if lines := ranks(FirstCells.of_file(preds.source), settings):
        return *error.advice[:-1], *lines
    if unnamed and are_in_descending_order(preds):
        ranked = "every row looked at is in descending order: sorted by probability, its classes are not known"
        return *error.advice[:-1], ranked
    return ()


def _no_column(preds: Found, census: Census, strange: Sequence[str], classes: Sequence[str], *advice: str) -> DataError:
    """The error for labels that have no column while others have one: both lists, what differs, and advice."""
    columns, labels = listed(tuple(classes)), listed(tuple(census.texts))
    return DataError(
        f"no column is called {listed(tuple(strange))}, as labels are",
        place=Place(preds.source.path),
        advice=(
            f"columns: {columns}",
            f"labels: {labels}; {listed(tuple(strange[:1]))} is first in {census.texts[strange[0]]}",
            *(line for line in advice if line not in (f"classes: {columns}", f"labels: {labels}")),
        ),
    )


def _check_codes(label: Found, preds: Found) -> None:
    """Refuse labels as positions if their file names the codes as the prediction columns, in another order."""
    codes = label.source.traits.codes.get(label.columns[0], ())
    orders = [shorter for _, shorter in cuts_of(preds.names) if sorted(shorter) == sorted(codes)] if preds.named else []
    if not orders or codes in orders:
        return
    in_order = [preds.names[orders[0].index(name)] for name in codes]
    raise DataError(
        f"by the schema of the file the labels 0, 1, ... are {listed(codes)}, and the columns are in another order",
        place=Place(label.source.path, column=label.names[0]),
        advice=(
            f"--preds {as_option(in_order, preds.source)} takes the columns in the order of the labels",
            "--index-base 0 takes labels as positions, whatever the names are",
        ),
    )


def _positive_first(preds: Found) -> tuple[Warning, ...]:
    """The warning about columns called as yes and no are, in this order, beside labels 0 and 1 that are positions."""
    cuts = (tuple(name.casefold() for name in shorter) for _, shorter in cuts_of(preds.names)) if preds.named else ()
    if len(preds.columns) != 2 or not any(shorter in _YES_NO for shorter in cuts):
        return ()
    yes, no = map(shown, preds.names)
    return (
        Warning(
            "columns-permuted",
            f"labels 0 and 1 are positions: 0 is the column {yes}, 1 is the column {no}",
            f"if 1 means {yes}: --preds {as_option(preds.names[::-1], preds.source)}; if not: --index-base 0",
        ),
    )


def _of_family(census: Census, preds: Found, settings: Settings) -> str:
    """The option for those of some columns that are named as all labels are; empty where none are, or several sets."""
    source, labels = preds.source, [text for text in census.texts if not is_missing(text)]
    if not (source.repeatable and source.tabular and preds.named) or len(labels) < 2:
        return ""
    sets = [places for places in families(preds.names, labels) if 1 < len(places) < len(preds.columns)]
    largest = [places for places in sets if not any({*places} < {*other} for other in sets)]
    stem = os.path.commonprefix([preds.names[place] for place in largest[0]]) if largest else ""
    # Of numbers the prefix alone says that they are names.
    if len({*largest}) != 1 or (all(map(is_number, labels)) and not re.search(r"[^\W\d_]", stem)):
        return ""
    chosen = Found(source, tuple(preds.columns[place] for place in largest[0]))
    return f"--preds {as_option(chosen.names, source)}{_needed(chosen, settings)}: these are named as the labels are"


def _check_order(preds: Found, names: tuple[str, ...], decimal: str) -> None:
    """Refuse the names of the prediction columns in another order if labels are positions."""
    given, called = ([in_points(name, decimal) for name in each] for each in (names, preds.names))
    if _in_another_order(preds, names, decimal):
        words = ",".join(spec_of(names, [preds.columns[called.index(name)] for name in given]))
        raise DataError(
            "--classes has the names of the prediction columns in another order, and labels are not names",
            place=Place(preds.source.path),
            advice=(f"leave it out, or --preds {shlex.quote(words)} takes the columns in that order",),
        )


def _distribution(read: Inputs, names: tuple[str, ...] | None) -> tuple[tuple[str, ...], Distribution | Multilabel]:
    """The classes, and the rule for a column of labels for each of them."""
    preds, label, settings = read.preds, read.label, read.settings
    columns = len(preds.columns)
    place = Place(label.source.path)
    if (columns == 1 and not settings.multilabel) or len(label.columns) != columns:
        from xentcli.pairing.suggest import not_the_truth
        from xentcli.pairing.which_label import predicted_labels

        predicted = predicted_labels(read, label, preds)
        a_label = f"{len(label.columns)} label column{'s' * (len(label.columns) > 1)}"
        raise DataError(
            f"{a_label} for {columns} prediction column{'s' * (columns > 1)}",
            place=place,
            advice=(
                f"label columns: {listed([name for name in label.names if name not in predicted])}",
                *map(not_the_truth, predicted[:1]),
                f"prediction columns: {listed(preds.names)}",
                "--label NAME chooses one column"
                if not settings.multilabel
                else "--label NAME,... chooses the columns",
            ),
        )
    named = preds.named or names is not None
    classes = names or (preds.names if named else tuple(str(i) for i in range(columns)))
    targets, columns_ = label.names, classes
    if set(targets) != set(columns_):
        # One file may write 1,5 and the other 1.5.
        targets, columns_ = (
            tuple(in_points(name, settings.decimal_of_any) for name in each) for each in (targets, columns_)
        )
    order, note, by_name = distribution_order(targets, columns_, named and label.named, place)
    if settings.multilabel:
        return classes, Multilabel(
            f"{note}, independent binary labels, one per class", order, by_name, decimal=settings.decimal_of_any
        )
    return classes, Distribution(note, settings.sum_tolerance, order, by_name, votes=settings.votes)


def _called(census: Census, matcher: Matcher) -> list[str]:
    """The classes that the deciding labels name, in full or without affixes."""
    if not isinstance(matcher, ByName):
        return []
    return [matcher.classes[code] for code in sorted({matcher.codes[label] for label in census.read})]


def could_be_classes(
    preds: Found, doubt: Doubt, matcher: Matcher | None, names: tuple[str, ...] | None, labels: int
) -> dict[int, str]:
    """Return the columns with another role that could be classes too, each with its option.

    There are none if --classes, or several label columns (`labels`), fix the number of classes.
    """
    if names is not None or labels > 1 or matcher is None:
        return {}
    return {c: option for c, option in doubt.taken.items() if _fits(preds, name_of(preds.source, c), matcher)}


def _fits(preds: Found, name: str, matcher: Matcher) -> bool:
    """Whether a column is named like the predictions."""
    if is_group(preds):
        return False
    if preds.source.names and _is_series(preds.names) and len(preds.names) > 1:
        stem = preds.names[0].rstrip("0123456789")
        return name.startswith(stem) and name[len(stem) :].isdecimal()
    before, after = matcher.ends if isinstance(matcher, ByName) else ("", "")
    return name.startswith(before) and name.endswith(after)


def _check_vouched(
    preds: Found, every: Found, called: Sequence[str], settings: Settings, *, final: bool, twice: bool = True
) -> None:
    """Refuse predictions without a row sum if neither the labels nor a series of names confirms them.

    `every` are the predictions and columns that could be predictions too; `twice` says whether all
    of them may be given as predictions. Unless `final`, more labels may confirm more columns.
    """
    names = every.names
    if len(names) == 1 or len(called) == len(names):
        return
    if every.source.names and (not every.named or _is_series(names)):
        return
    doubtful = [name for name in names if name not in called] if called else list(names)
    why = "without a row sum" if settings.multilabel else "--renormalize hides a stray one"
    what = "logits" if settings.kind == "logits" else f"probabilities ({why})"
    guess = "a class without rows, or an unrelated column?" if len(doubtful) == 1 else "classes, or unrelated columns?"
    words = spec_of(names, every.columns)
    run = every.columns == tuple(range(every.columns[0], every.columns[-1] + 1))
    whole = shlex.quote(f"{words[0]}:{words[-1]}" if run else ",".join(words))
    vouched = preds.names if len(preds.names) < len(names) else called
    scores = [name for name in names if is_score_by_name(name)]
    vouched = vouched or _series_in(names) or (scores if len(scores) == 1 else ())
    chosen = [word for word, name in zip(words, names, strict=True) if name in vouched]
    # A number of rows is no class.
    numbering = [name for name in doubtful if re.search(_ROW_ID, name)]
    otherwise = "otherwise" if twice and not numbering else f"if {listed(numbering or doubtful)} is not a class"
    raise (DataError if final else LabelsBreakRule)(
        f"which columns are {what}? no label is named {listed(doubtful)}: {guess}",
        place=Place(every.source.path),
        advice=(
            f"if all {len(names)} columns are classes: --preds {whole}" if twice and not numbering else "",
            f"{otherwise}: --preds {shlex.quote(','.join(chosen))}"
            if 0 < len(chosen) <= MOST_NAMED
            else f"{otherwise}: --preds NAME,...",
        ),
    )


def _series_in(names: Sequence[str]) -> list[str]:
    """The only names that are a common prefix with consecutive numbers, two or more; none where there are several."""
    stems: dict[str, list[str]] = {}
    for name in names:
        stems.setdefault(name.rstrip("0123456789"), []).append(name)
    found = [some for stem, some in stems.items() if stem and len(some) > 1 and _is_series(some)]
    return found[0] if len(found) == 1 else []


def _is_series(names: Sequence[str]) -> bool:
    """Whether names are 0..K-1, or a common prefix with consecutive numbers."""
    found = [re.fullmatch(r"(.*?)([0-9]{1,9})", name) for name in names]
    if not all(found):
        return False
    parts = [(match[1], int(match[2])) for match in found if match]
    first = parts[0][1]
    return all(part == (parts[0][0], first + index) for index, part in enumerate(parts))
