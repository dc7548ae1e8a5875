"""Warnings of a report, and the reasons why figures are undefined."""

from __future__ import annotations

import math
import shlex
from collections.abc import Collection, Iterator

from xentcli.columns.numerals import localized
from xentcli.errors import Warning, shown
from xentcli.pairing import Plan
from xentcli.pairing.compared import RowNames
from xentcli.scoring.compat import COMPAT
from xentcli.tallies.scores import Scores

__all__ = ["CLUSTERED", "compat_note", "no_floor", "no_spread", "undefined", "warnings"]

CLUSTERED = "rows of a cluster are not independent"

_FEW_MISSING = 0.01
"""No warning is given for a smaller share of rows without a prediction."""


def undefined(plan: Plan, total: Scores, clusters: int | None, *, no_bytes: bool) -> dict[str, str]:
    """Return the reasons why figures are undefined, by figure; `no_bytes` says that the bytes sum to 0."""
    reasons = no_spread(total.scored, clusters, finite=not total.infinite.count)
    if plan.settings.bytes is None:
        reasons["bits_per_byte"] = "--bytes gives the bytes of the text"
    elif no_bytes:
        reasons["bits_per_byte"] = "the bytes sum to 0"
    if plan.reference is None:
        reasons |= dict.fromkeys(("reference_cost", "reference_skill"), "--reference gives a forecast to compare with")
    else:
        reasons |= _without_skill(total.means["reference_cost"].value)
    return {**reasons, **_without_labels(plan, total), **_without_entropy(plan, total)}


def _without_skill(reference_cost: float) -> dict[str, str]:
    """Why there is no skill relative to a reference with this cost."""
    if not reference_cost:
        return {"reference_skill": "the reference costs 0"}
    if math.isfinite(reference_cost):
        return {}
    return {"reference_skill": "the reference assigns probability 0 to the true class of a row; --clip EPS bounds it"}


def no_spread(
    rows: int,
    clusters: int | None,
    *,
    finite: bool = True,
    figures: Collection[str] = ("standard_error", "interval"),
    infinite: str = "the cost is infinite",
) -> dict[str, str]:
    """Return the reasons why the standard error and interval of a mean are undefined, by figure; empty if defined."""
    if not finite:
        reason = infinite
    elif rows < 2 or clusters == 1:
        reason = f"one {'row' if clusters is None else 'cluster'} has no standard error"
    else:
        return {}
    return dict.fromkeys(figures, reason)


def _without_labels(plan: Plan, total: Scores) -> dict[str, str]:
    """Why figures that need hard labels or class frequencies are undefined."""
    if plan.matcher is None:
        return dict.fromkeys(("accuracy", "brier", "prior", "skill", "nce"), "there are no labels")
    reasons = dict.fromkeys(("accuracy", "gap", "ece"), "targets are soft") if total.soft else {}
    if (floor := reasons.get("ece") or no_floor(plan)) is not None:
        reasons |= dict.fromkeys(("ece_floor", "ece_floor_95"), floor)
    if plan.settings.label_smoothing:
        reasons |= dict.fromkeys(("prior", "skill", "nce"), "labels are smoothed")
    elif not total.classes.entropy:
        reasons |= dict.fromkeys(("skill", "nce"), "all labels are one class")
    return reasons


def no_floor(plan: Plan) -> str | None:
    """Return why an ECE has no floor and its bins no intervals; None if they have."""
    if plan.settings.weights is not None or plan.recipe.class_weight is not None:
        return "rows are weighted"
    if plan.settings.cluster is not None:
        return CLUSTERED
    return "columns of a row are not independent" if plan.settings.multilabel else None


def _without_entropy(plan: Plan, total: Scores) -> dict[str, str]:
    """Why figures of soft targets are undefined."""
    if not total.soft:
        reason = "there are no labels" if plan.matcher is None else "targets are not soft"
    elif plan.settings.label_smoothing or plan.recipe.class_weight is not None:
        reason = "labels are smoothed or classes weighted"
    else:
        return {}
    return {"target_entropy": reason, "kl": reason}


