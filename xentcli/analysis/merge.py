"""merge(): combine the states of several runs into the report that one run over all rows would give."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

from xentcli import attempts
from xentcli.analysis import state_file
from xentcli.analysis.covers import Cover, Covered
from xentcli.analysis.limits import Limit, Rules
from xentcli.analysis.score import Tallied, check_whole, details_named, diagnosed
from xentcli.analysis.state import State, check_target
from xentcli.analysis.wholes import whole_of
from xentcli.errors import DataError, NotComputedError, NoVerdict, Place, UsageError, XentError, shown
from xentcli.pairing.compared import check_row_names
from xentcli.records import replace
from xentcli.report.calibration import CalibrationReport
from xentcli.report.check import CheckReport
from xentcli.report.comparison import Comparison
from xentcli.report.parts import Input
from xentcli.report.report import Report
from xentcli.scoring.metrics import find
from xentcli.urls import hidden

if TYPE_CHECKING:
    from xentcli.analysis.compared_state import ComparedState

__all__ = ["merge"]

Merged = Report | CheckReport | Comparison | CalibrationReport

_UNEXPLAINED = "States have no rows: xent check with the same limits on the files shows what explains it"
_REFIT = "a fit reads all rows again, and states have none: xent calibration on the files"


def merge(
    states: Sequence[str | os.PathLike[str]],
    *,
    state: str | os.PathLike[str] | None = None,
    max: Mapping[str, float] | None = None,
    min: Mapping[str, float] | None = None,
    max_each: Mapping[str, float] | None = None,
    min_each: Mapping[str, float] | None = None,
    min_rows: int | None = None,
    fail_on_warning: str | Sequence[str] | None = None,
    limits: Sequence[Limit] = (),
) -> Report | CheckReport | Comparison | CalibrationReport:
    """Merge the states of several runs: every figure is that of one run over the rows of all, to the last bit.

    Parameters
    ----------
    states
        Paths of files that ``state=`` of ``score``, ``check``, ``compare`` or ``calibration`` wrote, or merge itself,
        in any order; ``-`` is standard input.
    state
        A file to write the state of all of them to.
    max, min, max_each, min_each, min_rows, fail_on_warning, limits
        What the scores, or checks beside their own limits, are held to, as ``check`` takes them.

    Returns
    -------
    Report, or Comparison or CalibrationReport without a fit: what the runs themselves gave. With limits, or of states
    of ``check``, a CheckReport, without what explains a failure: that takes the rows.

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
    given = {"max": max, "min": min, "max_each": max_each, "min_each": min_each}
    rules = Rules.of(limits, given, None, fail_on_warning, min_rows, strict=False)
    paths = _paths(states)
    target = None if state is None else os.fspath(state)
    if target is not None:
        check_target(target, paths)
    found = _alike([state_file.read(path, _state) for path in paths])
    try:
        return _made(found, target, rules)
    except _NONSENSE as error:
        if attempts.STRICT:
            raise
        raise _damaged(found, error) from None


_NONSENSE = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    LookupError,
    MemoryError,
    RuntimeError,
    StopIteration,
    TypeError,
    ValueError,
)
"""Errors that a forged state, whose digest fits but whose tallies no rows have, may cause."""


def _state(path: str, body: Any) -> State | ComparedState:
    """The state that a file has."""
    if "models" not in body:
        return State.of(path, body)
    from xentcli.analysis.compared_state import ComparedState

    return ComparedState.of(path, body)


def _alike(states: list[State | ComparedState]) -> list[State] | list[ComparedState]:
    """Refuse states of different commands."""
    first = states[0]
    for other in states[1:]:
        if other.command != first.command:
            raise DataError(
                f"a state of another command: xent {other.command}, and xent {first.command} in {first.path}",
                place=Place(other.path),
            )
    return cast("list[State] | list[ComparedState]", states)


def _whole(states: Any) -> State | ComparedState:
    if isinstance(states[0], State):
        return whole_of(states)
    from xentcli.analysis.compared_state import merged

    return merged(states)


