"""Inputs, good, bad and hostile, and what each must get: a table that is also documentation."""
