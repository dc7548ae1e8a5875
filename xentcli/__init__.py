"""xent: the cross-entropy loss of a file of predictions, exact, checked and explained.

The functions of the library do what the commands of the same name do:

>>> import xentcli
>>> report = xentcli.score([[0.8, 0.2], [0.4, 0.6]], [0, 1])
>>> round(report.cost, 6)
0.366985
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from xentcli.version import __version__

if TYPE_CHECKING:
    from xentcli.analysis.calibration import calibration
    from xentcli.analysis.check import check
    from xentcli.analysis.compare import compare
    from xentcli.analysis.explain import explain
    from xentcli.analysis.losses import losses, per_example
    from xentcli.analysis.merge import merge
    from xentcli.analysis.score import score
    from xentcli.report import schema

__all__ = [
    "__version__",
    "calibration",
    "check",
    "compare",
    "explain",
    "losses",
    "merge",
    "per_example",
    "schema",
    "score",
]

_HOMES = {name: f"xentcli.analysis.{name}" for name in __all__ if name not in ("__version__", "schema")}
_HOMES |= {"per_example": "xentcli.analysis.losses", "schema": "xentcli.report"}


def __getattr__(name: str) -> Any:
    """Import a function of the library when it is first used: importing xentcli is cheap."""
    if name in _HOMES:
        import importlib

        found = globals()[name] = getattr(importlib.import_module(_HOMES[name]), name)
        return found
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
