"""Advice of check: limits, baselines, regressions."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import xentcli
from tests.advice.follow import Case

__all__ = ["CASES"]

ROWS = "".join(f"i{i},0.{9 - i % 4},0.{1 + i % 4},a,{'ns'[i % 2]}\n" for i in range(40))
RUN = {"run.csv": "id,a,b,t,site\n" + ROWS, "old.csv": "id,a,b,t,site\n" + ROWS}
CHECK = "check run.csv --label t --preds a,b"
LEFT_OUT = ("--baseline", "main.npz", "--max-regression", "cost=2%")


def kept(**options: Any) -> Any:
    """Return what writes the baseline of a run."""

    def write(path: Path) -> None:
        xentcli.check("old.csv", label="t", preds="a,b", write_baseline=path, **options)

    return write


def damaged(path: Path) -> None:
    kept()(path)
    content = path.read_bytes()
    path.write_bytes(content[:300] + b"?" + content[301:])


def unfit(**options: Any) -> Case:
    """A baseline that is refused, and one that is made in its place."""
    files = {**RUN, "main.npz": kept(**options)}
    return Case(f"{CHECK} {' '.join(LEFT_OUT)}", files, ("--write-baseline FILE",), None, {"FILE": "new.npz"}, LEFT_OUT)


def scored(model: str) -> Any:
    """Return what writes the state of a model."""
    return lambda path: xentcli.score(model, "y.csv", state=path)


SCORE = "score run.csv --label t --preds a,b --quiet"

CASES = {
    "labels as a model of other classes": Case(
        "compare p.csv q.csv y.csv",
        {"p.csv": "a,b,c\n.5,.3,.2\n.2,.6,.2\n", "q.csv": "a,b,c\n.4,.4,.2\n.3,.6,.1\n", "y.csv": "y\na\nb\n"},
        ("xent compare p.csv q.csv --labels y.csv",),
        None,
    ),
    "labels of two classes as a model": Case(
        "compare p.csv y.csv",
        {"p.csv": "p\n.5\n.25\n", "y.csv": "y\n1\n0\n"},
        ("xent score p.csv y.csv",),
        (math.log(2) - math.log(0.75)) / 2,
    ),
    "more shards than rows": Case(
        f"{SCORE} --shard 3/100", RUN, ("--shard I/40",), None, {"I": "3"}, ("--shard", "3/100")
    ),
    "weights by the labels of a shard": Case(
        f"{SCORE} --class-weight balanced --state s.json",
        RUN,
        ("--class-weight NAME=W",),
        None,
        {"NAME": "a", "W": "2"},
        ("--class-weight", "balanced"),
    ),
    "a baseline alone": Case(f"{CHECK} --baseline old.csv", RUN, ("--max-regression cost=2%",), None),
    "groups of nothing": Case(f"{CHECK} --max-each cost=9", RUN, ("--by COLUMN",), None, {"COLUMN": "site"}),
    "a metric that groups lack": Case(
        f"{CHECK} --by site --max-each ece=1", RUN, ("--max ece=X",), None, {"X": "1"}, ("--max-each", "ece=1")
    ),
    "rows of no group": Case(
        f"{CHECK} --max cost=9 --min-rows 2",
        RUN,
        ("--by COLUMN --max-each cost=0.5",),
        None,
        {"COLUMN": "site", "0.5": "9"},
    ),
    "a regression from nothing": Case(
        f"{CHECK} --max-regression cost=2%", RUN, ("--baseline FILE",), None, {"FILE": "old.csv"}
    ),
    "strict about nothing": Case(
        f"{CHECK} --max cost=9 --strict --baseline old.csv", RUN, ("--max-regression cost=2% --strict",), None
    ),
    "a regression of a metric that is not a mean of rows": Case(
        f"{CHECK} --baseline old.csv --max-regression ppl=2%",
        RUN,
        ("--max perplexity=X",),
        None,
        {"X": "9"},
        ("--max-regression", "ppl=2%"),
    ),
    "a baseline of another loss": unfit(clip=0.01),
    "a baseline in another unit": Case(
        f"{CHECK} {' '.join(LEFT_OUT)}", {**RUN, "main.npz": kept(base="2")}, ("--base 2",), None
    ),
    "a baseline that is checked": Case(
        f"{CHECK} --baseline run.csv --max-regression cost=2%",
        RUN,
        ("--write-baseline FILE",),
        None,
        {"FILE": "new.npz"},
        ("--baseline", "run.csv", "--max-regression", "cost=2%"),
    ),
    "a damaged baseline": unfit()._replace(files={**RUN, "main.npz": damaged}),
    "a baseline with ids": Case(
        f"{CHECK} {' '.join(LEFT_OUT)}",
        {**RUN, "main.npz": kept(id="id")},
        ("--id COLUMN",),
        None,
        {"COLUMN": "id"},
    ),
    "states of two models": Case(
        "merge 1.json 2.json",
        {
            "old one.csv": "a,b\n0.9,0.1\n0.2,0.8\n",
            "new.csv": "a,b\n0.8,0.2\n0.1,0.9\n",
            "y.csv": "t\na\nb\n",
            "1.json": scored("old one.csv"),
            "2.json": scored("new.csv"),
        },
        ("compare the two models",),
        None,
    ),
    "no baseline yet": Case(
        f"{CHECK} --baseline none.npz --max-regression cost=2%", RUN, ("--write-baseline none.npz",), None
    ),
}
