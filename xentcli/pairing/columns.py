"""Find the columns that an option selects: by names, globs, ranges and numbers."""

from __future__ import annotations

import fnmatch
import os
import re
import shlex
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Literal

from xentcli.columns.numerals import localized
from xentcli.errors import DataError, Place, UsageError, shown, unused
from xentcli.given import Given
from xentcli.readers.source import Source, has_first_line
from xentcli.readers.text.faults import Written, before_table
from xentcli.records import record

__all__ = [
    "Found",
    "Roles",
    "are_plain",
    "as_option",
    "check_odd",
    "columns_of",
    "find_columns",
    "groups_of",
    "is_group",
    "listed",
    "name_of",
    "preamble",
    "preds_run",
    "run_of",
    "spec_items",
    "spec_of",
    "without_blanks",
]

_NUMBER = re.compile(r"#([1-9][0-9]{0,8})")


@record(frozen=True)
class Found:
    """Columns of one source, in the order asked for."""

    source: Source
    columns: tuple[int, ...]
    others: bool = False
    """Whether any further column would have been selected too."""

    @property
    def named(self) -> bool:
        """Whether the columns have names, not only positions."""
        flat = self.source.traits.flat
        return bool(self.source.names) and not (flat and any(map(flat.positional, self.columns)))

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Their names, or #1, #2, ... if they have none; the keys if they are all of one object."""
        flat = self.source.traits.flat
        if flat and is_group(self):
            keys = [flat.origin[column][1] for column in self.columns]
            return tuple(map(str, keys))
        names = tuple(name_of(self.source, column) for column in self.columns)
        if has_first_line(self.source) and self.source.header:
            # Names that repeat in the file may be distinct among these.
            written = tuple(self.source.first_fields[column] for column in self.columns)
            return written if "" not in written and len({*written}) == len(written) else names
        return names


Roles = dict[str, list[Found]]
"""The columns of each role; ids and row names have columns in every source."""


def groups_of(source: Source) -> Mapping[str, Sequence[int]]:
    """Return the columns of the numbers of each list column of a source, by its name."""
    return {} if source.traits.flat is None else source.traits.flat.groups


def is_group(found: Found) -> bool:
    """Whether columns are exactly the items of one list column."""
    return any(tuple(columns) == found.columns for columns in groups_of(found.source).values())


def name_of(source: Source, column: int) -> str:
    """Return the name of a column, or its number."""
    return (source.names[column] if column < len(source.names) else "") or f"#{column + 1}"


def are_plain(names: Sequence[str]) -> bool:
    """Return whether an option can list names: none has a comma or outer blanks."""
    return not any("," in name or name != name.strip() for name in names)


def listed(names: Sequence[str]) -> str:
    """List names for a message, shortened if there are many."""
    limit = 12
    plain = (name and name == name.strip() and name.isprintable() for name in names[:limit])
    few = ", ".join(name if as_it_is else repr(name) for name, as_it_is in zip(names, plain, strict=False))
    return few + (f", ... ({len(names):,} in all)" if len(names) > limit else "")


def spec_items(spec: str | Sequence[str]) -> list[str]:
    """Split the value of an option into items."""
    return [item.strip() for item in spec.split(",")] if isinstance(spec, str) else [str(item) for item in spec]


def spec_of(names: Sequence[str], columns: Sequence[int]) -> list[str]:
    """Return columns as options write them: by name, or all by number if a name has a comma.

    >>> spec_of(["a", "b"], [0, 2]), spec_of(["a", "1,5"], [0, 2])
    (['a', 'b'], ['#1', '#3'])
    """
    return [f"#{column + 1}" for column in columns] if any("," in name for name in names) else list(names)


def as_option(preds: Sequence[str], source: Source) -> str:
    """Return columns as --preds takes them, quoted; a long run as first:last, a whole list by its name."""
    return shlex.quote(preds_run(preds, [name_of(source, column) for column in range(source.width)], source))


def run_of(preds: Sequence[str], names: Sequence[str]) -> str:
    """The value of --preds for columns; a long run of neighbours is first:last."""
    first = names.index(preds[0])
    words = spec_of(preds, [names.index(name) for name in preds])
    if len(preds) > 6 and list(names[first : first + len(preds)]) == list(preds):
        return f"{words[0]}:{words[-1]}"
    return ",".join(words)


def preds_run(preds: Sequence[str], names: Sequence[str], source: Source) -> str:
    """The value of --preds for columns; the name of the list, if they are all of its numbers."""
    whole = (
        name
        for name, places in groups_of(source).items()
        if name and [name_of(source, c) for c in places] == list(preds)
    )
    return next((name for name in whole if "," not in name), None) or run_of(preds, names)


