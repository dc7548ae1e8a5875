"""Decide which axis of an array has the classes; the others are the rows.

The default is the last one. The labels, weights and groups of an array of three or more dimensions
have its shape without that axis, or its full shape if they have one column per class. Shapes that
fit another axis too, or only another one, are refused: ``--class-axis N`` decides. With
``--shift-labels`` another axis has the positions of a sequence (next-token prediction).
"""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from typing import Any, NoReturn, cast

import numpy as np

from xentcli.arrays import Floats
from xentcli.errors import DataError, Place
from xentcli.readers.source import Pick, Source, files_in
from xentcli.records import record
from xentcli.scoring.compat import COMPAT
from xentcli.scoring.kinds import KINDS
from xentcli.settings import Settings

__all__ = ["arranged", "positions", "shape_of", "two_of_one"]

Shape = tuple[int, ...]


@record(frozen=True)
class _Array:
    """The array of predictions, and the shapes of the other inputs."""

    source: Source
    shape: Shape
    others: tuple[tuple[str, tuple[Shape, ...]], ...]
    """For each other input, its name and possible shapes, one of which must fit; none for a table."""

    rest: tuple[Source, ...] = ()

    def lead(self, axis: int) -> Shape:
        """The shape of the predictions without an axis."""
        return self.shape[:axis] + self.shape[axis + 1 :]

    def fits(self, axis: int) -> bool:
        """Whether all other inputs have the shape, with or without this axis; in two dimensions only rows count."""
        if len(self.shape) == 2:
            return True
        wanted = (self.shape, self.lead(axis))
        return bool(self.others) and all(any(shape in wanted for shape in shapes) for _, shapes in self.others)


def arranged(sources: Sequence[Source], settings: Settings) -> tuple[tuple[Source, ...], int | None]:
    """Return the sources with the axis of the classes as columns and all others as rows, and that axis.

    The axis is None if there is no choice: for tables, and arrays of two dimensions without
    ``--class-axis``.

    Parameters
    ----------
    sources
        The predictions, then the others, as they were opened.
    settings
        What was asked for.

    Raises
    ------
    DataError
        For shapes that do not go together, or that fit in two ways.
    """
    sources = tuple(sources)
    if not KINDS[settings.kind].labelled:
        alike = (source.flattened() if source.shape == sources[0].shape else source for source in sources[1:])
        return (_all_rows(sources[0], settings), *alike), None
    array = _array_of(sources, settings)
    if settings.class_axis is None and len(array.shape) <= 2:
        deep = next((source for source in sources[1:] if len(source.shape) > 2), None)
        if deep is not None and deep.shape != array.shape:
            _refuse_shapes(array, None, settings)
        return sources, None
    axis = _axis(array, settings)
    return tuple(_placed(source, array, axis) for source in sources), axis


def shape_of(predictions: Source, settings: Settings) -> Shape:
    """Return the shape of the array of the predictions, as it was opened; empty for a table."""
    return _array_of((predictions,), settings).shape


def _array_of(sources: tuple[Source, ...], settings: Settings) -> _Array:
    """Find the array of predictions; in an archive, the one named, else the one with most dimensions."""
    first, *rest = sources
    others = [(source.path, (source.shape, *source.traits.arrays.values())) for source in rest]
    members = first.traits.arrays
    if not members:
        return _Array(first, first.shape, tuple(others), tuple(rest))
    name = settings.preds if isinstance(settings.preds, str) else ""
    if name not in members:
        name = max(members, key=lambda member: len(members[member]))
    shape = members[name]
    if not rest and settings.label in members:
        others.append((f"{first.path}:{settings.label}", (members[str(settings.label)],)))
    elif not rest:
        beside = tuple(other for member, other in members.items() if member != name and len(other) >= len(shape) - 1)
        others.append((first.path, beside))
    return _Array(first, shape, tuple(others))


