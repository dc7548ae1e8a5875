"""Arrays and data frames that are in memory already, read as files are."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from xentcli.errors import DataError, Place, shown
from xentcli.readers.npy import read_values
from xentcli.readers.source import BLOCK_BYTES, Rows, Selection, Values

__all__ = ["MemoryPart", "MemorySource", "open_memory"]


@dataclass(frozen=True, eq=False)
class MemoryPart:
    """Rows of columns in memory."""

    path: str
    names: tuple[str, ...]
    start: int
    rows: int
    array: npt.NDArray[np.generic] | None
    columns: tuple[npt.NDArray[np.generic], ...]

    def load(self, selection: Selection) -> Rows:
        """Take the selected columns."""
        values: dict[str, Values] = {}
        for role, pick in selection.items():
            if self.array is not None:
                values.update(read_values(self.array, {role: pick}))
                continue
            chosen = [self.columns[c] for c in pick.columns]
            if pick.as_ == "numbers":
                values[role] = np.stack(
                    [_numeric(c, self, i) for c, i in zip(chosen, pick.columns, strict=True)], axis=1
                )
            elif pick.as_ == "values" and chosen[0].dtype.kind in "biuf":
                values[role] = chosen[0]
            else:
                values[role] = [_text(value) for value in chosen[0].tolist()]
        return Rows(self.path, self.names, selection, self.start, self.rows, values)


@dataclass(frozen=True, eq=False)
class MemorySource:
    """An array (n,) or (n, k), or named columns of length n."""

    path: str
    names: tuple[str, ...]
    rows: int
    array: npt.NDArray[np.generic] | None = None
    columns: tuple[npt.NDArray[np.generic], ...] = ()
    format: str = "memory"
    header: bool | None = None
    repeatable: bool = True

    @property
    def width(self) -> int:
        """How many columns there are."""
        return len(self.columns) if self.array is None else int(self.array.shape[1])

    def flattened(self) -> MemorySource:
        """Return all its numbers as rows of one column."""
        if self.array is None:
            return self
        return MemorySource(self.path, (), self.array.size, self.array.reshape(-1, 1))

    def check_unchanged(self) -> None:
        """Do nothing: what is in memory is not watched."""

    def lines(self) -> int:
        """Count the rows."""
        return self.rows

    def parts(self, block_bytes: int = BLOCK_BYTES) -> Iterator[MemoryPart]:
        """Cut it into parts of about `block_bytes`."""
        step = max(1, block_bytes // (8 * max(1, self.width)))
        for start in range(0, self.rows, step):
            some = slice(start, min(start + step, self.rows))
            array = None if self.array is None else self.array[some]
            columns = tuple(column[some] for column in self.columns)
            yield MemoryPart(self.path, self.names, start, some.stop - start, array, columns)


def open_memory(data: Any, name: str) -> MemorySource:
    """Take an array, a list, a pandas Series or DataFrame as a source called `name`.

    Raises
    ------
    DataError
        When it is no table of numbers or text.
    """
    if hasattr(data, "columns") and hasattr(data, "to_numpy"):
        names = tuple(str(column) for column in data.columns)
        twice = next((name for name in names if names.count(name) > 1), None) if len(set(names)) < len(names) else None
        if twice is not None:
            raise DataError(
                f"{names.count(twice)} columns are called {shown(twice)}",
                place=Place(name),
                advice="frame.columns = [...] renames them",
            )
        columns = tuple(np.asarray(data.iloc[:, index]) for index in range(len(names)))
        return MemorySource(name, names, len(data), None, columns)
    if np.ma.is_masked(data):
        raise DataError("a masked array with masked values", place=Place(name), advice="array.filled(...) decides them")
    array = np.asarray(data)
    if array.ndim == 1 and array.dtype.kind not in "biuf":
        label = getattr(data, "name", None)
        return MemorySource(name, (str(label),) if label is not None else (), len(array), None, (array,))
    if array.dtype.kind not in "biufUS":
        raise DataError(f"an array of dtype {array.dtype}; numbers or text are expected", place=Place(name))
    if array.ndim not in (1, 2):
        raise DataError(f"an array of shape {array.shape}; (rows,) or (rows, classes) is expected", place=Place(name))
    return MemorySource(name, (), len(array), array.reshape(len(array), array.shape[1] if array.ndim == 2 else 1))


def _numeric(column: npt.NDArray[np.generic], part: MemoryPart, index: int) -> npt.NDArray[np.float64]:
    try:
        return column.astype(np.float64)
    except (TypeError, ValueError):
        raise DataError(
            f"{shown(column[0])} is not a number",
            place=Place(part.path, column=part.names[index] if part.names else None),
        ) from None


def _text(value: object) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)
