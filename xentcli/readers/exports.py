"""Recognise text exports of other programs that are not tables, and give the command that converts them."""

from __future__ import annotations

import re

from xentcli.errors import DataError, Place

__all__ = ["check_no_export"]

_FLAG = rb"(?:class|meta|ignore|)"
_ORANGE = rb"[^\n]*\t[^\n]*\n(?=[^\n]*(?:continuous|discrete|string))[^\n]*\n(?=[^\n]*(?:class|meta))"
_RULED = rb"(?:[ \t]*\r?\n)*"
_NO_RULES = r"/^[[:space:]]*$/d; s/^[ \t]*\|?[ \t]*//; s/[ \t]*\|?[ \t]*$//; s/[ \t]*\|[ \t]*/,/g"
_BARS = r"s/^[ \t]*(│|┃|\|)[ \t]*//; s/[ \t]*(│|┃|\|)[ \t]*$//; s/[ \t]*(│|┃|┆|\|)[ \t]*/,/g"
_TYPE = (
    r"(string|str|chr|varchar|text|char|object|category|factor|fct|u?int(eger)?[0-9]*|bigint|num(eric)?|decimal|real|"
    r"float[0-9]*|double|dbl|[fiu][0-9]+|bool(ean)?|lgl|date|datetime|timestamp)(\([0-9, ]*\))?"
)
"""The type of a column, as some tools write it below the name."""
_NUMBER = r"\*?[\d.]+(?:E-?\d+)?"
_WEKA = (
    "import csv, re, sys; "
    r'line = r"\s*\d+[,\s]+(\d+):(.*?)[,\s]+(\d+):(.*?)[,\s][+,\s]*'
    rf'({_NUMBER}(?:[,\s]+{_NUMBER})*)\s*(?:\(.*\)\s*)?$"; '
    "rows = [m.groups() for m in map(re.compile(line).match, sys.stdin) if m]; "
    'names = {int(i): n for r in rows for i, n in (r[:2], r[2:4]) if n != "?"}; '
    r'qs = [[float(q) for q in re.findall(r"[^*,\s]+", r[4])] for r in rows]; k = max(map(len, qs)); '
    'k == 1 and (max(names) > 2 or min(qs)[0] < .5) and sys.exit("the other classes are missing: run Weka with '
    '-distribution"); '
    'qs = qs if k > 1 else [[q, round(1 - q, 9)][:: 1 if r[2] == "1" else -1] for r, (q,) in zip(rows, qs)]; '
    "out = csv.writer(sys.stdout); "
    'out.writerow(["actual", *(names.get(n, f"class {n}") for n in range(1, max(k, 2) + 1))]); '
    "out.writerows([r[1], *q] for r, q in zip(rows, qs))"
)
"""All classes of a row, or the one that is predicted of two."""
_PAIR = rb"[ \t]+\d+:[-+0-9.eE]+"
_TRAINING: tuple[tuple[bytes, str, str], ...] = (
    (
        rb"[-+]?[0-9.]+(?:[ \t]+qid:\d+)?" + _PAIR + rb"(?:" + _PAIR + rb")+[ \t]*(?:#[^\n]*)?\r?\n",
        "LIBSVM",
        '{sub(/^\\+/, ""); print $1}',
    ),
    (rb"[-+]?[0-9.]+(?:[ \t]+[^|\s]+){0,2}[ \t]*\|[^|\n]*[^|\s:]+:[-+0-9.eE]+", "Vowpal Wabbit", "{print $1}"),
    (rb"__label__\S+[ \t]+(?!__label__)(?![-+]?[0-9.]+(?:[eE][-+]?[0-9]+)?\s)\S", "fastText", "{print $1}"),
)
"""First bytes of examples for training, the tool that reads them, and the program of awk that prints their labels."""
_EXPORTS: tuple[tuple[bytes, str, str] | tuple[bytes, str, str, str], ...] = (
    (
        rb"(?:shape: [^\n]*\n)?[ \t]*(?:\xe2\x94\x8c|\xe2\x94\x8f|\xe2\x95\xad)",
        "a table in a box, as terminals show it",
        rf"sed -E '/│|┃|┆/!d; {_BARS}; /^(---,?)+$/d; /^{_TYPE}(,{_TYPE})*$/d; /^[0-9]+ rows/d'",
    ),
    (
        rb"# A tibble:[^\n]*\n[^\n]*\n[ \t]*(?:<[a-z]+>[ \t]*)+\r?\n",
        "a tibble as R prints it",
        r"sed -E '1d; 3d; s/^[ \t]*(.*[^ \t])[ \t]*$/\1/; /^#/d'",
    ),
    (
        rb"(?i)[^\n]*[\t,;|][^\n]*\n\"?" + _TYPE.encode() + rb"\"?(?:[\t,;|]\"?" + _TYPE.encode() + rb"\"?)+\r?\n",
        "a table with the types of its columns below their names",
        "sed 2d",
    ),
    (
        rb"(?is)\s*(?:%[^\n]*\n\s*)*@relation\s",
        "an ARFF file of Weka",
        r"""awk 'tolower($1)=="@attribute"{n=$0; sub(/^[^ \t]+[ \t]+/,"",n); """
        r"""if (n ~ /^\047/) {sub(/^\047/,"",n); sub(/\047.*/,"",n)} else sub(/[ \t].*/,"",n); h=h s n; s=","} """
        r"""d && NF && !/^%/ {print} tolower($1)=="@data"{print h; d=1}'""",
    ),
    (
        rb"(?s)\s*(?:===.*\n)?[ \t]*inst#[, \t]+actual[, \t]+predicted\b",
        "predictions as Weka prints them",
        f"python3 -c '{_WEKA}'",
        "--label actual",
    ),
    (
        _ORANGE + _FLAG + rb"(?:\t" + _FLAG + rb")*\r?\n",
        "a table of Orange with three lines of header",
        "sed '2,3d'",
    ),
    (
        _RULED + rb"[^\n]*\|[^\n]*\n[ \t]*\|?[-+:| \t]*--[-+:| \t]*[+|][-+:| \t]*\r?\n",
        "a table with lines drawn between its columns",
        rf"sed -E '2d; /^\([0-9]+ rows?\)$/d; {_NO_RULES}'",
    ),
    (
        _RULED + rb"[ \t]*\+[-+=]+\+[ \t]*\r?\n[ \t]*\|",
        "a table with lines drawn around its cells",
        rf"sed -E '/^[ \t]*\+[-+=]+\+/d; {_NO_RULES}'",
    ),
)
"""First bytes of an export, its name, the command that converts it to a table, and options for the result."""


def check_no_export(path: str, head: bytes) -> None:
    """Refuse a text file that begins like such an export.

    Raises DataError with the command.
    """
    for pattern, what, command, *then in _EXPORTS:
        if re.match(pattern, head):
            options = next(iter(then), "--label NAME, if the labels are in it")
            purpose = f"keeps the names and the rows, then {options}"
            raise _refusal(path, f"{what}, and is not read", command, purpose, ".csv")
    for pattern, tool, program in _TRAINING:
        if re.match(pattern, head):
            what = f"examples for training, as {tool} reads them"
            raise _refusal(path, what, f"awk '{program}'", "keeps the label of each line", ".txt")


def _refusal(path: str, what: str, command: str, purpose: str, ending: str) -> DataError:
    from xentcli.readers.text.faults import Written

    return DataError(what, place=Place(path), advice=Written(path).by(command, purpose, ending))
