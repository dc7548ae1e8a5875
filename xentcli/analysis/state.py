"""State: what a run keeps of all its rows, as a file from which runs are merged.

It is JSON text: every number is exact, as a whole number or as the hexadecimal text of a double.
"""

from __future__ import annotations

import gzip
import json
import os
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from xentcli.analysis.covers import Cover, Decided, cover_of, digest_of
from xentcli.errors import DataError, FileError, Place, UsageError, XentError, shown
from xentcli.pairing import Feed, Matches, Plan
from xentcli.pairing.alignment import RowNames
from xentcli.pairing.matched import Lacking
from xentcli.readers import same_file
from xentcli.readers.limits import DEFAULT
from xentcli.readers.stream import ByteStream, open_bytes
from xentcli.records import cached_property, record, replace
from xentcli.scoring.metrics import Metric
from xentcli.settings import OPTIONS, Settings
from xentcli.tallies.bundle import Bundle
from xentcli.tallies.tally import made_of, plain_of
from xentcli.version import __version__

__all__ = ["VERSION", "Keep", "State", "check_target", "read"]

VERSION = 1
_READ_APART = ("shard", "hash")
"""Options that decide no figure, beside those of how a file is written."""


@record(frozen=True, eq=False)
class State:
    """The tallies of a run, with all that its report needs.

    Attributes
    ----------
    path
        The file that it was read from.
    command
        "score" or "calibration".
    options
        What was set, as plain values; --shard, --hash and how files are written are not compared.
    metrics, details
        The names of the metrics, and of the details, that were computed.
    bins
        How many bins a calibration has; 0 in a score.
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

    @property
    def settings(self) -> Settings:
        """The options as Settings."""
        return Settings(**self.options)

    @property
    def plan(self) -> Plan:
        """The plan of a run over all that is covered."""
        return self.decided.plan(self.settings, self.set_by_compat, self.covers)

    @cached_property
    def compared(self) -> dict[str, Any]:
        """The options that must be those of another state."""
        return {name: value for name, value in self.options.items() if not _is_apart(name)}

    def write(self, path: str) -> None:
        """Write it whole or not at all; compressed where the name ends with .gz.

        Raises
        ------
        FileError
            Where the file cannot be written.
        """
        from xentcli.atomic import write_bytes

        body = _body(self)
        about = {"xent_state": VERSION, "xent_version": __version__, "sha256": digest_of(body)}
        text = json.dumps({**about, "state": body}, allow_nan=False, separators=(",", ":")).encode()
        write_bytes(path, gzip.compress(text, 6, mtime=0) if path.endswith(".gz") else text + b"\n")


def _is_apart(name: str) -> bool:
    return name in _READ_APART or OPTIONS[name].section == "Files"


def _body(state: State) -> dict[str, Any]:
    matches = state.matches
    return {
        "command": state.command,
        "options": dict(state.options),
        "set_by_compat": dict(state.set_by_compat),
        "metrics": list(state.metrics),
        "details": list(state.details),
        "bins": state.bins,
        "decided": plain_of(state.decided),
        "covers": plain_of(state.covers),
        "row_names": plain_of(matches.row_names),
        "unused": matches.unused,
        "lacking": None if matches.lacking is None else plain_of(tuple(matches.lacking)),
        "tallies": state.bundle.to_plain(),
    }


@record(frozen=True)
class Keep:
    """Writes the state of a run of a command to a file."""

    path: str
    command: str
    bins: int = 0

    @classmethod
    def to(cls, path: Any, settings: Settings, inputs: Sequence[Any], command: str, bins: int = 0) -> Keep:
        """Return what writes to a path that was checked.

        Raises
        ------
        UsageError
            For a path that is an input, and for weights that depend on all rows.
        """
        if not isinstance(path, str | os.PathLike):
            raise UsageError(f"state is the path of a file, not {shown(path)}")
        if settings.balanced:
            raise UsageError(
                "--class-weight balanced counts the labels of all rows, and --state is of some of them",
                advice="--class-weight NAME=W gives each weight",
            )
        check_target(os.fspath(path), (*inputs, *settings.files_named()))
        return cls(os.fspath(path), command, bins)

    def write(
        self,
        feed: Feed,
        bundle: Bundle,
        matches: Matches,
        metrics: Sequence[Metric],
        details: Iterable[str],
        sums: Sequence[str | None],
    ) -> None:
        """Write the state of all rows of a feed; `metrics` and `details` were computed, `sums` are the digests."""
        plan = feed.plan
        # Only the files have what a fit needs.
        kept = Bundle({name: tally for name, tally in bundle.tallies.items() if name != "slopes"})
        if feed.shard is not None:
            matches = replace(matches, unused=0)
        state = State(
            self.path,
            self.command,
            plan.settings.plain(),
            plan.set_by_compat,
            tuple(metric.name for metric in metrics),
            tuple(sorted(details)),
            self.bins,
            Decided.of(plan),
            (cover_of(feed, bundle, matches, sums, os.path.basename(self.path)),),
            matches,
            kept,
        )
        state.write(self.path)


def check_target(path: str, inputs: Sequence[Any]) -> None:
    """Refuse a state that would replace an input.

    Raises
    ------
    UsageError
        Naming the file.
    """
    if any(isinstance(given, str | os.PathLike) and same_file(path, given) for given in inputs):
        raise UsageError(f"{shown(path)} is an input; it would be overwritten")


def read(path: str) -> State:
    """Read a state, of ``-`` from standard input.

    Raises
    ------
    DataError
        For a file that is no state, was changed after it was written, or is of another version.
    FileError
        When it cannot be read.
    """
    stream = open_bytes(path)
    path, text = stream.name, _text(stream)
    try:
        whole = json.loads(text, parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        raise _no_state(path, text, str(error)) from None
    if not isinstance(whole, dict) or "xent_state" not in whole:
        raise _no_state(path, text, "it has no member xent_state")
    if whole["xent_state"] != VERSION or type(whole["xent_state"]) is not int:
        version = shown(whole["xent_state"])
        raise DataError(
            f"a state of version {version}, written by xent {shown(whole.get('xent_version'))}; {VERSION} is read",
            place=Place(path),
            advice=f"run xent {__version__} again with --state",
        )
    try:
        return _read(path, whole)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError, OverflowError, XentError) as error:
        if isinstance(error, FileError):
            raise
        what = error.headline if isinstance(error, XentError) else f"{type(error).__name__}: {error}"
        raise DataError(f"a state that is damaged: {what:.200}", place=Place(path), advice=_AGAIN) from None


_AGAIN = "run it again with --state FILE"


def _refuse(name: str) -> Any:
    raise ValueError(f"{name} is no JSON number")


def _no_state(path: str, text: bytes, why: str) -> DataError:
    cut = text.lstrip().startswith(b'{"xent_state"')
    what = "a state that is cut off or damaged" if cut else "not a state, which --state FILE writes"
    return DataError(f"{what}: {why:.200}", place=Place(path), advice=_AGAIN if cut else "xent score ... --state FILE")


def _text(stream: ByteStream) -> bytes:
    """The bytes of a state, inflated if compressed, at most the limit of a JSON document."""
    text = bytearray()
    for chunk in stream.chunks(1 << 20):
        text += chunk
        if len(text) > DEFAULT.batch:
            raise FileError(f"a state of more than {DEFAULT.batch:,} bytes", place=Place(stream.name))
    return bytes(text)


def _read(path: str, whole: Mapping[str, Any]) -> State:
    body = whole["state"]
    if digest_of(body) != whole["sha256"]:
        raise ValueError("it was changed after it was written")
    lacking = None if body["lacking"] is None else Lacking(*made_of(_LACKING, body["lacking"]))
    state = State(
        path,
        made_of(str, body["command"]),
        _named(body["options"], OPTIONS),
        _named(body["set_by_compat"], OPTIONS),
        made_of(tuple[str, ...], body["metrics"]),
        made_of(tuple[str, ...], body["details"]),
        made_of(int, body["bins"]),
        made_of(Decided, body["decided"]),
        made_of(tuple[Cover, ...], body["covers"]),
        Matches(made_of(RowNames, body["row_names"]), made_of(int, body["unused"]), lacking),
        Bundle.from_plain(body["tallies"]),
    )
    _check(state)
    return state


def _named(plain: Any, known: Iterable[str]) -> dict[str, Any]:
    if not isinstance(plain, dict) or not plain.keys() <= {*known}:
        raise ValueError("options by their names are expected")
    return plain


_LACKING = tuple[int, int, tuple[str, ...], tuple[str, ...]]


def _check(state: State) -> None:
    """Raise ValueError where parts of a state do not belong together."""
    bundle, classes = state.bundle, len(state.decided.classes)
    if state.command not in ("score", "calibration") or not state.covers:
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
