"""Advice for text that is not a table: the shell command that writes a corrected copy.

Each command fixes one known cause: lines before the header, a footer, comments, blank lines, another quoting
style, an extra delimiter. None overwrites the file that it reads.
"""

from __future__ import annotations

import ast
import os
import re
import shlex
from collections import Counter
from collections.abc import Callable, Sequence

from xentcli.columns.numerals import is_number, number_hint
from xentcli.errors import unused
from xentcli.records import record

__all__ = [
    "DELIMITERS",
    "RECORDS",
    "Written",
    "above",
    "above_or_below",
    "before_table",
    "below",
    "cell_advice",
    "may_be_title",
    "quote_advice",
    "row_fault",
]

DELIMITERS = {",": "comma", "\t": "tab", ";": "semicolon"}
"""The delimiters that are detected, and their names in messages."""
RECORDS = 'text if text[0] == "[" else "[" + ",".join(text.splitlines()) + "]"'
"""Python for JSON of records, the elements of an array or one a line, as an array."""
_LOOK_AT = 50
"""Lines in which the beginning of the table is searched."""
_COMMENT = "#"
_FIGURE = r"[+-]?\d*[.,]?\d+(?:[eE][+-]?\d+)? ?%?"
"""A number with a point or a comma, and perhaps a percent sign."""
_UNPACK = {".gz": "gzip -dc", ".bz2": "bzip2 -dc", ".xz": "xz -dc", ".zst": "zstd -dc"}
_JULIA = r"(?s)[\w.]*UnivariateFinite\{.*\}\(.*=>.*\)$"
"""A distribution as Julia prints it."""
_NUMPY = r"np\.float\d+\((.*?)\)"
"""A number as NumPy prints it in a list or dict."""
_NO_BLANK_LINES = "grep -v '^[[:space:]]*$'"


@record(frozen=True)
class Written:
    """A text file and its delimiter."""

    path: str
    delimiter: str = ","

    def by(self, command: str, purpose: str, new_ending: str = "") -> str:
        """Return the shell line that filters the text by a command into another file, with a comment."""
        stem, ending = os.path.splitext(self.path)
        if not (self.path.isprintable() and os.path.isfile(self.path)):
            return f"... | {command} | xent score - ...   # {purpose}"
        source, unpack = shlex.quote(self.path), _UNPACK.get(ending.lower())
        if unpack is not None:
            stem, ending = os.path.splitext(stem)
        target = shlex.quote(unused(stem, new_ending or ending))
        read = f"{command} < {source}" if unpack is None else f"{unpack} {source} | {command}"
        return f"{read} > {target}   # {purpose}"

    def quoted(self, options: str, purpose: str = 'rewrites the quotes as "..."') -> str:
        """Return the shell line that rewrites quoted fields; `options` are those of csv.reader."""
        delimiter = "" if self.delimiter == "," else f"delimiter={self.delimiter!r}"
        given = ", ".join(["sys.stdin", *filter(None, (delimiter, options))])
        writer = ", ".join(["sys.stdout", *filter(None, (delimiter,))])
        code = f"import csv, sys; csv.writer({writer}).writerows(csv.reader({given}))"
        return self.by(f'python3 -c "{code}"', purpose)

    def apart(self, cell: str) -> str:
        """Return the shell line for a quoted decimal comma in a text with commas between; empty for other cells."""
        if self.delimiter != "," or not number_hint(cell).startswith("a decimal comma"):
            return ""
        code = "import csv, sys; csv.writer(sys.stdout, delimiter=';').writerows(csv.reader(sys.stdin))"
        return self.by(f'python3 -c "{code}"', "puts semicolons between; then --decimal ,")

    def edited(self, pattern: str, new: str, line: int | None, purpose: str) -> str:
        """Return the shell line that replaces a pattern (a comma stands for the delimiter) in one line or in all."""
        if self.delimiter not in DELIMITERS or self.delimiter == "\t":
            return ""
        script = f"{line or ''}s/{pattern}/{new}/".replace(",", self.delimiter)
        return self.by(f"sed '{script}'", purpose)