def _axis(array: _Array, settings: Settings) -> int:
    """The requested axis if it fits; without a request the last one, if no other fits."""
    dimensions, given = len(array.shape), settings.class_axis
    place = Place(array.source.path)
    if not dimensions:
        raise DataError("--class-axis is for arrays; this is a table, whose columns are the classes", place=place)
    if given is not None and (dimensions == 1 or not -dimensions <= given < dimensions):
        axes = f"axes 0 to {dimensions - 1}" if dimensions > 1 else "one axis, its rows"
        raise DataError(f"--class-axis {given}: an array of shape {array.shape} has {axes}", place=place)
    if given is None and settings.compat is not None:
        given = COMPAT[settings.compat].class_axis
    if given is not None:
        given %= dimensions
        if given == 0 and files_in(array.source):
            raise DataError(
                "--class-axis 0 cannot be used with several files, which are joined along axis 0", place=place
            )
        if not array.fits(given):
            _refuse_shapes(array, given, settings)
        return given
    if not array.fits(dimensions - 1) or any(array.fits(axis) for axis in range(dimensions - 1)):
        _refuse_shapes(array, None, settings)
    return dimensions - 1


def _refuse_shapes(array: _Array, given: int | None, settings: Settings) -> NoReturn:
    """Raise the error for shapes that do not fit the axis, naming axes that fit."""
    place = Place(array.source.path)
    fitting = [axis for axis in range(len(array.shape)) if array.fits(axis)] if len(array.shape) > 2 else []
    beside = [f"{path} has shape {' or '.join(map(str, shapes))}" for path, shapes in array.others if any(shapes)]
    if fitting:
        wrong = len(array.shape) - 1 if given is None else given
        axes = " or ".join(map(str, fitting)) + ("" if wrong in fitting else f", not {wrong}")
        raise DataError(
            f"an array of shape {array.shape}: to match the other shapes, its class axis must be {axes}",
            place=place,
            advice=(
                *beside,
                *(
                    f"--class-axis {axis}{_needed(array, axis, settings)}: rows of shape {array.lead(axis)}"
                    for axis in fitting[::-1]
                ),
            ),
        )
    if len(array.shape) > 2:
        axis = len(array.shape) - 1 if given is None else given
        what = f"an array of shape {array.shape} with the classes on axis {axis} goes with labels of shape"
        advice = _outputs_advice(array) or _table_advice(array, given)
        raise DataError(f"{what} {array.lead(axis)}", place=place, advice=(*beside, *advice))
    shape = f"an array of shape {array.shape}" if array.shape else "a table"
    raise DataError(
        f"{shape} does not go with an array of three dimensions or more",
        place=place,
        advice=(*beside, *_flat_advice(array)),
    )


def _needed(array: _Array, axis: int, settings: Settings) -> str:
    """The options without which the first numbers are not probabilities, or the first labels not classes."""
    classes, scores = array.shape[axis], _first_numbers(array.source)
    scored = settings.kind == "probs" and settings.scale == 1 and len(scores) and scores.min() < 0 < scores.max()
    options = " --kind logits" if scored else ""
    for labels in map(_first_numbers, array.rest if len(array.rest) == 1 else ()):
        odd = np.unique(labels[(labels < 0) | (labels >= classes)]).tolist()
        # Without a 0 labels may count from 1.
        if len(odd) == 1 and odd[0] == int(odd[0]) and (odd[0] != classes or 0 in labels):
            options += "" if str(int(odd[0])) in settings.ignored else f" --ignore-label {int(odd[0])}"
    return options


def _first_numbers(source: Source) -> Floats:
    """f8[n]: the numbers of the first part of an array in a file; none of other sources."""
    if source.format != "npy" or not source.repeatable or source.numeric(0) is False:
        return np.empty(0)
    part = next(iter(source.flattened().parts()), None)
    values = None if part is None else part.load({"preds": Pick((0,))}).values["preds"]
    found = np.asarray(values, dtype=np.float64).reshape(-1)
    return found[np.isfinite(found)]


def _outputs_advice(array: _Array) -> tuple[str, ...]:
    """The line for (outputs, rows, 2) beside (rows, outputs): scikit-learn's predict_proba of several outputs."""
    if len(array.shape) != 3 or array.shape[2] != 2 or len(array.rest) != 1:
        return ()
    (labels,), (outputs, rows, _) = array.rest, array.shape
    if labels.shape != (rows, outputs) and not (labels.tabular and labels.width == outputs):
        return ()
    save = f"numpy.save({_beside(array, 'outputs')!r}, {_loaded(array)}[:, :, 1].T)"
    return (f"several outputs of scikit-learn? {save} writes a column for each; then --multilabel",)


