"""Pairing: which column is what, and which label goes with which prediction.

``pair`` reads the first lines and rows of the sources and makes every decision: the Plan. It returns the
Feed of their rows, which yields Tasks. Its modules, in the order to read them:

- ``decisions`` (``remembered``): the decisions in their order; ``inputs``: what is known so far, for the next one
- ``index``, ``lists``, ``axes``, ``headers``: how the sources are read
- ``columns``, ``roles``, ``row_ids``, ``predictions`` (``choose``, ``stray``), ``reference``: which column is what
- ``given_classes``, ``deciding``, ``labels``, ``matching`` (``rules``, ``matchers``, ``affixes``): the class of a label
- ``plan``, ``alignment``, ``join``, ``feed`` (``shard``): what is decided, and what moves rows
- ``matched``, ``compared``: whether ids and row names agree, once all rows were read
- advice in errors alone, by the first cells (``firsts``): ``suggest``, ``which_label``, ``layouts``, ``beside``,
  ``members``, ``tokens``, ``vectors``, ``counts``, ``misfits``, ``predicted``, ``near``, ``by_name``, ``sums``
"""

from xentcli.pairing.decisions import pair
from xentcli.pairing.feed import Feed, Matches, Matching
from xentcli.pairing.plan import Plan

__all__ = ["Feed", "Matches", "Matching", "Plan", "pair"]
