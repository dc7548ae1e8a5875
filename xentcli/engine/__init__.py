"""From a task to its tallies, and the ordered map over tasks."""

__all__ = ["ENGINES"]

ENGINES = ("local", "dask")
"""Who computes: this process and its workers, or a cluster of Dask."""
