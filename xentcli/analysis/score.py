"""score(): two inputs to a Report."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from xentcli.analysis.findings import Case, base_warning, findings
from xentcli.analysis.summary import derived, prior_of, report_of
from xentcli.arrays import ids_of
from xentcli.attempts import attempted
from xentcli.engine.scorer import Grouped, Head, Outcome, Scorer, Writing
from xentcli.engine.tasks import on_engine, over_tasks
from xentcli.errors import ClusterError, DataError, FileError, LabelsBreakRule, Place, UsageError, Warning, shown
from xentcli.given import Given
from xentcli.pairing import Feed, Matches, Matching, Plan, pair
from xentcli.pairing.index import index_of_rows
from xentcli.readers import file_and_part, file_id, open_source, same_file
from xentcli.readers.source import Source
from xentcli.records import cached_property, record, replace
from xentcli.report.details import DETAILS
from xentcli.report.report import Report
from xentcli.scoring.kinds import KINDS
from xentcli.scoring.metrics import METRICS, Metric, find, wanted
from xentcli.settings import Settings, takes_options
from xentcli.tallies.bundle import Bundle
from xentcli.tallies.cut import Cut
from xentcli.tallies.looks import Looks
from xentcli.tallies.scores import Scores
from xentcli.typed import count
from xentcli.urls import hidden, is_url

if TYPE_CHECKING:
    from xentcli.analysis.shifts import Shifted
    from xentcli.analysis.state import Keep
    from xentcli.readers.digest import Digest
    from xentcli.report.per_example import PerExample, Sink

__all__ = [
    "Tallied",
    "check_whole",
    "details_named",
    "diagnosed",
    "diagnosed_report",
    "is_stdin",
    "is_stream",
    "names_of",
    "opened",
    "retried",
    "score",
    "scored",
    "source_of",
    "tally",
    "with_labels",
]

T = TypeVar("T")
_PATH = (str, os.PathLike)
_BY_COLUMN = "leave LABELS out; --label COLUMN names the label column"
_PARTS = 20
"""Groups x clusters may number this many times --max-groups."""


@takes_options("score")
@on_engine
def score(
    predictions: Any,
    labels: Any = None,
    settings: Settings | None = None,
    *,
    sink: Callable[[PerExample], None] | Sink | None = None,
    metrics_needed: Collection[str] = (),
    details: Collection[str] = (),
    state: str | os.PathLike[str] | None = None,
    threads: int | None = None,
    block_bytes: int | None = None,
    progress: Callable[[int, float | None], None] | None = None,
    **options: Any,
) -> Report:
    """Score predictions against labels: the cross-entropy cost and what goes with it.

    For one example with target distribution y and prediction q over K classes the
    loss is -sum_c y_c ln q_c; the cost is sum_i w_i loss_i / sum_i w_i.

    Parameters
    ----------
    predictions, labels
        Each a path, ``-`` for standard input, an array, tensor or list (n, k) or (n,) of numbers or text, or a
        data frame: of pandas, polars (lazy too), PyArrow or narwhals, a dict of columns, or what has
        ``__arrow_c_stream__``. labels is None where the predictions have them in a column, or none are needed.
        The index of pandas objects is the id of their rows: another order is matched.
    settings, options
        A Settings, or its fields by name: ``kind="logits"``, ``label="truth"``, ... Those that name columns take
        data with a value for each row too: ``by={"site": array}``.
    sink
        Called with the losses of every block, in order of the rows; a Sink prepares them in the workers.
    metrics_needed
        Metrics to compute beside the usual ones and those that are shown.
    details
        What the report has in ``details``: losses (their distribution), by_class, worst, reliability, confusion.
    state
        A file to write the exact sums of the run to, from which ``merge`` makes the report of several runs.
    threads
        Worker count, at most 16 or the number of CPUs [default: one per CPU]. It changes no bit of the result.
    engine, scheduler
        Where the rows are scored: "local", here [default]; or "dask", by workers that are started for the run, or by
        those of a scheduler: its address, its file, or a ``distributed.Client``. They change no bit either.
    block_bytes
        About how many bytes are read at once [default: what suits the format]. It changes no bit either.
    progress
        Called with the number of rows done, and the fraction of all rows that they are, or None if unknown.

    Returns
    -------
    Report of plain values, losses in the unit of `base`.

    Raises
    ------
    UsageError, DataError, FileError, NoVerdict
        See xentcli.errors.

    Examples
    --------
    >>> report = score([[0.1, 0.5, 0.1, 0.1, 0.2], [0.7, 0.1, 0.1, 0.1, 0.0]], [0, 0])
    >>> round(report.cost, 6), report.accuracy
    (1.32963, 0.5)
    """
    chosen = Settings.chosen(settings, options, score)
    beside: dict[str, Any] = {"metrics_needed": metrics_needed, "threads": threads, "progress": progress}
    if state is not None:
        from xentcli.analysis.state import Keep

        beside["keep"] = Keep.to(state, chosen, (predictions, labels), "score")
    return scored(predictions, labels, chosen, sink=sink, details=details, block_bytes=block_bytes, **beside)[0]


def scored(
    predictions: Any,
    labels: Any,
    settings: Settings,
    *,
    sink: Callable[[PerExample], None] | Sink | None = None,
    metrics_needed: Collection[str] = (),
    details: Collection[str] = (),
    threads: int | None = None,
    block_bytes: int | None = None,
    progress: Callable[[int, float | None], None] | None = None,
    slopes: bool = False,
    keep: Keep | None = None,
) -> tuple[Report, Tallied]:
    """Return the Report of score(), and the tallies; with `slopes` also those for the first step of a fit.

    `keep` writes the state of the run.
    """
    if sink is None and settings.row_metrics is not None:
        raise UsageError("--row-metrics are columns of --per-example FILE, and of per_example() in Python")
    metrics_needed = names_of(metrics_needed)
    target: Sink | None = None
    if sink is not None:
        from xentcli.report.per_example import Sink

        target = Sink.of(sink)
    named = sink is not None and target is not sink
    threads, block_bytes = count("threads", threads), count("block_bytes", block_bytes)
    detailed = details_named(details)
    named |= "worst" in detailed

    def attempt(whole: bool) -> tuple[Report, Tallied]:
        feed = opened(predictions, labels, settings, block_bytes, whole=whole, named=named, hashed=keep is not None)
        beside: dict[str, Any] = {"slopes": slopes, "details": detailed, "keep": keep}
        return _report(feed, target, threads, metrics_needed, progress, **beside)

    once, restart = (False, None) if target is None else (target.restart is None, target.restart)
    report, tallied = retried(attempt, predictions, labels, once=once, restart=restart)
    return (_indexed(report, predictions, labels, settings) if settings.worst else report), tallied


def _indexed(report: Report, predictions: Any, labels: Any, settings: Settings) -> Report:
    """A report whose worst rows have the values of the index of pandas objects as their ids."""
    index = index_of_rows(predictions, labels, settings, report.examples.read)
    if index is None or settings.id not in (None, "index", index.name):
        return report
    ids = ids_of(index)
    worst = (
        replace(row, id=index[row.row - 1]) if row.id_text == str(ids[row.row - 1]) else row for row in report.worst
    )
    return replace(report, worst=tuple(worst))


def names_of(names: Collection[str]) -> Collection[str]:
    """Return a collection of names; a single name may be given as text.

    Raises UsageError for a value that is not a collection.
    """
    if not isinstance(names, Collection):
        raise UsageError(f"details and metrics_needed are lists of names, not {shown(names)}")
    return [names] if isinstance(names, str) else names


def details_named(names: Collection[str], known: Collection[str] = DETAILS) -> frozenset[str]:
    """Return the details of these names.

    Raises UsageError for another name.
    """
    given = names_of(names)
    unknown = next((name for name in given if name not in known), None)
    if unknown is not None:
        raise UsageError(f"there are no details {shown(unknown)}", advice=f"details: {', '.join(known)}")
    return frozenset(given)


def diagnosed(report: Report, tallied: Tallied) -> Report:
    """Return a report with the warnings of the diagnoses; a diagnosis that fails is skipped.

    Those that read rows again are made now, unless few rows are held for them, the others when the warnings are read.
    """
    plan, bundle = tallied.plan, tallied.bundle
    return derived(plan, bundle, _Diagnosed(report, plan, bundle, _shifts(tallied)))


@record(frozen=True, eq=False)
class _Diagnosed:
    """The fields of a report with the warnings of the diagnoses; `shifted` returns that of rows that are one apart."""

    report: Report
    plan: Plan
    bundle: Bundle
    shifted: Callable[[], Shifted | None]

    def __getattr__(self, name: str) -> Any:
        """Return a field that no diagnosis changes."""
        return getattr(self.report, name)

    @property
    def warnings(self) -> tuple[Warning, ...]:
        """All warnings; that of infinite losses, which advises to clip, comes after warnings that explain them."""
        found = (*self.report.warnings, *self._found)
        return tuple(sorted(found, key=lambda warning: warning.code == "infinite"))

    @property
    def _found(self) -> Sequence[Warning]:
        """The warnings of the diagnoses; only one if labels count from 1, as the others would name wrong classes."""
        base = _base(self.plan, self.bundle)
        case = None if base is not None else _case(self.plan, self.bundle)
        if case is None:
            return [] if base is None else [base]
        found, shifted = findings(case), self.shifted()
        if shifted is None:
            return found
        # The warning about shifted rows already says which rows belong together.
        found = [
            replace(warning, advice="") if warning.code == "worse-than-prior" else warning
            for warning in found
            if not (shifted.explains_order and warning.code == "columns-permuted")
        ]
        return [*found, shifted.warning]


def _base(plan: Plan, bundle: Bundle) -> Warning | None:
    """The warning of labels that are counted from 1."""
    return attempted(partial(base_warning, plan, bundle), None)


def _case(plan: Plan, bundle: Bundle) -> Case | None:
    """What the diagnoses look at; None where the pairs of classes could not be tallied."""
    total, confusion, looks, cut = (bundle[name] for name in ("scores", "confusion", "looks", "cut"))
    if confusion is None:
        return None
    prior = prior_of(plan, total.cost, total.classes)
    return Case(plan, total, confusion, looks or Looks.nothing(), cut or Cut.nothing(), prior)


def _shifts(tallied: Tallied) -> Callable[[], Shifted | None]:
    """Return what returns the warning of labels that are shifted by one row; it holds rows if they are few."""
    plan, bundle, feed, head = tallied.plan, tallied.bundle, tallied.source, tallied.head
    if feed is None or plan.alignment != "position" or not feed.repeatable:
        return lambda: None
    if head is not None and head.is_light and head.rows == tallied.total.read:
        return partial(_shifted, plan, bundle, None, head.copied())
    found = _shifted(plan, bundle, feed, head)
    return lambda: found


def _shifted(plan: Plan, bundle: Bundle, feed: Feed | None, head: Head | None) -> Shifted | None:
    """Look for labels shifted by one row, if the cost is above the prior or infinite, or columns seem swapped."""
    case = None if _base(plan, bundle) is not None else _case(plan, bundle)
    suspect = case is not None and (case.worse_than_prior or case.total.infinite.count or case.order is not None)
    if case is None or not (case.comparable and suspect):
        return None
    from xentcli.analysis.shifts import shift_warning

    return attempted(partial(shift_warning, case, feed, head), None)


def retried(
    attempt: Callable[[bool], T],
    predictions: Any,
    labels: Any,
    *,
    once: bool = False,
    restart: Callable[[], object] | None = None,
) -> T:
    """Attempt a run with the rule decided by the first labels; if a later label breaks it, by all labels.

    `attempt(whole)` runs, where `whole` says that all labels decide. With `once` they do from the
    start, so that there is one attempt; else `restart` is called before the second one. For a
    stream, which cannot be read again, only the first labels decide.
    """
    inputs = (predictions, labels)
    try:
        return attempt(once and not any(map(is_stream, inputs)))
    except LabelsBreakRule:
        if once or any(map(is_stream, inputs)):
            raise
    if restart is not None:
        restart()
    return attempt(True)


def opened(
    predictions: Any,
    labels: Any,
    settings: Settings,
    block_bytes: int | None = None,
    *,
    whole: bool = False,
    named: bool = False,
    hashed: bool = False,
    names: tuple[str, str] = ("predictions", "labels"),
) -> Feed:
    """Open both inputs, decide how they are read, and return the feed of their rows.

    The first labels decide the rule for all; with `whole` all labels do, if the files can be
    read twice. With `named` the index of pandas objects becomes the id of their rows. With
    `hashed` a digest of streams is computed, as with --hash.
    """
    if predictions is None:
        raise UsageError("no predictions: None is neither a path nor an array")
    labels, settings = with_labels(labels, settings)
    if not KINDS[settings.kind].labelled and labels is not None:
        raise UsageError(f"--kind {settings.kind} needs no labels", advice="leave the second file out")
    _check_two_inputs(predictions, labels)
    sides = zip(("predictions", "labels"), names, (predictions, labels), strict=True)
    hashed = hashed or settings.hash
    sources = [source_of(side, data, settings, name, hashed=hashed) for side, name, data in sides if data is not None]
    _check_two_sheets(*sources)
    further = settings.further_files([source.path for source in sources])
    others = [source_of(path, path, settings, path, hashed=hashed) for path in further]
    if settings.given:
        from xentcli.readers.objects import open_memory

        others += [open_memory(given.data, given.path, given.column) for given in settings.given]
    feed = pair(
        sources[0],
        sources[1] if len(sources) > 1 else None,
        settings,
        others=others,
        block_bytes=block_bytes,
        whole=whole,
        named=named or bool(settings.worst),
    )
    if settings.shard is not None:
        return feed.of_shard()
    if not settings.balanced:
        return feed
    from xentcli.analysis.balanced import balanced

    return balanced(feed)


def with_labels(labels: Any, settings: Settings) -> tuple[Any, Settings]:
    """Return the labels, which may be given as data of --label, and the settings without these.

    Raises UsageError if labels are given both ways.
    """
    given = settings.label
    if not isinstance(given, Given):
        return labels, settings
    if labels is not None:
        raise UsageError(
            "labels are given twice: as an argument and as label=", advice="label='COLUMN' names their column"
        )
    return given.data, replace(settings, label=None)


def source_of(side: str, data: Any, settings: Settings, name: str, *, hashed: bool = False) -> Source:
    """Open an input with the format options of its side: predictions, labels or further files."""
    if not isinstance(data, _PATH):
        from xentcli.readers.objects import open_memory

        return open_memory(data, name)
    decimal, named = settings.decimal_of(side)
    return open_source(
        data,
        name=name,
        format=settings.format_of(side),
        delimiter=settings.delimiter_of(side),
        decimal=decimal,
        decimal_named=named,
        quotes=settings.has_quotes(side),
        dtype=settings.dtype if side == "predictions" else None,
        limits=settings.limits,
        hashed=hashed,
    )


def _check_two_inputs(predictions: Any, labels: Any) -> None:
    """Refuse a file (under any name, or within folders and globs) or a stream given as both inputs (UsageError)."""
    if not (isinstance(predictions, _PATH) and isinstance(labels, _PATH)):
        return
    paths = [hidden(os.fspath(data)) for data in (predictions, labels)]
    if any(file_and_part(path)[1] is not None for path in paths):
        # Two sheets of one file are apart: see _check_two_sheets.
        return
    first, second = found = [_files_of(path) for path in paths]
    shared = _shared_file(first, second)
    if shared is None:
        return
    several = dict.fromkeys(shown(path) for path, files in zip(paths, found, strict=True) if path not in files)
    if several:
        raise UsageError(
            f"predictions and labels share a file: {shown(shared)} is among the files of {' and of '.join(several)}",
            advice=("give each side a file, folder or glob that shares no file with the other", f"or {_BY_COLUMN}"),
        )
    stream = "-" in paths or not (os.path.isfile(shared) or is_url(shared))
    raise UsageError(
        f"predictions and labels are the same {'stream' if stream else 'file'}: {shown(shared)}", advice=_BY_COLUMN
    )


def _check_two_sheets(predictions: Source, labels: Source | None = None) -> None:
    """Refuse the same sheet of a workbook as both inputs, whatever the spelling of FILE#SHEET (UsageError)."""
    if labels is None or predictions.format == "memory" or not same_file(predictions.path, labels.path):
        return
    sheets = {file_and_part(source.path)[1] for source in (predictions, labels)}
    if sheets == {None} or (len(sheets) > 1 and predictions.format == "excel"):
        return
    what = "sheet" if predictions.format == "excel" else "file"
    raise UsageError(f"predictions and labels are the same {what}: {shown(predictions.path)}", advice=_BY_COLUMN)


