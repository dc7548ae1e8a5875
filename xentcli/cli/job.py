"""A check of the command line, parsed and ready to run."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import click

from xentcli.cli.gate import check_baseline, commands_after, rules_of
from xentcli.cli.options import THREADS, labels_of, settings_of
from xentcli.cli.output import Output
from xentcli.cli.progress import watched
from xentcli.records import replace
from xentcli.report.check import CheckReport
from xentcli.settings import Settings

__all__ = ["Job"]


class Job(NamedTuple):
    """A check, ready to run; `details` are those that a page of several checks shows."""

    inputs: tuple[str, str | None]
    settings: Settings
    rules: dict[str, Any]
    output: Output
    speed: dict[str, Any]
    context: click.Context
    details: frozenset[str] = frozenset()

    @property
    def files(self) -> list[str]:
        """The input files."""
        found = (*self.inputs, self.rules["baseline"], *self.settings.files_named())
        return [path for path in found if path is not None]

    @classmethod
    def of(cls, preds_file: str, labels_file: str | None, options: dict[str, Any]) -> Job:
        """Return the check of parsed options; raises UsageError before anything is read."""
        inputs = (preds_file, labels_of(labels_file, options["labels"]))
        settings = settings_of(options)
        output = Output(options, (*inputs, options["baseline"], *settings.files_named()))
        return cls(
            inputs,
            settings,
            rules_of(options),
            output,
            {name: options[name] for name in (*THREADS, "quiet")},
            click.get_current_context(),
        )

    def run(self) -> CheckReport:
        """Return the verdict, with the commands that follow a failure."""
        from xentcli.analysis.check import check as run

        check_baseline(self.rules["baseline"], *self.inputs)
        with self.output.examples() as sink, watched(self.speed) as progress:
            beside: dict[str, Any] = {
                "metrics_needed": self.output.metrics_needed,
                "details": self.output.details | self.details,
                "threads": self.speed["threads"],
                "progress": progress,
            }
            result = run(*self.inputs, self.settings, sink=sink, **(self.rules | beside))
        if not result.exit_code:
            return result
        missed = {check.metric for check in result.checks if check.verdict != "pass"}
        baseline = self.rules["baseline"] if _is_worse(result) else None
        return replace(result, commands=dict(commands_after(missed, baseline)))


def _is_worse(result: CheckReport) -> bool:
    """Whether a regression failed with a finite value: a new baseline would accept it."""
    return any(
        check.rule == "regression"
        and check.verdict in ("fail", "inconclusive")
        and check.value is not None
        and math.isfinite(check.value)
        for check in result.checks
    )
