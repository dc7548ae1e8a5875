"""Cover and Decided: the part of a state besides its sums, that is, the inputs of a run and its decisions."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from xentcli.analysis.identities import digest_of_counts, digest_of_sums, identity_of, keys_of_files, keys_of_labels
from xentcli.errors import Warning
from xentcli.pairing import Feed, Matches, Plan
from xentcli.pairing.plan import Table
from xentcli.pairing.reference import Reference
from xentcli.readers.digest import Digest
from xentcli.readers.source import Pick, Selection, files_in
from xentcli.records import record, replace
from xentcli.settings import Settings
from xentcli.tallies.bundle import Bundle
from xentcli.tallies.contents import Contents
from xentcli.tallies.scores import Scores

__all__ = ["Cover", "Covered", "Decided", "cover_of"]


@record(frozen=True)
class Covered:
    """An input of a run, with the numbers of rows, files and bytes read.

    Attributes
    ----------
    sha256
        SHA-256 of the bytes; None for data in memory, and if each shard reads a part of the file.
    joined
        Whether its rows are matched by ids, so that each shard reads all of them.
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

    def digest(self, size: int | None, scores: Sequence[Scores]) -> str:
        """Return a digest of labels from what is known without hashing their bytes."""
        return digest_of_counts(self.path, size, self.rows if self.joined else None, scores)


@record(frozen=True)
class Cover:
    """The rows that one run covers.

    Attributes
    ----------
    inputs
        The inputs, predictions first.
    rows, start
        The number of numbered rows of the predictions, and the number before the first.
    identity
        A digest of the data that was read.
    contents
        A hash of the rows that were scored; those of all shards add up to that of the input.
    sums
        A digest of the sums over all rows of the input; empty for a shard until all N are merged.
    file
        The file name under which the state was first written.
    shard, whole
        I and N of --shard, None once all N are merged; and what was divided: files or rows, how many, and a
        digest of the names of the files, and of the size and the ends of the first of each input.
    place
        I of --shard, kept after merging; 0 without --shard.
    files
        For each file of predictions, its name and a digest of it and its labels, if that identifies it.
    labels
        The keys that identify the labels, from keys_of_labels; empty if they have no file of their own.
    counts
        A digest of the path, the size and the class counts of the labels, as a shard of rows has no digest of their
        bytes; empty for a shard until all N are merged.
    used
        For each further input matched by ids, which of its rows have a prediction, as hexadecimal bits; without
        --shard only for the labels, and only if some have none.
    uncertain_base
        As in Plan.
    """

    inputs: tuple[Covered, ...]
    rows: int
    start: int
    identity: str
    contents: Contents
    sums: str
    file: str
    shard: tuple[int, int] | None
    whole: tuple[str, int, str] | None
    place: int
    files: tuple[tuple[str, str], ...]
    labels: tuple[tuple[str, str], ...]
    counts: str
    used: tuple[str, ...]
    warnings: tuple[Warning, ...]
    uncertain_base: bool

    @property
    def name(self) -> str:
        """Its name in messages."""
        index = "" if self.shard is None else f" (shard {self.shard[0]}/{self.shard[1]})"
        return f"{self.inputs[0].path}{index}"

    def predicted(self, place: int = 0) -> int:
        """Return `used` of a further input (from 0, the labels) as an int, whose bits may be combined."""
        return int(self.used[place] or "0", 16)

    @property
    def is_sound(self) -> bool:
        """Whether counts are not negative and the shard is one of N."""
        counts = [self.rows, self.start, *(c for i in self.inputs for c in (i.rows, i.files, i.bytes or 0))]
        shard = self.shard is None or 1 <= self.shard[0] <= self.shard[1]
        return bool(self.inputs) and min(counts) >= 0 and shard and (self.shard is None or self.whole is not None)


def _columns_of(plan: Plan, picks: Selection) -> dict[str, tuple[int, ...]]:
    """The columns of each role; merged runs know by the name of the role that ids may be none."""
    counted = {"index": "counted"} if plan.has_counted else {}
    return {counted.get(role, role): pick.columns for role, pick in picks.items()}


_OF_PLAN = ("classes", "label_columns", "slice_columns", "shown_columns", "has_label_file", "reference")
_OF_RECIPE = ("clip", "renormalize", "per_row", "precision", "single")
"""The decisions that are fields of a plan, and of its recipe."""


