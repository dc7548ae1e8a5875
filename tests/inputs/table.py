"""The table: an input, how xent is called with it, and the exit code and message, or the cost, that it must get."""

from __future__ import annotations

import datetime
import json
import pickle
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import ml_dtypes
import numpy as np
import pyarrow as pa

from tests.inputs import make, office
from tests.inputs.make import COMPRESSORS, COST, L, P, Q, Y, described, flipped, forged, npy, npz, zipped

Content = str | bytes | Callable[[], bytes]


@dataclass(frozen=True)
class Row:
    """An input: `says` is a part of the message, `cost` what it costs where it is scored."""

    section: str
    what: str
    files: Mapping[str, Content]
    args: str = "p.csv l.csv"
    code: int = 3
    says: str = ""
    cost: float | None = None
    stdin: str | None = None
    names_file: bool = True

    @property
    def words(self) -> list[str]:
        return self.args.split()


def refused(section: str, what: str, preds: Content, says: str, code: int = 3, **more: Any) -> Row:
    """Predictions that are refused beside good labels."""
    labels = more.pop("labels", L)
    return Row(section, what, {"p.csv": preds, "l.csv": labels}, code=code, says=says, **more)


def scored(section: str, what: str, preds: Content, labels: Content = L, args: str = "p.csv l.csv", **more: Any) -> Row:
    cost = more.pop("cost", COST)
    return Row(section, what, {"p.csv": preds, "l.csv": labels}, args, code=0, cost=cost, **more)


def one(section: str, what: str, name: str, data: Content, args: str, says: str, code: int = 3, **more: Any) -> Row:
    """One file and how it is called, refused."""
    return Row(section, what, {name: data, "l.csv": L, "y.npy": npy(Y)}, args, code=code, says=says, **more)


def good(section: str, what: str, name: str, data: Content, args: str, cost: float = COST) -> Row:
    return Row(section, what, {name: data, "l.csv": L, "y.npy": npy(Y)}, args, code=0, cost=cost)


TEXT = "Text"
LABELS = "Labels and ids"
ARRAYS = "Arrays"
ARCHIVES = "Archives"
COLUMNAR = "Columnar and JSON"
LOSS = "Options of the loss"
SYSTEM = "System"
QUOTES = 'what\ta\tb\n5" pipe\t0.7\t0.3\n"x\t0.2\t0.8\n""\t0.9\t0.1\n'
CELLS = P.replace("0.2,0.8", "CELL,0.8")
CHANGED = {
    "1,000 in quotes": ('"1,000"', "thousands separator"),
    "0,5 in quotes": ('"0,5"', "--decimal ,"),
    "0,787 in quotes": ('"0,787"', "--decimal ,"),
    "hexadecimal": ("0x1p-2", "hexadecimal"),
    "underscores": ("0_2", "underscores"),
    "digits of another script": ("٠.٢", "another script"),
    "an exponent of Fortran": ("2d-1", "Fortran"),
    "a percent sign where others have none": ("20%", "a percent sign where the first row has none"),
    "nan": ("nan", "a probability is a number from 0 to 1"),
    "NA": ("NA", "--skip-missing leaves them out"),
    "null": ("null", "--skip-missing leaves them out"),
    "an empty cell": ("", "--skip-missing leaves them out"),
    "1e400": ("1e400", "larger than any double"),
    "inf as a probability": ("inf", "a probability is a number from 0 to 1"),
    "an array in a cell": ("[0.2 0.8]", "a whole array in one cell"),
    "a word": ("total", "is not a number"),
    "minus alone": ("-", "is not a number"),
}

