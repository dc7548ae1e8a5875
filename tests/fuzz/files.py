"""A case as files and as a command line: `xent score` and its arguments."""

from __future__ import annotations

import bz2
import csv
import gzip
import io
import json
import lzma
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np

from tests.fuzz.oracle import ALONE, Problem, Side, class_names

COLUMN = {
    "label": "truth",
    "weight": "w",
    "by": "site",
    "by2": "sex",
    "cluster": "patient",
    "bytes": "len",
    "id": "id",
    "note": "note",
}
"""The name of the column of a role; "note" has no role and nothing uses it."""
OPTION = {"weight": "--weights", "cluster": "--cluster", "bytes": "--bytes", "id": "--id"}
TEXT = ("csv", "tsv", "semicolon", "csv.gz", "csv.bz2", "csv.xz")
COMPRESS: dict[str, Callable[[bytes], bytes]] = {
    "csv.gz": lambda raw: gzip.compress(raw, 1, mtime=0),
    "csv.bz2": lambda raw: bz2.compress(raw, 1),
    "csv.xz": lambda raw: lzma.compress(raw, preset=0),
}
NAMED = (*TEXT, "jsonl", "npz", "parquet", "arrow")


@dataclass
class Layout:
    """How a side is stored; q_names and the like are in the Spec."""

    format: str = "csv"
    header: bool = True
    list_column: bool = False
    dtype: str = "f8"
    fortran: bool = False
    order: list[str] = field(default_factory=list)
    line_end: str = "\n"
    label_type: str = "text"
    quirks: frozenset[str] = frozenset()
    """For text: "bom", "open" (no newline at the end), "blank" (blank lines there), "spaces", "quotes"; else "whole"
    (groups and ids that are numbers are stored so) and "dictionary" (texts are dictionary-encoded)."""
    shards: int = 1
    shape: tuple[int, ...] = ()
    """The shape of an NPY file, if not a row each; for classes with their axis left out."""
    class_axis: int = -1

    @property
    def named(self) -> bool:
        """Whether each prediction has a column with a name."""
        return not self.list_column and self.format != "npy" and (self.header or self.format not in TEXT)


@dataclass
class Spec:
    """A command line: what it is about, how the files are laid out, and what else is asked for."""

    problem: Problem
    preds: Layout
    labels: Layout | None
    q_names: list[str]
    target_names: list[str]
    choose: str = "none"
    choose_label: bool = True
    flags: list[str] = field(default_factory=list)
    extra: list[str] = field(default_factory=list)
    class_file: bool = False
    third: str = ""
    """A role whose column is in a file of its own."""
    doubt: bool = False
    """Whether the contract leaves it open to score or to refuse: then both are right."""


# Headers.

_NUMBER = re.compile(r"\s*[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?\s*|\s*[-+]?(nan|inf|infinity)\s*", re.IGNORECASE)


def numeric(text: str) -> bool:
    """Whether a field could be a number."""
    return _NUMBER.fullmatch(text) is not None


def header_flags(spec: Spec) -> list[str]:
    """Return --header and --no-header where the first line is not plainly one or the other."""
    flags = []
    for name, side, layout in (
        ("predictions", spec.problem.preds, spec.preds),
        ("labels", spec.problem.labels, spec.labels),
    ):
        if side is None or layout is None or layout.format not in TEXT:
            continue
        flag = f"--{'header' if layout.header else 'no-header'}={name}"
        lines = table_lines(spec, side, layout)
        first = lines[0] if lines else []
        if layout.header:
            classes = class_names(spec.problem) if spec.problem.kind not in ALONE else []
            clear = not any(numeric(field) for field in first) and not (len(first) == 1 and first[0] in classes)
        else:
            clear = (
                all(numeric(field) for field in first) and bool(lines) and not all(_WHOLE.fullmatch(f) for f in first)
            )
        if not clear:
            flags.append(flag)
    return flags if len(flags) < 2 or flags[0][:5] != flags[1][:5] else [flags[0].replace("predictions", "both")]


_WHOLE = re.compile(r"[0-9]+(\.0)?")


# Files.


def fields(spec: Spec, side: Side, layout: Layout) -> list[tuple[str, str, list[Any]]]:
    """Return the columns of a file: name, what they hold (number, text, vector), values."""
    found: list[tuple[str, str, list[Any]]] = []
    for role in [*layout.order, *(role for role in side.columns if role not in layout.order)]:
        if role not in side.columns or role == spec.third:
            continue
        values = side.columns[role]
        if role in ("q", "target"):
            names = spec.q_names if role == "q" else spec.target_names
            if layout.list_column or layout.format == "npy":
                found.append(("scores" if role == "q" else "dist", "vector", values))
            else:
                found += [(name, "number", [row[i] for row in values]) for i, name in enumerate(names)]
        elif role == "label" and layout.label_type != "text":
            found.append((COLUMN[role], layout.label_type, [int(float(text)) for text in values]))
        else:
            found.append((COLUMN[role], *_stored(role, values, layout)))
    return found


