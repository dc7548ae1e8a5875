"""Advice for rows that are not probabilities: what they look like, and the option that reads them.

Each function examines all rows of a block, so that no advice contradicts another row.
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from xentcli.arrays import Floats
from xentcli.errors import Place, unused
from xentcli.scoring.rows import row_sums

__all__ = ["SLIGHT", "base_of", "base_options", "based", "beyond_1", "negative", "off_1", "outside", "percent"]

_NOWHERE = Place()
_OFF = 0.001
"""Tolerance for the sums of columns."""
SLIGHT = 0.01
"""Values further outside [0, 1] than this are not rounding errors."""
_MARGIN = (0.999, 1.2)
"""Range of the sum of reciprocal odds: 1 plus the bookmaker's margin."""
_TEXT = (".csv", ".tsv", ".txt")


def beyond_1(values: Floats) -> float:
    """The largest distance of values from [0, 1], rounded up to two digits."""
    beyond = float(max(-values.min(), values.max() - 1))
    rounded = float(f"{beyond:.2g}")
    return rounded if rounded >= beyond else float(f"{beyond * 1.05:.2g}")


def negative(q: Floats, row: int, tolerance: float) -> tuple[str, ...]:
    """Advice for a row of q, f8[n, k], with no value above 0: log-probabilities or logits; one if other rows decide."""
    values = q[row]
    if (q > tolerance).any():
        return ("scores before the softmax: --kind logits",)
    top = values.max()
    off = abs(top + np.log(np.add.reduce(np.exp(values - top)))) if np.isfinite(top) else np.inf
    if len(values) == 1:
        return ("if it is a log-probability: --kind logprobs", "if it is a score before the sigmoid: --kind logits")
    if off <= tolerance:
        return (
            "log-probabilities (their exponentials sum to 1): --kind logprobs",
            "scores before the softmax: --kind logits",
        )
    if base := base_of(q, tolerance):
        return (based(base),)
    return (
        "scores before the softmax: --kind logits",
        "log-probabilities (--kind logprobs), but their exponentials do not sum to 1",
    )


def base_of(q: Floats, tolerance: float) -> int:
    """Return 2 or 10 if all rows of q, f8[n, k], are logarithms to that base of probabilities; else 0.

    >>> base_of(np.log2([[0.25, 0.75], [0.5, 0.5]]), 0.001), base_of(np.log([[0.25, 0.75]]), 0.001)
    (2, 0)
    """
    if not len(q) or bool((q > tolerance).any()):
        return 0
    sums = ((base, row_sums(np.power(float(base), q))) for base in (10, 2))
    return next((base for base, found in sums if bool((np.abs(found - 1) <= tolerance).all())), 0)


def base_options(base: int) -> str:
    """Return the options that read logarithms to a base: the softmax of z ln(base) is what each z is of.

    >>> base_options(2)
    '--kind logits --temperature 1.4426950408889634'
    """
    return f"--kind logits --temperature {float(1 / np.log(base))!r}"


def based(base: int) -> str:
    """Return the advice for logarithms to a base."""
    return f"logarithms to base {base} of probabilities: {base_options(base)}"


def percent(values: Floats) -> str:
    """Advice if values may be percentages: all in [0, 100] and some above 1."""
    seen = values[np.isfinite(values)]
    return "percent? --scale 0.01" if len(seen) and seen.min() >= 0 and 1 < seen.max() <= 100 else ""


def outside(q: Floats, row: int, tolerance: float, where: Callable[[int], Place]) -> tuple[str, ...]:
    """Advice for a row of q, f8[n, k], with a value outside [0, 1]; `where` gives the places of its columns."""
    values = q[row]
    total = float(np.add.reduce(values))
    if _are_odds(q):
        return (
            "decimal odds (their reciprocals sum to 1 to 1.2)? This line converts them to probabilities:",
            _conversion([where(column) for column in range(len(values))]),
        )
    if len(values) == 1:
        return tuple(filter(None, (percent(q), "--kind logits reads scores before the sigmoid")))
    known = q[np.isfinite(q).all(axis=1)]
    hundred = np.abs(row_sums(known) - 100) <= 100 * max(tolerance, 0.01)
    if values.min() >= 0 and hundred.all() and (known >= 0).all():
        return (f"the row sums to {total:.6g}: percent? --scale 0.01",)
    if abs(total - 1) <= tolerance and (beyond := beyond_1(values)) <= SLIGHT:
        return (f"off by rounding? --sum-tolerance {beyond:.2g} takes values below 0 as 0",)
    stray = "a column that is not a prediction: --preds NAME,..."
    if (q >= 0).all() and bool((np.abs(row_sums(np.exp(-q)) - 1) <= tolerance).all()):
        return ("negative log-probabilities? Write them without the minus, as logarithms: then --kind logprobs",)
    if _all_but_one(q, 100):
        return ("without one column each row sums to 100: percent? --scale 0.01", stray)
    return ("scores before the softmax: --kind logits", stray)