def _made(states: Sequence[State] | Sequence[ComparedState], target: str | None, rules: Rules) -> Merged:
    whole = _whole(states)
    try:
        made = _document(whole, rules)
    except NoVerdict:
        # Nothing to judge yet: the state can still be merged with others.
        if target is not None:
            whole.write(target)
        raise
    if target is not None:
        whole.write(target)
    return made


def _damaged(states: Sequence[State] | Sequence[ComparedState], error: Exception) -> DataError:
    """The error for a state that no run wrote: one that gives no report by itself either."""
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
    given = [states] if isinstance(states, str | os.PathLike) or not isinstance(states, Iterable) else list(states)
    for path in given:
        if not isinstance(path, str | os.PathLike):
            raise UsageError(f"a state is the path of a file that state= wrote, not {shown(path)}")
    paths = [hidden(os.fspath(path)) for path in given]
    if not paths:
        raise UsageError("no state to merge", advice="xent score ... --state FILE writes one")
    twice = next((path for place, path in enumerate(paths) if path in paths[:place]), None)
    if twice is not None:
        raise DataError("the state is given twice: its rows would count twice", place=Place(twice))
    return paths


def _document(whole: State | ComparedState, rules: Rules | None = None) -> Merged:
    limited = rules is not None and rules != Rules()
    if limited and whole.command not in ("score", "check"):
        raise DataError(
            f"limits are held against states of xent score and xent check, not of xent {whole.command}",
            place=Place(whole.path),
        )
    if not isinstance(whole, State):
        return whole.comparison([_report(model)[0] for model in whole.models])
    if limited or whole.rules is not None:
        return _verdict(whole, rules or Rules())
    report, tallied = _report(whole)
    if whole.command == "score":
        return report
    from xentcli.analysis.calibration import Calibrated
    from xentcli.analysis.fit import Fit

    return Calibrated(tallied, report, whole.bins).document(Fit(None, reason=_REFIT))


def _verdict(whole: State, given: Rules) -> CheckReport:
    """The verdict on all rows, by the limits of the runs and the given ones.

    Raises UsageError for limits that do not fit the options of the runs, DataError for a metric that was not computed.
    """
    from xentcli.analysis.check import judged, with_metrics_of

    own, settings = whole.rules or Rules(), whole.settings
    rules = own.and_also(given)
    rules.check(settings, None, written=False)
    sliced = with_metrics_of(settings, own)
    computed = {"cost", *(metric.name for metric in sliced.shown_metrics)}
    report, _ = _report(replace(whole, options=sliced.plain()))
    for limit in rules.limits:
        if limit.metric not in computed if limit.each else not _has(report, limit.metric):
            raise DataError(
                f"{limit.option} {limit.metric}: the runs that were merged did not compute it",
                place=Place(whole.path),
                advice=f"--metrics {limit.metric} in each run computes it, also of each group",
            )
    return replace(judged(rules, report, settings), unexplained=_UNEXPLAINED)


def _has(report: Report, metric: str) -> bool:
    """Whether a metric was computed, though it may be undefined."""
    try:
        _ = report[metric]
    except NotComputedError:
        return False
    return True


def _report(whole: State) -> tuple[Report, Tallied]:
    """The report of all rows, and the tallies it is derived from."""
    plan = whole.plan
    check_whole(plan, whole.bundle)
    check_row_names(plan, whole.matches.row_names)
    tallied = Tallied(plan, whole.bundle, whole.matches)
    metrics = [find(name) for name in whole.metrics]
    report = tallied.report(metrics, details_named(whole.details))
    report = replace(report, inputs=tuple(_inputs(whole)), alignment=whole.decided.alignment)
    if any(metric.tally == "fit" for metric in metrics):
        report = replace(report, undefined={**report.undefined, "temperature_gain": _REFIT})
    return diagnosed(report, tallied), tallied


def _inputs(whole: State) -> Iterator[Input]:
    """The inputs of all runs; inputs with the same path are listed once."""
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
