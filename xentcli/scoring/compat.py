"""COMPAT: how other tools compute their value, one row each. Plain data.

Each row was taken from the source code of the named version.
"""

from __future__ import annotations

from typing import Literal

from xentcli.records import record

__all__ = ["COMPAT", "Tool"]


@record(frozen=True)
class Tool:
    """What a tool does in addition to the formula.

    Attributes
    ----------
    title
        The tool and the reproduced version.
    kinds
        The kinds of predictions that it accepts.
    clip
        EPS of its clipping; "dtype" stands for the machine epsilon of the dtype of the predictions.
    renormalize
        Whether it divides each row by its sum before clipping.
    precision
        The dtype in which it subtracts q from 1, "f4" for all numbers that it reads; "dtype" is that of the
        predictions.
    short
        Whether it computes in 2 bytes for 2-byte floats, which are therefore refused.
    per_row
        Whether it divides by the number of rows if targets are distributions and classes have weights.
    class_axis
        The class axis in arrays of three or more dimensions; None for the last.
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
