"""Suggest --label and --preds for an archive of arrays by the shapes and names of its members."""

from __future__ import annotations

import re
import shlex

import numpy as np

from xentcli.columns.column import texts_of
from xentcli.pairing.alignment import PartQueue
from xentcli.pairing.by_name import is_label_by_name
from xentcli.pairing.columns import columns_of
from xentcli.readers.source import Pick, Source
from xentcli.scoring.advice import base_of, base_options
from xentcli.settings import Settings

__all__ = ["member_options"]

_TOKENS = r"(?i)(?<![^\W_])(input_ids|tokens?|token_ids)(?![^\W_])"
_SCORES = r"(?i)logit|prob|score|pred"
_LOOK_AT = 1000
"""Labels that are looked at; of predictions one row."""
_OFF = 0.001
"""Tolerance for the sum of probabilities, computed from the logarithms in an array."""


def member_options(source: Source, settings: Settings) -> str:
    """Return the options for an archive with one array of predictions, and one of labels by its name; else nothing.

    Arrays of labels have the shape of the predictions without the classes. Where the tokens that a language model has
    read are the labels, the options say that position t predicts the next one.
    """
    shapes = source.traits.arrays
    if settings.label is not None or settings.kind not in ("probs", "logits", "logprobs"):
        return ""
    preds = [name for name, shape in shapes.items() if len(shape) > 1 and shape[:-1] in shapes.values()]
    preds = [name for name in preds if re.search(_SCORES, name)] if len(preds) > 1 else preds
    preds = [settings.preds] if isinstance(settings.preds, str) and settings.preds in shapes else preds
    if len(preds) != 1:
        return ""
    inner = [name for name, shape in shapes.items() if shape == shapes[preds[0]][:-1]]
    tokens = [name for name in inner if re.search(_TOKENS, name)]
    labels = [name for name in inner if is_label_by_name(name)] or tokens
    if len(labels) != 1:
        return ""
    texts = _first(source, labels[0])
    read = next((_first(source, name) for name in tokens), [])
    pairs = [pair for pair in zip(texts, read, strict=False) if not pair[0].startswith("-")]
    shifted = len(shapes[preds[0]]) == 3 and bool(pairs) and all(one == other for one, other in pairs)
    options = [
        f"--label {shlex.quote(labels[0])}",
        f"--preds {shlex.quote(preds[0])}" if settings.preds is None else "",
        _kind_of(source, preds[0]) if settings.kind == "probs" else "",
        "--ignore-label -100" if "-100" in texts and not settings.ignored else "",
        "--shift-labels" if shifted and not settings.shift_labels else "",
    ]
    return " ".join(filter(None, options))


def _first(source: Source, name: str) -> list[str]:
    """The first values of an array, as texts."""
    rows = next(PartQueue(source).look({"label": Pick(columns_of(name, source) or (), "text")}, _LOOK_AT), None)
    return [] if rows is None else [*texts_of(rows.values["label"])]


def _kind_of(source: Source, name: str) -> str:
    """The options for an array of logits, by its name or by a first row without probabilities or their logarithms.

    It is empty for other arrays.
    """
    rows = next(PartQueue(source).look({"preds": Pick(columns_of(name, source) or ())}, 1), None)
    values = np.asarray(rows.values["preds"], dtype=np.float64) if rows is not None else np.zeros((0, 0))
    if base := base_of(values, _OFF) if values.size else 0:
        return base_options(base)
    if "logit" in name.lower() or not values.size or not (values < 0).any():
        scores = "logit" in name.lower() and bool(((values < 0) | (values > 1)).any())
    else:
        with np.errstate(over="ignore"):
            scores = bool((values > 0).any()) or bool(np.abs(np.exp(values).sum(axis=1) - 1).max() > 0.01)
    return "--kind logits" if scores else ""
