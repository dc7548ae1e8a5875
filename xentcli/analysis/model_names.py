"""Find the files of the models to compare, and a short name for each."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from typing import Any

from xentcli.errors import UsageError
from xentcli.readers.shards import files_of
from xentcli.urls import bare, hidden

__all__ = ["models_of", "names_of", "paths_of"]


def models_of(paths: Sequence[str], pattern: str | None = None) -> list[str]:
    """Return the files to compare: those given, or those of one quoted glob, and those of --models.

    Raises FileError if no file matches.
    """
    if pattern is not None:
        found = files_of(pattern)
        return [*paths, *((pattern,) if found is None else (path for path in found if path not in paths))]
    if len(paths) == 1 and not os.path.isdir(paths[0]):
        found = files_of(paths[0])
        return list(paths if found is None else found)
    return list(paths)


def paths_of(models: Any) -> list[str]:
    """Return the paths of models.

    Raises UsageError for data in memory, which have no name.
    """
    many = isinstance(models, Iterable) and not isinstance(models, str | os.PathLike)
    if not many or not all(isinstance(path, str | os.PathLike) for path in models):
        raise UsageError(
            "compare takes a dict of models by name, or a list of paths",
            advice='compare({"old": predictions, "new": others}, labels)',
        )
    return [hidden(os.fspath(path)) for path in models]


def names_of(paths: Sequence[str]) -> dict[str, str]:
    """Return a short name for each path: its file name without what all of them share.

    >>> list(names_of(["run/digits_forest.csv", "run/digits_logistic.csv"]))
    ['forest', 'logistic']
    >>> list(names_of(["epoch-2.npy", "epoch-10.npy"])), list(names_of(["old/p.csv", "new/p.csv"]))
    (['epoch-2', 'epoch-10'], ['old/p', 'new/p'])

    A repeated path gets a number after its name:

    >>> list(names_of(["p.csv", "q.csv", "p.csv"]))
    ['p', 'q', 'p (2)']

    Raises UsageError if an input that can be read only once is given twice.
    """
    names = dict(zip(once := list(dict.fromkeys(paths)), _distinct(once), strict=True))
    found: dict[str, str] = {}
    for path in paths:
        name, number = names[path], 2
        while name in found:
            name, number = f"{names[path]} ({number})", number + 1
        if name != names[path] and (path == "-" or not _repeatable(path)):
            raise UsageError(f"{path} is given twice, and can be read only once", advice="save it in a file first")
        found[name] = path
    return found


def _repeatable(path: str) -> bool:
    """Whether a path is not known to be a pipe."""
    return os.path.isfile(path) or os.path.isdir(path) or not os.path.exists(path)


def _distinct(paths: Sequence[str]) -> list[str]:
    """A short name for each of several distinct paths."""
    files = [bare(path) for path in paths]
    files = files if len(set(files)) == len(paths) else list(paths)
    stems = [os.path.basename(path.rstrip("/")) for path in files]
    shared = files if len(set(stems)) < len(stems) else stems
    shortened = [_without_ending(name) for name in shared]
    if len(set(shortened)) < len(shortened):
        shortened = list(shared)
    front = os.path.commonprefix(shortened)
    cut = max(front.rfind(letter) for letter in "_- /") + 1
    short = [name[cut:] for name in shortened]
    if any(not name or name[0].isdigit() for name in short):
        short = shortened
    return short


def _without_ending(name: str) -> str:
    for ending in (".gz", ".bz2", ".xz", ".zst"):
        name = name.removesuffix(ending)
    return os.path.splitext(name)[0]