def _files_of(path: str) -> Sequence[str]:
    """Return the files that a path stands for, including standard input."""
    files: Sequence[str] | None = None
    if not (is_stdin(path) or os.path.isfile(path) or is_url(path)):
        from xentcli.readers.shards import files_of

        files = files_of(path)
    return (path,) if files is None else files


def _shared_file(first: Sequence[str], second: Sequence[str]) -> str | None:
    """Return a path of `first` whose file is also in `second`; None if there is none."""
    # Eight bytes a file: there may be many.
    one, two = (np.array([hash(file_id(path)) for path in files]) for files in (first, second))
    if not np.isin(one, two).any():
        return None
    others = {file_id(path) for path in second}
    return next((path for path in first if (file := file_id(path)) is not None and file in others), None)


def is_stdin(data: Any) -> bool:
    """Whether an input is ``-``, standard input."""
    return isinstance(data, str) and data == "-"


def is_stream(data: Any) -> bool:
    """Whether an input can be read only once: standard input, a pipe, a reader of record batches."""
    if not isinstance(data, _PATH):
        return isinstance(data, Iterator) or hasattr(data, "read_next_batch")
    # A path that does not exist may be a glob.
    return is_stdin(data) or (os.path.exists(data) and not (os.path.isfile(data) or os.path.isdir(data)))


