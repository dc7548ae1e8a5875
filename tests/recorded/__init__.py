"""Recorded command lines: the same bytes before and after a change that should change nothing."""
