"""Detect the format of delimited text from its first lines: row ends, delimiter, comments, header."""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence

from xentcli.columns.numerals import hundredths, in_points, is_number, whole
from xentcli.errors import DataError, Place
from xentcli.readers.stream import ByteStream
from xentcli.readers.text.cells import list_in
from xentcli.readers.text.delimited import BLANK, Dialect, Grammar, RowScan, check_text, looked_further
from xentcli.readers.text.faults import DELIMITERS
from xentcli.records import record, replace

__all__ = ["Opening", "opening_of"]

_BOM = b"\xef\xbb\xbf"
_EXCEL_NAMES_IT = re.compile(rb'"?sep=([,;\t|])"?\r?\n', re.I)
"""A line above the table that tells Excel the delimiter."""
_MATRIX_OF_R = rb"\s*\[,1\](?:\s+\[,\d+\])*\s*"
"""The header of a matrix without names of columns, as R prints it."""
_LOOK_AT = 50
"""Rows that show the delimiter."""


@record(frozen=True)
class Opening:
    """How a text is written, and its first row.

    Attributes
    ----------
    begin
        The bytes before the first row: a byte order mark, comments.
    fields
        The fields of the first row; none in an empty file.
    named
        True where they can only be names: a comment, or one name less than there are columns; False where they
        can only be data; else None.
    lists
        For each column the length of the lists in it, None where there are none; empty if no column has any.
    """

    dialect: Dialect
    begin: int
    fields: tuple[str, ...] = ()
    named: bool | None = None
    lists: tuple[int | None, ...] = ()


def opening_of(stream: ByteStream, delimiter: str | None, given: Dialect, decimal_named: bool) -> Opening:
    """Return how a text is written, and which columns are of percentages; without a delimiter it is detected.

    `given` has what options say: the decimal separator, and whether fields may be in quotes.
    Without `decimal_named` a decimal comma is for several files: one that has commas between its fields has points.

    Raises DataError if it is not UTF-8 text, or several delimiters fit.
    """
    found = _opening(stream, delimiter, given, decimal_named)
    if not any(letter in stream.head for letter in (b"%", b"[", b"(")):
        return found
    ends = _first_ends(stream, found.dialect, found.begin, 2)
    rows = [found.fields, *(_row(stream.head[a:b], found.dialect) or [] for a, b in itertools.pairwise(ends[1:]))]
    known = _known_rows(stream, found.dialect, found.begin)
    return _with_lists(_with_percentages(found, rows[-1]), rows[-1], known or rows)


def _with_percentages(found: Opening, row: Sequence[str]) -> Opening:
    """Return an opening with the columns of percentages: those of the first row below a header."""
    decimal = found.dialect.decimal
    percent = [c for c, text in enumerate(row[: len(found.fields)]) if hundredths(text, decimal) != text]
    # A number without a sign is a row, not the name of a column.
    percent = [c for c in percent if not _is_number(found.fields[c], found.dialect)]
    return replace(found, dialect=replace(found.dialect, percent=tuple(percent)))


def _with_lists(found: Opening, row: Sequence[str], rows: Sequence[Sequence[str]]) -> Opening:
    """Return an opening with the columns of lists: those of the first row below a header, if `rows` confirm them."""
    if len(row) != len(found.fields):
        return found
    lengths = [len(items) if len(items := list_in(text) or ()) > 1 else None for text in row]
    for column, length in enumerate(lengths):
        if length and not _are_vectors([list_in(one[column]) for one in rows if column < len(one)]):
            lengths[column] = None
    if not any(lengths):
        return found
    data = any(length and list_in(text) for text, length in zip(found.fields, lengths, strict=True))
    return replace(found, lists=tuple(lengths), named=False if data else found.named)


def _are_vectors(lists: Sequence[list[str] | None]) -> bool:
    """Whether lists of numbers are vectors; labels may be intervals, such as (18, 25), or tuples of whole numbers."""
    known = [items for items in lists if items]
    if not any(re.search("[.eE]", text) for items in known for text in items):
        return {text for items in known for text in items} <= {"0", "1"}
    pairs = [(float(items[0]), float(items[1])) for items in known if len(items) == 2]
    increasing = len(pairs) == len(known) and all(a < b for a, b in pairs)
    return not increasing or all(abs(a + b - 1) < 1e-3 for a, b in pairs)