def off_1(q: Floats, row: int, place: Place = _NOWHERE) -> tuple[str, ...]:
    """Advice for a row of q, f8[n, k], at a place, that does not sum to 1: rounding, or a choice for the user."""
    values = q[row]
    total = float(np.add.reduce(values))
    if place.path and place.path.endswith(".npy") and _are_columns_of_1(q):
        target = os.path.basename(place.path).removesuffix(".npy") + "-t.npy"
        return (
            "each column sums to 1, and no row does: transposed? "
            f"numpy.save({target!r}, numpy.load({place.path!r}).T) writes a row for each example",
        )
    decimals = max(_decimals(float(v)) for v in values)
    bound = len(values) * 0.5 * 10.0**-decimals
    divide = "--renormalize divides each row by its sum"
    if 0 < decimals <= 6 and abs(total - 1) <= bound * (1 + 1e-9):
        return (
            f"{decimals} decimal{'s' * (decimals > 1)} x {len(values)} classes "
            f"can be off by {bound:g}: --sum-tolerance {bound:g}",
            divide,
        )
    if total < 1:
        return ("is a class column missing? --preds NAME,... chooses the columns", divide)
    apart = "a yes or no in each column: --multilabel"
    choose = "a column that is not a prediction? --preds NAME,... chooses the columns"
    return (choose,) if _has_a_stray(q) else (choose, divide, apart)


def _are_columns_of_1(q: Floats) -> bool:
    """Whether each column of several rows of q, f8[n, k], sums to 1, and no row does.

    >>> _are_columns_of_1(np.array([[0.25, 0.5, 0.75], [0.75, 0.5, 0.25]])), _are_columns_of_1(np.eye(2))
    (True, False)
    """
    if len(q) < 2 or bool((q < 0).any()):
        return False
    return bool((np.abs(q.sum(axis=0) - 1) <= _OFF).all()) and not bool((np.abs(row_sums(q) - 1) <= _OFF).any())


def _has_a_stray(q: Floats) -> bool:
    """Whether a column has values that are not probabilities, or the other columns sum to 1 in every row.

    >>> _has_a_stray(np.array([[0, 0.25, 0.75], [1, 0.5, 0.5]])), _has_a_stray(np.array([[0.5, 0.6], [0.5, 0.7]]))
    (True, False)
    """
    return bool(((q < 0) | (q > 1)).any()) or _all_but_one(q, 1)


def _all_but_one(q: Floats, total: float) -> bool:
    """Whether all but one column of q, f8[n, k], sum to `total` in every row, up to a relative error of 0.001."""
    rest = row_sums(q)[:, None] - q
    return bool((np.abs(rest - total) <= 0.001 * total).all(axis=0).any())


def _decimals(value: float) -> int:
    """The number of decimals in the shortest form of a double."""
    text: Any = np.format_float_positional(value, trim="-")
    return len(text.partition(".")[2])


def _are_odds(values: Floats) -> bool:
    """Return whether rows f8[n, k] look like decimal odds: above 1, with reciprocals that sum to 1 to 1.2.

    >>> _are_odds(np.array([[1.5, 4.0, 9.0]])), _are_odds(np.array([[70.0, 20.0, 10.0]]))
    (True, False)
    """
    if values.shape[1] < 2 or not (np.isfinite(values) & (values >= 1)).all():
        return False
    sums = row_sums(1 / values)
    return bool(((sums >= _MARGIN[0]) & (sums <= _MARGIN[1])).all())


def _conversion(places: Sequence[Place]) -> str:
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
