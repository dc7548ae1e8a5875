"""Several files (a folder or glob) as one table. Rows are numbered across files.

A file is opened when its rows are reached, so that thousands of files take little
memory; of each only the name, the row count and its stamp (size, time, inode) are kept.
"""

from __future__ import annotations

import contextlib
import glob
import os
import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import field
from itertools import pairwise, takewhile
from typing import Any, cast

from xentcli.errors import DataError, FileError, Place, shown
from xentcli.readers.source import BLOCK_BYTES, Rows, Selection, Source, Traits, WrappedPart, held
from xentcli.readers.stream import Stamp, stamp_of
from xentcli.readers.text.csv import CsvSource
from xentcli.records import cached_property, record, replace
from xentcli.urls import bare, is_url

__all__ = ["ShardPart", "Shards", "check_pairs", "files_of", "open_shards"]

_GLOB = re.compile(r"[*?[]")


def files_of(path: str) -> tuple[str, ...] | None:
    """Return the files of a folder or glob, also at a URL, sorted with numbers by value; None for a single file.

    In a folder, files that begin with a point or an underscore are skipped, as they hold metadata.

    Raises FileError if there are none, or one is no regular file.
    """
    listed = _at_url(path) if is_url(path) else _here(path)
    if listed is None:
        return None
    in_folder, found, wrong = listed
    if in_folder:
        # Metadata about the other files.
        found = [file for file in found if not _last(file).startswith((".", "_"))]
    if not found:
        raise FileError("there is no file in it" if in_folder else "no file matches", place=Place(path))
    odd = next((file for file in sorted(wrong) if file in found), None)
    if odd is not None:
        raise FileError(f"{wrong[odd]}; the files of {path} are read as one table", place=Place(odd))
    key = _difference(found)
    # Stable: of two files with the same key, the one that was found first comes first.
    found.sort(key=key)
    for file, other in pairwise(found):
        if key(file) == key(other):
            raise FileError(f"its number is that of {other}: which comes first?", place=Place(file))
    return tuple(found)


Found = tuple[bool, list[str], Mapping[str, str]]
"""Whether a path is a folder, its files, and what is wrong with some of them."""


def _here(path: str) -> Found | None:
    """The files of a folder or glob; None for a file."""
    if os.path.isdir(path):
        found = [os.path.join(path, name) for name in os.listdir(path)]
    elif _GLOB.search(path) and not os.path.exists(path):
        found = glob.glob(path, recursive=True)
    else:
        return None
    wrong = {file: _oddness(file) for file in found if not os.path.isfile(file)}
    return os.path.isdir(path), found, wrong


def _oddness(file: str) -> str:
    return "is a folder" if os.path.isdir(file) else "is no regular file"


def _at_url(url: str) -> Found | None:
    """The files of a folder or glob at a URL; None for an object."""
    from xentcli.readers.remote import exists, folder, matching

    # In the URL of a web page, a question mark begins the query.
    in_folder = not _GLOB.search(bare(url)) or exists(url)
    found = folder(url) if in_folder else matching(url)
    if found is None:
        return None
    return in_folder, [*found], {file: "is a folder" for file in found if file.endswith("/")}


def _last(path: str) -> str:
    return os.path.basename(bare(path).rstrip("/"))


Key = tuple[str | int, ...]


def _tokens(path: str) -> Key:
    """Split a path into text (even positions) and numbers (odd ones)."""
    return tuple(int(piece) if place % 2 else piece for place, piece in enumerate(re.split(r"([0-9]+)", path)))


def _difference(paths: Sequence[str]) -> Callable[[str], Key]:
    """Return the function that maps a path to what distinguishes it from the others of `paths`.

    Numbers are compared by value, and of the text what varies.

    >>> paths = ["p/preds-9.csv", "p/preds-10.csv"]
    >>> [*map(_difference(paths), paths)], [*map(_difference(["cat.csv", "dog.csv"]), ["dog.csv"])]
    ([(9,), (10,)], [('dog',)])
    """
    # The keys of many paths are not held at once: each takes more memory than its path.
    first = _tokens(paths[0])
    varying: set[int] = set()
    for path in paths:
        tokens = _tokens(path)
        if len(tokens) != len(first):
            return _difference_in_length(paths)
        varying.update(place for place, token in enumerate(tokens) if token != first[place])
    places = sorted(varying)

    def key(path: str) -> Key:
        tokens = _tokens(path)
        return tuple(tokens[place] for place in places)

    if len(places) == 1 and not places[0] % 2:
        return _cut(key, paths)
    return key


def _difference_in_length(paths: Sequence[str]) -> Callable[[str], Key]:
    """The same for paths with different numbers of numbers."""
    front, back = (_shared([_tokens(path)[::step] for path in paths]) for step in (1, -1))

    def key(path: str) -> Key:
        tokens = _tokens(path)
        return tokens[front : len(tokens) - back]

    alone = all(len(key(path)) == 1 and isinstance(key(path)[0], str) for path in paths)
    return _cut(key, paths) if alone else key


def _cut(key: Callable[[str], Key], paths: Sequence[str]) -> Callable[[str], Key]:
    """Return a key of one text without what is common to the beginnings, and then to the ends, of all."""
    front = len(os.path.commonprefix([str(key(path)[0]) for path in paths]))
    back = len(os.path.commonprefix([str(key(path)[0])[front:][::-1] for path in paths]))

    def cut(path: str) -> Key:
        text = str(key(path)[0])
        return (text[front : len(text) - back],)

    return cut


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