@record(frozen=True)
class Decided:
    """The decisions of a run before its first row on which figures and messages depend."""

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
        """Return the decisions of a plan."""
        matcher, weights, dtype = plan.matcher, plan.recipe.class_weight, plan.predictions.dtype
        return cls(
            matched=None if matcher is None else matcher.matched,
            note="" if matcher is None else matcher.note,
            by_name=bool(getattr(matcher, "by_name", False)),
            class_weight=None if weights is None else tuple(weights.tolist()),
            alignment=plan.alignment,
            # Columns of two names are compared where first rows show ids in both: other runs may differ in that.
            compare_row_names=plan.compare_row_names and not plan.compared_apart,
            names=plan.predictions.names,
            dtype=None if dtype is None else dtype.str,
            roles=tuple(_columns_of(plan, picks) for picks in plan.picks),
            **{name: getattr(plan, name) for name in _OF_PLAN},
            **{name: getattr(plan.recipe, name) for name in _OF_RECIPE},
        )

    def plan(self, settings: Settings, set_by_compat: Mapping[str, Any], covers: Sequence[Cover]) -> Plan:
        """Return the plan of a single run over everything covered."""
        weights = None if self.class_weight is None else np.array(self.class_weight)
        recipe = replace(settings.recipe(), class_weight=weights, **{name: getattr(self, name) for name in _OF_RECIPE})
        dtype = None if self.dtype is None else np.dtype(self.dtype)
        first = covers[0].inputs
        names = [self.names, *((),) * (len(first) - 1)]
        tables = [Table(i.path, i.format, i.header, of, 0, dtype, i.unused) for i, of in zip(first, names, strict=True)]
        return Plan(
            settings=settings,
            recipe=recipe,
            set_by_compat=set_by_compat,
            inputs=tuple(tables),
            picks=tuple({role: Pick(columns) for role, columns in roles.items()} for roles in self.roles),
            matcher=None if self.matched is None else _Known(self.matched, self.note, self.by_name),
            compare_row_names=self.compare_row_names,
            joins=(),
            warnings=tuple(dict.fromkeys(warning for cover in covers for warning in cover.warnings)),
            uncertain_base=all(cover.uncertain_base for cover in covers),
            **{name: getattr(self, name) for name in _OF_PLAN},
        )


@record(frozen=True)
class _Known:
    """Stands for the matcher of the runs, whose labels are not read again."""

    matched: str
    note: str
    by_name: bool

    def targets(self, values: Any, where: Any) -> Any:
        """Match nothing."""
        raise NotImplementedError


def cover_of(feed: Feed, bundle: Bundle, matches: Matches, sums: Sequence[Digest | None], file: str) -> Cover:
    """Return what a run covers, after all rows were read; `sums` are the digests of its inputs."""
    plan, shard, scores = feed.plan, feed.shard, bundle["scores"]
    joined = [False, *(True for _ in plan.joins)]
    joined += [False] * (len(feed.sources) - len(joined))
    read: int = scores.read
    counts = [read, *(plan.joins[j - 1].rows.count if joined[j] else read for j in range(1, len(joined)))]
    inputs = tuple(
        Covered(
            t.path,
            t.format,
            n,
            max(1, t.files),
            _bytes(t, files_in(source)),
            None if s is None else s.whole,
            t.header,
            t.unused,
            j,
        )
        for t, source, n, s, j in zip(plan.inputs, feed.sources, counts, sums, joined, strict=True)
    )
    known = plan.has_label_file and shard is None
    return Cover(
        inputs,
        feed.given,
        0 if feed.rows is None else feed.rows.start,
        identity_of(feed, bundle, sums),
        bundle["contents"],
        "" if shard is not None else digest_of_sums(inputs[0].path, inputs[0].bytes, [scores], [bundle["contents"]]),
        file,
        None if shard is None else (shard.index, shard.count),
        feed.shared,
        0 if shard is None else shard.index,
        keys_of_files(feed, sums),
        keys_of_labels(feed, scores, sums) if plan.has_label_file else (),
        inputs[1].digest(inputs[1].bytes, [scores]) if known else "",
        tuple(map(_bits, matches.used if shard is not None else _partly(matches.used[:1]))),
        plan.warnings,
        plan.uncertain_base,
    )


def _partly(used: Sequence[bytes]) -> Sequence[bytes]:
    return used if any(0 in each for each in used) else ()


def _bits(used: bytes) -> str:
    """Flags, a byte each, as hexadecimal bits."""
    return np.packbits(np.frombuffer(used, np.uint8)).tobytes().hex()


def _bytes(table: Table, files: Sequence[str]) -> int | None:
    paths = files or (table.path,)
    return sum(map(os.path.getsize, paths)) if table.format != "memory" and all(map(os.path.isfile, paths)) else None