@record(frozen=True)
class Tallied:
    """The tallies of all rows of a plan, and the result of matching them.

    `source` is the feed of the rows, `head` the first of them; None where they were scored elsewhere.
    """

    plan: Plan
    bundle: Bundle
    matches: Matches
    source: Feed | None = None
    head: Head | None = None

    @cached_property
    def total(self) -> Scores:
        """The scores of all rows."""
        total: Scores = self.bundle["scores"]
        return total

    @property
    def feed(self) -> Feed:
        """The feed of the rows, which a further pass reads again."""
        assert self.source is not None
        return self.source

    def report(self, metrics: Sequence[Metric] | None = None, details: Collection[str] = ()) -> Report:
        """Return the Report, with some metrics (default: the usual ones) and details, without diagnoses."""
        chosen = wanted() if metrics is None else metrics
        return report_of(self.plan, self.bundle, self.matches, chosen, details)


def _report(
    feed: Feed,
    sink: Sink | None,
    threads: int | None,
    metrics_needed: Collection[str],
    progress: Callable[[int, float | None], None] | None,
    *,
    slopes: bool,
    details: frozenset[str],
    keep: Keep | None,
) -> tuple[Report, Tallied]:
    plan = feed.plan
    if sink is not None and plan.recipe.has_weightless_losses:
        raise UsageError(
            "--per-example cannot be combined with a class weight of 0 and --label-smoothing: "
            "a row of that class has a loss and weight 0, so weight x loss is not its part of the cost",
            advice="leave --per-example out to compute the cost",
        )
    of_reference = [m for m in METRICS.values() if m.of_reference] if plan.reference is not None else []
    metrics = wanted((*plan.settings.shown_metrics, *map(find, metrics_needed), *of_reference))
    fit = "fit" in [metric.tally for metric in metrics]
    if fit:
        from xentcli.analysis.fit import check_repeatable

        check_repeatable(feed)
    scorer = Scorer(plan, sink and sink.prepare, metrics, fit=fit or slopes, details=details, contents=keep is not None)
    report, tallied = diagnosed_report(scorer, feed, metrics, threads, sink, progress, keep)
    return (_with_gain(report, tallied, threads) if fit else report), tallied


