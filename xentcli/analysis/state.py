"""State: the tallies of a run with everything that merging runs needs."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from xentcli.analysis import state_file
from xentcli.analysis.covers import Cover, Decided, cover_of
from xentcli.analysis.limits import Rules
from xentcli.errors import UsageError, shown
from xentcli.pairing import Feed, Matches, Plan
from xentcli.pairing.compared import RowNames
from xentcli.pairing.matched import Lacking
from xentcli.readers import same_file
from xentcli.readers.digest import Digest
from xentcli.records import cached_property, record, replace
from xentcli.scoring.metrics import Metric
from xentcli.settings import OPTIONS, Settings
from xentcli.tallies.bundle import Bundle
from xentcli.tallies.tally import made_of, plain_of

__all__ = ["Keep", "State", "check_target", "options_of"]

COMMANDS = ("score", "compare", "calibration", "check")
_READ_APART = ("shard", "hash")
"""Options that affect no figure, in addition to those about file formats."""


@record(frozen=True, eq=False)
class State:
    """The tallies of a run, with everything its report needs.

    Attributes
    ----------
    path
        The file it was read from.
    command
        "score", "compare" (one of its models), "calibration" or "check".
    options
        The options as JSON values; those about file formats, --shard and --hash may differ between states.
    metrics, details
        The names of the metrics and details that were computed.
    bins
        The number of bins of a calibration; 0 for a score.
    rules
        The limits of a check.
    """

    path: str
    command: str
    options: Mapping[str, Any]
    set_by_compat: Mapping[str, Any]
    metrics: tuple[str, ...]
    details: tuple[str, ...]
    bins: int
    decided: Decided
    covers: tuple[Cover, ...]
    matches: Matches
    bundle: Bundle
    rules: Rules | None = None

    @property
    def settings(self) -> Settings:
        """The options as Settings."""
        return Settings(**self.options)

    @property
    def plan(self) -> Plan:
        """The plan of a single run over everything covered."""
        return self.decided.plan(self.settings, self.set_by_compat, self.covers)

    @cached_property
    def compared(self) -> dict[str, Any]:
        """The options that must agree between states."""
        files = {name for name, row in OPTIONS.items() if row.section == "Files"}
        return {name: value for name, value in self.options.items() if name not in {*_READ_APART, *files}}

    def body(self) -> dict[str, Any]:
        """Return the state as JSON values, from which `of` restores it."""
        matches = self.matches
        return {
            "command": self.command,
            "options": dict(self.options),
            "set_by_compat": dict(self.set_by_compat),
            "metrics": list(self.metrics),
            "details": list(self.details),
            "bins": self.bins,
            "rules": plain_of(self.rules),
            "decided": plain_of(self.decided),
            "covers": plain_of(self.covers),
            "row_names": plain_of(matches.row_names),
            "unused": matches.unused,
            "lacking": None if matches.lacking is None else plain_of(tuple(matches.lacking)),
            "tallies": self.bundle.to_plain(),
        }

    @classmethod
    def of(cls, path: str, body: Any) -> State:
        """Return the state that has these values.

        Raises ValueError if they are not those of a state.
        """
        lacking = None if body["lacking"] is None else Lacking(*made_of(_LACKING, body["lacking"]))
        state = cls(
            path,
            made_of(str, body["command"]),
            options_of(body["options"]),
            options_of(body["set_by_compat"]),
            made_of(tuple[str, ...], body["metrics"]),
            made_of(tuple[str, ...], body["details"]),
            made_of(int, body["bins"]),
            made_of(Decided, body["decided"]),
            made_of(tuple[Cover, ...], body["covers"]),
            Matches(made_of(RowNames, body["row_names"]), made_of(int, body["unused"]), lacking),
            Bundle.from_plain(body["tallies"]),
            made_of(Rules | None, body["rules"]),
        )
        _check(state)
        return state

    def write(self, path: str) -> None:
        """Write it to a file, atomically."""
        state_file.write(path, self.body())


@record(frozen=True)
class Keep:
    """Writes the state of a run to a file, or appends it to a list if there is one.

    `given` are the settings as the user gave them, if the run uses others.
    """

    path: str
    command: str
    bins: int = 0
    rules: Rules | None = None
    into: list[State] | None = None
    given: Settings | None = None

    @classmethod
    def to(cls, path: Any, settings: Settings, inputs: Sequence[Any], command: str, **further: Any) -> Keep:
        """Return the writer for a path, after checking the path.

        Raises UsageError if the path is an input, and for class weights that depend on all rows.
        """
        if not isinstance(path, str | os.PathLike):
            raise UsageError(f"state is the path of a file, not {shown(path)}")
        if settings.balanced:
            raise UsageError(
                "--class-weight balanced counts the labels of all rows, and --state is of some of them",
                advice="--class-weight NAME=W gives each weight",
            )
        check_target(os.fspath(path), (*inputs, *settings.files_named()))
        return cls(os.fspath(path), command, **further)

    def write(
        self,
        feed: Feed,
        bundle: Bundle,
        matches: Matches,
        metrics: Sequence[Metric],
        details: Iterable[str],
        sums: Sequence[Digest | None],
    ) -> None:
        """Write the state after all rows of a feed; `sums` are the digests of its inputs."""
        plan = feed.plan
        # A fit needs the files, and the hash is part of what is covered.
        kept = Bundle({name: of for name, of in bundle.tallies.items() if name not in ("slopes", "contents")})
        if feed.shard is not None:
            matches = replace(matches, unused=0)
        state = State(
            self.path,
            self.command,
            (self.given or plan.settings).plain(),
            plan.set_by_compat,
            tuple(metric.name for metric in metrics),
            tuple(sorted(details)),
            self.bins,
            Decided.of(plan),
            (cover_of(feed, bundle, matches, sums, os.path.basename(self.path)),),
            matches,
            kept,
            self.rules,
        )
        if self.into is None:
            state.write(self.path)
        else:
            self.into.append(state)


def check_target(path: str, inputs: Sequence[Any]) -> None:
    """Refuse a state that would replace an input.

    Raises UsageError, naming the file.
    """
    if any(isinstance(given, str | os.PathLike) and same_file(path, given) for given in inputs):
        raise UsageError(f"{shown(path)} is an input; it would be overwritten")


def options_of(plain: Any) -> dict[str, Any]:
    """Return options by their names.

    Raises ValueError if a value does not fit.
    """
    if not isinstance(plain, dict) or not plain.keys() <= {*OPTIONS}:
        raise ValueError("options by their names are expected")
    return plain


_LACKING = tuple[int, int, tuple[str, ...], tuple[str, ...]]


def _check(state: State) -> None:
    """Raise ValueError if the parts of a state do not fit together."""
    bundle, classes = state.bundle, len(state.decided.classes)
    if state.command not in COMMANDS or not state.covers or (state.rules is not None) != (state.command == "check"):
        raise ValueError("no run of a command")
    plan = state.plan
    if len(plan.picks) != len(plan.inputs):
        raise ValueError("the roles of other inputs")
    counts = len(bundle["scores"].classes.counts)
    masses = bundle["scores"].classes.masses or {}
    if counts not in (0, classes, 2 * classes) or max(masses, default=-1) >= 2 * classes:
        raise ValueError("counts of other classes")
    if bundle["confusion"] is not None and bundle["confusion"].classes not in (0, classes):
        raise ValueError("pairs of other classes")
    for name in ("by_class", "by_term", "by_column"):
        if any(not isinstance(index, int) or not 0 <= index < classes for index in bundle[name].names):
            raise ValueError(f"{name} of other classes")
    slicings = [bundle[name].each for name in ("by", "by_cluster", "by_share")]
    if any(len(each) not in (0, len(plan.slice_columns)) for each in slicings):
        raise ValueError("groups of other columns")
