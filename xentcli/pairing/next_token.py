"""--shift-labels: the prediction at a position is compared with the label of the next one (next-token prediction)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast

from xentcli.errors import DataError, Place
from xentcli.readers.source import Part, Rows, Selection, Source, WholePart, held
from xentcli.records import record, replace
from xentcli.settings import Settings

__all__ = ["positions", "shifted_by_1", "two_of_one"]


@record(frozen=True)
class _Cut(WholePart):
    """Some rows of a part."""

    part: Part
    before: int
    rows: int

    def load(self, selection: Selection) -> Rows:
        """Read the selected columns."""
        return self.part.load(selection).cut(self.before, self.before + self.rows)

    def held(self, selection: Selection) -> _Cut:
        """Return it with its rows, where they are found only by reading in order."""
        return replace(self, part=held(self.part, selection))


def shifted_by_1(parts: Iterator[Part]) -> Iterator[Part]:
    """Yield the rows from the second on, then the last one again in place of the missing label."""
    last: Part | None = None
    for part in (part for part in parts if part.rows):
        if last is not None:
            yield part
        elif part.rows > 1:
            yield _Cut(part, 1, part.rows - 1)
        last = part
    if last is not None:
        yield _Cut(last, last.rows - 1, 1)


def positions(shape: Sequence[int], axis: int | None, path: str) -> int:
    """Return the number of positions per sequence of an array (batch, position, class), or with classes on axis 1.

    Raises DataError for other shapes, from which the end of a sequence is unknown.
    """
    if len(shape) != 3 or axis in (None, 0):
        what = f"an array of shape {tuple(shape)}" if shape else "a table"
        raise DataError(
            f"--shift-labels is for an array (batch, position, class), whose sequences have an end; this is {what}",
            place=Place(path),
            advice="array[None], of the logits and of the labels, is a batch of one sequence"
            if len(shape) == 2
            else "",
        )
    return shape[1] if axis == 2 else shape[2]


def two_of_one(source: Source, settings: Settings) -> tuple[Source, Source]:
    """Split an archive into the predictions, and the other members, whose rows are shifted.

    Raises DataError for a table.
    """
    members: Mapping[str, tuple[int, ...]] = source.traits.arrays
    if not hasattr(source, "of_members") or not members:
        raise DataError(
            "--shift-labels is for an array (batch, position, class); this is a table or has no labels beside it",
            place=Place(source.path),
            advice="xent score PREDS LABELS --shift-labels",
        )
    name = settings.preds if isinstance(settings.preds, str) and settings.preds in members else None
    name = name or max(members, key=lambda member: len(members[member]))
    changing = cast("Any", source)
    return changing.of_members({name}), changing.of_members(members.keys() - {name})
