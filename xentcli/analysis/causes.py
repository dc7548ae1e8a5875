"""causes(): rank the causes of a high cost: subsets of rows whose share of the cost exceeds their share of the rows.

Everything comes from the tallies of one pass. A second pass is made only if the columns seem to be in
another order, to compute what that costs.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from functools import partial
from operator import itemgetter
from typing import Any

import numpy as np

from xentcli.analysis.details import finite_tail, worst_part
from xentcli.analysis.reordering import better_order
from xentcli.analysis.score import Tallied, diagnosed, is_stdin, opened, retried, tally
from xentcli.arrays import Floats, Ints
from xentcli.attempts import attempted
from xentcli.columns.column import Values, texts_of
from xentcli.columns.numerals import in_points, is_number, whole
from xentcli.engine.scorer import Scorer
from xentcli.errors import FileError
from xentcli.pairing import Plan
from xentcli.pairing.alignment import PartQueue
from xentcli.pairing.labels import WhereRow
from xentcli.pairing.matchers import Matcher
from xentcli.readers.source import BLOCK_BYTES, Pick, Source
from xentcli.records import record, replace
from xentcli.report.causes import Cause, Causes
from xentcli.report.document import InputFile
from xentcli.report.numbers import decimals, in_column
from xentcli.scoring.kinds import KINDS
from xentcli.settings import Settings, takes_options
from xentcli.tallies.groups import named
from xentcli.tallies.moments import Moments
from xentcli.tallies.tail import least_of

__all__ = ["causes"]

MOST = 8
"""Maximum number of causes listed."""
LOOK_AT = 1000
MOST_GROUPS = 50
_WHOLE = {
    "columns-permuted",
    "confidence-of-prediction",
    "hard-predictions",
    "index-base",
    "label-is-prediction",
    "probabilities-as-logits",
    "shifted",
    "softmax-twice",
    "worse-than-prior",
}


@takes_options("explain", also=("by",))
def causes(predictions: Any, labels: Any = None, settings: Settings | None = None, **options: Any) -> Causes:
    """Rank what makes a cost high: zeros, a class, a group, the worst rows, a wrong order.

    Takes the same inputs and settings as ``score``. Without `by` the columns that have
    no role and few values are looked at too.

    Raises
    ------
    UsageError, DataError, FileError, NoVerdict
        As ``score`` does.

    Examples
    --------
    >>> found = causes([[0.9, 0.1], [0.8, 0.2], [0.7, 0.3], [0.9, 0.1]], [0, 0, 0, 1])
    >>> [(cause.name, round(cause.share, 2)) for cause in found.causes]
    [('class 1', 0.77), ('worst 1 % of rows', 0.77)]
    """
    chosen = Settings.chosen(settings, options, causes)
    by_class = KINDS[chosen.kind].labelled and not chosen.label_smoothing
    chosen = replace(chosen, by_class=by_class, worst=0, show=(), metrics=None)
    if chosen.by:
        return _of(predictions, labels, chosen)
    try:
        return _of(predictions, labels, replace(chosen, by=_groups(predictions, labels, chosen)))
    except FileError:
        # An auto-chosen column may exceed --max-groups: retry without it. A real error recurs.
        return _of(predictions, labels, chosen)


def _groups(predictions: Any, labels: Any, settings: Settings) -> tuple[str, ...]:
    """The columns without a role that have few distinct values, and no decimals, in the first rows."""
    if any(map(is_stdin, (predictions, labels))):
        return ()
    feed = opened(predictions, labels, settings)
    if not feed.repeatable:
        return ()
    found = []
    for source, table in zip(feed.sources, feed.plan.inputs, strict=True):
        for name in table.unused:
            if name in source.names and 2 <= len(_values(source, name)) <= MOST_GROUPS:
                elsewhere = sum(name in other.names for other in feed.sources) > 1
                found.append(f"@{source.path}:{name}" if elsewhere else name)
    return tuple(found)


def _values(source: Source, name: str) -> set[str]:
    """The distinct values of a column in its first rows; empty if any is a decimal."""
    pick = Pick((source.names.index(name),), "text")
    values: set[str] = set()
    for rows in PartQueue(source, BLOCK_BYTES).look({"by": pick}, LOOK_AT):
        values |= set(texts_of(rows.values["by"]))
    numerals = [in_points(text, source.traits.decimal) for text in values]
    return set() if any(is_number(text) and whole(text) is None for text in numerals) else values


def _of(predictions: Any, labels: Any, settings: Settings) -> Causes:
    def attempt(whole: bool) -> Tallied:
        feed = opened(predictions, labels, settings, whole=whole)
        return tally(Scorer(feed.plan, tail=True), feed)

    tallied = retried(attempt, predictions, labels)
    report = diagnosed(tallied.report(), tallied)
    found = [*_zeros(tallied), *_classes(tallied), *_by(tallied), *_worst(tallied)]
    ranked = sorted(found, key=lambda cause: -(cause.share or 0.0))
    whole_ = [
        Cause(w.code, "", attempted(partial(_order_share, tallied, w.code), None), None, None, w.message, w.advice)
        for w in report.warnings
        if w.code in _WHOLE
    ]
    return Causes(
        cost=report.cost,
        unit=report.unit,
        examples=report.examples,
        prior=report.prior,
        causes=(*whole_, *ranked[:MOST]),
        inputs=tuple(InputFile(given.path, given.format, given.rows, None, given.header) for given in report.inputs),
        standard_error=report.standard_error,
    )


def _zeros(tallied: Tallied) -> Iterator[Cause]:
    """Rows that assign probability 0 to the true class: they make up all of an infinite cost."""
    total = tallied.total
    if total.infinite.count:
        rest = total.cost_of_the_rest
        unit = tallied.plan.settings.nats_per_unit
        without = "nothing is left" if rest is None else f"the cost of the rest is {rest / unit:.4g}"
        rows = total.infinite.count
        yield Cause("zeros", "q = 0 at the truth", 1.0, rows, np.inf, without, f"--worst {min(rows, 20)}")


def _classes(tallied: Tallied) -> Iterator[Cause]:
    if tallied.total.soft:
        return
    names = tallied.plan.classes
    word, problems = ("column", len(names)) if tallied.plan.settings.multilabel else ("class", 1)
    for index, part in sorted(tallied.bundle[f"by_{word}"], key=itemgetter(0)):
        yield from _more_than_its_rows(tallied, "class", f"{word} {names[index]}", part["cost"], "--by-class", problems)


def _by(tallied: Tallied) -> Iterator[Cause]:
    settings = tallied.plan.settings
    for spec, columns, slices in zip(
        settings.slices, tallied.plan.slice_columns, tallied.bundle["by"].each, strict=True
    ):
        for group, part in sorted(slices, key=itemgetter(0)):
            name = ", ".join(f"{column} {value}" for column, value in named(columns, group).items())
            yield from _more_than_its_rows(tallied, "group", name, part["cost"], f"--by {shlex.quote(spec)}")


def _more_than_its_rows(
    tallied: Tallied, code: str, name: str, part: Moments, more: str, problems: int = 1
) -> Iterator[Cause]:
    """The cause for a group of rows whose share of the cost exceeds its share of the rows."""
    total = tallied.total.cost
    share = part.mean.share_of(total.mean, problems)
    rows = part.mean.b.over(total.mean.b.times(problems))
    if share is None or share < 0.02 or share < 1.1 * rows or rows == 1:
        return
    unit = tallied.plan.settings.nats_per_unit
    rest = part.mean.rest_of(total.mean, problems).value / unit
    places = decimals(None if total.standard_error is None else total.standard_error / unit)
    yield Cause(
        code, name, share, part.rows, part.mean.value / unit, f"the other rows average {in_column(rest, places)}", more
    )


def _worst(tallied: Tallied) -> Iterator[Cause]:
    """The 1 % of rows with the largest finite losses, rounded up to whole steps of the tail."""
    total = tallied.total
    part, least = worst_part(finite_tail(tallied.bundle))
    taken = part.rows
    share = part.mean.share_of(total.cost.mean)
    if not taken or taken == total.scored or share is None or share < 0.05:
        return
    unit = tallied.plan.settings.nats_per_unit
    yield Cause(
        "worst",
        "worst 1 % of rows",
        share,
        taken,
        part.mean.value / unit,
        f"losses of {least_of(least) / unit:.3g} and more",
        f"--worst {min(taken, 20)}",
    )


@record(frozen=True)
class _Reordered:
    """A matcher that maps targets to reordered columns."""

    matcher: Matcher
    inverse: Ints
    note: str = ""

    @property
    def matched(self) -> str:
        """The rule of the labels, unchanged."""
        return self.matcher.matched

    def targets(self, values: Values, where: WhereRow) -> Ints | Floats:
        """Return the column of each label in the new order; labels are hard."""
        found: Ints = self.inverse[np.asarray(self.matcher.targets(values, where)).astype(np.int64)]
        return found


def _order_share(tallied: Tallied, code: str) -> float | None:
    """The share of the cost that reordering the columns would save; None for other causes."""
    plan, confusion, cost = tallied.plan, tallied.bundle["confusion"], tallied.total.cost.mean.value
    if code != "columns-permuted" or confusion is None or not tallied.feed.repeatable or not np.isfinite(cost):
        return None
    order = better_order(confusion.pairs, len(plan.classes))
    if order is None or plan.matcher is None:
        return None
    weights = plan.recipe.class_weight
    matcher = _Reordered(plan.matcher, np.argsort(np.array(order)))
    recipe = replace(plan.recipe, class_weight=None if weights is None else weights[order])
    reordered: Plan = replace(plan, matcher=matcher, recipe=recipe)
    return max(0.0, 1 - tally(Scorer(reordered), tallied.feed.again()).total.cost.mean.value / cost)
