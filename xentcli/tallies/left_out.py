"""The rows that are read and not scored, by the reason, apart from those of weight 0."""

from __future__ import annotations

from xentcli.records import record
from xentcli.tallies.tally import Tally

__all__ = ["LeftOut"]


@record(frozen=True)
class LeftOut(Tally):
    """How many rows were left out, and why.

    Attributes
    ----------
    ignored, labels
        Rows whose label is one of --ignore-label, and which of those labels occur.
    unmatched
        Rows of the predictions that have no partner (--subset).
    missing
        Rows whose prediction is missing (--skip-missing).
    cells
        Cells of scored rows whose label is one of --ignore-label (--multilabel); not counted as rows.
    """

    ignored: int = 0
    labels: frozenset[str] = frozenset()
    unmatched: int = 0
    missing: int = 0
    cells: int = 0

    @property
    def rows(self) -> int:
        """All of them."""
        return self.ignored + self.unmatched + self.missing
