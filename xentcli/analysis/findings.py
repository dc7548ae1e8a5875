"""Warnings for known mistakes, from the tallies of all rows: each with its evidence and the option to use.

Nothing is repaired. To add one, write a function from a Case to warnings and list it in
_DIAGNOSES; one that fails is skipped (see `attempts`).
"""

from __future__ import annotations

import math
import shlex
from collections.abc import Callable, Iterator
from functools import partial

import numpy as np

from xentcli.attempts import attempted
from xentcli.errors import Warning
from xentcli.pairing import Plan
from xentcli.pairing.matchers import Distribution
from xentcli.records import cached_property, record
from xentcli.tallies.bases import FromOne
from xentcli.tallies.bundle import Bundle
from xentcli.tallies.confusion import Confusion, Pairs
from xentcli.tallies.cut import Cut
from xentcli.tallies.looks import Looks
from xentcli.tallies.scores import Scores

__all__ = ["LEAST_ROWS", "Case", "base_warning", "findings", "percent"]

LEAST_ROWS = 30
"""With fewer rows most patterns may be due to chance."""
LEAST_HARD = 10
_MANY_INFINITE = 0.1


@record(frozen=True, eq=False)
class Case:
    """The input of a diagnosis.

    Attributes
    ----------
    plan, total
        The plan, and the tallies of all rows.
    confusion, looks, cut
        The confusion matrix; properties shared by all predictions; the threshold that tells two classes apart.
    prior
        The cost of always predicting the class frequencies, in nats; None if undefined.
    """

    plan: Plan
    total: Scores
    confusion: Confusion
    looks: Looks
    cut: Cut
    prior: float | None

    @property
    def pairs(self) -> Pairs | None:
        """The pairs of true and predicted class; None if there are none or too few rows."""
        pairs = self.confusion.pairs
        return pairs if len(pairs.counts) and self.total.scored >= LEAST_ROWS and not self.total.soft else None

    @property
    def weighted(self) -> bool:
        """Whether rows have different weights, their own or those of their classes."""
        return self.total.classes.masses is not None or self.plan.recipe.class_weight is not None

    @property
    def unweighted(self) -> str:
        """A remark that a figure is unweighted, if others are weighted."""
        return " (unweighted)" if self.weighted else ""

    @cached_property
    def order(self) -> list[int] | None:
        """For each column the class that it stands for, if columns are swapped; else None."""
        if self.pairs is None:
            return None
        from xentcli.analysis.reordering import better_order

        return better_order(self.pairs, len(self.plan.classes))

    @property
    def comparable(self) -> bool:
        """Whether the cost can be compared to the prior: not with soft targets, nor with weights."""
        return bool(self.prior) and self.total.scored >= LEAST_ROWS and not self.total.soft and not self.weighted

    @cached_property
    def worse_than_prior(self) -> bool:
        """Whether the cost, or that of the rows with a finite loss, is significantly above the prior."""
        cost = self.total.cost_of_the_rest
        if not self.comparable or self.prior is None or cost is None or not cost > 1.02 * self.prior:
            return False
        error = self.total.standard_error_of_the_rest
        return error is not None and cost > 1.02 * self.prior + 2 * error

    @property
    def no_better_than_chance(self) -> bool:
        """Whether many losses are infinite and the accuracy is not above chance."""
        rows, pairs = self.total.scored, self.pairs
        if not self.comparable or pairs is None or self.total.infinite.count < _MANY_INFINITE * rows:
            return False
        chance = pairs.by_chance
        varied = bool(pairs.rows and np.ptp(pairs.predicted))
        return varied and pairs.accuracy() <= chance + 2 * math.sqrt(chance * (1 - chance) / rows)


Diagnosis = Callable[[Case], Iterator[Warning]]


def findings(case: Case) -> list[Warning]:
    """Return all warnings; a diagnosis that fails is skipped."""
    found: list[Warning] = []
    for diagnose in _DIAGNOSES:
        found += attempted(partial(list, diagnose(case)), [])
    return found


def percent(share: float, other: float) -> str:
    """Return a share in per cent, with one decimal or as many as distinguish it from the other.

    >>> percent(0.771, 0.969), percent(0.9712, 0.9714)
    ('77.1 %', '97.12 %')
    """
    digits = next((d for d in range(1, 6) if f"{100 * share:.{d}f}" != f"{100 * other:.{d}f}"), 1)
    return f"{100 * share:.{digits}f} %"


def _hard(case: Case) -> Iterator[Warning]:
    """Predicted classes instead of probabilities."""
    total = case.total
    cost = total.cost.mean if case.plan.recipe.clip is None else total.clipping.without
    if case.looks.hard and not cost.a.all_finite:
        wrong = "one wrong row makes the cost infinite"
        if case.plan.recipe.clip is not None:
            wrong = "clipping alone decides what a wrong row costs"
        yield Warning(
            "hard-predictions",
            f"every prediction is 0 or 1, as predicted classes are, so {wrong}",
            "save probabilities instead: in scikit-learn predict_proba, not predict",
        )