def _stored(role: str, values: list[Any], layout: Layout) -> tuple[str, list[Any]]:
    if role in ("weight", "bytes"):
        return "number", values
    if "whole" in layout.quirks and layout.format not in TEXT and all(re.fullmatch("0|[1-9][0-9]*", x) for x in values):
        return "i8", [int(x) for x in values]
    return "text", values


def _text(value: Any) -> str:
    return repr(value) if isinstance(value, float) else str(value)


def table_lines(spec: Spec, side: Side, layout: Layout) -> list[list[str]]:
    """Return the fields of a text file, line by line."""
    columns = fields(spec, side, layout)
    lines = [[name for name, _, _ in columns]] if layout.header else []
    space = " " if "spaces" in layout.quirks else ""
    around = [space if kind == "number" else "" for _, kind, _ in columns]
    return lines + [
        [pad + _text(values[i]) + pad for pad, (_, _, values) in zip(around, columns, strict=True)]
        for i in range(side.count)
    ]


def _write_text(path: Path, spec: Spec, side: Side, layout: Layout) -> None:
    out = io.StringIO()
    delimiter = {"tsv": "\t", "semicolon": ";"}.get(layout.format, ",")
    quoting: Literal[0, 1] = csv.QUOTE_ALL if "quotes" in layout.quirks else csv.QUOTE_MINIMAL
    lines = table_lines(spec, side, layout)
    csv.writer(out, delimiter=delimiter, lineterminator=layout.line_end, quoting=quoting).writerows(lines)
    text = out.getvalue()
    text = text.removesuffix(layout.line_end) if "open" in layout.quirks else text
    text += layout.line_end * 2 if "blank" in layout.quirks and text else ""
    raw = text.encode("utf-8-sig" if "bom" in layout.quirks else "utf-8")
    path.write_bytes(COMPRESS.get(layout.format, bytes)(raw))


def _write_jsonl(path: Path, columns: list[tuple[str, str, list[Any]]], count: int) -> None:
    path.write_text(
        "".join(json.dumps({name: values[i] for name, _, values in columns}) + "\n" for i in range(count)),
        encoding="utf-8",
    )


def _array(kind: str, values: list[Any], layout: Layout, width: int) -> Any:
    if kind == "text":
        return np.array(values, dtype=str)
    if kind == "vector":
        array = np.array(values, dtype=np.float64).reshape(len(values), width)
        array = array.astype(layout.dtype)
        return np.asfortranarray(array) if layout.fortran else array
    return np.array(values, dtype=layout.dtype if kind == "number" else kind)


def _arrow_table(spec: Spec, columns: list[tuple[str, str, list[Any]]], layout: Layout) -> Any:
    import pyarrow as pa

    arrays = []
    for name, kind, values in columns:
        if kind == "vector":
            flat = pa.array(np.array(values, dtype=_plain(layout, name, spec).dtype).reshape(-1))
            offsets = pa.array(np.arange(len(values) + 1) * spec.problem.width, pa.int32())
            arrays.append(pa.ListArray.from_arrays(offsets, flat))
        elif kind == "text":
            texts = pa.array(values, pa.string())
            arrays.append(texts.dictionary_encode() if "dictionary" in layout.quirks else texts)
        else:
            dtype = layout.dtype if kind == "number" and name in spec.q_names else ("f8" if kind == "number" else kind)
            arrays.append(pa.array(np.array(values).astype(dtype)))
    return pa.table(arrays, names=[name for name, _, _ in columns])


EXTENSION = {"semicolon": "csv"}


def write(folder: Path, spec: Spec) -> None:
    """Write the files of a case."""
    for stem, side, layout in (("p", spec.problem.preds, spec.preds), ("y", spec.problem.labels, spec.labels)):
        if side is not None and layout is not None:
            for place, part in _shards(side, layout):
                _write_side(folder / f"{stem}{place}.{EXTENSION.get(layout.format, layout.format)}", spec, part, layout)
    if spec.third:
        _write_third(folder / "t.csv", spec)
    if spec.class_file:
        csv.writer((folder / "classes.txt").open("w", encoding="utf-8", newline="")).writerows(
            [[n] for n in spec.problem.names or []]
        )


def _shards(side: Side, layout: Layout) -> list[tuple[str, Side]]:
    """Return the parts of a side, each with what its name has for it."""
    if layout.shards == 1:
        return [("", side)]
    ends = [round(side.count * i / layout.shards) for i in range(layout.shards + 1)]
    # Numbered so that names sorted as text would be in another order.
    return [
        (f"-{8 + i}", Side({role: values[ends[i] : ends[i + 1]] for role, values in side.columns.items()}))
        for i in range(layout.shards)
    ]


def _write_third(path: Path, spec: Spec) -> None:
    side = next(s for s in (spec.problem.preds, spec.problem.labels) if s is not None and spec.third in s.columns)
    values = side.columns[spec.third]
    with path.open("w", encoding="utf-8", newline="") as out:
        csv.writer(out).writerows([[COLUMN[spec.third], "more"], *([_text(x), "z"] for x in values)])