ROWS: list[Row] = [
    # Text that is read.
    scored(TEXT, "plain", P),
    scored(TEXT, "a byte order mark", b"\xef\xbb\xbf" + P.encode()),
    scored(TEXT, "CRLF", P.replace("\n", "\r\n")),
    scored(TEXT, "CR alone", P.replace("\n", "\r")),
    scored(TEXT, "no newline at the end", P.rstrip("\n")),
    scored(TEXT, "blank lines at the end", P + "\n\n"),
    scored(TEXT, "a quoted newline in a name", P.replace("a,b", '"a\n",b'), L.replace("a\n", '"a\n"\n')),
    scored(TEXT, ".5 and 1.", "a,b\n.5,.5\n1.,0.\n", "label\na\na\n", cost=float(np.log(2) / 2)),
    scored(TEXT, "exponents", "a,b\n7e-1,3E-1\n2.0e-1,+0.8\n0.9e0,1000e-4\n"),
    scored(TEXT, "spaces around numbers", P.replace(",", " , ").replace("a , b", "a,b")),
    scored(TEXT, "semicolons", P.replace(",", ";")),
    good(TEXT, "aligned columns", "p.txt", "    a    b\n  0.7  0.3\n  0.2  0.8\n  0.9  0.1 \n", "p.txt l.csv"),
    good(TEXT, "names after a comment sign, as numpy.savetxt writes them", "p.txt", "# a b\n0.7 0.3\n0.2 0.8\n0.9 0.1\n", "p.txt l.csv"),
    good(TEXT, "R's write.table, whose header has no name for the row names", "p.txt", '"a" "b"\n"1" 0.7 0.3\n"2" 0.2 0.8\n"3" 0.9 0.1\n', "p.txt l.csv"),
    scored(TEXT, "pipes between the fields", P.replace(",", "|")),
    scored(TEXT, "the same with commas and no quotes", "a,b\n1,0.7,0.3\n2,0.2,0.8\n3,0.9,0.1\n"),
    scored(TEXT, "row names of text without a name", "a,b\nx,0.7,0.3\ny,0.2,0.8\nz,0.9,0.1\n"),
    refused(TEXT, "a field too many in every row", "a,b\n7,0.7,0.3\n7,0.2,0.8\n7,0.9,0.1\n", "3 fields where 2 were expected"),
    one(TEXT, "aligned columns: a short row", "p.txt", "0.7 0.3\n0.2\n0.9 0.1\n", "p.txt l.csv", "row 2 (line 2): 1 field where 2 were expected"),
    scored(TEXT, "decimal commas of one file", P.replace(",", ";").replace(".", ","), args="p.csv l.csv --decimal predictions=,"),
    good(TEXT, "quotes that do not pair, with the option", "p.tsv", QUOTES, "p.tsv l.csv --preds a,b --no-quotes"),
    good(TEXT, "the same for one side", "p.tsv", QUOTES, "p.tsv l.csv --preds a,b --no-quotes predictions"),
    one(TEXT, "quotes that do not pair", "p.tsv", QUOTES, "p.tsv l.csv --preds a,b", "--no-quotes"),
    one(TEXT, "the option for the other side", "p.tsv", QUOTES, "p.tsv l.csv --preds a,b --no-quotes labels", "--no-quotes"),
    scored(TEXT, "percentages", "a,b\n70%,30%\n20 %,80 %\n90%,10%\n"),
    scored(TEXT, "percentages with decimal commas", "a;b\n70,0%;30,0%\n20,0%;80,0%\n90,0%;10,0%\n", args="p.csv l.csv --decimal ,"),
    refused(TEXT, "percentages and plain numbers in one column", "a,b\n70%,30%\n20%,0.8\n90%,10%\n", "'0.8' has no percent sign"),
    refused(TEXT, "percentages and --scale", "a,b\n70%,30%\n20%,80%\n90%,10%\n", "leave --scale out", args="p.csv l.csv --scale 0.01"),
    scored(TEXT, "decimal commas, said", P.replace(",", ";").replace(".", ","), args="p.csv l.csv --decimal ,"),
    scored(TEXT, "a delimiter that is said", P.replace(",", "|"), args="p.csv l.csv --delimiter |"),
    good(TEXT, "tabs in a .tsv", "p.tsv", P.replace(",", "\t"), "p.tsv l.csv"),
    *(
        good(TEXT, f"compressed: {name}", f"p.csv.{name}", pack(P.encode()), f"p.csv.{name} l.csv")
        for name, pack in {**COMPRESSORS, "zst": make.zstd}.items()
    ),
    scored(TEXT, "1e-400 is 0, and reported", "a,b\n1e-400,1\n", "label\nb\n", cost=0.0),
    scored(TEXT, "columns with other names than the labels' order", "b,a\n0.3,0.7\n0.8,0.2\n0.1,0.9\n"),
    # Text that is refused.
    refused(TEXT, "a short row", P.replace("0.2,0.8", "0.2"), "1 field where 2 were expected"),
    refused(TEXT, "a long row", P.replace("0.2,0.8", "0.2,0.7,0.1"), "3 fields where 2 were expected"),
    refused(TEXT, "a long first row", P.replace("0.7,0.3", "0,0.7,0.3"), "3 fields where 2 were expected"),
    refused(TEXT, "a trailing comma", P.replace("0.8\n", "0.8,\n"), "a trailing comma"),
    refused(TEXT, "a comma at the end of every line", P.replace("\n", ",\n"), "--preds a,b leaves the empty column out"),
    refused(TEXT, "a blank line in the middle", P.replace("0.2", "\n0.2"), "a blank line where 2 fields were expected"),
    refused(TEXT, "an unclosed quote", P.replace("0.2", '"0.2'), "a quote that is never closed"),
    refused(TEXT, "text after a closing quote", P.replace("0.2", '"0.2"5'), "text after a closing quote"),
    refused(TEXT, "a quote within a field", P.replace("0.2", '0.2"'), "a quote inside a field"),
    scored(TEXT, "column names twice, columns by number", "a,b,a\n0.7,0.3,7\n0.2,0.8,8\n0.9,0.1,9\n", args="p.csv l.csv --preds #1,#2"),
    refused(TEXT, "a column name that is there twice", "a,b,a\n0.7,0.3,7\n0.2,0.8,8\n0.9,0.1,9\n", "2 columns are called 'a'", args="p.csv l.csv --preds a,b"),
    refused(TEXT, "column names twice, and a glob", "a,b,a\n0.7,0.3,7\n0.2,0.8,8\n0.9,0.1,9\n", "2 columns are called 'a'", args="p.csv l.csv --preds [ab]"),
    refused(TEXT, "column names twice", P.replace("a,b", "a,a"), "2 columns are called 'a'"),
    refused(TEXT, "a header only", "a,b\n", "row counts differ"),
    refused(TEXT, "a header only, beside labels with ids", "id,a,b\n", "--label y has the classes of the predictions as its values", labels="id,y\n1,a\n2,b\n"),
    refused(TEXT, "an empty file", "", "the file is empty"),
    refused(TEXT, "both empty", "", "there are no rows", 5, labels=""),
    refused(TEXT, "both a header only", "a,b\n", "there are no rows", 5, labels="label\n"),
    *(
        Row(TEXT, f"no rows in both: {what}", {"p.csv": "1,2\n", "p.parquet": make.table(q=pa.array([], pa.list_(pa.float64()))), **labels}, args, 5, "there are no rows")
        for what, labels, args in (
            ("a header that is numbers, said, beside no line", {"y.jsonl": ""}, "p.csv y.jsonl --header predictions"),
            ("an empty file said to have no header", {"y.csv": ""}, "p.csv y.csv --header=predictions --no-header=labels"),
            ("one-hot targets beside a list column", {"y.csv": "t_1,t_2\n"}, "p.parquet y.csv"),
            ("a list column and --classes", {"y.csv": "label\n"}, "p.parquet y.csv --classes cat,dog,emu"),
        )
    ),
    *(
        refused(TEXT, f"a cell: {what}", CELLS.replace("CELL", cell), says)
        for what, (cell, says) in CHANGED.items()
    ),
    refused(TEXT, "a NUL byte", P.replace("0.2", "0\0.2"), "a NUL byte"),
    refused(TEXT, "UTF-16", P.encode("utf-16"), "UTF-16 text"),
    refused(TEXT, "Latin-1", P.replace("a,b", "é,b").encode("latin1"), "Latin-1 or Windows-1252"),
    refused(TEXT, "half a surrogate pair", P.encode().replace(b"a,b", b"\xed\xa0\x80,b"), "half of a surrogate pair"),
    refused(TEXT, "a character that is cut off", P.encode() + b"0.5,\xe2\x82", "ends within a character"),
    refused(TEXT, "a carriage return in a row", P.replace("0.2", "0.2\r"), "a carriage return within a row"),
    refused(TEXT, "a field of more than 1 MiB", P.replace("0.2", "0." + "2" * (1 << 20)), "--max-field N", 4),
    refused(TEXT, "more than a million columns", lambda: (",".join(f"c{i}" for i in range(1_000_001)) + "\n").encode(), "--max-columns N", 4),
    refused(TEXT, "a row of preamble", "model v2\n" + P, "fields where 1 was expected"),
    refused(TEXT, "two header rows", P.replace("a,b\n", "a,b\nx,y\n"), "'x' is not a number"),
    refused(TEXT, "a footer", P + "total,3\n", "head -n 4 < p.csv > p-clean.csv"),
    refused(TEXT, "a footer of one field", P + "(3 rows)\n", "head -n 4 < p.csv > p-clean.csv"),
    refused(TEXT, "a footer of labels", P, "head -n 4 < l.csv > l-clean.csv", labels=L + "end\n"),
    refused(TEXT, "a footer of numbers", P, "a header or a title, a footer, or a row that only one of them has?", labels="label\n0\n1\n0\n1\n"),
    *(
        refused(TEXT, f"a title, {what}", preds, says, labels=labels, args=args)
        for what, preds, labels, args, says in (
            ("one column of predictions", "My run\np\n.3\n.8\n.1\n", "0\n1\n0\n", "p.csv l.csv", "tail -n +2 < p.csv > p-clean.csv"),
            ("one column of predictions, said", "My run\np\n.3\n.8\n.1\n", "label\n0\n1\n0\n", "p.csv l.csv --preds #1", "tail -n +2 < p.csv > p-clean.csv"),
            ("with a field for each column", "My run,\n" + P, L, "p.csv l.csv", "tail -n +2 < p.csv > p-clean.csv"),
            ("above the labels", P, "My run\n" + L, "p.csv l.csv", "tail -n +2 < l.csv > l-clean.csv"),
            ("two lines", "My run\nof today\np\n.3\n.8\n.1\n", "0\n1\n0\n", "p.csv l.csv", "tail -n +3 < p.csv > p-clean.csv"),
        )
    ),
    refused(TEXT, "a blank line in the middle, --preds", P.replace("0.2", "\n0.2"), "a blank line where 2 fields were expected", args="p.csv l.csv --preds a,b"),
    refused(TEXT, "an HTML page", "<!DOCTYPE html><html>...\n", "an HTML page"),
    refused(TEXT, "JSON called CSV", '[{"a": 0.7}]', "--input-format predictions=json"),
    refused(TEXT, "compressed twice", COMPRESSORS["gz"](COMPRESSORS["gz"](P.encode())), "compressed data within compressed data"),
    *(
        one(TEXT, f"compressed and cut short: {name}", f"p.csv.{name}", pack(P.encode() * 9)[:-5], f"p.csv.{name} l.csv", "")
        for name, pack in {**COMPRESSORS, "zst": make.zstd}.items()
    ),
    refused(TEXT, "rows that do not sum to 1", P.replace("0.8", "0.7"), "the row sums to 0.9"),
    scored(TEXT, "class names and labels with decimal commas", "1,5;2,5\n0,7;0,3\n0,2;0,8\n0,9;0,1\n", "label\n1,5\n2,5\n1,5\n", "p.csv l.csv --decimal , --header both"),
    refused(TEXT, "a label with a decimal comma that is not a class", "1,5;2,5\n0,7;0,3\n0,2;0,8\n0,9;0,1\n", "'3,5' is not a class", labels="label\n1,5\n3,5\n1,5\n", args="p.csv l.csv --decimal , --header both"),
    refused(TEXT, "a point among decimal commas", P.replace(",", ";"), "has a point; with --decimal ,", args="p.csv l.csv --decimal ,"),
    refused(TEXT, "the same in quotes", P.replace("0.2,0.8", '"0.2";0,8').replace(",0.", ";0.").replace("a,b", "a;b"), "has a point; with --decimal ,", args="p.csv l.csv --decimal , --delimiter ;"),
    refused(TEXT, "one character for two things", P, "--decimal and --delimiter are both", 2, args="p.csv l.csv --decimal , --delimiter ,", names_file=False),
    refused(TEXT, "percent", "a,b\n70,30\n20,80\n90,10\n", "--scale 0.01"),
    refused(TEXT, "logits given as probabilities", "a,b\n1.2,-3\n0.1,2\n3,1\n", "--kind logits"),
    refused(TEXT, "log-probabilities given as probabilities", "a,b\n-0.357,-1.204\n-1.609,-0.223\n-0.105,-2.303\n", "--kind logprobs"),
    Row(TEXT, "log-probabilities given as losses", {"p.csv": "loss\n-0.357\n-0.223\n"}, "p.csv --kind losses", says="--kind true-logprobs --preds loss"),
    Row(TEXT, "losses just below 0, of probabilities just above 1", {"p.csv": "loss\n-0.0005\n0.5005\n"}, "p.csv --kind losses", 0, cost=0.25),
    Row(TEXT, "losses further below 0", {"p.csv": "loss\n-0.0042\n0.5005\n"}, "p.csv --kind losses", says="--sum-tolerance 0.0042"),
    # Labels and ids.
    scored(LABELS, "in another order, by id", "id,a,b\nx,0.7,0.3\ny,0.2,0.8\nz,0.9,0.1\n", "id,label\nz,a\nx,a\ny,b\n", "p.csv l.csv --id id"),
    scored(LABELS, "positions from 1, said", P, "label\n1\n2\n1\n", "p.csv l.csv --index-base 1"),
    scored(LABELS, "padding, said", P + "0.5,0.5\n", "label\n0\n1\n0\n-100\n", "p.csv l.csv --ignore-label -100"),
    *(
        refused(LABELS, what, P, says, labels=f"label\na\n{label}\na\n" if label != "-1" else "label\n0\n-1\n0\n")
        for what, label, says in (
            ("unknown", "cow", "no column is called cow"),
            ("empty", '""', "'' is not a class"),
            ("-1", "-1", "label -1 is outside 0 to 1"),
            ("with spaces", " b", "they differ by blanks around"),
        )
    ),
    refused(LABELS, "multi-label, all weights 0", "x,y,w\n.5,.5,0\n", "weights of all 1 rows are 0", 5, labels="t,u\n1,0\n", args="p.csv l.csv --preds x,y --weights w --multilabel"),
    scored(LABELS, "multi-label, logits of 800", "x,y\n" + "800,0\n" * 40, "t,u\n" + "0,0\n0,1\n" * 20, "p.csv l.csv --preds x,y --kind logits --multilabel", cost=float(400 + np.log(2) / 2)),
    refused(LABELS, "out of range", P, "label 7 is outside 0 to 1", labels="label\n0\n7\n0\n"),
    refused(LABELS, "-100", P, "--ignore-label -100", labels="label\n0\n-100\n0\n"),
    refused(LABELS, "1.5", P, "'1.5' is not a class", labels="label\n0\n1.5\n0\n"),
    refused(LABELS, "counted from 1", P, "--index-base 1", labels="label\n1\n2\n1\n"),
    *(
        refused(LABELS, f"names that are other numbers: {names}", P.replace("a,b", names), f"'{label}' is not a class", labels=f"label\n1\n{label}\n1\n", args=f"p.csv l.csv --header both{more}")
        for names, label, more in (("p_1,p_2", "0", ""), ("1,3", "0", ""), ("a,b", "0", " --classes 1,2"))
    ),
    scored(LABELS, "names that are other numbers, and labels that are positions, said", P.replace("a,b", "p_1,p_3"), "label\n0\n1\n0\n", "p.csv l.csv --index-base 0"),
    scored(LABELS, "a prefix and a suffix", P.replace("a,b", "P (x=1),P (x=2)"), "label\n1\n2\n1\n"),
    scored(LABELS, "1 to K without K, from 0 with a warning", "0.7,0.2,0.1\n0.5,0.25,0.25\n", "1\n2\n", cost=float(-np.log([0.2, 0.25]).mean())),
    scored(LABELS, "1 to K without K, from 1, said", "0.7,0.2,0.1\n0.2,0.5,0.3\n", "1\n2\n", "p.csv l.csv --index-base 1", cost=float(-np.log([0.7, 0.5]).mean())),
    refused(LABELS, "01 and 1 are two names", P.replace("a,b", "01,1"), "'001' is not a class", labels="label\n01\n1\n001\n", args="p.csv l.csv --header both"),
    refused(LABELS, "NaN in an array", npy(Q), "'nan' is not a class", labels=npy(np.array([0, np.nan, 0]))),
    refused(LABELS, "300 in a small integer type", npy(Q), "label 300 is outside 0 to 1", labels=npy(np.array([0, 300, 0], "u2"))),
    refused(LABELS, "true and false beside three classes", npy(np.full((3, 3), 1 / 3)), "labels are true or false", labels=npy(np.array([True, False, True]))),
    refused(LABELS, "a byte that is neither true nor false", npy(Q), "byte 2 is neither true nor false", labels=npy(np.array([True, False, True]))[:-1] + b"\2"),
    refused(LABELS, "row counts that differ", P, "the row counts differ", labels=L + "a\n"),
    *(
        Row(LABELS, f"logits, --{option} names a column that could be a class", {"p.csv": "a,b,c\n2,0,1\n0,2,1\n", "l.csv": "y\na\nb\n"}, f"p.csv l.csv --kind logits --{option} c{more}", says="no label is named c")
        for option, more in (("show", " --worst 1"), ("by", ""), ("cluster", ""), ("weights", ""))
    ),
    Row(LABELS, "the predicted class and no truth", {"p.csv": "predict,no,yes\nno,0.8,0.2\nyes,0.3,0.7\n"}, "p.csv", says="predict is the predicted class"),
    Row(LABELS, "the predicted class beside the truth", {"p.csv": P, "l.csv": "predict,y,site\na,a,7\nb,a,8\na,a,7\n"}, says="could be the labels: y, site"),
    Row(LABELS, "the first two classes by rank", {"p.csv": "y,c1,p1,c2,p2\n" + "a,a,0.6,b,0.3\nb,b,0.5,c,0.4\nc,a,0.7,c,0.2\n" * 2}, "p.csv", says="that of the truth may be missing"),
    Row(LABELS, "objects of the first two classes", {"p.jsonl": '{"y": "a", "p": {"a": 0.6, "b": 0.3}}\n{"y": "a", "p": {"a": 0.6, "c": 0.3}}\n'}, "p.jsonl --label y", says="that of the truth may be missing"),
    Row(LABELS, "files swapped", {"p.csv": P, "l.csv": L}, "l.csv p.csv", says="are the files swapped?"),
    *(
        Row(LABELS, what, {"p.csv": "id,a,b\nx,0.7,0.3\ny,0.2,0.8\nz,0.9,0.1\n", "l.csv": labels}, "p.csv l.csv --id id", says=says)
        for what, labels, says in (
            ("an id twice", "id,label\nx,a\nx,b\ny,b\nz,a\n", "twice"),
            ("an id without a label", "id,label\nx,a\nz,a\n", "1 id is not in l.csv: 'y'"),
            ("an id too many", "id,label\nx,a\ny,b\nz,a\nw,a\n", "--subset"),
        )
    ),
    Row(LABELS, "row names in another order", {"p.csv": ",a,b\n0,0.7,0.3\n1,0.2,0.8\n", "l.csv": ",label\n1,b\n0,a\n"}, says="--id '#1'"),
    refused(TEXT, "text and numbers first, with no header", "i0,1,0\ni1,0,1\ni2,1,0\n", "--header predictions or --no-header predictions", labels="0\n1\n0\n", args="p.csv l.csv --preds #2:#3"),
    scored(TEXT, "text and numbers first, said to be data", "i0,.7,.3\ni1,.2,.8\ni2,.9,.1\n", "0\n1\n0\n", "p.csv l.csv --preds #2:#3 --no-header predictions"),
    refused(TEXT, "1 to K above rows that it could be one of", "1,2\n0,1\n1,0\n", "--header labels or --no-header labels", labels="0\n1\n1\n", args="p.csv l.csv --kind logits --preds #1:#2"),
    scored(TEXT, "0 to K-1 above decimals that the row counts make data, with a warning", "0,1\n.5,.5\n", "label\n1\n0\n", cost=float(np.log(2) / 2)),
    scored(TEXT, "0 to K-1 above logits, by the row counts", "0,1\n0,0\n0,0\n", "label\n1\n0\n", "p.csv l.csv --kind logits", cost=float(np.log(2))),
    refused(TEXT, "a 1 alone above probabilities, the row counts equal either way", "1\n.8\n.3\n", "--header predictions or --no-header predictions", labels="0\n1\n0\n"),
    scored(TEXT, "a 1 alone above probabilities, said to be a header", "1\n.8\n.3\n", "0\n1\n0\n", "p.csv l.csv --header both", cost=float(-np.log([0.8, 0.7]).mean())),
    scored(TEXT, "a 1 alone above probabilities, said to be data", "1\n.8\n.3\n", "1\n1\n0\n", "p.csv l.csv --no-header both", cost=float(-np.log([0.8, 0.7]).sum() / 3)),
    scored(TEXT, "a 1 alone above probabilities, by the row counts", "1\n.8\n.3\n", "label\n1\n0\n", cost=float(-np.log([0.8, 0.7]).mean())),
    *(
        Row(LABELS, f"class names in a file: {what}", {"p.npy": npy(Q), "y.npy": npy(Y), "n.txt": names}, "p.npy y.npy --classes @n.txt", code, says, cost)
        for what, names, code, says, cost in (
            ("beside positions", "cat\ndog\n", 0, "", COST),
            ("in quotes, with CRLF", '"1"\r\n"0"\r\n', 0, "", float(-np.log([0.3, 0.2, 0.1]).mean())),
            ("two columns", "0,cat\n1,dog\n", 3, "2 columns where one column of class names was expected", None),
            ("one twice", "cat\ncat\n", 3, "class name 'cat' appears twice", None),
            ("a number before each", "1 dog\n0 cat\n", 3, "--index-base 0", None),
            ("a NUL byte", "c\0t\ndog\n", 3, "a NUL byte", None),
        )
    ),
    # Arrays.
    *(
        good(ARRAYS, f"dtype {dtype}", "p.npy", npy(np.array([[1, 0], [0, 1], [1, 0]], dtype)), "p.npy y.npy", 0.0)
        for dtype in ("f2", "f4", "f8", ">f8", ">f4", "i1", "u2", ">i4", "i8", "?")
    ),
    good(ARRAYS, "Fortran order", "p.npy", npy(np.asfortranarray(Q)), "p.npy y.npy"),
    *(good(ARRAYS, f"NPY {major}.0", "p.npy", npy(Q, (major, 0)), "p.npy y.npy") for major in (1, 2, 3)),
    good(ARRAYS, "bfloat16, said", "p.npy", npy(np.log(Q * 0 + 1).astype(ml_dtypes.bfloat16)), "p.npy y.npy --kind logits --dtype bfloat16", float(np.log(2))),
    one(ARRAYS, "bfloat16 of another byte order", "p.npy", npy(np.ones((3, 2), ">u2")), "p.npy y.npy --kind logits --dtype bfloat16", "bfloat16 is stored as"),
    one(ARRAYS, "--dtype beside a text file", "q.csv", P, "q.csv l.csv --dtype bfloat16", "is about NPY files"),
    *(
        one(ARRAYS, what, "p.npy", data, "p.npy y.npy", says, code)
        for what, data, says, code in (
            ("truncated", npy(Q)[:-1], "truncated", 3),
            ("bytes after the array", npy(Q) + b"\0", "longer than its array", 3),
            ("another magic", b"\x93NUMPX" + npy(Q)[6:], "not an NPY file", 3),
            ("version 4", b"\x93NUMPY\4" + npy(Q)[7:], "NPY version 4.0", 3),
            ("a header over 64 KiB", forged(described() + " " * 70_000, version=2), "a header of 70,", 3),
            ("a shape that overflows", forged(described(shape="(4611686018427387905, 4)")), "whole numbers from 0 up", 3),
            ("a shape beyond the file", forged(described(shape="(1099511627776, 2)")), "truncated", 3),
            ("a negative shape", forged(described(shape="(-3, 2)")), "whole numbers from 0 up", 3),
            ("a shape of booleans", forged(described(shape="(True, 2)")), "whole numbers from 0 up", 3),
            ("an expression for a shape", forged(described(shape="(1+2, 2)")), "cannot be understood", 3),
            ("code in the header", forged("__import__('os').system('true')"), "cannot be understood", 3),
            ("a key twice in the header", forged("{'descr': '<f8', 'descr': '<f4', 'fortran_order': False, 'shape': (3, 2)}"), "cannot be understood", 3),
            ("200 dimensions", forged(described(shape="(" + "1," * 200 + ")")), "200 dimensions", 3),
            ("items of no width", forged(described("'<U0'")), "'<U0'", 3),
            ("objects", forged(described("'|O'")), "a pickle", 3),
            ("structured", npy(np.zeros(3, [("a", "f8"), ("b", "f8")])), "numpy.array(array.tolist(), float)", 3),
            ("complex", npy(Q.astype(complex)), "imaginary", 3),
            ("times", npy(np.zeros((3, 2), "M8[s]")), "times cannot be scored", 3),
            ("long double", npy(Q.astype("longdouble")), "up to 8 bytes", 3),
            ("a single number", npy(np.array(0.5)), "no dimension", 3),
            ("text as predictions", npy(Q.astype("U5")), "an array of text", 3),
            ("text that is no number as predictions", npy(np.full((3, 2), "", "U1")), "an array of text", 3),
            ("no columns", npy(np.zeros((3, 0))), "has no columns", 3),
            ("a million columns and one", npy(np.zeros((3, 1_000_001), "u1")), "--max-columns N", 4),
            ("NaN in a row", npy(np.array([[0.7, 0.3], [np.nan, 0.8], [0.9, 0.1]])), "row 2", 3),
        )
    ),
    Row(ARRAYS, "(batch, position, class) with labels (batch, position)", {"p.npy": npy(np.stack([Q, Q])), "y.npy": npy(np.stack([Y, Y]))}, "p.npy y.npy", 0, cost=COST),
    Row(ARRAYS, "any other three axes", {"p.npy": npy(np.zeros((3, 2, 2))), "y.npy": npy(Y)}, "p.npy y.npy", says="goes with labels of shape (3, 2)"),
    Row(ARRAYS, "three axes that fit in two ways", {"p.npy": npy(np.stack([Q[:2], Q[1:]])), "y.npy": npy(np.stack([Y[:2], Y[1:]]))}, "p.npy y.npy", says="--class-axis 1"),
    Row(ARRAYS, "three axes that fit with the classes in the middle", {"p.npy": npy(np.stack([Q.T, Q.T])), "y.npy": npy(np.stack([Y, Y]))}, "p.npy y.npy", says="--class-axis 1"),
    Row(ARRAYS, "(batch, class, position), said", {"p.npy": npy(np.stack([Q.T, Q.T])), "y.npy": npy(np.stack([Y, Y]))}, "p.npy y.npy --class-axis 1", 0, cost=COST),
    Row(ARRAYS, "(batch, class, position) as torch has it", {"p.npy": npy(np.log(np.stack([Q.T, Q.T]))), "y.npy": npy(np.stack([Y, Y]))}, "p.npy y.npy --kind logits --compat torch", 0, cost=COST),
    Row(ARRAYS, "one-hot labels of three axes", {"p.npy": npy(np.stack([Q, Q])), "y.npy": npy(np.eye(2)[np.stack([Y, Y])])}, "p.npy y.npy", says="--class-axis 2"),
    Row(ARRAYS, "an axis that is not there", {"p.npy": npy(Q), "y.npy": npy(Y)}, "p.npy y.npy --class-axis 2", says="has axes 0 to 1"),
    Row(ARRAYS, "an axis of a table", {"p.csv": P, "l.csv": L}, "p.csv l.csv --class-axis 1", says="--class-axis is for arrays"),
    one(ARRAYS, "float16 as scikit-learn computes it", "p.npy", npy(Q.astype("f2")), "p.npy y.npy --compat sklearn", "computes 16-bit floats in 16-bit arithmetic"),
    one(ARRAYS, "a pickle", "p.pkl", pickle.dumps(Q.tolist()), "p.pkl l.csv", "a pickle: it could run code"),
    one(ARRAYS, "a workbook", "p.xlsx", zipped(("xl/workbook.xml", b"<x/>")), "p.xlsx l.csv", "an Excel workbook that cannot be read"),
    one(ARRAYS, "a file of torch", "p.pt", zipped(("p/data.pkl", b"x")), "p.pt l.csv", "torch.load('p.pt', weights_only=True)"),
    one(ARRAYS, "HDF5", "p.h5", b"\x89HDF\r\n\x1a\n", "p.h5 l.csv", "pandas.read_hdf"),
    # Archives.
    good(ARCHIVES, "NPZ", "r.npz", npz(scores=Q, truth=Y, epoch=np.array(7)), "r.npz --preds scores --label truth"),
    good(ARCHIVES, "NPZ of (class, row), said", "r.npz", npz(scores=Q.T, truth=Y), "r.npz --preds scores --label truth --class-axis 0"),
    good(ARCHIVES, "NPZ of (batch, class, position), said", "r.npz", npz(scores=np.stack([Q.T, Q.T]), truth=np.stack([Y, Y])), "r.npz --preds scores --label truth --class-axis 1"),
    one(ARCHIVES, "NPZ of three axes that fit in two ways", "r.npz", npz(scores=np.stack([Q[:2], Q[1:]]), truth=np.stack([Y[:2], Y[1:]])), "r.npz --preds scores --label truth", "--class-axis 1"),
    good(ARCHIVES, "NPZ, in Fortran order", "r.npz", npz(scores=np.asfortranarray(Q), truth=Y), "r.npz --label truth"),
    good(ARCHIVES, "NPZ, compressed", "r.npz", npz(True, scores=Q, truth=Y), "r.npz --label truth"),
    *(
        one(ARCHIVES, what, "r.npz", data, args, says, code)
        for what, data, args, says, code in (
            ("members of one name", zipped(("p.npy", npy(Q)), ("p.npy", npy(Q))), "r.npz l.csv", "two members are called", 3),
            ("a name that leads outside", zipped(("../p.npy", npy(Q))), "r.npz l.csv", "leads out of the archive", 3),
            ("an absolute name", zipped(("/etc/p.npy", npy(Q))), "r.npz l.csv", "leads out of the archive", 3),
            ("more bytes than there are, it says", make.lying(zipped(("p.npy", npy(Q)), ("y.npy", npy(Y))), 8), "r.npz --label y", "less than the archive says", 3),
            ("a name with a backslash", zipped(("..\\p.npy", npy(Q))), "r.npz l.csv", "leads out of the archive", 3),
            ("a nested archive", zipped(("p.npz", npz(p=Q))), "r.npz l.csv", "an NPZ holds arrays", 3),
            ("a wrong checksum", flipped(npz(c=Q[:, 0], d=Q[:, 1], y=Y), Q[:, 1].tobytes()), "r.npz --label y", "Bad CRC-32", 3),
            ("a wrong checksum in what is not used", flipped(npz(p=Q, x=Q[:, 1], y=Y), Q[:, 1].tobytes()), "r.npz --preds p --label y", "Bad CRC-32", 3),
            ("a wrong checksum in Fortran order", flipped(npz(p=np.asfortranarray(Q), y=Y), Q[:, 1].tobytes()), "r.npz --preds p --label y", "Bad CRC-32", 3),
            ("Fortran order, compressed", npz(True, p=np.asfortranarray(Q), y=Y), "r.npz --preds p --label y", "give it as an uncompressed file", 3),
            ("an object that could be a class", npz(c=Q[:, 0], d=Q[:, 1].astype(object), y=Y), "r.npz --label y", "d cannot be read", 3),
            ("a class with fewer rows", npz(c=Q[:, 0], d=Q[:, 1], e=Q[:2, 0], y=Y), "r.npz --label y", "e has shape", 3),
            ("a pattern that would choose it", npz(c0=Q[:, 0], c1=Q[:, 1], c2=Q[:2, 0], y=Y), "r.npz --label y --preds c*", "c2 has shape", 3),
            ("a member by name that cannot be read", npz(p=Q, q=Q.astype(complex), y=Y), "r.npz --label y --preds q", "q cannot be read", 3),
            ("a member that inflates to too much", npz(True, p=np.zeros((3, 100_000)), y=Y), "r.npz --preds p --label y --max-inflated 1000000", "--max-inflated BYTES", 4),
            ("cut short", npz(p=Q, y=Y)[:-30], "r.npz --label y", "a damaged zip archive", 3),
        )
    ),
    good(ARCHIVES, "safetensors", "r.safetensors", make.safetensors(), "r.safetensors --preds p --label y"),
    *(
        one(ARCHIVES, f"safetensors: {what}", "r.safetensors", data, "r.safetensors --preds p --label y", says)
        for what, data, says in (
            ("a key twice", make.safetensors(extra=',"y":{"dtype":"I64","shape":[3],"data_offsets":[48,72]}'), "cannot be understood"),
            ("tensors that overlap", make.safetensors(y=(24, 48), data=Q.tobytes()), "two tensors overlap"),
            ("bytes of no tensor", make.safetensors(y=(56, 80), data=Q.tobytes() + bytes(8) + Y.tobytes()), "8 bytes belong to no tensor"),
            ("bytes after the last", make.safetensors(data=make.SAFE_Q + b"\0"), "1 byte after the last tensor"),
            ("beyond the file", make.safetensors(data=make.SAFE_Q[:-1]), "does not fill its place"),
            ("a header longer than the file", b"\xff" * 8 + make.SAFE_Q, "longer than the file"),
            ("nested 20,000 deep", make.tensors("[" * 20_000, b""), "cannot be understood"),
            ("complex", make.safetensors(dtype="C128"), "dtype 'C128'"),
        )
    ),
    # Columnar and JSON.
    good(COLUMNAR, "Parquet", "r.parquet", make.table(**make.COLUMNS), "r.parquet --label y"),
    good(COLUMNAR, "Parquet, labels coded by a dictionary", "r.parquet", make.table(**{**make.COLUMNS, "y": pa.array(["a", "b", "a"]).dictionary_encode()}), "r.parquet --label y"),
    good(COLUMNAR, "Arrow", "r.arrow", make.arrow(**make.COLUMNS), "r.arrow --label y"),
    *(
        one(COLUMNAR, what, name, data, args, says)
        for what, name, data, args, says in (
            ("a null prediction", "r.parquet", make.table(a=[0.7, None, 0.9], b=[0.3, 0.8, 0.1], y=["a", "b", "a"]), "r.parquet --label y", "row 2"),
            ("a struct without fields as predictions", "r.arrow", make.arrow(s=pa.array([{}] * 3, pa.struct([])), y=["a", "b", "a"]), "r.arrow --label y", "'{}' is not a number"),
            ("a struct without fields as the label", "r.arrow", make.arrow(**{**make.COLUMNS, "y": pa.array([{}] * 3, pa.struct([]))}), "r.arrow --label y", "'{}' is not a class"),
            ("a struct with two fields of one name", "r.arrow", make.arrow(s=pa.StructArray.from_arrays([pa.array([0.5] * 3)] * 2, ["u", "u"]), y=["u"] * 3), "r.arrow --label y", "2 fields of 's' are called 'u'"),
            ("a null label", "r.parquet", make.table(**{**make.COLUMNS, "y": ["a", None, "a"]}), "r.parquet --label y", "row 2"),
            ("bytes in Parquet that are no text", "r.parquet", make.table(**{**make.COLUMNS, "y": make.texts(b"a", b"\xff", b"a")}), "r.parquet --label y", "row 2, column y: a value that cannot be read: 'utf-8'"),
            ("times beyond all calendars", "r.parquet", make.table(**{**make.COLUMNS, "y": pa.array([0, 1 << 60, 0], pa.timestamp("ms"))}), "r.parquet --label y", "row 2, column y: a value that cannot be read"),
            ("a null id", "r.parquet", make.table(id=["x", None, "z"], a=[0.7, 0.2, 0.9], b=[0.3, 0.8, 0.1]), "r.parquet i.csv --id id", "null where an id is expected"),
            ("a flipped byte in Parquet", "r.parquet", flipped(make.table(**make.COLUMNS), np.array([0.7, 0.2]).tobytes()), "r.parquet --label y", "a damaged file"),
            ("Parquet cut short", "r.parquet", make.table(**make.COLUMNS)[:-9], "r.parquet --label y", "a damaged file"),
            ("Arrow cut short", "r.arrow", make.arrow(**make.COLUMNS)[:-9], "r.arrow --label y", "a damaged file"),
            ("a stream of Arrow", "r.arrow", make.stream(**make.COLUMNS), "r.arrow --label y", "a stream of Arrow IPC?"),
            ("lists of other lengths", "r.parquet", make.table(p=[[0.7, 0.3], [1.0], [0.9, 0.1]], y=[0, 0, 0]), "r.parquet --preds p --label y", "a list of 1"),
        )
    ),
    good(COLUMNAR, "JSON Lines", "r.jsonl", make.ROWS, "r.jsonl --label y"),
    good(COLUMNAR, "JSON Lines, a list", "r.jsonl", make.lines(*({"p": q, "y": y} for q, y in zip(Q.tolist(), Y.tolist(), strict=True))), "r.jsonl --preds p --label y"),
    *(
        one(COLUMNAR, f"JSON Lines: {what}", "r.jsonl", make.lines({"a": 0.7, "b": 0.3, "y": "a"}, line), "r.jsonl --label y", says)
        for what, line, says in (
            ("a key twice", '{"a": 0.7, "a": 0.1, "b": 0.3, "y": "a"}', "key 'a' appears twice"),
            ("NaN", '{"a": NaN, "b": 0.3, "y": "a"}', "got nan"),
            ("null", '{"a": null, "b": 0.3, "y": "a"}', "null is not a number"),
            ("a number beyond the doubles", '{"a": -1e400, "b": 0.3, "y": "a"}', "larger than any double"),
            ("a whole number of 4,301 digits", '{"a": 1' + "0" * 4300 + ', "b": 0.3, "y": "a"}', "4,300 digits"),
            ("nested 200,000 deep", "[" * 200_000, "nested too deeply"),
            ("a name that the first line has not", '{"a": 0.7, "b": 0.3, "y": "a", "c": 9}', "'c' is new"),
            ("a name less", '{"a": 0.7, "y": "a"}', "there is no 'b'"),
            ("half a surrogate pair", '{"a": 0.7, "b": 0.3, "y": "\\ud800"}', "half of a surrogate pair"),
            ("a text that is no number", '{"a": "x", "b": 0.3, "y": "a"}', "'x' is not a number"),
            ("a blank line", "\n" + make.lines({"a": 0.7, "b": 0.3, "y": "a"}), "a blank line"),
            ("a list", "[0.7, 0.3]", "there is no 'a'"),
            ("no end", '{"a": 0.7, "b": 0.3, "y": "a"', "no JSON"),
        )
    ),
    one(COLUMNAR, "JSON Lines: a blank line first", "r.jsonl", "\n" + make.ROWS, "r.jsonl --label y", "the first line is blank"),
    one(COLUMNAR, "JSON Lines: names only", "r.jsonl", "{}\n{}\n", "r.jsonl l.csv", "an object without names"),
    one(COLUMNAR, "JSON Lines in UTF-16", "r.jsonl", make.ROWS.encode("utf-16"), "r.jsonl --label y", "UTF-16"),
    *(
        good(COLUMNAR, f"JSON: {what}", name, content, f"{name} {'y.npy' if 'list' in what else 'l.csv'}")
        for what, name, content in (
            ("an array of records", "p.json", json.dumps(make.RECORDS)),
            ("an array of lists", "p.json", json.dumps(Q.tolist())),
            ("pretty-printed", "p.json", json.dumps(make.RECORDS, indent=2)),
            ("a list on each line", "p.jsonl", make.lines(*Q.tolist())),
            ("labels with scores on each line", "p.jsonl", make.lines(*make.PAIRS)),
            ("an array of labels with scores", "p.txt", json.dumps(make.PAIRS)),
            ("a header and data", "p.json", json.dumps({"columns": ["a", "b"], "data": Q.tolist()})),
            ("columns by row", "p.json", json.dumps({k: {str(i): r[k] for i, r in enumerate(make.RECORDS)} for k in "ab"})),
            ("lists by key", "p.json", json.dumps({f"{i}.jpg": row for i, row in enumerate(Q.tolist())})),
            ("lists under a name", "p.json", json.dumps({"predictions": Q.tolist()})),
        )
    ),
    *(
        one(COLUMNAR, f"JSON: {what}", "p.json", content, "p.json l.csv", says)
        for what, content, says in (
            ("an array cut short", json.dumps(make.RECORDS)[:-1], "ends within an array"),
            ("a comma after the last row", json.dumps(make.RECORDS)[:-1] + ",]", "a comma after the last element"),
            ("more after an array", json.dumps(make.RECORDS) + "}", "Extra data"),
            ("a shorter row", "[[0.7, 0.3], [1.0], [0.9, 0.1]]", "p.json, row 2: a list of 1 number"),
            ("rows or columns", '{"a": [0.5, 0.5], "b": [0.5, 0.5]}', "rows or columns"),
            ("as Python prints it", "[{'a': 0.7, 'b': 0.3}]", "ast.literal_eval(sys.stdin.read())"),
            ("nested 200,000 deep", "[" * 200_000, "ends within an array"),
            ("nested 200,000 deep, closed", "[" * 200_000 + "]" * 200_000, "nested too deeply"),
            ("a key twice in a table", '{"columns": ["a"], "columns": ["b"], "data": [[1], [0]]}', "appears twice"),
        )
    ),
    one(COLUMNAR, "JSON: a table beyond the limit", "p.json", json.dumps({"predictions": Q.tolist()}), "p.json l.csv --max-batch 100", "--max-batch", code=4),
    one(COLUMNAR, "SPSS, damaged", "p.sav", b"$FL2@(#) SPSS DATA FILE" + bytes(99), "p.sav l.csv", "an SPSS file that cannot be read"),
    one(COLUMNAR, "Stata, damaged", "p.dta", b"<stata_dta><header>" + bytes(99), "p.dta l.csv", "a Stata file that cannot be read"),
    one(COLUMNAR, "a SAS transport file, damaged", "p.xpt", b"HEADER RECORD*******LIBRARY HEADER RECORD!!!!!!!" + b"0" * 99, "p.xpt l.csv", "a SAS transport file that cannot be read"),
    *(
        good(COLUMNAR, what, name, data, f"{name} --label y")
        for what, name, data in (
            ("a workbook", "p.xlsx", office.workbook(office.ROWS)),
            ("Stata", "p.dta", office.stata(office.ROWS)),
            ("SPSS", "p.sav", office.spss(office.ROWS)),
            ("a SAS transport file", "p.xpt", office.xport(office.ROWS)),
        )
    ),
    good(COLUMNAR, "one sheet of several", "p.xlsx", office.workbook(P=office.ROWS, other=office.ROWS), "p.xlsx#P --label y"),
    one(COLUMNAR, "several sheets", "p.xlsx", office.workbook(P=office.ROWS, other=office.ROWS), "p.xlsx --label y", "'p.xlsx#P', 'p.xlsx#other'"),
    one(COLUMNAR, "a sheet that is not there", "p.xlsx", office.workbook(P=office.ROWS), "p.xlsx#Q --label y", "no sheet is called 'Q'", names_file=False),
    one(COLUMNAR, "a part of a file without parts", "p.csv", P, "p.csv#Q l.csv", "no file is called 'p.csv#Q'"),
    one(COLUMNAR, "a workbook with a title", "p.xlsx", office.workbook([["by me"], [], *office.ROWS]), "p.xlsx --label y", "a title above the table?"),
    one(COLUMNAR, "a workbook with a blank row", "p.xlsx", office.workbook([*office.ROWS[:2], [], *office.ROWS[2:]]), "p.xlsx --label y", "a blank row"),
    one(COLUMNAR, "a formula without its value", "p.xlsx", office.workbook([*office.ROWS[:3], ["=1-B4", 0.1, "a"]]), "p.xlsx --label y", "a formula without its value: '=1-B4'"),
    one(COLUMNAR, "a date for a number", "p.xlsx", office.workbook([*office.ROWS[:3], [datetime.datetime(2024, 5, 1), 0.1, "a"]]), "p.xlsx --label y --preds a,b", "'2024-05-01' is not a number"),
    one(COLUMNAR, "text named .xlsx", "p.xlsx", P, "p.xlsx l.csv", "--input-format predictions=csv"),
    one(COLUMNAR, "HTML named .xlsx", "p.xlsx", "<html><table>", "p.xlsx l.csv", "pandas.read_html"),
    one(COLUMNAR, "an old workbook", "p.xls", b"\xd0\xcf\x11\xe0" + bytes(99), "p.xls l.csv", "pandas.read_excel"),
    one(COLUMNAR, "a workbook beyond the limit", "p.xlsx", office.workbook(office.ROWS), "p.xlsx --label y --max-batch 100000", "--max-batch", code=4),
    good(COLUMNAR, "SAS", "p.sas7bdat", office.SAS, "p.sas7bdat --label y", cost=float(-np.log([0.75, 0.5, 0.9]).mean())),
    one(COLUMNAR, "a transport file cut short", "p.xpt", office.xport(office.ROWS)[:-9], "p.xpt --label y", "records of 80 bytes"),
    good(COLUMNAR, "value labels of Stata", "p.dta", office.stata(office.CODED, y={1: "b", 2: "a"}), "p.dta --label y"),
    Row(COLUMNAR, "the codes of SPSS", {"p.sav": office.spss(office.CODED, y={1: "b", 2: "a"})}, "p.sav#codes --label y --preds b,a --index-base 1", 0, cost=COST),
    good(COLUMNAR, "value labels of SPSS", "p.sav", office.spss(office.CODED, y={1: "b", 2: "a"}), "p.sav --label y"),
    one(COLUMNAR, "ARFF of Weka", "p.arff", "% by Weka\n@relation r\n@attribute a numeric\n@attribute b numeric\n@data\n0.7,0.3\n", "p.arff l.csv", "@attribute"),
    one(COLUMNAR, "a table of Orange", "p.tab", "a\tb\ty\ncontinuous\tcontinuous\ta b\n\t\tclass\n0.7\t0.3\ta\n", "p.tab l.csv", "sed '2,3d'"),
    good(COLUMNAR, "fastText's labels and probabilities", "p.txt", "__label__a 0.7 __label__b 0.3\n__label__b 0.8 __label__a 0.2\n__label__a 0.9 __label__b 0.1\n", "p.txt l.csv"),
    one(COLUMNAR, "fastText: not all classes in a line", "p.txt", "__label__a 0.7\n__label__b 0.8\n__label__a 0.9\n", "p.txt l.csv", "fasttext predict-prob MODEL FILE -1"),
    good(COLUMNAR, "tokens of Vowpal Wabbit", "p.txt", "a:0.7 b:0.3\na:0.2 b:0.8\nb:0.1 a:0.9\n", "p.txt l.csv"),
    one(COLUMNAR, "tokens: another class", "p.txt", "a:0.7 b:0.3\na:0.2 c:0.8\na:0.9 b:0.1\n", "p.txt l.csv", "'c' is new"),
    one(COLUMNAR, "tokens: one twice", "p.txt", "a:0.7 b:0.3\na:0.2 a:0.8\na:0.9 b:0.1\n", "p.txt l.csv", "appears twice"),
    # Options of the loss.
    *(
        scored(LOSS, what, P, args=f"p.csv l.csv {args}", cost=cost)
        for what, args, cost in (
            ("class weights", "--class-weight b=3", float(-np.log([0.7, 0.8**3, 0.9]).sum() / 5)),
            ("a class of weight 0", "--class-weight a=0", float(-np.log(0.8))),
            ("a class of weight 0 with smoothing", "--class-weight a=0 --label-smoothing 0.1", float(-np.log([0.3, 0.8, 0.1]) @ [0.05, 0.95, 0.05])),
            ("all of each label smoothed", "--label-smoothing 1", float(-np.log(Q).mean())),
            ("a label to ignore that is not there", "--ignore-label zz", COST),
        )
    ),
    *(
        refused(LOSS, what, P, says, code, args=f"p.csv l.csv {args}", names_file=False)
        for what, args, says, code in (
            ("no class has weight", "--class-weight a=0 --class-weight b=0 --label-smoothing 0.1", "the weights of all 3 rows are 0", 5),
            ("more smoothing than there is", "--label-smoothing 1.5", "--label-smoothing is from 0 to 1", 2),
            ("losses by row that no weight stands under", "--class-weight a=0 --label-smoothing 0.1 --per-example rows.csv", "leave --per-example out to compute the cost", 2),
            ("infinite bytes", "--bytes inf", "--bytes is a number above 0", 2),
        )
    ),
    # System.
    Row(SYSTEM, "a folder without files", {"empty/": ""}, "empty empty", 4, "no file in it"),
    Row(SYSTEM, "a file that is not there", {"l.csv": L}, "nowhere.csv l.csv", 4, "No such file"),
    Row(SYSTEM, "a pattern that matches nothing", {"l.csv": L}, "p-*.csv l.csv", 4, "no file"),
    Row(SYSTEM, "- for both", {}, "- -", 2, "predictions and labels are the same stream", names_file=False),
    Row(SYSTEM, "one file for both", {"p.csv": P}, "p.csv ./p.csv", 2, "predictions and labels are the same file"),
    Row(SYSTEM, "a glob of labels that matches the predictions", {"p.csv": P}, "p.csv p*.csv", 2, "'p.csv' is among the files of 'p*.csv'"),
    Row(SYSTEM, "a glob of labels that matches the predictions too", {"p.csv": P, "l.csv": L}, "p.csv *.csv", 2, "'p.csv' is among the files of '*.csv'"),
    Row(SYSTEM, "a folder of labels with the predictions", {"p.csv": P, "l.csv": L}, "p.csv .", 2, "'p.csv' is among the files of '.'"),
    Row(SYSTEM, "- for one", {"l.csv": L}, "- l.csv", 0, cost=COST, stdin=P),
    Row(SYSTEM, "the output is an input", {"p.csv": P, "l.csv": L}, "p.csv l.csv -o p.csv", 2, "is an input"),
    Row(SYSTEM, "the output is an input by another path", {"p.csv": P, "l.csv": L, "d/": ""}, "p.csv l.csv -o d/../p.csv", 2, "is an input", names_file=False),
    Row(SYSTEM, "one output twice", {"p.csv": P, "l.csv": L}, "p.csv l.csv -o r.json -o ./r.json", 2, "written twice", names_file=False),
    Row(SYSTEM, "an output in no folder", {"p.csv": P, "l.csv": L}, "p.csv l.csv -o no/r.json", 4, "cannot be written"),
    Row(SYSTEM, "an output of no known form", {"p.csv": P, "l.csv": L}, "p.csv l.csv -o r.xyz", 2, "unknown extension"),
    Row(SYSTEM, "more groups than the limit", {"p.csv": "a,b,g\n0.7,0.3,x\n0.2,0.8,y\n", "l.csv": "label\na\nb\n"}, "p.csv l.csv --by g --max-groups 1", 4, "--max-groups N", names_file=False),
]  # fmt: skip
