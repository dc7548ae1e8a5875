"""What is kept of the rows: exact sums, moments, shares, worst rows; all of it merges."""
