"""Settings: how files are read, matched and scored; the same for the library and every command."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, cast

from xentcli.errors import UsageError, shown
from xentcli.options import options_of
from xentcli.records import record, replace
from xentcli.scoring.compat import COMPAT
from xentcli.scoring.kinds import Rules
from xentcli.settings.fields import SIDES, Fields
from xentcli.settings.together import check_together

if TYPE_CHECKING:
    import numpy as np

    from xentcli.report.document import Setting

__all__ = ["OPTIONS", "SIDES", "Settings"]


@record(frozen=True, kw_only=True)
class Settings(Fields):
    """How two files are read, matched and scored, checked once; fields.py has the options, one row each.

    The options of the commands, the checks of types and values, and the options in a report are
    made from these rows, in this order. ``xent score --help`` shows what each does.

    Raises
    ------
    UsageError
        For values that make no sense whatever the files hold.

    >>> Settings(clip=0.6)
    Traceback (most recent call last):
    xentcli.errors.UsageError: --clip is between 0 and 0.5, not 0.6
    """

    set_by_compat: ClassVar[tuple[str, ...]] = ("clip", "renormalize")

    def __post_init__(self) -> None:
        """Check what can be checked before a file is opened."""
        for name, row in self.rows.items():
            object.__setattr__(self, name, row.checked(name, getattr(self, name)))
        check_together(self)

    @classmethod
    def chosen(cls, settings: Settings | None, options: Mapping[str, Any]) -> Settings:
        """Return the settings of a library call, which takes either Settings or single options.

        Raises
        ------
        UsageError
            When both are given, or `settings` is not a Settings.
        """
        if settings is None:
            return cls(**options)
        if not isinstance(settings, Settings):
            raise UsageError(f"settings is a Settings, not {shown(settings)}", advice="score(preds, labels, kind=...)")
        if options:
            raise UsageError("give settings or single options, not both")
        return settings

    def as_compat(self, dtype: np.dtype[Any], columns: int, class_axis: int | None = None) -> Settings:
        """Return the settings with those that the tool of --compat implies, for `columns` columns of predictions.

        `dtype` is that of the predictions, float64 for text; `class_axis` the class axis chosen
        for an array.
        """
        if self.compat is None:
            return self
        import numpy as np

        tool = COMPAT[self.compat]
        resolved = copy.copy(self)
        object.__setattr__(resolved, "clip", float(np.finfo(dtype).eps) if tool.clip == "dtype" else tool.clip)
        object.__setattr__(resolved, "renormalize", tool.renormalize and columns > 1)
        if self.class_axis is None and tool.class_axis is not None:
            object.__setattr__(resolved, "class_axis", class_axis)
            object.__setattr__(resolved, "set_by_compat", (*self.set_by_compat, "class_axis"))
        precision = dtype.str[1:] if tool.precision == "dtype" else tool.precision
        # 2- and 4-byte values are exact in float32, unless they are scaled.
        single = precision == "f4" and (dtype.itemsize > 4 or self.scale != 1.0)
        object.__setattr__(resolved, "rules", replace(resolved._rules(), precision=precision, single=single))
        return resolved

    @property
    def divides_by_rows(self) -> bool:
        """Whether the denominator ignores class weights where targets are distributions."""
        return self.compat is not None and COMPAT[self.compat].per_row

    @cached_property
    def rules(self) -> Rules:
        """The checks of a row of predictions."""
        return self._rules()

    def _rules(self) -> Rules:
        return Rules(self.kind, self.sum_tolerance, self.scale, self.renormalize, self.multilabel)

    def changed(self) -> dict[str, Setting]:
        """Return the options that differ from their defaults, for the report."""
        from xentcli.report.document import Setting

        values = [(name, row, getattr(self, name)) for name, row in self.rows.items()]
        return {name: Setting(_plain(value), self._by(name)) for name, row, value in values if row.is_set(value)}

    def _by(self, name: str) -> str:
        """Return the origin of an option: "compat" or "flag"."""
        return "compat" if self.compat is not None and name in self.set_by_compat else "flag"


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else dict(value) if isinstance(value, Mapping) else value


OPTIONS = options_of(cast("Any", Settings))
"""The rows of Settings, by name."""
