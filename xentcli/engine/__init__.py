"""From a task to its tallies, and the ordered map over tasks."""

__all__ = ["ENGINES"]

ENGINES = ("local", "dask")
"""Where rows are scored: by this process and its workers, or by a Dask cluster."""