def find_columns(
    option: str, spec: str | Sequence[str], sources: Sequence[Source], home: Source, further: Sequence[Source] = ()
) -> Found:
    """Find the columns of a role in the sources; numbers such as #1 count in `home`.

    --label, --preds and --reference are searched in `home` first. An item with a file, such as
    ``@FILE:COLUMN``, is searched in `further` sources.

    Raises DataError if a name is in none of them, or (for other options) in more than one.
    """
    if isinstance(spec, str) and spec.startswith("@"):
        return _from_file(option, spec, (*sources, *further))
    found = []
    for source in sources:
        if source is home or not _only_numbers(spec):
            columns = columns_of(spec, source)
            if columns is not None:
                found.append(_checked(option, spec, source, columns))
    at_home = [columns for columns in found if columns.source is home]
    if len(found) == 1 or (at_home and option in ("--label", "--preds", "--reference")):
        return (at_home or found)[0]
    if not found:
        raise _not_found(option, spec, sources)
    paths = " and ".join(f.source.path for f in found)
    raise DataError(
        f"{option} {_text(spec)} is in {paths}",
        advice=f"to choose: {option} @{found[0].source.path}:{_text(spec)}",
    )


def _from_file(option: str, spec: str, sources: Sequence[Source]) -> Found:
    for source in sources:
        if spec == f"@{source.path}":
            if source.width == 1 or isinstance(spec, Given) or option == "--reference":
                return Found(source, tuple(range(source.width)))
            raise DataError(
                f"{option} {spec}: which of its {source.width:,} columns?",
                place=Place(source.path),
                advice=(
                    f"columns: {listed([name_of(source, column) for column in range(source.width)])}",
                    f"{option} @{source.path}:COLUMN chooses",
                ),
            )
        prefix = f"@{source.path}:"
        if spec.startswith(prefix):
            columns = columns_of(spec.removeprefix(prefix), source)
            if columns is None:
                raise _not_found(option, spec.removeprefix(prefix), [source], prefix)
            return _checked(option, spec.removeprefix(prefix), source, columns)
    paths = " or ".join(f"@{source.path}:COLUMN" for source in sources)
    raise UsageError(f"{option} {spec}: there is no such file, and no input has that name", advice=f"expected {paths}")


def _checked(option: str, spec: str | Sequence[str], source: Source, columns: tuple[int, ...]) -> Found:
    """The columns of a spec; refuses a pattern or range that skips members which cannot be read."""
    loose = {character for item in spec_items(spec) if item not in source.names for character in item} & set("*?[:")
    found = Found(source, columns, others=bool(loose & set("*?[")))
    if loose:
        check_odd(found, f"{option} {_text(spec)} would choose it")
    return found


def check_odd(found: Found, why: str) -> None:
    """Refuse members of an archive if another one, which is no column, may belong to them; not for one list column.

    Raises DataError with the reason why it is no column.
    """
    odd = found.source.traits.odd
    if odd and not is_group(found):
        raise DataError(
            f"{next(iter(odd.values()))}, and {why}",
            place=Place(found.source.path),
            advice="--preds NAME,... names the columns of the predictions",
        )


def _text(spec: str | Sequence[str]) -> str:
    return spec if isinstance(spec, str) else ",".join(spec)


def _only_numbers(spec: str | Sequence[str]) -> bool:
    """Whether every item is a number such as #1."""
    ends = [end for item in spec_items(spec) for end in item.split(":")]
    return all(_NUMBER.fullmatch(end) for end in ends)


def columns_of(spec: str | Sequence[str], source: Source) -> tuple[int, ...] | None:
    """Return the columns that a spec selects in one source; None if an item selects none."""
    if isinstance(spec, str) and (spec in source.names or spec in groups_of(source)):
        return tuple(_item(spec, source))
    chosen: list[int] = []
    for item in spec_items(spec):
        columns = _item(item, source)
        if not columns:
            return None
        chosen += columns
    return tuple(dict.fromkeys(chosen))


def _item(item: str, source: Source) -> list[int]:
    names = source.names
    flat = source.traits.flat
    number = _NUMBER.fullmatch(item)
    if flat and number and source.format == "csv" and (item not in names or item in flat.groups):
        # Columns of text are counted as the file has them.
        return [column for column, (index, _) in enumerate(flat.origin) if index == int(number[1]) - 1]
    one = _end(item, source)
    if one is not None:
        return [one]
    if flat and item in flat.groups:
        return list(flat.groups[item])
    if ":" in item:
        for cut in (i for i, character in enumerate(item) if character == ":"):
            first, last = _end(item[:cut], source), _end(item[cut + 1 :], source)
            if first is not None and last is not None and first <= last:
                return list(range(first, last + 1))
        return []
    if any(character in item for character in "*?["):
        return [index for index, name in enumerate(names) if fnmatch.fnmatchcase(name, item)]
    return []


def _end(item: str, source: Source) -> int | None:
    """The column of a name or a number such as #1; 1.5 also means the name 1,5 in a file with decimal commas."""
    name = item if item in source.names else localized(item, source.traits.decimal)
    if name in source.names:
        return source.names.index(name)
    number = _NUMBER.fullmatch(item)
    column = int(number[1]) - 1 if number else source.width
    return column if column < source.width else None