def row_fault(cells: Sequence[str], width: int, line: int, written: Written) -> tuple[str, str]:
    """Return what is wrong with a row whose number of fields is not `width`, and the command that helps."""
    where = f"{_fields(len(cells))} where {width} {_were(width)} expected"
    if not cells or (len(cells) == 1 and cells[0].isspace()):
        what = f"a blank line where {_fields(width)} {_were(width)} expected"
        return what, written.by(_NO_BLANK_LINES, "skips blank lines")
    if cells[0].lstrip().startswith(_COMMENT):
        return f"a comment? {where}", written.by(f"grep -v '^[[:space:]]*{_COMMENT}'", "skips comments")
    if len(cells) > width:
        if any(cell.endswith("\\") for cell in cells[:-1]):
            return f"a backslash before a delimiter: {where}", written.quoted(_BACKSLASH)
        if any(cell.lstrip().startswith("'") for cell in cells) and any(cell.rstrip().endswith("'") for cell in cells):
            return f"a delimiter in single quotes: {where}", written.quoted(_SINGLE)
    empty = [place for place, cell in enumerate(cells) if not cell.strip()]
    if len(cells) == width + 1 and len(empty) == 1:
        return _delimiter_too_many(empty[0], len(cells), line, where, written)
    return where, ""


def _delimiter_too_many(place: int, count: int, line: int, where: str, written: Written) -> tuple[str, str]:
    name = DELIMITERS.get(written.delimiter, "delimiter")
    if place == count - 1:
        # Usually all rows except the header have one.
        advice = written.edited(",[[:space:]]*$", "", None, f"removes the last {name} of each line that ends with one")
        return f"a trailing {name}: {where}", advice
    if place == 0:
        return f"a {name} before the first field: {where}", written.edited("^[[:space:]]*,", "", line, "removes it")
    advice = written.edited(",[[:space:]]*,", ",", line, "removes one, if no value is missing there")
    return f"two {name}s in a row: {where}", advice


_BACKSLASH = "escapechar=chr(92), doublequote=False"
_SINGLE = "quotechar=chr(39)"
_SPACE = "skipinitialspace=True"


def quote_advice(text: str, position: int, written: Written) -> str:
    r"""Return the command for an unreadable quoted field: \" instead of "", or a space before a quote."""
    rest = re.split("[\r\n]", text[position:], maxsplit=1)[0]
    if '\\"' in rest:
        return written.quoted(_BACKSLASH)
    if rest.lstrip(" ").startswith('"') and not rest.startswith('"'):
        return written.quoted(_SPACE)
    return ""


def cell_advice(cell: str, written: Written) -> str:
    """Return the command for a number in single quotes, JSON or a distribution of Julia in a cell; else nothing."""
    text = cell.strip()
    if len(text) > 1 and text[0] == text[-1] == "'" and is_number(text[1:-1]):
        return written.quoted(_SINGLE)
    begin, value = _unfolding(text) if written.delimiter in DELIMITERS else ("", "")
    if not value:
        return ""
    rows = f'csv.DictReader(sys.stdin, delimiter="{written.delimiter}")'
    code = f"import {begin}[print(json.dumps({{k: {value} else v for k, v in row.items()}})) for row in {rows}]"
    return written.by(f"python3 -c '{code}'", "makes JSON of the cells", ".jsonl")


