"""Accumulators over the rows, each of which can be merged: exact sums, moments, class frequencies, worst rows."""