def _opening(stream: ByteStream, delimiter: str | None, given: Dialect, decimal_named: bool) -> Opening:
    """Return how a text is written."""
    check_text(stream)
    begin = len(_BOM) if stream.head.startswith(_BOM) else 0
    named = _EXCEL_NAMES_IT.match(stream.head, begin)
    if named is not None:
        begin = named.end()
        delimiter = delimiter or named[1].decode()
    while not stream.head[begin:].strip(b"\r\n"):
        if not looked_further(stream):
            return Opening(replace(given, delimiter=delimiter or ","), begin)
    ends_with_cr = _rows_end_with_cr(stream, begin, given)
    dialect = replace(given, delimiter=delimiter or ",", ends_with_cr=ends_with_cr, limits=stream.limits)
    if delimiter is None:
        dialect = replace(dialect, delimiter=_sniffed(stream, dialect, begin))
        if not (decimal_named or dialect.runs) and given.decimal == "," and _is_of_commas(stream, dialect, begin):
            dialect = replace(dialect, delimiter=",", decimal=".")
    if dialect.delimiter == BLANK:
        return _of_blanks(stream, dialect, begin)
    (first,) = _first_rows(stream, dialect, begin, 1)
    if not first:
        raise DataError("the first line is blank", place=Place(stream.name, line=1))
    if _has_row_names(stream, dialect, begin, first):
        return Opening(dialect, begin, ("", *first), named=True)
    data = len(first) == 1 and ":" in first[0] and re.fullmatch(_OF_SVM, first[0]) is not None
    return Opening(dialect, begin, tuple(first), named=False if data else None)


def _has_row_names(stream: ByteStream, dialect: Dialect, begin: int, first: Sequence[str]) -> bool:
    """Whether the first column has row names, and no name in the first row."""
    quoted = dialect.quotes and stream.head.startswith(b'"', begin)
    if first[0] == first[-1] or not (quoted or _second_is_longer(stream, dialect, begin)):
        return False
    rows = _known_rows(stream, dialect, begin)
    if not (_lacks_a_name(rows) and all(row[-1].strip() for row in rows)):
        return False
    if quoted and all(line.startswith(b'"') for line in _known_lines(stream, dialect, begin)):
        return True
    below = [row[0] for row in rows[1:]]
    return any(_is_number(text, dialect) for text in rows[1][1:]) and _are_row_names(below, dialect)


_OF_SVM = r"\S+(\s+\d+:[-+.\deE]+)+\s*"
"""A label with features, as svm tools take it: no name of a column."""


def _of_blanks(stream: ByteStream, dialect: Dialect, begin: int) -> Opening:
    """Return the opening of a text whose fields have runs of blanks between them.

    Comments may stand above it; the last of them may have the names, as numpy.savetxt writes them.
    """
    ends = _first_ends(stream, dialect, begin, 2)
    comment = None
    while len(ends) > 2 and stream.head[ends[0] : ends[1]].lstrip().startswith(b"#"):
        comment = ends[0]
        ends = _first_ends(stream, dialect, ends[1], 2)
    first = Grammar(stream.name, dialect).records(stream.head[ends[0] : ends[1]], 0, 1)[0][0]
    if not first:
        line = 1 + stream.head.count(dialect.end, 0, ends[0])
        raise DataError("the first line is blank", place=Place(stream.name, line=line))
    if comment is not None and all(_is_number(text, dialect) for text in first):
        names = stream.head[comment : ends[0]].decode(errors="replace").lstrip(" \t#").encode()
        fields = Grammar(stream.name, dialect).records(names, 0, 1)[0][0] if names.strip() else []
        if len(fields) == len(first):
            return Opening(dialect, comment, tuple(fields), named=True)
    rows = _known_rows(stream, dialect, ends[0])
    if _lacks_a_name(rows) and _are_row_names([row[0] for row in rows[1:]], dialect):
        return Opening(dialect, ends[0], ("", *first), named=True)
    return Opening(dialect, ends[0], tuple(first), named=_is_of_svm(rows) or None)