def _permuted(case: Case) -> Iterator[Warning]:
    """Columns in another order than the class names."""
    pairs, order = case.pairs, case.order
    if pairs is None or order is None:
        return
    now, then = pairs.accuracy(), pairs.accuracy(order)
    moved = [column for column, stands_for in enumerate(order) if stands_for != column]
    names = ", ".join(case.plan.classes[column] for column in moved[:8]) + (", ..." if len(moved) > 8 else "")
    how = "swapped" if len(moved) == 2 else "in another order"
    with_ = f"with the columns of classes {names} {how}"
    if case.total.column:
        with_ = "with the column read as the probability of the other class"
    yield Warning(
        "columns-permuted",
        f"{with_}, the accuracy would be {percent(then, now)}, not {percent(now, then)}{case.unweighted}",
        _order_advice(case.plan, order, one=case.total.column),
    )


def _order_advice(plan: Plan, order: list[int], *, one: bool) -> str:
    """The option for columns in that order, or a question if the column names in the file must be wrong.

    An option is a claim about the file, so the advice begins with its condition.
    """
    names = [plan.classes[stands_for] for stands_for in order]
    by_names = "--classes " + shlex.quote(",".join(names))
    if one:
        # --positive excludes --classes and --index-base.
        plain = plan.settings.classes is None and plan.settings.index_base is None
        option = "--positive " + shlex.quote(names[1]) if plain else by_names
        return f"if the column is the probability of the other class: {option}"
    if not _matched_by_name(plan):
        columns = plan.picks[0]["preds"].columns
        places = [columns[column] + 1 for column in np.argsort(order).tolist()]
        return f"if the columns are in another order than the classes: --preds '{_runs(places)}'"
    if plan.predictions.names or any("," in name for name in names):
        wrong = [column for column, stands_for in enumerate(order) if stands_for != column][:8]
        moved = ", ".join(f"{plan.classes[column]} holds {names[column]}" for column in wrong)
        return f"are the columns misnamed? By the labels, column {moved}"
    return f"if the columns are in this order: {by_names}"


def _matched_by_name(plan: Plan) -> bool:
    """Whether labels are matched to columns by class names."""
    matcher = plan.matcher
    if isinstance(matcher, Distribution):
        return matcher.by_name
    return matcher is not None and matcher.matched in ("name", "prefix")


def _runs(places: list[int]) -> str:
    """Column numbers as --preds takes them.

    >>> _runs([1, 2, 3, 5, 4, 6])
    '#1:#3,#5,#4,#6'
    """
    runs: list[list[int]] = []
    for place in places:
        if runs and place == runs[-1][-1] + 1:
            runs[-1].append(place)
        else:
            runs.append([place])
    texts = [[f"#{run[0]}:#{run[-1]}"] if len(run) > 2 else [f"#{place}" for place in run] for run in runs]
    return ",".join(text for group in texts for text in group)


def _worse(case: Case) -> Iterator[Warning]:
    """Predictions and labels of different rows; columns in another order have their own warning."""
    if case.order is not None:
        return
    advice = "are labels and predictions of the same rows, in the same order?"
    rest, prior, settings = case.total.cost_of_the_rest, case.prior, case.plan.settings
    if case.worse_than_prior and rest is not None and prior is not None:
        whose = "rows with a finite loss average" if case.total.infinite.count else "the cost is"
        yield Warning(
            "worse-than-prior",
            f"{whose} {settings.in_unit(rest)}, above {settings.in_unit(prior)}, "
            "the cost of always predicting the class frequencies",
            advice,
        )
    elif case.no_better_than_chance and case.pairs is not None:
        found, chance = percent(case.pairs.accuracy(), -1), percent(case.pairs.by_chance, -1)
        yield Warning(
            "worse-than-prior",
            f"the accuracy is {found}, no better than chance ({chance} expected)",
            advice,
        )


def _twice(case: Case) -> Iterator[Warning]:
    """A softmax applied to the output of a softmax."""
    pairs, mean = case.pairs, case.looks.twice
    if pairs is None or mean is None or len(case.plan.classes) < 3:
        return
    confidence, accuracy = mean.value, pairs.accuracy()
    if not math.isnan(confidence) and accuracy > confidence + 0.15:
        yield Warning(
            "softmax-twice",
            f"every row could be the softmax of probabilities: the accuracy is {percent(accuracy, -1)}, "
            f"the mean confidence {percent(confidence, -1)}{case.unweighted}",
            "was softmax applied twice? Save the input of the second one",
        )


def _never_predicted(case: Case) -> Iterator[Warning]:
    """Classes that are never predicted although they have at least 1/(2 K) of the rows."""
    pairs, classes = case.pairs, case.plan.classes
    if pairs is None or case.total.column:
        return
    rows = np.bincount(pairs.true, pairs.counts, minlength=len(classes))
    often = rows >= max(10, pairs.rows / (2 * len(classes)))
    often[pairs.predicted] = False
    never: list[int] = np.flatnonzero(often).tolist()
    if never:
        few = ", ".join(f"{classes[t]} ({int(rows[t]):,} rows)" for t in never[:5]) + (
            ", ..." if len(never) > 5 else ""
        )
        noun = "class is" if len(never) == 1 else "classes are"
        yield Warning("never-predicted", f"{len(never):,} {noun} never predicted: {few}", "--by-class shows each cost")


