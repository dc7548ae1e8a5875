"""``[tool.xent]`` of pyproject.toml: named checks, read as the command lines that they stand for."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

from xentcli.errors import FileError, Place, UsageError, shown
from xentcli.options import Option, spelled

__all__ = ["OF_A_RUN", "Project", "in_toml", "project_of", "schema"]

_FILE = "pyproject.toml"
_KINDS = {"boolean": "true or false", "integer": "a whole number", "number": "a number", "string": "a text"}
_WORDS = {**_KINDS, "array": "an array of texts", "object": "a table"}
OF_A_RUN = ("format", "quiet", "get", "plot", "write_baseline", "state", "junit", "no_annotations")
"""Options that no check has: where results go, and a baseline, which would follow every regression."""
_OPTION = re.compile(r"(?<![\w-])--([a-z][a-z-]+)(?:[ =]([^\s;,)]+))?")
_SEVERAL = re.compile(r"(--\S+(?: [^\s-]\S*)?) (?=--)")
_PREDICTIONS = Option("Files", "File with the predictions.", "FILE")


class Project(NamedTuple):
    """The checks of a file.

    Attributes
    ----------
    path
        The file, as messages show it.
    folder
        Its folder, to which all paths in it are relative.
    checks
        The arguments of ``xent check`` of each check by name.
    keys
        The keys that a check may have.
    """

    path: str
    folder: Path
    checks: dict[str, list[str]]
    keys: Mapping[str, Option]

    def place(self, name: str) -> Place:
        """Return where a check is, for messages."""
        return Place(f"{self.path}, {_title(name)}")

    def from_here(self, line: str) -> str:
        """Return a command of xent for the folder of the file, as a command for the working directory."""
        folder = os.path.dirname(self.path)
        return f"cd {shlex.quote(folder)} && {line}" if folder and line.startswith("xent ") else line


def project_of(rows: Mapping[str, Option], start: Path) -> Project | None:
    """Return the checks of the nearest pyproject.toml with ``[tool.xent]`` in a folder or above it; None without.

    `rows` are the options that a check may have.

    Raises UsageError for what is not TOML, an unknown key, or a value of another type; naming the file and the key;
    FileError if a file cannot be read.
    """
    for folder in (start, *start.parents):
        path = folder / _FILE
        if path.is_file():
            shown_path = os.path.relpath(path, start)
            table = _parsed(path, shown_path).get("tool")
            if isinstance(table, dict) and "xent" in table:
                keys = _keys(rows)
                return Project(shown_path, folder, dict(_checks(table["xent"], shown_path, keys)), keys)
    return None


def schema(rows: Mapping[str, Option]) -> dict[str, Any]:
    """Return the JSON Schema of ``[tool.xent]``, for editors, from the rows of the options that a check may have.

    It is one of the whole file, which editors apply it to, and says nothing of other tables.
    """
    properties = {key: _described(row) for key, row in _keys(rows).items()}
    check = {"type": "object", "properties": properties, "required": ["predictions"], "additionalProperties": False}
    checks = {"type": "object", "description": "Checks by name.", "additionalProperties": check}
    own = {
        "type": "object",
        "description": "Checks of models by xent.",
        "properties": {"checks": checks},
        "required": ["checks"],
        "additionalProperties": False,
    }
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "[tool.xent] of pyproject.toml",
        "type": "object",
        "properties": {"tool": {"type": "object", "properties": {"xent": own}}},
    }


def _keys(rows: Mapping[str, Option]) -> dict[str, Option]:
    """The keys of the table of a check: the predictions, and options by their long names."""
    return {"predictions": _PREDICTIONS, **{spelled(name)[2:]: row for name, row in rows.items()}}


def _described(row: Option) -> dict[str, Any]:
    """The schema of the value of a key."""
    one: list[dict[str, Any]] = [{"type": kind} for kind in _kinds(row) if kind in _KINDS]
    if row.choices:
        # A number may stand for its digits.
        numbers = [int(c) for c in row.choices if {"integer", "number"} & {*_kinds(row)} and str(c).isdecimal()]
        one = [{"enum": [*(row.choices if "string" in _kinds(row) else ()), *numbers]}]
        one += [{"const": True}] if row.bare is not None else []
    many: list[dict[str, Any]] = [{"type": "array", "items": _any_of(one)}] if "array" in _kinds(row) else []
    if "object" in _kinds(row):
        many.append({"type": "object", "additionalProperties": {"type": ["string", "number"]}})
    return {"description": row.help, **_any_of([*one, *many])}


def _any_of(kinds: list[dict[str, Any]]) -> dict[str, Any]:
    return kinds[0] if len(kinds) == 1 else {"anyOf": kinds}


def _kinds(row: Option) -> tuple[str, ...]:
    """The types that a value may have, as JSON Schema calls them."""
    hints = row.hint.split(" | ")
    plain = {"bool": "boolean", "int": "integer", "float": "number"}.get(hints[0])
    if plain is not None:
        return (plain,)
    found = ["string"]
    found += {"refused": [], "names": ["integer"], "kept": ["number"]}[row.numbers]
    found += ["boolean"] if row.bare is not None else []
    found += ["array"] if row.multiple or "Sequence[str]" in hints else []
    return (*found, "object") if "=" in row.metavar and row.multiple else tuple(found)


def _parsed(path: Path, shown_path: str) -> dict[str, Any]:
    import tomllib

    try:
        return tomllib.loads(path.read_bytes().decode())
    except OSError as error:
        raise FileError(f"cannot be read: {error.strerror}", place=Place(shown_path)) from None
    except UnicodeDecodeError:
        raise UsageError("is not UTF-8, as TOML must be", place=Place(shown_path)) from None
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"is not TOML: {error}", place=Place(shown_path)) from None
    except RecursionError:
        raise UsageError("is not TOML: nested too deeply", place=Place(shown_path)) from None


def _title(name: str) -> str:
    return f"[tool.xent.checks.{name}]"


def _checks(table: Any, path: str, keys: Mapping[str, Option]) -> Iterator[tuple[str, list[str]]]:
    place = Place(f"{path}, [tool.xent]")
    checks = _table(table, "tool.xent", place)
    _refuse_unknown(checks, ("checks",), place)
    checks = _table(checks.get("checks", {}), "checks", place)
    if not checks:
        raise UsageError("has no check", place=place, advice="a table [tool.xent.checks.NAME] is one")
    faults: list[UsageError] = []
    for name, check in checks.items():
        try:
            yield name, _check(name, check, path, place, keys)
        except UsageError as error:
            faults.append(error)
    if len(faults) == 1:
        raise faults[0]
    if faults:
        lines = ["; ".join((fault.headline, *fault.advice)) for fault in faults]
        raise UsageError(f"{len(faults)} checks cannot be read", place=place, advice=tuple(lines))


def _check(name: str, check: Any, path: str, place: Place, keys: Mapping[str, Option]) -> list[str]:
    """The arguments of one check."""
    if not name or name.startswith("-"):
        raise UsageError(f"{shown(name)} cannot name a check: on a command line it would be an option", place=place)
    return _arguments(_table(check, f"checks.{name}", place), Place(f"{path}, {_title(name)}"), keys)


def _table(value: Any, key: str, place: Place) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise UsageError(f"{key} is a table, not {_value(value)}", place=place)
    return value


def _arguments(check: Mapping[str, Any], place: Place, keys: Mapping[str, Option]) -> list[str]:
    """The arguments of the command line that a table stands for."""
    _refuse_unknown(check, keys, place)
    if "predictions" not in check:
        raise UsageError("predictions is missing: the file to check", place=place)
    words: list[str] = []
    for key, value in check.items():
        texts = _texts(key, value, keys[key], place)
        words += [f"--{key}" if text is None else f"--{key}={text}" for text in texts if key != "predictions"]
    return [*words, "--", _text("predictions", check["predictions"], _PREDICTIONS, place)]


def _texts(key: str, value: Any, row: Option, place: Place) -> Iterator[str | None]:
    """The values of an option on the command line; None for a flag that is set."""
    able = _kinds(row)
    if isinstance(value, bool) and "boolean" in able:
        if value:
            yield row.bare
        elif row.bare is not None:
            _refuse(key, value, row, place)
    elif isinstance(value, list) and "array" in able:
        texts = [_text(key, item, row, place) for item in value]
        if not row.multiple and (cut := next((text for text in texts if "," in text), None)) is not None:
            raise UsageError(
                f"{key}: {shown(cut)} has a comma, which separates names here",
                place=place,
                advice="a column can be given by its number, as in '#1'",
            )
        yield from texts if row.multiple else [",".join(texts)]
    elif isinstance(value, dict) and "object" in able:
        one = Option("", "", numbers="kept")
        yield from (f"{name}={_text(f'{key}.{name}', item, one, place)}" for name, item in value.items())
    else:
        yield _text(key, value, row, place)


def _text(key: str, value: Any, row: Option, place: Place) -> str:
    """One value as a word of the command line."""
    kind = {str: "string", int: "integer", float: "number"}.get(type(value), "none")
    if kind not in _kinds(row) and not (kind == "integer" and "number" in _kinds(row)):
        _refuse(key, value, row, place)
    if row.names_file and str(value).rpartition(":")[2] == "-":
        raise UsageError(f"{key} is a file here, not - for a stream", place=place)
    return row.without_secrets(str(value))


def _refuse(key: str, value: Any, row: Option, place: Place) -> NoReturn:
    words = [_WORDS[kind] for kind in _kinds(row)]
    raise UsageError(f"{key} is {' or '.join(words)}, not {_value(value)}", place=place)


def _value(value: Any) -> str:
    """A value of TOML in a message."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return "an array"
    return "a table" if isinstance(value, dict) else shown(value) if isinstance(value, str) else str(value)


