"""The library as notebooks call it: one file for each library of data frames or arrays, and the real library."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

import xentcli
from xentcli.report.report import Report

CLASSES = ("cat", "dog", "emu")
ROWS = 60

_rng = np.random.default_rng(7)
PROBS = _rng.dirichlet(np.ones(3), ROWS)
TRUTH = np.array([_rng.choice(3, p=row) for row in PROBS])
NAMES = [CLASSES[code] for code in TRUTH]
SITES = [("north", "south")[code] for code in _rng.integers(0, 2, ROWS)]
WEIGHTS = _rng.integers(1, 4, ROWS) / 2
ORDER = _rng.permutation(ROWS)
"""Another order of the rows."""
IDS = [f"r{number}" for number in _rng.permutation(ROWS)]


def file_report(tmp_path: Path, **options: Any) -> Report:
    """The report of the same numbers as CSV files, with the columns site and weight beside the labels."""
    preds, labels = tmp_path / "preds.csv", tmp_path / "labels.csv"
    rows = zip(IDS, PROBS.tolist(), strict=True)
    preds.write_text("id,cat,dog,emu\n" + "".join(f"{one},{','.join(map(repr, row))}\n" for one, row in rows))
    beside = zip(IDS, NAMES, SITES, WEIGHTS.tolist(), strict=True)
    labels.write_text("id,label,site,weight\n" + "".join(f"{','.join(map(str, row))}\n" for row in beside))
    return xentcli.score(str(preds), str(labels), label="label", preds="cat:emu", **options)
