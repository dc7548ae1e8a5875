"""The screen of `xent compare`."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from rich.console import Group, RenderableType

from xentcli.report.comparison import ClassChange, Comparison, GroupChange, Model, Pair
from xentcli.scoring.metrics import METRICS
from xentcli.writers.figures import decimals, fixed, group_name, percent, plural
from xentcli.writers.remarks import changes_of_losses, ends
from xentcli.writers.screens.layout import MOST, Columns, block, facts, lines, text

__all__ = ["screen"]

_CURVE = 60
_STYLES = {"better": "green", "worse": "bold red", "no difference": "dim"}
_TITLES = {"cost": "cost", "calibrated_cost": "  calibrated"}


def screen(result: Comparison) -> RenderableType:
    """Show the figures with their changes, what the rows can tell, the slices, the notes and warnings."""
    changes = [("" if number else "loss", line) for number, line in enumerate(changes_of_losses(result))]
    if result.kl:
        return block(text(f"{_rows(result)}, without labels"), facts(changes), _divergences(result))
    several = len(result.models) > 2
    warnings = [("warning", f"{w.message}; {w.advice}" if w.advice else w.message) for w in result.warnings]
    return block(
        text(_rows(result)),
        facts(changes),
        _leaderboard(result) if several else _two(result),
        lines(curve) if several and (curve := [*_curve(result)]) else None,
        lines(_sentences(result)),
        *_slices(result),
        facts([(r.name, r.reason) for r in result.refused], "bold red"),
        facts([*warnings, *(("note", note) for note in result.notes)], "bold yellow"),
    )


def _divergences(result: Comparison) -> RenderableType:
    """How far each model is from the reference."""
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
        rows.append(
            (
                "same top class",
                percent(one.same_top),
                f"in {plural(round(one.same_top * result.examples.scored), 'row')}",
            )
        )
        if one.infinite.count:
            first = ", ".join(f"{row:,}" for row in one.infinite.rows[:3]) + ", ..." * (one.infinite.count > 3)
            many = plural(one.infinite.count, "row")
            rows.append(("infinite", many, f"one gives 0 to a class, the other does not: {first}"))
    return Columns(rows, styles=("bold",), names=(0,))


def _rows(result: Comparison) -> str:
    among = "both" if len(result.models) == 2 else f"all {len(result.models)}"
    parts = [f"{plural(result.examples.scored, 'row')} in {among}"]
    parts += [plural(len(result.classes), "class")] if result.classes else []
    parts += [f"{plural(result.clusters, 'cluster')}"] if result.clusters else []
    return ", ".join([*parts, f"matched by {result.alignment}"])


def _cost(model: Model) -> float:
    return math.inf if model.cost is None else model.cost


def _title(metric: str) -> str:
    return _TITLES.get(metric) or (METRICS[metric].title if metric in METRICS else metric)


def _places(pairs: Sequence[Pair | None]) -> int:
    """Decimals: two significant digits of the smallest standard error, from two to six."""
    errors = [p.standard_error for p in pairs if p is not None and p.standard_error]
    return min(max(decimals(min(errors)) - 1, 2), 6) if errors else 4


def _two(result: Comparison) -> RenderableType:
    """A line for each metric: both figures, the change, its interval, the word."""
    old, new = result.models
    rows, styles = [], []
    for pair in result.pairs:
        places = _places([pair])
        figures = [fixed(model.value(pair.metric), places) for model in (old, new)]
        rows.append((_title(pair.metric), *figures, _signed(pair.change, places), _ends(pair, places), pair.verdict))
        styles.append(_STYLES[pair.verdict])
    header = ("", old.name, new.name, "change", _level(result), "")
    return Columns(rows, header, "lrrrrl", ("bold",), titles=(1, 2))


def _ends(pair: Pair, places: int) -> str:
    if pair.interval is None:
        return "-"
    return f"{_signed(pair.interval.low, places)} to {_signed(pair.interval.high, places)}"


def _level(result: Comparison) -> str:
    """The title of the intervals."""
    level = next((p.interval.level for p in result.pairs if p.interval is not None), None)
    return "interval" if level is None else f"{100 * level:g} % interval"


def _signed(value: float | None, places: int) -> str:
    if value is None:
        return "-"
    # One digit is enough beside others with the same standard error: decimals stay aligned.
    shown = f"{value:.{places}f}" if 0.5 <= abs(value) * 10.0**places < 10 else fixed(value, places)
    return shown if value <= 0 or math.isnan(value) else f"+{shown}"


def _leaderboard(result: Comparison) -> RenderableType:
    """A line for each model: its cost, the change from the reference and its interval, the other metrics."""
    many = len(result.models) > MOST
    smallest = sorted(range(len(result.models)), key=lambda row: _cost(result.models[row]))[:MOST] if many else ()
    costs = [result.pair(model.name, "cost") for model in result.models]
    places = _places(costs)
    others = [metric for metric in result.metrics if metric != "cost"]
    ties = () if result.best is None else (result.best.name, *result.best.ties)
    rows = []
    for model in result.models:
        pair = result.pair(model.name, "cost")
        change, interval, word = "", "", "reference"
        if pair is not None:
            change, interval, word = _signed(pair.change, places), _ends(pair, places), pair.verdict
        mark = "*" if len(ties) > 1 and model.name in ties else ""
        figures = [fixed(model.value(metric), 4) for metric in others]
        rows.append((model.name + mark, fixed(model.cost, places), change, interval, *figures, word))
    header = ("", "cost", "change", _level(result), *(_title(metric).strip() for metric in others), "")
    return Columns(rows, header, "l" + "r" * (len(header) - 2) + "l", ("bold",), names=(0,), first=smallest)


def _curve(result: Comparison) -> Iterator[str]:
    """The costs in the order of the files as digits from 0, the smallest, to 9: it reads on any terminal."""
    costs = [_cost(model) for model in result.models]
    finite = [cost for cost in costs if math.isfinite(cost)]
    if not finite or max(finite) == min(finite):
        return
    low, high = min(finite), max(finite)
    step = max(1, math.ceil(len(costs) / _CURVE))
    picked = [min(costs[start : start + step]) for start in range(0, len(costs), step)]
    digits = [str(round(9 * (cost - low) / (high - low))) if math.isfinite(cost) else "^" for cost in picked]
    yield f"curve   {' '.join(digits) if len(digits) < 30 else ''.join(digits)}   0 is {low:.4g}, 9 is {high:.4g}"


def _sentences(result: Comparison) -> Iterator[str]:
    costs = [pair for pair in result.pairs if pair.metric == "cost"]
    best = result.best
    if best is not None:
        tied = ", ".join(best.ties[:5]) + (", ..." if len(best.ties) > 5 else "")
        yield f"{best.name} has the smallest cost" + (
            f"; not significantly larger (*): {tied} (Holm, {best.pairs} pairs)."
            if best.ties
            else f" (Holm, {best.pairs} pairs)."
        )
    elif min(map(_cost, result.models)) == math.inf:
        yield from ["The cost of every model is infinite: none is the smallest."] * (len(result.models) > 2)
    elif len(result.models) > 2:
        yield f"{min(result.models, key=_cost).name} has the smallest cost."
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


def _slices(result: Comparison) -> Iterator[RenderableType]:
    """The changes by class, group and row, the largest part of the whole first."""
    several = len(result.models) > 2
    for title, parts in (("true class", result.by_class), ("group", result.by)):
        if parts:
            more = [metric for metric in result.metrics if metric in parts[0].metrics]
            yield _parts(title, sorted(parts, key=_size), several, more)
    if result.worst:
        rows = [
            (
                *((row.model,) if several else ()),
                f"{row.row:,}",
                row.id or "",
                row.label or "",
                *(fixed(value, 4) for value in (row.reference_loss, row.loss)),
                _signed(row.change, 4),
                "-" if row.share is None else percent(row.share),
                "",
            )
            for row in result.worst
        ]
        names = ("model",) if several else ()
        header = (*names, "row", "id", "truth", "loss before", "after", "change", "share", "")
        named = (0, 2, 3) if several else (1, 2)
        table = Columns(rows, header, "l" * several + "rll" + "rrrr" + "l", names=named)
        yield Group(text("rows that changed most", style="bold"), table)


def _size(part: ClassChange | GroupChange) -> float:
    return -abs(part.share or 0.0)


def _parts(
    title: str, parts: Sequence[ClassChange | GroupChange], several: bool, more: Sequence[str]
) -> RenderableType:
    errors = [part.standard_error for part in parts if part.standard_error]
    places = max(decimals(min(errors)) - 1, 2) if errors else 4
    rows = [
        (
            *((part.model,) if several else ()),
            part.name if isinstance(part, ClassChange) else ", ".join(map(group_name, part.group.values())),
            f"{part.examples:,}",
            *(fixed(value, places) for value in (part.reference_cost, part.cost)),
            _signed(part.change, places),
            "-" if part.standard_error is None else fixed(part.standard_error, places),
            "-" if part.share is None else percent(part.share),
            *(cell for metric in more for cell in _figures_of(part, metric)),
            ", ".join(f"no {figure.replace('_', ' ')}: {reason}" for figure, reason in part.undefined.items()),
        )
        for part in parts
    ]
    if isinstance(parts[0], GroupChange):
        title = ", ".join(parts[0].group)
    first = ("model", title) if several else (title,)
    titles = [name for metric in more for name in (_title(metric).strip(), "change")]
    header = (*first, "rows", "before", "after", "change", "standard error", "share", *titles, "")
    justify = "l" * several + "lrrrrrr" + "rr" * len(more) + "l"
    return Columns(rows, header, justify, names=range(several + 1), first=range(MOST))


def _figures_of(part: ClassChange | GroupChange, metric: str) -> tuple[str, str]:
    """The figure of a model on some rows, and its change."""
    return fixed(part.metrics[metric], 4), _signed(part.metrics[f"{metric}_change"], 4)
