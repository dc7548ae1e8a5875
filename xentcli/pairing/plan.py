"""Plan: every decision made before the first row is scored."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from xentcli.errors import Warning
from xentcli.pairing.matchers import Matcher
from xentcli.pairing.reference import Reference
from xentcli.readers.source import Selection, Source
from xentcli.records import cached_property, record
from xentcli.scoring.recipe import Recipe
from xentcli.settings import Settings

if TYPE_CHECKING:
    from xentcli.pairing.join import Join

__all__ = ["Plan", "Table"]


@record(frozen=True)
class Table:
    """A description of an input for messages and reports.

    Attributes
    ----------
    path, format, header, names
        As in its source.
    files
        How many files a folder or glob has; 0 for a single file.
    dtype
        The dtype of an array, else None.
    unused
        The names of the columns without a role.
    """

    path: str
    format: str
    header: bool | None
    names: tuple[str, ...]
    files: int
    dtype: np.dtype[Any] | None
    unused: tuple[str, ...]

    @classmethod
    def of(cls, source: Source, unused: tuple[str, ...]) -> Table:
        """Describe a source."""
        traits = source.traits
        return cls(source.path, source.format, source.header, source.names, len(traits.files), traits.dtype, unused)


@record(frozen=True, eq=False)
class Plan:
    """Every decision made before the first row is scored. It holds no open file and no iterator, and pickles.

    Attributes
    ----------
    settings
        The options.
    recipe
        How a row becomes a loss.
    set_by_compat
        The options that --compat sets, with their values.
    inputs
        The inputs: predictions, labels unless they are in the same file, and further files.
    picks
        The columns to load from each input.
    classes
        The class names; empty for kinds without labels.
    matcher
        The rule of the labels; None for kinds without labels.
    label_columns
        The names of the label columns.
    compare_row_names
        Whether both files have row names that are compared.
    joins
        With --id, the rows of each input after the first, by id.
    slice_columns, shown_columns
        The names of the columns of each --by, and of --show.
    warnings
        Warnings about doubtful first lines, and columns that could be classes but have another role.
    uncertain_base
        Whether labels are class indices that, judging by the deciding ones, could count from 1.
    has_label_file
        Whether the second input is a file of labels.
    positions
        With --shift-labels the number of positions per sequence, the last of which has no next token; else 0.
    reference
        The forecast of --reference; None without it.
    sequences
        Whether the predictions are an array (batch, position, class), without --shift-labels.
    by_counted
        Advice that matches rows by compared columns of different names, where one has row numbers; else empty.
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
    by_counted: str = ""

    @cached_property
    def derived(self) -> dict[Any, Any]:
        """What follows from the plan alone, by keys of those who derive it: neither the plan nor rows are in it."""
        return {}

    @property
    def predictions(self) -> Table:
        """The input of the predictions."""
        return self.inputs[0]

    @property
    def has_lists(self) -> bool:
        """Whether predictions are lists in which every number is an example."""
        return any(pick["preds"].as_ == "lists" for pick in self.picks if "preds" in pick)

    @property
    def compared(self) -> str:
        """The name of the column that is compared between both files; empty for row names."""
        return self._compared(0)

    @property
    def compared_apart(self) -> str:
        """The name of the compared column in the labels, if it is another one; else empty."""
        other = self._compared(1)
        return other if other != self.compared else ""

    @property
    def has_counted(self) -> bool:
        """Whether the compared columns may be no ids: one of them counts its rows; also of merged runs."""
        return bool(self.by_counted) or "counted" in self.picks[0]

    def _compared(self, place: int) -> str:
        picked = self.picks[place].get("index") if self.compare_row_names else None
        names = self.inputs[place].names
        return names[picked.columns[0]] if picked is not None and picked.columns[0] < len(names) else ""

    @property
    def doubtful_labels(self) -> bool:
        """Whether labels stand beside the predictions, in a column named for them or though a label file is given."""
        names = self.label_columns if len(self.label_columns) == 1 else ()
        named = any(name.lower().startswith("pred") for name in names)
        return "label" in self.picks[0] and (self.has_label_file or named)

    @property
    def alignment(self) -> str:
        """How rows are matched to labels: "position" or "id"."""
        return "position" if self.settings.id is None and not self.joins else "id"
