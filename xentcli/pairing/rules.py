"""Find the rule that the deciding labels follow: name, name without affixes, position, or distribution."""

from __future__ import annotations

import shlex
from collections.abc import Collection, Mapping, Sequence

from xentcli.columns.missing import is_missing
from xentcli.columns.numerals import in_points, localized, number, whole
from xentcli.errors import DataError, LabelsBreakRule, Place, shown
from xentcli.pairing.affixes import cores_of, cuts_of, ends_of, numbers_of
from xentcli.pairing.columns import listed
from xentcli.pairing.labels import Census, read_whole, skipping
from xentcli.pairing.matchers import ONE_COLUMN, Binary, ByName, ByPosition, Matcher, range_advice
from xentcli.pairing.near import Step

__all__ = ["decide", "decide_binary", "distribution_order"]


def decide(census: Census, classes: Sequence[str], named: bool, base: int | None) -> Matcher:
    """Find the rule that the labels follow; tries name, prefix or suffix, then position.

    Parameters
    ----------
    census
        The labels that decide.
    classes, named
        The class names, and whether they are names or only positions.
    base
        The value of --index-base, which disables matching by name.

    Raises
    ------
    DataError
        If no rule holds, or two rules disagree.

    >>> census = Census(Place("labels.csv"))
    >>> census.add(["2", "1.0"], lambda row: Place("labels.csv", row + 1))
    >>> decide(census, ["p1", "p2"], True, None).note
    "matched to the columns by name less the prefix 'p'"
    """
    names, labels, whole = tuple(classes), census.read, census.whole
    if census.true_false and len(names) != 2:
        raise DataError(f"labels are true or false, and there are {len(names):,} classes", place=census.place)
    if census.true_false and {name.lower() for name in names} == {"true", "false"}:
        codes = {str(int(name.lower() == "true")): index for index, name in enumerate(names)}
        return ByName(codes, names, "name", "matched to the columns by name", True)
    if base is None and named:
        found = _by_name(census, names) or _by_part(census, names)
        if found:
            return found
    if not whole:
        label, place = _stranger(census, names, named and base is None)
        if named and base is not None and label in names:
            raise DataError(
                f"label {shown(label)} is a name, and --index-base takes labels as positions of classes",
                place=place,
                advice="leave --index-base out",
            )
        from xentcli.pairing.misfits import misfit_advice

        raise DataError(
            f"{shown(label)} is not a class",
            place=place,
            advice=misfit_advice(census, label, names),
        )
    if base is None and named and _names_exclude_positions(labels, names):
        raise _not_named(labels, names)
    integers = {int(text) for text in labels}
    if base is None and len(names) in integers and min(integers) >= 1 and max(integers) <= len(names):
        raise DataError(
            f"label {len(names)} and no label 0: are the {len(names)} classes counted from 1?",
            place=labels[str(len(names))],
            advice="--index-base 1 counts from 1, --index-base 0 from 0",
        )
    return ByPosition(base or 0, names, integers, decimal=census.decimal)


def _by_name(census: Census, names: tuple[str, ...]) -> ByName | None:
    codes = {name: index for index, name in enumerate(names)}
    for index, name in enumerate(names if census.decimal != "." else ()):
        # One file may write 1,5 and the other 1.5.
        for other in (in_points(name, census.decimal), localized(name, census.decimal)):
            codes.setdefault(other, index)
    if not all(label in codes for label in census.read):
        return None
    note = "matched to the columns by name"
    return ByName(codes, names, "name", note, census.whole, decimal=census.decimal)


def _by_part(census: Census, names: tuple[str, ...]) -> ByName | None:
    """The rule for labels that are the class names without a common prefix and suffix, if it holds."""
    labels, places = census.read, {name: index for index, name in enumerate(names)}
    found: list[tuple[tuple[str, str], dict[str, int]]] = []
    for prefix, suffix in ends_of(names):
        if all(f"{prefix}{label}{suffix}" in places for label in labels):
            shorter = (name[len(prefix) : len(name) - len(suffix)] for name in names)
            # An empty label is missing; it is not a class name with everything stripped.
            codes = {name: index for index, name in enumerate(shorter) if name}
            if all(label in codes for label in labels):
                found.append(((prefix, suffix), codes))
    if not found:
        return None
    ends, codes = found[0]
    for other, other_codes in found[1:]:
        if any(codes[label] != other_codes[label] for label in labels):
            raise LabelsBreakRule(
                "labels match the class names in two ways that disagree: "
                f"without {_less(*ends)}, or without {_less(*other)}",
                place=census.place,
                advice="--classes NAME,... names the classes as the labels do",
            )
    # A later label that another candidate rule reads differently breaks the rule.
    codes = {label: code for label, code in codes.items() if all(c.get(label, code) == code for _, c in found)}
    note = f"matched to the columns by name less {_less(*ends)}"
    return ByName(codes, names, "prefix", note, census.whole, ends, census.decimal)