def diagnosed_report(
    scorer: Scorer,
    feed: Feed,
    metrics: Sequence[Metric],
    threads: int | None = None,
    sink: Sink | None = None,
    progress: Callable[[int, float | None], None] | None = None,
    keep: Keep | None = None,
) -> tuple[Report, Tallied]:
    """Score all tasks of a feed, and return the Report with its diagnoses, and the tallies; `keep` writes these."""
    # Each shard of rows would read the whole file for its digest.
    hashed = scorer.plan.settings.hash or (keep is not None and feed.rows is None)
    found: tuple[Digest | None, ...] = (None,) * len(feed.sources)
    if hashed:
        from xentcli.readers.digest import digests

        with digests(feed.sources, whole=scorer.plan.settings.hash, each=keep is not None) as sums:
            tallied = tally(scorer, feed, threads, sink, progress)
            found = sums()
        feed.check_unchanged()
    else:
        tallied = tally(scorer, feed, threads, sink, progress)
    if keep is not None:
        keep.write(feed, tallied.bundle, tallied.matches, metrics, scorer.details, found)
    report = tallied.report(metrics, scorer.details)
    if scorer.plan.settings.hash:
        inputs = zip(report.inputs, found, strict=True)
        report = replace(report, inputs=tuple(replace(i, sha256=of and of.whole) for i, of in inputs))
    return diagnosed(report, tallied), tallied


