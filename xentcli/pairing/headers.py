"""Whether the first line of a text file is a header or data."""

from __future__ import annotations

import re
from collections.abc import Sequence
from enum import Enum

from xentcli.errors import DataError, Place, shown
from xentcli.pairing.columns import columns_of, spec_items
from xentcli.readers.numerals import is_number
from xentcli.readers.source import Headed, Source, files_in, has_first_line
from xentcli.records import record, replace
from xentcli.settings import Settings

__all__ = ["with_header", "with_headers"]

_REAL = re.compile(r"[ \t]*[+-]?(?:[0-9]*\.[0-9]*|[0-9.]+[eE][+-]?[0-9]+)[ \t]*")


class Line(Enum):
    """What a first line looks like."""

    HEADER = "header"
    DATA = "data"
    EITHER = "either"


@record(frozen=True)
class Side:
    """A text file whose first line is judged."""

    name: str
    source: Headed

    def taken(self, header: bool) -> Source:
        """The source with the first line so taken."""
        return self.source.with_header(header)


def with_headers(
    predictions: Source, labels: Source | None, settings: Settings, class_names: Sequence[str]
) -> tuple[Source, Source | None]:
    """Decide for both files whether they have a header.

    There is one if the first line has a field that is not a number, unless that one
    field is a class name. A line that could be either is a header if and only if the
    row counts of the two files then agree.

    Raises
    ------
    DataError
        Where it stays ambiguous, naming --header and --no-header.
    """
    looks: dict[str, Line] = {}
    text = [Side(n, s) for n, s in (("predictions", predictions), ("labels", labels)) if s and has_first_line(s)]
    for side in text:
        known: Sequence[str] = ()
        if side.name == "labels":
            known = class_names or _names_of_classes(predictions, looks.get("predictions"), settings)
        looks[side.name] = _look(side, settings, _named_columns(settings, side.name), known)
    open_sides = [side for side in text if looks[side.name] is Line.EITHER]
    chosen = {side.name: looks[side.name] is Line.HEADER for side in text if side not in open_sides}
    if open_sides:
        chosen.update(_by_counts(open_sides, text, chosen, predictions, labels, settings))
    taken: dict[str, Source] = {side.name: side.taken(chosen[side.name]) for side in text if side.source.width}
    return taken.get("predictions", predictions), taken.get("labels", labels)


def with_header(other: Source, files: Sequence[Source], settings: Settings) -> Source:
    """Decide whether a further text file, of which options name columns, has a header.

    Raises
    ------
    DataError
        Where it could be either, and no row count decides.
    """
    if not has_first_line(other) or not other.width:
        return other
    side = Side("labels", other)
    look = _look(side, replace(settings, header=None, no_header=None), _named_columns(settings, "labels"), ())
    if look is not Line.EITHER:
        return other.with_header(look is Line.HEADER)
    first = files[0]
    if settings.id is not None or not (first.repeatable and other.repeatable):
        raise _ambiguous([side])
    return other.with_header(other.lines() - _heads(other) == first.lines() - bool(first.header) * _heads(first))


def _names_of_classes(predictions: Source, look: Line | None, settings: Settings) -> Sequence[str]:
    """What a label may be called: as the columns of the predictions are, or as the positive class."""
    if settings.positive is not None:
        return (settings.positive,)
    if predictions.width == 1:
        return ()
    if has_first_line(predictions):
        return predictions.first_fields if look is Line.HEADER else ()
    return predictions.names


def _named_columns(settings: Settings, side: str) -> set[str]:
    """The column names that options use; if the first line has one, it is a header.

    Prediction columns are called as classes are: in a file of labels such a name may be a label.
    """
    preds = settings.preds if side == "predictions" else None
    named = (settings.label, settings.id, settings.weights, settings.cluster, settings.bytes)
    specs = (preds, *named, *settings.slices, *settings.shown_columns)
    items = {item for spec in specs if spec is not None and not isinstance(spec, int) for item in spec_items(spec)}
    items |= {spec.strip() for spec in specs if isinstance(spec, str)}
    items |= {item.rpartition(":")[2] for item in items if item.startswith("@")}
    ends = {end for item in items for end in item.split(":")}
    return items | ends


