"""The tables of a comparison, the same on a screen, in Markdown, LaTeX and HTML."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence

from xentcli.report.alike import alike, of_models
from xentcli.report.comparison import ClassChange, Comparison, GroupChange, Model, Pair
from xentcli.scoring.metrics import METRICS
from xentcli.writers.figures import decimals, fixed, group_name, in_column, interval_title, percent, plural
from xentcli.writers.grid import Grid
from xentcli.writers.remarks import ends

__all__ = ["changes", "cost_of", "divergences", "findings", "name_columns", "rows_line", "signed", "slices", "worst"]

_TITLES = {"cost": "cost", "calibrated_cost": "  calibrated"}


def rows_line(result: Comparison) -> str:
    """Return how many rows, classes and clusters all models have, and how rows were matched."""
    among = "both" if len(result.models) == 2 else f"all {len(result.models)}"
    parts = [f"{plural(result.examples.scored, 'row')} in {among}"]
    parts += [plural(len(result.classes), "class")] if result.classes else []
    parts += [f"{plural(result.clusters, 'cluster')}"] if result.clusters else []
    return ", ".join([*parts, f"matched by {result.alignment}"])


def cost_of(model: Model) -> float:
    """Return the cost of a model, infinite without one."""
    return math.inf if model.cost is None else model.cost


def changes(result: Comparison) -> Grid:
    """Return the figures with their changes: of two models a row for each metric, of more a row for each model."""
    return _leaderboard(result) if len(result.models) > 2 else _two(result)


def _two(result: Comparison) -> Grid:
    old, new = result.models
    rows = []
    for pair in result.pairs:
        places = _places([pair])
        figures = [in_column(model.value(pair.metric), places) for model in (old, new)]
        rows.append((_title(pair.metric), *figures, signed(pair.change, places), _ends(pair, places), pair.verdict))
    return Grid(("", old.name, new.name, "change", _level(result), ""), tuple(rows), "lrrrrl", "Paired changes")


def _leaderboard(result: Comparison) -> Grid:
    costs = [result.pair(model.name, "cost") for model in result.models]
    places = _places(costs)
    others = [metric for metric in result.metrics if metric != "cost"]
    places_of = {metric: _places([p for p in result.pairs if p.metric == metric]) for metric in others}
    ties = () if result.best is None else (result.best.name, *result.best.ties)
    rows = []
    for model, pair in zip(result.models, costs, strict=True):
        change, interval, word = "", "", "reference"
        if pair is not None:
            change, interval, word = signed(pair.change, places), _ends(pair, places), pair.verdict
        mark = "*" if len(ties) > 1 and model.name in ties else ""
        figures = [in_column(model.value(metric), places_of[metric]) for metric in others]
        rows.append((model.name + mark, in_column(model.cost, places), change, interval, *figures, word))
    header = ("", "cost", "change", _level(result), *(_title(metric).strip() for metric in others), "")
    smallest = sorted(range(len(rows)), key=lambda row: cost_of(result.models[row]))
    caption = f"Models, and changes of cost from {result.models[0].name}"
    return Grid(header, tuple(rows), "l" + "r" * (len(header) - 2) + "l", caption, first=smallest)


def models(result: Comparison) -> Grid:
    """Return the figures of each model with their rows, and the temperature of the fit."""
    every = ("cost", "brier", "accuracy", "calibrated_cost", "temperature")
    names = [name for name in every if any(model.value(name) is not None for model in result.models)]
    places = {name: _places([pair for pair in result.pairs if pair.metric == name]) for name in names}
    rows = [
        (model.name, f"{model.rows:,}", *(in_column(model.value(name), places[name]) for name in names))
        for model in result.models
    ]
    header = ("model", "rows", *(_title(name).strip() for name in names))
    return Grid(header, tuple(rows), "l" + "r" * (len(header) - 1), "Models")


def findings(result: Comparison) -> Iterator[str]:
    """Yield what the rows can tell: the smallest cost, the rows won, the change that would be seen."""
    costs = [pair for pair in result.pairs if pair.metric == "cost"]
    best = result.best
    if best is not None:
        tied = ", ".join(best.ties[:5]) + (", ..." if len(best.ties) > 5 else "")
        yield f"{best.name} has the smallest cost" + (
            f"; not significantly larger (*): {tied} (Holm, {best.pairs} pairs)."
            if best.ties
            else f" (Holm, {best.pairs} pairs)."
        )
    elif min(map(cost_of, result.models)) == math.inf:
        yield from ["The cost of every model is infinite: none is the smallest."] * (len(result.models) > 2)
    elif len(result.models) > 2:
        yield f"{min(result.models, key=cost_of).name} has the smallest cost."
    if len(costs) == 1:
        (pair,) = costs
        tied = f", {pair.ties:,} {'is' if pair.ties == 1 else 'are'} equal" if pair.ties else ""
        rows = plural(pair.wins, "row")
        yield f"{pair.model} has the smaller loss on {rows}, {pair.reference} on {pair.losses:,}{tied}."
    detectable = [pair.detectable for pair in costs if pair.detectable]
    if detectable:
        size, whose = f"{max(detectable):.2g}", "" if len(costs) == 1 else ", whichever the model"
        yield f"A change of cost of {size} would be seen in 8 samples of 10 like this one{whose}."
    if len(costs) > 1:
        yield f"Verdicts hold for all {len(costs)} comparisons with {result.models[0].name} together (Holm)."


def divergences(result: Comparison) -> Grid:
    """Return how far each model is from the reference, without labels."""
    rows = []
    for one in result.kl:
        old, new = one.reference, one.model
        for title, value, interval in (
            (f"KL({old} || {new})", one.forward, one.forward_interval),
            (f"KL({new} || {old})", one.backward, one.backward_interval),
        ):
            half = None if interval is None else (interval.high - interval.low) / 4
            places = max(decimals(half) - 1, 2)
            spread = "" if interval is None else f"{100 * interval.level:g} % interval {ends(interval, places)}"
            rows.append((title, f"{fixed(value, places)} {result.unit}", spread))
        same = plural(round(one.same_top * result.examples.scored), "row")
        rows.append(("same top class", percent(one.same_top), f"in {same}"))
        if one.infinite.count:
            first = ", ".join(f"{row:,}" for row in one.infinite.rows[:3]) + ", ..." * (one.infinite.count > 3)
            many = plural(one.infinite.count, "row")
            rows.append(("infinite", many, f"one gives 0 to a class, the other does not: {first}"))
    return Grid(("", "value", ""), tuple(rows), "lll", "Divergences")


def refusals(result: Comparison) -> Iterator[tuple[str, str]]:
    """Yield why files were refused, each reason once, with the names of its models before it."""
    count = len(result.models) + len(result.refused)
    paths = {one.name: one.path for one in result.refused}
    for names, (reason,), of in alike([(one.name, (one.reason,)) for one in result.refused], paths):
        yield of_models(names, count), f"{reason}{of}"


def slices(result: Comparison) -> Iterator[Grid]:
    """Yield the changes by class and by group, the largest part of the whole first."""
    crossed = itertools.groupby(result.by, key=lambda part: tuple(part.group))
    tables: list[tuple[str, list[ClassChange] | list[GroupChange]]] = [("true class", [*result.by_class])]
    tables += [(", ".join(columns), [*groups]) for columns, groups in crossed]
    for title, parts in tables:
        if parts:
            more = [metric for metric in result.metrics if metric in parts[0].metrics]
            yield _parts(title, sorted(parts, key=_size), len(result.models) > 2, more)


def _size(part: ClassChange | GroupChange) -> float:
    return -abs(part.share or 0.0)


def _parts(title: str, parts: Sequence[ClassChange | GroupChange], several: bool, more: Sequence[str]) -> Grid:
    errors = [part.standard_error for part in parts if part.standard_error]
    places = max(decimals(min(errors)) - 1, 2) if errors else 4
    rows = [
        (
            *((part.model,) if several else ()),
            part.name if isinstance(part, ClassChange) else ", ".join(map(group_name, part.group.values())),
            f"{part.examples:,}",
            *(in_column(value, places) for value in (part.reference_cost, part.cost)),
            signed(part.change, places),
            in_column(part.standard_error, places),
            "-" if part.share is None else percent(part.share),
            *(
                cell
                for metric in more
                for cell in (in_column(part.metrics[metric], 4), signed(part.metrics[f"{metric}_change"], 4))
            ),
            ", ".join(f"no {figure.replace('_', ' ')}: {reason}" for figure, reason in part.undefined.items()),
        )
        for part in parts
    ]
    first = ("model", title) if several else (title,)
    titles = [name for metric in more for name in (_title(metric).strip(), "change")]
    header = (*first, "rows", "before", "after", "change", "standard error", "share", *titles, "")
    return Grid(header, tuple(rows), f"{'l' * several}lrrrrrr{'rr' * len(more)}l", f"Changes of cost by {title}")


def worst(result: Comparison) -> Grid:
    """Return the rows that changed most."""
    several, ids = len(result.models) > 2, any(row.id is not None for row in result.worst)
    rows = [
        (
            *((row.model,) if several else ()),
            f"{row.row:,}",
            *((row.id or "",) if ids else ()),
            row.label or "",
            *(in_column(value, 4) for value in (row.reference_loss, row.loss)),
            signed(row.change, 4),
            "-" if row.share is None else percent(row.share),
        )
        for row in result.worst
    ]
    header = (*["model"] * several, "row", *["id"] * ids, "truth", "loss before", "after", "change", "share")
    return Grid(header, tuple(rows), f"{'l' * several}r{'l' * ids}lrrrr", "rows that changed most")


def name_columns(grid: Grid) -> list[int]:
    """Return the columns of names before the figures of a table of slices."""
    return [index for index, side in enumerate(grid.justify) if side == "l" and index < len(grid.header) - 1]


def _title(metric: str) -> str:
    return _TITLES.get(metric) or (METRICS[metric].title if metric in METRICS else metric)


def _places(pairs: Sequence[Pair | None]) -> int:
    """Decimals: two significant digits of the smallest standard error, from two to six."""
    errors = [p.standard_error for p in pairs if p is not None and p.standard_error]
    return min(max(decimals(min(errors)) - 1, 2), 6) if errors else 4


def _ends(pair: Pair, places: int) -> str:
    if pair.interval is None:
        return "-"
    return f"{signed(pair.interval.low, places)} to {signed(pair.interval.high, places)}"


def _level(result: Comparison) -> str:
    """The title of the intervals."""
    return interval_title(pair.interval for pair in result.pairs)


def signed(value: float | None, places: int) -> str:
    """Return a change with its sign, and with `places` decimals also where it has one digit.

    >>> signed(0.25, 3), signed(-0.25, 3), signed(None, 3)
    ('+0.250', '-0.250', '-')
    """
    if value is None:
        return "-"
    shown = in_column(value, places)
    return shown if value <= 0 or math.isnan(value) else f"+{shown}"
