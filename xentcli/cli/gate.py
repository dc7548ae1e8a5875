"""The options of a gate: limits, baselines, regressions; and the commands that follow a failure."""

from __future__ import annotations

import os
import shlex
from collections.abc import Collection, Iterator, Mapping
from typing import Any, Literal

import click

from xentcli.cli.options import again
from xentcli.errors import FileError, shown
from xentcli.options import Option
from xentcli.urls import bare, is_url

__all__ = ["LIMITS", "check_baseline", "commands_after", "rules_of"]

LIMITS = {
    "max": Option("Limits", "Require METRIC to be at most X.", "METRIC=X", multiple=True),
    "min": Option("Limits", "Require METRIC to be at least X.", "METRIC=X", multiple=True),
    "max_each": Option("Limits", "At most X in each group: cost=1, cost@north=1.", "METRIC=X", multiple=True),
    "min_each": Option("Limits", "At least X in each group of --by.", "METRIC=X", multiple=True),
    "min_rows": Option("Limits", "List smaller groups without a verdict.", "N", hint="int | None", default=1),
    "baseline": Option("Limits", "Baseline: .npz, JSON report, losses, old PREDS.", "FILE"),
    "max_regression": Option("Limits", "How much worse METRIC may be: 2% or 0.01.", "METRIC=X", multiple=True),
    "strict": Option("Limits", "Pass only where a larger regression is excluded.", hint="bool"),
    "fail_on_warning": Option("Limits", "Fail on a warning of this code, or on all.", "CODE", multiple=True),
    "write_baseline": Option("Limits", "Write this run to FILE.npz for --baseline.", "FILE"),
}
_BOUNDS: tuple[Literal["max", "min"], ...] = ("max", "min")


def rules_of(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments of check(), or of merge(), that parsed options are.

    Raises UsageError for a limit that makes no sense.
    """
    from xentcli.analysis.limits import parse_limit, parse_regression

    limits: list[Any] = [
        parse_limit(text, bound, each=each)
        for each in (False, True)
        for bound in _BOUNDS
        for text in options[f"{bound}_each" if each else bound]
    ]
    limits += map(parse_regression, options.get("max_regression", ()))
    names = ("baseline", "strict", "fail_on_warning", "min_rows", "write_baseline", "state")
    return {"limits": limits, **{name: options[name] for name in names if name in options}}


def check_baseline(path: str | None, *inputs: str | None) -> None:
    """Refuse a baseline that does not exist, with the command that makes it, or that is one of the inputs.

    Raises FileError if it is not there.
    """
    if path is None:
        return
    from xentcli.analysis.against import check_there

    try:
        check_there(path, *inputs)
    except FileError as error:
        raise FileError(error.message, place=error.place, advice=tuple(dict(_accepting(path)).values())) from None


_OF_CALIBRATION = ("gap", "ece", "ece_floor", "ece_floor_95", "temperature_gain")
"""Metrics that `xent calibration` explains."""


def commands_after(missed: Collection[str], baseline: str | None) -> Iterator[tuple[str, str]]:
    """Yield the commands that show more of the metrics that missed a limit, and with a baseline the one that accepts.

    Names are what the commands do: look, calibration, accept; after `then` is what the next run must name.
    """
    if not {*missed} <= {*_OF_CALIBRATION}:
        yield "look", _of_same_files("explain")
    if not {*missed}.isdisjoint(_OF_CALIBRATION):
        yield "calibration", _of_same_files("calibration")
    if baseline is not None:
        yield from _accepting(baseline)


def _of_same_files(name: str) -> str:
    """The command line of another command, with the options that it has too."""
    ctx = click.get_current_context()
    root = ctx.find_root().command
    command = root.commands[name] if isinstance(root, click.Group) else ctx.command
    known = {parameter.name for parameter in command.params}
    return again(name, without=tuple({p.name or "" for p in ctx.command.params} - known))


def _accepting(path: str) -> Iterator[tuple[str, str]]:
    """Yield the command that writes a baseline of this run, and the name of its file if --baseline has another."""
    stem = os.path.splitext(os.path.basename(bare(path)) if is_url(path) else path)[0]
    kept = f"{stem}.npz"
    if kept != path and os.path.lexists(kept):
        # The baseline may be of another kind, such as predictions.
        kept = f"{stem}-baseline.npz"
    yield "accept", f"{again('check', without=tuple(LIMITS))} --write-baseline {shlex.quote(kept)}"
    if kept != path:
        yield "then", f"the baseline is {shown(kept)}, no longer {shown(path)}"
