"""The rules of a check: limits on metrics, also by group, regressions, and warnings that fail."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from typing import Any, Literal

from xentcli.columns.numerals import number
from xentcli.errors import WARNINGS, UsageError, shown
from xentcli.options import items
from xentcli.records import record
from xentcli.scoring.kinds import KINDS
from xentcli.scoring.metrics import Metric, find
from xentcli.settings import Settings
from xentcli.typed import count, typed

__all__ = ["Limit", "Regression", "Rules", "is_row_mean", "parse_limit", "parse_regression"]

Bound = Literal["max", "min"]


def is_row_mean(metric: Metric) -> bool:
    """Whether a metric is a mean of rows that has a better direction: cost, brier, accuracy, top-k."""
    rows = metric.per_example is not None and metric.derive is None
    return metric.name == "cost" or (rows and metric.better != "none")


@record(frozen=True)
class Limit:
    """A metric must be at most, or at least, a value.

    Attributes
    ----------
    each
        Whether it holds for every group of --by.
    pattern
        With `each`, a glob for the names of the groups.
    """

    metric: str
    bound: Bound
    value: float
    each: bool = False
    pattern: str = "*"

    def __post_init__(self) -> None:
        """Refuse a limit that is not finite, or a metric that groups do not have."""
        if not math.isfinite(self.value):
            raise UsageError(f"{self.option} {self.metric}: {shown(self.value)} is not a finite number")
        if self.each and find(self.metric).tally:
            how = {"bins": "bins of confidence are counted over", "fit": "one temperature is fitted for"}
            raise UsageError(
                f"{self.option} {self.metric}: {how[find(self.metric).tally]} all rows, not for each group",
                advice=f"--{self.bound} {self.metric}=X holds all rows to it; xent calibration --by shows groups",
            )

    @property
    def option(self) -> str:
        """The option that sets it."""
        return f"--{self.bound}{'-each' * self.each}"


@record(frozen=True)
class Regression:
    """How much worse than its baseline a metric may be: by a share of it, or by a number.

    Attributes
    ----------
    text
        The allowance as it was given.
    factor, allowed
        The limit is factor x baseline + allowed, in the unit of the report. For a metric where higher is better,
        factor is at most 1 and allowed at most 0.
    """

    metric: str
    text: str
    factor: Fraction
    allowed: Fraction

    @property
    def bound(self) -> Bound:
        """The direction of the limit."""
        return "max" if find(self.metric).better == "lower" else "min"


@record(frozen=True)
class Rules:
    """All rules of one check.

    Attributes
    ----------
    warnings
        The codes of warnings that fail; "all" for any.
    min_rows
        Smaller groups get no verdict.
    strict
        Whether a regression must be ruled out to pass.
    """

    limits: tuple[Limit, ...] = ()
    regressions: tuple[Regression, ...] = ()
    warnings: tuple[str, ...] = ()
    min_rows: int = 1
    strict: bool = False

    @classmethod
    def of(
        cls,
        limits: Sequence[Limit | Regression],
        given: Mapping[str, Mapping[str, float] | None],
        regressions: Mapping[str, str | float] | None,
        fail_on_warning: str | Sequence[str] | None,
        min_rows: int | None,
        strict: bool,
    ) -> Rules:
        """Return the rules from the arguments of check(); `given` has the limits by max, min, max_each and min_each.

        Raises UsageError for an unknown metric or code, or a limit that is no number.
        """
        _check_types(limits, regressions)
        found = [limit for name, of in given.items() for limit in _limits(name, of)]
        found += [limit for limit in limits if isinstance(limit, Limit)]
        paired = [_regression(find(name), value) for name, value in (regressions or {}).items()]
        paired += [limit for limit in limits if isinstance(limit, Regression)]
        codes = typed("fail_on_warning", fail_on_warning, "str | Sequence[str] | None")
        rows = count("min_rows", min_rows)
        return cls(
            tuple(found), tuple(paired), tuple(map(_code, items(codes))), rows or 1, typed("strict", strict, "bool")
        )

    def check(self, settings: Settings, baseline: str | None, *, written: bool) -> None:
        """Refuse rules that make no sense with the settings; `written` is whether a baseline is written.

        Raises UsageError without a limit, or with one on what the run does not have.
        """
        if not (self.limits or self.regressions or self.warnings or (written and baseline is None)):
            more = ("--max-regression cost=2% holds the run to its baseline",) if baseline is not None else ()
            raise UsageError("nothing to check", advice=(*more, "--max cost=0.5 or --min accuracy=0.9 sets a limit"))
        for metric in map(find, self.metrics):
            if metric.labelled and not KINDS[settings.kind].labelled:
                raise UsageError(f"--kind {settings.kind} has no {metric.name}: there are no labels")
        each = next((limit for limit in self.limits if limit.each), None)
        if each is not None and not settings.slices:
            raise UsageError(
                f"{each.option} sets a limit for each group, and there are no groups", advice="--by COLUMN names them"
            )
        if each is None and self.min_rows != 1:
            raise UsageError("--min-rows is about groups", advice="--by COLUMN --max-each cost=0.5")
        if self.regressions and baseline is None:
            raise UsageError("--max-regression needs a baseline", advice="--baseline FILE")
        if self.strict and not self.regressions:
            raise UsageError("--strict is about regressions", advice="--max-regression cost=2% --strict")

    def and_also(self, other: Rules) -> Rules:
        """Return the union of both; the larger `min_rows` applies."""
        limits, regressions, warnings = (
            tuple(dict.fromkeys((*getattr(self, name), *getattr(other, name))))
            for name in ("limits", "regressions", "warnings")
        )
        return Rules(
            limits, regressions, warnings, max(self.min_rows, other.min_rows), strict=self.strict or other.strict
        )

    @property
    def metrics(self) -> list[str]:
        """The metrics that they need."""
        names = [limit.metric for limit in self.limits] + [rule.metric for rule in self.regressions]
        return list(dict.fromkeys(names))


def parse_limit(text: str, bound: Bound, *, each: bool = False) -> Limit:
    """Read ``METRIC=X``; with `each` also ``METRIC@GROUP=X``.

    Raises UsageError for another form, an unknown metric, or a limit that is not finite.

    >>> parse_limit("log_loss=0.5", "max")
    Limit(metric='cost', bound='max', value=0.5, each=False, pattern='*')
    >>> parse_limit("cost@north*=0.5", "max", each=True).pattern
    'north*'
    """
    option = f"--{bound}{'-each' * each}"
    name, equals, given = text.rpartition("=")
    if not equals:
        raise UsageError(f"{option} takes METRIC=X, such as cost=0.5, not {shown(text)}")
    value = number(given)
    if value is None:
        raise UsageError(f"{option} {name}: {shown(given)} is not a finite number")
    return _limit(name, bound, value, each)


def parse_regression(text: str) -> Regression:
    """Read ``METRIC=2%`` or ``METRIC=0.01``.

    Raises UsageError for another form, a metric that is no mean of rows, or an allowance that is negative or not
    finite.

    >>> parse_regression("cost=2%").factor, parse_regression("accuracy=0.5").allowed
    (Fraction(51, 50), Fraction(-1, 2))
    """
    name, equals, given = text.rpartition("=")
    if not equals:
        raise UsageError(f"--max-regression takes METRIC=2% or METRIC=0.01, not {shown(text)}")
    return _regression(find(name), given)


def _check_types(limits: Sequence[Any], regressions: Any) -> None:
    """Raise UsageError for limits given as text and for allowances that are not a dict: they would not be checked."""
    odd = next((limit for limit in limits if not isinstance(limit, Limit | Regression)), None)
    if odd is not None:
        raise UsageError(
            f"limits has {shown(odd)}, which is no Limit of xentcli.analysis.limits", advice='max={"cost": 0.5}'
        )
    if not isinstance(regressions, Mapping | None):
        raise UsageError(f"max_regression is a dict, not {shown(regressions)}", advice='max_regression={"cost": "1 %"}')


def _limits(name: str, given: Mapping[str, float] | None) -> Iterator[Limit]:
    found: dict[str, float] | None = typed(name, given, "Mapping[str, float] | None")
    each = name.endswith("_each")
    bound: Bound = "max" if name.startswith("max") else "min"
    for metric, value in (found or {}).items():
        yield _limit(metric, bound, value, each)


def _limit(name: str, bound: Bound, value: float, each: bool) -> Limit:
    metric, at, pattern = name.partition("@") if each else (name, "", "")
    return Limit(find(metric).name, bound, value, each, pattern if at else "*")


def _regression(metric: Metric, given: Any) -> Regression:
    if not is_row_mean(metric):
        raise UsageError(
            f"--max-regression {metric.name}: it is not a mean over rows that has a better direction",
            advice=("cost, brier and accuracy are", f"a limit on the figure itself: --max {metric.name}=X"),
        )
    text = given.strip() if isinstance(given, str) else repr(typed("max_regression", given, "float"))
    relative = text.endswith("%")
    value = number(text.removesuffix("%").strip())
    if value is None or not 0 <= value < math.inf:
        raise UsageError(f"--max-regression {metric.name}: {shown(text)} is not a number from 0 up, nor a percentage")
    worse = 1 if metric.better == "lower" else -1
    if not relative:
        return Regression(metric.name, text, Fraction(1), worse * Fraction(value))
    # The percentage is the decimal that was written, not the double nearest to it.
    return Regression(metric.name, text, 1 + worse * Fraction(repr(value)) / 100, Fraction(0))


def _code(code: str) -> str:
    if code != "all" and code not in WARNINGS:
        import difflib

        near = difflib.get_close_matches(code, WARNINGS, 1)
        advice = f"did you mean {near[0]}?" if near else f"codes: all, {', '.join(WARNINGS)}"
        raise UsageError(f"--fail-on-warning: there is no warning {shown(code)}", advice=advice)
    return code
