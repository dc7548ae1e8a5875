"""DRAWINGS: one row per drawing of a result, made with matplotlib's Figure. A new drawing is a function, and a row.

matplotlib is imported where a drawing is made, never pyplot: no window, no state that figures share.
"""

from __future__ import annotations

import importlib
import io
import warnings
from typing import Any

from xentcli.extras import needed
from xentcli.records import record
from xentcli.report.document import Document

__all__ = ["DRAWINGS", "FORMATS", "Drawing", "drawn", "figure", "needs_matplotlib"]

FORMATS = ("svg", "png", "pdf")
_HERE = "xentcli.writers.pictures"
_SCORES = ("score", "check", "calibration", "merge")
_SALT = "xent"
"""Names within an SVG come from this in place of a random number, so that the same result has the same bytes."""


@record(frozen=True)
class Drawing:
    """One drawing: module has a function of its name, which takes a document and returns a matplotlib Figure.

    Attributes
    ----------
    commands
        The commands whose result it can be made from.
    detail
        What of the details of a result it shows; empty for what every result has.
    option
        The option without which the result has nothing to draw.
    labelled
        Whether it needs labels.
    shows
        The names in JSON of what options change in it.
    """

    about: str
    module: str
    commands: tuple[str, ...]
    detail: str = ""
    option: str = ""
    labelled: bool = True
    shows: tuple[str, ...] = ()


DRAWINGS = {
    "losses": Drawing(
        "distribution of the losses, the tail marked", f"{_HERE}.losses", _SCORES, "losses", labelled=False
    ),
    "classes": Drawing("cost by class", f"{_HERE}.slices", _SCORES, "by_class", shows=("by_class",)),
    "groups": Drawing("cost by group", f"{_HERE}.slices", _SCORES, option="by", labelled=False, shows=("by",)),
    "reliability": Drawing(
        "confidence against accuracy", f"{_HERE}.reliability", _SCORES, "reliability", shows=("interval",)
    ),
    "confusion": Drawing("true against predicted class", f"{_HERE}.confusion", _SCORES, "confusion"),
    "differences": Drawing(
        "differences of the losses of the rows", f"{_HERE}.differences", ("compare",), "differences"
    ),
    "changes": Drawing("change of the cost of each model", f"{_HERE}.models", ("compare",)),
    "curve": Drawing("cost from model to model", f"{_HERE}.models", ("compare",)),
}
"""Every drawing, by name."""


def needs_matplotlib() -> Any:
    """Import and return matplotlib.

    Raises UsageError if it is not installed.
    """
    needed("matplotlib.figure", "plot")
    return needed("matplotlib", "plot")


def figure(document: Document, name: str) -> Any:
    """Return a drawing of a document as a matplotlib Figure.

    Raises UsageError if matplotlib is not installed, and where the document has nothing to draw.
    """
    matplotlib = needs_matplotlib()
    from xentcli.writers.pictures.style import STYLE

    module = importlib.import_module(DRAWINGS[name].module)
    with matplotlib.rc_context():
        # A matplotlibrc of the user would change sizes, and with them what fits.
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(STYLE)
        return getattr(module, name)(document)


def drawn(document: Document, name: str, format: str, *, transparent: bool = False) -> bytes:
    """Return a drawing as the bytes of a file: the same for the same document.

    Raises UsageError as figure() does.
    """
    matplotlib, made, buffer = needs_matplotlib(), figure(document, name), io.BytesIO()
    from xentcli.writers.pictures.style import STYLE

    undated = {"svg": {"Date": None}, "png": {"Software": None}, "pdf": {"CreationDate": None}}[format]
    with matplotlib.rc_context({**STYLE, "svg.hashsalt": _SALT}), warnings.catch_warnings():
        # A letter that the font lacks is a box in PNG and PDF.
        warnings.simplefilter("ignore", UserWarning)
        made.savefig(buffer, format=format, metadata=undated, transparent=transparent)
    return buffer.getvalue()
