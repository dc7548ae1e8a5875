"""Advice about files: their format, what is around the table, limits."""

from __future__ import annotations

import gzip
import json
import pprint
from pathlib import Path
from typing import Any

import numpy as np

from tests.advice.follow import Case
from tests.advice.inputs import (
    BOTH,
    FULL,
    LN2,
    MANY_TRUTH,
    NAMES,
    TRUTH,
    L,
    N,
    P,
    Q,
    big_batch,
    column,
    huge_batch,
    ipc_stream,
    table,
    with_first,
    with_pickle,
)
from tests.inputs import office

__all__ = ["CASES"]

ROWS = P.splitlines()
PRINTED = [{"cat": 0.5, "dog": 0.5, "y": "cat", "note": None}, {"cat": 0.5, "dog": 0.5, "y": "dog", "note": None}]
CELLS: list[list[Any]] = [[cell if n == 0 else float(cell) for cell in row.split(",")] for n, row in enumerate(ROWS)]
SAVE = "numpy.save("


def in_json(q: list[float]) -> str:
    """A list of classes with their probabilities, its quotes doubled."""
    return json.dumps([{"label": name, "prob": value} for name, value in zip(NAMES, q, strict=True)]).replace('"', '""')


def boxed(bar: str, rows: list[str]) -> str:
    """A table in a box; a row of one - is a line."""
    lines = [f"\u2502 {f' {bar} '.join(row.split(','))} \u2502" if row != "-" else "\u251c\u2500\u2524" for row in rows]
    return "\n".join(["\u250c\u2500\u2510", *lines, "\u2514\u2500\u2518"]) + "\n"


