"""Recognise text exports of other programs that are not tables, and give the command that converts them."""

from __future__ import annotations

import re

from xentcli.errors import DataError, Place

__all__ = ["check_no_export"]

_FLAG = rb"(?:class|meta|ignore|)"
_ORANGE = rb"[^\n\t]*+\t[^\n]*+\n(?=[^\n]*(?:continuous|discrete|string))[^\n]*+\n(?=[^\n]*(?:class|meta))"
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
_SHORTENED_BY_R = rb"\s*(?:\S+ )?<Prediction\w+> for \d+ observations:.*\n[ \t]*---[ \t-]*\r?\n"
_PAIR = rb"[ \t]+\d+:[-+0-9.eE]+"
_TRAINING: tuple[tuple[bytes, bytes, str, str], ...] = (
    (
        b":",
        rb"[-+]?[0-9.]+(?:[ \t]+qid:\d+)?" + _PAIR + rb"(?:" + _PAIR + rb")+[ \t]*(?:#[^\n]*)?\r?\n",
        "LIBSVM",
        '{sub(/^\\+/, ""); print $1}',
    ),
    (b"|", rb"[-+]?[0-9.]+(?:[ \t]+[^|\s]+){0,2}[ \t]*\|[^|\n]*[^|\s:]:[-+0-9.eE]+", "Vowpal Wabbit", "{print $1}"),
    (
        b"__label__",
        rb"__label__\S+[ \t]+(?!__label__)(?![-+]?[0-9.]+(?:[eE][-+]?[0-9]+)?\s)\S",
        "fastText",
        "{print $1}",
    ),
)
"""A sign of examples for training, a pattern of their first bytes, their tool, the awk program that prints labels."""
_EXPORTS: tuple[tuple[bytes, bytes, str, str, *tuple[str, ...]], ...] = (
    (
        b"UnivariateFinite{",
        rb"(?:[^\n]*Vector\{[^\n]*\n)?[ \t]*(?:\w+\.)*UnivariateFinite\{",
        "distributions as Julia prints them",
        r"""sed -nE '/UnivariateFinite\{/{s/^[^(]*\(/{"/; s/\)[[:space:]]*$/}/; s/([0-9])f(-?[0-9]+)/\1e\2/g; """
        r"""s/=>/": /g; s/, /, "/g; p;}'""",
        "",
        ".jsonl",
    ),
    (
        b"<Prediction",
        rb"\s*(?:\S+ )?<Prediction\w+> for \d+ observations:",
        "a prediction as mlr3 prints it",
        r"""awk '$1 == "row_ids" {h = 1} h && NF'""",
        "--label truth",
        ".txt",
    ),
    (
        b"[1]",
        rb"[ \t]*\[1\][ \t]+(?!\[)\S",
        "a vector as R prints it",
        r"""awk '/^Levels:/ {next} {for (i = 1; i <= NF; i++) if ($i !~ /^\[[0-9]+\]$/) print $i}'""",
        "",
        ".txt",
    ),
    (
        b"[",
        rb"\S+[ \t]+\[[ \t]+[-+\d.eE]+[ \t]+[-+\d.eE]+[^\n\[]*\][ \t]*\r?\n",
        "an archive of Kaldi as text",
        r"""sed -E 's/^[^[]*\[ *//; s/ *\][ \t]*$//'""",
        "",
        ".txt",
    ),
    (
        b"\xe2",
        rb"(?:shape: [^\n]*\n)?[ \t]*(?:\xe2\x94\x8c|\xe2\x94\x8f|\xe2\x95\xad)",
        "a table in a box, as terminals show it",
        rf"sed -E '/│|┃|┆/!d; {_BARS}; /^(---,?)+$/d; /^{_TYPE}(,{_TYPE})*$/d; /^[0-9]+ rows/d'",
    ),
    (
        b"# A tibble",
        rb"# A tibble:[^\n]*\n[^\n]*\n[ \t]*(?:<[a-z]+>[ \t]*)+\r?\n",
        "a tibble as R prints it",
        r"sed -E '1d; 3d; s/^[ \t]*(.*[^ \t])[ \t]*$/\1/; /^#/d'",
    ),
    (
        b"\n",
        rb"(?i)[^\n\t,;|]*+[\t,;|][^\n]*+(?=\n[^\n]*[\t,;|])(?:[\n\t,;|]\"?" + _TYPE.encode() + rb"\"?){2,}\r?\n",
        "a table with the types of its columns below their names",
        "sed 2d",
    ),
    (
        b"@",
        rb"(?is)\s*(?:%[^\n]*\n\s*)*@relation\s",
        "an ARFF file of Weka",
        r"""awk 'tolower($1)=="@attribute"{n=$0; sub(/^[^ \t]+[ \t]+/,"",n); """
        r"""if (n ~ /^\047/) {sub(/^\047/,"",n); sub(/\047.*/,"",n)} else sub(/[ \t].*/,"",n); h=h s n; s=","} """
        r"""d && NF && !/^%/ {print} tolower($1)=="@data"{print h; d=1}'""",
    ),
    (
        b"inst#",
        rb"(?s)\s*+(?:===.*\n)?[ \t]*inst#[, \t]+actual[, \t]+predicted\b",
        "predictions as Weka prints them",
        f"python3 -c '{_WEKA}'",
        "--label actual",
    ),
    (
        b"\t",
        _ORANGE + _FLAG + rb"(?:\t" + _FLAG + rb")*\r?\n",
        "a table of Orange with three lines of header",
        "sed '2,3d'",
    ),
    (
        b"|-",
        _RULED + rb"[ \t]*\+-+\+[ \t]*\r?\n[ \t]*\|[^|\n]*\|[ \t]*\r?\n[ \t]*\|-+\|[ \t]*\r?\n",
        "a list as Stata prints it",
        r"""awk '!/^[ \t]*[+|]-/ {sub(/^[ \t]*[0-9]+\./, ""); gsub(/\|/, " "); if (NF) print}'""",
        "--label NAME, if the labels are in it",
        ".txt",
    ),
    (
        b"--",
        _RULED + rb"[^\n|]*+\|[^\n]*+\n(?:(?!--)[-+:| \t])*+--[-: \t]*+[+|][-+:| \t]*+\r?\n",
        "a table with lines drawn between its columns",
        rf"sed -E '2d; /^\([0-9]+ rows?\)$/d; {_NO_RULES}'",
    ),
    (
        b"+",
        _RULED + rb"[ \t]*\+[-+=]+\+[ \t]*\r?\n[ \t]*\|",
        "a table with lines drawn around its cells",
        rf"sed -E '/^[ \t]*\+[-+=]+\+/d; {_NO_RULES}'",
    ),
)
"""A sign of an export, a pattern of its first bytes, its name, the command that makes a table of it, options, ending.

A pattern is compiled only for a file that has the sign: all of them take as long as reading a small file.

The repetitions of a whole line are possessive: a first line of 20,000 names would be tried from each of them.
"""


