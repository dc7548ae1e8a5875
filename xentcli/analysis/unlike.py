"""Refuse states that cannot be merged: different options or classes, the same rows twice, a missing shard."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from functools import reduce
from itertools import groupby, islice, pairwise
from typing import Any

from xentcli.analysis.covers import Cover
from xentcli.analysis.identities import digest_of_sums
from xentcli.analysis.state import State
from xentcli.errors import DataError, Place, shown
from xentcli.options import spelled
from xentcli.records import record

__all__ = [
    "Piece",
    "check_alike",
    "check_files",
    "check_labels",
    "check_once",
    "check_shards",
    "check_wholes",
    "size_of",
]


@record(frozen=True, eq=False)
class Piece:
    """A run that is covered, and the state that has it."""

    cover: Cover
    state: State

    @property
    def place(self) -> str:
        """Its state, and what it covers, in words."""
        return self.state.path if len(self.state.covers) == 1 else f"{self.state.path} ({self.cover.name})"

    @property
    def path(self) -> str:
        """The path of its predictions."""
        return self.cover.inputs[0].path


def check_alike(one: State, other: State) -> None:
    """Refuse a state whose options, limits or classes differ from those of the first."""

    def unlike(what: str, found: str, expected: str, *advice: str) -> DataError:
        return DataError(f"{what}: {found}, and {expected} in {one.path}", place=Place(other.path), advice=advice)

    for name in sorted(one.compared.keys() | other.compared.keys()):
        found, expected = (state.compared.get(name) for state in (other, one))
        if found != expected:
            raise unlike(
                "other options", _said(name, found), _said(name, expected), f"run both with the same {spelled(name)}"
            )
    for name, option in (("metrics", "--metrics, --get"), ("bins", "--bins")):
        found, expected = (getattr(state, name) for state in (other, one))
        if found != expected:
            raise unlike(f"other {name}", _listed(found), _listed(expected), f"run both with the same {option}")
    if one.rules != other.rules:
        raise unlike("other limits", _limited(other), _limited(one), "run both with the same limits")
    for name, what, advice in _SAME:
        found, expected = (getattr(state.decided, name) for state in (other, one))
        if found != expected:
            if name == "matched" and "distribution" in (found, expected):
                advice = "labels are classes in both runs, or a share of each class in both"
            if name == "classes" and sorted(found) == sorted(expected):
                what, advice = "order of classes", _in_one_order(one) or advice
            raise unlike(f"other {what}", _listed(found), _listed(expected), *((advice,) if advice else ()))
    if one.set_by_compat != other.set_by_compat:
        raise unlike("--compat set other values", _listed(other.set_by_compat), _listed(one.set_by_compat))


_SAME = (
    ("classes", "classes", "--classes NAMES in each run names them"),
    ("matched", "rules of the labels", "--index-base 0 (or 1) in each run takes labels as positions"),
    ("by_name", "rules of the labels", ""),
    ("alignment", "ways to match rows", "--id COLUMN, or --align position, in each run"),
    ("compare_row_names", "row names", "--align position in each run"),
    ("slice_columns", "columns of --by", ""),
    ("shown_columns", "columns of --show", ""),
    ("clip", "clipping, as the dtype of the predictions decides it", ""),
    ("renormalize", "renormalisation", ""),
    ("per_row", "denominators", ""),
    ("class_weight", "class weights", ""),
    ("precision", "dtypes of the predictions", ""),
    ("single", "dtypes of the predictions", ""),
)
"""What runs must have decided alike: the field, what it is, and the option that decides it."""


def _in_one_order(state: State) -> str:
    """The option that takes columns by their names in the order of a state; empty where they have none."""
    names, columns = state.decided.names, state.decided.roles[0].get("preds", ())
    chosen = [names[column] for column in columns] if max(columns, default=len(names)) < len(names) else []
    if not all(chosen) or any("," in name for name in chosen):
        return ""
    return f"--preds {shlex.quote(','.join(chosen))} in each run takes them in one order" if chosen else ""


def _limited(state: State) -> str:
    """The limits of a check."""
    rules = state.rules
    each = () if rules is None else rules.limits
    texts = [f"{of.option} {of.metric}{f'@{of.pattern}' if of.pattern != '*' else ''}={of.value:g}" for of in each]
    texts += [] if rules is None else [f"--fail-on-warning {code}" for code in rules.warnings]
    texts += [] if rules is None or rules.min_rows == 1 else [f"--min-rows {rules.min_rows}"]
    return ", ".join(texts) or "none"


def _said(name: str, value: Any) -> str:
    if value is None or value is False:
        return f"no {spelled(name)}"
    return spelled(name) if value is True else f"{spelled(name)} {_listed(value)}"


def _listed(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{key}={item}" for key, item in value.items()) or "none"
    many = isinstance(value, tuple | list)
    text = ", ".join(map(str, value)) if many else str(value)
    return shown(text)[1:-1] if text and len(text) <= 60 else shown(text) if text else "none"


def check_once(pieces: Sequence[Piece]) -> None:
    """Refuse an input that is in two states; other shards of one input may have files of the same bytes."""
    known: dict[Any, Piece] = {}
    for piece in pieces:
        first = known.setdefault(piece.cover.identity, piece)
        if first is not piece and first.cover.whole is not None and first.cover.whole == piece.cover.whole:
            first = known.setdefault((piece.cover.identity, piece.cover.place), piece)
        elif first is piece:
            known[piece.cover.identity, piece.cover.place] = piece
        if first is not piece:
            also = "" if piece.cover.name == first.cover.name else f" as {first.cover.name}"
            raise DataError(
                f"the rows of {piece.cover.name} are also in {first.state.path}{also}: they would count twice",
                place=Place(piece.state.path),
                advice="leave one of the two states out",
            )


def check_files(pieces: Sequence[Piece]) -> None:
    """Refuse a file that is part of two inputs; shards of one input count as one."""
    known: dict[str, Piece] = {}
    for piece in pieces:
        for name, key in piece.cover.files:
            first = known.setdefault(key, piece)
            one_whole = piece.cover.whole is not None and piece.cover.whole == first.cover.whole
            if first is not piece and not one_whole:
                raise DataError(
                    f"{name} of {piece.cover.name} is also in {first.state.path}, in {first.cover.name}: "
                    "its rows would count twice",
                    place=Place(piece.state.path),
                    advice="give each run other files; --shard I/N shares out those of a folder",
                )


def check_wholes(pieces: Sequence[Piece], shards: Sequence[Sequence[Piece]]) -> dict[int, str]:
    """Refuse an input that was sharded and occurs again, as a single run or with another number of shards.

    Returns, by id() of a shard, the sums of the whole that it is part of.
    """
    sums = {id(piece): of for whole in shards for of in [_sums_of(whole)] for piece in whole}
    wholes = {id(piece): place for place, whole in enumerate(shards) for piece in whole}
    known: dict[str, tuple[Any, Piece]] = {}
    # Compare shards first; files that were not sharded are compared by their bytes.
    for piece in sorted(pieces, key=lambda piece: piece.cover.whole is None):
        whole = wholes.get(id(piece), piece.state.path)
        key = sums.get(id(piece), piece.cover.sums)
        before, first = known.setdefault(key, (whole, piece))
        if before != whole and first.cover.whole is not None:
            raise DataError(
                f"the rows of {piece.path} are also in {first.place}, shared out otherwise: they would count twice",
                place=Place(piece.state.path),
                advice="merge the states of one of the two",
            )
    return sums


def _sums_of(whole: Sequence[Piece]) -> str:
    scores = [piece.state.bundle["scores"] for piece in whole]
    return digest_of_sums(whole[0].path, size_of(whole), scores, [piece.cover.contents for piece in whole])


def size_of(whole: Sequence[Piece], place: int = 0) -> int | None:
    """Return the size in bytes of an input, by default the predictions, given all its shards; None if unknown."""
    kind, inputs = whole[0].cover.whole, [piece.cover.inputs[place] for piece in whole]
    sizes = [given.bytes for given in inputs]
    in_files = kind is not None and kind[0] == "files" and not inputs[0].joined
    return sum(each or 0 for each in sizes) if in_files and None not in sizes else sizes[0]


def check_labels(pieces: Sequence[Piece]) -> None:
    """Refuse labels for which two inputs have predictions: those of two models, whose rows would count twice.

    All shards of each input are there. Inputs matched by ids may share a label file if no label has two predictions.
    """
    wholes: dict[str, list[Piece]] = {}
    for piece in pieces:
        # Shards of one input share its sums, but other inputs may have equal sums.
        wholes.setdefault(piece.cover.identity if piece.cover.whole is None else piece.cover.sums, []).append(piece)
    known: dict[tuple[str, str], tuple[int, list[_Labels]]] = {}
    # Counts identify labels whose bytes are unknown.
    for labels in sorted(map(_Labels.of, wholes.values()), key=lambda labels: labels.hashed):
        for key in labels.keys:
            used, others = known.get(key, (0, []))
            if labels.used & used:
                other = next(other for other in others if labels.used & other.used)
                raise _two_models(other.first, labels.first, key[0])
            if not (labels.hashed and key[0] == "counts"):
                known[key] = used | labels.used, [*others, labels]


@record(frozen=True, eq=False)
class _Labels:
    """The labels of an input: the keys that identify them, and which have predictions, as bits (-1: all)."""

    first: Piece
    keys: tuple[tuple[str, str], ...]
    hashed: bool
    used: int

    @classmethod
    def of(cls, whole: Sequence[Piece]) -> _Labels:
        """Return the labels of an input, given all its pieces."""
        covers = [piece.cover for piece in whole]
        keys = [key for cover in covers for key in cover.labels]
        bits = [cover.predicted() if cover.used else -1 for cover in covers]
        if covers[0].counts:
            keys.append(("counts", covers[0].counts))
        return cls(whole[0], tuple(dict.fromkeys(keys)), bool(covers[0].labels), reduce(int.__or__, bits))


def _two_models(first: Piece, second: Piece, kind: str) -> DataError:
    """The error for predictions of two models on the same labels, found by a key of this kind."""
    labels = second.cover.inputs[1].path
    command = shlex.join(["xent", "compare", first.path, second.path, "--labels", labels])
    advice: tuple[str, ...] = (f"compare the two models: {command}",)
    if second.cover.inputs[0].format == "memory":
        advice = ("xentcli.compare compares the two models",)
    if kind != "bytes":
        advice += ("if these are other rows, whose labels are equal by chance: give each run a file of another name",)
    return DataError(
        f"{second.path} and {first.path} of {first.state.path} have the same labels ({labels}): "
        "two predictions of one row are not two rows",
        place=Place(second.state.path),
        advice=advice,
    )


def check_shards(pieces: Sequence[Piece]) -> list[list[Piece]]:
    """Return the shards of each whole in order.

    Raises DataError if one is missing, is there twice, or is of something else.
    """
    found = []
    sharded = [piece for piece in pieces if piece.cover.shard is not None]
    sharded.sort(key=lambda piece: (_count(piece), piece.path, _index(piece)))
    for count, some in groupby(sharded, key=_count):
        same_count = list(some)
        # Each machine may read the whole under another path.
        once = len(same_count) == len({*map(_index, same_count)}) == count
        wholes = (
            [same_count] if once else [list(group) for _, group in groupby(same_count, key=lambda piece: piece.path)]
        )
        for whole in wholes:
            whole.sort(key=_index)
            _check_one(whole, count)
        found += wholes
    return found


def _check_one(whole: Sequence[Piece], count: int) -> None:
    first, indexes = whole[0], {_index(piece) for piece in whole}
    for one, other in pairwise(whole):
        if _index(one) == _index(other):
            raise DataError(
                f"shard {_index(other)}/{count} of {other.path} is also in {one.place}: its rows would count twice",
                place=Place(other.state.path),
                advice="leave one of the two states out",
            )
    if lacking := count - len(indexes):
        missing = list(islice((index for index in range(1, count + 1) if index not in indexes), 10))
        names = ", ".join(f"{index}/{count}" for index in missing) + ", ..." * (lacking > 10)
        raise DataError(
            f"{lacking:,} of the {count:,} shards of {first.path} missing: {names}",
            place=Place(first.state.path),
            advice=f"run it with --shard {missing[0]}/{count} --state FILE, and merge that file too",
        )
    for other in whole[1:]:
        if other.cover.whole != first.cover.whole:
            raise DataError(
                f"a shard of {_whole(other)}, and {first.place} is one of {_whole(first)}: they are not of one whole",
                place=Place(other.state.path),
                advice="run all shards on the same files",
            )


def _index(piece: Piece) -> int:
    assert piece.cover.shard is not None
    return piece.cover.shard[0]


def _count(piece: Piece) -> int:
    assert piece.cover.shard is not None
    return piece.cover.shard[1]


def _whole(piece: Piece) -> str:
    assert piece.cover.whole is not None
    kind, count, _ = piece.cover.whole
    return f"{count:,} {kind} of {piece.path}"
