"""The Plan of a score: every decision that is made before the first row is scored."""

from __future__ import annotations

from typing import Any

import numpy as np

from xentcli.arrays import Floats
from xentcli.errors import Warning
from xentcli.pairing.join import Join
from xentcli.pairing.labels import Matcher
from xentcli.readers.source import Selection, Source
from xentcli.records import record
from xentcli.settings import Settings

__all__ = ["Plan", "Table"]


@record(frozen=True)
class Table:
    """An input: what messages and reports say of it.

    Attributes
    ----------
    path, format, header, names
        As its source has them.
    files
        The files of a folder or glob; empty for one file.
    dtype
        The dtype of an array; None for all else.
    unused
        The names of the columns with no role.
    """

    path: str
    format: str
    header: bool | None
    names: tuple[str, ...]
    files: tuple[str, ...]
    dtype: np.dtype[Any] | None
    unused: tuple[str, ...]

    @classmethod
    def of(cls, source: Source, unused: tuple[str, ...]) -> Table:
        """Describe a source."""
        traits = source.traits
        return cls(source.path, source.format, source.header, source.names, traits.files, traits.dtype, unused)


@record(frozen=True, eq=False)
class Plan:
    """All that was decided before the first row is scored. It holds no open file and no iterator, and pickles.

    Attributes
    ----------
    inputs
        What is read: the predictions, the labels unless they are in the same file, and further files.
    picks
        For each input, what is loaded of it.
    classes
        The class names; empty for kinds without labels.
    matcher
        The rule of the labels; None for kinds without labels.
    label_columns
        The names of the label columns.
    compare_row_names
        Whether both files have row names, which are compared.
    joins
        With --id, for each input after the first its rows by id.
    class_weights
        f8[K], or None where all are 1.
    slice_columns, shown_columns
        The names of the columns of each --by, and of --show.
    warnings
        First lines that could be data, taken as headers; columns that could be classes, not taken as such.
    uncertain_base
        Whether labels are numbers of classes and could count from 1, as far as the deciding ones show.
    has_label_file
        Whether the second input is a file of labels.
    """

    settings: Settings
    inputs: tuple[Table, ...]
    picks: tuple[Selection, ...]
    classes: tuple[str, ...]
    matcher: Matcher | None
    label_columns: tuple[str, ...]
    compare_row_names: bool
    joins: tuple[Join, ...]
    class_weights: Floats | None
    slice_columns: tuple[tuple[str, ...], ...]
    shown_columns: tuple[str, ...]
    warnings: tuple[Warning, ...]
    uncertain_base: bool
    has_label_file: bool

    @property
    def predictions(self) -> Table:
        """The input of the predictions."""
        return self.inputs[0]

    @property
    def alignment(self) -> str:
        """How rows find their labels: "position" or "id"."""
        return "position" if self.settings.id is None else "id"

    @property
    def divides_by_rows(self) -> bool:
        """Whether class weights multiply losses alone, as the tool to agree with does with distributions."""
        distributions = self.matcher is not None and self.matcher.matched == "distribution"
        return self.settings.divides_by_rows and distributions and self.class_weights is not None

    @property
    def has_weightless_losses(self) -> bool:
        """Whether rows of a class of weight 0 have a loss, by label smoothing, and no part of sum b."""
        zero = self.class_weights is not None and bool((self.class_weights == 0).any())
        return zero and bool(self.settings.label_smoothing) and not self.divides_by_rows
