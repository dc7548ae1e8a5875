"""The table of advice: an input that provokes it, and the right cost once it is followed to the letter."""

from __future__ import annotations

import math
import pickle
from pathlib import Path

import numpy as np
import pandas
import pyarrow
import pyarrow.feather
import pyarrow.parquet

from tests.advice.follow import Case

__all__ = ["CASES", "NOT_FOLLOWED"]

LN2 = math.log(2)
Q = np.array([[0.5, 0.25, 0.25], [0.25, 0.5, 0.25], [0.25, 0.25, 0.5], [0.125, 0.5, 0.375]])
TRUTH = np.array([0, 1, 2, 1])
"""Each truth has 0.5: the cost is ln 2."""
NAMES = ("cat", "dog", "emu")


def table(values: np.ndarray, header: str | None = "cat,dog,emu", delimiter: str = ",") -> str:
    rows = [delimiter.join(f"{value:.17g}" for value in row) for row in values.tolist()]
    return "\n".join([*([header.replace(",", delimiter)] if header else []), *rows]) + "\n"


def column(labels: object, header: str | None = "label") -> str:
    return "\n".join([*([header] if header else []), *map(str, labels)]) + "\n"  # type: ignore[call-overload]


P = table(Q)
L = column(NAMES[t] for t in TRUTH)
N = column(TRUTH)
ONE = column(TRUTH + 1)
BOTH = {"p.csv": P, "l.csv": L}
LOGITS = np.log(Q) + [[1.0], [-2.0], [3.0], [0.5]]
MIXED = np.log(Q) + [[2.0], [0.5], [3.0], [0.5]]
SOFT = np.array([[0.75, 0.25, 0.0], [0.0, 1.0, 0.0], [0.0, 0.5, 0.5], [0.25, 0.25, 0.5]])
SOFT_COST = float(-(SOFT * np.log(Q)).sum(axis=1).mean())
B = np.array([0.5, 0.75, 0.875, 0.5])
B_TRUE = np.array([1, 1, 1, 0])
B_COST = -math.log(0.5 * 0.75 * 0.875 * 0.5) / 4
MANY = np.tile(Q, (10, 1))
MANY_TRUTH = np.tile(TRUTH, 10)


def ids(text: str, prefix: str = "id", order: tuple[int, ...] = ()) -> str:
    lines = text.splitlines()
    rows = [f"{prefix}{n}," + line for n, line in enumerate(lines[1:])]
    rows = [rows[place] for place in order] if order else rows
    return "\n".join([f"id,{lines[0]}", *rows]) + "\n"


def quoted_wrong(escape: str) -> str:
    return P.replace("cat,", f'"c{escape}""at",' if escape == '"' else f'"c\\"at",', 1)


def with_pickle(path: Path) -> None:
    path.write_bytes(pickle.dumps(Q, protocol=4))


def scaled(factor: float) -> str:
    return table(Q * factor)


def frame(path: Path) -> None:
    pandas.DataFrame(Q, columns=list(NAMES)).assign(label=[NAMES[t] for t in TRUTH]).to_parquet(path)


def ipc_stream(path: Path) -> None:
    data = pyarrow.table({name: Q[:, place] for place, name in enumerate(NAMES)})
    with pyarrow.ipc.new_stream(path, data.schema) as sink:
        sink.write_table(data)


def big_batch(path: Path) -> None:
    data = pyarrow.table({name: MANY[:, place] for place, name in enumerate(NAMES)})
    with pyarrow.ipc.new_file(path, data.schema) as sink:
        sink.write_table(data)


ODDS = "H,D,A,res\n2,4,4,H\n4,2,4,D\n4,4,2,A\n8,2,2.6666666666666665,D\n"