def _probabilities_as_logits(case: Case) -> Iterator[Warning]:
    """Logits that look like probabilities; not a single column, as real logits may lie from 0 to 1 too."""
    total, settings = case.total, case.plan.settings
    if settings.kind != "logits" or not case.looks.probable:
        return
    no_sum = total.column or settings.multilabel
    poor = total.scored >= 10 and case.prior is not None and total.cost.mean.value > case.prior
    if not no_sum or poor:
        yield Warning(
            "probabilities-as-logits",
            f"every logit lies from 0 to 1{'' if no_sum else ' and every row sums to 1'}, as probabilities do",
            "if they are probabilities: --kind probs",
        )


def _predicted(case: Case) -> Iterator[Warning]:
    """Labels that all equal the predicted class, which a calibrated model gives with P = exp(-sum of losses)."""
    pairs, total, plan = case.confusion.pairs, case.total, case.plan
    if not pairs.rows or total.soft or plan.settings.label_smoothing or total.infinite.count:
        return
    if pairs.accuracy() < 1 or not np.ptp(pairs.true):
        return
    # Weights count as fewer rows of equal weight (Kish): n = (sum w)^2 / sum w^2.
    squares = total.cost.bb.finite
    # Squares of tiny weights underflow to 0 (then skip), those of large ones overflow to infinity (then 0 rows).
    rows = (total.cost.mean.b.finite / math.sqrt(squares)) ** 2 if squares else 0.0
    yield from _as_predicted(case, -rows * total.cost.mean.value, "every label is the predicted class")


def _threshold(case: Case) -> Iterator[Warning]:
    """Labels of two classes that a threshold other than 0.5 gives, in all rows, where their name or place is suspect.

    A model that ranks all rows right, and is not sure of it, gives the same: these numbers alone are no evidence.
    """
    pairs, cut = case.confusion.pairs, case.cut
    if (
        not case.plan.doubtful_labels
        or not pairs.rows
        or pairs.accuracy() == 1
        or not np.ptp(pairs.true)
        or case.weighted
        or not cut.apart
        or cut.rows < pairs.rows
    ):
        return
    name, (low, high) = case.plan.classes[1], (cut.low, cut.high)
    what = f"every label is {name} where its probability is {high:.4g} or more, and none where it is {low:.4g} or less"
    yield from _as_predicted(case, cut.log_chance, what)


def _as_predicted(case: Case, log_chance: float, what: str) -> Iterator[Warning]:
    """The warning that labels look like the prediction, if their chance is below 1 in 1,000,000; less if suspected."""
    plan = case.plan
    names = plan.label_columns if len(plan.label_columns) == 1 else ()
    chance = 20 if case.plan.doubtful_labels else 1_000_000
    if not -log_chance > math.log(chance):
        return
    where = "".join(f"column {name} of " for name in names) + plan.inputs["label" not in plan.picks[0]].path
    preds = shlex.quote(plan.predictions.path)
    yield Warning(
        "label-is-prediction",
        f"{where} looks like the prediction itself, not the truth: {what}, and with "
        f"these probabilities that has a chance below 1 in {chance:,}",
        f"is the truth in another column or file? --label NAME, or xent score {preds} LABELS",
    )


def _confidence(case: Case) -> Iterator[Warning]:
    """A confidence of the predicted class given as the probability of the positive class."""
    pairs, sure = case.confusion.pairs, case.looks.sure
    if sure is None or case.total.soft or pairs.rows < LEAST_HARD or len(case.plan.classes) != 2:
        return
    from xentcli.analysis.confidence import expected_positives, is_confidence

    if not is_confidence(*sure.all):
        return
    positives, positive = int(pairs.counts[pairs.true == 1].sum()), case.plan.classes[1]
    expected = expected_positives(*sure.all)
    yield Warning(
        "confidence-of-prediction",
        f"no probability is below 0.5, and {positives:,} of {pairs.rows:,} labels are {positive} where "
        f"about {expected:,.0f} are expected: this looks like the confidence of the predicted class",
        f"save the probability of {positive}: the confidence where {positive} is predicted, 1 minus it elsewhere",
    )


_DIAGNOSES: tuple[Diagnosis, ...] = (
    _predicted,
    _threshold,
    _confidence,
    _probabilities_as_logits,
    _hard,
    _permuted,
    _worse,
    _twice,
    _never_predicted,
)


def base_warning(plan: Plan, bundle: Bundle) -> Warning | None:
    """Return a warning if labels counted from 1 fit better, with both costs, or None."""
    found: FromOne | None = bundle["from_one"]
    cost, settings = bundle["scores"].cost.mean.value, plan.settings
    if found is None or not found.fits_better or not (other := found.cost.value) < cost:
        return None
    return Warning(
        "index-base",
        f"labels are read as counted from 0, and neither 0 nor {len(plan.classes)} occurs: the cost is "
        f"{settings.in_unit(cost)}; counted from 1 it would be {settings.in_unit(other)}",
        "--index-base 1 counts from 1, --index-base 0 from 0",
    )
