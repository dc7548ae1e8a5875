"""Recognise decimal odds among predictions, and give the command that converts them to probabilities."""

from __future__ import annotations

import os
import shlex
from collections.abc import Sequence

import numpy as np

from xentcli.arrays import Floats
from xentcli.errors import Place, unused
from xentcli.scoring.rows import row_sums

__all__ = ["are_odds", "conversion"]

_MARGIN = (0.999, 1.2)
"""Range of the sum of reciprocal odds: 1 plus the bookmaker's margin."""
_TEXT = (".csv", ".tsv", ".txt")


def are_odds(values: Floats) -> bool:
    """Return whether rows f8[n, k] look like decimal odds: above 1, with reciprocals that sum to 1 to 1.2.

    >>> are_odds(np.array([[1.5, 4.0, 9.0]])), are_odds(np.array([[70.0, 20.0, 10.0]]))
    (True, False)
    """
    if values.shape[1] < 2 or not (np.isfinite(values) & (values >= 1)).all():
        return False
    sums = row_sums(1 / values)
    return bool(((sums >= _MARGIN[0]) & (sums <= _MARGIN[1])).all())


def conversion(places: Sequence[Place]) -> str:
    """Return the command that writes 1 / odds, normalised per row; `places` are those of one row."""
    import json

    path, names = places[0].path or "", [place.column or "" for place in places]
    stem, ending = os.path.splitext(path)
    if ending.lower() not in _TEXT or not os.path.isfile(path):
        return "numpy.save('p.npy', (1 / array) / (1 / array).sum(axis=1, keepdims=True))"
    headed = not all(name.startswith("#") for name in names)
    columns = json.dumps(names if headed else [int(name[1:]) - 1 for name in names])
    reader = [json.dumps(path), "dtype=str", "keep_default_na=False"]
    reader += [] if ending.lower() == ".csv" else ['sep=None, engine="python"']
    reader += [] if headed else ["header=None"]
    target = json.dumps(unused(stem, ".csv"))
    code = (
        f"import pandas; t = pandas.read_csv({', '.join(reader)}); c = {columns}; p = 1 / t[c].astype(float); "
        f"t[c] = p.div(p.sum(axis=1), axis=0); t.to_csv({target}, index=False{'' if headed else ', header=False'})"
    )
    return f"python3 -c {shlex.quote(code)}"
