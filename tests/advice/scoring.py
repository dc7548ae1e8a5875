"""Advice about rows and figures: what is refused when it is scored, warnings, usage."""

from __future__ import annotations

import math

import numpy as np

from tests.advice.follow import Case
from tests.advice.inputs import (
    B_COST,
    B_TRUE,
    BOTH,
    FULL,
    LN2,
    LOGITS,
    MANY,
    MANY_TRUTH,
    MIXED,
    NAMES,
    ODDS,
    SCATTERED,
    SOFT,
    SOFT_COST,
    TRUTH,
    B,
    L,
    N,
    P,
    Q,
    column,
    ids,
    scaled,
    table,
)

__all__ = ["CASES"]

HALF = LOGITS.astype("f2").astype(float)
HALF_COST = float((np.log(np.exp(HALF).sum(axis=1)) - HALF[np.arange(4), TRUTH]).mean())

CASES = {
    # --- scoring/advice.py, scoring/checks.py, scoring/targets.py ---
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
        {"p.csv": table(np.log(Q) + np.array([[-1.0], [2.0], [0.0], [0.0]])), "l.csv": L},
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
    "a run of columns sums to 1": Case(
        "p.csv l.csv",
        {"p.csv": table(np.c_[Q / 4, Q], "a,b,c,cat,dog,emu"), "l.csv": N},
        ("without a, b, c every row sums to 1: --preds",),
        LN2,
    ),
    "sums above 1": Case(
        "p.csv l.csv",
        {"p.csv": table(SCATTERED, "cat,x,dog,y,emu"), "l.csv": N},
        ("a column that is not a prediction? --preds NAME,... chooses the columns",),
        LN2,
        {"NAME,...": "cat,dog,emu"},
    ),
    "too many logits": Case(
        "p.csv l.csv",
        {"p.csv": table(np.c_[[7, 8, 9, 10], SCATTERED], "n,cat,x,dog,y,emu"), "l.csv": N},
        ("a column that is not a prediction: --preds NAME,...",),
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
    "the predicted class as the label": Case(
        "p.csv --label guess --preds cat,dog,emu",
        {
            "p.csv": "guess,"
            + table(MANY)
            .replace("\n", "\n@")
            .removesuffix("@")
            .replace("@0.5,", "cat,0.5,")
            .replace("@0.25,0.5", "dog,0.25,0.5")
            .replace("@0.25,0.25", "emu,0.25,0.25")
            .replace("@", "dog,"),
            "l.csv": column(NAMES[t] for t in [*MANY_TRUTH[:-1], 0]),
        },
        ("xent score p.csv LABELS",),
        (39 * LN2 + math.log(8)) / 40,
        {"LABELS": "l.csv"},
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
    "nothing to check, and no file": Case(
        "check",
        {"preds.csv": table(Q**9 / (Q**9).sum(axis=1)[:, None]), "labels.csv": L},
        ("xent check preds.csv labels.csv --max cost=0.5",),
        None,
    ),
    "a target of two": Case("explain --probs 0.25,0.5,0.25 --target 0,1", {}, ("--target 0,1,0",), None),
    "explain of one problem of several": Case(
        "explain p.csv l.csv --row 1 --multilabel",
        {"p.csv": "x,y\n0.5,0.5\n", "l.csv": "x,y\n0,1\n"},
        ("xent score PREDS LABELS --multilabel",),
        LN2,
        {"PREDS": "p.csv", "LABELS": "l.csv"},
    ),
    "explain of smoothed labels": Case(
        "explain p.csv l.csv --row 1 --label-smoothing 0.1",
        BOTH,
        ("xent score PREDS LABELS --per-example",),
        None,
        {"PREDS": "p.csv", "LABELS": "l.csv", "FILE,": "losses.csv --label-smoothing 0.1,"},
    ),
    "balanced weights of soft targets": Case(
        "p.csv l.csv --class-weight balanced",
        {"p.csv": "cat,dog\n.5,.5\n.5,.5\n", "l.csv": "cat,dog\n.5,.5\n1,0\n"},
        ("--class-weight NAME=W",),
        LN2,
        {"NAME=W": "cat=2"},
        leave=("--class-weight", "balanced"),
    ),
    "a class weight of 0": Case(
        "p.csv l.csv --class-weight cat=0 --label-smoothing 0.1 --per-example out.csv",
        BOTH,
        ("leave --per-example out",),
        None,
        leave=("--per-example", "out.csv"),
    ),
    "quiet losses": Case("p.csv l.csv --per-example -", BOTH, ("--per-example FILE",), LN2, {"FILE": "losses.csv"}),
    "quiet in a table": Case("p.csv l.csv --format markdown", BOTH, ("--quiet --format json",), None),
    "what costs most": Case(
        "explain p.csv l.csv",
        {"p.csv": table(MANY), "l.csv": column(NAMES[t] for t in MANY_TRUTH[[*range(39), 0]])},
        ("--worst",),
        None,
    ),
    "what is infinite": Case(
        "explain p.csv l.csv", {"p.csv": "cat,dog\n1,0\n.5,.5\n", "l.csv": column(["dog", "cat"])}, ("--worst 1",), None
    ),
    "which group costs": Case(
        "explain p.csv l.csv --label label --by g",
        {
            "p.csv": table(MANY),
            "l.csv": "g,label\n"
            + "\n".join(
                f"{'u' if n % 4 == 3 else 'v'},{NAMES[2 if n % 4 == 3 else t]}" for n, t in enumerate(MANY_TRUTH)
            )
            + "\n",
        },
        ("--by g",),
        None,
    ),
    "one model to compare": Case(
        "compare p.csv",
        {**BOTH, "q.csv": P},
        ("xent compare OLD NEW",),
        None,
        {"OLD": "p.csv", "NEW": "q.csv", "FILE": "l.csv"},
    ),
    "classes of a comparison without labels": Case(
        "compare p.csv q.csv --by-class",
        {"p.csv": P, "q.csv": P, "l.csv": L},
        ("--labels FILE or --label COLUMN",),
        None,
        {"FILE or --label COLUMN": "l.csv"},
    ),
    "a fit of a comparison without labels": Case(
        "compare p.csv q.csv --fit temperature",
        {"p.csv": P, "q.csv": P, "l.csv": L},
        ("--labels FILE or --label COLUMN",),
        None,
        {"FILE or --label COLUMN": "l.csv"},
    ),
    "16 bits as a tool computes": Case(
        "p.npy l.csv --compat torch --kind logits",
        {"p.npy": LOGITS.astype("f2"), "l.csv": N},
        ("without --compat torch",),
        HALF_COST,
        leave=("--compat", "torch"),
    ),
    "16 bits in 32": Case(
        "p.npy l.csv --compat torch --kind logits",
        {"p.npy": LOGITS.astype("f2"), "l.csv": N},
        ("astype('float32')",),
        HALF_COST,
    ),
    "the wrong label": Case(
        "p.csv --preds q --label r",
        {"p.csv": "q,r,y\n1,0.5,1\n0,0.25,0\n1,0.5,1\n0,0.5,0\n"},
        ("is --label the right column?",),
        0.0,
        {"--label the right column": "--label y"},
    ),
    "a column of yes and no that is missing": Case(
        "p.csv l.csv --preds cat,dog",
        {"p.csv": table(Q[[0, 1, 3]]), "l.csv": column(["cat", "dog", "dog"])},
        ("is a class column missing?",),
        LN2,
        {"NAME,...": "cat,dog,emu"},
    ),
    "models of other rows, by their columns": Case(
        "compare p.csv q.csv --label label --preds cat:emu",
        {"p.csv": ids(FULL), "q.csv": ids(FULL, order=(1, 0, 2))},
        ("--id COLUMN matches rows by id", "--subset compares"),
        None,
        {"COLUMN": "id"},
    ),
    "one model of several": Case(
        "compare p.csv --label y --each a",
        {"p.csv": "a,b,y\n0.5,0.75,1\n0.5,0.25,0\n"},
        ("--each ecmwf,gfs",),
        None,
        {"ecmwf,gfs": "a,b"},
        leave=("--each", "a"),
    ),
    "models in one file": Case(
        "compare p.csv --label y",
        {"p.csv": "a,b,y\n0.5,0.75,1\n0.5,0.25,0\n"},
        ("models in one file: --each",),
        None,
        {"COLUMN,COLUMN": "a,b"},
    ),
    "explain of a list": Case(
        "explain p.jsonl --row 1 --kind losses --preds x",
        {"p.jsonl": '{"x": [1, 2]}\n{"x": [3, 4, 5]}\n'},
        ("--per-example FILE",),
        None,
        {"PREDS": "p.jsonl", "FILE,": "losses.csv --kind losses --preds x,"},
    ),
    "a missing number of a list": Case(
        "p.jsonl --kind losses --preds x",
        {"p.jsonl": '{"x": [1, 2]}\n{"x": [3, null, 5]}\n'},
        ("--ignore-label nan",),
        11 / 4,
    ),
    "models of other rows": Case(
        "compare p.csv q.csv --labels l.csv --preds cat:emu --label label",
        {"p.csv": ids(P), "q.csv": ids(P, order=(1, 0, 2)), "l.csv": ids(L)},
        ("--id COLUMN", "--subset"),
        None,
        {"COLUMN": "id"},
    ),
    "a fit of two classes": Case(
        "calibration p.csv l.csv --fit logit",
        {"p.csv": table(MANY), "l.csv": column(NAMES[t] for t in MANY_TRUTH)},
        ("--fit temperature",),
        None,
    ),
    "explain of nothing": Case("explain", {}, ("xent explain --probs",), None),
}