def _look(side: Side, settings: Settings, named: set[str], class_names: Sequence[str]) -> Line:
    said = settings.header_of(side.name)
    fields = side.source.first_fields
    if said is not None:
        return Line.HEADER if said else Line.DATA
    if not fields:
        return Line.DATA
    if any(field in named for field in fields if field):
        return Line.HEADER
    numeric = [is_number(field) for field in fields]
    if all(numeric):
        return Line.EITHER if _is_series(fields) else Line.DATA
    if len(fields) == 1:
        return Line.EITHER if fields[0] in class_names else Line.HEADER
    real = [field for field, number in zip(fields, numeric, strict=True) if number and _REAL.fullmatch(field)]
    if real:
        text = next(field for field, number in zip(fields, numeric, strict=True) if not number)
        raise DataError(
            f"the first line has text ({shown(text)}) and decimals ({shown(real[0])}): a header or data?",
            place=Place(side.source.path, line=1),
            advice=_options(side),
        )
    return Line.HEADER


def _is_series(fields: Sequence[str]) -> bool:
    """Whether the fields are 0,1,...,K-1, as pandas and R name columns that have no names."""
    return all(field.strip() == str(index) for index, field in enumerate(fields))


def _by_counts(
    undecided: list[Side],
    text: list[Side],
    chosen: dict[str, bool],
    predictions: Source,
    labels: Source | None,
    settings: Settings,
) -> dict[str, bool]:
    """Take first lines as headers or data so that the row counts of both files agree."""
    if labels is None or settings.id is not None or not (predictions.repeatable and labels.repeatable):
        return {side.name: _alone(side, settings) for side in undecided}
    lines = {"predictions": predictions.lines(), "labels": labels.lines()}
    difference = lines["predictions"] - lines["labels"]
    heads = {"predictions": _heads(predictions), "labels": _heads(labels)}
    names = [side.name for side in undecided]
    agreeing = []
    for reading in _readings(names):
        taken = {**dict.fromkeys(lines, 0), **chosen, **reading}
        rows = {name: header * heads[name] for name, header in taken.items()}
        if difference == rows["predictions"] - rows["labels"]:
            agreeing.append({name: bool(reading[name]) for name in names})
    if len(agreeing) == 1:
        return agreeing[0]
    if not agreeing:
        return dict.fromkeys(names, False)
    first = undecided[0]
    if first.name == "predictions" and not _could_score(first.source, settings):
        return next(reading for reading in agreeing if reading["predictions"])
    raise _ambiguous(undecided)


def _heads(source: Source) -> int:
    """How many first lines there are: one in each file."""
    return max(1, len(files_in(source)))


def _readings(names: list[str]) -> list[dict[str, int]]:
    if len(names) == 1:
        return [{names[0]: 0}, {names[0]: 1}]
    return [{names[0]: a, names[1]: b} for a in (0, 1) for b in (0, 1)]


def _alone(side: Side, settings: Settings) -> bool:
    """Judge a first line without the other file's row count."""
    if side.name == "predictions" and not _could_score(side.source, settings):
        return True
    raise _ambiguous([side])


def _could_score(source: Headed, settings: Settings) -> bool:
    """Whether 0,1,...,K-1 could be a row of predictions."""
    values = _prediction_columns(source, settings)
    if settings.kind == "probs":
        return values in ((0,), (1,)) or (len(values) > 1 and (sum(values) == 1 or settings.renormalize))
    if settings.kind == "true-probs":
        return max(values, default=0) <= 1
    return settings.kind not in ("logprobs", "true-logprobs") or values == (0,)


def _prediction_columns(source: Headed, settings: Settings) -> tuple[int, ...]:
    """The columns that will be predictions, which are also the values of the line 0,1,...,K-1."""
    prefix = f"@{source.path}:"
    found: dict[str, tuple[int, ...]] = {}
    for role in ("preds", "label", "id", "weights", "cluster", "bytes"):
        spec = getattr(settings, role)
        if spec is not None and not isinstance(spec, int):
            columns = columns_of(spec.removeprefix(prefix) if isinstance(spec, str) else spec, source)
            found[role] = columns or ()
    others = {column for role, columns in found.items() if role != "preds" for column in columns}
    return found.get("preds") or tuple(column for column in range(source.width) if column not in others)


def _ambiguous(sides: list[Side]) -> DataError:
    first = sides[0]
    line = ",".join(first.source.first_fields[:4]) + (",..." if first.source.width > 4 else "")
    return DataError(
        f"the first line {shown(line)} could be a header or data",
        place=Place(first.source.path, line=1),
        advice=tuple(_options(side) for side in sides),
    )


def _options(side: Side) -> str:
    return f"--header {side.name} or --no-header {side.name}"
