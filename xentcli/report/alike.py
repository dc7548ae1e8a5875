"""Texts of many models that say the same, in one line with the names of the models."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

__all__ = ["alike", "of_models"]

_NUMBER = re.compile(r"[0-9][0-9.,]*(?: [0-9][0-9.,]*)*")
_NO_PATHS: Mapping[str, str] = {}


def alike(
    found: Iterable[tuple[str, tuple[str, ...]]], paths: Mapping[str, str] = _NO_PATHS
) -> Iterator[tuple[list[str], tuple[str, ...], str]]:
    """Merge texts that differ only in numbers; yield the models, the first one's texts, and whose numbers they show.

    `paths` are those of the models; texts that differ only in these are merged too.

    >>> list(alike([("a", ("3 rows",)), ("b", ("4 rows",))]))
    [(['a', 'b'], ('3 rows',), ' (figures of a)')]
    >>> list(alike([("a", ("1/a.csv: no rows",)), ("b", ("1/b.csv: no rows",))], {"a": "1/a.csv", "b": "1/b.csv"}))
    [(['a', 'b'], ('1/a.csv: no rows',), '')]
    """
    groups: dict[tuple[str, ...], list[tuple[str, tuple[str, ...], tuple[str, ...]]]] = {}
    for name, texts in found:
        bare = tuple(text.replace(paths[name], "") for text in texts) if name in paths else texts
        groups.setdefault(tuple(_NUMBER.sub("0", text) for text in bare), []).append((name, texts, bare))
    for group in groups.values():
        name, texts, first = group[0]
        whose = "" if all(bare == first for _, _, bare in group) else f" (figures of {name})"
        yield [name for name, _, _ in group], texts, whose


def of_models(names: Sequence[str], count: int) -> str:
    """Name some of `count` models.

    >>> of_models(["a"], 2), of_models(["a", "b"], 2), of_models(["a", "b", "c", "d"], 200)
    ('a', 'both models', '4 of 200 models (a, b, c, ...)')
    """
    if len(names) == 1:
        return names[0]
    if len(names) == count:
        return "both models" if count == 2 else f"all {count:,} models"
    return f"{len(names):,} of {count:,} models ({', '.join(names[:3])}{', ...' * (len(names) > 3)})"
