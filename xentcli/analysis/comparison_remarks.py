"""Notes and warnings of a comparison."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from xentcli.analysis.contrasts import Contrasts
from xentcli.analysis.model_rows import ModelRows
from xentcli.errors import Warning, shown
from xentcli.records import record
from xentcli.report.alike import alike, of_models
from xentcli.report.comparison import Pair
from xentcli.report.document import counted

__all__ = ["Remarks"]

FEW_ROWS, FEW_CLUSTERS, MUCH = 100, 40, 0.1
"""Warn about fewer rows or clusters, or a row with a larger share of the variance."""


@record(frozen=True, eq=False)
class Remarks:
    """The notes and warnings of a comparison; the models are in its order, the reference first.

    Attributes
    ----------
    pairs
        The changes of the comparison.
    unfitted
        Why no temperatures were fitted, if that was not requested.
    clusters
        The number of clusters, with --cluster.
    row_names
        The id of each row, if rows are matched by ids.
    order_turns
        Whether fitting each model's temperature reverses the order of two models.
    """

    models: Sequence[ModelRows]
    contrasts: Contrasts
    pairs: Sequence[Pair]
    unfitted: str
    clusters: int | None
    row_names: Sequence[str] | None
    order_turns: bool

    def notes(self) -> Iterator[str]:
        """Yield the notes."""
        if not self.contrasts.same_rows:
            scored, extra = self.contrasts.scored, self.contrasts.extra
            counts = [f"{model.name} has {scored[at] + extra[at]:,}" for at, model in enumerate(self.models[:5])]
            more = ", ..." * (len(self.models) > 5)
            yield f"compared on the {self.contrasts.rows:,} rows that all have: {', '.join(counts)}{more}"
        for pair in self.pairs if len(self.models) == 2 else ():
            if pair.metric == "cost" and pair.change and (pair.wins - pair.losses) * pair.change > 0:
                most = pair.model if pair.wins > pair.losses else pair.reference
                yield f"{most} has the smaller loss on more rows, but the larger mean"
        yield from self._on_fits()
        if len(self.models) > 2:
            yield "the best of many looks better than it is: its cost was chosen on these rows"

    def _on_fits(self) -> Iterator[str]:
        """Notes on temperatures: why there are none, or that they reverse the order of two models."""
        if self.unfitted:
            yield f"calibrated is left out: {self.unfitted}"
        if not self.contrasts.same_rows and any(model.fitted.temperature is not None for model in self.models):
            yield "calibrated is left out: temperatures are fitted on all rows of a file, and the files differ in rows"
        unfit = [(model.name, (model.fitted.reason,)) for model in self.models if model.fitted.reason]
        for names, (reason,), of in alike(unfit):
            yield f"calibrated is left out: {of_models(names, len(self.models))}: {reason}{of}"
        if self.order_turns:
            each = ", ".join(f"{model.name} {model.fitted.temperature:.3g}" for model in self.models)
            yield f"the order turns once each model has its own temperature ({each})"

    def _row_name(self, row: int) -> str:
        if self.row_names is None:
            return f"row {row:,}"
        return f"id {shown(self.row_names[row - 1])}"

    def warnings(self) -> Iterator[Warning]:
        """Yield the warnings of the models, then those of few rows and of rows that dominate."""
        reports = {id(model.scores): (model.name, model.scores) for model in self.models}
        found = [(name, (w.code, w.message, w.advice)) for name, one in reports.values() for w in one.warnings]
        for names, (code, message, advice), of in alike(found):
            whose = f"{of_models(names, len(self.models))}: " if len(reports) > 1 else ""
            yield Warning(code, f"{whose}{message}{of}", advice)
        if (clusters := self.clusters) is not None and clusters < FEW_CLUSTERS:
            narrow = f"intervals are too narrow below {FEW_CLUSTERS}" if clusters > 1 else "there are no intervals"
            yield Warning("few-clusters", f"only {counted(clusters, 'cluster')}: {narrow}")
        elif (rows := self.contrasts.rows) < FEW_ROWS:
            rough = f"intervals are rough below {FEW_ROWS}" if rows > 1 else "there are no intervals"
            yield Warning("few-rows", f"only {counted(rows, 'row')}: {rough}")
        yield from self._dominant_rows()

    def _dominant_rows(self) -> Iterator[Warning]:
        """Warn about each row with a large share of the variance, once for all models."""
        large: dict[int, list[tuple[str, float]]] = {}
        for pair in self.pairs:
            if pair.largest_row is not None and (pair.largest_share or 0.0) > MUCH:
                large.setdefault(pair.largest_row, []).append((pair.model, pair.largest_share or 0.0))
        for row, found in large.items():
            names, shares = zip(*found, strict=True)
            whose = f"{of_models(names, len(self.models))}: " if len(self.models) > 2 else ""
            yield Warning(
                "one-row",
                f"{whose}one row makes {'up to ' * (len(shares) > 1)}{100 * max(shares):.0f} % "
                f"of the variance of the differences: {self._row_name(row)}",
            )
