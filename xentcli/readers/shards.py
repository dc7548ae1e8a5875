"""Several files (a folder or glob) as one table. Rows are numbered across files.

A file is opened when its rows are reached, so that thousands of files take little
memory; only the row count and the stamp (size, time, inode) of each are kept.
"""

from __future__ import annotations

import contextlib
import glob
import os
import re
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import field
from itertools import takewhile
from typing import Any, cast

from xentcli.errors import DataError, FileError, Place, shown
from xentcli.readers.source import BLOCK_BYTES, Rows, Selection, Source, Traits, WrappedPart, held
from xentcli.readers.stream import Stamp, stamp_of
from xentcli.readers.text.csv import CsvSource
from xentcli.records import cached_property, record, replace
from xentcli.urls import bare, is_url

__all__ = ["ShardPart", "Shards", "TextShards", "check_pairs", "files_of", "open_shards"]

_GLOB = re.compile(r"[*?[]")


def files_of(path: str) -> tuple[str, ...] | None:
    """Return the files of a folder or glob, also at a URL, sorted with numbers by value; None for a single file.

    In a folder, files that begin with a point or an underscore are skipped, as they hold metadata.

    Raises FileError if there are none, or one is no regular file.
    """
    listed = _at_url(path) if is_url(path) else _here(path)
    if listed is None:
        return None
    in_folder, files = listed
    # Skipped in folders: metadata about the other files.
    found = [file for file in files if not (in_folder and _last(file).startswith((".", "_")))]
    if not found:
        raise FileError("there is no file in it" if in_folder else "no file matches", place=Place(path))
    odd = next((file for file in sorted(found) if files[file]), None)
    if odd is not None:
        raise FileError(f"{files[odd]}; the files of {path} are read as one table", place=Place(odd))
    keys = dict(zip(found, _differences(found), strict=True))
    last = {key: file for file, key in keys.items()}
    again = next((file for file, key in keys.items() if last[key] != file), None)
    if again is not None:
        raise FileError(f"its number is that of {last[keys[again]]}: which comes first?", place=Place(again))
    return tuple(sorted(found, key=keys.__getitem__))


def _here(path: str) -> tuple[bool, dict[str, str]] | None:
    """(Whether it is a folder, [(file, what is wrong with it)]) for a folder or glob; None for a file."""
    if os.path.isdir(path):
        found = [os.path.join(path, name) for name in os.listdir(path)]
    elif _GLOB.search(path) and not os.path.exists(path):
        found = glob.glob(path, recursive=True)
    else:
        return None
    return os.path.isdir(path), {file: _oddness(file) for file in found}


def _oddness(file: str) -> str:
    if os.path.isfile(file):
        return ""
    return "is a folder" if os.path.isdir(file) else "is no regular file"


def _at_url(url: str) -> tuple[bool, dict[str, str]] | None:
    """(Whether it is a folder, [(file, what is wrong with it)]) at a URL; None for an object."""
    from xentcli.readers.remote import exists, folder, matching

    # In the URL of a web page, a question mark begins the query.
    in_folder = not _GLOB.search(bare(url)) or exists(url)
    found = folder(url) if in_folder else matching(url)
    if found is None:
        return None
    return in_folder, {file: "is a folder" if file.endswith("/") else "" for file in found}


def _last(path: str) -> str:
    return os.path.basename(bare(path).rstrip("/"))


Key = tuple[str | int, ...]


def _tokens(path: str) -> Key:
    """Split a path into text (even positions) and numbers (odd ones)."""
    return tuple(int(piece) if place % 2 else piece for place, piece in enumerate(re.split(r"([0-9]+)", path)))


def _differences(paths: Sequence[str]) -> list[Key]:
    """Return what distinguishes each path from the others: numbers by value, and the text that varies.

    >>> _differences(["p/preds-9.csv", "p/preds-10.csv"])
    [(9,), (10,)]
    >>> _differences(["cat.csv", "dog.csv"])
    [('cat',), ('dog',)]
    """
    tokens = [_tokens(path) for path in paths]
    if len({len(key) for key in tokens}) == 1:
        varying = [place for place in range(len(tokens[0])) if len({key[place] for key in tokens}) > 1]
        keys = [tuple(key[place] for place in varying) for key in tokens]
    else:
        front, back = _shared(tokens), _shared([key[::-1] for key in tokens])
        keys = [key[front : len(key) - back] for key in tokens]
    texts = [key[0] for key in keys if len(key) == 1 and isinstance(key[0], str)]
    if 1 < len(texts) == len(keys):
        # Strip the common prefix and suffix of the varying text.
        front = len(os.path.commonprefix(texts))
        back = len(os.path.commonprefix([text[front:][::-1] for text in texts]))
        return [(text[front : len(text) - back],) for text in texts]
    return keys


