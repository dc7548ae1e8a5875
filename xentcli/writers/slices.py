"""The tables of slices: by true class, by group, and the worst rows, the largest share of the cost first."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping

from xentcli.report.parts import ClassSlice, GroupSlice
from xentcli.report.report import Report
from xentcli.scoring.metrics import Metric, find
from xentcli.writers.figures import (
    decimals,
    decimals_of,
    fixed,
    group_name,
    in_column,
    interval_title,
    percent,
    plural,
)
from xentcli.writers.grid import Grid
from xentcli.writers.remarks import ends

__all__ = ["by_class", "by_group", "worst"]


def by_class(report: Report) -> Grid:
    """Return the table of the classes of a report."""
    places = decimals(report.standard_error)
    parts = sorted(report.by_class, key=_share, reverse=True)
    more, soft = _more(report, "accuracy"), any(part.mass is not None for part in parts)
    rows = []
    for part in parts:
        counted = fixed(part.mass, 1) if soft else f"{part.examples:,}"
        cells = (part.name, counted, in_column(part.cost, places), _percent(part.share), fixed(part.accuracy, 3))
        rows.append((*cells, *_metrics(report, part.metrics, more)))
    kind = "column" if report.labels.matched == "multilabel" else "true class"
    header = (kind, "mass" if soft else "rows", "cost", "share", "accuracy", *_names(more))
    return Grid(header, tuple(rows), "lrrrr" + "r" * len(more), f"Cost by {kind}", tuple(map(_share, parts)))


def by_group(report: Report) -> Iterator[Grid]:
    """Yield the table of the groups of each --by."""
    for _, groups in itertools.groupby(report.by, key=lambda part: tuple(part.group)):
        yield _by(report, list(groups))


def _by(report: Report, parts: list[GroupSlice]) -> Grid:
    columns, more, places = tuple(parts[0].group), _more(report), decimals(report.standard_error)
    parts = sorted(parts, key=_share, reverse=True)
    rows = []
    for part in parts:
        shown = ends(part.interval, places) if part.interval is not None else f"- ({part.undefined['interval']})"
        names = [*map(group_name, part.group.values())]
        cells = (f"{part.examples:,}", in_column(part.cost, places), _percent(part.share))
        rows.append((*names, *cells, *_metrics(report, part.metrics, more), shown))
    header = (*columns, "rows", "cost", "share", *_names(more), interval_title(part.interval for part in parts))
    justify = "l" * len(columns) + "rrr" + "r" * len(more) + "l"
    return Grid(header, tuple(rows), justify, f"Cost by {', '.join(columns)}", tuple(map(_share, parts)))


def worst(report: Report) -> Grid:
    """Return the table of the worst rows of a report, which has some."""
    ids = any(row.id_text is not None for row in report.worst)
    labels = any(row.predicted is not None for row in report.worst)
    shown, ranked = list(report.worst[0].shown), report.worst[0].kl is not None
    named = ("truth", "q of truth", "predicted") if labels else ()
    header = ("row", *(("id",) if ids else ()), *named, *(("KL",) if ranked else ()), "loss", *shown)
    rows = []
    for row in report.worst:
        cells = [f"{row.row:,}", *([row.id_text or ""] if ids else [])]
        if labels:
            q = "-" if row.probability is None else f"{row.probability:#.2g}"
            cells += [row.label or "(soft)", q, f"{row.predicted}  {fixed(row.predicted_probability, 4)}"]
        cells += [in_column(row.kl, 4)] if ranked else []
        rows.append((*cells, in_column(row.loss, 4), *(row.shown[name] for name in shown)))
    justify = "r" + "l" * ids + "lrl" * labels + "r" * ranked + "r" + "l" * len(shown)
    return Grid(header, tuple(rows), justify, _worst_title(report))


def _share(part: ClassSlice | GroupSlice) -> float:
    return part.share or 0.0


def _more(report: Report, *there: str) -> list[Metric]:
    """The metrics of --metrics that have no column yet."""
    return [find(name) for name in report.shown if name not in ("cost", *there)]


def _names(metrics: list[Metric]) -> list[str]:
    return [metric.title for metric in metrics]


def _metrics(report: Report, values: Mapping[str, float | None], metrics: list[Metric]) -> list[str]:
    return [in_column(values[metric.name], decimals_of(report, metric.name)) for metric in metrics]


def _worst_title(report: Report) -> str:
    loss = sum(row.loss for row in report.worst)
    whole = report.total
    # With weights the share of a row is not that of its loss.
    plain = not {"weights", "class_weight"} & report.options.keys() and 0 < whole < float("inf")
    by = " by KL divergence" if report.worst[0].kl is not None else ""
    return f"worst rows{by} ({plural(len(report.worst), 'row')}" + (
        f", {percent(loss / whole)} of the cost)" if plain else ")"
    )


def _percent(share: float | None) -> str:
    return "-" if share is None else percent(share)