CASES = {
    "objects as labels in an archive": Case(
        "r.npz --preds probs --label y",
        {"r.npz": lambda path: np.savez(path, probs=Q, y=np.array([str(t) for t in TRUTH], dtype=object))},
        ("numpy.savez",),
        LN2,
    ),
    "two lines of names, as of groups of columns": Case(
        "p.csv",
        {"p.csv": "proba,proba,true\nno,yes,y\n.5,.5,no\n.5,.5,yes\n"},
        ("tail", "--label y --preds no,yes"),
        LN2,
    ),
    # --- text ---
    "a decimal comma": Case(
        "p.csv l.csv", {"p.csv": P.replace(",", ";").replace(".", ","), "l.csv": L}, ("--decimal ,",), LN2
    ),
    "a percentage with a decimal comma": Case(
        "p.csv l.csv",
        {"p.csv": "cat;dog\n50,0%;50,0%\n50,0%;50,0%\n", "l.csv": "label\ncat\ndog\n"},
        ("--decimal ,",),
        LN2,
    ),
    "quotes that do not pair": Case(
        "p.tsv l.csv --preds cat,dog",
        {"p.tsv": 'what\tcat\tdog\n5" pipe\t0.5\t0.5\n"x\t0.5\t0.5\n', "l.csv": "label\ncat\ndog\n"},
        ("--no-quotes",),
        LN2,
    ),
    "an ARFF file of Weka": Case(
        "p.arff --label y",
        {
            "p.arff": "@relation r\n@attribute 'cat' numeric\n@attribute dog numeric\n"
            "@attribute y {cat,dog}\n@data\n.5,.5,cat\n"
        },
        ("awk",),
        LN2,
    ),
    "predictions of Weka": Case(
        "p.txt",
        {
            "p.txt": "inst#,actual,predicted,error,prediction\n1,1:no,2:yes,+,0.5\n2,1:?,2:yes,,0.75\n3,2:yes,2:yes,,0.5\n"
        },
        ("python3", "--ignore-label"),
        LN2,
    ),
    "a table of Orange": Case(
        "p.tab --label y",
        {"p.tab": "cat\tdog\ty\ncontinuous\tcontinuous\tcat dog\n\t\tclass\n.5\t.5\tcat\n"},
        ("sed '2,3d'",),
        LN2,
    ),
    "which delimiter": Case(
        "p.csv l.csv --label label",
        {"p.csv": P, "l.csv": "a;b,label\n" + "".join(f"x;y,{NAMES[t]}\n" for t in TRUTH)},
        ("--delimiter says",),
        LN2,
        {"--delimiter says": "--delimiter , says"},
    ),
    "no UTF-8": Case(
        "p.csv l.csv",
        {"p.csv": P.replace("cat", "é").encode("latin-1"), "l.csv": L.replace("cat", "é")},
        ("iconv -f CP1252",),
        LN2,
    ),
    "another encoding": Case(
        "p.csv l.csv",
        {"p.csv": P.replace("cat", "кот").encode("koi8-r"), "l.csv": L.replace("cat", "кот")},
        ("iconv",),
        LN2,
        {"ENCODING": "KOI8-R", "CP1252": "KOI8-R"},
    ),
    "UTF-16": Case("p.csv l.csv", {"p.csv": P.encode("utf-16"), "l.csv": L}, ("iconv -f UTF-16",), LN2),
    "a blank line": Case("p.csv l.csv", {"p.csv": P.replace("\n", "\n\n", 2), "l.csv": L}, ("skips blank lines",), LN2),
    "a blank line in gzip": Case(
        "p.csv.gz l.csv",
        {"p.csv.gz": gzip.compress(P.replace("\n", "\n\n", 2).encode()), "l.csv": L},
        ("gzip -dc",),
        LN2,
    ),
    "a comment": Case(
        "p.csv l.csv",
        {"p.csv": "\n".join([*ROWS[:3], "# a note", *ROWS[3:]]) + "\n", "l.csv": L},
        ("skips comments",),
        LN2,
    ),
    "comments above": Case(
        "p.csv l.csv", {"p.csv": "# made by a tool\n# today\n" + P, "l.csv": L}, ("skips comments",), LN2
    ),
    "a title above": Case("p.csv l.csv", {"p.csv": "made by a tool\n" + P, "l.csv": L}, ("before the table",), LN2),
    "a title above one column": Case(
        "p.csv l.csv", {"p.csv": P, "l.csv": "my labels\n" + L}, ("above the header",), LN2
    ),
    **{
        f"{what} above, and {args}": Case(
            args,
            {"p.csv": above + FULL.replace(",", delimiter), "l.csv": L},
            (line,),
            LN2,
        )
        for what, above, delimiter, line in (
            ("a title and a blank line", "Report of 2026\n\n", ",", "tail -n +3"),
            ("two titles", "Report\nof a year\n", ",", "tail -n +3"),
            ("a number", "2026\n", ";", "tail -n +2"),
            ("titles of two fields", "model,seven\nrun,first\n", ",", "tail -n +3"),
            ("comments", "# made by x\n#\n", ";", "grep -v '^#'"),
        )
        for args in (
            "p.csv --label label",
            "p.csv --preds cat,dog,emu --label label",
            "p.csv l.csv --preds cat:emu",
            "p.csv --label label --by label",
        )
    },
    "a title above and a footer below": Case(
        "p.csv --label label",
        {"p.csv": f"Export of 2026\nmodel,7\n\n{FULL}\nrows: 4\n"},
        ("sed -n 4,8p",),
        LN2,
    ),
    "a title above percent with decimal commas": Case(
        "p.csv l.csv --preds cat:emu",
        {
            "p.csv": "Bericht\n\ncat;dog;emu\n"
            + "".join(";".join(f"{100 * v:.1f}%".replace(".", ",") for v in row) + "\n" for row in Q.tolist()),
            "l.csv": L,
        },
        ("tail -n +3", "--decimal ,"),
        LN2,
    ),
    "a box of DuckDB": Case(
        "p.txt l.csv",
        {"p.txt": boxed("\u2502", [ROWS[0], "double,double,double", "-", *ROWS[1:]]), "l.csv": L},
        ("sed -E",),
        LN2,
    ),
    "a box of polars": Case(
        "p.txt l.csv",
        {
            "p.txt": "shape: (4, 3)\n" + boxed("\u2506", [ROWS[0], "---,---,---", "f64,f64,f64", "-", *ROWS[1:]]),
            "l.csv": L,
        },
        ("sed -E",),
        LN2,
    ),
    "a tibble": Case(
        "p.txt l.csv",
        {
            "p.txt": "# A tibble: 4 x 3\n    cat   dog   emu\n  <dbl> <dbl> <dbl>\n"
            + "".join(f"{n} {row.replace(',', ' ')}\n" for n, row in enumerate(ROWS[1:], 1)),
            "l.csv": L,
        },
        ("sed -E",),
        LN2,
    ),
    "types below the names": Case(
        "p.tsv l.csv",
        {"p.tsv": "\n".join([ROWS[0], "Float64,Float64,Float64", *ROWS[1:]]).replace(",", "\t") + "\n", "l.csv": L},
        ("sed 2d",),
        LN2,
    ),
    "a title above one column that is named": Case(
        "p.csv l.csv --label label", {"p.csv": P, "l.csv": "my labels\n" + L}, ("tail -n +2",), LN2
    ),
    "a footer": Case("p.csv l.csv", {"p.csv": P, "l.csv": L + "4 rows\n"}, ("if it is a footer",), LN2),
    "a footer of the predictions": Case(
        "p.csv l.csv", {"p.csv": P + "4 rows\n", "l.csv": L}, ("if it is a footer",), LN2
    ),
    "a trailing delimiter": Case(
        "p.csv l.csv",
        {"p.csv": "\n".join([ROWS[0], *(row + "," for row in ROWS[1:])]) + "\n", "l.csv": L},
        ("sed",),
        LN2,
    ),
    "a delimiter in front": Case(
        "p.csv l.csv", {"p.csv": "\n".join([*ROWS[:2], "," + ROWS[2], *ROWS[3:]]) + "\n", "l.csv": L}, ("sed",), LN2
    ),
    "two delimiters": Case(
        "p.csv l.csv",
        {"p.csv": "\n".join([*ROWS[:2], ROWS[2].replace(",", ",,", 1), *ROWS[3:]]) + "\n", "l.csv": L},
        ("sed",),
        LN2,
    ),
    "a delimiter at the end of every line": Case(
        "p.csv l.csv",
        {"p.csv": "\n".join(row + "," for row in ROWS) + "\n", "l.csv": L},
        ("leaves the empty column out",),
        LN2,
        {"NAME,...": "cat,dog,emu"},
    ),
    "a table with lines between its columns": Case(
        "p.txt l.csv",
        {
            "p.txt": "\n".join([ROWS[0].replace(",", " | "), "---+---+---", *(r.replace(",", " | ") for r in ROWS[1:])])
            + "\n",
            "l.csv": L,
        },
        ("sed -E '2d;",),
        LN2,
    ),
    "a table with lines around its cells": Case(
        "p.txt l.csv",
        {
            "p.txt": "\n".join(
                [
                    "+--+",
                    f"| {ROWS[0].replace(',', ' | ')} |",
                    "+==+",
                    *(f"| {r.replace(',', ' | ')} |\n+--+" for r in ROWS[1:]),
                ]
            )
            + "\n",
            "l.csv": L,
        },
        ("sed -E",),
        LN2,
    ),
    "JSON in the cells": Case(
        "p.csv --label y --preds p",
        {"p.csv": "y,p\n" + "".join(f'{NAMES[t]},"{in_json(q)}"\n' for t, q in zip(TRUTH, Q.tolist(), strict=True))},
        ("python3 -c 'import csv, json",),
        LN2,
    ),
    "tokens of a language model": Case(
        "p.jsonl --label y",
        {
            "p.jsonl": "".join(
                json.dumps({"y": y, "choices": [{"logprobs": {"content": [{"top_logprobs": tokens}]}}]}) + "\n"
                for y in ("no", "yes")
                for tokens in ([{"token": token, "logprob": -2.0, "bytes": [1]} for token in ("yes", " no", "so")],)
            )
        },
        ("python3 -c 'import json, math",),
        LN2,
    ),
    "a flag after each number": Case(
        "p.jsonl --label y --preds p --kind logits",
        {"p.jsonl": '{"y": 0, "p": [[0.5, false], [0.5, false]]}\n{"y": 1, "p": [[1, false], [1, true]]}\n'},
        ("python3 -c 'import json",),
        float(np.log(2)),
    ),
    "percent beside a column that is none": Case(
        "p.csv l.csv",
        {"p.csv": table(np.c_[np.arange(4) + 7, 100 * Q], "n,cat,dog,emu"), "l.csv": L},
        ("percent? --scale 0.01",),
        LN2,
    ),
    "a first line about the whole log": Case(
        "p.jsonl --label y",
        {"p.jsonl": '{"run": 1}\n{"y": 0, "p": [0.5, 0.5]}\n{"y": 1, "p": [0.5, 0.5]}\n'},
        ("tail -n +2",),
        float(np.log(2)),
    ),
    "backslashes": Case(
        "p.csv l.csv", {"p.csv": P.replace("cat", '"c\\"t"'), "l.csv": L.replace("cat", '"c""t"')}, ("python3 -c",), LN2
    ),
    "a backslash before a delimiter": Case(
        "p.csv l.csv --preds #2:#4 --label label",
        {"p.csv": "n,cat,dog,emu\n" + "\n".join(f"a\\,b,{row}" for row in ROWS[1:]) + "\n", "l.csv": L},
        ("python3 -c",),
        LN2,
    ),
    "a delimiter in single quotes": Case(
        "p.csv l.csv --preds #2:#4 --label label",
        {"p.csv": "n,cat,dog,emu\n" + "\n".join(f"'a,b',{row}" for row in ROWS[1:]) + "\n", "l.csv": L},
        ("python3 -c",),
        LN2,
    ),
    "numbers in single quotes": Case(
        "p.csv l.csv",
        {"p.csv": "\n".join([ROWS[0], *("'" + row.replace(",", "','") + "'" for row in ROWS[1:])]) + "\n", "l.csv": L},
        ("python3 -c",),
        LN2,
    ),
    "a space before a quote": Case(
        "p.csv l.csv",
        {"p.csv": P, "l.csv": 'n,label\n1, "cat"\n2, "dog"\n3, "emu"\n4, "dog"\n'},
        ("python3 -c", "--label NAME"),
        LN2,
        {"NAME": "label"},
    ),
    "a name twice": Case(
        "p.csv l.csv --header predictions",
        {"p.csv": "0,0,1\n" + table(Q, None), "l.csv": column([2, *TRUTH])},
        ("--no-header",),
        0.8 * LN2,
        {"--no-header if": "--no-header predictions if"},
        leave=("--header", "predictions"),
    ),
    "names after a hash": Case(
        "p.txt l.csv --no-header predictions",
        {"p.txt": "# cat dog emu\n" + table(Q, None, " "), "l.csv": L},
        ("leave --no-header out",),
        LN2,
        leave=("--no-header", "predictions"),
    ),
    # --- limits ---
    "columns": Case("p.csv l.csv --max-columns 2", BOTH, ("--max-columns N",), LN2, {"N ": "9 "}),
    "a field": Case(
        "p.csv l.csv --max-field 3 --label label",
        {"p.csv": P, "l.csv": L.replace("dog", "dog")},
        ("--max-field N",),
        LN2,
        {"N ": "99 "},
    ),
    "inflated": Case(
        "p.csv.gz l.csv --max-inflated 9",
        {"p.csv.gz": gzip.compress(P.encode()), "l.csv": L},
        ("--max-inflated BYTES",),
        LN2,
        {"BYTES": "9999"},
    ),
    "a record batch": Case(
        "p.arrow l.csv --max-batch 99",
        {"p.arrow": big_batch, "l.csv": column(NAMES[t] for t in MANY_TRUTH)},
        ("--max-batch BYTES",),
        LN2,
        {"BYTES": "99999"},
    ),
    "a record batch, cut": Case(
        "p.arrow l.csv --max-batch 1600000",
        {"p.arrow": huge_batch, "l.csv": column([NAMES[t] for t in TRUTH] * 20_000)},
        ("write_feather",),
        LN2,
    ),
    "class names": Case(
        "p.csv l.csv --classes @c.txt --max-columns 2",
        {**BOTH, "c.txt": "cat\ndog\nemu\n"},
        ("--max-columns N",),
        LN2,
        {"N ": "9 "},
    ),
    "a row": Case(
        "p.csv l.csv --label label",
        {
            "p.csv": "cat,dog\n.5,.5\n",
            "l.csv": "label"
            + ",n" * 0
            + "".join(f",n{n}" for n in range(40))
            + "\ncat"
            + ("," + "x" * 1_000_000) * 40
            + "\n",
        },
        ("--max-field N allows rows",),
        LN2,
        {"N allows": "40000000 allows"},
    ),
    "several sheets": Case(
        "p.xlsx l.csv",
        {"p.xlsx": office.workbook(p=CELLS, notes=[["by me"]]), "l.csv": L},
        ("FILE#SHEET",),
        LN2,
        {"FILE#SHEET names it: 'p.xlsx#p', ": "xent score 'p.xlsx#p' l.csv with the same options, writes "},
    ),
    "a title in a workbook": Case(
        "p.xlsx l.csv",
        {"p.xlsx": office.workbook([["by me"], [], *CELLS]), "l.csv": L},
        ("pandas.read_excel",),
        LN2,
    ),
    "a blank row in a workbook": Case(
        "p.xlsx l.csv",
        {"p.xlsx": office.workbook([*CELLS[:3], [], *CELLS[3:]]), "l.csv": L},
        ("pandas.read_excel",),
        LN2,
    ),
    "a workbook above the limit": Case(
        "p.xlsx l.csv --max-batch 99999",
        {"p.xlsx": office.workbook(CELLS), "l.csv": L},
        ("--max-batch BYTES",),
        LN2,
        {"BYTES": "9999999"},
    ),
    "text named .xlsx": Case("p.xlsx l.csv", {"p.xlsx": P, "l.csv": L}, ("--input-format predictions=csv",), LN2),
    "a workbook whose first member is another": Case(
        "p.npz l.csv",
        {"p.npz": with_first(office.workbook(CELLS)), "l.csv": L},
        ("--input-format predictions=excel",),
        LN2,
    ),
    "names that repeat": Case(
        "p.csv --label y",
        {"p.csv": "cat,dog,cat,y\n.5,.5,7,cat\n.5,.5,8,dog\n"},
        ("--preds '#N,...'",),
        LN2,
        {"'#N,...' and --label '#N'": "'#1,#2' --label '#4'"},
    ),
    "a name that repeats": Case(
        "p.csv l.csv --label y",
        {"p.csv": "cat,dog\n.5,.5\n.5,.5\n", "l.csv": "y,y\ncat,7\ndog,8\n"},
        ("--label '#1'",),
        LN2,
    ),
    "choices of differing number": Case(
        "p.jsonl --label gold",
        {"p.jsonl": '{"gold": 0, "ll": [-1.5, -1.5]}\n{"gold": 2, "ll": [-9, -0.5, -0.5]}\n'},
        ("--kind logits --preds ll",),
        None,
    ),
    "log-probabilities of tokens": Case(
        "p.jsonl",
        {"p.jsonl": f'{{"ll": [{-LN2!r}, {-LN2!r}]}}\n{{"ll": [{-LN2!r}]}}\n'},
        ("--kind true-logprobs --preds ll",),
        LN2,
    ),
    "probabilities of tokens": Case(
        "p.jsonl", {"p.jsonl": '{"p": [0.5, 0.5]}\n{"p": [0.5]}\n'}, ("--kind true-probs --preds p",), LN2
    ),
    "losses of tokens": Case(
        "p.jsonl",
        {"p.jsonl": '{"l": [0.125, 2.0]}\n{"l": [0.125, 2.0, 0.125]}\n'},
        ("--kind losses --preds l",),
        0.875,
    ),
    "lists beside names": Case(
        "p.jsonl --label y",
        {"p.jsonl": '{"y": "dog", "p": [0.5, 0.5]}\n{"y": "cat", "p": [0.5, 0.5]}\n'},
        ("--classes cat,dog",),
        LN2,
    ),
    "lines that Python printed": Case(
        "p.jsonl --label y",
        {"p.jsonl": "".join(f"{row}\n" for row in PRINTED)},
        ("ast.literal_eval(line)",),
        LN2,
    ),
    "a list that Python printed": Case(
        "p.json --label y", {"p.json": str(PRINTED)}, ("ast.literal_eval(sys.stdin.read())",), LN2
    ),
    "a list that Python printed on several lines": Case(
        "p.json --label y", {"p.json": pprint.pformat(PRINTED)}, ("ast.literal_eval(sys.stdin.read())",), LN2
    ),
    "JSON in a CSV": Case(
        "p.csv --label y",
        {"p.csv": '[{"a": 0.5, "b": 0.5, "y": "a"}, {"a": 0.5, "b": 0.5, "y": "b"}]'},
        ("--input-format predictions=json",),
        LN2,
    ),
    "an object of columns": Case(
        "p.json l.csv",
        {"p.json": '{"cat": [0.5, 0.5], "dog": [0.5, 0.5]}', "l.csv": column(["cat", "dog"])},
        ("if each key is a column",),
        LN2,
    ),
    # --- other formats ---
    "names that come and go": Case(
        "p.jsonl --label y",
        {"p.jsonl": '{"a": 0.5, "b": 0.5, "y": "a"}\n{"a": 0.5, "b": 0.5, "y": "b", "note": 1}\n'},
        ("--preds NAME,...",),
        LN2,
        {"NAME,...": "a,b"},
    ),
    "a pickle": Case("p.pkl l.csv", {"p.pkl": with_pickle, "l.csv": N}, (SAVE,), LN2),
    "a stream of Arrow": Case(
        "p.arrow l.csv", {"p.arrow": ipc_stream, "l.csv": L}, ("write_feather",), LN2, {"FILE": "'p.arrow'"}
    ),
    # --- arrays ---
    "an array of text": Case("p.npy l.csv", {"p.npy": Q.astype(str), "l.csv": N}, (SAVE,), LN2),
    "an array of long doubles": Case("p.npy l.csv", {"p.npy": Q.astype(np.longdouble), "l.csv": N}, (SAVE,), LN2),
    "examples for training": Case(
        "p.csv l.svm",
        {"p.csv": table(Q, "c1,c2,c3"), "l.svm": "".join(f"{t + 1:+} 1:0.5 2:1\n" for t in TRUTH)},
        ("awk",),
        LN2,
    ),
    "a table of Orange with the labels": Case(
        "p.tab",
        {"p.tab": "cat\tdog\ty\ncontinuous\tcontinuous\tcat dog\n\t\tclass\n.5\t.5\tcat\n.5\t.5\tdog\n"},
        ("sed '2,3d'",),
        LN2,
        {"NAME": "y"},
    ),
    "an array of objects": Case(
        "p.npy l.csv",
        {"p.npy": lambda path: np.save(path, Q.astype(object), allow_pickle=True), "l.csv": N},
        (SAVE,),
        LN2,
    ),
    "an array of records": Case(
        "p.npy l.csv",
        {"p.npy": np.array([tuple(q) for q in Q], dtype=[("a", "f8"), ("b", "f8"), ("c", "f8")]), "l.csv": N},
        (SAVE,),
        LN2,
    ),
    "an array of complex numbers": Case("p.npy l.csv", {"p.npy": Q.astype(complex), "l.csv": N}, (SAVE,), LN2),
    "bfloat16": Case(
        "p.npy l.csv",
        {"p.npy": (Q.astype("f4").view("u4") >> 16).astype("u2").view("V2"), "l.csv": N},
        ("--dtype bfloat16",),
        LN2,
    ),
    "Fortran order in gzip": Case(
        "p.npy.gz l.csv", {"p.npy.gz": lambda path: _gzipped(path, np.asfortranarray(Q)), "l.csv": N}, (SAVE,), LN2
    ),
}


def _gzipped(path: Path, array: np.ndarray) -> None:
    with gzip.open(path, "wb") as file:
        np.save(file, array)