def _is_of_svm(rows: Sequence[Sequence[str]]) -> bool:
    """Whether a table begins as svm-predict -b 1 writes it: ``labels 1 -1``, then rows that begin with a class."""
    (word, *names), *table = rows or [[""]]
    return word == "labels" and bool(table) and all(map(whole, names)) and all(row[0] in names for row in table)


def _lacks_a_name(rows: Sequence[Sequence[str]]) -> bool:
    """Whether the first row has one field less than each of the others: row names have no name in R's tables."""
    return len(rows) > 1 and {len(row) for row in rows[1:]} == {len(rows[0]) + 1}


def _second_is_longer(stream: ByteStream, dialect: Dialect, begin: int) -> bool:
    """Whether the second line has one delimiter more than the first."""
    ends = _first_ends(stream, dialect, begin, 2)
    counts = [stream.head.count(dialect.delimiter.encode(), a, b) for a, b in itertools.pairwise(ends)]
    return len(counts) == 2 and counts[1] == counts[0] + 1


def _are_row_names(cells: Sequence[str], dialect: Dialect) -> bool:
    """Whether a first column is of texts, or counts its rows, from 1 as in R or from 0 as in pandas."""
    counted = any(cells == [str(row) for row in range(first, first + len(cells))] for first in (0, 1))
    # Under another quoting style a field may contain a delimiter.
    return counted or not any(_is_number(c, dialect) or c.startswith("'") or c.endswith("\\") for c in cells)


def _is_number(text: str, dialect: Dialect) -> bool:
    return is_number(in_points(text, dialect.decimal))


def _rows_end_with_cr(stream: ByteStream, begin: int, given: Dialect) -> bool:
    """Whether the first line end outside quotes is a CR that no LF follows."""
    scans = {dialect: RowScan(begin) for dialect in (given, replace(given, ends_with_cr=True))}
    ends = dict.fromkeys(scans, -1)
    while True:
        ends = {d: end if end >= 0 else scans[d].row_end(stream.head, d) for d, end in ends.items()}
        lf, cr = ends.values()
        if cr < 0 <= lf or 0 <= lf <= cr + 1:
            return False
        if 0 <= cr < len(stream.head):
            return True
        if not looked_further(stream):
            return cr >= 0


def _sniffed(stream: ByteStream, dialect: Dialect, begin: int) -> str:
    """Return the delimiter by which the first two lines have the same number of fields; blanks if there is no other."""
    if re.search(r"\.(tsv|tab)(\.\w+)?$", stream.name):
        return "\t"
    first = stream.head[begin : _first_ends(stream, dialect, begin, 1)[1]]
    if re.fullmatch(_MATRIX_OF_R, first):
        return BLANK
    possible = [delimiter for delimiter in DELIMITERS if delimiter != dialect.decimal]
    seen = [delimiter for delimiter in possible if delimiter.encode() in first]
    if not seen and b"|" in first and _is_of_pipes(stream, dialect, begin):
        return "|"
    if not seen:
        return BLANK if _is_of_blanks(stream, dialect, begin) else possible[0]
    if len(seen) < 2:
        return seen[0]
    fitting = [delimiter for delimiter in seen if _fits(stream, replace(dialect, delimiter=delimiter), begin)]
    if len(fitting) == 1:
        return fitting[0]
    names = " and ".join(DELIMITERS[delimiter] for delimiter in fitting or seen)
    raise DataError(
        f"{names} could each separate the fields",
        place=Place(stream.name, line=1),
        advice="--delimiter says which does",
    )


def _is_of_blanks(stream: ByteStream, dialect: Dialect, begin: int) -> bool:
    """Whether blanks separate the fields of a text whose first line has no other delimiter.

    Labels may have spaces in them ("New York", "type 2", "18 25"). So there must be as many fields in each row
    after the first, and what no column of labels has: a first line of numbers, decimals in every row, or
    quotes within a line.
    """
    lines = _known_lines(stream, dialect, begin)
    lines = list(itertools.dropwhile(lambda line: line.lstrip().startswith(b"#"), lines))
    rows = [_row(line, replace(dialect, delimiter=BLANK)) for line in lines]
    first, *others = [row for row in rows if row] or [[]]
    if None in rows:
        return False
    if len(first) > 1 and all(_is_number(text, dialect) for text in first):
        return True
    return (
        len((others or [first])[0]) > 1
        and len({len(row) for row in others}) == 1
        and (_has_decimals(others, dialect) or any(_row(line, dialect) is None for line in lines))
    )


