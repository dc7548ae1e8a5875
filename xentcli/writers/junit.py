"""Checks as JUnit XML, which CI servers read: a test suite for each check, a test case for each limit.

The elements and attributes are those of the schema that the xUnit plug-in of Jenkins validates with
(junit-10.xsd). A limit that failed is a failure; what has no verdict, and a check that could not run, is an
error; a group that is too small for a verdict is skipped.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from xentcli.report.check import Check, CheckReport
from xentcli.report.checks import Checks, NamedCheck
from xentcli.writers.check import in_words, reason_cells
from xentcli.writers.safe import xml

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

__all__ = ["render"]

_KINDS = {"failures": "failure", "errors": "error", "skipped": "skipped"}


def render(result: Checks) -> bytes:
    """Return the XML document."""
    from xml.etree import ElementTree

    root = ElementTree.Element("testsuites", name="xent")
    for check in result.checks:
        _add_suite(root, check)
    for kind in ("tests", "failures", "errors"):
        root.set(kind, str(sum(int(suite.get(kind, "0")) for suite in root)))
    ElementTree.indent(root)
    document: bytes = ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)
    return document + b"\n"


def _add_suite(root: Element, check: NamedCheck) -> None:
    from xml.etree.ElementTree import SubElement

    name = xml(check.name)
    suite, group = SubElement(root, "testsuite", name=name), f"xent.{name}"
    if check.report is not None:
        for limit in check.report.checks:
            case = SubElement(suite, "testcase", classname=group, name=xml(limit.name))
            _add_outcome(case, limit, check.report)
    if check.error is not None:
        case = SubElement(suite, "testcase", classname=group, name="run")
        _add(case, "error", check.verdict, [check.error.message, *check.error.advice])
    suite.set("tests", str(len(suite)))
    for attribute, tag in _KINDS.items():
        suite.set(attribute, str(len(suite.findall(f"testcase/{tag}"))))


def _add_outcome(case: Element, limit: Check, report: CheckReport) -> None:
    """Add why a limit did not pass, with what explains a failure."""
    if limit.verdict == "pass":
        return
    why = [", ".join(reason_cells(reason)) for reason in report.reasons if limit.name in reason.checks]
    lines = [in_words(limit, report), *why]
    if limit.verdict == "fail":
        _add(case, "failure", limit.rule, lines)
    else:
        _add(case, "error" if limit in report.held else "skipped", limit.verdict, lines)


def _add(case: Element, tag: str, type: str, lines: Sequence[str]) -> None:
    from xml.etree.ElementTree import SubElement

    SubElement(case, tag, type=type, message=xml(lines[0])).text = "\n".join(map(xml, lines))
