"""Advice for a label that is not a class: a missing label, a near miss, or a class without a column."""

from __future__ import annotations

import re
import shlex
from collections.abc import Collection, Iterable, Sequence

from xentcli.columns.missing import is_missing
from xentcli.columns.numerals import in_points, is_number, whole
from xentcli.errors import shown
from xentcli.pairing import near
from xentcli.pairing.affixes import cuts_of, without_stem
from xentcli.pairing.columns import are_plain, listed
from xentcli.pairing.labels import Census, skipping
from xentcli.pairing.predicted import are_places

__all__ = ["IF_SORTED", "misfit_advice", "positive_of", "renamed", "respelled", "sorted_classes", "without_column"]

_AS_LABELS = " names the columns as the labels do"
IF_SORTED = "if the columns are in the sorted order of the labels, as scikit-learn's classes_ are"
_MOST_SKIPPED, _MOST_SHOWN, _LONGEST = 3, 12, 60


def misfit_advice(census: Census, label: str, names: Sequence[str]) -> tuple[str, ...]:
    """Return advice for the first label that is not a class, from all labels read and the class names."""
    missing = skipping(label, *census.texts)
    if missing:
        return missing
    classes = f"classes: {listed(tuple(names))}"
    closest = {text: _nearest(text, names) for text in census.texts if not is_missing(text)}
    if closest[label] is not None:
        return (*_nearly(census, label, names, closest), classes)
    for _, shorter in cuts_of(names)[1:]:
        nearly = {text: _nearest(text, shorter) for text in closest}
        if None not in nearly.values() and (option := _as_labels(shorter, nearly)):
            return (option, classes)
    for shorter in (tuple(names), without_stem(names, census.texts)):
        closest = {text: _nearest(text, shorter) for text in closest}
        strange = [text for text, found in closest.items() if found is None]
        if len(strange) < len(closest):
            unused = [name for name, short in zip(names, shorter, strict=True) if short not in closest.values()]
            return (classes, *_without_column(census, label, strange, unused))
    labels = f"labels: {', '.join(map(shown, list(census.texts)[:_MOST_SHOWN]))}"
    return (classes, labels, _written_out(census, names))


def _without_column(census: Census, label: str, strange: Sequence[str], unused: Sequence[str]) -> tuple[str, ...]:
    """Advice that lists labels and columns without a counterpart, and how to skip labels without a column."""
    rows = sum(census.counts.get(text, 0) for text in strange[:_MOST_SKIPPED])
    its = f"{rows:,} of {sum(census.counts.values()):,} rows looked at"
    if list(strange) == [label] and rows == 1 and census.texts[label].line == 1 and is_number(label):
        return (f"a number above the labels? --header labels takes the first line, {label}, as a header",)
    labels = f"labels: {listed(tuple(census.texts))}"
    but = f", and no label is {listed(tuple(unused))}" if unused else ""
    if len(strange) > _MOST_SKIPPED or not all(map(_is_short, strange)):
        few = ", ".join(map(shown, strange[:_MOST_SKIPPED]))
        which = f"{len(strange):,} labels have" if len(strange) > 1 else "a label has"
        return (labels, f"{which} no column of predictions: {few}{but}", "--ignore-label LABEL skips its rows")
    options = " ".join(f"--ignore-label {shlex.quote(text)}" for text in strange)
    one, few = ("was a column", "no class") if len(strange) == 1 else ("were columns", "no classes")
    differ = f"no column is {listed(tuple(strange))}{but}: {one} left out or renamed in the predictions?"
    return (labels, differ, f"{few}? {options} skips {its}")


def _written_out(census: Census, names: Sequence[str]) -> str:
    """--classes with all labels, where columns without names are as many."""
    option = sorted_classes(census.texts, names)
    return f"{option}{census.needs()}: {IF_SORTED}" if option else f"--classes NAME,...{_AS_LABELS}, in their order"


def sorted_classes(labels: Collection[str], names: Sequence[str]) -> str:
    """Return --classes with the labels in sorted order, where the columns are called by their places; else nothing.

    >>> sorted_classes(["dog", "cat"], ["0", "1"]), sorted_classes(["dog", "cat"], ["p", "q"])
    ('--classes cat,dog', '')
    """
    # Decimals are measurements, not names of classes.
    names_alone = all(not is_number(text) or whole(text) for text in labels)
    plain = names_alone and all(text and _is_short(text) and not set(text) & {",", " "} for text in labels)
    if not plain or len(labels) != len(names) or len(names) < 2 or not are_places(names):
        return ""
    in_order = sorted(labels, key=float) if all(map(is_number, labels)) else sorted(labels)
    return f"--classes {shlex.quote(','.join(in_order))}"