def compat_note(plan: Plan) -> str | None:
    """Return which tool's value the cost is, and what --compat changed besides the formula."""
    settings = plan.settings
    if settings.compat is None:
        return None
    recipe, axis = plan.recipe, plan.set_by_compat.get("class_axis")
    did = [f"q kept in [{recipe.clip:.3g}, 1 - {recipe.clip:.3g}]"] if recipe.clip is not None else []
    did += ["each row divided by its sum"] if recipe.renormalize else []
    if recipe.per_row:
        did.append("divided by the number of rows")
    if axis is not None:
        did.append(f"classes on axis {axis}")
    return f"{COMPAT[settings.compat].title}: {'; '.join(did) or 'nothing but the formula'}"


def warnings(plan: Plan, total: Scores, names: RowNames) -> Iterator[Warning]:
    """Yield the warnings that follow from the tallies, without the diagnoses of findings.py."""
    settings = plan.settings
    if total.infinite.count:
        advice = "--clip EPS bounds q away from 0; or look at these rows"
        yield Warning("infinite", _infinite_message(plan, total), advice)
    for label in sorted(localized(text, settings.decimal_of_any) for text in settings.ignored - total.left_out.labels):
        yield Warning(
            "ignored-label-not-found",
            f"no row has the label {shown(label)}, so --ignore-label {shown(label)} ignores nothing",
            "check its spelling: labels are compared as text, 1.0 as 1",
        )
    if settings.renormalize and settings.compat is None:
        yield Warning(
            "renormalized", f"every row was divided by its sum; the sums were up to {total.deviation:.2g} from 1"
        )
    if total.left_out.missing > _FEW_MISSING * total.read:
        yield _missing(total, "prediction" if plan.reference is None else "prediction or reference")
    if total.underflows:
        yield _underflow(total.underflows)
    if plan.has_counted and names.shuffled:
        columns = f"{plan.compared} and {plan.compared_apart}" if plan.by_counted else "of two names"
        yield Warning(
            "row-names-differ",
            f"columns {columns} in the two files have the same numbers in another order; rows were matched by position",
            f"--align position silences this; if they are ids: {plan.by_counted or '--id in each run matches by them'}",
        )
    if plan.compare_row_names and not names.same and not plan.compared_apart:
        # The index of data in memory is what an unnamed first column is of a file.
        held = plan.predictions.format == "memory"
        names_ = "the indexes of predictions and labels" if held else "the unnamed first columns of both files"
        by = plan.compared or ("index" if held else "#1")
        yield Warning(
            "row-names-differ",
            f"{f'columns {plan.compared} of both files' if plan.compared else names_} differ; "
            "rows were matched by position",
            f"id={by!r} matches by them; align='position' silences this"
            if held
            else f"--id {shlex.quote(by)} matches by them; --align position silences this",
        )


def _missing(total: Scores, lacking: str) -> Warning:
    missing = total.left_out.missing
    share = f"{missing:,} of {total.read:,} rows ({100 * missing / total.read:.2g} %)"
    advice = f"the cost is that of the other rows; are those without a {lacking} the hard ones?"
    return Warning("missing-predictions", f"{share} have no {lacking} and were left out (--skip-missing)", advice)


def _underflow(count: int) -> Warning:
    numbers = "one number" if count == 1 else f"{count:,} numbers"
    read = f"too small for a double {'was' if count == 1 else 'were'} read as 0"
    return Warning("underflow", f"{numbers} {read}", "save log-probabilities")


def _infinite_message(plan: Plan, total: Scores) -> str:
    count = total.infinite.count
    rows = ", ".join(f"{row:,}" for row in total.infinite.first)
    more = ", ..." if count > len(total.infinite.first) else ""
    noun = f"{count:,} rows assign probability 0 to the true class: rows {rows}{more}"
    if count == 1:
        noun = f"1 row assigns probability 0 to the true class: row {rows}"
    dtype = plan.predictions.dtype if plan.settings.kind in ("probs", "true-probs") else None
    if dtype is not None and dtype.itemsize < 8 and dtype.kind == "f":
        noun += f" ({dtype.name} underflow? save log-probabilities)"
    return noun
