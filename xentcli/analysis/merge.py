"""merge(): the states of several runs to the report of all of them, as if they had been one."""

from __future__ import annotations

import os
import re
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from functools import reduce
from itertools import accumulate, groupby, islice, pairwise
from typing import Any

from xentcli import attempts
from xentcli.analysis.score import Tallied, check_whole, details_named, diagnosed
from xentcli.analysis.state import Cover, Covered, State, read
from xentcli.errors import DataError, NoVerdict, Place, UsageError, XentError, shown
from xentcli.options import spelled
from xentcli.pairing import Matches
from xentcli.pairing.feed import check_row_names
from xentcli.pairing.matched import FEW, Lacking
from xentcli.readers import same_file
from xentcli.records import record, replace
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
        Paths of files that ``state=`` of ``score`` or ``calibration`` wrote, or merge itself, in any order.
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
    if target is not None and any(same_file(target, path) for path in paths):
        raise UsageError(f"{shown(target)} is an input; it would be overwritten")
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


@record(frozen=True, eq=False)
class _Piece:
    """A run that is covered, and the state that has it."""

    cover: Cover
    state: State

    @property
    def place(self) -> str:
        """The state, and what of it."""
        return self.state.path if len(self.state.covers) == 1 else f"{self.state.path} ({self.cover.name})"


def _merged(states: Sequence[State]) -> State:
    """The state of all rows.

    Raises
    ------
    DataError
        Where states do not go together.
    """
    for other in states[1:]:
        _check_alike(states[0], other)
    pieces = [_Piece(cover, state) for state in states for cover in state.covers]
    _check_once(pieces)
    shards = _check_shards(pieces)
    ordered = sorted(pieces, key=_order)
    first = ordered[0].state
    bundles = [_renumbered(state, ordered) for state in sorted(states, key=lambda state: _order_of(state, ordered))]
    covers = tuple(_settled(piece.cover) for piece in ordered)
    return replace(
        first,
        options=_options(states),
        details=tuple(sorted(set.intersection(*(set(state.details) for state in states)))),
        bundle=reduce(Bundle.merge, _with_one_base(bundles, covers)),
        covers=covers,
        matches=_matches(ordered, states, shards),
    )


def _check_alike(one: State, other: State) -> None:
    """Refuse states of other commands, options or classes."""

    def unlike(what: str, mine: str, theirs: str, *advice: str) -> DataError:
        return DataError(f"{what}: {mine}, and {theirs} in {one.path}", place=Place(other.path), advice=advice)

    if one.command != other.command:
        raise unlike("a state of another command", f"xent {other.command}", f"xent {one.command}")
    for name in sorted(one.compared.keys() | other.compared.keys()):
        mine, theirs = (state.compared.get(name) for state in (other, one))
        if mine != theirs:
            raise unlike(
                "other options", _said(name, mine), _said(name, theirs), f"run both with the same {spelled(name)}"
            )
    same = (
        ("metrics", "metrics", "--metrics, --get"),
        ("bins", "bins", "--bins"),
    )
    for name, what, option in same:
        mine, theirs = (getattr(state, name) for state in (other, one))
        if mine != theirs:
            raise unlike(f"other {what}", _listed(mine), _listed(theirs), f"run both with the same {option}")
    for name, what, advice in _SAME:
        mine, theirs = (getattr(state.decided, name) for state in (other, one))
        if mine != theirs:
            raise unlike(f"other {what}", _listed(mine), _listed(theirs), *((advice,) if advice else ()))
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


def _check_once(pieces: Sequence[_Piece]) -> None:
    """Refuse an input that two states have."""
    known: dict[str, _Piece] = {}
    for piece in pieces:
        twin = known.setdefault(piece.cover.identity, piece)
        if twin is not piece:
            also = "" if piece.cover.name == twin.cover.name else f" as {twin.cover.name}"
            raise DataError(
                f"the rows of {piece.cover.name} are also in {twin.state.path}{also}: they would count twice",
                place=Place(piece.state.path),
                advice="leave one of the two states out",
            )


def _check_shards(pieces: Sequence[_Piece]) -> list[list[_Piece]]:
    """Return the shards of each whole in order.

    Raises
    ------
    DataError
        Where one is missing, is there twice, or is of something else.
    """
    found = []
    sharded = [piece for piece in pieces if piece.cover.shard is not None]
    sharded.sort(key=lambda piece: (_count(piece), _path(piece), _index(piece)))
    for count, some in groupby(sharded, key=_count):
        same_count = list(some)
        # One whole may be read under other paths on each machine.
        once = len(same_count) == len({*map(_index, same_count)}) == count
        wholes = [same_count] if once else [list(group) for _, group in groupby(same_count, key=_path)]
        for whole in wholes:
            _check_shards_of_one(sorted(whole, key=_index), count)
            found.append(sorted(whole, key=_index))
    return found


