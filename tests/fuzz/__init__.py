"""Fuzzing: of the readers, guided by coverage, and of command lines against an oracle."""
