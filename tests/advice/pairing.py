"""Advice about which column is what, and which label goes with which row."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pandas

from tests.advice.follow import Case
from tests.advice.inputs import (
    B_COST,
    B_TRUE,
    BOTH,
    FULL,
    LN2,
    LOGITS,
    NAMES,
    ONE,
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
    table,
)
from tests.cases.test_cases import HERE

__all__ = ["CASES"]

WRONG = np.array([0, 1, 2, 2])
QW = np.array([*Q[:3].tolist(), [0.25, 0.5, 0.25]])
QW_COST = 1.25 * LN2
FULL_NAMES = (
    "\n".join(
        ["label,cat,dog,emu", *(f"{NAMES[t]},{','.join(map(str, q))}" for t, q in zip(WRONG, QW.tolist(), strict=True))]
    )
    + "\n"
)
CUBE = np.tile(Q, (2, 1, 1))
SQUARE = np.tile(TRUTH, (2, 1))

SHOWN = [
    *zip(Q.tolist(), TRUTH, strict=True),
    ([0.25, 0.25, 0.5], 2),
    ([0.5, 0.375, 0.125], 0),
    ([0.75, 0.125, 0.125], 2),
]
GUESSED = "q,guess,y\n" + "".join(f'"{q[::-1]}",{NAMES[int(np.argmax(q))]},{NAMES[t]}\n' for q, t in SHOWN)
NAMED = "q,names,y\n" + "".join(f'"{q[::-1]}","{[*NAMES[::-1]]}",{NAMES[t]}\n' for q, t in SHOWN)

CASES = {
    "columns called true and false, in this order": Case(
        "p.csv --label y", {"p.csv": "True,False,y\n.25,.75,0\n.75,.25,1\n"}, ("if 1 means",), -math.log(0.75)
    ),
    "a vector as R prints it": Case(
        "p.csv y.txt", {"p.csv": P, "y.txt": "[1] cat dog\n[3] emu dog\nLevels: cat dog emu\n"}, ("awk",), LN2
    ),
    "codes that the schema names in another order": Case(
        "p.parquet --label label",
        {"p.parquet": (HERE / "91-classlabel" / "p.parquet").read_bytes()},
        ("--index-base 0",),
        None,
    ),
    "ids beside a label": Case(
        "p.csv l.csv", {"p.csv": ids(P), "l.csv": ids(L, order=(1, 0, 3, 2))}, ("--label label --id id",), LN2
    ),
    "ids beside a label, not all in both": Case(
        "p.csv l.csv", {"p.csv": ids(P), "l.csv": ids(L, order=(1, 0, 3))}, ("--id id --subset",), LN2
    ),
    "ids beside labels that are no classes": Case(
        "p.csv l.csv",
        {"p.csv": ids(table(Q, "0,1,2")), "l.csv": ids(L)},
        ("--label label --id id: the column", "--classes"),
        LN2,
    ),
    "counts of votes": Case(
        "p.csv l.csv",
        {
            "p.csv": ids(P),
            "l.csv": "id,cat,dog,emu,site\n"
            + "".join(
                f"id{n},{','.join(str(4 * int(t == k)) for k in range(3))},{n % 2}\n" for n, t in enumerate(TRUTH)
            ),
        },
        ("--label cat,dog,emu --votes",),
        LN2,
    ),
    "a column of log-probabilities by its name": Case(
        "p.csv --kind true-logprobs", {"p.csv": f"n,logprob\n1,{-LN2!r}\n2,{-LN2!r}\n"}, ("by its name",), LN2
    ),
    "lists of whole numbers before those of log-probabilities": Case(
        "p.jsonl",
        {"p.jsonl": f'{{"at": [3, 4], "logprob": [{-LN2!r}, {-LN2!r}]}}\n{{"at": [5], "logprob": [{-LN2!r}]}}\n'},
        ("--kind true-logprobs --preds NAME",),
        LN2,
        {"NAME": "logprob"},
    ),
    "sums weighted by their counts": Case(
        "p.csv --kind true-logprobs --preds sum_logprob --weights n_tokens",
        {"p.csv": f"sum_logprob,n_tokens\n{-2 * LN2!r},2\n{-4 * LN2!r},4\n"},
        ("divide first", "--kind losses --preds loss --weights n_tokens"),
        LN2,
    ),
    "labels missing in the column that fits": Case(
        "p.csv l.csv --id id",
        {"p.csv": "id,q\nr1,.5\nr2,.5\nr3,.5\n", "l.csv": "id,era,set,y\nr1,e1,a,1\nr2,e2,b,\nr3,e3,c,0\n"},
        ("--label y --ignore-label missing",),
        LN2,
    ),
    "one column of percent beside a date": Case(
        "p.csv --label rain",
        {"p.csv": "date,pop,rain\n2024-01-01,50,0\n2024-01-02,50,1\n"},
        ("--preds pop --scale 0.01",),
        LN2,
    ),
    "one column of probabilities beside a date": Case(
        "p.csv --label rain",
        {"p.csv": "date,pop,rain\n2024-01-01,.5,0\n2024-01-02,.5,1\n"},
        ("--preds pop",),
        LN2,
    ),
    "signs of svm-predict": Case(
        "p.txt y.txt",
        {"p.txt": "labels 1 -1\n1 0.5 0.5\n-1 0.5 0.5\n", "y.txt": "+1\n-1\n"},
        ("--preds 1,-1 --classes +1,-1",),
        LN2,
    ),
    "labels of signs": Case(
        "p.csv l.csv", {"p.csv": "q\n.5\n.5\n", "l.csv": "y\n-1\n1\n"}, ("--positive 1, where",), LN2
    ),
    "blanks after the commas": Case(
        "p.csv l.csv --label income",
        {"p.csv": "<=50K,>50K\n.5,.5\n.5,.5\n", "l.csv": "age, work, income\n30, Private, >50K\n50, Private, <=50K\n"},
        ("sed 's/, */,/g'",),
        LN2,
    ),
    "a number above the labels": Case(
        "p.csv l.csv", {"p.csv": P, "l.csv": column((NAMES[t] for t in TRUTH), "1")}, ("--header labels takes",), LN2
    ),
    "blanks around a name": Case(
        "p.csv l.csv --label label",
        {"p.csv": P, "l.csv": "n, Label\n1,cat\n2,dog\n3,emu\n4,dog\n"},
        ("--label ' Label'",),
        LN2,
    ),
    "one column fits the classes": Case(
        "p.csv l.csv",
        {"p.csv": P, "l.csv": "n,kind,y\n1,x,cat\n2,y,dog\n3,x,emu\n0,y,emu\n"},
        ("--label y has the classes",),
        -math.log(0.5**3 * 0.375) / 4,
    ),
    # --- axes ---
    "the class axis": Case(
        "p.npy y.npy", {"p.npy": np.moveaxis(CUBE, -1, 1), "y.npy": SQUARE}, ("--class-axis 1",), LN2
    ),
    "a table of an array": Case(
        "p.npy y.npy",
        {"p.npy": np.moveaxis(CUBE, -1, 1), "y.npy": SQUARE.reshape(-1)},
        ("numpy.moveaxis(array, AXIS",),
        LN2,
        {"AXIS is": "it is", "AXIS": "1"},
    ),
    "an array with a row for each class": Case(
        "p.npy y.csv", {"p.npy": Q.T, "y.csv": N}, ("transposed? numpy.save('p-t.npy'",), LN2
    ),
    "a flat vector": Case(
        "p.csv y.csv", {"p.csv": column(Q.reshape(-1), "q"), "y.csv": N}, ("every 3 numbers sum to 1: numpy.save",), LN2
    ),
    "a flat vector in NPY": Case(
        "p.npy y.csv", {"p.npy": Q.T.reshape(-1), "y.csv": N}, ("a class after the other sum to 1: numpy.save",), LN2
    ),
    "a flat vector in NPZ": Case(
        "p.npz y.csv --preds q",
        {"p.npz": lambda path: np.savez(path, q=Q.reshape(-1)), "y.csv": N},
        ("numpy.save",),
        LN2,
        leave=("--preds", "q"),
    ),
    "a flat vector in Parquet": Case(
        "p.parquet y.csv",
        {"p.parquet": lambda path: pandas.DataFrame({"q": Q.reshape(-1)}).to_parquet(path), "y.csv": N},
        ("numpy.save",),
        LN2,
    ),
    "a flat vector in JSON Lines": Case(
        "p.jsonl y.csv",
        {"p.jsonl": "".join(f'{{"q": {q}}}\n' for q in Q.reshape(-1).tolist()), "y.csv": N},
        ("numpy.save",),
        LN2,
    ),
    "rows beside labels of more axes": Case(
        "p.npy y.npy",
        {"p.npy": np.tile(Q, (2, 1)), "y.npy": np.tile(TRUTH, 2).reshape(2, 2, 2)},
        ("numpy.save('y-rows.npy'",),
        LN2,
    ),
    "several outputs": Case(
        "p.npy y.csv",
        {"p.npy": np.stack([np.c_[1 - B, B], np.c_[1 - B, B]]), "y.csv": table(np.c_[B_TRUE, B_TRUE], "a,b")},
        ("numpy.save",),
        None,
        leave=(),
    ),
    # --- header ---
    "header guessed": Case(
        "p.csv l.csv --preds #2:#3",
        {"p.csv": "id,0,1\nx,.5,.5\ny,.2,.8\n", "l.csv": "truth\n0\n1\n"},
        ("--header predictions confirms",),
        (LN2 - math.log(0.8)) / 2,
    ),
    "header guessed, and it is data": Case(
        "p.csv l.csv", {"p.csv": "1\n0.5\n0.5\n", "l.csv": "truth\n0\n1\n"}, ("--header predictions confirms",), LN2
    ),
    "header guessed as data": Case(
        "p.csv l.csv",
        {"p.csv": "1\n0.5\n0.5\n", "l.csv": "truth\n1\n0\n1\n"},
        ("--no-header predictions confirms",),
        2 * LN2 / 3,
    ),
    "text and numbers in a first line": Case(
        "p.csv l.csv",
        {"p.csv": "cat,7,emu\n" + table(Q, None), "l.csv": column(["cat", 7, "emu", 7])},
        ("--header predictions or",),
        LN2,
    ),
    # --- counts ---
    "counts with ids": Case(
        "p.csv l.csv --preds cat:emu --label label",
        {"p.csv": ids(P), "l.csv": ids(L, order=(0, 1, 2, 3)).replace("id0,cat\n", "id0,cat\nid9,dog\n")},
        ("--id COLUMN matches them by id", "--subset"),
        LN2,
        {"COLUMN": "id"},
    ),
    # --- roles ---
    "which columns, by name": Case("full.csv", {"full.csv": FULL_NAMES}, ("--label label --preds",), QW_COST),
    "the truth is elsewhere": Case(
        "full.csv",
        {
            "full.csv": "predict,cat,dog,emu\n"
            + "\n".join(f"{NAMES[int(q.argmax())]},{','.join(map(str, q))}" for q in Q)
            + "\n",
            "l.csv": L,
        },
        ("xent score full.csv LABELS --label NAME --preds",),
        LN2,
        {"LABELS": "l.csv", "NAME": "label"},
    ),
    "names that another column lists": Case("p.csv", {"p.csv": NAMED}, ("python3",), 9 / 7 * LN2),
    "names that the predicted class shows": Case(
        "p.csv --preds q", {"p.csv": GUESSED}, ("--label y --preds q --classes emu,dog,cat",), 9 / 7 * LN2
    ),
    "names that the predicted class shows, beside a label": Case(
        "p.csv --preds q --label y", {"p.csv": GUESSED}, ("--classes emu,dog,cat names",), 9 / 7 * LN2
    ),
    "a score and a flag for each choice": Case(
        "p.jsonl",
        {
            "p.jsonl": "".join(
                json.dumps({"gold": int(t), "resps": [[[v, v == max(q)]] for v in q]}) + "\n"
                for q, t in zip(LOGITS.tolist(), TRUTH, strict=True)
            )
        },
        ("python3",),
        LN2,
    ),
    "a row for each class": Case(
        "p.csv l.csv",
        {
            "p.csv": "id,c,q\n"
            + "".join(
                f"{9 - r},{name},{v}\n" for r, q in enumerate(Q.tolist()) for name, v in zip(NAMES, q, strict=True)
            ),
            "l.csv": L,
        },
        ("python3",),
        LN2,
    ),
    "a row for each class, and its truth": Case(
        "p.csv",
        {
            "p.csv": "id;c;q;hit\n"
            + "".join(
                f"i{r};{NAMES[k]};{v};{k == TRUTH[r]:d}\n" for r, q in enumerate(Q.tolist()) for k, v in enumerate(q)
            )
        },
        ("python3",),
        LN2,
    ),
    "tokens beside a file of labels": Case(
        "p.jsonl l.csv",
        {
            "p.jsonl": "".join(
                json.dumps({"n": f"r{r}", "a": {"top_logprobs": dict(zip(NAMES, np.log(q).tolist(), strict=True))}})
                + "\n"
                for r, q in enumerate(Q.tolist())
            ),
            "l.csv": "n,size,label\n" + "".join(f"r{r},7,{NAMES[TRUTH[r]]}\n" for r in (2, 0, 3, 1)),
        },
        ("python3",),
        LN2,
    ),
    "a log of an evaluation, with a first line of its own": Case(
        "p.jsonl",
        {
            "p.jsonl": '{"spec": {"run": "x"}}\n'
            + "".join(
                json.dumps({"n": r, "data": {"expected": NAMES[t], "picked": NAMES[int(np.argmax(q))], "probs": q}})
                + "\n"
                for r, (q, t) in enumerate(SHOWN)
            )
        },
        ("tail -n +2", "--label data.expected --preds data.probs --classes cat,dog,emu"),
        9 / 7 * LN2,
    ),
    "a file of labels": Case(
        "full.csv",
        {"full.csv": P, "l.csv": L},
        ("xent score PREDS LABELS",),
        LN2,
        {"PREDS": "full.csv", "LABELS": "l.csv"},
    ),
    "a column for each class beside an id": Case(
        "p.csv l.csv",
        {
            "p.csv": "id,cat,dog,emu\n"
            + "\n".join(f"r{row}," + ",".join(map(str, q)) for row, q in enumerate(Q))
            + "\n",
            "l.csv": "id,emu,dog,cat\n"
            + "\n".join(f"r{row},{t == 2:d},{t == 1:d},{t == 0:d}" for row, t in enumerate(TRUTH))
            + "\n",
        },
        ("--id id, if it matches the rows",),
        LN2,
    ),
    "a column for each class beside a group": Case(
        "p.csv l.csv",
        {"p.csv": P, "l.csv": table(np.c_[np.arange(4), np.eye(3)[TRUTH]], "site,cat,dog,emu")},
        ("--label cat,dog,emu",),
        LN2,
    ),
    "a label that is nearly called as the classes": Case(
        "p.csv l.csv",
        {"p.csv": P, "l.csv": "site,label\n" + "\n".join(f"{t + 5}, {NAMES[t].upper()}" for t in TRUTH) + "\n"},
        ("python3",),
        LN2,
    ),
    "a label that is called as the classes but for case": Case(
        "p.csv l.csv",
        {"p.csv": P, "l.csv": "site,label\n" + "\n".join(f"{t + 5},{NAMES[t].upper()}" for t in TRUTH) + "\n"},
        ("--label label --classes",),
        LN2,
    ),
    "a label file with blanks after its commas": Case(
        "p.csv l.csv",
        {"p.csv": P, "l.csv": "site, label\n" + "\n".join(f"{t + 5}, {NAMES[t]}" for t in TRUTH) + "\n"},
        ("sed 's/, */,/g'",),
        LN2,
    ),
    "a label file beside decimal commas and percent": Case(
        "p.csv l.csv",
        {
            "p.csv": table(100 * Q).replace(",", ";").replace(".", ","),
            "l.csv": "site,label\n" + "\n".join(f"{t + 5},{NAMES[t]}" for t in TRUTH) + "\n",
        },
        ("--label label --decimal , --scale 0.01",),
        LN2,
    ),
    "decimal commas and percent beside an id": Case(
        "p.csv --label y",
        {"p.csv": table(np.c_[1:5, 100 * Q, TRUTH], "n,cat,dog,emu,y").replace(",", ";").replace(".", ",")},
        ("decimal commas and percent?", "--preds"),
        LN2,
        {"NAME,...": "cat,dog,emu"},
    ),
    "names in a comment, as numpy.savetxt writes them": Case(
        "p.csv",
        {"p.csv": table(np.c_[[1, *TRUTH[1:], *TRUTH, *TRUTH], np.tile(Q, (3, 1))], "# y,cat,dog,emu")},
        ("--label '# y' --preds cat,dog,emu",),
        13 / 12 * LN2,
    ),
    "labels with the features of svm tools": Case(
        "p.csv l.txt",
        {"p.csv": table(Q, "0,1,2"), "l.txt": "".join(f"{t} 1:0.{n}\n" for n, t in enumerate(TRUTH))},
        ("python3",),
        LN2,
    ),
    "a label that is an amount": Case(
        "p.csv --label mm --preds pop",
        {"p.csv": "pop,mm\n0.5,0.0\n0.75,2.5\n0.875,1\n0.5,0\n"},
        ("an amount above 0 is 1",),
        -math.log(0.5 * 0.75 * 0.875 * 0.5) / 4,
    ),
    "a label that counts the classes": Case(
        "full.csv",
        {"full.csv": table(np.c_[Q, [0, 1, 0, 1]], "p_0,p_1,p_2,y")},
        ("--label y --preds p_0,p_1,p_2",),
        1.25 * LN2,
    ),
    "a list of scores beside a label": Case(
        "p.jsonl",
        {"p.jsonl": '{"what": "x", "y": 1, "z": [0.5, 0.5]}\n{"what": "x", "y": 0, "z": [1.5, 1.5]}\n' * 2},
        ("--label y --preds z --kind logits",),
        float(np.log(2)),
    ),
    "a probability beside a label of two values": Case(
        "full.csv",
        {"full.csv": "when,rain,p\na,yes,0.5\nb,no,0.5\nc,no,50%\n".replace("50%", "0.5")},
        ("--label rain --preds p --positive yes",),
        float(np.log(2)),
    ),
    "a part of a vector": Case(
        "p.jsonl --label y --preds p.values",
        {
            "p.jsonl": '{"y": 0, "p": {"type": 1, "values": [0.5, 0.5]}}\n{"y": 1, "p": {"type": 1, "values": [0.5, 0.5]}}\n'
        },
        ("takes it whole",),
        LN2,
    ),
    "nothing fits": Case(
        "full.csv",
        {"full.csv": table(np.c_[Q, Q, TRUTH], "a,b,c,d,e,f,y").replace("y", "true")},
        ("--label NAME --preds NAME,...",),
        LN2,
        {"NAME,...": "a,b,c", "NAME": "true"},
    ),
    "several labels": Case(
        "p.csv l.csv",
        {"p.csv": P, "l.csv": "a,label\n" + "\n".join(f"{t + 5},{NAMES[t]}" for t in TRUTH) + "\n"},
        ("--label NAME chooses",),
        LN2,
        {"NAME": "label"},
    ),
    "no column is left": Case(
        "p.csv l.csv --by q",
        {"p.csv": column(B, "q"), "l.csv": column(B_TRUE)},
        ("--preds NAME,... chooses the columns of",),
        B_COST,
        {"NAME,...": "q"},
    ),
    "no label is left": Case(
        "p.csv l.csv",
        {"p.csv": P, "l.csv": "a,b\ncat,cat\ndog,dog\nemu,emu\ndog,dog\n", "t.csv": L},
        ("xent score p.csv LABELS",),
        LN2,
        {"LABELS": "t.csv"},
    ),
    "an odd member": Case(
        "p.npz --label y",
        {"p.npz": lambda path: np.savez(path, a=B, b=1 - B, y=1 - B_TRUE, odd=np.array("x"))},
        ("--preds NAME,... names the columns",),
        B_COST,
        {"NAME,...": "a,b"},
    ),
    "text among predictions": Case(
        "p.csv l.csv",
        {"p.csv": ids(table(SCATTERED, "cat,x,dog,y,emu")), "l.csv": N},
        ("--preds NAME,... chooses the predictions",),
        LN2,
        {"NAME,...": "cat,dog,emu"},
    ),
    "text and a number among predictions": Case(
        "p.csv l.csv",
        {"p.csv": ids(table(np.c_[[7, 8, 9, 7], Q], "n,cat,dog,emu")), "l.csv": N},
        ("every row of some sums to 1: --preds",),
        LN2,
    ),
    "swapped files": Case("l.csv p.csv", {"p.csv": table(Q), "l.csv": L}, ("are the files swapped?",), LN2),
    "several columns of a kind without labels": Case(
        "p.csv --kind losses", {"p.csv": "a,b\n1,2\n3,4\n"}, ("--preds NAME chooses it",), 2.0, {"NAME": "a"}
    ),
    "columns of losses": Case(
        "p.csv --kind losses --preds a,b",
        {"p.csv": "a,b\n1,2\n3,4\n"},
        ("every number of an array",),
        2.5,
        leave=("--preds", "a,b"),
    ),
    "a column of an array": Case(
        "p.npy --kind losses --preds #1:#2",
        {"p.npy": np.array([[1.0, 2.0, 9.0], [3.0, 4.0, 9.0]])},
        ("keeps one column",),
        2.0,
        leave=("--preds", "#1:#2"),
    ),
    "label columns too few": Case(
        "p.csv l.csv --label a,b",
        {"p.csv": P, "l.csv": table(np.c_[TRUTH, TRUTH], "a,b")},
        ("--label NAME chooses one",),
        LN2,
        {"NAME": "a"},
    ),
    "label columns of yes and no": Case(
        "p.csv l.csv --multilabel --label a",
        {"p.csv": table(np.array([[0.5, 0.5]]), "x,y"), "l.csv": "a,b\n1,0\n"},
        ("--label NAME,... chooses", "if all 2 columns are classes"),
        LN2,
        {"NAME,...": "a,b"},
    ),
    # --- labels ---
    "from 1": Case("p.csv l.csv", {"p.csv": table(Q, None), "l.csv": ONE}, ("--index-base 1 counts",), LN2),
    "from 1, some": Case(
        "p.csv l.csv --index-base 0", {"p.csv": table(Q, None), "l.csv": ONE}, ("labels counted from 1?",), LN2
    ),
    "padding": Case(
        "p.csv l.csv", {"p.csv": table(Q, None), "l.csv": column([0, -100, 2, 1])}, ("padding, or rows without",), LN2
    ),
    "padding beside names": Case(
        "p.csv l.csv",
        {"p.csv": table(Q, "1,2,3"), "l.csv": column([1, -100, 3, 2])},
        ("padding, or rows without",),
        LN2,
    ),
    "a class too many": Case(
        "p.csv l.csv", {"p.csv": table(Q, None), "l.csv": column([0, 1, 7, 1])}, ("a class without a column",), LN2
    ),
    "names elsewhere": Case(
        "p.csv l.csv",
        {"p.csv": table(Q, "x,y,z"), "l.csv": L},
        ("--classes NAME,...",),
        LN2,
        {"NAME,...": "cat,dog,emu"},
    ),
    "names beside --index-base": Case(
        "p.csv l.csv --index-base 0",
        {"p.csv": table(Q, "cat,dog,emu"), "l.csv": L},
        ("leave --index-base out",),
        LN2,
        leave=("--index-base", "0"),
    ),
    "positions": Case("p.csv l.csv", {"p.csv": table(Q, "c4,c7,c9"), "l.csv": N}, ("--index-base 0",), LN2),
    "positions beside given names": Case(
        "p.csv l.csv --classes 4,7,9", {"p.csv": table(Q, None), "l.csv": N}, ("--index-base 0",), LN2
    ),
    "only some column names are labels": Case(
        "p.csv l.csv --classes 0,5,x", {"p.csv": table(Q, None), "l.csv": N}, ("--index-base 0 (or 1)",), LN2
    ),
    "two parts that disagree": Case(
        "p.csv l.csv",
        {"p.csv": table(np.array([[0.5, 0.5], [0.25, 0.75]]), "aa,aaa"), "l.csv": column(["a", "a"])},
        ("--classes NAME,...",),
        1.5 * LN2,
        {"NAME,...": "a,b"},
    ),
    "two classes, three names": Case(
        "p.csv l.csv --classes a,b,c",
        {"p.csv": column(B, "q"), "l.csv": column(np.array(["a", "b"])[B_TRUE])},
        ("--classes NEGATIVE,POSITIVE",),
        B_COST,
        {"NEGATIVE,POSITIVE": "a,b"},
    ),
    "which class": Case(
        "p.csv l.csv",
        {"p.csv": column(B, "q"), "l.csv": column(np.array(["ham", "spam"])[B_TRUE])},
        ("--positive spam",),
        B_COST,
    ),
    "which class of several": Case(
        "p.csv l.csv --ignore-label z",
        {"p.csv": column([*B, 0.5], "q"), "l.csv": column([*np.array(["ham", "spam"])[B_TRUE], "z"])},
        ("--positive spam",),
        B_COST,
    ),
    "numbers that are names": Case(
        "p.csv l.csv",
        {"p.csv": column(B, "q"), "l.csv": column(B_TRUE + 3)},
        ("--positive NAME",),
        B_COST,
        {"NAME": "4"},
    ),
    "given classes in another order": Case(
        "p.csv l.csv --classes dog,cat,emu",
        {**BOTH, "l.csv": column(np.array([1, 0, 2])[TRUTH])},
        ("--preds dog,cat,emu",),
        LN2,
        leave=("--classes", "dog,cat,emu"),
    ),
    "classes of the columns": Case(
        "p.csv l.csv --kind logits",
        {"p.csv": table(np.c_[LOGITS, np.full(4, -99)], "cat,dog,emu,yak"), "l.csv": L},
        ("if all 4 columns are classes",),
        LN2,
    ),
    "a stray column of logits": Case(
        "p.csv l.csv --kind logits",
        {"p.csv": table(np.c_[LOGITS, [3, 1, 4, 1]], "cat,dog,emu,age"), "l.csv": L},
        ("otherwise: --preds cat,dog,emu",),
        LN2,
    ),
    "stray columns of logits": Case(
        "p.csv l.csv --kind logits",
        {"p.csv": table(np.c_[LOGITS, [3, 1, 4, 1]], "u,v,w,age"), "l.csv": N},
        ("otherwise: --preds NAME,...",),
        LN2,
        {"NAME,...": "u,v,w"},
    ),
    "a long label without a column": Case(
        "p.csv l.csv",
        {"p.csv": P, "l.csv": column(["cat", "dog", "emu", "z" * 100])},
        ("--ignore-label LABEL",),
        LN2,
        {"LABEL": "z" * 100},
    ),
    "the next tokens": Case(
        "p.csv --label label --shift-labels",
        {"p.csv": FULL, "p.npy": np.array([[*Q.tolist(), [1.0, 0.0, 0.0]]]), "y.npy": np.array([[0, *TRUTH]])},
        ("xent score PREDS LABELS --shift-labels",),
        LN2,
        {"PREDS": "p.npy", "LABELS": "y.npy"},
    ),
    "a missing reference": Case(
        "p.csv l.csv --reference @r.csv",
        {"p.csv": P, "l.csv": L, "r.csv": P.replace("0.125,0.5,0.375", ",,")},
        ("rows without a reference forecast? --skip-missing",),
        LN2,
    ),
    "a missing prediction": Case("p.csv l.csv", {"p.csv": P + ",,\n", "l.csv": L + "cat\n"}, ("--skip-missing",), LN2),
    "a missing row of an array": Case(
        "p.npy l.csv", {"p.npy": np.array([*Q.tolist(), [np.nan] * 3]), "l.csv": N + "0\n"}, ("--skip-missing",), LN2
    ),
    "a missing target": Case(
        "p.csv l.csv",
        {"p.csv": table(np.r_[Q, Q[:1]]), "l.csv": table(SOFT) + ",,\n"},
        ("--ignore-label missing",),
        SOFT_COST,
    ),
    # --- rows ---
    "row names in another order": Case(
        "p.csv l.csv",
        {"p.csv": ids(P).replace("id,", ",", 1), "l.csv": ids(L, order=(1, 0, 3, 2)).replace("id,", ",", 1)},
        ("--id '#1' matches",),
        LN2,
    ),
    "row names that are to be skipped": Case(
        "p.csv l.csv",
        {"p.csv": ids(P).replace("id,", ",", 1), "l.csv": ids(L, order=(0, 3, 2, 1)).replace("id,", ",", 1)},
        ("--align position matches",),
        LN2,
    ),
    "a possible class": Case(
        "p.csv --label y --by p3 --kind logits",
        {"p.csv": table(np.c_[LOGITS, [7, 7, 8, 8], TRUTH], "p0,p1,p2,p3,y")},
        ("--preds NAME,...",),
        LN2,
        {"NAME,...": "p0:p2"},
    ),
    "a list beside": Case(
        "p.jsonl --kind losses",
        {"p.jsonl": '{"x": [1, 2], "n": 3}\n{"x": [3, 4, 5], "n": 4}\n'},
        ("--preds x takes",),
        3.0,
    ),
    "some ids are missing": Case(
        "p.csv l.csv --id id", {"p.csv": ids(P), "l.csv": ids(L, order=(0, 1, 2))}, ("--subset scores",), LN2
    ),
    "ids written otherwise": Case(
        "p.csv l.csv --id id", {"p.csv": ids(P, "0"), "l.csv": ids(L, "00")}, ("python3 -c", "python3 -c"), LN2
    ),
    "ids written otherwise in Parquet": Case(
        "p.csv l.parquet --id id",
        {
            "p.csv": ids(P, "0"),
            "l.parquet": lambda path: pandas.DataFrame(
                {"id": ["000", "001", "002", "003"], "label": [NAMES[t] for t in TRUTH]}
            ).to_parquet(path),
        },
        ("python3 -c", "python3 -c"),
        LN2,
    ),
    "quoted decimal commas": Case(
        "p.csv --label y",
        {"p.csv": 'y,a,b\na,"0,5","0,5"\nb,"0,5","0,5"\n'},
        ("puts semicolons between",),
        LN2,
    ),
    "two lists of numbers": Case(
        "p.jsonl --label y --kind logits",
        {"p.jsonl": '{"y": 0, "probs": [0.9, 0.1], "logits": [1.0, 1.0], "pred": 1}\n' * 3},
        ("--preds logits takes the",),
        LN2,
    ),
    "a list and logits beside it": Case(
        "p.jsonl --label y --kind logits",
        {"p.jsonl": '{"y": 0, "embedding": [0.5, 4.0], "logit_0": 1.0, "logit_1": 1.0}\n' * 3},
        ("or --preds logit_0",),
        LN2,
    ),
    "a yes or no in each column, with missing cells": Case(
        "p.csv l.csv --ignore-label missing",
        {"p.csv": "a,b\n0.5,0.5\n0.5,0.5\n", "l.csv": "a,b\n1,1\n0,NA\n"},
        ("--multilabel",),
        None,
    ),
    "shards without a partner": Case(
        "ps ls --preds cat:emu --label label",
        {
            "ps": lambda path: _folder(path, {"p-1.csv": ids(P)}),
            "ls": lambda path: _folder(path, {"l-1.csv": ids(L), "l-2.csv": ids(column(["cat"]), "x")}),
        },
        ("--id COLUMN", "--subset"),
        LN2,
        {"COLUMN": "id"},
    ),
}


def _folder(path: Path, files: dict[str, str]) -> None:
    path.mkdir()
    for name, text in files.items():
        (path / name).write_text(text)