def _refuse_unknown(table: Mapping[str, Any], known: Sequence[str] | Mapping[str, Any], place: Place) -> None:
    for key in table:
        if key not in known:
            if key.replace("-", "_") in OF_A_RUN and "predictions" in known:
                run = "PREDS LABELS --write-baseline FILE" if "baseline" in key else f"--{key} ..."
                raise UsageError(
                    f"{key} belongs on the command line, not in a check", place=place, advice=f"xent check {run}"
                )
            import difflib

            near = difflib.get_close_matches(key.lower().replace("_", "-"), known, 1, 0.0)[0]
            raise UsageError(f"unknown key {shown(key)}", place=place, advice=f"the nearest is {near}")


def in_toml(line: str, keys: Mapping[str, Option]) -> str:
    """Return a line of advice with options as keys; `keys` are those of a check. A command stays as it is.

    >>> limits = {"max": Option("", "", "METRIC=X", multiple=True), "strict": Option("", "", hint="bool")}
    >>> in_toml("--max cost=0.5 --strict", limits), in_toml("xent check --max cost=1", limits)
    ('max = { cost = 0.5 }, strict = true', 'xent check --max cost=1')
    """
    if "xent " in line or " > " in line:
        return line
    return _OPTION.sub(lambda found: _as_key(found, keys), _SEVERAL.sub(r"\1, ", line))


def _as_key(found: re.Match[str], keys: Mapping[str, Option]) -> str:
    """An option in a line of advice, as a key; what follows it may be its value, or prose."""
    name, value = found.groups()
    plain = found[0].removeprefix("--")
    if name not in keys:
        return found[0]
    row = keys[name]
    if _kinds(row) == ("boolean",) or (value is None and row.bare is not None):
        return f"{name} = true{plain.removeprefix(name)}"
    metric, equals, limit = (value or "").partition("=")
    if equals and "object" in _kinds(row):
        return f"{name} = {{ {metric} = {_toml(limit)} }}"
    is_value = value is not None and (not value.isalpha() or value.isupper() or value in row.choices)
    return f"{name} = {_toml(value)}" if is_value else plain


def _toml(text: str) -> str:
    """A value of TOML; X stands for a number."""
    # NumPy would be loaded for the help.
    from xentcli.columns.numerals import number

    return text if number(text) is not None or text == "X" else f'"{text}"'
