"""balanced(): class weights from the class frequencies, counted in a separate pass before scoring."""

from __future__ import annotations

import numpy as np

from xentcli.arrays import Floats, Ints
from xentcli.engine.scorer import Scorer
from xentcli.errors import DataError
from xentcli.pairing import Feed, Plan
from xentcli.records import replace

__all__ = ["balanced"]


def balanced(feed: Feed) -> Feed:
    """Return a feed whose plan has the weight W_c = n / (K n_c) for each class: scikit-learn's "balanced".

    n is the number of scored rows, n_c that of class c, and K the number of classes that occur. Counts are exact, so
    the order of rows does not matter. Only columns that decide which rows are scored are read: labels, weights, ids;
    predictions only with --skip-missing.

    Raises DataError for a stream, which can be read only once, and for soft targets.
    """
    plan = feed.plan
    if not feed.repeatable:
        raise DataError(
            "--class-weight balanced counts the labels before it scores them, and a stream is read once",
            advice=("save the stream to a file first", "--class-weight NAME=W gives the weights"),
        )
    scorer = Scorer(_of_labels(plan))
    counts: Ints = np.zeros(len(plan.classes), dtype=np.int64)
    for task in feed.again().tasks():
        for target in scorer.targets(task):
            counts += np.bincount(_index(target), minlength=len(counts))
    if plan.recipe.smoothing and not counts.all():
        absent = plan.classes[int(np.argmin(counts))]
        raise DataError(f"no label is {absent}, so --label-smoothing has no balanced weight for that class")
    there = counts > 0
    weights = np.ones(len(counts))
    weights[there] = counts.sum() / (np.count_nonzero(there) * counts[there])
    distributions = plan.matcher is not None and plan.matcher.matched == "distribution"
    return feed.with_plan(replace(plan, recipe=plan.recipe.weighted(weights, distributions=distributions)))


def _of_labels(plan: Plan) -> Plan:
    """A plan that loads only the labels and what decides which rows are scored."""
    roles = {"label", "weights", "id"}
    if plan.settings.skip_missing or plan.has_lists:
        roles |= {"preds", "reference"}
    picks = tuple({role: pick for role, pick in picks.items() if role in roles} for picks in plan.picks)
    return replace(plan, picks=picks, compare_row_names=False)


def _index(target: Ints | Floats) -> Ints:
    """The class of each row; raises DataError for a soft target."""
    if target.dtype.kind != "f":
        return target.astype(np.int64)
    shares: Floats = np.stack([1 - target, target], axis=1) if target.ndim == 1 else target.astype(np.float64)
    if not (np.count_nonzero(shares, axis=1) == 1).all():
        raise DataError(
            "--class-weight balanced counts labels, and here a target is shared among classes",
            advice="--class-weight NAME=W gives the weights",
        )
    found: Ints = np.argmax(shares, axis=1)
    return found
