"""From a task to its tallies, and the ordered map over tasks."""
