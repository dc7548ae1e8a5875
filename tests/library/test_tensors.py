"""Tensors and arrays of other libraries: torch, what has DLPack or __array__ alone, and bfloat16."""

from __future__ import annotations

import subprocess
import sys
import types
from typing import Any

import ml_dtypes
import numpy as np
import pytest

import xentcli
from tests.library import PROBS, TRUTH
from xentcli.errors import DataError

_LOGITS = np.log(PROBS)
_SHORT = _LOGITS.astype(ml_dtypes.bfloat16)

stand_in = types.ModuleType("stand_in_torch")


class Dtype:
    """A dtype of the stand-in for torch."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __str__(self) -> str:
        return f"torch.{self.name}"


Dtype.__module__ = "stand_in_torch"
stand_in.int16 = Dtype("int16")  # type: ignore[attr-defined]
sys.modules["stand_in_torch"] = stand_in


class Tensor:
    """A tensor that refuses what torch refuses: gradients, other devices and bfloat16 are no NumPy array."""

    def __init__(self, data: Any, *, grad: bool = False, device: str = "cpu") -> None:
        self._data, self._grad, self._device = np.asarray(data), grad, device
        self.dtype = Dtype(self._data.dtype.name)
        self.shape = self._data.shape

    def detach(self) -> Tensor:
        return Tensor(self._data, device=self._device)

    def cpu(self) -> Tensor:
        return Tensor(self._data, grad=self._grad)

    def view(self, dtype: Dtype) -> Tensor:
        return Tensor(self._data.view(dtype.name), grad=self._grad, device=self._device)

    def __len__(self) -> int:
        return len(self._data)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        if self._grad:
            raise RuntimeError("Can't call numpy() on Tensor that requires grad. Use tensor.detach().numpy() instead.")
        if self._device != "cpu":
            raise TypeError(f"can't convert {self._device} device type tensor to numpy. Use Tensor.cpu() first.")
        if self.dtype.name == "bfloat16":
            raise TypeError("Got unsupported ScalarType BFloat16")
        return self._data

    def __dlpack__(self, **_: Any) -> Any:
        if self._grad:
            raise BufferError("Can't export tensors that require gradient, use tensor.detach()")
        return self._data.__dlpack__()

    def __dlpack_device__(self) -> tuple[int, int]:
        return (1, 0)


class OnlyDlpack:
    """An array with no more than DLPack."""

    def __init__(self, data: Any) -> None:
        self._data = data

    def __dlpack__(self, **options: Any) -> Any:
        return self._data.__dlpack__(**options)

    def __dlpack_device__(self) -> tuple[int, int]:
        return (1, 0)


class OnlyArray:
    """An object with no more than __array__."""

    def __init__(self, data: Any) -> None:
        self._data = data

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        if isinstance(self._data, Exception):
            raise self._data
        return self._data


@pytest.mark.parametrize(
    ("logits", "labels"),
    [
        (Tensor(_LOGITS), Tensor(TRUTH)),
        (Tensor(_LOGITS, grad=True), TRUTH),
        (Tensor(_LOGITS, grad=True, device="cuda:0"), Tensor(TRUTH, device="cuda:0")),
        (OnlyDlpack(_LOGITS), OnlyDlpack(TRUTH)),
        (OnlyArray(_LOGITS), OnlyArray(TRUTH)),
        ([Tensor(row, grad=True) for row in _LOGITS], [Tensor(label) for label in TRUTH]),
    ],
    ids=["plain", "gradient", "device", "dlpack", "array", "list"],
)
def test_the_same_numbers_give_the_same_bits(logits: Any, labels: Any) -> None:
    found, wanted = xentcli.score(logits, labels, kind="logits"), xentcli.score(_LOGITS, TRUTH, kind="logits")
    assert found.cost.hex() == wanted.cost.hex()
    assert found.brier == wanted.brier


@pytest.mark.parametrize(
    "logits",
    [_SHORT, Tensor(_SHORT), Tensor(_SHORT, grad=True), [Tensor(row) for row in _SHORT]],
    ids=["ml_dtypes", "tensor", "gradient", "list"],
)
def test_bfloat16_is_what_it_widens_to(logits: Any) -> None:
    wanted = xentcli.score(_SHORT.astype(np.float32), TRUTH, kind="logits")
    assert xentcli.score(logits, TRUTH, kind="logits").cost.hex() == wanted.cost.hex()


def test_bfloat16_has_the_axis_of_its_classes_chosen() -> None:
    cube = np.log(PROBS.reshape(6, 10, 3)).astype(ml_dtypes.bfloat16)
    wanted = xentcli.score(_SHORT.astype(np.float32), TRUTH, kind="logits").cost
    found = xentcli.score(np.moveaxis(cube, -1, 1), TRUTH.reshape(6, 10), kind="logits", class_axis=1)
    assert found.cost.hex() == wanted.hex()


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (OnlyArray(RuntimeError("no array")), "'OnlyArray' cannot be read as an array: 'no array'"),
        (PROBS.astype(ml_dtypes.float8_e4m3fn), "an array of dtype float8_e4m3fn; numbers or text are expected"),
        (PROBS.astype(complex), "an array of dtype complex128; numbers or text are expected"),
        (OnlyDlpack(None), "'OnlyDlpack' cannot be read as an array"),
        (object(), "an object of type 'object'; a path, an array or a data frame is expected"),
        ([[0.5, 0.5], [1.0]], "rows of unequal length; a list of lists is a table"),
        ({"p": np.array([[0.5, 0.5], [1.0]], dtype=object)}, "p has lists of differing length, or of text"),
        ({"a": [0.5], "b": [0.5, 0.5]}, "column 'b' has 2 values, and 'a' 1"),
    ],
    ids=["raises", "float8", "complex", "dlpack", "object", "ragged", "lists", "dict"],
)
def test_what_is_no_table_is_refused(data: Any, message: str) -> None:
    with pytest.raises(DataError) as refused:
        xentcli.score(data, TRUTH)
    assert refused.value.message.startswith(message)


def test_real_tensors_of_torch() -> None:
    torch = pytest.importorskip("torch", reason="torch is not installed; its stand-in above runs the same path")
    logits = torch.tensor(_LOGITS, requires_grad=True)
    wanted = xentcli.score(_LOGITS, TRUTH, kind="logits").cost
    assert xentcli.score(logits, torch.tensor(TRUTH), kind="logits").cost.hex() == wanted.hex()
    short = logits.detach().to(torch.bfloat16).requires_grad_()
    wanted = xentcli.score(short.detach().float().numpy(), TRUTH, kind="logits").cost
    assert xentcli.score(short, TRUTH, kind="logits").cost.hex() == wanted.hex()


def test_importing_and_scoring_arrays_imports_no_library_of_frames() -> None:
    code = (
        "import sys, numpy, xentcli; xentcli.score(numpy.full((2, 2), 0.5), [0, 1]); "
        "print([m for m in ('pandas', 'polars', 'pyarrow', 'narwhals', 'torch', 'ml_dtypes') if m in sys.modules])"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"
