"""Advice about files as other tools write them: ids under two names, predicted classes, archives of language models."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas

from tests.advice.follow import Case

__all__ = ["CASES"]

CLASSES = ("cat", "dog", "emu")
Q8 = np.array([[5, 2, 3], [1, 7, 2], [3, 3, 4], [6, 3, 1], [2, 2, 6], [1, 8, 1], [4, 5, 1], [9, 0.5, 0.5]]) / 10
TRUE8 = np.array([0, 1, 0, 0, 2, 2, 1, 0])
COST8 = float(-np.log(Q8[np.arange(8), TRUE8]).mean())
NAMED = [f"im{n}.jpg" for n in (4, 7, 1, 9, 3, 8, 2, 6)]
CODES = [f"{n}" for n in (417, 205, 993, 118, 642, 377, 801, 554)]
COUNTED = [[f"{n + base}" for n in range(8)] for base in (0, 1)]
TRUTH = np.array(CLASSES)[TRUE8]
ORDER = (3, 0, 6, 1, 7, 2, 5, 4)


def rows(*columns: object, header: str, order: tuple[int, ...] = tuple(range(8))) -> str:
    """CSV of columns, in the order of their rows."""
    cells = [[f"{cell}" for cell in column] for column in columns]  # type: ignore[attr-defined]
    return "\n".join([header, *(",".join(column[row] for column in cells) for row in order)]) + "\n"


def preds(names: list[str], header: str = "image_id,cat,dog,emu") -> str:
    return rows(names, *Q8.T.tolist(), header=header)


def labels(names: list[str], header: str = "filename,label", truth: np.ndarray = TRUE8) -> str:
    return rows(names, np.array(CLASSES)[truth], header=header, order=ORDER)


LOGITS = np.log(np.concatenate([Q8, Q8[::-1]]).reshape(2, 8, 3)) + 2
READ = np.array([TRUE8, TRUE8[::-1]])
NEXT = np.roll(READ, -1, axis=1)
PADDED = np.where(np.arange(8) < 7, NEXT, -100)
_LOSS = np.log(np.exp(LOGITS).sum(axis=2)) - np.take_along_axis(LOGITS, NEXT[..., None], 2)[..., 0]
NEXT_COST = float(_LOSS[:, :7].mean())


def archive(**members: np.ndarray) -> Any:
    """What writes an archive of arrays."""
    return lambda path: np.savez(path, allow_pickle=False, **members)


TRUTH8 = np.array(CLASSES)[TRUE8].tolist()
RANKS = np.argsort(-Q8, axis=1, kind="stable")
RANKED = [part for k in range(3) for part in (np.array(CLASSES)[RANKS[:, k]], np.take_along_axis(Q8, RANKS, 1)[:, k])]
ODDS8, TWO8 = [-1.5, 2.0, -0.25, 0.75, -0.5, 1.25, 0.5, -3.0], np.array([0, 1, 1, 1, 0, 1, 0, 0])
ODDS_COST = float(np.log1p(np.exp(np.where(TWO8, -1, 1) * ODDS8)).mean())
LABELLED = list(zip(Q8.tolist(), TRUTH8, strict=True))
DICTS = [dict(zip(CLASSES, row, strict=True)) for row in Q8.tolist()]


def cells(written: Callable[[dict[str, float]], str]) -> dict[str, str]:
    """A file with all probabilities of a row in one cell."""
    return {"p.csv": rows(TRUTH8, [f'"{written(each)}"' for each in DICTS], header="truth,probs")}


TEXTS = {"p.csv": preds(NAMED), "l.csv": labels(NAMED)}
SUBMITTED = labels(NAMED, "image_id,pred", Q8.argmax(axis=1))
OF_OTHER = labels(NAMED, "image_id,pred", Q8[::-1].argmax(axis=1))
ASIDE = {"p.csv": preds(NAMED), "l.csv": rows(np.array(CLASSES)[TRUE8], NAMED, header="label,filename", order=ORDER)}
BARS = {
    "p.csv": ASIDE["p.csv"].replace(",", "|"),
    "l.csv": "".join(
        f"{'my_filename' * (n == 0)}|{line}\n" for n, line in enumerate(ASIDE["l.csv"].replace(",", "|").split())
    ),
}
"""With the name of the ids within another one, too."""
TAGS = np.array([[1, 1, 0], [0, 0, 0], [1, 0, 1], [0, 1, 0], [0, 0, 1], [1, 1, 1], [0, 0, 0], [1, 0, 0]])
GRADES = np.clip(Q8[:, ::-1] * 0.5 + TAGS * 0.375, 0.0625, 0.9375)
TAGS_COST = float(-np.log(np.where(TAGS, GRADES, 1 - GRADES)).mean())
TAGGED = {
    "p.csv": rows(NAMED, *GRADES.T.tolist(), header="id,toxic,insult,threat"),
    "l.csv": rows(NAMED, *TAGS.T.tolist(), header="id,toxic,insult,threat", order=ORDER),
}
_ORDERS = (range(8), ORDER, range(7, -1, -1))
TWO_MODELS = rows(
    TRUTH,
    *Q8.T.tolist(),
    *Q8[::-1].T.tolist(),
    np.array(CLASSES)[Q8.argmax(axis=1)],
    np.array(CLASSES)[Q8[::-1].argmax(axis=1)],
    header=",".join(["iris", *(f"{model} ({name})" for model in ("kNN", "Tree") for name in CLASSES), "kNN", "Tree"]),
)

CASES = {
    "ids of two names": Case("p.csv l.csv --label label", TEXTS, ("--id '#1' matches",), COST8),
    "ids of two names, and no label": Case("p.csv l.csv", TEXTS, ("--label label --id '#1'",), COST8),
    "ids of two names that are numbers": Case(
        "p.csv l.csv --label label", {"p.csv": preds(CODES), "l.csv": labels(CODES)}, ("--id '#1' matches",), COST8
    ),
    **{
        f"ids of two names that count the rows of one file from {base}, {what}": Case(
            "p.csv l.csv --label label", {"p.csv": preds(COUNTED[base], head), "l.csv": text}, (line,), COST8
        )
        for base in (0, 1)
        for what, head, text, line in (
            ("at one place", "image_id,cat,dog,emu", labels(COUNTED[base]), "if they are ids: --id '#1'"),
            (
                "at two places",
                "image_id,cat,dog,emu",
                rows(np.array(CLASSES)[TRUE8], COUNTED[base], header="label,filename", order=ORDER),
                "if they are ids: sed",
            ),
        )
    },
    "the classes of two models beside the truth": Case(
        "p.csv",
        {"p.csv": TWO_MODELS},
        ("--label iris --preds 'kNN (cat),kNN (dog),kNN (emu)'",),
        COST8,
    ),
    "a long table sorted by class, with labels that have no ids": Case(
        "p.csv l.csv",
        {
            "p.csv": "doc,class_name,score\n"
            + "".join(f"{CODES[n]},{name},{Q8[n, k]}\n" for k, name in enumerate(CLASSES) for n in _ORDERS[k]),
            "l.csv": "label\n" + "".join(f"{name}\n" for name in TRUTH),
        },
        ("a row of each doc, in the order in which each first occurs",),
        COST8,
    ),
    "two binary models in one file": Case(
        "p.csv",
        {"p.csv": rows(*(1 / (1 + np.exp(s * np.array(ODDS8))) for s in (0.5, -1)), TWO8, header="model_a,model_b,y")},
        ("--label y --preds model_b",),
        ODDS_COST,
    ),
    "shares that are called as the truth": Case(
        "p.csv",
        {
            "p.csv": rows(
                *Q8.T.tolist(),
                *Q8[::-1].T.tolist(),
                header=",".join(f"{of}_{name}" for of in ("pred", "true") for name in CLASSES),
            )
        },
        ("--label true_cat,true_dog,true_emu --preds pred_cat,pred_dog,pred_emu",),
        float(-(Q8[::-1] * np.log(Q8)).sum(axis=1).mean()),
    ),
    "columns of 0 and 1 with several ones": Case(
        "p.csv l.csv", TAGGED, ("--label toxic,insult,threat --multilabel --id id: a yes or no",), TAGS_COST
    ),
    "columns of 0 and 1, and -1 for none": Case(
        "p.csv l.csv --multilabel --id id",
        {
            "p.csv": TAGGED["p.csv"] + "im12.jpg,0.5,0.5,0.5\n",
            "l.csv": TAGGED["l.csv"] + "im12.jpg,-1,-1,-1\n",
        },
        ("--ignore-label -1 skips them",),
        TAGS_COST,
    ),
    "a rank of other rows": Case(
        "p.csv l.csv --label label --preds cat,dog,emu",
        {"p.csv": preds([*"31542876"], "rank,cat,dog,emu"), "l.csv": rows([*"61527384"], TRUTH, header="order,label")},
        ("--align position",),
        COST8,
    ),
    "ids of two names at two places": Case("p.csv l.csv", ASIDE, ("calls the ids image_id",), COST8),
    "ids of two names at two places, and a label": Case(
        "p.csv l.csv --label label", ASIDE, ("calls the ids image_id",), COST8
    ),
    "ids of two names at two places, between bars": Case(
        "p.csv l.csv --label label --delimiter '|'", BARS, ("calls the ids image_id",), COST8
    ),
    **{
        what: Case(
            "p.csv sub.csv",
            {"p.csv": preds(NAMED), "sub.csv": submitted, "y.csv": labels(NAMED, "image_id,label")},
            (line, "--label label --id image_id"),
            COST8,
            {"LABELS": "y.csv"},
        )
        for what, submitted, line in (
            ("predicted classes as labels", SUBMITTED, "the truth is not in this file"),
            (
                "predicted classes of other names as labels",
                SUBMITTED.replace("image_id", "file"),
                "the truth is not in",
            ),
            ("classes that are predicted by their name", OF_OTHER, "if pred is the predicted class"),
        )
    },
    "labels of a language model beside the tokens": Case(
        "lm.npz",
        {"lm.npz": archive(logits=LOGITS, input_ids=READ, labels=PADDED)},
        ("--label labels --preds logits --kind logits --ignore-label -100",),
        NEXT_COST,
    ),
    "labels that are the tokens": Case(
        "lm.npz",
        {"lm.npz": archive(logits=LOGITS, input_ids=READ, attention_mask=np.ones_like(READ), labels=READ)},
        ("--label labels --preds logits --kind logits --shift-labels",),
        NEXT_COST,
    ),
    "tokens alone": Case(
        "lm.npz --kind logits",
        {"lm.npz": archive(logits=LOGITS, input_ids=READ)},
        ("--label input_ids --preds logits --shift-labels",),
        NEXT_COST,
    ),
    "labels of a language model in another file": Case(
        "p.npz l.npz",
        {
            "p.npz": archive(logits=LOGITS),
            "l.npz": archive(input_ids=READ, attention_mask=READ % 2, kept=READ % 2, targets=NEXT),
        },
        ("--label targets --kind logits, by its name",),
        float(_LOSS.mean()),
    ),
    "classes by rank": Case(
        "p.csv",
        {"p.csv": rows(TRUTH8, *RANKED, header="truth,class1,prob1,class2,prob2,class3,prob3")},
        ("--label truth --preds cat,dog,emu",),
        COST8,
    ),
    "classes by rank in two blocks, and a label": Case(
        "p.csv --label y",
        {"p.csv": rows(*RANKED[::2], *RANKED[1::2], TRUTH8, header="c1,c2,c3,p1,p2,p3,y")},
        ("--label y --preds cat,dog,emu",),
        COST8,
    ),
    "classes by rank beside labels": Case(
        "p.csv l.csv",
        {"p.csv": rows(*RANKED, header="a,b,c,d,e,f"), "l.csv": rows(TRUTH8, header="y")},
        ("makes a column of each class",),
        COST8,
    ),
    **{
        f"{what} in cells": Case("p.csv", cells(written), ("then --label truth",), COST8)
        for what, written in (
            ("dicts of Python", str),
            ("dicts with numbers of NumPy", lambda each: str({name: np.float64(q) for name, q in each.items()})),
            ("pairs of Python", lambda each: str(list(each.items()))),
        )
    },
    "dicts of Python in cells, and a label": Case("p.csv --label truth", cells(str), ("makes JSON of",), COST8),
    "objects without the classes of 0": Case(
        "p.jsonl --label y",
        {"p.jsonl": '{"y": "a", "p": {"a": 0.5, "b": 0.5}}\n{"y": "c", "p": {"b": 0.75, "c": 0.25}}\n'},
        ("writes 0 for the classes",),
        math.log(8) / 2,
    ),
    **{
        f"columns of pandas in levels, {what}": Case(
            "p.csv",
            {"p.csv": above + "".join(f"{i},{','.join(map(repr, q))},{y}\n" for i, (q, y) in enumerate(LABELLED))},
            (line, "--label truth --preds cat,dog,emu"),
            COST8,
        )
        for what, above, line in (
            ("an index without a name", ",q,q,q,truth\n,cat,dog,emu,\n", "makes one of 2 lines of names"),
            ("and the index too", "what,q,q,q,truth\nclass,cat,dog,emu,\nkey,,,,\n", "makes one of 3 lines of names"),
        )
    },
    "one character between and within numbers": Case(
        "p.csv l.csv --delimiter , --decimal ,",
        {"p.csv": preds(NAMED).replace(",", ";").replace(".", ","), "l.csv": rows(TRUTH8, header="label")},
        ("leave --delimiter out",),
        COST8,
        leave=("--delimiter", ","),
    ),
    "two models in a file": Case(
        "p.csv",
        {"p.csv": rows(TRUTH8, *Q8[:, [1, 0, 2]].T, *Q8.T, header="y,a_cat,a_dog,a_emu,b_cat,b_dog,b_emu")},
        ("--label y --preds b_cat,b_dog,b_emu",),
        COST8,
    ),
    "a row of each class, sorted by class": Case(
        "p.csv",
        {
            "p.csv": "id,class,prob,truth\n"
            + "".join(
                f"i{n},{name},{Q8[n % 8, k]},{TRUTH8[n % 8]}\n" for k, name in enumerate(CLASSES) for n in range(1600)
            )
        },
        ("makes a column of each class",),
        COST8,
    ),
    "batches of a trainer": Case(
        "p.json",
        {
            "p.json": json.dumps(
                [
                    {"logits": LOGITS[n].tolist(), "preds": Q8.argmax(axis=1).tolist(), "targets": NEXT[n].tolist()}
                    for n in range(2)
                ]
            )
        },
        ("makes a record of each row", "--label targets --preds logits --kind logits"),
        float(_LOSS.mean()),
    ),
    "a raw score of two classes": Case(
        "p.csv",
        {"p.csv": rows(range(8), ODDS8, np.array(["no", "yes"])[TWO8], header="SampleId,RawFormulaVal,Label")},
        ("--label Label --preds RawFormulaVal --kind logits --positive yes",),
        ODDS_COST,
    ),
    "a raw score beside numbers of the rows": Case(
        "p.csv --label Label --kind logits",
        {"p.csv": rows(range(8), ODDS8, TWO8, header="SampleId,RawFormulaVal,Label")},
        ("if SampleId is not a class: --preds RawFormulaVal",),
        ODDS_COST,
    ),
    "all numbers in one line": Case(
        "p.out l.csv",
        {"p.out": ",".join(f"{1 / (1 + math.exp(-z))!r}" for z in ODDS8), "l.csv": rows(TWO8, header="y")},
        ("writes a line for each number",),
        ODDS_COST,
    ),
    **{
        f"logarithms to base {base}": Case(
            "p.csv --label y",
            {"p.csv": rows(*(np.log(Q8) / math.log(base)).T.tolist(), TRUTH8, header="cat,dog,emu,y")},
            (f"logarithms to base {base} of probabilities",),
            COST8,
        )
        for base in (2, 10)
    },
    **{
        f"logarithms to base {base}, {what}": case
        for base, lines in ((base, (f"--kind logits --temperature {1 / math.log(base)}",)) for base in (2, 10))
        for what, case in {
            "without a label": Case(
                "p.csv",
                {"p.csv": rows(*(np.log(Q8) / math.log(base)).T.tolist(), TRUTH8, header="cat,dog,emu,gold")},
                (f"--label gold --preds cat,dog,emu {lines[0]}",),
                COST8,
            ),
            "as log-probabilities": Case(
                "p.csv --label y --kind logprobs",
                {"p.csv": rows(*(np.log(Q8) / math.log(base)).T.tolist(), TRUTH8, header="cat,dog,emu,y")},
                lines,
                COST8,
            ),
            "in an archive": Case(
                "p.npz",
                {"p.npz": archive(scores=np.log(Q8) / math.log(base), labels=TRUE8)},
                (f"--label labels --preds scores {lines[0]}",),
                COST8,
            ),
        }.items()
    },
    "a probability called as the first of two labels": Case(
        "p.csv --label y",
        {"p.csv": rows([1 / (1 + math.exp(z)) for z in ODDS8], np.array(["no", "yes"])[TWO8], header="p_no,y")},
        ("--positive no names the class",),
        ODDS_COST,
    ),
    "ids of two names that differ by an extension": Case(
        "p.csv l.csv --label label",
        {"p.csv": preds(NAMED).replace(".jpg", ""), "l.csv": labels(NAMED)},
        ("then --id image_id",),
        COST8,
    ),
    "ids of two names in Parquet": Case(
        "p.csv l.parquet --label label",
        {
            "p.csv": preds(NAMED),
            "l.parquet": lambda path: pandas.DataFrame(
                {"label": [TRUTH8[n] for n in ORDER], "file": [NAMED[n] for n in ORDER]}
            ).to_parquet(path),
        },
        ("then --id image_id",),
        COST8,
    ),
}