def _is_of_pipes(stream: ByteStream, dialect: Dialect, begin: int) -> bool:
    """Whether the first rows, but for a footer, have as many pipes each, and decimals below the first."""
    lines = [line for line in _known_lines(stream, dialect, begin) if line.strip()]
    rows = [_row(line, replace(dialect, delimiter="|")) for line in lines]
    table = [row for row in (rows[:-1] if rows and len(rows[-1] or ()) == 1 else rows) if row]
    return len(table) > 1 and len({len(row) for row in table}) == 1 and _has_decimals(table[1:], dialect)


def _is_of_commas(stream: ByteStream, dialect: Dialect, begin: int) -> bool:
    """Whether each of the first rows has as many commas, and none is one field or a number with a decimal comma."""
    lines = [line for line in map(bytes.strip, _known_lines(stream, dialect, begin)) if line]
    if any(dialect.delimiter.encode() in line or _is_number(line.decode(errors="replace"), dialect) for line in lines):
        return False
    rows = [_row(line, replace(dialect, delimiter=",")) or [] for line in lines]
    return len(rows) > 1 and len({len(row) for row in rows}) == 1 and len(rows[0]) > 1


def _has_decimals(table: Sequence[Sequence[str]], dialect: Dialect) -> bool:
    """Whether two columns of a table are decimals; one is enough where all are numbers, none where all are 0 and 1."""
    columns = list(zip(*table, strict=True))
    numeric = [column for column in columns if all(_is_number(text, dialect) for text in column)]
    decimals = sum(any(re.search("[.,eE]", text) for text in column) for column in numeric)
    if len(numeric) < len(columns):
        return decimals > 1
    return decimals > 0 or {text for column in columns for text in column} <= {"0", "1"}


def _row(line: bytes, dialect: Dialect) -> list[str] | None:
    """Return the fields of a line; None if it cannot be read."""
    try:
        return Grammar("", dialect).records(line, 0, 1)[0][0]
    except DataError:
        return None


def _fits(stream: ByteStream, dialect: Dialect, begin: int) -> bool:
    """Whether the first two lines have the same number of fields, more than one."""
    try:
        rows = _first_rows(stream, dialect, begin, 2)
    except DataError:
        return False
    return len({len(row) for row in rows}) == 1 and len(rows[0]) > 1


def _first_ends(stream: ByteStream, dialect: Dialect, begin: int, limit: int) -> list[int]:
    """Return `begin` and the ends of the first rows; reads more if the head ends within a row."""
    scan, ends = RowScan(begin), [begin]
    while len(ends) <= limit and ends[-1] < len(stream.head):
        end = scan.row_end(stream.head, dialect)
        if end < 0 and looked_further(stream):
            continue
        ends.append(len(stream.head) if end < 0 else end)
    return ends


def _known_lines(stream: ByteStream, dialect: Dialect, begin: int) -> list[bytes]:
    """Return the first rows that are whole in the head; the first is read to its end."""
    ends = _first_ends(stream, dialect, begin, 1)
    scan = RowScan(ends[-1])
    while len(ends) <= _LOOK_AT and (end := scan.row_end(stream.head, dialect)) >= 0:
        ends.append(end)
    if len(ends) <= _LOOK_AT and ends[-1] < len(stream.head) and len(stream.head) == stream.size:
        ends.append(len(stream.head))
    return [stream.head[a:b] for a, b in itertools.pairwise(ends)]


def _known_rows(stream: ByteStream, dialect: Dialect, begin: int) -> list[list[str]]:
    """Return the fields of the rows that are whole in the head, blank lines left out; none if one is unreadable."""
    rows = [_row(line, dialect) for line in _known_lines(stream, dialect, begin)]
    return [] if None in rows else [row for row in rows if row]


def _first_rows(stream: ByteStream, dialect: Dialect, begin: int, limit: int) -> list[list[str]]:
    """Return the fields of the first rows."""
    grammar = Grammar(stream.name, dialect)
    ends = itertools.pairwise(_first_ends(stream, dialect, begin, limit))
    return [grammar.records(stream.head[a:b], row, row + 1)[0][0] for row, (a, b) in enumerate(ends)]
