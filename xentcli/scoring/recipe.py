"""Recipe: how a row of predictions becomes a loss."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from xentcli.records import record, replace
from xentcli.scoring.compat import Tool

if TYPE_CHECKING:
    import numpy as np

    from xentcli.arrays import Array, Floats

__all__ = ["Recipe"]


@record(frozen=True, eq=False)
class Recipe:
    """How a row of predictions becomes a loss; created once, after --compat and before the first row.

    Attributes
    ----------
    kind
        A name in KINDS.
    tolerance
        tau: the tolerance of a row sum of 1.
    scale
        The factor of every prediction, applied before it is checked.
    renormalize
        Whether each row is divided by its sum before it is checked.
    temperature
        T: the probabilities of a checked row are softmax(ln q / T), of logits softmax(z / T).
    multilabel
        Whether each column is a binary problem; the loss of a row is the mean over its columns.
    clip
        None, or EPS: the q of a loss is min(max(q, EPS), 1 - EPS).
    smoothing
        E: the target of a loss is (1 - E) y + E / K.
    class_weight
        W, f8[K]: the loss of a row is -sum_c W_c y_c ln q_c; None where all are 1.
    per_row
        Whether the denominator of the cost is the sum of the rows' weights without class weights.
    precision
        The dtype in which the tool of --compat subtracts q from 1; None for the exact difference.
    single
        Whether that tool reads all predictions as float32.
    """

    kind: str = "probs"
    tolerance: float = 0.001
    scale: float = 1.0
    renormalize: bool = False
    multilabel: bool = False
    clip: float | None = None
    smoothing: float = 0.0
    class_weight: Floats | None = None
    per_row: bool = False
    precision: str | None = None
    single: bool = False
    temperature: float = 1.0

    def as_tool(self, tool: Tool, dtype: np.dtype[Any] | None, columns: int) -> Recipe:
        """Return the recipe by which a tool of COMPAT scores predictions of a dtype (None: float64) in some columns.

        Whether `per_row` stays is decided when the targets are known.
        """
        import numpy as np

        dtype = dtype or np.dtype("f8")
        precision = dtype.str[1:] if tool.precision == "dtype" else tool.precision
        return replace(
            self,
            clip=float(np.finfo(dtype).eps) if tool.clip == "dtype" else tool.clip,
            renormalize=tool.renormalize and columns > 1,
            per_row=tool.per_row,
            precision=precision,
            # 2- and 4-byte floats need no rounding to float32, unless they are scaled.
            single=precision == "f4" and (dtype.itemsize > 4 or self.scale != 1.0),
        )

    def weighted(self, class_weight: Floats | None, *, distributions: bool) -> Recipe:
        """Return the recipe with class weights (f8[K]) for targets that are distributions, or classes."""
        per_row = self.per_row and distributions and class_weight is not None
        if class_weight is None and per_row == self.per_row:
            return self
        return replace(self, class_weight=class_weight, per_row=per_row)

    @property
    def unweighted(self) -> Recipe:
        """The recipe without class weights."""
        return self if self.class_weight is None else replace(self, class_weight=None, per_row=False)

    @property
    def reducible(self) -> bool:
        """Whether reduced rows suffice to check rows with class-index targets."""
        return self.kind in ("probs", "logits") and not (self.multilabel or self.renormalize or self.single)

    @property
    def has_weightless_losses(self) -> bool:
        """Whether rows of a class of weight 0 have a loss, by label smoothing, and add nothing to the denominator."""
        zero = self.class_weight is not None and bool((self.class_weight == 0).any())
        return zero and bool(self.smoothing) and not self.per_row

    def scaled(self, predictions: Array) -> Array:
        """Return predictions (n, k) times the scale; unchanged without one."""
        return predictions if self.scale == 1.0 else predictions.astype("f8", copy=False) * self.scale

    def as_read(self, predictions: Floats) -> Floats:
        """Return checked predictions as the tool of --compat reads them."""
        return predictions.astype("f4").astype("f8") if self.single else predictions
