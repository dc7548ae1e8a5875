"""The Plan of a score: every decision that is made before the first row is scored."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from xentcli.errors import Warning
from xentcli.pairing.join import Join
from xentcli.pairing.matchers import Matcher
from xentcli.pairing.reference import Reference
from xentcli.readers.source import Selection, Source
from xentcli.records import record
from xentcli.scoring.recipe import Recipe
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
    settings
        What was asked for.
    recipe
        How a row becomes a loss.
    set_by_compat
        The options that --compat sets, with their values.
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
    slice_columns, shown_columns
        The names of the columns of each --by, and of --show.
    warnings
        First lines that could be data, taken as headers; columns that could be classes, not taken as such.
    uncertain_base
        Whether labels are numbers of classes and could count from 1, as far as the deciding ones show.
    has_label_file
        Whether the second input is a file of labels.
    positions
        With --shift-labels how many positions a sequence has, the last of which has no next token; else 0.
    reference
        The forecast of --reference; None without it.
    sequences
        Whether the predictions are an array (batch, position, class), without --shift-labels.
    """

    settings: Settings
    recipe: Recipe
    set_by_compat: Mapping[str, Any]
    inputs: tuple[Table, ...]
    picks: tuple[Selection, ...]
    classes: tuple[str, ...]
    matcher: Matcher | None
    label_columns: tuple[str, ...]
    compare_row_names: bool
    joins: tuple[Join, ...]
    slice_columns: tuple[tuple[str, ...], ...]
    shown_columns: tuple[str, ...]
    warnings: tuple[Warning, ...]
    uncertain_base: bool
    has_label_file: bool
    positions: int = 0
    sequences: bool = False
    reference: Reference | None = None

    @property
    def predictions(self) -> Table:
        """The input of the predictions."""
        return self.inputs[0]

    @property
    def has_lists(self) -> bool:
        """Whether predictions are lists, every number of which is an example."""
        return any(pick["preds"].as_ == "lists" for pick in self.picks if "preds" in pick)

    @property
    def compared(self) -> str:
        """The name of the column that both files have and that is compared; empty for row names."""
        picked, names = self.picks[0].get("index"), self.predictions.names
        named = self.compare_row_names and picked is not None and picked.columns[0] < len(names)
        return names[picked.columns[0]] if named and picked is not None else ""

    @property
    def alignment(self) -> str:
        """How rows find their labels: "position" or "id"."""
        return "position" if self.settings.id is None and not self.joins else "id"
