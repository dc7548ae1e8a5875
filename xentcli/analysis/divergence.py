"""Compare predictions without labels: KL divergence in both directions, and agreement of the top class."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from xentcli.analysis.comparison import inputs_of
from xentcli.analysis.score import opened, source_of
from xentcli.analysis.student import interval_of
from xentcli.analysis.summary import input_of
from xentcli.arrays import Floats
from xentcli.engine.passes import batches_again
from xentcli.engine.tasks import refuse_cluster
from xentcli.errors import DataError, Place, UsageError, Warning
from xentcli.options import spelled
from xentcli.pairing import Feed
from xentcli.pairing.headers import with_headers
from xentcli.records import record, replace
from xentcli.report.comparison import Comparison, Divergence, DivergentRows, Model
from xentcli.report.document import Examples
from xentcli.scoring.batch import log_scores
from xentcli.settings import Settings
from xentcli.tallies.infinite import Infinite
from xentcli.tallies.moments import Moments
from xentcli.tallies.tally import Tally

__all__ = ["divergences"]

_OF_PREDICTIONS = {
    *("kind", "preds", "class_axis", "scale", "temperature", "renormalize", "sum_tolerance", "base", "confidence"),
    *("align", "input_format", "dtype", "delimiter", "decimal", "header", "no_header"),
    *("max_columns", "max_field", "max_inflated", "max_batch", "max_groups"),
}
"""The options that apply to distributions without labels."""
_LABELS = "--labels FILE or --label COLUMN"


def divergences(models: Sequence[tuple[str, Any]], settings: Settings, *, threads: int | None) -> Comparison:
    """Compare each model with the first, row by row, by position and without labels.

    With the distributions p of the reference and q of the model, the divergences of a row are
    KL(p || q) = sum_c p_c (ln p_c - ln q_c), and KL(q || p) (S. Kullback and R. A. Leibler, 1951).

    Raises UsageError for options that need labels or ids; DataError if row counts or the number of classes differ.
    """
    refuse_cluster("without labels the rows of two models are compared")
    if settings.id is not None:
        raise UsageError("without labels rows are matched by position; --id needs labels", advice=_LABELS)
    for name, row in settings.rows.items():
        if name not in _OF_PREDICTIONS and row.is_set(getattr(settings, name)):
            raise UsageError(f"{spelled(name)} has no use without labels", advice=_LABELS)
    feeds, found, warnings = [], [], []
    for name, data in models:
        with _named_as_labels(models, data, settings) as advice:
            feeds.append((name, _feed(data, settings)))
            if len(feeds) > 1:
                found.append(_compared(feeds[0], feeds[-1], settings, threads))
                if advice and not found[-1][0].unsure:
                    message = f"every probability of {name} is 0 or 1, as in a file of labels"
                    warnings.append(Warning("labels-as-model", message, advice))
    reference, *others = feeds
    rows = found[0][0].forward.rows
    paths = [(name, feed.sources[0].path) for name, feed in (reference, *others)]
    return Comparison(
        models=tuple(Model(name, path, rows, None) for name, path in paths),
        pairs=(),
        unit=settings.unit,
        kind=settings.kind,
        classes=reference[1].plan.classes,
        labels="",
        examples=Examples(rows, rows, 0, 0),
        kl=tuple(divergence for _, divergence in found),
        options=settings.changed(),
        inputs=inputs_of([[input_of(feed.plan, 0, rows)] for _, feed in (reference, *others)]),
        warnings=tuple(warnings),
    )


@contextmanager
def _named_as_labels(models: Sequence[tuple[str, Any]], data: Any, settings: Settings) -> Iterator[str]:
    """Give the command that takes a file of one column as the labels, or an empty text; errors in it have it too."""
    files = all(isinstance(model, str | os.PathLike) and os.path.isfile(model) for _, model in models)
    advice = ""
    if files and source_of("predictions", data, settings, "predictions").width == 1:
        kind = ["--kind", settings.kind] if settings.kind != "probs" else []
        others = [os.fspath(model) for _, model in models if model is not data]
        words = ["compare", *others, "--labels"] if len(others) > 1 else ["score", *others]
        advice = f"if it holds the labels: {shlex.join(['xent', *words, os.fspath(data), *kind])}"
    try:
        yield advice
    except DataError as error:
        if error.place is not None and advice and error.place.path == os.fspath(data):
            error.advice = (*error.advice, advice)
        raise


def _feed(data: Any, settings: Settings) -> Feed:
    """Open predictions alone; class 0 in every row stands in for the labels and is not used."""
    source = source_of("predictions", data, settings, "predictions")
    if not source.repeatable:
        raise DataError("a stream can be read once, and without labels it is read twice", place=Place(source.path))
    source, _, _ = with_headers(source, None, settings, ())
    side = {True: {"header": "predictions", "no_header": None}, False: {"header": None, "no_header": "predictions"}}
    header = {} if source.header is None else side[source.header]
    labels = np.broadcast_to(np.zeros(1, dtype=np.int64), sum(part.rows for part in source.parts()))
    # Without labels, no names tell which columns are classes.
    preds = f"#1:#{source.width}" if settings.preds is None and source.tabular else settings.preds
    return opened(data, labels, replace(settings, index_base=0, preds=preds, **header))


@record(frozen=True)
class _Apart(Tally):
    """The divergences of rows, how many of them have the same top class, and whether a q is neither 0 nor 1."""

    forward: Moments = Moments()
    backward: Moments = Moments()
    same: Moments = Moments()
    infinite: Infinite = Infinite()
    unsure: bool = False

    @classmethod
    def of(cls, p: Floats, q: Floats, start: int) -> _Apart:
        """Tally rows of ln p and ln q (f8[n, k]); `start` is the row of the first, from 0."""
        same = (p.argmax(axis=1) == q.argmax(axis=1)).astype(np.float64)
        forward, backward = _divergence(p, q), _divergence(q, p)
        infinite = Infinite.of(np.maximum(forward, backward), None, np.arange(start + 1, start + 1 + len(p)))
        one, two, three = (Moments.of(values, None) for values in (forward, backward, same))
        return cls(one, two, three, infinite, bool(np.any(np.isfinite(q) & (q != 0))))


def _divergence(p: Floats, q: Floats) -> Floats:
    """f8[n]: sum_c p_c (ln p_c - ln q_c) of ln p and ln q; a term with p_c = 0 is 0."""
    with np.errstate(invalid="ignore", over="ignore"):
        terms = np.where(np.isneginf(p), 0.0, np.exp(p) * (p - q))
    total: Floats = terms.sum(axis=1)
    # Rounding alone makes a divergence negative.
    return np.maximum(total, 0.0)


def _compared(
    reference: tuple[str, Feed], other: tuple[str, Feed], settings: Settings, threads: int | None
) -> tuple[_Apart, Divergence]:
    (old_name, old), (new_name, new) = reference, other
    classes = [len(feed.plan.classes) for feed in (old, new)]
    if classes[0] != classes[1]:
        raise DataError(
            f"{classes[1]} classes, and {old.sources[0].path} has {classes[0]}", place=Place(new.sources[0].path)
        )
    total = _Apart()
    for p, q in _together(_rows(old, threads), _rows(new, threads), old, new):
        total = total.merge(_Apart.of(p, q, total.same.rows))
    unit, level = settings.nats_per_unit, settings.confidence
    forward, backward = total.forward.mean.value / unit, total.backward.mean.value / unit
    one, two = (
        interval_of(m.mean.value, m.standard_error, m.rows, level, unit=unit, least=0.0)
        for m in (total.forward, total.backward)
    )
    infinite = DivergentRows(total.infinite.count, total.infinite.first)
    return total, Divergence(old_name, new_name, forward, backward, one, two, total.same.mean.value, infinite)


def _rows(feed: Feed, threads: int | None) -> Iterator[Floats]:
    """Yield ln q of all rows, f8[n, k]."""
    for batch in batches_again(feed, threads):
        scores = log_scores(batch)
        if batch.kind == "logits":
            top = scores.max(axis=1, keepdims=True)
            scores = scores - (top + np.log(np.exp(scores - top).sum(axis=1, keepdims=True)))
        yield scores


def _together(one: Iterator[Floats], two: Iterator[Floats], old: Feed, new: Feed) -> Iterator[tuple[Floats, Floats]]:
    """Yield the same rows of both, whatever their blocks; raises DataError if the row counts differ."""
    p: Floats | None = None
    q: Floats | None = None
    while True:
        p, q = (
            left if left is not None and len(left) else next((some for some in rows if len(some)), None)
            for left, rows in ((p, one), (q, two))
        )
        if p is None or q is None:
            if p is not q:
                path, other = (feed.sources[0].path for feed in ((new, old) if q is None else (old, new)))
                raise DataError(f"it has fewer rows than {other}", place=Place(path))
            return
        count = min(len(p), len(q))
        yield p[:count], q[:count]
        p, q = p[count:], q[count:]