def _unfolding(text: str) -> tuple[str, str]:
    """Return Python that reads cells such as this one: what is imported, and the value of a cell; empty for others."""
    nested = "if v[:1] in (chr(91), chr(123))"
    if text[:1] in ("[", "{") and _is_json(text):
        return "csv, json, sys; ", f"json.loads(v) {nested}"
    if text[:1] in ("[", "{") and _is_literal(text):
        bare = r're.sub(r"np\.float\d+\((.*?)\)", r"\1", v)' if "np.float" in text else "v"
        pairs = "dict if v[:2] == chr(91) + chr(40) else lambda x: x"
        read = f"read = lambda v: ({pairs})(ast.literal_eval({bare})); "
        return f"ast, csv, json, {'re, ' * (bare != 'v')}sys; {read}", f"read(v) {nested}"
    if re.match(_JULIA, text):
        found = r"""re.findall(r"[(,] *(.*?)=>([^,)]+)", v)"""
        return "csv, json, re, sys; ", f'{{a: float(p) for a, p in {found}}} if "}}(" in v'
    return "", ""


def _is_literal(text: str) -> bool:
    """Whether a text is a dict of Python, or a list of pairs or dicts, as str() writes it."""
    try:
        value = ast.literal_eval(re.sub(_NUMPY, r"\1", text))
    except (ValueError, SyntaxError, RecursionError, MemoryError):
        return False
    return isinstance(value, dict) or (isinstance(value, list) and value != [] and isinstance(value[0], dict | tuple))


def _is_json(text: str) -> bool:
    """Whether a text is JSON of objects, as nested columns are exported."""
    import json

    try:
        return "{" in text and isinstance(json.loads(text), list | dict)
    except ValueError:
        return False


def above_or_below(
    column: Sequence[str], row: int, line_at: Callable[[int], int | None], written: Written, *, titled: bool, last: bool
) -> str:
    """Return the command that skips what is above the header or below the rows, where a cell is not a number for that.

    Parameters
    ----------
    column, row
        Some cells of a column of numbers, and the place of the first that is not one.
    line_at
        The line of each cell.
    written
        How the file is written.
    titled
        Whether these are the first cells, and the first line of the file may be a title in place of names.
    last
        Whether the last of the cells is the last of the file.
    """
    first = next((place for place, text in enumerate(column) if is_number(text)), None)
    if titled and not row and first is not None:
        count = (line_at(first - 1) or 1) - 1
        return above(count, written) if count else ""
    if last and 0 < row == len(column) - 1:
        return below((line_at(row) or 1) - 1, written)
    return ""


def may_be_title(names: Sequence[str]) -> bool:
    """Say whether the fields of a header may be a title: one field, or some that are empty beside the first."""
    return len(names) == 1 or "" in names[1:]


def above(count: int, written: Written) -> str:
    """Return the command that skips the first lines."""
    return written.by(f"tail -n +{count + 1}", f"skips the line{'s' * (count > 1)} above the header")


def below(count: int, written: Written) -> str:
    """Return the command that keeps the first lines alone."""
    return written.by(f"head -n {count}", "skips the last line, if it is a footer")


def before_table(lines: Sequence[str], written: Written, name: str = "") -> str:
    """Return the command that skips the lines before a table; empty if there are none.

    `lines` are the first lines of the text, all of a short one. A table has the same number of fields in each
    line up to the last one, or to a footer, and numbers after its first line; or it is one column below its `name`.
    """
    short, lines = len(lines) < _LOOK_AT, [line.rstrip("\r") for line in lines[:_LOOK_AT]]
    while lines and not lines[-1].strip():
        lines.pop()
    found: list[tuple[int, int]] = []
    for delimiter in dict.fromkeys((written.delimiter, *DELIMITERS)):
        end = _table_ends(lines, delimiter) if short else len(lines)
        if (begin := _table_begins(lines[:end], delimiter)) is not None:
            found.append((begin, end))
    # Decimal commas may look like delimiters in the rows but not in the header.
    first, end = min(found, default=(0, 0))
    if first and not all(line.startswith("sep=") for line in lines[:first]):
        if end < len(lines):
            return written.by(f"sed -n {first + 1},{end}p", "keeps the table alone")
        return _skipping(lines[:first], written, lines[first:])
    # A title contains blanks; a single word may be a label, so that the first line is the header.
    titled = bool(name and lines) and " " in lines[0].strip()
    named = [index for index, line in enumerate(lines) if line.strip("\"' ") == name] if titled else []
    return _skipping(lines[: named[0]], written) if len(named) == 1 else ""