def _with_gain(report: Report, tallied: Tallied, threads: int | None) -> Report:
    """Return the report with the gain of the best temperature, or the reason why it is undefined."""
    from xentcli.analysis.fit import fitted

    fit = fitted(tallied.feed, first=tallied.bundle["slopes"], threads=threads)
    if fit.gain is None:
        return replace(report, undefined={**report.undefined, "temperature_gain": fit.reason})
    gain = fit.gain.gain.mean.value / tallied.plan.settings.nats_per_unit
    return replace(report, metrics={**report.metrics, "temperature_gain": gain})


def tally(
    scorer: Scorer,
    feed: Feed,
    threads: int | None = None,
    sink: Sink | None = None,
    progress: Callable[[int, float | None], None] | None = None,
) -> Tallied:
    """Score all tasks of a feed and return the tallies; losses go to `sink`, block by block, in order."""
    plan = scorer.plan
    bundle, matching, head = Bundle(), Matching(feed), None
    # Parts of a stream hold their bytes and cost no time to create.
    stream = not feed.sources[0].repeatable
    waiting = 1 if stream else 2
    each = Grouped(scorer) if sink is None or sink.parts is None else Writing(scorer, sink.prepare, sink.parts())
    outcomes = over_tasks(scorer, feed, threads, waiting, each=each, by_files=sink is None)
    for outcome in _unless_changed(feed, outcomes):
        matching.note(outcome.ids, outcome.positions, outcome.row_names)
        head = head or outcome.head
        if outcome.bundle is None or matching.faulty:
            if stream:
                # A stream may have no end.
                break
            continue
        bundle = bundle.merge(outcome.bundle)
        _check_groups(plan, bundle)
        if progress is not None:
            rows = bundle["scores"].read
            progress(rows, feed.share_of(rows))
        if sink is not None:
            for examples in outcome.examples:
                sink.write(examples)
    tallied = Tallied(plan, bundle, matching.finish(), feed, head)
    check_whole(plan, bundle)
    return tallied


