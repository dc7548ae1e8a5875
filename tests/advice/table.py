"""The table of advice: an input that provokes it, and the right cost once it is followed to the letter."""

from __future__ import annotations

from tests.advice import pairing, reading, scoring

__all__ = ["CASES", "NOT_FOLLOWED"]

CASES = scoring.CASES | pairing.CASES | reading.CASES
assert len(CASES) == len(scoring.CASES) + len(pairing.CASES) + len(reading.CASES)

NOT_FOLLOWED: dict[str, str] = {
    r"ulimit -v": "shows the limits of the machine; which one helps is not known",
    r"pip install 'xentcli\[": "installs a package",
}
"""Advice that a test does not follow, by its pattern, and why."""