def _cut(line: str, delimiter: str) -> list[str]:
    """Return the fields of a line; a delimiter in quotes cuts none."""
    # Imported here: most runs need no advice.
    import csv

    try:
        return next(csv.reader([line], delimiter=delimiter), [])
    except csv.Error:
        # A cell with a line break, or a very long one: its quotes are gone already.
        return line.split(delimiter)


def _count(line: str, delimiter: str) -> int:
    """Return how many delimiters a line has outside of quotes."""
    return line.count(delimiter) if '"' not in line else max(len(_cut(line, delimiter)) - 1, 0)


def _table_ends(lines: Sequence[str], delimiter: str) -> int:
    """Return the number of lines up to the last that has as many fields as most."""
    counts = [_count(line, delimiter) for line in lines]
    usual, _ = Counter(filter(None, counts)).most_common(1)[0] if any(counts) else (0, 0)
    return len(counts) - counts[::-1].index(usual) if usual else len(counts)


def _table_begins(lines: Sequence[str], delimiter: str) -> int | None:
    """Return the index of the first line of a table; None if there is none."""
    width = _count(lines[-1], delimiter) + 1 if lines else 0
    inside = [_count(line, delimiter) + 1 == width and not line.startswith((_COMMENT, "sep=")) for line in lines]
    if width < 2 or True not in inside:
        return None
    first = inside.index(True)
    if not all(inside[first:]) or not any(_has_number(line, delimiter) for line in lines[first + 1 :]):
        return None
    # A comment may have the names, as numpy.savetxt writes them.
    if first and _has_number(lines[first], delimiter) and _count(lines[first - 1], delimiter) + 1 == width:
        return first - 1
    # If all rows end with a delimiter, the line above them is the header.
    if all(line.rstrip().endswith(delimiter) for line in lines[first:]):
        return None
    # A header one name short is that of a table with row names, not a line before it.
    short = first > 0 and width > 2 and _count(lines[first - 1], delimiter) + 2 == width
    if short and _has_number(lines[first], delimiter):
        return 0 if first == 1 else None
    # A short row with numbers is an error in the table, not a line before it.
    if _has_number(lines[first], delimiter) and any(_has_number(line, delimiter) for line in lines[:first]):
        return None
    return first


def _has_number(line: str, delimiter: str) -> bool:
    return any(re.fullmatch(_FIGURE, field.strip("\"' ")) for field in _cut(line, delimiter))


def _skipping(before: Sequence[str], written: Written, table: Sequence[str] = ()) -> str:
    """Return the command that skips the lines before a table, and what each of its lines has beside the fields."""
    count = f"the {len(before)} lines" if len(before) > 1 else "the line"
    if all(line.startswith(_COMMENT) for line in before):
        return written.by(f"grep -v '^{_COMMENT}'", "skips comments")
    if table and written.delimiter == "," and all(re.fullmatch(r"[^,\"]*(, [^,\"]*)+", line) for line in table):
        last = [line.rsplit(",", 1)[-1].strip() for line in table]
        stops = all(text.endswith(".") and not is_number(text) for text in last)
        script = f"1,{len(before)}d; s/, */,/g{'; s/[.]$//' * stops}"
        also = f"the blanks after commas{' and the full stops at the end of lines' * stops}"
        return written.by(f"sed '{script}'", f"skips {count} before the table, {also}")
    return written.by(f"tail -n +{len(before) + 1}", f"skips {count} before the table")


def _fields(count: int) -> str:
    return f"{count} field" if count == 1 else f"{count} fields"


def _were(count: int) -> str:
    return "was" if count == 1 else "were"