def _shared(tokens: Sequence[Key]) -> int:
    """Return the number of common leading tokens, rounded down to even, so that text follows."""
    same = sum(1 for _ in takewhile(lambda pieces: len(set(pieces)) == 1, zip(*tokens, strict=False)))
    return min(same - same % 2, min(map(len, tokens)) // 2)


@record(frozen=True)
class ShardPart(WrappedPart):
    """A part of one file, and the number of rows before that file."""

    before: int

    def load(self, selection: Selection) -> Rows:
        """Read the selected columns; rows are counted from the first file on."""
        with self._counted():
            rows = self.part.load(selection)
        return replace(rows, start=rows.start + self.before)

    def pieces(self, selection: Selection) -> Iterator[Rows]:
        """Read them in pieces."""
        with self._counted():
            for rows in self.part.pieces(selection):
                yield replace(rows, start=rows.start + self.before)

    def held(self, selection: Selection) -> ShardPart:
        """Return it with its rows, where they are found only by reading in order."""
        with self._counted():
            return replace(self, part=held(self.part, selection))

    @contextlib.contextmanager
    def _counted(self) -> Iterator[None]:
        """Number the row of an error across files."""
        try:
            yield
        except DataError as error:
            if error.place is not None and error.place.row is not None:
                error.place = replace(error.place, row=error.place.row + self.before)
            raise


@record(frozen=False, eq=False)
class _Seen:
    """Stamps of the files when they were opened, and their row counts."""

    stamps: dict[str, Stamp] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)


