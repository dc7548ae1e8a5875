"""Readers of text: delimited text, JSON Lines, Vowpal Wabbit."""
