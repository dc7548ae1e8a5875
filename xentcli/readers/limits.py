"""Limits on the size of inputs."""

from __future__ import annotations

from xentcli.errors import FileError, Place, shown
from xentcli.records import record

__all__ = ["DEFAULT", "Limits"]

DOCUMENT = 8
"""Approximate bytes of memory as Python objects per byte of a JSON document or office file."""


@record(frozen=True)
class Limits:
    """Limits of every input; each has an option.

    Attributes
    ----------
    columns
        Maximum number of columns.
    field
        Maximum number of characters in a field of delimited text.
    inflated
        Maximum number of bytes after decompression.
    batch
        Maximum size in memory of a record batch of an Arrow file, or of a file that is held in memory: a JSON
        object, a workbook, a file of Stata, SPSS or SAS.
    """

    columns: int = 1_000_000
    field: int = 1 << 20
    inflated: int = 1 << 36
    batch: int = 1 << 30

    @property
    def row(self) -> int:
        """Bytes of a row of text, at most."""
        return max(1 << 25, 2 * self.field)

    def check_columns(self, count: int, place: Place) -> None:
        """Raise FileError for too many columns."""
        if count > self.columns:
            raise _exceeded(f"{count:,} columns; at most {self.columns:,} are read", "--max-columns N", place)

    def check_field(self, length: int, place: Place) -> None:
        """Raise FileError for a field that is too long."""
        if length > self.field:
            raise _exceeded(f"a field is longer than {self.field:,} characters", "--max-field N", place)

    def check_inflated(self, size: int, place: Place) -> None:
        """Raise FileError for compressed data that inflate to too many bytes."""
        if size > self.inflated:
            raise _exceeded(f"it inflates to more than {self.inflated:,} bytes", "--max-inflated BYTES", place)

    def check_batch(self, size: int, place: Place) -> None:
        """Raise FileError for a record batch that needs too much memory."""
        if size > self.batch:
            message = f"a record batch of {size:,} bytes; at most {self.batch:,} are loaded at once"
            error = _exceeded(message, "--max-batch BYTES", place)
            table = f"pyarrow.feather.read_table({shown(place.path, 1000)})"
            smaller = f"pyarrow.feather.write_feather({table}, 'rebatched.feather', chunksize=65536)"
            raise FileError(error.message, place=place, advice=(*error.advice, smaller))

    def check_document(self, size: int, place: Place, what: str) -> None:
        """Raise FileError for a file that is read whole and needs too much memory: `what` it is."""
        if size * DOCUMENT > self.batch:
            most = self.batch // DOCUMENT
            message = f"{what} of more than {most:,} bytes, which is held in memory with {DOCUMENT}"
            error = _exceeded(f"{message} times as many", "--max-batch BYTES", place)
            other = f"{'an array of rows' if what == 'a JSON object' else 'CSV'} is read as a stream"
            raise FileError(error.message, place=place, advice=(*error.advice, other))


DEFAULT = Limits()


def _exceeded(message: str, option: str, place: Place) -> FileError:
    return FileError(message, place=place, advice=f"{option} allows more")
