"""Near misses: how an unmatched text differs from one that would match, and the command that fixes it."""

from __future__ import annotations

import itertools
import os
import re
import shlex
from collections.abc import Callable, Iterable, Sequence

from xentcli.errors import unused
from xentcli.readers.source import Source
from xentcli.readers.text.faults import Written
from xentcli.records import record

__all__ = ["STEPS", "Step", "clean_copy", "differences", "differing", "loose", "names_of", "renaming", "without"]

_EXTENSION = (
    r"(?i)\.(jpe?g|png|gif|bmp|tiff?|webp|dcm|nii|npy|npz|wav|mp3|flac|ogg|mp4|avi|mov|txt|json|xml|html?|csv|pdf)$"
)
_COMPRESSED = (".gz", ".bz2", ".xz", ".zst")


@record(frozen=True)
class Step:
    """A kind of difference between spellings of one text, and how to remove it.

    Attributes
    ----------
    name
        The difference, in words.
    apply
        Returns a text without the difference.
    code
        The same as a Python expression of a text s.
    """

    name: str
    apply: Callable[[str], str]
    code: str


def _composed(text: str) -> str:
    import unicodedata

    return unicodedata.normalize("NFC", text)


STEPS = (
    Step("blanks around it", str.strip, "s.strip()"),
    Step("quotes around it", lambda s: s.strip("\"'"), "s.strip(chr(34) + chr(39))"),
    Step("Unicode normalisation", _composed, 'unicodedata.normalize("NFC", s)'),
    Step("upper and lower case", str.lower, "s.lower()"),
    Step("the folder before it", lambda s: re.split(r"[/\\]", s)[-1], r're.split(r"[/\\]", s)[-1]'),
    Step("the file extension", lambda s: re.sub(_EXTENSION, "", s), r're.sub(r"\.[A-Za-z]\w*$", "", s)'),
    Step("a number sign before it", lambda s: re.sub(r"^#\s+", "", s), r're.sub(r"^#\s+", "", s)'),
    Step("a plus sign", lambda s: re.sub(r"^\+(?=[\d.])", "", s), r're.sub(r"^\+(?=[\d.])", "", s)'),
    Step("leading zeros", lambda s: re.sub(r"^0+(?=\d)", "", s), r're.sub(r"^0+(?=\d)", "", s)'),
    Step("a full stop at its end", lambda s: s.rstrip("."), 's.rstrip(".")'),
    Step("features after it", lambda s: re.sub(r"\s+\d+:.*$", "", s), r're.sub(r"\s+\d+:.*$", "", s)'),
    Step("a decimal point", lambda s: re.sub(r"(?<=\d)\.0*$", "", s), r're.sub(r"(?<=\d)\.0*$", "", s)'),
    Step(
        "true or false as a number",
        lambda s: {"true": "1", "false": "0"}.get(s.lower(), s),
        '{"true": "1", "false": "0"}.get(s.lower(), s)',
    ),
)
"""The recognised differences, in the order in which they are removed."""


def without(text: str, steps: Iterable[Step]) -> str:
    """Return a text with these differences removed."""
    for step in steps:
        text = step.apply(text)
    return text


def loose(text: str) -> str:
    """Return the canonical spelling of a text: with all differences removed.

    >>> loose(" data/IMG_007.jpg"), loose("+1.0"), loose('"00"')
    ('img_007', '1', '0')
    """
    return without(text, STEPS)


def differing(one: str, other: str) -> tuple[Step, ...]:
    """Return the fewest steps that make two texts equal; none if they stay different.

    >>> [step.name for step in differing("3", "00003.0")]
    ['leading zeros', 'a decimal point']
    >>> differing("cat", "dog")
    ()
    """
    if one == other or loose(one) != loose(other):
        return ()
    sizes = range(1, len(STEPS) + 1)
    every = (steps for size in sizes for steps in itertools.combinations(STEPS, size))
    return next((steps for steps in every if without(one, steps) == without(other, steps)), ())


def differences(texts: Sequence[str], names: Sequence[str]) -> list[Step]:
    """Return the steps that turn each text into the one name it nearly is; none if a text is not nearly a name.

    >>> [step.name for step in differences([" a.", "b"], ["a", "b"])]
    ['blanks around it', 'a full stop at its end']
    """
    found: list[Step] = []
    for text in texts:
        each = [steps for name in names if (steps := differing(text, name))]
        if text not in names and len(each) != 1:
            return []
        found += [step for step in each[0] if without(text, each[0]) != text] if text not in names else []
    return [step for step in STEPS if step in found]


def names_of(steps: Sequence[Step]) -> str:
    """Return the differences in words."""
    return " and ".join(step.name for step in steps)


def clean_copy(source: Source, column: int, steps: Sequence[Step], name: str = "") -> str:
    """Return the shell command that writes a copy of a file with these differences removed from a column.

    With `name` the copy has that name for the column.

    It is empty unless pandas can write the file in the same format.
    """
    path, (stem, ending) = source.path, os.path.splitext(source.path)
    if not (path.isprintable() and os.path.isfile(path)):
        return ""
    if ending.lower() in _COMPRESSED:
        stem, ending = os.path.splitext(stem)
    target = unused(stem, ending)
    dialect = getattr(source, "dialect", None)
    if dialect is not None:
        delimiter = dialect.delimiter
        given = "" if delimiter == "," else f", sep={_quoted(delimiter)}"
        bare = "" if source.header else ", header=None"
        read = f"pandas.read_csv({_quoted(path)}, dtype=str, keep_default_na=False{given}{bare})"
        headless = "" if source.header else ", header=False"
        write = f"f.to_csv({_quoted(target)}, index=False{given}{headless})"
    elif source.format == "parquet":
        read, write = f"pandas.read_parquet({_quoted(path)})", f"f.to_parquet({_quoted(target)}, index=False)"
    else:
        return ""
    codes = [step.code for step in steps]
    modules = ["pandas", *(name for name in ("re", "unicodedata") if any(f"{name}." in code for code in codes))]
    changes = (f"f.isetitem({column}, [{code} for s in f.iloc[:, {column}].astype(str)])" for code in codes)
    called = [f"f = f.rename(columns={{f.columns[{column}]: {_quoted(name)}}})"] if name and source.header else []
    lines = [f"import {', '.join(modules)}", f"f = {read}", *changes, *called, write]
    return f"python3 -c {shlex.quote('; '.join(lines))}   # writes {target}, to use in place of {path}"


def renaming(source: Source, name: str, new: str) -> str:
    """Return the command that writes a copy of a file with another name of a column; empty for other formats."""
    dialect = getattr(source, "dialect", None)
    if not all(re.fullmatch(r"\w+", one) for one in (name, new)):
        return ""
    done = f"calls the ids {new} in both files"
    if source.format == "parquet":
        read, target = f"pandas.read_parquet({source.path!r})", unused(*os.path.splitext(source.path))
        return f"{read}.rename(columns={{{name!r}: {new!r}}}).to_parquet({target!r}, index=False) {done}"
    if dialect is None or not source.header:
        return ""
    between = "[|]" if dialect.delimiter == "|" else dialect.delimiter
    ends = f"(^|{between})", f"({between}|$)"
    script = f"sed -E '1s/{ends[0]}{name}{ends[1]}/\\1{new}\\2/'"
    return Written(source.path).by(script, done)


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\t", "\\t") + '"'
