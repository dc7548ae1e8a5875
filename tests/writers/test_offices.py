"""LaTeX and Excel: read back by other programs' parsers, with names that try to be commands and formulas."""

from __future__ import annotations

import io
import re
from typing import Any

import numpy as np
import openpyxl
import pandas as pd
import pytest
from pylatexenc.latex2text import LatexNodes2Text
from pylatexenc.latexwalker import LatexEnvironmentNode, LatexMacroNode, LatexWalker

import xentcli
from xentcli.writers import content, rendered
from xentcli.writers.grid import Grid
from xentcli.writers.pages import page
from xentcli.writers.safe import latex, terminal

NAMES = ["=1+1", "\\input{/etc/passwd}", "a_b & 5% $x$ #1 ~ ^ {", "[50pt]", "a\x1b[31m\u202e"]


def documents() -> dict[str, Any]:
    random = np.random.default_rng(0)
    old, new = (pd.DataFrame(random.dirichlet(np.ones(5), 60), columns=NAMES) for _ in range(2))
    y = [NAMES[label] for label in random.integers(5, size=60)]
    return {
        "score": xentcli.score(old, y, by_class=True, worst=3),
        "compare": xentcli.compare({NAMES[0]: old, NAMES[1]: new}, y, by_class=True),
        "calibration": xentcli.calibration(old, y),
        "check": xentcli.check(old, y, max={"cost": 0.1}, by_class=True),
        "explain": xentcli.explain(old, y, row=3),
    }


EACH = pytest.mark.parametrize("name", ["score", "compare", "calibration", "check", "explain"])


@EACH
def test_latex_is_the_tables_of_the_page_and_runs_nothing_of_a_file(name: str) -> None:
    document = documents()[name]
    nodes, _, _ = LatexWalker(rendered(document, "latex"), tolerant_parsing=False).get_latex_nodes()
    tables = [node for node in nodes if isinstance(node, LatexEnvironmentNode)]
    grids = [part for part in page(document) if isinstance(part, Grid)]
    assert [node.environmentname for node in tables] == ["tabular"] * len(grids)
    allowed = {"toprule", "midrule", "bottomrule", "\\", "textbackslash", "textasciitilde", "textasciicircum"}
    allowed |= {"textless", "textgreater", *"&%$#_{}"}
    for node, grid in zip(tables, grids, strict=True):
        assert {n.macroname for n in node.nodelist if isinstance(n, LatexMacroNode)} <= allowed
        assert node.latex_verbatim().count("\\\\\n") == len(grid.rows) + 1


@pytest.mark.parametrize("name", NAMES)
def test_escaped_latex_reads_as_the_text(name: str) -> None:
    read = LatexNodes2Text().latex_to_text(latex(name))
    assert read.replace("\N{MODIFIER LETTER CIRCUMFLEX ACCENT}", "^") == terminal(name)


@EACH
def test_a_workbook_has_every_number_of_the_tables_and_no_formula(name: str) -> None:
    document = documents()[name]
    book = openpyxl.load_workbook(io.BytesIO(content(document, "xlsx")))
    assert len(book.worksheets) == len(document.tables())
    for sheet, table in zip(book.worksheets, document.tables(), strict=True):
        assert all(cell.data_type != "f" for row in sheet.iter_rows() for cell in row)
        header, *rows = sheet.iter_rows(values_only=True)
        assert list(header)[: len(table.columns)] == list(map(terminal, table.columns))
        for found, wanted in zip(rows, table.rows, strict=True):
            for cell, value in zip(found, wanted, strict=False):
                assert cell == (terminal(value) or None if isinstance(value, str) else value)


def test_infinite_figures_are_text_in_a_workbook() -> None:
    report = xentcli.score([[1.0, 0.0], [0.5, 0.5]], [1, 0])
    book = openpyxl.load_workbook(io.BytesIO(content(report, "xlsx")))
    found = {row[0]: row[1] for row in book["metrics"].iter_rows(values_only=True)}
    assert found["cost"] == "inf" and found["accuracy"] == 0.5


def test_the_sign_of_every_figure_in_latex_is_a_minus_and_a_range_has_a_dash() -> None:
    random = np.random.default_rng(2)
    q = random.dirichlet(np.ones(3), 200)
    old, site = random.dirichlet(np.ones(3), 200), np.where(np.arange(200) % 2, "a", "b")
    # The old model is right more often than it says.
    y = np.where(random.random(200) < 0.95, old.argmax(axis=1), random.integers(3, size=200))
    for document in (
        xentcli.calibration(old, y, by={"site": site}),
        xentcli.compare({"old": old, "new": q}, y, by={"site": site}, worst=2),
        xentcli.check(q, y, max={"cost": 0.1}),
    ):
        text = "\n".join(line for line in rendered(document, "latex").splitlines() if not line.startswith("%"))
        assert re.findall(r"(?:^|[ (&])-[0-9].*", text) == []
        assert document.NAME != "calibration" or ("$-$0." in text and re.search(r"0\.[0-9]+--0\.[0-9]+ &", text))


def test_two_hyphens_of_a_command_or_a_name_are_no_dash() -> None:
    text = rendered(xentcli.explain([[0.9, 0.1], [0.8, 0.2], [0.7, 0.3]], [0, 0, 1]), "latex")
    assert "-{}-by-class" in text and "--" not in text
    assert LatexNodes2Text().latex_to_text(latex("a--b---c ?`''")) == "a--b---c ?`''"


def test_a_negative_infinity_in_latex_has_a_minus() -> None:
    text = rendered(xentcli.explain([[0.0, 1.0]], [0], row=1), "latex")
    assert text.count("$-$inf") == 3 and " -inf" not in text
