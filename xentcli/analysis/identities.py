"""Digests that identify what a run read: its files or data, and its labels."""

from __future__ import annotations

import hashlib
import json
import math
import os
from collections.abc import Sequence
from functools import reduce
from typing import Any

import numpy as np

from xentcli.pairing import Feed
from xentcli.readers.digest import Digest
from xentcli.readers.source import Selection, Source, files_in
from xentcli.tallies.bundle import Bundle
from xentcli.tallies.contents import Contents
from xentcli.tallies.moments import Moments
from xentcli.tallies.scores import Scores
from xentcli.tallies.shares import ClassShares

__all__ = ["digest_of", "digest_of_counts", "digest_of_sums", "identity_of", "keys_of_files", "keys_of_labels"]

_SHORT = 24
"""Hex digits kept of a digest: two of a billion files agree by chance with a probability of 10**-11."""
_ENOUGH_BITS = 64
"""Equal labels with this much information are the same: others agree by chance with a probability of 10**-19."""


def digest_of(body: Any) -> str:
    """Return the SHA-256 of a JSON document."""
    text = json.dumps(body, allow_nan=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def digest_of_sums(path: str, size: int | None, scores: Sequence[Scores], contents: Sequence[Contents]) -> str:
    """A digest of the sums of an input: equal for any division into shards, and for a copy of the same size."""
    cost, rows = reduce(Moments.merge, (score.cost for score in scores)), reduce(Contents.merge, contents)
    return digest_of([path if size is None else size, cost.to_plain(), _classes_of(scores).to_plain(), rows.to_plain()])


def digest_of_counts(path: str, size: int | None, rows: int | None, scores: Sequence[Scores]) -> str:
    """A digest of the path, size and class counts of labels, or, if given, their `rows`; empty if not from files."""
    if size is None:
        return ""
    return digest_of([path, size, _classes_of(scores).to_plain() if rows is None else rows])[:_SHORT]


def _classes_of(scores: Sequence[Scores]) -> ClassShares:
    """The class counts of all rows of several scores."""
    return reduce(ClassShares.merge, (score.classes for score in scores))


def keys_of_labels(feed: Feed, scores: Scores, sums: Sequence[Digest | None]) -> tuple[tuple[str, str], ...]:
    """Return the keys that identify the labels, the second source of a feed: of all, and of each of several files.

    A key is "bytes" or "path", and a digest: equal bytes are the same labels if these are too many to agree by chance,
    else only under the same path.
    """
    source, digest = feed.sources[1], sums[1]
    if feed.rows is not None:
        return ()
    if digest is None or digest.identity is None:
        held = source.repeatable and source.format == "memory"
        known = [("", _digest_of_data(source, feed.plan.picks[1]))] if held else []
    else:
        paths = files_in(source)
        each = [*zip(paths, digest.files, strict=True)] if len(paths) == len(digest.files) else []
        known = [(source.path if source.repeatable else "", digest.identity), *each]
    found = []
    for place, (path, sha256) in enumerate(known):
        if _information(scores) >= _ENOUGH_BITS * (len(known) - 1 if place else 1):
            found.append(("bytes", digest_of(sha256)[:_SHORT]))
        if path:
            found.append(("path", digest_of([path, sha256])[:_SHORT]))
    return tuple(dict.fromkeys(found))


def _information(scores: Scores) -> float:
    """In bits: log2 of the number of orders of labels with these class counts, and 8 for each soft label."""
    counts = scores.classes.counts
    columns = (counts.reshape(-1, 2) if scores.classes.pairs else counts[None]).tolist()
    orders = sum(math.lgamma(sum(each) + 1) - sum(math.lgamma(count + 1) for count in each) for each in columns)
    return orders / math.log(2) + 8 * scores.soft_rows


def keys_of_files(feed: Feed, sums: Sequence[Digest | None]) -> tuple[tuple[str, str], ...]:
    """For each file of predictions, its name and a digest of it and its label file, or of it and its name."""
    digests = [() if digest is None else digest.files for digest in sums]
    paths = files_in(feed.sources[0]) or (feed.sources[0].path,)
    if len(digests[0]) != len(paths):
        return ()
    names = [os.path.basename(path.rstrip("/")) for path in paths]
    labels = digests[1] if feed.plan.has_label_file and len(digests) > 1 else None
    beside = [""] * len(names) if labels is None else labels if len(labels) == len(names) else names
    keys = (digest_of(pair)[:_SHORT] for pair in zip(digests[0], beside, strict=True))
    return tuple(zip(names, keys, strict=True))


def identity_of(feed: Feed, bundle: Bundle, sums: Sequence[Digest | None]) -> str:
    """A digest of what was read: of the files or data; for a shard of rows, which reads only a part, of its sums."""
    if feed.rows is not None:
        paths = [table.path for table in feed.plan.inputs]
        rows = [feed.rows.start, feed.rows.stop]
        return digest_of([paths, rows, bundle["scores"].to_plain(), bundle["contents"].to_plain()])
    found = [None if digest is None else digest.identity for digest in sums]
    held = (source for source, sum_ in zip(feed.sources, found, strict=True) if sum_ is None and source.repeatable)
    picks = {id(source): picks for source, picks in zip(feed.sources, feed.plan.picks, strict=True)}
    return digest_of([*found, *(_digest_of_data(source, picks[id(source)]) for source in held)])


def _digest_of_data(source: Source, picks: Selection) -> str:
    """A digest of the columns in memory that a run reads."""
    total = hashlib.sha256()
    for part in source.parts() if picks else ():
        rows = part.load(picks)
        for values in (*rows.values.values(), *(lists.flat for lists in rows.lists.values())):
            array = values if isinstance(values, np.ndarray) and values.dtype != object else None
            total.update(repr(list(values)).encode("utf-8", "surrogatepass") if array is None else array.tobytes())
    return total.hexdigest()