def _less(prefix: str, suffix: str) -> str:
    """A prefix and a suffix in words; empty ones are omitted."""
    parts = [f"the {kind} {shown(part)}" for kind, part in (("prefix", prefix), ("suffix", suffix)) if part]
    return " and ".join(parts)


def _names_exclude_positions(labels: Collection[str], names: Sequence[str]) -> bool:
    """Whether integer labels cannot be positions: class names are other numbers, or a label is the name of another.

    >>> _names_exclude_positions(["2"], ["p0", "p1", "p3"]), _names_exclude_positions(["2"], ["p0", "p1", "p2"])
    (True, False)
    """
    numbers = numbers_of(names)
    if numbers is not None:
        return list(map(int, numbers)) != list(range(len(names)))
    codes = ({name: index for index, name in enumerate(shorter)} for _, shorter in cuts_of(names))
    return any(cut.get(label, int(label)) != int(label) for cut in codes for label in labels)


def _not_named(labels: Mapping[str, Place], names: Sequence[str]) -> DataError:
    """The error for the first label that is not a class name, if the names are not positions."""
    parts = [shorter for _, shorter in cuts_of(names)] + [numbers_of(names) or ()]
    following = max(({*labels} & {*shorter} for shorter in parts), key=len)
    label, place = next(item for item in labels.items() if item[0] not in following)
    return DataError(
        f"{shown(label)} is not a class",
        place=place,
        advice=(
            f"classes: {listed(names)}",
            *(range_advice(int(label), 0, len(names), ()) if int(label) < 0 else ()),
            "if labels are column positions: --index-base 0, or --index-base 1 if the first column is 1",
        ),
    )


def _stranger(census: Census, names: Sequence[str], named: bool) -> tuple[str, Place]:
    """Return the first label that breaks the rule which most labels follow."""
    labels = census.read
    cuts = [shorter for _, shorter in cuts_of(names) if len(set(shorter)) == len(names)] if named else []
    rules = [{label for label in labels if label in set(shorter) - {""}} for shorter in cuts]
    rules.append({label for label in labels if whole(in_points(label, census.decimal)) is not None})
    following = max(rules, key=len)
    return next(item for item in labels.items() if item[0] not in following)


def decide_binary(
    census: Census, names: Sequence[str] | None, positive: str | None, base: int | None, column: str = ""
) -> tuple[Matcher, tuple[str, str]]:
    """Find the rule for one column of predictions, called `column`, and the names of the two classes.

    Raises DataError for text labels if the positive class is unknown.
    """
    if positive is not None:
        return _by_positive(census, positive)
    if names is not None:
        values = [number(in_points(text, census.decimal)) for text in census.texts]
        soft = any(value is not None and 0 < value < 1 for value in values)
        if len(names) == 2 and soft and not set(census.texts) & set(names):
            return Binary(base or 0, decimal=census.decimal), (names[0], names[1])
        if len(names) != 2:
            raise DataError(
                f"--classes has {len(names):,} names, and one column of predictions has two classes",
                place=census.place,
                advice="--classes NEGATIVE,POSITIVE",
            )
        pair = (names[0], names[1])
        return decide(census, pair, True, base), pair
    words = ((text, at) for text, at in census.texts.items() if number(in_points(text, census.decimal)) is None)
    label, place = next(words, ("", census.place))
    if label:
        from xentcli.pairing.misfits import positive_of

        texts = [text for text in census.texts if not is_missing(text)]
        name = shlex.quote(positive_of(texts, column)) if 0 < len(texts) <= 2 else "NAME"
        if missing := skipping(label, *census.texts):
            raise DataError(f"{shown(label)} is not a label", place=place, advice=missing)
        raise DataError(
            f"{shown(label)} is a name, and one column of predictions does not say of which class it is",
            place=place,
            advice=(f"--positive {name} names the class that it is the probability of", f"labels: {listed(texts)}"),
        )
    _check_amounts(census)
    return Binary(base or 0, decimal=census.decimal), ("0", "1")