def _called(source: Source) -> list[str]:
    """The names of the columns of a source in options; list columns once."""
    flat = source.traits.flat
    if flat is None:
        return [name or "(unnamed)" for name in source.names]
    ends = {columns[0]: f"{name} ({len(columns)})" for name, columns in flat.groups.items()}
    inner = {column for columns in flat.groups.values() for column in columns}
    return [ends.get(c, name) for c, name in enumerate(flat.names) if c in ends or c not in inner]


def _not_found(option: str, spec: str | Sequence[str], sources: Sequence[Source], prefix: str = "") -> DataError:
    """The error of an option whose columns, or one of them, no source has."""
    missing = next((item for item in spec_items(spec) if not any(_item(item, s) for s in sources)), _text(spec))
    for source in sources:
        error = _there_but(option, missing, source, prefix)
        if error is not None:
            return error
    meant = _meant(option, missing, sources, prefix) if missing == spec else []
    skipped = [line for source in sources if (line := preamble(source, option != "--preds" and missing))]
    advice = [*meant, *skipped, *map(_inventory, sources)]
    if option in ("--by", "--show", "--label") and sources[0].format == "memory":
        advice.append(
            f"texts that differ are names of columns; {option[2:]}={{'NAME': [...]}} gives a value for each row"
        )
    place = Place(sources[0].path) if len(sources) == 1 else None
    return DataError(f"{option} {shown(missing)}: there is no such column", place=place, advice=tuple(advice))


def _there_but(option: str, missing: str, source: Source, prefix: str) -> DataError | None:
    """The error of a name that several columns have, or one that cannot be read; None of a name without a column."""
    places = [n for n, name in enumerate(source.first_fields) if name == missing] if has_first_line(source) else []
    if len(places) > 1:
        which = " or ".join(f"{option} '{prefix}#{place + 1}'" for place in places)
        message = f"{len(places)} columns are called {shown(missing)}"
        return DataError(message, place=Place(source.path), advice=f"{which} chooses one by its number")
    odd = source.traits.odd if source.names else {}
    if missing in odd:
        line = without_objects(source)
        return DataError(f"{option} {shown(missing)}: {odd[missing]}", place=Place(source.path), advice=line)
    return None


def _inventory(source: Source) -> str:
    """The columns that a source has, as advice."""
    if source.names:
        return f"{source.path} has the columns {listed(_called(source))}"
    count = f"{source.width} columns without names" if source.width > 1 else "one column without a name"
    return f"{source.path} has {count}; #1 is the first"


def _meant(option: str, missing: str, sources: Sequence[Source], prefix: str) -> list[str]:
    """Advice with the column that a name may mean: one that differs by blanks and case, or a whole list."""
    advice = []
    near = [name for s in sources for name in s.names if name.strip().casefold() == missing.strip().casefold()]
    if len(near) == 1:
        home = next(source for source in sources if near[0] in source.names)
        if near[0] == f" {missing}" and (line := without_blanks(home)):
            advice.append(line)
        advice.append(f"{option} {shlex.quote(prefix + near[0])} is there: blanks and case count")
    owner = missing.rpartition(".")[0]
    if owner and any(_item(owner, source) for source in sources):
        # A part of a vector or of a list of pairs, which is read as one column.
        advice.append(f"{option} {shlex.quote(prefix + owner)} takes it whole")
    return advice


def without_objects(source: Source) -> str:
    """Return the line of Python that writes the objects of an archive as texts; empty where it has none."""
    if source.format != "npz" or not any("'|O'" in reason for reason in source.traits.odd.values()):
        return ""
    target = unused(*os.path.splitext(source.path))
    members = f"numpy.load({source.path!r}, allow_pickle=True).items()"
    each = f"{{k: v.astype(str) if v.dtype == object else v for k, v in {members}}}"
    return f"if you trust it, as a pickle could run code: numpy.savez({target!r}, **{each})"


def preamble(source: Source, name: str | Literal[False] = False) -> str:
    """Return the shell command that skips lines above the header of a text file; empty if there are none."""
    dialect, stream = getattr(source, "dialect", None), getattr(source, "stream", None)
    if dialect is None or stream is None or dialect.runs:
        return ""
    lines = stream.head.decode(errors="replace").split(dialect.end.decode())
    whole = len(stream.head) == stream.size
    return before_table(lines if whole else lines[:-1], Written(source.path, dialect.delimiter), name or "")


def without_blanks(source: Source) -> str:
    """Return the shell command that removes blanks after commas; nothing if they may be data."""
    dialect, stream = getattr(source, "dialect", None), getattr(source, "stream", None)
    blanks = [name.startswith(" ") for name in source.names]
    if dialect is None or stream is None or dialect.delimiter != "," or b'"' in stream.head or not all(blanks[1:]):
        return ""
    return Written(source.path).by("sed 's/, */,/g'", "removes the blanks after commas, also those of the labels")
