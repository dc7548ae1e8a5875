"""The texts of a check, the same on a screen and on a page."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

from xentcli.report.check import Check, CheckReport, Reason
from xentcli.scoring.metrics import find
from xentcli.writers.comparison import signed
from xentcli.writers.figures import decimals, decimals_of, fixed, group_name, in_column, percent, plural
from xentcli.writers.remarks import digests, ends, skipped_rows, unmatched_rows

__all__ = [
    "MOST",
    "commands",
    "figures",
    "first_limits",
    "in_words",
    "limit_rows",
    "reason_cells",
    "reason_rows",
    "sentences",
]

MOST = 20
"""How many groups, and reasons, are shown on a terminal and in the summary of a CI step."""
_MOST_GIVEN, _MOST_PLACES = 6, 12
"""The most decimals for those of a limit as it was given, and at all."""
_ORDER = ("fail", "inconclusive", "no_verdict", "pass")


def limit_rows(result: CheckReport) -> Iterator[tuple[str, tuple[str, str, str, str]]]:
    """Yield a verdict and cells for each limit, and below a regression the cells of its baseline."""
    for check in result.checks:
        yield check.verdict, cells(check, result)
        if _has_baseline(check):
            yield "", ("", "", *change_cells(check, _places(check, result)))


def first_limits(result: CheckReport) -> list[int]:
    """Return which of the rows of ``limit_rows`` to show where these are too many: of the groups those that failed."""
    groups = [check for check in result.checks if check.group is not None]
    kept = {id(check) for check in sorted(groups, key=lambda check: _ORDER.index(check.verdict))[:MOST]}
    shown = (check.group is None or id(check) in kept for check in result.checks)
    rows = [
        row for check, here in zip(result.checks, shown, strict=True) for row in [here] * (1 + _has_baseline(check))
    ]
    return [place for place, here in enumerate(rows) if here]


def _has_baseline(check: Check) -> bool:
    return check.rule == "regression" and check.baseline is not None and check.change is not None


def cells(check: Check, result: CheckReport) -> tuple[str, str, str, str]:
    """Return what is held, its value, the limit, and the margin or why there is none."""
    metric = _held(check.metric, check.group)
    if check.rule == "warning":
        code = check.name.removeprefix("fail-on-warning ")
        named = ("", check.reason) if code == "all" else (f"  {code}", "")
        return metric + named[0], fixed(check.value, 0), "none allowed", named[1]
    bound, places = "at most" if check.bound == "max" else "at least", _places(check, result)
    limit = "" if check.limit is None else f"{bound} {_figure(check.limit, check, places)}"
    value = "-" if check.value is None else _figure(check.value, check, places)
    if check.verdict == "no_verdict":
        reason = check.reason or result.report.undefined.get(check.metric, "undefined")
        rows = f", {plural(check.rows, 'row')}" if check.rows is not None and check.rule == "each" else ""
        return metric, value, limit, reason + rows
    return metric, value, limit, _margin(check, places)


def _held(metric: str, group: Mapping[str, str] | None) -> str:
    """A metric, with the group that is held to a limit."""
    of = ", ".join(f"{name} {group_name(text)}" for name, text in (group or {}).items())
    return f"{metric}  {of}" if group else metric


def in_words(check: Check, result: CheckReport) -> str:
    """Return the cells of a limit as a line of text."""
    metric, value, *rest = (" ".join(cell.split()) for cell in cells(check, result))
    return ", ".join(filter(None, (f"{metric} {'undefined' if check.value is None else value}", *rest)))


def _places(check: Check, result: CheckReport) -> int:
    """Decimals of a limit and its figure: of the standard error, of the limit as it was given, or of the margin."""
    places = decimals_of(result.report, check.metric)
    interval = check.margin_interval
    if interval is not None and math.isfinite(interval.high - interval.low):
        places = max(places, decimals((interval.high - interval.low) / 4))
    if check.limit is not None and check.rule != "regression":
        given = repr(check.limit).partition(".")[2]
        places = max(places, min(len(given), _MOST_GIVEN) if given.isdecimal() else places)
    if check.margin and math.isfinite(check.margin):
        places = max(places, 1 - math.floor(math.log10(abs(check.margin))))
    return min(places, _MOST_PLACES)


def _figure(value: float, check: Check, places: int) -> str:
    """Format a number with `places` decimals, or in full where value and limit differ but would look equal."""
    one, two = check.value, check.limit
    alike = one is not None and two is not None and one != two and fixed(one, places) == fixed(two, places)
    return repr(value) if alike else fixed(value, places)


def _margin(check: Check, places: int) -> str:
    assert check.margin is not None and check.value is not None
    if not math.isfinite(check.value):
        return "not a number" if math.isnan(check.value) else "infinite"
    inside = check.margin >= 0
    words = "margin " if inside else "over by" if check.bound == "max" else "short by"
    found = f"{words} {in_column(abs(check.margin), places)}"
    if check.margin_interval is None:
        return found
    low, high = check.margin_interval.low, check.margin_interval.high
    both = (low, high) if inside else (0.0 - high, 0.0 - low)
    spread = " to ".join(in_column(end, places) for end in both)
    interval = f"{100 * check.margin_interval.level:g} % interval {spread}"
    return f"{found}, {interval}" + (f": {check.reason}" if check.reason else "")


def change_cells(check: Check, places: int) -> tuple[str, str]:
    """The baseline with what is allowed, and the change."""
    assert check.baseline is not None and check.change is not None
    sign = "+" if check.bound == "max" else "-"
    base = f"baseline {fixed(check.baseline, places)} {sign} {check.allowed.replace(' ', '').replace('%', ' %')}"
    change = f"change {signed(check.change, places)}"
    if check.baseline and math.isfinite(check.baseline) and math.isfinite(check.change):
        change += f" ({100 * check.change / check.baseline:+.2f} %)"
    if check.interval is not None:
        spread = f"{signed(check.interval.low, places)} to {signed(check.interval.high, places)}"
        change += f", {100 * check.interval.level:g} % interval {spread}"
    return base, change


def reason_rows(result: CheckReport) -> Iterator[tuple[str, ...]]:
    """Yield the cells of what explains failures, each with the limit that is explained where there are several."""
    about = [(reason.metric, reason.group, reason.before is None) for reason in result.reasons]
    several = any(one != about[0] for one in about)
    for place, reason in enumerate(result.reasons):
        limit = _held(reason.metric, reason.group) if place == 0 or about[place] != about[place - 1] else ""
        yield (*((limit,) if several else ()), *reason_cells(reason))


def reason_cells(reason: Reason) -> tuple[str, str, str]:
    """Return what explains a failure, its figures, and its share."""
    what = {"class": "class ", "row": "row ", "group": ""}[reason.kind] + reason.name
    figures = in_column(reason.after, 4)
    if reason.before is not None:
        figures = f"{in_column(reason.before, 4)} -> {figures}"
    metric = find(reason.metric)
    of = "cost" if metric.name == "cost" else "errors" if metric.hard else f"{metric.title} score"
    whole = "change" if reason.before is not None else of
    share = "" if reason.share is None else f"{percent(reason.share)} of the {whole}"
    return what, figures, f"{share}, {plural(reason.rows, 'row')}" if reason.kind != "row" else share


def figures(result: CheckReport) -> Iterator[tuple[str, str]]:
    """Yield what --confidence and --cluster, --bytes, --reference and --hash asked for, each with its name."""
    report, options = result.report, result.report.options
    if options.keys() & {"confidence", "cluster"} and report.interval is not None:
        interval, clusters = report.interval, report.clusters
        of = "" if clusters is None else f" ({plural(clusters, 'cluster')})"
        yield f"{100 * interval.level:g} % interval", f"cost {ends(interval, decimals(report.standard_error))}{of}"
    if report.bits_per_byte is not None:
        yield "bits per byte", fixed(report.bits_per_byte, decimals_of(report, "bits_per_byte"))
    if report.reference is not None:
        names = ("reference_cost", "reference_skill")
        cost, skill = (fixed(report.value(name), decimals_of(report, name)) for name in names)
        yield "reference", f"cost {cost}, skill {skill}"
    yield from digests(report)


def sentences(result: CheckReport) -> Iterator[str]:
    """Yield the verdict in words, and what was read and written."""
    total, failed = len(result.held), sum(check.verdict == "fail" for check in result.held)
    if failed:
        yield f"{f'{failed} of {total} limits' if total > 1 else 'The limit'} failed: exit 1."
        if result.unexplained:
            yield f"{result.unexplained}."
    elif result.verdict == "inconclusive":
        yield "Inconclusive: the rows are too few to exclude the regression: exit 5."
    elif result.verdict == "no_verdict":
        without = sum(check.verdict == "no_verdict" for check in result.held)
        yield f"No verdict on {f'{without} of {total} limits' if total > 1 else 'the limit'}: exit 5."
    elif total:
        yield {1: "The limit passed.", 2: "Both limits passed."}.get(total, f"All {total} limits passed.")
    rows, left = result.report.examples, [*skipped_rows(result.report), *unmatched_rows(result.report)]
    if left:
        said = "; ".join([f"{rows.scored:,} of {plural(rows.read, 'row')} scored", *left])
        yield said if said.endswith("...") else f"{said}."
    else:
        yield f"Inputs were read and matched in full: {plural(rows.scored, 'row')} scored."
    if result.written is not None:
        yield f"This run is now the baseline {result.written}."


def commands(result: CheckReport) -> Iterator[tuple[str, str]]:
    """Yield the commands that show more, and the one that accepts, each with its word."""
    for place, (what, command) in enumerate(result.commands.items()):
        yield what if what in ("accept", "then") else "" if place else "next", command