def _write_side(path: Path, spec: Spec, side: Side, layout: Layout) -> None:
    columns = fields(spec, side, layout)
    width = spec.problem.width
    if layout.format in TEXT:
        _write_text(path, spec, side, layout)
    elif layout.format == "jsonl":
        _write_jsonl(path, columns, side.count)
    elif layout.format == "npy":
        np.save(path, _shaped(_array(columns[0][1], columns[0][2], layout, width), layout, width))
    elif layout.format == "npz":
        plain = {name: _array(kind, values, _plain(layout, name, spec), width) for name, kind, values in columns}
        (np.savez if len(columns) % 2 else np.savez_compressed)(path, **plain)
    elif layout.format == "safetensors":
        from safetensors.numpy import save_file

        plain = {name: np.ascontiguousarray(_array(kind, values, layout, width)) for name, kind, values in columns}
        save_file(plain, path)
    elif layout.format == "parquet":
        import pyarrow.parquet

        pyarrow.parquet.write_table(_arrow_table(spec, columns, layout), path, row_group_size=7)
    else:
        import pyarrow.feather

        pyarrow.feather.write_feather(_arrow_table(spec, columns, layout), path, compression="uncompressed")


def _shaped(array: Any, layout: Layout, width: int) -> Any:
    if layout.shape:
        array = array.reshape(*layout.shape, *array.shape[1:])
    if array.ndim > 1 and array.shape[-1] == width == 1:
        array = array[..., 0]
    return np.moveaxis(array, -1, layout.class_axis) if layout.class_axis >= 0 else array


def _plain(layout: Layout, name: str, spec: Spec) -> Layout:
    """Only predictions are stored as the layout's dtype."""
    return layout if name in (*spec.q_names, "scores") else Layout(format=layout.format)


# The command line.


def command(spec: Spec) -> list[str]:
    """Return the arguments after `xent score`."""
    problem = spec.problem
    args = [_path("p", spec.preds)]
    if spec.labels is not None:
        args.append(_path("y", spec.labels))
    if spec.preds.class_axis >= 0:
        args += ["--class-axis", str(spec.preds.class_axis)]
    if problem.kind != "probs":
        args += ["--kind", problem.kind]
    args += _chosen_predictions(spec) + _chosen_label(spec) + _chosen_roles(spec) + _chosen_options(spec)
    return [*args, *spec.flags, *spec.extra]


def _path(stem: str, layout: Layout) -> str:
    return f"{stem}{'-*' if layout.shards > 1 else ''}.{EXTENSION.get(layout.format, layout.format)}"


def _reference(spec: Spec, layout: Layout, side: Side, role: str) -> str:
    """Return a COLUMNS argument for the columns of a role."""
    names = [name for name, _, _ in fields(spec, side, layout)]
    mine = {"q": spec.q_names, "target": spec.target_names}.get(role, [COLUMN.get(role, "")])
    if layout.list_column and role in ("q", "target"):
        mine = ["scores" if role == "q" else "dist"]
    if layout.format == "npy" or (layout.format in TEXT and not layout.header):
        first = 1 if layout.format == "npy" else names.index(mine[0]) + 1
        return f"#{first}:#{first + len(mine) - 1}" if len(mine) > 1 else f"#{first}"
    if spec.choose == "numbers" and len(mine) > 1 and layout.format in TEXT:
        first = names.index(mine[0]) + 1
        return f"#{first}:#{first + len(mine) - 1}"
    if spec.choose == "range" and len(mine) > 1:
        return f"{mine[0]}:{mine[-1]}"
    return ",".join(mine)


def _chosen_predictions(spec: Spec) -> list[str]:
    if spec.choose == "none" or spec.preds.format == "npy":
        return []
    return ["--preds", _reference(spec, spec.preds, spec.problem.preds, "q")]


def _chosen_label(spec: Spec) -> list[str]:
    problem = spec.problem
    if problem.kind in ALONE or not spec.choose_label:
        return []
    role = "target" if problem.has("target") else "label"
    if spec.labels is None:
        return ["--label", _reference(spec, spec.preds, problem.preds, role)]
    assert problem.labels is not None
    return [] if spec.labels.format == "npy" else ["--label", _reference(spec, spec.labels, problem.labels, role)]


def _chosen_roles(spec: Spec) -> list[str]:
    problem = spec.problem
    args = []
    for role, option in OPTION.items():
        if problem.has(role):
            args += [option, COLUMN[role] if role != spec.third else f"@t.csv:{COLUMN[role]}"]
    if problem.has("by"):
        args += ["--by", COLUMN["by"] + ("," + COLUMN["by2"] if problem.has("by2") else "")]
    return args


def _chosen_options(spec: Spec) -> list[str]:
    args = []
    for name, value in spec.problem.options.items():
        flag = f"--{name.replace('_', '-')}"
        if name == "class_weight":
            for one, weight in value.items():
                args += [flag, f"{one}={weight!r}"]
        elif value is True:
            args.append(flag)
        elif name == "classes":
            args += [flag, "@classes.txt" if spec.class_file else ",".join(value)]
        else:
            args.append(f"{flag}={value!r}" if isinstance(value, float) else f"{flag}={value}")
    return args