CASES = {
    # --- scoring/advice.py, scoring/checks.py, scoring/targets.py, scoring/odds.py ---
    "logits": Case(
        "p.csv l.csv", {"p.csv": table(MIXED), "l.csv": L}, ("scores before the softmax: --kind logits",), LN2
    ),
    "percent": Case("p.csv l.csv", {"p.csv": scaled(100), "l.csv": L}, ("percent? --scale 0.01",), LN2),
    "percent of one class": Case(
        "p.csv l.csv", {"p.csv": column(B * 100, "q"), "l.csv": column(B_TRUE)}, ("percent? --scale 0.01",), B_COST
    ),
    "logit of one class": Case(
        "p.csv l.csv",
        {"p.csv": column(np.log(B / (1 - B)) + 3, "q").replace("3.0\n", "1.5\n", 0), "l.csv": column(B_TRUE)},
        ("before the sigmoid",),
        None,
    ),
    "negative one column": Case(
        "p.csv l.csv",
        {"p.csv": column(np.log(B) * 2, "q"), "l.csv": column(B_TRUE)},
        ("log-probability: --kind logprobs",),
        -math.log(0.5**2 * 0.75**2 * 0.875**2 * 0.75) / 4,
    ),
    "negative one logit": Case(
        "p.csv l.csv",
        {"p.csv": "q\n-1\n-2\n", "l.csv": column([1, 0])},
        ("before the sigmoid: --kind logits",),
        float((np.log1p(np.exp(1)) + np.log1p(np.exp(-2))) / 2),
    ),
    "log-probabilities": Case(
        "p.csv l.csv", {"p.csv": table(np.log(Q)), "l.csv": L}, ("log-probabilities (their",), LN2
    ),
    "logits below 0": Case(
        "p.csv l.csv", {"p.csv": table(np.log(Q) - 1), "l.csv": L}, ("scores before the softmax: --kind logits",), LN2
    ),
    "logits below 0, some not": Case(
        "p.csv l.csv",
        {"p.csv": table(np.log(Q) + [[-1.0], [2.0], [0.0], [0.0]]), "l.csv": L},
        ("scores before the softmax: --kind logits",),
        LN2,
    ),
    "log-probabilities that are not": Case(
        "p.csv l.csv",
        {"p.csv": table(np.log(Q) - 1), "l.csv": L},
        ("log-probabilities (--kind logprobs)", "scores that are not normalised: --kind logits"),
        LN2,
    ),
    "logits below 0 that are log-probabilities": Case(
        "p.csv l.csv", {"p.csv": table(np.log(Q)), "l.csv": L}, ("scores before the softmax: --kind logits",), LN2
    ),
    "rounded": Case(
        "p.csv l.csv",
        {"p.csv": "cat,dog,emu\n0.5,0.3,0.3\n0.3,0.5,0.3\n", "l.csv": column(["cat", "dog"])},
        ("can be off by 0.15: --sum-tolerance",),
        LN2,
    ),
    "below 0 by rounding": Case(
        "p.csv l.csv",
        {"p.csv": "cat,dog,emu\n0.5,0.504,-0.004\n", "l.csv": column(["cat"])},
        ("--sum-tolerance 0.004",),
        LN2,
    ),
    "sums of 2": Case("p.csv l.csv", {"p.csv": scaled(1.25), "l.csv": L}, ("--renormalize divides",), LN2),
    "sums below 1": Case(
        "p.csv l.csv",
        {"p.csv": table(np.c_[Q / 4, Q], "a,b,c,cat,dog,emu"), "l.csv": L},
        ("--preds NAME,...",),
        LN2,
        {"NAME,...": "cat,dog,emu"},
    ),
    "a class is missing": Case(
        "p.csv l.csv",
        {"p.csv": table(np.c_[Q[:, :2], Q[:, 2:] / 8, Q[:, 2:]], "cat,dog,x,emu").replace("x", "1x"), "l.csv": L},
        ("--preds NAME,...",),
        LN2,
        {"NAME,...": "cat,dog,emu"},
    ),
    "too many logits": Case(
        "p.csv l.csv",
        {"p.csv": table(np.c_[[7, 8, 9, 10], Q], "n,cat,dog,emu"), "l.csv": L},
        ("a column that is no prediction",),
        LN2,
        {"NAME,...": "cat,dog,emu"},
    ),
    "a yes or no": Case(
        "p.csv l.csv",
        {"p.csv": table(np.array([[0.5, 0.75], [0.5, 0.75]]), "x,y"), "l.csv": "x,y\n1,0\n0,1\n"},
        ("--multilabel",),
        -(2 * math.log(0.5) + math.log(0.25) + math.log(0.75)) / 4,
    ),
    "targets of several ones": Case(
        "p.csv l.csv",
        {"p.csv": table(np.array([[0.5, 0.5], [0.5, 0.5]]), "x,y"), "l.csv": "x,y\n1,1\n0,1\n"},
        ("--multilabel",),
        LN2,
    ),
    "votes": Case(
        "p.csv l.csv",
        {"p.csv": P, "l.csv": table(np.array([[3, 1, 0], [0, 1, 0], [0, 2, 2], [1, 1, 2]], float))},
        ("--votes",),
        SOFT_COST,
    ),
    "votes of one each": Case(
        "p.csv l.csv",
        {"p.csv": P, "l.csv": table(np.array([[1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 1, 1]], float))},
        ("--votes",),
        float(-np.log(Q)[[0, 1, 2], [0, 1, 2]].sum() - np.log(Q[3]).sum() / 3) / 4,
    ),
    "a row without votes": Case(
        "p.csv l.csv --votes",
        {"p.csv": P, "l.csv": table(np.array([[3, 1, 0], [0, 0, 0], [0, 2, 2], [0, 0, 0]], float))},
        ("--ignore-label 0",),
        float(-(SOFT * np.log(Q)).sum(axis=1)[[0, 2]].mean()),
    ),
    "a row without a class": Case(
        "p.csv l.csv",
        {"p.csv": P, "l.csv": table(np.array([[1, 0, 0], [0, 0, 0], [0, 0, 1], [0, 1, 0]], float))},
        ("--ignore-label 0",),
        LN2,
    ),
    "targets that do not sum to 1": Case(
        "p.csv l.csv",
        {"p.csv": P, "l.csv": "label,x,y\n0,7,0.5\n1,7,0.5\n2,7,0.5\n1,7,0.5\n"},
        ("one label column: --label NAME",),
        LN2,
        {"NAME": "label"},
    ),
    "shares as votes": Case(
        "p.csv l.csv --votes", {"p.csv": P, "l.csv": table(SOFT)}, ("without --votes",), SOFT_COST, leave=("--votes",)
    ),
    "one column of votes": Case(
        "p.csv l.csv --label a --votes",
        {"p.csv": P, "l.csv": table(np.array([[3, 1, 0], [0, 1, 0], [0, 2, 2], [1, 1, 2]], float), "a,b,c")},
        ("--label NAME,...",),
        SOFT_COST,
        {"NAME,...": "a,b,c"},
    ),
    "odds": Case("odds.csv --label res --preds H,D,A", {"odds.csv": ODDS}, ("python3 -c",), LN2),
    "odds without a header": Case(
        "odds.csv l.csv", {"odds.csv": table(1 / Q / 1.05, None), "l.csv": N}, ("python3 -c",), LN2
    ),
    "odds in an array": Case("odds.npy l.csv", {"odds.npy": 1 / Q / 1.05, "l.csv": N}, ("numpy.save",), LN2),
    "true-probs are logarithms": Case(
        "p.csv --kind true-probs",
        {"p.csv": column(np.log(B), "q")},
        ("--kind true-logprobs",),
        -float(np.log(B).mean()),
    ),
    "true-probs in percent": Case(
        "p.csv --kind true-probs", {"p.csv": column(B * 100, "q")}, ("--scale 0.01",), -float(np.log(B).mean())
    ),
    "true-logprobs are probabilities": Case(
        "p.csv --kind true-logprobs", {"p.csv": column(B, "q")}, ("--kind true-probs",), -float(np.log(B).mean())
    ),
    "true-logprobs are losses": Case(
        "p.csv --kind true-logprobs", {"p.csv": column(-np.log(B), "q")}, ("--kind losses",), -float(np.log(B).mean())
    ),
    "losses are logarithms": Case(
        "p.csv --kind losses", {"p.csv": column(np.log(B), "loss")}, ("--kind true-logprobs",), -float(np.log(B).mean())
    ),
    "losses beside": Case(
        "p.csv --kind losses",
        {"p.csv": "id,loss\n" + "\n".join(f"7,{x}" for x in np.log(B)) + "\n"},
        ("--kind true-logprobs --preds loss",),
        -float(np.log(B).mean()),
    ),
    "losses just below 0": Case(
        "p.csv --kind losses", {"p.csv": column([-0.004, 1.0], "loss")}, ("--sum-tolerance 0.004",), 0.498
    ),
    "losses of nan": Case("p.csv --kind losses", {"p.csv": column(["nan", 1.0], "loss")}, ("--ignore-label nan",), 1.0),
    "losses of nan with weights": Case(
        "p.csv --kind losses --preds loss",
        {"p.csv": "loss,w\nnan,0\n1,1\n"},
        ("--weights COLUMN",),
        1.0,
        {"COLUMN": "w"},
    ),
    "logprobs are probabilities": Case("p.csv l.csv --kind logprobs", BOTH, ("--kind probs",), LN2),
    "logprobs are logits": Case(
        "p.csv l.csv --kind logprobs", {"p.csv": table(LOGITS), "l.csv": L}, ("--kind logits",), LN2
    ),
    "logprobs are logits below 0": Case(
        "p.csv l.csv --kind logprobs",
        {"p.csv": table(np.log(Q) - 1), "l.csv": L},
        ("not normalised: --kind logits",),
        LN2,
    ),
    # --- warnings ---
    "probabilities as logits": Case(
        "p.csv l.csv --kind logits", BOTH, ("if they are probabilities: --kind probs",), LN2
    ),
    "infinite": Case(
        "p.csv l.csv",
        {"p.csv": "cat,dog\n1,0\n.5,.5\n", "l.csv": column(["dog", "cat"])},
        ("--clip EPS",),
        -math.log(0.01 * 0.5) / 2,
        {"EPS": "0.01"},
    ),
    "never predicted": Case(
        "p.csv l.csv",
        {"p.csv": table(np.tile([[0.5, 0.25, 0.25]], (40, 1))), "l.csv": column([*["cat"] * 28, *["emu"] * 12])},
        ("--by-class shows",),
        None,
    ),
    "columns in another order": Case(
        "p.npy l.csv",
        {"p.npy": MANY[:, [1, 0, 2]] ** 4 / (MANY**4).sum(axis=1)[:, None], "l.csv": column(MANY_TRUTH)},
        ("--preds '",),
        float(-np.log(MANY**4 / (MANY**4).sum(axis=1)[:, None])[np.arange(40), MANY_TRUTH].mean()),
    ),
    "classes in another order": Case(
        "p.npy l.csv --classes dog,cat,emu",
        {"p.npy": MANY**4 / (MANY**4).sum(axis=1)[:, None], "l.csv": column(NAMES[t] for t in MANY_TRUTH)},
        ("--classes ",),
        float(-np.log(MANY**4 / (MANY**4).sum(axis=1)[:, None])[np.arange(40), MANY_TRUTH].mean()),
    ),
    "the other class": Case(
        "p.csv l.csv --positive b",
        {"p.csv": column(np.tile([0.25, 0.75], 30), "q"), "l.csv": column(np.tile(["b", "a"], 30))},
        ("--positive a",),
        -math.log(0.75),
    ),
    "counted from 1": Case(
        "p.csv l.csv",
        {
            "p.csv": table(np.tile(np.eye(5)[[0, 1, 2]] * 0.75 + 0.05, (20, 1)), None),
            "l.csv": column(np.tile([1, 2, 3], 20)),
        },
        ("--index-base 1",),
        -math.log(0.8),
    ),
    "row names differ": Case(
        "p.csv l.csv",
        {"p.csv": ids(P).replace("id,", ",", 1), "l.csv": ids(L, "x").replace("id,", ",", 1)},
        ("--align position",),
        LN2,
    ),
    "too many groups": Case(
        "p.csv l.csv --label label --by g --max-groups 2",
        {"p.csv": P, "l.csv": ids(L).replace("id,", "g,", 1)},
        ("--max-groups N",),
        LN2,
        {"N": "9"},
    ),
    "swapped binary": Case(
        "p.csv l.csv", {"p.csv": column(B_TRUE), "l.csv": column(B, "q")}, ("are the files swapped?",), B_COST
    ),
    "header guessed": Case(
        "p.csv l.csv",
        {"p.csv": table(Q, "n,1,2").replace("n", "0"), "l.csv": N},
        ("--header predictions confirms",),
        LN2,
    ),
    "header guessed as data": Case(
        "p.csv l.csv",
        {"p.csv": "1,0\n" + table(np.array([[0.5, 0.5], [0.75, 0.25]]), None), "l.csv": column([1, 0, 0])},
        ("--header predictions takes",),
        None,
    ),
    # --- usage ---
    "the same file": Case(
        "full.csv full.csv",
        {"full.csv": table(np.c_[TRUTH, Q], "label,cat,dog,emu")},
        ("leave LABELS out; --label COLUMN",),
        LN2,
        {"COLUMN": "label"},
        leave=("full.csv",),
    ),
    "nothing to check": Case(
        "check p.csv l.csv", {"p.csv": table(Q**9 / (Q**9).sum(axis=1)[:, None]), "l.csv": L}, ("--max cost=0.5",), None
    ),
    "a target of two": Case("explain --probs 0.25,0.5,0.25 --target 0,1", {}, ("--target 0,1,0",), None),
    "explain of nothing": Case("explain", {}, ("xent explain --probs",), None),
}

NOT_FOLLOWED: dict[str, str] = {
    r"ulimit -v": "shows the limits of the machine; which one helps is not known",
    r"pip install 'xentcli\[": "installs a package",
}
"""Advice that a test does not follow, by its pattern, and why."""
