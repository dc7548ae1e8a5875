"""Combine states into the state of all rows: put what they cover in one order, and merge the tallies."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import reduce
from itertools import accumulate
from typing import Any

from xentcli.analysis.covers import Cover
from xentcli.analysis.state import State
from xentcli.analysis.unlike import (
    Piece,
    check_alike,
    check_files,
    check_labels,
    check_once,
    check_shards,
    check_wholes,
    size_of,
)
from xentcli.errors import DataError, Place
from xentcli.pairing import Matches
from xentcli.pairing.matched import FEW, Lacking
from xentcli.records import replace
from xentcli.tallies.bundle import Bundle

__all__ = ["common_options", "numbering", "order_of", "whole_of"]


def order_of(states: Sequence[State]) -> list[int]:
    """Return the order of all runs covered, as indices into those of the first state, the second, and so on."""
    covers = [cover for state in states for cover in state.covers]
    return sorted(range(len(covers)), key=lambda place: _key(covers[place]))


def whole_of(states: Sequence[State], order: Sequence[int] | None = None, *, labels: bool = True) -> State:
    """Return the state of all rows; `order` is given if it was determined from other states of the same runs.

    `labels` says whether to refuse the same labels in two runs: once for all models of a comparison.

    Raises DataError if the states cannot be merged.
    """
    for other in states[1:]:
        check_alike(states[0], other)
    pieces = [Piece(cover, state) for state in states for cover in state.covers]
    check_once(pieces)
    shards = check_shards(pieces)
    sums = check_wholes(pieces, shards)
    check_files(pieces)
    shared = {id(piece): of for whole in shards for piece, of in zip(whole, _shared(whole), strict=True)}
    ordered = [pieces[place] for place in (order_of(states) if order is None else order)]
    starts = dict(zip(map(id, ordered), accumulate((p.cover.rows for p in ordered), initial=0), strict=False))
    by_state: dict[State, list[Piece]] = {}
    for piece in ordered:
        by_state.setdefault(piece.state, []).append(piece)
    bundles = [_renumbered(own, starts) for own in by_state.values()]
    covers = tuple(
        replace(
            piece.cover,
            start=0,
            shard=None,
            sums=sums.get(id(piece), piece.cover.sums),
            **shared.get(id(piece), {}),
        )
        for piece in ordered
    )
    if labels:
        check_labels([Piece(cover, piece.state) for cover, piece in zip(covers, ordered, strict=True)])
    return replace(
        ordered[0].state,
        options=common_options(states),
        details=tuple(sorted(set.intersection(*(set(state.details) for state in states)))),
        bundle=reduce(Bundle.merge, _with_one_base(bundles, covers)),
        covers=covers,
        matches=_matches([*by_state], shards),
    )


def _key(cover: Cover) -> tuple[Any, ...]:
    """Sort key: path (numbers in names compare as numbers), shard, state, then the data read."""
    return _natural(cover.inputs[0].path), cover.place, _natural(cover.file), cover.identity


def _natural(name: str) -> tuple[tuple[int, str], ...]:
    tokens = re.split(r"([0-9]+)", name)
    return tuple((int(token), "") if place % 2 else (0, token) for place, token in enumerate(tokens))


def _renumbered(own: Sequence[Piece], starts: Mapping[int, int]) -> Bundle:
    """The tallies of one state's pieces, with rows renumbered consecutively over everything covered.

    Within a state, rows are numbered consecutively over its pieces, in the same order; `starts` has, by id() of a
    piece, the number of rows before it.
    """
    state, sizes = own[0].state, [piece.cover.rows for piece in own]
    moved = numbering(state.path, sizes, [starts[id(piece)] for piece in own], own[0].cover.start)
    return state.bundle.renumbered(moved)


def numbering(path: str, sizes: Sequence[int], starts: Sequence[int], begin: int = 0) -> Callable[[int], int]:
    """Return the function from row numbers of one state to row numbers over everything covered.

    In the state, pieces with these `sizes` follow each other after `begin` rows; `starts` are the numbers of rows
    before each piece overall.
    """
    ends = list(accumulate(sizes))
    shifts = [start - (end - size) - begin for start, end, size in zip(starts, ends, sizes, strict=True)]

    def moved(row: int) -> int:
        place = bisect_left(ends, row - begin)
        if row <= begin or place == len(ends):
            raise DataError(f"a state that is damaged: row {row:,} was not read", place=Place(path))
        return row + shifts[place]

    return moved


def _shared(whole: Sequence[Piece]) -> Iterator[dict[str, Any]]:
    """For each shard of an input, the fields of its Cover that all shards together decide: `counts` and `used`."""
    covers, state = [piece.cover for piece in whole], whole[0].state
    counts = ""
    used: tuple[str, ...] = ()
    if state.decided.has_label_file:
        labels, scores = covers[0].inputs[1], [piece.state.bundle["scores"] for piece in whole]
        counts = labels.digest(size_of(whole, 1), scores)
        if labels.joined and "subset" in state.options:
            used = (f"{reduce(int.__or__, (cover.predicted() for cover in covers)):x}",)
    for cover in covers:
        # The first state has the labels of all models.
        yield {"counts": counts, "used": used if cover is covers[0] else used and ("",)}


def _with_one_base(bundles: Sequence[Bundle], covers: Sequence[Cover]) -> Iterator[Bundle]:
    """The tallies; if one run knew that labels count from 0, without the cost of labels counting from 1."""
    certain = not all(cover.uncertain_base for cover in covers)
    for bundle in bundles:
        left = {name: tally for name, tally in bundle.tallies.items() if not (certain and name == "from_one")}
        yield Bundle(left)


def common_options(states: Sequence[Any]) -> dict[str, Any]:
    """The options that are the same in all states."""
    first = states[0].options
    every = {n: v for n, v in first.items() if all(n in s.options and s.options[n] == v for s in states)}
    return {name: value for name, value in every.items() if name != "shard"}


def _matches(states: Sequence[State], shards: Sequence[Sequence[Piece]]) -> Matches:
    """The result of matching all rows; ids of a sharded input are counted over its shards."""
    names = reduce(lambda one, other: one.merge(other), (state.matches.row_names for state in states))
    unused = sum(state.matches.unused for state in states)
    without = [state.matches.lacking for state in states if state.matches.lacking is not None]
    extra = sum(map(_unused, shards))
    unused += extra
    if not without and not extra:
        return Matches(names, unused)
    return Matches(
        names,
        unused,
        Lacking(
            sum(given.predictions for given in without),
            sum(given.labels for given in without) + extra,
            _first_few(given.prediction_ids for given in without),
            _first_few(given.label_ids for given in without),
        ),
    )


def _first_few(ids: Any) -> tuple[str, ...]:
    return tuple(one for some in ids for one in some)[:FEW]


def _unused(whole: Sequence[Piece]) -> int:
    """The number of labels for which no shard has a prediction.

    Raises DataError if two shards have predictions for one id, or, without --subset, a label has none.
    """
    most = 0
    inputs = [given for given in whole[0].cover.inputs if given.joined]
    for place, given in enumerate(inputs):
        seen = 0
        for piece in whole:
            used = piece.cover.predicted(place)
            if both := seen & used:
                row = given.rows + -given.rows % 8 - both.bit_length() + 1
                raise DataError(
                    f"the id of row {row:,} of {given.path} is in {piece.path} twice, in two shards: "
                    f"{both.bit_count():,} such id{'s' * (both.bit_count() != 1)}",
                    place=Place(piece.state.path),
                    advice="each id is there once",
                )
            seen |= used
        left = given.rows - seen.bit_count()
        if left and "subset" not in whole[0].state.options:
            raise DataError(
                f"{left:,} ids of {given.path} are in no shard of {whole[0].path}",
                place=Place(whole[0].state.path),
                advice="--subset in each run scores the rows that both files have",
            )
        most = max(most, left)
    return most
