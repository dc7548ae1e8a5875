"""ComparedState: the state of a comparison, with the state of each model and the tallies of their differences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import reduce
from itertools import accumulate
from typing import Any, ClassVar

from xentcli.analysis import state_file
from xentcli.analysis.comparison import Compared
from xentcli.analysis.contrasts import Contrasts
from xentcli.analysis.model_rows import ModelRows, Runs
from xentcli.analysis.row_store import RowStore
from xentcli.analysis.state import Keep, State, options_of
from xentcli.analysis.wholes import common_options, numbering, order_of, whole_of
from xentcli.errors import DataError, Place, UsageError, Warning
from xentcli.records import record, replace
from xentcli.report.comparison import Comparison
from xentcli.report.report import Report
from xentcli.settings import Settings
from xentcli.tallies.tally import made_of, plain_of

__all__ = ["Collected", "ComparedState", "merged"]

_REFIT = "a fit reads all rows again, and states have none: xent compare on the files"


@record(frozen=True, eq=False)
class ComparedState:
    """The states of several models on the same rows, the reference first, and their differences.

    Attributes
    ----------
    path
        The file that it was read from.
    options
        The options, the same for all models.
    metrics
        The metrics compared in addition to the cost.
    names, paths
        The names and paths of the models.
    lengths
        The number of rows of the reference in each run covered.
    labelled
        Whether the labels are in a separate file.
    unfitted
        Why no temperatures were fitted (empty: on request); None if they were.
    warnings
        The warnings about the list of models.
    """

    command: ClassVar = "compare"

    path: str
    options: Mapping[str, Any]
    metrics: tuple[str, ...]
    names: tuple[str, ...]
    paths: tuple[str, ...]
    models: tuple[State, ...]
    lengths: tuple[int, ...]
    contrasts: Contrasts
    labelled: bool
    unfitted: str | None
    warnings: tuple[Warning, ...]

    def body(self) -> dict[str, Any]:
        """Return the state as JSON values, from which `of` restores it."""
        return {
            "command": self.command,
            "options": dict(self.options),
            "metrics": list(self.metrics),
            "names": list(self.names),
            "paths": list(self.paths),
            "models": [model.body() for model in self.models],
            "lengths": list(self.lengths),
            "contrasts": self.contrasts.to_plain(),
            "labelled": self.labelled,
            "unfitted": self.unfitted,
            "warnings": plain_of(self.warnings),
        }

    @classmethod
    def of(cls, path: str, body: Any) -> ComparedState:
        """Return the state that has these values.

        Raises ValueError if they are not those of a state.
        """
        texts = tuple[str, ...]
        state = cls(
            path,
            options_of(body["options"]),
            made_of(texts, body["metrics"]),
            made_of(texts, body["names"]),
            made_of(texts, body["paths"]),
            tuple(State.of(path, model) for model in body["models"]),
            made_of(tuple[int, ...], body["lengths"]),
            Contrasts.from_plain(body["contrasts"]),
            made_of(bool, body["labelled"]),
            made_of(str | None, body["unfitted"]),
            made_of(tuple[Warning, ...], body["warnings"]),
        )
        count = len(state.names)
        covers = [len(model.covers) for model in state.models]
        if not 2 <= count == len(state.paths) == len(covers) or {*covers} != {len(state.lengths)}:
            raise ValueError("models of other runs")
        return state

    def write(self, path: str) -> None:
        """Write it to a file, atomically."""
        state_file.write(path, self.body())

    def comparison(self, reports: Sequence[Report]) -> Comparison:
        """Return the document of everything covered, given the reports of its models.

        Raises NoVerdict if no row is left to compare.
        """
        settings, nothing = Settings(**self.options), RowStore([])
        models = [
            ModelRows(name, path, nothing.region(), report=report)
            for name, path, report in zip(self.names, self.paths, reports, strict=True)
        ]
        made = Compared(
            settings,
            self.metrics,
            models,
            self.contrasts,
            labelled=self.labelled,
            unfitted=_REFIT if self.unfitted is None else self.unfitted,
            slice_columns=self.models[0].decided.slice_columns,
            clusters=None if settings.cluster is None else len(self.models[0].bundle["clusters"].names),
        )
        comparison = made.comparison()
        return replace(comparison, warnings=(*comparison.warnings, *self.warnings))


def merged(states: Sequence[ComparedState]) -> ComparedState:
    """Return the state of all rows.

    Raises DataError if states do not go together.
    """
    first = states[0]
    for other in states[1:]:
        if other.names != first.names:
            raise DataError(
                f"other models: {', '.join(other.names)}, and {', '.join(first.names)} in {first.path}",
                place=Place(other.path),
                advice=(
                    "compare the same models in the same order in each run",
                    "they are named by their files: xent compare monday/old.csv monday/new.csv, and those of tuesday/",
                ),
            )
    order = order_of([state.models[0] for state in states])
    *others, last = zip(*(state.models for state in states), strict=True)
    models = (*(whole_of(of, order, labels=False) for of in others), whole_of(last, order))
    lengths, moved = _moved(states, order)
    leading = states[_owners(states)[order[0]]]
    scored = [state for state in states if state.contrasts.rows] or states
    contrasts = reduce(Contrasts.merge, moved)
    if not all(state.contrasts.spread for state in scored):
        contrasts = replace(contrasts, spread={})
    return replace(
        leading,
        options=common_options(states),
        models=models,
        lengths=lengths,
        contrasts=contrasts,
        unfitted=None if any(state.unfitted is None for state in scored) else scored[0].unfitted,
        warnings=tuple(w for w in scored[0].warnings if all(w in state.warnings for state in scored)),
    )


def _owners(states: Sequence[ComparedState]) -> list[int]:
    """For each run covered, the index of its state."""
    return [place for place, state in enumerate(states) for _ in state.lengths]


def _moved(states: Sequence[ComparedState], order: Sequence[int]) -> tuple[tuple[int, ...], list[Contrasts]]:
    """The lengths of all runs in order, and the tallies with rows numbered consecutively through all runs."""
    owners = _owners(states)
    lengths = [length for state in states for length in state.lengths]
    covers = [cover for state in states for cover in state.models[0].covers]
    places, numbers = (
        dict(zip(order, accumulate((of[place] for place in order), initial=0), strict=False))
        for of in (lengths, [cover.rows for cover in covers])
    )
    found = []
    for place, state in enumerate(states):
        own = [at for at in order if owners[at] == place]
        rows = numbering(state.path, [lengths[at] for at in own], [places[at] for at in own])
        begin, sizes = covers[own[0]].start, [covers[at].rows for at in own]
        named = numbering(state.path, sizes, [numbers[at] for at in own], begin)
        found.append(state.contrasts.moved(rows, named))
    return tuple(lengths[at] for at in order), found


@record(frozen=True, eq=False)
class Collected:
    """Collects the states of the models of a run while they are scored."""

    path: str | None
    keep: Keep

    @classmethod
    def to(cls, path: Any, settings: Settings, inputs: Sequence[Any], *, by_model: bool, labelled: bool) -> Collected:
        """Return the collector for a state file (`path` None: for --shard alone).

        Raises UsageError for options under which the runs share no order of rows, and if the path is an input.
        """
        option = "--state" if settings.shard is None else "--shard"
        if by_model:
            raise UsageError(
                f"{option} and --model: rows of several models are in one file, in no order that runs share",
                advice="give each model a file of its own",
            )
        if not labelled:
            raise UsageError(f"{option} needs labels: without them models are compared in one run")
        if settings.id is not None and settings.shard is not None:
            raise UsageError(
                "--shard and --id: the I-th parts of two files need not have the same ids",
                advice="give each run files of the same ids, without --shard",
            )
        keep = Keep.to("" if path is None else path, settings, inputs, "compare")
        return cls(None if path is None else keep.path, replace(keep, into=[]))

    @property
    def states(self) -> list[State]:
        """The states of the models that were scored."""
        assert self.keep.into is not None
        return self.keep.into

    def write(
        self,
        runs: Runs,
        models: Sequence[ModelRows],
        contrasts: Contrasts | None,
        *,
        labelled: bool,
        unfitted: str | None = "",
        warnings: tuple[Warning, ...] = (),
    ) -> None:
        """Write the state (without `contrasts`: of a run with no scored rows); check that shards have the same rows."""
        _check_sharded([model.name for model in models], self.states)
        if self.path is None:
            return
        scores = [state.bundle["scores"] for state in self.states]
        if contrasts is None:
            counts = {place: of.scored for place, of in enumerate(scores)}
            contrasts = Contrasts(0, counts, dict.fromkeys(counts, 0))
        clusters = None if runs.settings.cluster is None else [str(name) for name in runs.groups[-1].names]
        ComparedState(
            self.path,
            runs.settings.plain(),
            runs.metrics,
            tuple(model.name for model in models),
            tuple(model.path for model in models),
            tuple(self.states),
            (scores[0].read,),
            contrasts.kept(clusters),
            labelled,
            unfitted,
            warnings,
        ).write(self.path)


def _check_sharded(names: Sequence[str], states: Sequence[State]) -> None:
    """Refuse models whose shard has other rows than that of the reference (DataError)."""
    shards = [(state.covers[0].whole or ("", 0, ""), state.covers[0].start) for state in states]
    (first_kind, first_count, _), first_start = shards[0]
    for name, state, ((kind, count, _), start) in zip(names, states, shards, strict=True):
        if (kind, count, start) != (first_kind, first_count, first_start):
            raise DataError(
                f"--shard shares out {count:,} {kind} of {name}, and {first_count:,} {first_kind} of {names[0]}: "
                "other rows",
                place=Place(state.covers[0].inputs[0].path),
                advice="give each model one file, or each as many files as the others",
            )
