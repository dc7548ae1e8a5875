"""COMPAT: how other tools come to their number, one row each. Plain data.

Each row was read off the tool's own source of the version that it names.
"""

from __future__ import annotations

from typing import Literal

from xentcli.records import record

__all__ = ["COMPAT", "Tool"]


@record(frozen=True)
class Tool:
    """What a tool does beside the formula.

    Attributes
    ----------
    title
        The tool and the version that is reproduced.
    kinds
        The kinds of predictions that it takes.
    clip
        The EPS of its clipping; "dtype" is the machine epsilon of the predictions' dtype.
    renormalize
        Whether it divides each row by its sum before it clips.
    precision
        The dtype in which it subtracts q from 1, "f4" for all numbers that it reads; "dtype" is that of the
        predictions.
    short
        Whether it computes 2-byte floats in 2 bytes: they are refused.
    per_row
        Whether it divides by the number of rows where targets are distributions and classes are weighted.
    class_axis
        The axis of the classes in arrays of three dimensions and more; None for the last.
    """

    title: str
    kinds: tuple[str, ...] = ("probs",)
    clip: float | Literal["dtype"] | None = None
    renormalize: bool = False
    precision: Literal["f4", "f8", "dtype"] = "f8"
    short: bool = False
    per_row: bool = False
    class_axis: int | None = None


COMPAT = {
    "sklearn": Tool("scikit-learn 1.9, metrics.log_loss", clip="dtype", precision="dtype", short=True),
    "torch": Tool(
        "PyTorch 2.13, nn.functional.cross_entropy",
        kinds=("logits", "logprobs"),
        short=True,
        per_row=True,
        class_axis=1,
    ),
    "kaggle": Tool("Kaggle's multiclass log loss", clip=1e-15, renormalize=True),
    "xgboost": Tool("XGBoost 3.2, mlogloss and logloss", clip=1e-16, precision="f4"),
    "yardstick": Tool("yardstick 1.3, mn_log_loss", clip=2.220446049250313e-16),
}
