"""The tables of a comparison, a calibration and a check: the same on a screen, in Markdown, LaTeX, Excel and HTML."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import openpyxl
import pytest

import xentcli
from xentcli.records import replace
from xentcli.report.comparison import Comparison, Refused
from xentcli.writers import content, rendered
from xentcli.writers.figures import decimals
from xentcli.writers.grid import Grid
from xentcli.writers.pages import page
from xentcli.writers.screens.fitted import fitted
from xentcli.writers.screens.layout import lines


def compared(*names: str, **options: Any) -> Comparison:
    """Models of 200 rows that get worse from name to name."""
    random = np.random.default_rng(0)
    z, y = random.normal(size=(200, 3)), random.integers(3, size=200)
    models = {}
    for number, name in enumerate(names):
        scores = z.copy()
        scores[np.arange(200), y] += 3 - number
        models[name] = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    return xentcli.compare(models, y, by={"site": y % 2}, by_class=True, worst=2, **options)


def cells(line: str) -> list[str]:
    """What a line of a screen, of Markdown or of LaTeX shows."""
    shown = line.replace("$-$", "-").replace("\\\\", "").replace("\\%", "%").replace("\\*", "*").replace("|", " ")
    return shown.replace("&", " ").split()


@pytest.mark.parametrize("names", [("old", "new"), ("old", "new", "newer")])
def test_every_form_of_a_comparison_has_the_tables_of_the_screen(names: tuple[str, ...]) -> None:
    result = compared(*names)
    screen = [line.split() for line in rendered(result, "table").splitlines()]
    grids = [part for part in page(result) if isinstance(part, Grid)]
    assert len(grids) == 4
    for grid in grids:
        for row in (grid.header, *grid.rows):
            assert " ".join(row).split() in screen, row
    for form in ("markdown", "latex"):
        shown = [cells(line) for line in rendered(result, form).splitlines()]
        assert [row for grid in grids for row in grid.rows if " ".join(row).split() not in shown] == []
    costs = [f"{model.cost:.3f}" for model in result.models]
    first = [cell for row in grids[0].rows for cell in row]
    assert set(costs) <= set(first)
    assert any(cell.startswith("+") for cell in first)
    html = content(result, "html").decode()
    assert [cell for cell in first if f">{cell}</td>" not in html] == []


def test_minus_signs_of_latex_are_no_hyphens() -> None:
    latex = rendered(compared("old", "new-1"), "latex")
    assert "$-$0." in latex and "& -0." not in latex
    assert "new-1" in latex


def test_a_workbook_shows_the_digits_of_the_standard_error_and_holds_all() -> None:
    result = compared("old", "new")
    sheet = openpyxl.load_workbook(io.BytesIO(content(result, "xlsx")))["pairs"]
    header, *rows = sheet.iter_rows()
    places = [cell.value for cell in header]
    digits = decimals(min(pair.standard_error or 1.0 for pair in result.pairs))
    for name, value in (("reference_value", result.models[0].cost), ("value", result.models[1].cost)):
        cell = rows[0][places.index(name)]
        assert (cell.value, cell.number_format) == (pytest.approx(value, rel=1e-15), f"#,##0.{'0' * digits}")
    assert rows[0][places.index("p_value")].number_format == "0.000E+00"


def test_the_table_of_bins_says_the_level_of_its_intervals() -> None:
    random = np.random.default_rng(0)
    report = xentcli.calibration(random.dirichlet(np.ones(3), 50), random.integers(3, size=50), confidence=0.9)
    for form in ("table", "markdown", "latex"):
        assert "90 % interval" in rendered(report, form).replace("\\%", "%")


def test_a_check_says_margin_once() -> None:
    report = xentcli.check([[0.5, 0.5]], [1], max={"cost": 1})
    assert rendered(report, "markdown").count("margin") == 1


def test_equal_reasons_of_refused_files_are_one_line() -> None:
    few = [f"the row counts differ: runs/{i}.csv has {200 + i} and y.csv has 400" for i in range(200)]
    refused = [Refused(f"s{i}", f"runs/{i}.csv", reason, 3) for i, reason in enumerate(few)]
    refused.append(Refused("odd", "odd.csv", "odd.csv: no column is called dog", 3))
    result = replace(compared("old", "new", "newer"), refused=tuple(refused))
    for form in ("table", "markdown"):
        shown = rendered(result, form)
        assert shown.count("the row counts differ") == 1
        assert "200 of 204 models (s0, s1, s2, ...): the row counts differ: runs/0.csv has 200" in shown
        assert "odd: odd.csv: no column is called dog" in shown


def test_the_same_file_twice_is_a_warning_without_labels_too(tmp_path: Any) -> None:
    (tmp_path / "a.csv").write_text("cat,dog\n0.5,0.5\n0.2,0.8\n")
    result = xentcli.compare({"a": tmp_path / "a.csv", "b": tmp_path / "a.csv"})
    assert [(one.code, one.message) for one in result.warnings] == [("same-file", "b and a are the same file")]
    for form in ("table", "markdown"):
        assert "b and a are the same file" in rendered(result, form)


@pytest.mark.parametrize("content", ["this costs 23.8 % of all", "one loss 1.25 nats on"])
def test_a_number_and_its_unit_are_on_one_line(content: str) -> None:
    for width in range(9, len(content)):
        shown = "\n".join(fitted(lines([content]), width, color=False))
        assert " ".join(shown.split()) == content
        assert any(unit in shown for unit in ("23.8 %", "1.25 nats"))