def check_no_export(path: str, head: bytes) -> None:
    """Refuse a text file that begins like such an export.

    Raises DataError with the command.
    """
    if b"<Prediction" in head and re.match(_SHORTENED_BY_R, head, re.DOTALL):
        advice = "in R: write.csv(as.data.table(prediction), 'p.csv', row.names = FALSE) writes all rows"
        raise DataError("a table that R shortened to --- when it was printed", place=Place(path), advice=advice)
    for sign, pattern, what, command, *then in _EXPORTS:
        if sign in head and re.match(pattern, head):
            options, ending = (*then, *("--label NAME, if the labels are in it", ".csv")[len(then) :])
            purpose = ", then ".join(filter(None, ("keeps the names and the rows", options)))
            raise _refusal(path, f"{what}, and is not read", command, purpose, ending)
    for sign, pattern, tool, program in _TRAINING:
        if sign in head and re.match(pattern, head):
            what = f"examples for training, as {tool} reads them"
            raise _refusal(path, what, f"awk '{program}'", "keeps the label of each line", ".txt")


def _refusal(path: str, what: str, command: str, purpose: str, ending: str) -> DataError:
    from xentcli.readers.text.faults import Written

    return DataError(what, place=Place(path), advice=Written(path).by(command, purpose, ending))