_OF_TEXT = {"first_fields", "first_in_points", "named"}
_OF_FIRST = {"format", "width", "names", "header", "tabular", "row_names", "task_bytes", "numeric", *_OF_TEXT}
"""What is so of all files if it is of the first."""


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
    stamps, counts
        Of the files that were opened the stamps, and of those that were read the numbers of rows, in order.
    """

    path: str
    files: tuple[str, ...]
    opener: Callable[[str], Source]
    opened: Source
    first: Source
    change: Callable[[Any], Any] = lambda source: source
    stamps: list[Stamp] = field(default_factory=list)
    counts: list[int] = field(default_factory=list)
    repeatable: bool = True

    def __getattr__(self, name: str) -> Any:
        """Return what the first file says of its columns."""
        if name not in _OF_FIRST:
            raise AttributeError(name)
        return getattr(self.first, name)

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

    def flattened(self) -> Source:
        """Return the numbers of all arrays as rows of one column."""
        return self._changed(lambda source: source.flattened())

    def with_classes_at(self, axis: int) -> Source:
        """Return arrays with an axis, counted from 0, as their columns."""
        return self._changed(lambda source: source.with_classes_at(axis))

    def arranged(self, rank: int, axis: int, lead: tuple[int, ...]) -> Source:
        """Return archives with other members as their columns, decided for each archive."""
        return self._changed(lambda source: source.arranged(rank, axis, lead))

    def with_lists(self, names: Collection[str]) -> Source:
        """Return tables with columns of K numbers as columns of lists of any length."""
        return self._changed(lambda source: source.with_lists(names))

    def with_header(self, header: bool, *, numbered: bool = False) -> Source:
        """Return text with each first line read as a header or as data; with `numbered` names may repeat."""
        return self._changed(lambda source: source.with_header(header, numbered=numbered))

    def _changed(self, change: Callable[[Any], Any]) -> Source:
        before = self.change
        made = replace(self, first=change(self.first), change=lambda source: change(before(source)))
        return cast("Source", made)

    def share_of(self, rows: int) -> float | None:
        """Return the fraction of the files that were read."""
        read = len(self.counts)
        return read / len(self.files) if read else None

    def lines(self) -> int:
        """Count the rows of all files, header lines included."""
        return sum(source.lines() for source in self._sources())

    def parts(self, block_bytes: int = BLOCK_BYTES) -> Iterator[ShardPart]:
        """Cut them into parts of about `block_bytes`; no part crosses files."""
        before = 0
        for place, source in enumerate(self._sources()):
            rows = 0
            for part in source.parts(block_bytes):
                yield ShardPart(part, before)
                rows += part.rows
            self.count(place, rows)
            before += rows

    def count(self, place: int, rows: int) -> None:
        """Record the rows of a file; files are counted in order, perhaps again."""
        self.counts[place : place + 1] = [rows]

    def sizes(self) -> Iterator[int]:
        """Yield the size of each file, which is noted as opened: a worker reads it."""
        for place in range(len(self.files)):
            yield int(self._stamped(place)[0] or 0)

    def _stamped(self, place: int) -> Stamp:
        """Return the stamp of a file; raises DataError if it is not that of an earlier opening."""
        stamp = stamp_of(self.files[place])
        if place == len(self.stamps):
            self.stamps.append(stamp)
        if stamp != self.stamps[place]:
            raise DataError("the file changed while it was read", place=Place(self.files[place]))
        return stamp

    def of_files(self, chosen: slice) -> Source:
        """Return some of the files; the first file of all still defines the columns."""
        return cast("Source", replace(self, files=self.files[chosen], stamps=[], counts=[]))

    def _sources(self) -> Iterator[Source]:
        for place, file in enumerate(self.files):
            self._stamped(place)
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
        for place in range(len(self.stamps)):
            self._stamped(place)


def _files(shards: Shards) -> str:
    return f"{len(shards.files):,} file{'s' * (len(shards.files) != 1)}"


def open_shards(path: str, files: tuple[str, ...], opener: Callable[[str], Source]) -> Source:
    """Open the first of some files of one table."""
    stamp = stamp_of(files[0])
    first = opener(files[0])
    return cast("Source", Shards(path, files, opener, first, first, stamps=[stamp]))


def check_pairs(one: Source, two: Source, *, counted: bool = False) -> None:
    """Check that two sets of files differ in the same part of their names; once `counted`, in their rows too.

    Raises DataError, naming a file that has no partner, or two that have not the same number of rows.
    """
    if not (isinstance(one, Shards) and isinstance(two, Shards)):
        return
    places = [{key: n for n, key in enumerate(map(_difference(side.files), side.files))} for side in (one, two)]
    for (mine, others), (side, other) in zip((places, places[::-1]), ((one, two), (two, one)), strict=True):
        alone = next((place for key, place in mine.items() if key not in others), None)
        if alone is not None:
            counts = f"{side.path} has {_files(side)} and {other.path} has {_files(other)}"
            raise DataError(
                f"no file of {other.path} goes with it",
                place=Place(side.files[alone]),
                advice=(f"{counts}, paired by the part of their names that varies", "--id COLUMN matches by id"),
            )
    if not counted:
        return
    for key, place in places[0].items():
        # A file that was not read has no rows.
        a, b = (sum(side.counts[at : at + 1]) for side, at in ((one, place), (two, places[1][key])))
        if a != b:
            file, partner = one.files[place], two.files[places[1][key]]
            raise DataError(f"the row counts differ: {file} has {a:,} and {partner} has {b:,}")