def _check_shards_of_one(whole: Sequence[_Piece], count: int) -> None:
    first, indexes = whole[0], {_index(piece) for piece in whole}
    for one, other in pairwise(whole):
        if _index(one) == _index(other):
            raise DataError(
                f"shard {_index(other)}/{count} of {_path(other)} is also in {one.place}: its rows would count twice",
                place=Place(other.state.path),
                advice="leave one of the two states out",
            )
    if lacking := count - len(indexes):
        missing = list(islice((index for index in range(1, count + 1) if index not in indexes), 10))
        names = ", ".join(f"{index}/{count}" for index in missing) + ", ..." * (lacking > 10)
        raise DataError(
            f"{lacking:,} of the {count:,} shards of {_path(first)} missing: {names}",
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


def _index(piece: _Piece) -> int:
    assert piece.cover.shard is not None
    return piece.cover.shard[0]


def _count(piece: _Piece) -> int:
    assert piece.cover.shard is not None
    return piece.cover.shard[1]


def _path(piece: _Piece) -> str:
    return piece.cover.inputs[0].path


def _whole(piece: _Piece) -> str:
    assert piece.cover.whole is not None
    kind, count, _ = piece.cover.whole
    return f"{count:,} {kind} of {_path(piece)}"


def _order(piece: _Piece) -> tuple[Any, ...]:
    """The order of what is covered: by path, shard and state, numbers in names as numbers, then by what was read."""
    cover = piece.cover
    return _natural(cover.inputs[0].path), cover.shard or (0, 0), _natural(cover.file), cover.identity


def _natural(name: str) -> tuple[tuple[int, str], ...]:
    tokens = re.split(r"([0-9]+)", name)
    return tuple((int(token), "") if place % 2 else (0, token) for place, token in enumerate(tokens))


def _order_of(state: State, ordered: Sequence[_Piece]) -> int:
    return next(place for place, piece in enumerate(ordered) if piece.state is state)


def _renumbered(state: State, ordered: Sequence[_Piece]) -> Bundle:
    """The tallies of a state, with rows numbered through all that is covered.

    In each state they are numbered through what it covers, in the same order.
    """
    starts = dict(zip(map(id, ordered), accumulate((p.cover.rows for p in ordered), initial=0), strict=False))
    own = [piece for piece in ordered if piece.state is state]
    ends = list(accumulate(piece.cover.rows for piece in own))
    begin = own[0].cover.start
    shifts = [starts[id(piece)] - (end - piece.cover.rows) - begin for piece, end in zip(own, ends, strict=True)]

    def moved(row: int) -> int:
        place = bisect_left(ends, row - begin)
        if row <= begin or place == len(ends):
            raise DataError(f"a state that is damaged: row {row:,} was not read", place=Place(state.path))
        return row + shifts[place]

    return state.bundle.renumbered(moved)


def _settled(cover: Cover) -> Cover:
    """What is covered, with rows numbered by where it stands among all, whose shards are complete."""
    return replace(cover, start=0, shard=None, used=())


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


def _matches(ordered: Sequence[_Piece], states: Sequence[State], shards: Sequence[Sequence[_Piece]]) -> Matches:
    """How all rows found their partners; ids of one whole are counted over its shards."""
    names = reduce(lambda one, other: one.merge(other), (state.matches.row_names for state in states))
    unused = sum(state.matches.unused for state in states)
    lacking = [state.matches.lacking for state in sorted(states, key=lambda s: _order_of(s, ordered))]
    without = [given for given in lacking if given is not None]
    extra = 0
    for whole in shards:
        extra += _unused(whole)
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


def _unused(whole: Sequence[_Piece]) -> int:
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
                    f"the id of row {row:,} of {given.path} is in {_path(piece)} twice, in two shards: "
                    f"{both.bit_count():,} such ids",
                    place=Place(piece.state.path),
                    advice="each id is there once",
                )
            seen |= used
        left = given.rows - seen.bit_count()
        if left and "subset" not in whole[0].state.options:
            raise DataError(
                f"{left:,} ids of {given.path} are in no shard of {_path(whole[0])}",
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
