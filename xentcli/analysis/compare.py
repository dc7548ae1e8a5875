"""compare(): several models on the same rows, each against the first."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from xentcli.analysis.comparison import Compared
from xentcli.analysis.contrasts import Contrasted
from xentcli.analysis.divergence import divergences
from xentcli.analysis.model_names import names_of, paths_of
from xentcli.analysis.model_rows import ModelRows, Runs, check_alike
from xentcli.analysis.score import details_named, with_labels
from xentcli.arrays import index_of
from xentcli.engine.tasks import on_engine
from xentcli.errors import DataError, NoVerdict, UsageError, Warning, XentError, shown
from xentcli.pairing.index import INDEX, reordered
from xentcli.readers import file_and_part, file_id
from xentcli.records import replace
from xentcli.report.alike import alike, of_models
from xentcli.report.comparison import Comparison, Refused
from xentcli.report.details import COMPARED
from xentcli.scoring.kinds import KINDS
from xentcli.settings import Settings, takes_options

if TYPE_CHECKING:
    from xentcli.analysis.compared_state import Collected

__all__ = ["FITS", "compare"]

FITS = ("temperature", "none")
MOST_FITTED = 20
"""For more models, temperatures are fitted only on request: a fit reads each file up to six times."""


@takes_options("compare")
@on_engine
def compare(
    models: Mapping[str, Any] | Sequence[str | os.PathLike[str]],
    labels: Any = None,
    settings: Settings | None = None,
    *,
    each: Sequence[str] = (),
    model: str | None = None,
    fit: str | None = None,
    state: str | os.PathLike[str] | None = None,
    details: Collection[str] = (),
    threads: int | None = None,
    progress: Callable[[int, float | None], None] | None = None,
    **options: Any,
) -> Comparison:
    """Compare the predictions of several models for the same rows; the first model is the reference.

    With the rows' losses a_i of the reference and b_i of a model, the change is the weighted mean of
    d_i = b_i - a_i, and its standard error is that of a mean of the d_i (a paired comparison: what makes
    a row hard for both cancels out).

    Parameters
    ----------
    models
        By name the predictions of each model, as ``score`` takes them; or paths, which name the models.
    each
        Of one input: the columns of each model, as ``preds`` takes them.
    model
        Of one input: the column that names the model of each row; ``id`` names what the row is about.
    fit
        "temperature" compares also the costs once each model has its own temperature, fitted on these rows,
        "none" does not [default: temperature for up to 20 models].
    details
        What the comparison has in ``details``: differences (how those of the rows are distributed).
    labels, settings, state, threads, engine, scheduler, options
        As ``score`` takes them. labels is None where each file has them in a column, `label`; without either
        the distributions themselves are compared, by the divergences and the shared top class.
    progress
        Called with the number of rows done of the present file, and their fraction.

    Returns
    -------
    Comparison of plain values, losses in the unit of `base`.

    Raises
    ------
    UsageError
        For fewer than two models, or both `each` and `model`.
    DataError, FileError, NoVerdict
        As ``score`` raises them; of three models and more, those of a single file are in `refused`.

    Examples
    --------
    >>> old, new = [[0.6, 0.4], [0.3, 0.7], [0.5, 0.5]], [[0.8, 0.2], [0.2, 0.8], [0.6, 0.4]]
    >>> result = compare({"old": old, "new": new}, [0, 1, 0])
    >>> round(result.pairs[0].change, 4), result.pairs[0].verdict
    (-0.2012, 'better')
    """
    labels, chosen = with_labels(labels, Settings.chosen(settings, options, compare))
    named_models = dict(models) if isinstance(models, Mapping) else names_of(paths_of(models))
    _check_models(named_models, each, model, chosen)
    if chosen.id is None and chosen.align is None and len(named_models) > 1:
        indexes = {name: index for name, data in named_models.items() if (index := index_of(data)) is not None}
        known = chosen.label is not None if labels is None else index_of(labels) is not None
        chosen = replace(chosen, id=INDEX) if reordered(indexes, known) else chosen
    collected: Collected | None = None
    if state is not None or chosen.shard is not None:
        from xentcli.analysis.compared_state import Collected

        labelled = labels is not None or chosen.label is not None or bool(each) or not KINDS[chosen.kind].labelled
        inputs = (*named_models.values(), labels)
        collected = Collected.to(state, chosen, inputs, by_model=model is not None, labelled=labelled)
    unfitted = _unfitted(fit, chosen, len(each or named_models), model)
    runs, wanted = Runs.of(chosen, _metrics(chosen)), details_named(details, COMPARED)
    beside: dict[str, Any] = {"threads": threads, "progress": progress}
    if model is not None:
        done = runs.run_long(model, next(iter(named_models.values())), labels, **beside)
        if len(done) < 2:
            raise DataError(f"column {shown(model)} names one model only: there is nothing to compare it with")
        return _made(runs, done, labels, unfitted, threads, wanted)
    if labels is None and chosen.label is None and KINDS[chosen.kind].labelled and not each:
        if fit == "temperature":
            raise UsageError("--fit temperature needs labels", advice="--labels FILE or --label COLUMN")
        result = divergences(list(named_models.items()), chosen, threads=threads)
        return replace(result, warnings=(*result.warnings, *_same_files(named_models)))
    jobs = [(name, data, chosen) for name, data in named_models.items()]
    if each:
        data = next(iter(named_models.values()))
        jobs = [(columns.strip("*_"), data, replace(chosen, preds=columns)) for columns in each]
    done, refused = _run_all(runs, jobs, labels, fit=unfitted is None, collected=collected, **beside)
    warnings = () if each else tuple(_same_files(named_models))
    result = _made(runs, done, labels, unfitted, threads, wanted, refused, warnings, collected)
    return replace(result, warnings=(*result.warnings, *warnings))


def _made(
    runs: Runs,
    models: Sequence[ModelRows],
    labels: Any,
    unfitted: str | None,
    threads: int | None,
    details: Collection[str],
    refused: tuple[Refused, ...] = (),
    warnings: tuple[Warning, ...] = (),
    collected: Collected | None = None,
) -> Comparison:
    """Return the document of the models that were scored, and write their state if it was `collected`."""
    contrasts = Contrasted(runs, models, labels, threads, details, whole=collected is not None).contrasts()
    if collected is not None:
        collected.write(runs, models, contrasts, labelled=labels is not None, unfitted=unfitted, warnings=warnings)
    made = Compared(
        runs.settings,
        runs.metrics,
        models,
        contrasts,
        labelled=labels is not None,
        unfitted=unfitted or "",
        clusters=None if runs.settings.cluster is None else len(runs.groups[-1].names),
        before=runs.before,
        row_names=None if runs.row_names is None else runs.row_names.names,
    )
    return made.comparison(refused)


def _same_files(models: Mapping[str, Any]) -> Iterator[Warning]:
    """Warn about models with the same predictions as an earlier model."""
    known: dict[Any, str] = {}
    for name, path in models.items():
        if isinstance(path, str | os.PathLike) and (file := file_id(path)) is not None:
            first = known.setdefault((file, file_and_part(os.fspath(path))[1]), name)
            if first != name:
                yield Warning("same-file", f"{name} and {first} are the same file")


def _unfitted(fit: str | None, settings: Settings, models: int, model: str | None) -> str | None:
    """Return why no temperatures are fitted (empty: on request), or None if they are.

    Raises UsageError for an unknown name, and if a fit is requested that is impossible.
    """
    if fit not in (None, *FITS):
        raise UsageError(f"--fit is {' or '.join(FITS)}, not {shown(fit)}")
    if fit == "none":
        return ""
    never = "" if KINDS[settings.kind].labelled else f"--kind {settings.kind} holds no distribution over classes"
    never = never or ("" if settings.compat is None else f"--compat {settings.compat} has no temperature")
    never = never or ("" if model is None else "rows of several models are in one file (--model)")
    if never and fit is not None:
        raise UsageError(f"--fit {fit} cannot be: {never}")
    if not never and fit is None and models > MOST_FITTED:
        never = f"there are more than {MOST_FITTED} models; --fit temperature fits them all"
    return never or None


def _check_models(models: Mapping[str, Any], each: Sequence[str], model: str | None, settings: Settings) -> None:
    """Refuse too few models, and options that exclude each other."""
    if each and model is not None:
        raise UsageError("--each takes a column for each model and --model a row for each; choose one")
    option = "--each" if each else "--model" if model is not None else None
    if option is not None and len(models) > 1:
        raise UsageError(
            f"{option} compares models that are in one file, not {len(models)} files of OLD NEW or --models"
        )
    if len(each) == 1:
        raise UsageError("--each names one model: there is nothing to compare it with", advice="--each ecmwf,gfs")
    if each and settings.preds is not None:
        raise UsageError("--each and --preds both name columns of predictions; choose one")
    if model is not None and settings.id is None:
        raise UsageError("--model needs --id COLUMN, which says what each row is about")
    if option is None and len(models) < 2:
        raise UsageError(
            "one file of predictions is nothing to compare",
            advice=("xent compare OLD NEW --labels FILE", "models in one file: --each COLUMN,COLUMN or --model COLUMN"),
        )


def _metrics(settings: Settings) -> tuple[str, ...]:
    """The metrics compared in addition to the cost; raises UsageError for one that is not a mean over rows."""
    if not settings.shown_metrics:
        return ("brier", "accuracy") if KINDS[settings.kind].labelled else ()
    for metric in settings.shown_metrics:
        if metric.name != "cost" and metric.per_example is None:
            why = "its change is that of the cost" if metric.of_row else "it is not a mean over rows"
            raise UsageError(f"compare cannot compare {metric.name}: {why}")
    return tuple(metric.name for metric in settings.shown_metrics if metric.name != "cost")


def _run_all(
    runs: Runs,
    jobs: Sequence[tuple[str, Any, Settings]],
    labels: Any,
    *,
    collected: Collected | None = None,
    **beside: Any,
) -> tuple[list[ModelRows], tuple[Refused, ...]]:
    """Score each model; with three or more, one that fails is left out and named, unless a state needs all."""
    done: list[ModelRows] = []
    refused: list[Refused] = []
    errors: list[XentError] = []
    keep = None if collected is None else collected.keep
    for (name, data, _), model in zip(jobs, runs.run_each(jobs, labels, keep=keep, **beside), strict=True):
        try:
            if isinstance(model, XentError):
                raise model
            if done:
                check_alike(done[0], model, runs, one_label_file=labels is not None)
            done.append(model)
        except XentError as error:
            errors.append(error)
            if isinstance(error, NoVerdict) and collected is not None:
                continue
            if len(jobs) < 3 or collected is not None:
                raise
            refused.append(Refused(name, data if isinstance(data, str) else name, error.headline, error.exit_code))
    if collected is not None and errors:
        # Keep the state: it can still be merged with those of other runs.
        collected.write(runs, [runs.of_no_rows(job) for job in jobs], None, labelled=labels is not None)
    if errors and (collected is not None or not done):
        raise errors[0]
    if len(done) < 2:
        raise DataError(
            f"only {done[0].name} can be scored: there is nothing to compare it with",
            advice=_reasons(refused, len(jobs)),
        )
    return done, tuple(refused)


def _reasons(refused: Sequence[Refused], models: int) -> tuple[str, ...]:
    """The first reasons, each once."""
    found = alike([(one.name, (one.reason,)) for one in refused], {one.name: one.path for one in refused})
    return tuple(f"{of_models(names, models)}: {reason}{of}" for names, (reason,), of in found)[:3]
