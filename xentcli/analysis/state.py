"""State: what a run keeps of all its rows, as a file from which runs are merged.

It is JSON text: every number is exact, as a whole number or as the hexadecimal text of a double.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import zlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from xentcli.errors import DataError, FileError, Place, UsageError, Warning, XentError, shown
from xentcli.pairing import Feed, Matches, Plan
from xentcli.pairing.alignment import RowNames
from xentcli.pairing.matched import Lacking
from xentcli.pairing.plan import Table
from xentcli.pairing.reference import Reference
from xentcli.readers import same_file
from xentcli.readers.limits import DEFAULT
from xentcli.readers.source import Pick, Selection, Source, files_in
from xentcli.readers.stream import open_file
from xentcli.records import record, replace
from xentcli.scoring.metrics import Metric
from xentcli.settings import OPTIONS, Settings
from xentcli.tallies.bundle import Bundle
from xentcli.tallies.tally import made_of, plain_of
from xentcli.version import __version__

__all__ = ["VERSION", "Cover", "Covered", "Decided", "Keep", "State", "check_target", "plain_options", "read"]

VERSION = 1
_GZIP = b"\x1f\x8b"
_READ_APART = ("shard", "hash")
"""Options that decide no figure, beside those of how a file is written."""


@record(frozen=True)
class Covered:
    """An input of a run: `rows`, `files` and `bytes` are those that were read.

    Attributes
    ----------
    sha256
        Of the bytes; None of what is in memory, and where each shard reads a part of the file.
    joined
        Whether its rows are matched by ids, so that each shard has all of them.
    """

    path: str
    format: str
    rows: int
    files: int
    bytes: int | None
    sha256: str | None
    header: bool | None
    unused: tuple[str, ...]
    joined: bool


@record(frozen=True)
class Cover:
    """What one run covers.

    Attributes
    ----------
    inputs
        The predictions first.
    rows, start
        How many rows of the predictions are numbered, and the number before the first of them.
    identity
        A digest of what was read.
    file
        The name of the state that was written first.
    shard, whole
        I and N of --shard, None once all N were merged; and what was shared out: files or rows, how many, and a
        digest of the names of the files.
    used
        With --shard and ids, for each other input which of its rows have a prediction, as hexadecimal bits.
    uncertain_base
        As in a Plan.
    """

    inputs: tuple[Covered, ...]
    rows: int
    start: int
    identity: str
    file: str
    shard: tuple[int, int] | None
    whole: tuple[str, int, str] | None
    used: tuple[str, ...]
    warnings: tuple[Warning, ...]
    uncertain_base: bool

    @property
    def name(self) -> str:
        """What it covers, for messages."""
        index = "" if self.shard is None else f" (shard {self.shard[0]}/{self.shard[1]})"
        return f"{self.inputs[0].path}{index}"

    @property
    def is_sound(self) -> bool:
        """Whether counts are from 0 up, and the shard is one of N."""
        counts = [self.rows, self.start, *(c for i in self.inputs for c in (i.rows, i.files, i.bytes or 0))]
        shard = self.shard is None or 1 <= self.shard[0] <= self.shard[1]
        return bool(self.inputs) and min(counts) >= 0 and shard and (self.shard is None or self.whole is not None)


@record(frozen=True)
class Decided:
    """What a run decided before its first row, as far as figures and messages depend on it."""

    classes: tuple[str, ...]
    matched: str | None
    note: str
    by_name: bool
    label_columns: tuple[str, ...]
    slice_columns: tuple[tuple[str, ...], ...]
    shown_columns: tuple[str, ...]
    clip: float | None
    renormalize: bool
    per_row: bool
    class_weight: tuple[float, ...] | None
    precision: str | None
    single: bool
    alignment: str
    compare_row_names: bool
    has_label_file: bool
    names: tuple[str, ...]
    dtype: str | None
    roles: tuple[Mapping[str, tuple[int, ...]], ...]
    reference: Reference | None

    @classmethod
    def of(cls, plan: Plan) -> Decided:
        """Return what a plan says."""
        matcher, recipe = plan.matcher, plan.recipe
        weights = None if recipe.class_weight is None else tuple(recipe.class_weight.tolist())
        dtype = plan.predictions.dtype
        return cls(
            plan.classes,
            None if matcher is None else matcher.matched,
            "" if matcher is None else matcher.note,
            bool(getattr(matcher, "by_name", False)),
            plan.label_columns,
            plan.slice_columns,
            plan.shown_columns,
            recipe.clip,
            recipe.renormalize,
            recipe.per_row,
            weights,
            recipe.precision,
            recipe.single,
            plan.alignment,
            plan.compare_row_names,
            plan.has_label_file,
            plan.predictions.names,
            None if dtype is None else dtype.str,
            tuple({role: pick.columns for role, pick in picks.items()} for picks in plan.picks),
            plan.reference,
        )

    def plan(self, settings: Settings, set_by_compat: Mapping[str, Any], covers: Sequence[Cover]) -> Plan:
        """Return the plan of a run over all that is covered."""
        weights = None if self.class_weight is None else np.array(self.class_weight)
        recipe = replace(
            settings.recipe(),
            clip=self.clip,
            renormalize=self.renormalize,
            per_row=self.per_row,
            class_weight=weights,
            precision=self.precision,
            single=self.single,
        )
        dtype = None if self.dtype is None else np.dtype(self.dtype)
        first = covers[0].inputs
        names = [self.names, *((),) * (len(first) - 1)]
        tables = [
            Table(i.path, i.format, i.header, of, (), dtype, i.unused) for i, of in zip(first, names, strict=True)
        ]
        return Plan(
            settings=settings,
            recipe=recipe,
            set_by_compat=set_by_compat,
            inputs=tuple(tables),
            picks=tuple({role: Pick(columns) for role, columns in roles.items()} for roles in self.roles),
            classes=self.classes,
            matcher=None if self.matched is None else _Known(self.matched, self.note, self.by_name),
            label_columns=self.label_columns,
            compare_row_names=self.compare_row_names,
            joins=(),
            slice_columns=self.slice_columns,
            shown_columns=self.shown_columns,
            warnings=tuple(dict.fromkeys(warning for cover in covers for warning in cover.warnings)),
            uncertain_base=all(cover.uncertain_base for cover in covers),
            has_label_file=self.has_label_file,
            reference=self.reference,
        )


@record(frozen=True)
class _Known:
    """The rule by which labels were matched, elsewhere."""

    matched: str
    note: str
    by_name: bool

    def targets(self, values: Any, where: Any) -> Any:
        """Match nothing."""
        raise NotImplementedError


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

    @property
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
        about = {"xent_state": VERSION, "xent_version": __version__, "sha256": _digest(body)}
        text = json.dumps({**about, "state": body}, allow_nan=False, separators=(",", ":")).encode()
        write_bytes(path, gzip.compress(text, 6, mtime=0) if path.endswith(".gz") else text + b"\n")


def _is_apart(name: str) -> bool:
    return name in _READ_APART or OPTIONS[name].section == "Files"


def plain_options(settings: Settings) -> dict[str, Any]:
    """Return the options that are set, as JSON has them."""
    values = {name: getattr(settings, name) for name, row in settings.rows.items()}
    return {
        name: list(value) if isinstance(value, tuple) else dict(value) if isinstance(value, Mapping) else value
        for name, value in values.items()
        if OPTIONS[name].is_set(value)
    }


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


def _digest(body: Any) -> str:
    text = json.dumps(body, allow_nan=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


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
        check_target(os.fspath(path), (*inputs, *settings.files_named()), settings)
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
            plain_options(plan.settings),
            plan.set_by_compat,
            tuple(metric.name for metric in metrics),
            tuple(sorted(details)),
            self.bins,
            Decided.of(plan),
            (_cover(feed, bundle, matches, sums, os.path.basename(self.path)),),
            matches,
            kept,
        )
        state.write(self.path)


def check_target(path: str, inputs: Sequence[Any], settings: Settings) -> None:
    """Refuse a state that would replace an input, and one of weights that depend on all rows.

    Raises
    ------
    UsageError
        Naming the option.
    """
    if settings.balanced:
        raise UsageError(
            "--class-weight balanced counts the labels of all rows, and --state is of some of them",
            advice="--class-weight NAME=W gives each weight",
        )
    if any(isinstance(given, str | os.PathLike) and same_file(path, given) for given in inputs):
        raise UsageError(f"{shown(path)} is an input; it would be overwritten")


def _cover(feed: Feed, bundle: Bundle, matches: Matches, sums: Sequence[str | None], file: str) -> Cover:
    """What a run covers, once all its rows were read; `sums` are the digests of its inputs."""
    plan, shard = feed.plan, feed.shard
    joined = [False, *(True for _ in plan.joins)]
    joined += [False] * (len(feed.sources) - len(joined))
    read: int = bundle["scores"].read
    counts = [read, *(plan.joins[j - 1].rows.count if joined[j] else read for j in range(1, len(joined)))]
    inputs = tuple(
        Covered(t.path, t.format, n, max(1, len(t.files)), _bytes(t, files_in(source)), s, t.header, t.unused, j)
        for t, source, n, s, j in zip(plan.inputs, feed.sources, counts, sums, joined, strict=True)
    )
    identity = _identity(feed, inputs, bundle, sums)
    bits = tuple(np.packbits(np.frombuffer(each, np.uint8)).tobytes().hex() for each in matches.used)
    return Cover(
        inputs,
        feed.given,
        0 if feed.rows is None else feed.rows.start,
        identity,
        file,
        None if shard is None else (shard.index, shard.count),
        feed.shared,
        () if shard is None else bits,
        plan.warnings,
        plan.uncertain_base,
    )


def _bytes(table: Table, files: Sequence[str]) -> int | None:
    paths = files or (table.path,)
    return sum(map(os.path.getsize, paths)) if table.format != "memory" and all(map(os.path.isfile, paths)) else None


def _identity(feed: Feed, inputs: Sequence[Covered], bundle: Bundle, sums: Sequence[str | None]) -> str:
    """A digest of what was read: of the files or the data; of a shard of rows, which reads a part, of its sums."""
    if feed.rows is not None:
        paths = [given.path for given in inputs]
        return _digest([paths, [feed.rows.start, feed.rows.stop], bundle["scores"].to_plain()])
    held = (source for source, sum_ in zip(feed.sources, sums, strict=True) if sum_ is None and source.repeatable)
    picks = {id(source): picks for source, picks in zip(feed.sources, feed.plan.picks, strict=True)}
    return _digest([*sums, *(_digest_of_data(source, picks[id(source)]) for source in held)])


def _digest_of_data(source: Source, picks: Selection) -> str:
    """A digest of the columns in memory that a run reads."""
    total = hashlib.sha256()
    for part in source.parts() if picks else ():
        rows = part.load(picks)
        for values in (*rows.values.values(), *(lists.flat for lists in rows.lists.values())):
            array = values if isinstance(values, np.ndarray) and values.dtype != object else None
            total.update(repr(list(values)).encode("utf-8", "surrogatepass") if array is None else array.tobytes())
    return total.hexdigest()


def read(path: str) -> State:
    """Read a state.

    Raises
    ------
    DataError
        For a file that is no state, was changed after it was written, or is of another version.
    FileError
        When it cannot be read.
    """
    text = _text(path)
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


def _text(path: str) -> bytes:
    """The bytes of a file, inflated if compressed, at most the limit of a JSON document."""
    try:
        with open_file(path, "in order") as file:
            if file.peek(2)[:2] != _GZIP:
                text = file.read(DEFAULT.batch + 1)
            else:
                with gzip.open(file) as inflated:
                    text = inflated.read(DEFAULT.batch + 1)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise DataError(f"a state that is cut off or damaged: {error}", place=Place(path), advice=_AGAIN) from None
    except OSError as error:
        raise FileError(f"cannot be read: {error.strerror or error}", place=Place(path)) from None
    if len(text) > DEFAULT.batch:
        raise FileError(f"a state of more than {DEFAULT.batch:,} bytes", place=Place(path))
    return text


def _read(path: str, whole: Mapping[str, Any]) -> State:
    body = whole["state"]
    if _digest(body) != whole["sha256"]:
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
