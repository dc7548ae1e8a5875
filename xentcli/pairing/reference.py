"""--reference: match the columns of another forecast, or constant shares, to the classes."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence

import numpy as np

from xentcli.arrays import Array, Ints
from xentcli.columns.column import Values
from xentcli.errors import DataError, Place
from xentcli.pairing.affixes import cores_of
from xentcli.pairing.columns import Found, Roles, listed
from xentcli.pairing.matching import Rule
from xentcli.pairing.rules import distribution_order
from xentcli.records import record, replace
from xentcli.scoring.recipe import Recipe
from xentcli.settings import Settings

__all__ = ["Reference", "reference_of"]


@record(frozen=True)
class Reference:
    """The forecast that a score is compared with; always probabilities, whatever the kind of the predictions.

    Attributes
    ----------
    columns
        The names of its columns, or of the classes of constant shares.
    order
        For each class the place of its column; a single place if one column is for the second of two classes.
    note
        How the columns were matched to the classes, in words.
    path
        The file with the columns; empty for shares.
    shares
        The probability of each class in all rows; None for columns.
    negative
        Whether one column is the probability of the first of two classes.
    """

    columns: tuple[str, ...]
    order: tuple[int, ...]
    note: str
    path: str = ""
    shares: tuple[float, ...] | None = None
    negative: bool = False

    def of_rows(self, columns: Values | None, kept: Ints) -> Array:
        """Return the forecast, (n, classes) or (n, 1), for the rows `kept` (i8[n]) of the columns read."""
        if self.shares is not None:
            return np.tile(np.array(self.shares), (len(kept), 1))
        assert isinstance(columns, np.ndarray)
        chosen = columns[kept]
        if self.negative:
            q = chosen[:, 0].astype(np.float64)
            return np.stack([q, 1.0 - q], axis=1)
        in_order = self.order == tuple(range(len(self.order)))
        return chosen if in_order else np.ascontiguousarray(chosen[:, list(self.order)])

    def recipe(self, recipe: Recipe) -> Recipe:
        """Return the recipe of the predictions without options for logits and temperature, to apply to the forecast."""
        probs = recipe.kind == "probs"
        return replace(
            recipe,
            kind="probs",
            temperature=1.0,
            scale=recipe.scale if probs and self.shares is None else 1.0,
            renormalize=recipe.renormalize and len(self.order) > 1,
        )

    def refused(self, error: DataError, kind: str) -> DataError:
        """Return the error for a row of the forecast, without advice that applies to predictions of `kind` only."""
        # Options about the predictions do not fix an error of the forecast.
        others = "kind|scale|preds|multilabel" + ("" if kind == "probs" else "|renormalize|sum-tolerance")
        lines = [line for line in error.advice if not re.search(f"--({others})", line)]
        summed = "the row sums to" in error.message and "can be divided" not in error.message
        if kind == "probs" and summed and not lines:
            lines = ["--renormalize divides each row by its sum"]
        takes = "--reference takes probabilities, from 0 to 1, in every --kind"
        return DataError(f"{error.message} (--reference)", place=error.place, advice=tuple(lines) or takes)


def reference_of(roles: Roles, rule: Rule, settings: Settings) -> Reference | None:
    """Match the columns or shares of --reference to the classes; None without it.

    Raises DataError if their number or names do not match the classes; for shares that are not probabilities.
    """
    if settings.reference is None:
        return None
    preds, classes = roles["preds"][0], rule.classes
    if settings.reference_shares is not None:
        return _shares(settings.reference_shares, classes, settings)
    found, place = roles["reference"][0], Place(roles["reference"][0].source.path)
    if len(found.columns) == 1 and len(classes) == 2 and not settings.multilabel:
        return _one_column(found, classes)
    if len(found.columns) != len(classes):
        constant = "shares of classes? reference=series.to_dict() takes them as constant"
        count = f"{len(found.columns):,} column{'s' * (len(found.columns) > 1)}"
        raise DataError(
            f"--reference has {count}, and there are {len(classes):,} classes",
            place=place,
            advice=(
                f"reference columns: {listed(found.names)}",
                f"classes: {listed(classes)}",
                constant if getattr(found.source, "rows", None) == len(classes) else "",
            ),
        )
    named = found.named and (preds.named or len(preds.columns) == 1 or settings.classes is not None)
    order, note, _ = distribution_order(found.names, classes, named, place, "reference")
    return Reference(found.names, order, note, found.source.path)


def _one_column(found: Found, classes: Sequence[str]) -> Reference:
    """One column for two classes: for the class in its name, else for the second."""
    name = found.names[0]
    about = [place for place, class_ in enumerate(classes) if found.named and _names(name, class_)]
    about = about or [place for place, core in enumerate(cores_of(classes)) if found.named and _names(name, core)]
    place = about[0] if len(about) == 1 else 1
    note = f"one column, the probability of {classes[place]}"
    return Reference((name,), (0,) if place else (0, 0), note, found.source.path, negative=place == 0)


def _names(name: str, part: str) -> bool:
    """Whether a name contains `part` as a separate word.

    >>> _names("market_no", "no"), _names("snow", "no")
    (True, False)
    """
    return bool(part) and re.search(rf"(?i)(?<![^\W_]){re.escape(part)}(?![^\W_])", name) is not None


def _shares(given: Mapping[str, float], classes: tuple[str, ...], settings: Settings) -> Reference:
    """Constant probabilities; for two classes one of them suffices."""
    names, values = tuple(given), list(given.values())
    if len(names) == 1 and len(classes) == 2 and not settings.multilabel:
        about = [place for place, core in enumerate(classes) if core == names[0]] or [
            place for place, core in enumerate(cores_of(classes)) if core == names[0].casefold()
        ]
        if about:
            share = values[0]
            names, values = classes, [share, 1 - share] if about == [0] else [1 - share, share]
    lists = (f"classes: {listed(classes)}", f"shares: {listed(names)}")
    if len(names) != len(classes):
        raise DataError(f"--reference has {len(names):,} shares of {len(classes):,} classes", advice=lists)
    order, note, by_name = distribution_order(names, classes, True, Place("--reference"), "reference")
    if not by_name:
        raise DataError("the shares of --reference are not named as the classes are", advice=lists)
    shares = tuple(values[place] for place in order)
    _check_shares(shares, settings)
    note = note.removeprefix("one column for each class, ")
    return Reference(classes, tuple(range(len(classes))), f"constant shares, {note}", "", shares)


def _check_shares(shares: Sequence[float], settings: Settings) -> None:
    """Refuse shares outside [0, 1], and shares of exclusive classes that do not sum to 1."""
    tau = settings.sum_tolerance
    most = math.inf if settings.renormalize else 1 + tau
    odd = next((share for share in shares if not -tau <= share <= most or math.isinf(share)), None)
    if odd is not None:
        raise DataError(f"--reference {odd:g} is not a probability, which lies from 0 to 1")
    if not settings.multilabel and not settings.renormalize and abs(sum(shares) - 1) > tau:
        raise DataError(
            f"the shares of --reference sum to {sum(shares):.6g}, not to 1 within {tau:g}",
            advice=f"shares of counts? divide them by their sum, {sum(shares):.6g}",
        )
