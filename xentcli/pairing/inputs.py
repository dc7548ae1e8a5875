"""Inputs: the opened files and options, and the columns of each role as far as they are found."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import field

from xentcli.errors import Warning
from xentcli.pairing.alignment import PartQueue
from xentcli.pairing.columns import Found, Roles, name_of
from xentcli.readers.source import Source
from xentcli.records import record
from xentcli.settings import Settings

__all__ = ["ROLES", "Inputs"]

ROLES = {
    **dict.fromkeys(("preds", "weights", "bytes", "reference"), "numbers"),
    **dict.fromkeys(("id", "index", "show"), "text"),
    **dict.fromkeys(("by", "cluster"), "keys"),
    "label": "values",
}
"""How the columns of each role are read."""


@record(frozen=False, eq=False)
class Inputs:
    """The inputs, once ids, lists, axes and headers are decided.

    Attributes
    ----------
    queues
        The parts of the predictions, of labels in a file of their own, and of further files.
    files
        How many of these are the predictions and the labels: 1 or 2.
    settings
        The options, with the id that was found.
    whole
        Whether all labels decide their rule, not only the first.
    axis
        The axis of the classes, if chosen.
    positions
        Predictions per sequence where labels are shifted, else 0.
    sequences
        Whether the predictions are sequences that are not shifted.
    warnings
        What was doubtful about first lines.
    roles
        The columns of each role.
    """

    queues: list[PartQueue]
    files: int
    settings: Settings
    whole: bool
    axis: int | None
    positions: int
    sequences: bool
    warnings: tuple[Warning, ...]
    roles: Roles = field(default_factory=dict)

    @property
    def sources(self) -> tuple[Source, ...]:
        """All sources, the predictions first."""
        return tuple(queue.source for queue in self.queues)

    @property
    def pair(self) -> tuple[Source, ...]:
        """The source of the predictions, and that of labels in a file of their own."""
        return self.sources[: self.files]

    @property
    def preds(self) -> Found:
        """The columns of the predictions, once they are found."""
        return self.roles["preds"][0]

    @property
    def label(self) -> Found:
        """The columns of the labels, once they are found."""
        return self.roles["label"][0]

    def queue_of(self, found: Found) -> PartQueue:
        """Return the parts of the source that has some columns."""
        return next(queue for queue in self.queues if queue.source is found.source)

    def used(self, source: Source, roles: Collection[str]) -> dict[int, str]:
        """Return the columns of a source that have one of some roles, each with the first such role."""
        used: dict[int, str] = {}
        for role, places in self.roles.items():
            for found in places:
                if found.source is source and (option := role.partition(".")[0]) in roles:
                    used = dict.fromkeys(found.columns, option) | used
        return used

    def free(self, source: Source) -> list[int]:
        """Return the columns of a source without a role (--show is none), except an unnamed first one of row names."""
        return self._without(source, ROLES.keys() - {"show"})

    def unused(self, source: Source) -> tuple[str, ...]:
        """Return the names of the columns that have no role and are not shown; one that is only compared has none."""
        return tuple(name_of(source, column) for column in self._without(source, ROLES.keys() - {"index"}))

    def _without(self, source: Source, roles: Collection[str]) -> list[int]:
        used = self.used(source, roles)
        return [column for column in range(source.width) if column not in used and column != source.row_names]
