"""What a CI server shows of checks: JUnit XML, and in a job of GitHub Actions annotations and the step summary."""

from __future__ import annotations

import os

from xentcli.cli.output import Output
from xentcli.cli.process import say
from xentcli.options import Option
from xentcli.report.checks import Checks

__all__ = ["CI", "annotate", "write_junit"]

CI = {
    "junit": Option("Output", "Write JUnit XML, a test case per limit.", "FILE", before="hash"),
    "no_annotations": Option("Output", "Write no annotations and no summary on GitHub.", hint="bool", before="hash"),
}


def write_junit(result: Checks, output: Output) -> None:
    """Write the file of --junit; raises FileError when it cannot be written."""
    if output.junit is not None:
        from xentcli.atomic import write_bytes
        from xentcli.writers import junit

        write_bytes(output.junit, junit.render(result))


def annotate(result: Checks, output: Output) -> None:
    """Under GITHUB_ACTIONS annotate each failure on stderr, and append to the summary of the step.

    Raises FileError if the summary cannot be written.
    """
    if not output.annotates or os.environ.get("GITHUB_ACTIONS") != "true":
        return
    from xentcli.atomic import append_bytes
    from xentcli.writers.github import LARGEST, commands, summary

    for line in commands(result):
        say(line)
    path = os.environ.get("GITHUB_STEP_SUMMARY")
    if path:
        # Other commands of the step may have written to it.
        size = os.path.getsize(path) if os.path.exists(path) else 0
        append_bytes(path, summary(result, LARGEST - size))