@record(frozen=True, eq=False)
class Shards:
    """Files with the same columns, read one after the other.

    Attributes
    ----------
    path
        Path in messages.
    files
        Their paths, in order.
    opener
        Opens one of them.
    opened, first
        The first file, as opened and as read; it defines the columns.
    change
        Applied to each source after opening.
    """

    path: str
    files: tuple[str, ...]
    opener: Callable[[str], Source]
    opened: Source
    first: Source
    change: Callable[[Any], Any] = lambda source: source
    seen: _Seen = field(default_factory=_Seen)
    repeatable: bool = True

    @property
    def format(self) -> str:
        """A name in READERS."""
        return self.first.format

    @property
    def width(self) -> int:
        """How many columns each has."""
        return self.first.width

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the columns."""
        return self.first.names

    @property
    def header(self) -> bool | None:
        """Whether the files have header lines."""
        return self.first.header

    @property
    def tabular(self) -> bool:
        """Whether they are tables."""
        return self.first.tabular

    @property
    def row_names(self) -> int | None:
        """The column of row names."""
        return self.first.row_names

    @property
    def traits(self) -> Traits:
        """The traits of the first file; members of archives as before any change."""
        return replace(self.first.traits, files=self.files, arrays=self.opened.traits.arrays)

    @cached_property
    def shape(self) -> tuple[int, ...]:
        """The shape of all arrays, joined along the first axis; empty for tables.

        Raises DataError if the arrays differ in another axis.
        """
        if not self.first.shape:
            return ()
        shapes = [source.shape for source in self._sources()]
        odd = next((i for i, shape in enumerate(shapes) if shape[1:] != shapes[0][1:]), None)
        if odd is not None:
            raise DataError(
                f"an array of shape {shapes[odd]}, and {self.files[0]} has {shapes[0]}", place=Place(self.files[odd])
            )
        return (sum(shape[0] for shape in shapes), *shapes[0][1:])

    @property
    def task_bytes(self) -> int:
        """About how many bytes make a part."""
        return self.first.task_bytes

    def numeric(self, column: int) -> bool | None:
        """Whether a column holds numbers, or text; None if each cell is checked."""
        return self.first.numeric(column)

    def flattened(self) -> Shards:
        """Return the numbers of all arrays as rows of one column."""
        return self._changed(lambda source: source.flattened())

    def with_classes_at(self, axis: int) -> Shards:
        """Return arrays with an axis, counted from 0, as their columns."""
        return self._changed(lambda source: source.with_classes_at(axis))

    def arranged(self, rank: int, axis: int, lead: tuple[int, ...]) -> Shards:
        """Return archives with other members as their columns, decided for each archive."""
        return self._changed(lambda source: source.arranged(rank, axis, lead))

    def with_lists(self, names: Collection[str]) -> Shards:
        """Return tables with columns of K numbers as columns of lists of any length."""
        return self._changed(lambda source: source.with_lists(names))

    def _changed(self, change: Callable[[Any], Any]) -> Shards:
        before = self.change
        return replace(self, first=change(self.first), change=lambda source: change(before(source)))

    def share_of(self, rows: int) -> float | None:
        """Return the fraction of the files that were read."""
        read = len(self.seen.counts)
        return read / len(self.files) if read else None

    def lines(self) -> int:
        """Count the rows of all files, header lines included."""
        return sum(source.lines() for source in self._sources())

    def parts(self, block_bytes: int = BLOCK_BYTES) -> Iterator[ShardPart]:
        """Cut them into parts of about `block_bytes`; no part crosses files."""
        before = 0
        for file, source in zip(self.files, self._sources(), strict=True):
            rows = 0
            for part in source.parts(block_bytes):
                yield ShardPart(part, before)
                rows += part.rows
            self.seen.counts[file] = rows
            before += rows

    def of_files(self, chosen: slice) -> Shards:
        """Return some of the files; the first file of all still defines the columns."""
        return replace(self, files=self.files[chosen], seen=_Seen())

    def _sources(self) -> Iterator[Source]:
        for file in self.files:
            stamp = stamp_of(file)
            if self.seen.stamps.setdefault(file, stamp) != stamp:
                raise DataError("the file changed while it was read", place=Place(file))
            yield self.first if file == self.opened.path else self._another(file)

    def _another(self, file: str) -> Source:
        source = opened = self.opener(file)
        if isinstance(opened, CsvSource) != isinstance(self.opened, CsvSource):
            raise DataError(
                f"its format is {opened.format}, and that of {self.opened.path} is {self.opened.format}",
                place=Place(file),
                advice=f"all files of {self.path} are text, or none is",
            )
        traits = self.traits
        # The first file decided which members and lists are columns.
        decided = bool(traits.arrays or traits.lists) or type(self.first) is not type(self.opened)
        if decided:
            source = self.change(opened)
        # The first file decided whether there is a header.
        names = source.first_fields if isinstance(source, CsvSource) and self.header else source.names
        if not source.width:
            raise DataError("the file is empty", place=Place(file))
        width = self.first.width if decided else self.opened.width
        if source.width != width:
            what = f"{source.width:,} columns, and {self.opened.path} has {width:,}"
        elif names != self.names:
            name, first = next((a, b) for a, b in zip(names, self.names, strict=True) if a != b)
            what = f"a column {shown(name)} where {self.opened.path} has {shown(first)}"
        else:
            return source if decided else cast("Source", self.change(source))
        raise DataError(what, place=Place(file), advice=f"all files of {self.path} have the same columns")

    def check_unchanged(self) -> None:
        """Raise DataError if a file changed since it was opened."""
        for file, stamp in self.seen.stamps.items():
            if stamp_of(file) != stamp:
                raise DataError("the file changed while it was read", place=Place(file))


@record(frozen=True, eq=False)
class TextShards(Shards):
    """Delimited text files: either all have a header, or none has."""

    @property
    def named(self) -> bool | None:
        """Whether the first line of the first file can only be a header, or only data."""
        assert isinstance(self.opened, CsvSource)
        return self.opened.named

    @property
    def first_fields(self) -> tuple[str, ...]:
        """The fields of the first line of the first file."""
        assert isinstance(self.opened, CsvSource)
        return self.opened.first_fields

    @property
    def first_in_points(self) -> tuple[str, ...]:
        """The fields of the first line of the first file, numbers with a point whatever the decimal separator."""
        assert isinstance(self.opened, CsvSource)
        return self.opened.first_in_points

    def with_header(self, header: bool, *, numbered: bool = False) -> Shards:
        """Return them with each first line read as a header or as data; with `numbered` names may repeat."""
        made = self._changed(lambda source: source.with_header(header, numbered=numbered))
        if isinstance(made.first, CsvSource):
            return made
        return Shards(made.path, made.files, made.opener, made.opened, made.first, made.change, made.seen)


def _files(shards: Shards) -> str:
    return f"{len(shards.files):,} file{'s' * (len(shards.files) != 1)}"


def open_shards(path: str, files: tuple[str, ...], opener: Callable[[str], Source]) -> Shards:
    """Open the first of some files of one table."""
    stamp = stamp_of(files[0])
    first = opener(files[0])
    kind = TextShards if isinstance(first, CsvSource) else Shards
    return kind(path, files, opener, first, first, seen=_Seen({files[0]: stamp}))


def check_pairs(one: Source, two: Source, *, counted: bool = False) -> None:
    """Check that two sets of files differ in the same part of their names; once `counted`, in their rows too.

    Raises DataError, naming a file that has no partner, or two that have not the same number of rows.
    """
    if not (isinstance(one, Shards) and isinstance(two, Shards)):
        return
    keys = [dict(zip(_differences(side.files), side.files, strict=True)) for side in (one, two)]
    for (mine, others), (side, other) in zip((keys, keys[::-1]), ((one, two), (two, one)), strict=True):
        alone = [file for key, file in mine.items() if key not in others]
        if alone:
            counts = f"{side.path} has {_files(side)} and {other.path} has {_files(other)}"
            raise DataError(
                f"no file of {other.path} goes with it",
                place=Place(alone[0]),
                advice=(f"{counts}, paired by the part of their names that varies", "--id COLUMN matches by id"),
            )
    if not counted:
        return
    for key, file in keys[0].items():
        partner = keys[1][key]
        a, b = one.seen.counts.get(file, 0), two.seen.counts.get(partner, 0)
        if a != b:
            raise DataError(f"the row counts differ: {file} has {a:,} and {partner} has {b:,}")
