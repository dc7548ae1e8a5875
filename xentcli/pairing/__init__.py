"""Pairing: which column is what, and which label goes with which prediction.

``pair`` looks at the first lines and rows of the sources, decides every rule that is
to hold, and returns a Plan; the Plan says what was taken, and yields the Tasks.
"""

from xentcli.pairing.plan import Plan, pair

__all__ = ["Plan", "pair"]
