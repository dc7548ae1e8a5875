"""Pairing: which column is what, and which label goes with which prediction.

``pair`` reads the first lines and rows of the sources and makes every decision: the Plan. It returns the
Feed of their rows, which yields Tasks.
"""

from xentcli.pairing.decisions import pair
from xentcli.pairing.feed import Feed, Matches, Matching
from xentcli.pairing.plan import Plan

__all__ = ["Feed", "Matches", "Matching", "Plan", "pair"]
