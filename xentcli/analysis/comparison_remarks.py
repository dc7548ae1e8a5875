"""Notes and warnings of a comparison."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from xentcli.analysis.contrasts import Contrasts
from xentcli.analysis.model_rows import ModelRows
from xentcli.errors import Warning, shown
from xentcli.report.alike import alike, of_models
from xentcli.report.comparison import Pair
from xentcli.report.document import counted

__all__ = ["notes_on", "warnings_of"]

FEW_ROWS, FEW_CLUSTERS, MUCH = 100, 40, 0.1
"""Warn about fewer rows or clusters, or a row with a larger share of the variance."""


def notes_on(
    models: Sequence[ModelRows], contrasts: Contrasts, pairs: Sequence[Pair], unfitted: str, *, order_turns: bool
) -> Iterator[str]:
    """Yield the notes on a comparison of models, the reference first, and their changes.

    `unfitted` is why no temperatures were fitted, if that was not requested; `order_turns` says that they reverse the
    order of two models.
    """
    if not contrasts.same_rows:
        scored, extra = contrasts.scored, contrasts.extra
        counts = [f"{model.name} has {scored[at] + extra[at]:,}" for at, model in enumerate(models[:5])]
        more = ", ..." * (len(models) > 5)
        yield f"compared on the {contrasts.rows:,} rows that all have: {', '.join(counts)}{more}"
    for pair in pairs if len(models) == 2 else ():
        if pair.metric == "cost" and pair.change and (pair.wins - pair.losses) * pair.change > 0:
            most = pair.model if pair.wins > pair.losses else pair.reference
            yield f"{most} has the smaller loss on more rows, but the larger mean"
    if unfitted:
        yield f"calibrated is left out: {unfitted}"
    if not contrasts.same_rows and any(model.fitted.temperature is not None for model in models):
        yield "calibrated is left out: temperatures are fitted on all rows of a file, and the files differ in rows"
    unfit = [(model.name, (model.fitted.reason,)) for model in models if model.fitted.reason]
    for names, (reason,), of in alike(unfit):
        yield f"calibrated is left out: {of_models(names, len(models))}: {reason}{of}"
    if order_turns:
        each = ", ".join(f"{model.name} {model.fitted.temperature:.3g}" for model in models)
        yield f"the order turns once each model has its own temperature ({each})"
    if len(models) > 2:
        yield "the best of many looks better than it is: its cost was chosen on these rows"


def warnings_of(
    models: Sequence[ModelRows],
    rows: int,
    pairs: Sequence[Pair],
    clusters: int | None,
    row_names: Sequence[str] | None,
) -> Iterator[Warning]:
    """Yield the warnings of the models, then those of few rows, or clusters, and of rows that dominate.

    `row_names` has the id of each row, if rows are matched by ids.
    """
    reports = {id(model.scores): (model.name, model.scores) for model in models}
    found = [(name, (w.code, w.message, w.advice)) for name, one in reports.values() for w in one.warnings]
    for names, (code, message, advice), of in alike(found):
        whose = f"{of_models(names, len(models))}: " if len(reports) > 1 else ""
        yield Warning(code, f"{whose}{message}{of}", advice)
    if clusters is not None and clusters < FEW_CLUSTERS:
        narrow = f"intervals are too narrow below {FEW_CLUSTERS}" if clusters > 1 else "there are no intervals"
        yield Warning("few-clusters", f"only {counted(clusters, 'cluster')}: {narrow}")
    elif rows < FEW_ROWS:
        rough = f"intervals are rough below {FEW_ROWS}" if rows > 1 else "there are no intervals"
        yield Warning("few-rows", f"only {counted(rows, 'row')}: {rough}")
    large: dict[int, list[tuple[str, float]]] = {}
    for pair in pairs:
        if pair.largest_row is not None and (pair.largest_share or 0.0) > MUCH:
            large.setdefault(pair.largest_row, []).append((pair.model, pair.largest_share or 0.0))
    for row, dominated in large.items():
        yield _dominant(
            f"row {row:,}" if row_names is None else f"id {shown(row_names[row - 1])}", dominated, len(models)
        )


def _dominant(row: str, dominated: Sequence[tuple[str, float]], models: int) -> Warning:
    """The warning of a row with a large share of the variance of some of the models."""
    names, shares = zip(*dominated, strict=True)
    whose = f"{of_models(names, models)}: " if models > 2 else ""
    share = f"{'up to ' * (len(shares) > 1)}{100 * max(shares):.0f} %"
    return Warning("one-row", f"{whose}one row makes {share} of the variance of the differences: {row}")