def check_whole(plan: Plan, bundle: Bundle) -> None:
    """Refuse tallies of all rows with too many groups, or of swapped files.

    Raises DataError or FileError with the option or command that helps.
    """
    _check_groups(plan, bundle, whole=True)
    if plan.matcher is not None and plan.matcher.matched == "binary" and bundle["scores"].certain == {0.0, 1.0}:
        _check_swapped(plan, bundle["scores"])


def _check_groups(plan: Plan, bundle: Bundle, *, whole: bool = False) -> None:
    """Refuse more groups than --max-groups (FileError), among those counted so far, or with `whole` exactly."""
    if not (plan.settings.slices or plan.settings.cluster is not None):
        return
    most = plan.settings.max_groups
    grouped = [("a column of --by", groups, most) for groups in bundle["by"].each]
    grouped += [("--cluster", bundle["clusters"], most)]
    grouped += [("--by with --cluster", groups, _PARTS * most) for groups in bundle["by_cluster"].each]
    for what, groups, limit in grouped:
        if (len(groups.names) if whole else groups.at_least) > limit:
            raise FileError(
                f"{what} has more than {limit:,} groups",
                advice="--max-groups N allows more; each takes memory",
            )


def _unless_changed(feed: Feed, outcomes: Iterator[Outcome]) -> Iterator[Outcome]:
    """Yield outcomes; on an error, report a changed input instead if one changed during the run."""
    try:
        yield from outcomes
    except (DataError, ClusterError):
        feed.check_unchanged()
        raise


def _check_swapped(plan: Plan, total: Scores) -> None:
    """Refuse predictions that are all 0 or 1 beside labels in between, as of swapped files."""
    if plan.settings.kind == "probs" and 2 * total.soft_rows > total.scored:
        first, last = plan.inputs[0].path, plan.inputs[-1].path
        swapped = f"are the files swapped? xent score {last} {first}"
        raise DataError(
            f"every prediction is 0 or 1, and {total.soft_rows:,} of {total.scored:,} labels lie between",
            place=Place(first),
            advice=swapped if len(plan.inputs) > 1 else "is --label the right column?",
        )
