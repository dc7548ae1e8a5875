"""Settings: how files are read, matched and scored; the same for the library and every command."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any, cast

from xentcli.errors import UsageError, shown
from xentcli.given import Given
from xentcli.options import options_of
from xentcli.records import cached_property, record
from xentcli.scoring.compat import COMPAT
from xentcli.scoring.recipe import Recipe
from xentcli.settings.fields import SIDES, Fields
from xentcli.settings.signature import check_names, takes_options
from xentcli.settings.together import check_grouped, check_together
from xentcli.urls import hidden_where_named

if TYPE_CHECKING:
    import numpy as np

    from xentcli.report.document import Setting

__all__ = ["OPTIONS", "SIDES", "Settings", "takes_options"]


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

    def __post_init__(self) -> None:
        """Check what can be checked before a file is opened."""
        values = self.__dict__
        for name, row in self.rows.items():
            # A default is what its own check returns.
            if values[name] is not row.default:
                values[name] = _hidden(row.checked(name, values[name]))
        check_together(self)

    @classmethod
    def chosen(cls, settings: Settings | None, options: Mapping[str, Any], function: Callable[..., Any]) -> Settings:
        """Return the settings of a call of a library function, which takes either Settings or single options.

        Raises UsageError if both are given, `settings` is not a Settings, or the function does not take an option.
        """
        if settings is None:
            check_names(function, options)
            # A loop of calls repeats the same few settings; data and files named in options may change each time.
            if all(type(v) in _PLAIN or (type(v) is str and "@" not in v) for v in options.values()):
                made = _made(tuple((name, type(value), value) for name, value in options.items()))
            else:
                made = cls(**options)
            check_grouped(made, function.__name__)
            return made
        if not isinstance(settings, Settings):
            raise UsageError(f"settings is a Settings, not {shown(settings)}", advice="score(preds, labels, kind=...)")
        if options:
            raise UsageError("give settings or single options, not both")
        check_names(function, [name for name, row in settings.rows.items() if row.is_set(getattr(settings, name))])
        check_grouped(settings, function.__name__)
        return settings

    def recipe(self, dtype: np.dtype[Any] | None = None, columns: int = 2) -> Recipe:
        """Return how a row of predictions becomes a loss, after --compat and before class weights.

        `dtype` is that of the predictions; None stands for float64, which text is read as.
        """
        return self._recipe if self.compat is None else self._recipe.as_tool(COMPAT[self.compat], dtype, columns)

    @cached_property
    def _recipe(self) -> Recipe:
        """The recipe before --compat."""
        return Recipe(
            self.kind,
            self.sum_tolerance,
            self.scale,
            self.renormalize,
            self.multilabel,
            self.clip,
            self.label_smoothing,
            temperature=self.temperature,
        )

    def changed(self, set_by_compat: Mapping[str, Any] | None = None) -> dict[str, Setting]:
        """Return the options that differ from their defaults, for the report."""
        from xentcli.report.document import Setting

        by_compat = set_by_compat or {}
        values = self._given if not by_compat else {name: getattr(self, name) for name in self.rows} | dict(by_compat)
        return {
            name: Setting(_plain(_single(name, value)), "compat" if name in by_compat else "flag")
            for name, value in values.items()
            if value is not self.rows[name].default and self.rows[name].is_set(value)
        }

    def plain(self) -> dict[str, Any]:
        """Return the options that are set, as JSON has them."""
        return {name: _plain(value) for name, value in self._given.items() if self.rows[name].is_set(value)}

    @cached_property
    def _given(self) -> dict[str, Any]:
        """The options that may differ from their defaults."""
        values = self.__dict__
        return {name: values[name] for name, row in self.rows.items() if values[name] is not row.default}


_PLAIN = (bool, int, float, type(None))


def _hidden(value: Any) -> Any:
    """Return a value of an option without the passwords and signatures of URLs."""
    if type(value) is tuple:
        return tuple(map(_hidden, value))
    return hidden_where_named(value) if type(value) is str else value


@lru_cache(maxsize=64)
def _made(options: tuple[tuple[str, type, Any], ...]) -> Settings:
    """Return settings of plain values, once for the same; 1, 1.0 and True differ."""
    return Settings(**{name: value for name, _, value in options})


def _single(name: str, value: Any) -> Any:
    """Return the only value of --delimiter or --decimal as a text, as a report shows it; other values unchanged."""
    return value[0] if name in ("delimiter", "decimal") and isinstance(value, tuple) and len(value) == 1 else value


def _plain(value: Any) -> Any:
    """Return a value of an option as JSON has it; data are shown by their name."""
    if isinstance(value, tuple | list):
        return [_plain(item) for item in value]
    return dict(value) if isinstance(value, Mapping) else str(value) if isinstance(value, Given) else value


OPTIONS = options_of(cast("Any", Settings))
"""The rows of Settings, by name."""
