"""merge(): the states of several runs to the report of all of them, as if they had been one."""

from __future__ import annotations

import os
import re
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from functools import reduce
from itertools import accumulate
from typing import Any

from xentcli import attempts
from xentcli.analysis.covers import Cover, Covered
from xentcli.analysis.score import Tallied, check_whole, details_named, diagnosed
from xentcli.analysis.state import State, check_target, read
from xentcli.analysis.unlike import Piece, check_alike, check_once, check_shards, check_wholes
from xentcli.errors import DataError, NoVerdict, Place, UsageError, XentError
from xentcli.pairing import Matches
from xentcli.pairing.feed import check_row_names
from xentcli.pairing.matched import FEW, Lacking
from xentcli.records import replace
from xentcli.report.calibration import CalibrationReport
from xentcli.report.parts import Input
from xentcli.report.report import Report
from xentcli.scoring.metrics import find
from xentcli.tallies.bundle import Bundle
from xentcli.urls import hidden

__all__ = ["merge"]

_REFIT = "a fit reads all rows again, and states have none: xent calibration on the files"


def merge(
    states: Sequence[str | os.PathLike[str]], *, state: str | os.PathLike[str] | None = None
) -> Report | CalibrationReport:
    """Merge the states of several runs: every figure is that of one run over the rows of all, to the last bit.

    Parameters
    ----------
    states
        Paths of files that ``state=`` of ``score`` or ``calibration`` wrote, or merge itself, in any order; ``-`` is
        standard input.
    state
        A file to write the state of all of them to.

    Returns
    -------
    Report, or CalibrationReport without a fit: what the runs themselves gave.

    Raises
    ------
    UsageError
        Without a state.
    DataError
        For a file that is not a state or was changed, the same input twice, a missing shard, and other options,
        classes or commands.
    FileError
        When a file cannot be read or written.
    NoVerdict
        When no row has a weight.

    Examples
    --------
    >>> import tempfile
    >>> from xentcli import score
    >>> folder = tempfile.mkdtemp()
    >>> q, y = [[0.8, 0.2], [0.4, 0.6], [0.7, 0.3]], [0, 1, 1]
    >>> _ = score(q[:2], y[:2], state=f"{folder}/1.json"), score(q[2:], y[2:], state=f"{folder}/2.json")
    >>> merge([f"{folder}/1.json", f"{folder}/2.json"]).cost == score(q, y).cost
    True
    """
    paths = _paths(states)
    target = None if state is None else os.fspath(state)
    if target is not None:
        check_target(target, paths)
    found = [read(path) for path in paths]
    try:
        return _made(found, target)
    except _NONSENSE as error:
        if attempts.STRICT:
            raise
        raise _damaged(found, error) from None


_NONSENSE = (ArithmeticError, AssertionError, AttributeError, LookupError, MemoryError, TypeError, ValueError)
"""What the tallies of no rows may lead to, in a state that somebody signed."""


def _made(states: Sequence[State], target: str | None) -> Report | CalibrationReport:
    whole = _merged(states)
    try:
        made = _document(whole)
    except NoVerdict:
        # Of others they may be a part.
        if target is not None:
            whole.write(target)
        raise
    if target is not None:
        whole.write(target)
    return made


def _damaged(states: Sequence[State], error: Exception) -> DataError:
    """The error of a state that no run wrote: that of which alone there is no report either."""
    path = states[0].path
    for state in states:
        try:
            _document(state)
        except _NONSENSE:
            path = state.path
            break
        except XentError:
            continue
    what = f"{type(error).__name__}: {error}"
    return DataError(f"a state that no run of xent wrote: {what:.200}", place=Place(path), advice="run it again")


def _paths(states: Any) -> list[str]:
    if isinstance(states, str | os.PathLike):
        states = [states]
    paths = [hidden(os.fspath(path)) for path in states]
    if not paths:
        raise UsageError("no state to merge", advice="xent score ... --state FILE writes one")
    twice = next((path for place, path in enumerate(paths) if path in paths[:place]), None)
    if twice is not None:
        raise DataError("the state is given twice: its rows would count twice", place=Place(twice))
    return paths


def _document(whole: State) -> Report | CalibrationReport:
    plan = whole.plan
    check_whole(plan, whole.bundle)
    check_row_names(plan, whole.matches.row_names)
    tallied = Tallied(plan, whole.bundle, whole.matches)
    metrics = [find(name) for name in whole.metrics]
    report = tallied.report(metrics, details_named(whole.details))
    report = replace(report, inputs=tuple(_inputs(whole)), alignment=whole.decided.alignment)
    if any(metric.tally == "fit" for metric in metrics):
        report = replace(report, undefined={**report.undefined, "temperature_gain": _REFIT})
    report = diagnosed(report, tallied)
    if whole.command == "score":
        return report
    from xentcli.analysis.calibration import document_of
    from xentcli.analysis.fit import Fit

    return document_of(tallied, report, whole.bins, Fit(None, reason=_REFIT))


