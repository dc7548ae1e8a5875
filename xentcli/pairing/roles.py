"""Roles: which column of which source is a prediction, a label, an id, a weight."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import cast

from xentcli.columns.column import texts_of
from xentcli.columns.numerals import number
from xentcli.errors import DataError, Place
from xentcli.given import Given
from xentcli.pairing.alignment import PartQueue
from xentcli.pairing.columns import Found, Roles, find_columns, listed, name_of, spec_items
from xentcli.pairing.index import INDEX, index_column, is_held
from xentcli.pairing.inputs import ROLES, Inputs
from xentcli.pairing.lists import has_lists
from xentcli.pairing.stray import LOOK_AT, first_text
from xentcli.readers.source import Pick, Selection, Source, text_for_numbers
from xentcli.settings import Settings

__all__ = ["NO_WEIGHT", "find_labels", "find_named", "picks_of", "used_columns"]

_MEANINGS = {
    "preds": "the predictions",
    "label": "one column for each class",
    "weights": "the weights",
    "bytes": "--bytes",
    "reference": "the forecast of --reference",
}
_NO_NUMBER = "a column that is not a prediction? --preds NAME,... chooses the columns"
_FORECASTS = ("preds", "reference")
NO_WEIGHT = "a row without a weight? a weight of 0 leaves it out"
_IF_MISSING = {
    "reference": "rows without a reference forecast? --skip-missing leaves them out",
    "preds": "rows without a prediction? --skip-missing leaves them out",
    "label": "targets that are missing? --ignore-label missing skips them",
    "weights": NO_WEIGHT,
}


def find_named(read: Inputs) -> None:
    """Find the columns that options name; --id is searched in every file, other options in one."""
    roles, settings, sources, further = read.roles, read.settings, read.pair, read.sources[read.files :]
    other = sources[-1]

    def find(role: str, spec: str | Sequence[str], home: Source = other) -> None:
        option = f"--{role.partition('.')[0]}"
        roles[role] = [find_columns(option, spec, sources, home, further)]

    for role in ("label", "weights", "cluster"):
        spec = getattr(settings, role)
        if spec is not None:
            find(role, spec)
    if settings.preds is not None:
        find("preds", settings.preds, sources[0])
    if settings.reference is not None and settings.reference_shares is None:
        find("reference", cast("str | Sequence[str]", settings.reference), sources[0])
    if settings.bytes is not None and settings.bytes_in_all is None:
        find("bytes", settings.bytes if isinstance(settings.bytes, str) else str(settings.bytes))
    for option, specs in (("by", settings.slices), ("show", settings.shown_columns)):
        for index, spec in enumerate(specs):
            whole = isinstance(spec, Given) or any(spec in source.names for source in sources)
            for place, item in enumerate([spec] if whole else spec_items(spec)):
                find(f"{option}.{index}.{place}", item)
    if settings.id is not None:
        sides = zip(sources, ("predictions", "labels"), strict=False)
        roles["id"] = [_ids_of(source, settings.id, side) for source, side in sides]
        # Data given for a role have no columns to choose from; their index always identifies their rows.
        roles["id"] += [_ids_of(source, INDEX if is_held(source) else settings.id) for source in further]
        if "reference" in roles:
            # A --reference that is a whole file has its id column too, which is not part of the forecast.
            taken = {(found.source.path, column) for found in roles["id"] for column in found.columns}
            (f,) = roles["reference"]
            roles["reference"] = [Found(f.source, tuple(c for c in f.columns if (f.source.path, c) not in taken))]
    for role, places in roles.items():
        for found in places if role not in ("label", *_FORECASTS) else ():
            if len(found.columns) != 1:
                name = role.partition(".")[0]
                raise DataError(f"--{name} takes one column, not {len(found.columns)}: {listed(found.names)}")
    _check_overlap(roles)


def _ids_of(source: Source, spec: str, side: str = "") -> Found:
    """The ids of a source: its index or a column; a dict can name one per side."""
    sides = spec.data if isinstance(spec, Given) and isinstance(spec.data, Mapping) else {}
    name = sides.get(side)
    if isinstance(name, str):
        return find_columns("--id", name, [source], source)
    column = index_column(source, spec)
    return find_columns("--id", spec, [source], source) if column is None else Found(source, (column,))


def _check_overlap(roles: Roles) -> None:
    owner: dict[tuple[int, int], str] = {}
    for role in ("label", "weights", "preds", "id", "bytes", "reference"):
        for found in roles.get(role, ()):
            for column in found.columns:
                before = owner.setdefault((id(found.source), column), role)
                if before != role:
                    raise DataError(
                        f"column {name_of(found.source, column)} is given as --{before} and as --{role}",
                        place=Place(found.source.path),
                    )


def find_labels(read: Inputs) -> None:
    """Find the label columns if no option names them: the only candidates.

    Raises DataError if there are several candidates; lists them.
    """
    roles, settings = read.roles, read.settings
    if "label" in roles:
        return
    predictions, source = read.pair[0], read.pair[-1]
    free = read.free(source)
    if read.files > 1:
        columns = len(read.preds.columns) if "preds" in roles else len(read.free(predictions))
        found = Found(source, tuple(free))
        if len(free) == 1 or (
            len(free) == columns and columns > 1 and _could_be_targets(found, read.queue_of(found), settings)
        ):
            roles["label"] = [found]
            return
        from xentcli.pairing.suggest import conversion
        from xentcli.pairing.which_label import which_label

        if line := conversion(predictions, settings, source):
            raise DataError("no column for each class", place=Place(predictions.path), advice=line)
        raise which_label(read, found, swapped=columns == 1 and len(free) > 1)
    if "preds" in roles and len(free) == 1:
        roles["label"] = [Found(source, tuple(free))]
        return
    from xentcli.pairing.suggest import suggestions

    columns_ = listed([name_of(source, c) for c in range(source.width)])
    raise DataError(
        f"which column has the labels? The columns are {columns_}",
        place=Place(source.path),
        advice=suggestions(source, settings),
    )


def _could_be_targets(found: Found, queue: PartQueue, settings: Settings) -> bool:
    """Whether the first rows of several columns are numbers; without names they lie from 0 to 1, or are counts."""
    if first_text(found, queue) is not None:
        return False
    if found.named or settings.votes or not found.source.tabular:
        return True
    rows = next(queue.look({str(c): Pick((c,), "text") for c in found.columns}, LOOK_AT), None)
    numbers = [number(text) for column in rows.values.values() for text in texts_of(column)] if rows else []
    values = [value for value in numbers if value is not None]
    return all(0 <= value <= 1 for value in values) or all(value >= 0 and value.is_integer() for value in values)


def picks_of(read: Inputs) -> tuple[Selection, ...]:
    """Return the columns to load from each source."""
    settings, sources = read.settings, read.sources
    picks: list[dict[str, Pick]] = [{} for _ in sources]
    listed_ = has_lists(read.preds.source, read.preds.columns)
    absent = {*_FORECASTS} if settings.skip_missing else set()
    absent |= {"label"} if "missing" in settings.ignored else set()
    for role, places in read.roles.items():
        for found in places:
            as_ = "numbers" if role == "label" and len(found.columns) > 1 else ROLES[role.partition(".")[0]]
            if listed_ and has_lists(found.source, found.columns) and role not in ("id", "bytes"):
                as_ = "lists" if as_ == "numbers" else "texts"
            if as_ == "numbers":
                _check_no_text(role, found)
            advice = _NO_NUMBER if role == "preds" else ""
            picks[sources.index(found.source)][role] = Pick(
                found.columns,
                as_,  # type: ignore[arg-type]
                found.others,
                required=role == "id",
                advice=advice,
                if_missing=_IF_MISSING.get(role, ""),
                missing=role in absent,
            )
    return tuple(picks)


def _check_no_text(role: str, found: Found) -> None:
    """Refuse an array of text for a role that needs numbers."""
    # All columns of an array are of one type.
    if any(found.source.numeric(column) is False for column in found.columns[: None if found.source.tabular else 1]):
        raise text_for_numbers(found.source.path, _MEANINGS.get(role, role), held=is_held(found.source))


def used_columns(roles: Roles, option: str) -> list[tuple[str, ...]]:
    """Return the column names of each use of a repeatable option."""
    uses: dict[str, list[str]] = {}
    for role, places in roles.items():
        if role.partition(".")[0] == option:
            uses.setdefault(role.rpartition(".")[0], []).extend(name for found in places for name in found.names)
    return [tuple(names) for names in uses.values()]