def _nearest(label: str, names: Sequence[str]) -> str | None:
    """The class that a label equals or nearly equals; None if there is none or several."""
    if label in names:
        return label
    found = [name for name in names if near.differing(label, name)]
    return found[0] if len(found) == 1 else None


def _nearly(census: Census, label: str, names: Sequence[str], closest: dict[str, str | None]) -> tuple[str, ...]:
    """Advice on how a label differs from the nearest class, and how to make them equal."""
    name = closest[label]
    assert name is not None
    steps = near.differing(label, name)
    said = f"the column is {shown(name)}: they differ by {near.names_of(steps)}"
    option = _as_labels(names, closest)
    if option:
        return (said, option)
    changing = [step for step in steps if near.without(label, steps) != label]
    return (said, census.clean(changing) if census.clean is not None and changing else "")


def _as_labels(names: Sequence[str], closest: dict[str, str | None]) -> str:
    """--classes with the spelling of the labels, in the order of the columns; empty if it cannot be written so."""
    spelled = {name: name for name in names}
    for text, name in closest.items():
        if name is None or (text != name and spelled[name] not in (name, text)):
            return ""
        if text != name:
            spelled[name] = text
    texts = list(spelled.values())
    if texts == list(names):
        return ""
    plain = are_plain(texts) and all(text and _is_short(text) for text in texts)
    both = any(text in closest and spelled[text] != text for text in names)
    if not plain or both or len(set(texts)) < len(texts):
        return ""
    return f"--classes {shlex.quote(','.join(texts))}{_AS_LABELS}"


def respelled(labels: Iterable[str], names: Sequence[str]) -> str:
    """Return --classes in the spelling of the labels, if all labels nearly are column names; else an empty text.

    >>> respelled(["+1", "-1"], ["1", "-1"]), respelled(["1", "2"], ["1", "-1"])
    (' --classes +1,-1', '')
    """
    closest = {text: _nearest(text, names) for text in labels if not is_missing(text)}
    option = "" if None in closest.values() else _as_labels(names, closest)
    return f" {option.removesuffix(_AS_LABELS)}" if option else ""


def renamed(census: Census, names: Sequence[str]) -> tuple[list[str], list[str]] | None:
    """Return the labels without a column, and the same number of columns without a label, if the others agree.

    They may agree without a prefix or suffix that all names share.
    """
    texts = [text for text in census.texts if not is_missing(text)]
    for _, shorter in cuts_of(names):
        strange = [text for text in texts if text not in shorter]
        unused = [name for name, short in zip(names, shorter, strict=True) if short not in texts]
        near = any(is_number(text.replace(",", ".")) or _nearest(text, shorter) for text in strange)
        if 0 < len(strange) == len(unused) < len(names) and not near:
            return strange, unused
    return None


def without_column(census: Census, names: Sequence[str], decimal: str) -> list[str]:
    """Return the labels that are not names of columns where others are; none if some are missing, or numbers.

    If none is a name, a prefix or suffix of the columns is left out.
    """
    names = names if any(text in names for text in census.texts) else without_stem(names, census.texts)
    strange = [text for text in census.texts if text not in names]
    if len(strange) == len(census.texts) or any(
        is_missing(text) or is_number(in_points(text, decimal)) for text in strange
    ):
        return []
    return strange


def positive_of(labels: Collection[str], column: str) -> str:
    """Return which of two labels a column of probabilities is about: that in its name, else the last in order.

    >>> positive_of(["no", "yes"], "p_no"), positive_of(["no", "yes"], "score")
    ('no', 'yes')
    """
    named = [text for text in labels if text and re.search(rf"(?<![^\W_]){re.escape(text)}(?![^\W_])", column, re.I)]
    return named[0] if len(named) == 1 else sorted(labels)[-1]


def _is_short(text: str) -> bool:
    """Whether a text is short enough for a command."""
    return text.isprintable() and len(text) <= _LONGEST