def _merged(states: Sequence[State]) -> State:
    """The state of all rows.

    Raises
    ------
    DataError
        Where states do not go together.
    """
    for other in states[1:]:
        check_alike(states[0], other)
    pieces = [Piece(cover, state) for state in states for cover in state.covers]
    check_once(pieces)
    shards = check_shards(pieces)
    sums = check_wholes(pieces, shards)
    ordered = sorted(pieces, key=_order)
    starts = dict(zip(map(id, ordered), accumulate((p.cover.rows for p in ordered), initial=0), strict=False))
    by_state: dict[State, list[Piece]] = {}
    for piece in ordered:
        by_state.setdefault(piece.state, []).append(piece)
    bundles = [_renumbered(own, starts) for own in by_state.values()]
    covers = tuple(_settled(piece.cover, sums.get(id(piece), piece.cover.sums)) for piece in ordered)
    return replace(
        ordered[0].state,
        options=_options(states),
        details=tuple(sorted(set.intersection(*(set(state.details) for state in states)))),
        bundle=reduce(Bundle.merge, _with_one_base(bundles, covers)),
        covers=covers,
        matches=_matches([*by_state], shards),
    )


def _order(piece: Piece) -> tuple[Any, ...]:
    """The order of what is covered: by path, shard and state, numbers in names as numbers, then by what was read."""
    cover = piece.cover
    return _natural(cover.inputs[0].path), cover.shard or (0, 0), _natural(cover.file), cover.identity


def _natural(name: str) -> tuple[tuple[int, str], ...]:
    tokens = re.split(r"([0-9]+)", name)
    return tuple((int(token), "") if place % 2 else (0, token) for place, token in enumerate(tokens))


def _renumbered(own: Sequence[Piece], starts: Mapping[int, int]) -> Bundle:
    """The tallies of the state of some pieces, with rows numbered through all that is covered.

    In each state they are numbered through what it covers, in the same order; `starts` has, by its id(), the number
    before the first row of a piece among all.
    """
    state = own[0].state
    ends = list(accumulate(piece.cover.rows for piece in own))
    begin = own[0].cover.start
    shifts = [starts[id(piece)] - (end - piece.cover.rows) - begin for piece, end in zip(own, ends, strict=True)]

    def moved(row: int) -> int:
        place = bisect_left(ends, row - begin)
        if row <= begin or place == len(ends):
            raise DataError(f"a state that is damaged: row {row:,} was not read", place=Place(state.path))
        return row + shifts[place]

    return state.bundle.renumbered(moved)


def _settled(cover: Cover, sums: str) -> Cover:
    """What is covered, with rows numbered by where it stands among all, whose shards are complete."""
    return replace(cover, start=0, shard=None, used=(), sums=sums)


def _with_one_base(bundles: Sequence[Bundle], covers: Sequence[Cover]) -> Iterator[Bundle]:
    """The tallies, without the cost of labels that count from 1 where one run knew that they do not."""
    certain = not all(cover.uncertain_base for cover in covers)
    for bundle in bundles:
        left = {name: tally for name, tally in bundle.tallies.items() if not (certain and name == "from_one")}
        yield Bundle(left)


def _options(states: Sequence[State]) -> dict[str, Any]:
    """The options that all states have."""
    first = states[0].options
    every = {n: v for n, v in first.items() if all(n in s.options and s.options[n] == v for s in states)}
    return {name: value for name, value in every.items() if name != "shard"}


def _matches(states: Sequence[State], shards: Sequence[Sequence[Piece]]) -> Matches:
    """How all rows found their partners; ids of one whole are counted over its shards."""
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
    """How many labels no shard has a prediction for.

    Raises
    ------
    DataError
        Where two shards have predictions of one id, or without --subset a label has none.
    """
    most = 0
    inputs = [given for given in whole[0].cover.inputs if given.joined]
    for place, given in enumerate(inputs):
        seen = 0
        for piece in whole:
            used = int(piece.cover.used[place] or "0", 16)
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


def _inputs(whole: State) -> Iterator[Input]:
    """The inputs of all runs; one that several have under the same path is one."""
    found: dict[tuple[int, str], list[tuple[Cover, Covered]]] = {}
    for cover in whole.covers:
        for place, given in enumerate(cover.inputs):
            found.setdefault((place, given.path), []).append((cover, given))
    hashed = "hash" in whole.options
    for same in found.values():
        first = same[0][1]
        by_files = [given for cover, given in same if cover.whole is None or cover.whole[0] == "files"]
        sums = {given.sha256 for _, given in same}
        rows = max(given.rows for _, given in same) if first.joined else sum(given.rows for _, given in same)
        files = sum(given.files for given in by_files) if by_files and not first.joined else first.files
        sha256 = first.sha256 if hashed and len(sums) == 1 else None
        yield Input(first.path, first.format, rows, sha256, first.header, first.unused, files)
