"""Refuse what a command asks for and no form of its result would show."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import click

from xentcli.cli.get import Asked
from xentcli.cli.options import given_on_command_line
from xentcli.errors import UsageError
from xentcli.options import spelled
from xentcli.scoring.metrics import find
from xentcli.writers import WRITERS

__all__ = ["check_seen", "tables_asked"]

_SHOWN_AS = {
    "by": ("by",),
    "by_class": ("by_class",),
    "worst": ("worst",),
    "show": ("worst",),
    "worst_by": ("worst",),
    "metrics": (),
    "hash": ("inputs",),
    "confidence": ("interval", "by"),
    "cluster": ("standard_error", "interval", "by", "clusters"),
    "bytes": ("bits_per_byte", "bytes"),
    "reference": ("reference_cost", "reference_skill", "reference"),
}
"""Options that change no loss, each with the names in JSON that it changes; --get of one of these shows it."""
_NOT_IN_TABLES = {
    "score": ("hash",),
    "calibration": ("hash",),
    "check": ("hash", "confidence", "cluster", "bytes", "reference"),
}
"""Options that the tables of a command do not show in CSV, JSON Lines and Parquet."""
_TABLES = ("csv", "jsonl", "parquet")
_LIMITS = ("max", "min", "max_each", "min_each")
_CHOOSING = ("metrics", "by", "by_class", "worst")
"""Options of score in place of whose table a form of one table has no other figures."""


def check_seen(
    options: Mapping[str, Any], forms: Mapping[str, str], get: Sequence[Asked], drawn: Collection[str]
) -> None:
    """Refuse an option that none of the forms shows, and two tables in a form for one.

    `forms` are those of the result, each with the words that ask for it; that of figures alone is empty. `drawn` are
    the names in JSON of what drawings show.

    Raises UsageError, naming both.
    """
    command = click.get_current_context().info_name or ""
    got = {*drawn, *(figure.metric or figure.path[0] for figure in get), *(options.get("row_metrics") or "").split(",")}
    # A state contains everything that was requested.
    for name, shown_as in _SHOWN_AS.items() if not options.get("state") else ():
        if options.get(name) and given_on_command_line(name) and not got & {*shown_as}:
            hidden = [words for form, words in forms.items() if not _shows(command, form, name, options)]
            if len(hidden) == len(forms):
                beside = next((other for other in _CHOOSING if options.get(other) and command == "score"), "")
                chosen = f" with {spelled(beside)}" if beside and beside != name and not got else ""
                raise UsageError(
                    f"{spelled(name)} changes nothing that {hidden[0]} prints{chosen}",
                    advice="-o FILE.json writes the whole report, --get prints any value of it",
                )
    if list(forms.values()) == ["--per-example -"] and options.get("base") not in (None, "e"):
        raise UsageError(
            "--base changes nothing that --per-example - prints: losses of rows are in nats",
            advice="-o FILE.json writes the whole report, in the unit of --base",
        )
    one = next((words for form, words in forms.items() if form and WRITERS[form].one_table), None)
    tables = tables_asked(command, options)
    if one is not None and len(tables) > 1:
        several = (name for name, writer in WRITERS.items() if not writer.one_table)
        raise UsageError(
            f"{' and '.join(tables)} are {len(tables)} tables, and {one} has room for one",
            advice=f"choose one of them, or a form that has all: {', '.join(several)}",
        )


def _shows(command: str, form: str, name: str, options: Mapping[str, Any]) -> bool:
    if not form:
        return False
    figures = ("confidence", "cluster", "bytes", "reference")
    if command == "score" and name in figures and not _figure_shown(form, name, options):
        return False
    if name == "reference" and any("reference_" in limit for key in _LIMITS for limit in options.get(key) or ()):
        return True
    # Regressions and groups have intervals.
    if name in ("confidence", "cluster") and any(options.get(other) for other in ("max_regression", "by")):
        return True
    if form in _TABLES and name == "confidence" and options.get("metrics") and command != "compare":
        return False
    return form not in _TABLES or name not in _NOT_IN_TABLES.get(command, ())


def _figure_shown(form: str, name: str, options: Mapping[str, Any]) -> bool:
    """Whether an output form shows a figure that an option such as --bytes changes, given the other options."""
    own = name in ("bytes", "reference")
    if form in ("json", "html") or (options.get("by") and not own):
        return True
    metrics = {find(metric).name for metric in (options.get("metrics") or "").split(",") if metric}
    if own and metrics:
        return bool(metrics & {*_SHOWN_AS[name]})
    if metrics and "standard_error" in metrics and name == "cluster":
        return True
    # The screen shows no interval for the metrics of --metrics.
    if metrics:
        return form not in ("table", *_TABLES) and "cost" in metrics
    return form not in _TABLES or not any(options.get(other) for other in _CHOOSING)


def tables_asked(command: str, options: Mapping[str, Any]) -> list[str]:
    """Return the options of a command that ask for a table each.

    >>> tables_asked("score", {"by": ("site",), "worst": 3, "metrics": "accuracy"})
    ['--by', '--worst']
    """
    given = {name: bool(options.get(name)) for name in ("by", "by_class", "worst", "metrics", "decompose")}
    if command == "compare":
        # The table of models includes the metrics and the costs of groups.
        given |= {"by": False, "metrics": False}
    elif given["by"] or given["by_class"]:
        # Classes, and metrics, are in the table of groups.
        given |= {"by_class": not given["by"], "metrics": False}
    if command == "check" and (options.get("max_each") or options.get("min_each")):
        given["by"] = False
    first = {"check": ["the limits"], "compare": ["the models"]}.get(command, [])
    return first + [spelled(name) for name, there in given.items() if there]