def _check_amounts(census: Census) -> None:
    """Refuse amounts (0 or above 1, such as millimetres of rain), with the command that converts them to 0 and 1."""
    values = {text: number(in_points(text, census.decimal)) or 0.0 for text in census.texts}
    least, above = min(values.values(), default=1.0), [text for text, value in values.items() if value > 1]
    event = census.clean([_EVENT]) if census.clean is not None and census.decimal == "." else ""
    if least == 0 and above and event:
        raise DataError(
            f"label {shown(above[0])} where 0, 1 or a probability between was expected",
            place=census.texts[above[0]],
            advice=(f"{event}, where an amount above 0 is 1: if that is the event", *ONE_COLUMN),
        )


_EVENT = Step("an amount", str, "int(float(s) > 0)")


def _by_positive(census: Census, positive: str) -> tuple[Matcher, tuple[str, str]]:
    labels = census.read
    if census.whole:
        positive = read_whole(positive, census.decimal)
    elif positive not in labels:
        positive = localized(positive, census.decimal)
    others = [label for label in labels if label != positive]
    nearly = any(label.strip().casefold() == positive.strip().casefold() for label in others)
    if len(others) == len(labels) and (nearly or len(labels) > 1):
        raise DataError(
            f"--positive {shown(positive)} is not a label", place=census.place, advice=f"labels: {listed(others)}"
        )
    if len(others) > 1:
        odd = next((label for label in others if skipping(label)), None)
        if odd is not None:
            raise DataError(f"{shown(odd)} is not a label", place=labels[odd], advice=skipping(odd, *others))
        raise LabelsBreakRule(
            f"a third label {shown(others[1])} beside {shown(positive)} and {shown(others[0])}",
            place=labels[others[1]],
            advice="one column of predictions tells two classes apart",
        )
    other = others[0] if others else f"not {positive}"
    note = f"by name, the column being the probability of {positive}"
    codes = {other: 0, positive: 1}
    matcher = ByName(codes, (other, positive), "binary", note, census.whole, decimal=census.decimal)
    return matcher, (other, positive)


def distribution_order(
    columns: Sequence[str], classes: Sequence[str], named: bool, place: Place, option: str = "label"
) -> tuple[tuple[int, ...], str, bool]:
    """Match the K columns of an option to K classes; return (the column of each class, the rule, whether by name).

    Raises DataError if the names overlap only in part, so that neither reading is safe.
    """
    by_position = tuple(range(len(columns)))
    if not named or not columns:
        return by_position, "one column for each class, by position", False
    if set(columns) == set(classes):
        return tuple(columns.index(name) for name in classes), "one column for each class, by name", True
    for removed, shorter in cuts_of(columns):
        for kept, names in cuts_of(classes):
            if len(set(names)) == len(names) and set(shorter) == set(names):
                note = f"one column for each class, by name less {shown(removed or kept)}"
                return tuple(shorter.index(name) for name in names), note, True
    class_cores, column_cores = cores_of(classes), cores_of(columns)
    if set(class_cores) == set(column_cores) and len(set(class_cores)) == len(class_cores) and "" not in class_cores:
        return (
            tuple(column_cores.index(core) for core in class_cores),
            "one column for each class, by the part that differs",
            True,
        )
    alike = [name for name, core in zip(columns, column_cores, strict=True) if core and core in set(class_cores)]
    shared = ((set(a) & set(b)) - {""} for _, a in cuts_of(columns) for _, b in cuts_of(classes))
    common = set(alike) or next(filter(None, shared), set())
    if common:
        raise DataError(
            f"{option} columns are named like some classes ({listed(sorted(common))}), but not all, or not exactly",
            place=place,
            advice=(
                f"classes: {listed(tuple(classes))}",
                f"{option} columns: {listed(tuple(columns))}",
                f"--{option} NAME,... lists them in the order of the classes, once they are renamed",
            ),
        )
    return by_position, "one column for each class, by position (no name is common)", False