def _flat_advice(array: _Array) -> tuple[str, ...]:
    """The line for a table beside labels of more axes: as many rows, or numbers that make as many rows."""
    deep = next((shape for _, shapes in array.others for shape in shapes if len(shape) > 2), ())
    labels, numbers = math.prod(deep), math.prod(array.shape)
    if len(array.shape) != 2 or not labels or array.source.traits.arrays:
        return ()
    if array.shape[0] == labels:
        path = array.others[0][0]
        save = f"numpy.save({_stem(path) + '-rows.npy'!r}, numpy.load({path!r}).reshape(-1))"
        return (
            f"{save} writes a label for each row",
            f"{array.source.path} must have been flattened with the classes last: numpy.moveaxis(array, AXIS, -1)",
        )
    if numbers % labels or numbers == labels:
        return ()
    classes = numbers // labels
    return (
        f"its {numbers:,} numbers are {labels:,} rows of {classes}: flattened before the classes were the last axis?",
        f"numpy.moveaxis(array, AXIS, -1).reshape(-1, {classes}), or give the array as it was, with --class-axis AXIS",
    )


def _stem(path: str) -> str:
    return os.path.splitext(os.path.basename(path))[0] or "array"


def _beside(array: _Array, what: str) -> str:
    return f"{_stem(array.source.path)}-{what}.npy"


def _loaded(array: _Array) -> str:
    return f"numpy.load({array.source.path!r})" if array.source.format == "npy" else "array"


def _table_advice(array: _Array, axis: int | None) -> tuple[str, ...]:
    """The line of Python that makes a table of an array, a row for each label; onto no file that is read."""
    axis_ = "AXIS" if axis is None else str(axis)
    line = (
        f"numpy.save({_beside(array, 'rows')!r}, numpy.moveaxis(array, {axis_}, -1).reshape(-1, array.shape[{axis_}]))"
    )
    rows = "a table with a row for each label, in C order"
    return (f"{line} writes {rows}" + ("; AXIS is that of the classes" if axis is None else ""),)


def _placed(source: Source, array: _Array, axis: int) -> Source:
    """Arrange another input (of the array's shape, with or without the axis, or a table) by the rows of the array."""
    lead, changing = array.lead(axis), cast("Any", source)
    if source.traits.arrays:
        return cast("Source", changing.arranged(len(lead), axis, lead))
    if source.shape == array.shape:
        return cast("Source", changing.with_classes_at(axis))
    return source.flattened() if len(lead) > 1 else source


def _all_rows(source: Source, settings: Settings) -> Source:
    """For kinds without labels, the predictions in an archive of three or more dimensions: each number is a row."""
    members = source.traits.arrays
    shape = members.get(settings.preds if isinstance(settings.preds, str) else "", ())
    if len(shape) < 2 or 0 in shape or max(map(len, members.values())) < 3:
        return source
    return cast("Source", cast("Any", source).arranged(len(shape), -1, shape))


def positions(shape: Sequence[int], axis: int | None, path: str) -> int:
    """Return the number of positions per sequence of an array (batch, position, class), or with classes on axis 1.

    Raises DataError for other shapes, from which the end of a sequence is unknown.
    """
    if len(shape) != 3 or axis in (None, 0):
        what = f"an array of shape {tuple(shape)}" if shape else "a table"
        raise DataError(
            f"--shift-labels is for an array (batch, position, class), whose sequences have an end; this is {what}",
            place=Place(path),
            advice="array[None], of the logits and of the labels, is a batch of one sequence"
            if len(shape) == 2
            else "",
        )
    return shape[1] if axis == 2 else shape[2]


def two_of_one(source: Source, settings: Settings) -> tuple[Source, Source]:
    """Split an archive into the predictions, and the other members, whose rows are shifted.

    Raises DataError for a table.
    """
    members = source.traits.arrays
    if not hasattr(source, "of_members") or not members:
        raise DataError(
            "--shift-labels is for an array (batch, position, class); this is a table or has no labels beside it",
            place=Place(source.path),
            advice="xent score PREDS LABELS --shift-labels",
        )
    name = settings.preds if isinstance(settings.preds, str) and settings.preds in members else None
    name = name or max(members, key=lambda member: len(members[member]))
    changing = cast("Any", source)
    return changing.of_members({name}), changing.of_members(members.keys() - {name})
