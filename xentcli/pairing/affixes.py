"""Common prefixes and suffixes of class names, and labels that are the names without them."""

from __future__ import annotations

import itertools
import os.path
import re
from collections.abc import Collection, Iterator, Mapping, Sequence

from xentcli.columns.numerals import in_points, whole
from xentcli.pairing.labels import read_whole

__all__ = ["cores_of", "cuts_of", "ends_of", "numbers_of", "readings", "without_stem"]

_DIGITS = "0123456789"
_MOST_PAIRS = 1 << 20
_DIGITS_ALONE = "-?[0-9]{1,18}"


def readings(names: Sequence[str], labels: Collection[str], decimal: str = ".") -> Iterator[dict[str, int]]:
    """Yield each mapping of all labels to classes: by name, by name without affixes, or by position from 0 or 1.

    >>> list(readings(["p_1", "p_2"], ["2", "1.0"]))
    [{'2': 1, '1.0': 0}, {'2': 1, '1.0': 0}]
    """
    places = {name: index for index, name in enumerate(names)}
    for prefix, suffix in (("", ""), *ends_of(names)):
        found = _places(places, prefix, suffix, labels, decimal)
        if found is not None:
            yield found
    numbers = [whole(in_points(label, decimal)) for label in labels]
    for base in (0, 1):
        if all(number is not None and base <= int(number) < base + len(names) for number in numbers):
            yield {label: int(number or 0) - base for label, number in zip(labels, numbers, strict=True)}


def _places(
    places: Mapping[str, int], prefix: str, suffix: str, labels: Collection[str], decimal: str
) -> dict[str, int] | None:
    """The class of each label, given the common prefix and suffix of the names; None if a label has no class."""
    found: dict[str, int] = {}
    for label in labels:
        index = places.get(f"{prefix}{label}{suffix}", places.get(f"{prefix}{read_whole(label, decimal)}{suffix}"))
        if index is None:
            return None
        found[label] = index
    return found


def cuts_of(names: Sequence[str]) -> list[tuple[str, tuple[str, ...]]]:
    """The names, and the names less each prefix or suffix that all share."""
    prefix, suffix = _common(names)
    cuts = [("", tuple(names))]
    cuts += [(prefix[:n], tuple(name[n:] for name in names)) for n in range(1, len(prefix) + 1)]
    return cuts + [(suffix[-n:], tuple(name[:-n] for name in names)) for n in range(1, len(suffix) + 1)]


def _common(names: Sequence[str]) -> tuple[str, str]:
    """The longest prefix and the longest suffix that all names share; they may overlap."""
    return os.path.commonprefix(list(names)), os.path.commonprefix([name[::-1] for name in names])[::-1]


def ends_of(names: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Each pair of a common prefix and suffix that do not overlap, those with an empty one first."""
    head, tail = _common(names)
    prefixes, suffixes = range(1, len(head) + 1), range(1, len(tail) + 1)
    shortest = min(map(len, names))
    pairs = itertools.product(prefixes, suffixes)
    for before, after in (*((n, 0) for n in prefixes), *((0, n) for n in suffixes), *pairs):
        if before + after <= shortest:
            yield head[:before], tail[len(tail) - after :]


def without_stem(names: Sequence[str], labels: Collection[str]) -> tuple[str, ...]:
    """The names less the prefix and suffix with which most labels are names; names without these are unchanged.

    Two labels must be names with them, or all names have them; else no name is changed.

    >>> without_stem(["p_cat", "p_dog", "fox"], ["cat", "dog", "emu"])
    ('cat', 'dog', 'fox')
    """
    found: dict[tuple[str, str], set[str]] = {}
    if len(names) * len(labels) <= _MOST_PAIRS:
        for name, label in itertools.product(names, filter(None, labels)):
            if label in name:
                for before, _, after in (name.partition(label), name.rpartition(label)):
                    found.setdefault((before, after), set()).add(label)
    before, after = max(found, key=lambda ends: len(found[ends]), default=("", ""))
    have = [name.startswith(before) and name.endswith(after) and len(name) > len(before + after) for name in names]
    if not found or (len(found[before, after]) < 2 and not all(have)):
        return tuple(names)
    shorter = (name[len(before) : len(name) - len(after)] for name in names)
    return tuple(short if has else name for name, short, has in zip(names, shorter, have, strict=True))


def cores_of(names: Sequence[str]) -> list[str]:
    """The names without their longest common prefix and suffix, case-folded: the part that distinguishes them."""
    prefix, _ = _common(names)
    shorter = [name[len(prefix) :] for name in names]
    _, suffix = _common(shorter)
    return [name[: len(name) - len(suffix)].strip(" _.-").casefold() for name in shorter]


def numbers_of(names: Sequence[str]) -> tuple[str, ...] | None:
    """The integers that the names are, without common affixes; None if one is not an integer."""
    stem = _common(names)[0].rstrip(_DIGITS)
    rests = [name[len(stem) :] for name in names]
    tail = _common(rests)[1].lstrip(_DIGITS)
    found = [re.fullmatch(_DIGITS_ALONE, rest.removesuffix(tail)) for rest in rests]
    return tuple(match[0] for match in found if match) if all(found) else None
