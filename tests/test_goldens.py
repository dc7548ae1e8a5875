"""Published figures, and exact ones: what today's options can say of the goldens."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from xentcli import score
from xentcli.errors import DataError
from xentcli.report.per_example import PerExample
from xentcli.report.report import Report

Figure = Callable[[Report], float | None]


def metric(name: str) -> Figure:
    return lambda report: report.value(name)


def brier_halved(report: Report) -> float:
    brier = report.value("brier")
    assert brier is not None
    return brier / 2


def share_of_1(report: Report) -> float:
    assert report.labels.counts is not None
    return report.labels.counts[1] / report.examples.scored


COST, TOTAL, PRIOR, NCE = metric("cost"), metric("total"), metric("prior"), metric("nce")
ACCURACY, BRIER, KL, ERROR = metric("accuracy"), metric("brier"), metric("kl"), metric("standard_error")

# How the files of goldens.json are scored, by a name for the run.

WORLD_CUP = {
    "preds": "prob1,probtie,prob2",
    "label": "prob1_outcome,probtie_outcome,prob2_outcome",
}
CLIP = 2.220446049250313e-16
RUNS: dict[str, tuple[str, dict[str, Any]]] = {
    "two": ("two_class_example", {"label": "truth", "preds": "Class1,Class2"}),
    "two weighted": ("two_class_example", {"label": "truth", "preds": "Class1,Class2", "weights": "weight"}),
    "hpc": ("hpc_cv", {"label": "obs", "preds": "VF,F,M,L"}),
    "hpc weighted": ("hpc_cv", {"label": "obs", "preds": "VF,F,M,L", "weights": "weight"}),
    "hpc clipped": ("hpc_cv", {"label": "obs", "preds": "VF,F,M,L", "clip": CLIP}),
    "hpc clipped weighted": ("hpc_cv", {"label": "obs", "preds": "VF,F,M,L", "clip": CLIP, "weights": "weight"}),
    "sst2": ("sst2_gpt2_4shot", {"kind": "logprobs"}),
    "sst2 logits": ("sst2_gpt2_4shot", {"kind": "logits"}),
    "adrenal": ("adrenalmnist", {"kind": "logprobs"}),
    "adrenal logits": ("adrenalmnist", {"kind": "logits"}),
    "pneumonia": ("pneumoniamnist", {"kind": "logprobs"}),
    "pneumonia logits": ("pneumoniamnist", {"kind": "logits"}),
    "ncaa": ("ncaa", {"label": "favorite_win_flag", "preds": "favorite_probability"}),
    "world cup": ("world_cup_men", WORLD_CUP),
}

RUNS |= {name: (name, {}) for name in ("vw_oaa", "vw_oaa_one_ind", "vw_oaa_zero_ind")}

FIGURES: dict[str, tuple[str, Figure]] = {
    "vw_oaa.published.mean": ("vw_oaa", COST),
    "vw_oaa.published.error_rate": ("vw_oaa", lambda report: 1 - (report.accuracy or 0)),
    "vw_oaa.exact.mean": ("vw_oaa", COST),
    "vw_oaa_one_ind.published.mean": ("vw_oaa_one_ind", COST),
    "vw_oaa_one_ind.exact.mean": ("vw_oaa_one_ind", COST),
    "vw_oaa_zero_ind.published.mean": ("vw_oaa_zero_ind", COST),
    "vw_oaa_zero_ind.exact.mean": ("vw_oaa_zero_ind", COST),
    "two_class_example.published.mean": ("two", COST),
    "two_class_example.published.sum": ("two", TOTAL),
    "two_class_example.published.weighted_mean": ("two weighted", COST),
    "two_class_example.published.weighted_sum": ("two weighted", TOTAL),
    "two_class_example.published.brier_halved": ("two", brier_halved),
    "two_class_example.exact.mean": ("two", COST),
    "two_class_example.exact.sum": ("two", TOTAL),
    "two_class_example.exact.weighted_mean": ("two weighted", COST),
    "two_class_example.exact.weighted_sum": ("two weighted", TOTAL),
    "two_class_example.exact.brier": ("two", BRIER),
    "hpc_cv.published.mean": ("hpc clipped", COST),
    "hpc_cv.published.sum": ("hpc clipped", TOTAL),
    "hpc_cv.published.weighted_mean": ("hpc clipped weighted", COST),
    "hpc_cv.published.weighted_sum": ("hpc clipped weighted", TOTAL),
    "hpc_cv.published.brier_halved": ("hpc clipped", brier_halved),
    "hpc_cv.exact.mean": ("hpc", COST),
    "hpc_cv.exact.sum": ("hpc", TOTAL),
    "hpc_cv.exact.weighted_mean": ("hpc weighted", COST),
    "hpc_cv.exact.weighted_sum": ("hpc weighted", TOTAL),
    "hpc_cv.exact.clipped_mean": ("hpc clipped", COST),
    "hpc_cv.exact.clipped_weighted_mean": ("hpc clipped weighted", COST),
    "hpc_cv.exact.brier": ("hpc", BRIER),
    "sst2_gpt2_4shot.published.nce": ("sst2", NCE),
    "sst2_gpt2_4shot.exact.mean_logprobs": ("sst2", COST),
    "sst2_gpt2_4shot.exact.mean_logits": ("sst2 logits", COST),
    "sst2_gpt2_4shot.exact.prior_entropy": ("sst2", PRIOR),
    "sst2_gpt2_4shot.exact.nce": ("sst2", NCE),
    "adrenalmnist.published.nce": ("adrenal", NCE),
    "adrenalmnist.exact.mean_logprobs": ("adrenal", COST),
    "adrenalmnist.exact.mean_logits": ("adrenal logits", COST),
    "adrenalmnist.exact.prior_entropy": ("adrenal", PRIOR),
    "adrenalmnist.exact.nce": ("adrenal", NCE),
    "adrenalmnist.exact.accuracy": ("adrenal", ACCURACY),
    "pneumoniamnist.published.nce": ("pneumonia", NCE),
    "pneumoniamnist.exact.mean_logprobs": ("pneumonia", COST),
    "pneumoniamnist.exact.mean_logits": ("pneumonia logits", COST),
    "pneumoniamnist.exact.prior_entropy": ("pneumonia", PRIOR),
    "pneumoniamnist.exact.nce": ("pneumonia", NCE),
    "pneumoniamnist.exact.accuracy": ("pneumonia", ACCURACY),
    "ncaa.published.favorites_won_percent": ("ncaa", lambda report: 100 * share_of_1(report)),
    "ncaa.exact.mean": ("ncaa", COST),
    "ncaa.exact.observed_rate": ("ncaa", share_of_1),
    "world_cup_men.exact.mean": ("world cup", COST),
    "world_cup_men.exact.sum": ("world cup", TOTAL),
}

# The figures of vectors.json: the options, and what of the report.

VECTORS: dict[str, tuple[dict[str, Any], Figure]] = {
    "spam-ham.mean": ({}, COST),
    "spam-ham.bits": ({"base": "2"}, COST),
    "seed-first-class.mean": ({}, COST),
    "seed-rest-does-not-matter.mean": ({}, COST),
    "kaggle-six-rows.mean": ({}, COST),
    "kaggle-six-rows.standard_error": ({}, ERROR),
    "three-class.mean": ({}, COST),
    "one-hot.mean": ({}, COST),
    "row-sum-half.renormalized": ({"renormalize": True}, COST),
    "row-sum-half.raw": ({"sum_tolerance": 0.5}, COST),
    "zero-at-truth.mean": ({}, COST),
    "zero-at-truth.clip_1e-15": ({"clip": 1e-15}, COST),
    "zero-at-truth.clip_0.01": ({"clip": 0.01}, COST),
    "binary-zero.mean": ({}, COST),
    "binary-zero.clip_1e-15": ({"clip": 1e-15}, COST),
    "binary-column.mean": ({}, COST),
    "soft-weighted.kl": ({"weights": "weight"}, KL),
    "soft-weighted.cross_entropy": ({"weights": "weight"}, COST),
    "decomposition.log.score": ({}, COST),
    "decomposition.log.uncertainty": ({}, PRIOR),
    "decomposition.brier.score": ({}, brier_halved),
    "brier-binary.brier": ({}, BRIER),
    "brier-binary.brier_halved": ({}, brier_halved),
    "brier-three.brier": ({}, BRIER),
    "yardstick-two.mean": ({}, COST),
    "yardstick-three.mean": ({}, COST),
    "tiny-loss.mean": ({}, COST),
    "tiny-loss-shifted.mean": ({}, COST),
    "huge-margin.mean": ({}, COST),
    "masked-logit.mean": ({}, COST),
}
SMOOTHED = {"label_smoothing": 0.1, "ignore_label": "-100"}
VECTORS |= {
    "torch-class-weights.sum": ({"class_weight": {"0": 2, "1": 4, "2": 6}}, TOTAL),
    "torch-class-weights.mean": ({"class_weight": {"0": 2, "1": 4, "2": 6}}, COST),
    "torch-extreme-logits.mean": ({"class_weight": {"0": 20, "1": 10}}, COST),
    "torch-weights-index.mean": ({"class_weight": {"0": 25, "1": 25, "2": 100}}, COST),
    "torch-weights-onehot.mean": ({"class_weight": {"0": 25, "1": 25, "2": 100}, "compat": "torch"}, COST),
    "smoothing-ignore-weights.mean": ({**SMOOTHED, "class_weight": {"0": 0.2, "1": 0.3}}, COST),
    "smoothing-ignore-weights.mean_without_weights": (SMOOTHED, COST),
    "kaggle-six-rows.standard_error_clustered": ({"cluster": "cluster"}, ERROR),
    "kaggle-six-rows.standard_error_clustered_no_correction": (
        {"cluster": "cluster"},
        lambda report: report.standard_error and report.standard_error * math.sqrt(2 / 3),
    ),
}
REFUSED = "row-sum-half.default"
EACH_ROW = "scoringutils.per_example"
MIXED = "vw_oaa_mixed.refused"
EACH_WEIGHTED_ROW = "torch-class-weights.per_example_weighted"
FOLDS = [f"hpc_cv.by_Resample_exact.Fold{fold:02}" for fold in range(1, 11)]

ECE = "needs the command calibration"
DECOMPOSITION = "needs the decomposition of calibration"
MEAN_PREDICTION = "the mean prediction is no figure of a report"

NOT_YET: dict[str, str] = {
    **{
        f"{name}.published.{figure}": ECE
        for name in ("sst2_gpt2_4shot", "adrenalmnist", "pneumoniamnist")
        for figure in ("ece15_percent", "ece15_binary_percent")
    },
    "ncaa.published.expected_percent": MEAN_PREDICTION,
    "ncaa.exact.mean_prediction": MEAN_PREDICTION,
    **{f"{name}.{figure}": ECE for name in ("ece-binary", "ece-multiclass") for figure in ("ece_l1", "ece_l2", "mce")},
    "ece-last-bin-closed.ece_l1": ECE,
    "decomposition.log.miscalibration": DECOMPOSITION,
    "decomposition.log.discrimination": DECOMPOSITION,
    "decomposition.brier.miscalibration": DECOMPOSITION,
    "decomposition.brier.discrimination": DECOMPOSITION,
    "decomposition.brier.uncertainty": DECOMPOSITION,
    "decomposition.isotonic": DECOMPOSITION,
}


def loaded(path: Path) -> Any:
    """A JSON file with its decimals as they are printed."""
    return json.loads(path.read_text(encoding="utf-8"), parse_float=Decimal, parse_int=Decimal)


def vectors(goldens: Path) -> dict[str, Any]:
    return {entry["name"]: entry for entry in loaded(goldens / "vectors.json")}


def leaves(name: str, value: Any) -> Iterator[tuple[str, Any]]:
    """The figures under a name: all that is no note."""
    if isinstance(value, dict):
        for key, item in value.items():
            if key != "note":
                yield from leaves(f"{name}.{key}", item)
    else:
        yield name, value


def figures_of_goldens(goldens: Path) -> dict[str, Any]:
    """All figures of goldens.json by name; `clip` is what one was computed with."""
    found: dict[str, Any] = {}
    for name, entry in loaded(goldens / "goldens.json").items():
        for part in ("published", "exact", "by_Resample_exact", "refused"):
            if part in entry:
                found |= leaves(f"{name}.{part}", entry[part])
    assert found.pop("hpc_cv.published.clip") == Decimal(repr(CLIP))
    return found


def figures_of_vectors(goldens: Path) -> dict[str, Any]:
    """All figures of vectors.json by name."""
    found: dict[str, Any] = {}
    for name, entry in vectors(goldens).items():
        found |= leaves(name, entry["want"])
        found |= {f"{name}.{key}": entry[key] for key in entry if key.startswith("standard_error")}
    return found


def half_of_the_last_digit(printed: Decimal) -> float:
    exponent = printed.as_tuple().exponent
    assert isinstance(exponent, int)
    return 0.5 * 10.0**exponent


@pytest.mark.parametrize("name", FIGURES)
def test_a_golden_figure_comes_out(name: str, goldens: Path) -> None:
    run, figure = FIGURES[name]
    entry, options = RUNS[run]
    golden = loaded(goldens / "goldens.json")[entry]
    report = score(*(goldens / path for path in golden["files"]), **options)
    assert report.examples.scored == golden["n"]
    assert max(len(report.classes), 2) == golden["k"]
    got, want = figure(report), figures_of_goldens(goldens)[name]
    if ".published." in name:
        assert got == pytest.approx(float(want), rel=1e-12, abs=half_of_the_last_digit(want))
    else:
        assert got == pytest.approx(float(want), rel=1e-12, abs=0)


def test_the_one_clipped_row_of_hpc_cv_is_reported(goldens: Path) -> None:
    entry, options = RUNS["hpc clipped"]
    report = score(goldens / loaded(goldens / "goldens.json")[entry]["files"][0], **options)
    assert report.clip is not None
    assert report.clip.count == 1
    assert report.clip.cost_without == pytest.approx(0.8021881671805488, rel=1e-12)


def test_the_zeros_of_the_world_cup_are_no_infinite_losses(goldens: Path) -> None:
    entry, options = RUNS["world cup"]
    report = score(goldens / loaded(goldens / "goldens.json")[entry]["files"][0], **options)
    assert report.infinite.count == 0
    assert report.labels.matched == "distribution"
    assert "name" in report.labels.note


def scored(entry: dict[str, Any], options: dict[str, Any], **more: Any) -> Report:
    """Score a vector as arrays."""
    chosen = dict(options, kind=entry.get("kind", "true-probs"), **more)
    values = next(entry[k] for k in ("predictions", "positive_column", "true_class_probability") if k in entry)
    predictions = np.array(values, dtype=np.float64)
    labels = next((entry[key] for key in ("labels", "targets", "soft_positive") if key in entry), None)
    if labels is None:
        return score(predictions, **chosen)
    if "classes" in entry:
        chosen["classes"] = entry["classes"]
    if "weights" in entry:
        columns = {"y": np.array(labels, dtype=np.float64), "weight": np.array(entry["weights"], dtype=np.float64)}
        return score(predictions, pd.DataFrame(columns), label="y", **chosen)
    if "cluster" in options:
        return score(
            predictions, pd.DataFrame({"y": labels, "cluster": entry["clusters"]}).astype(int), label="y", **chosen
        )
    texts = isinstance(labels[0], str)
    return score(predictions, labels if texts else np.array(labels, dtype=np.float64), **chosen)


@pytest.mark.parametrize("name", VECTORS)
def test_a_vector_figure_comes_out(name: str, goldens: Path) -> None:
    options, figure = VECTORS[name]
    got, want = figure(scored(vectors(goldens)[name.split(".")[0]], options)), figures_of_vectors(goldens)[name]
    if isinstance(want, str):
        assert (got, want) == (math.inf, "inf")
    else:
        assert got == pytest.approx(float(want), rel=1e-12, abs=half_of_the_last_digit(want))


def test_a_row_that_does_not_sum_to_1_is_refused(goldens: Path) -> None:
    assert figures_of_vectors(goldens)[REFUSED] == "refused: row sums to 0.5"
    with pytest.raises(DataError, match=r"row sums to 0\.5"):
        scored(vectors(goldens)[REFUSED.split(".")[0]], {})


def test_tokens_whose_classes_change_are_refused_with_the_row(goldens: Path) -> None:
    files = loaded(goldens / "goldens.json")["vw_oaa_mixed"]["files"]
    assert figures_of_goldens(goldens)[MIXED] is True
    with pytest.raises(DataError) as caught:
        score(*(goldens / path for path in files))
    assert caught.value.place is not None and caught.value.place.row == 3


def test_the_loss_of_each_row_comes_out(goldens: Path) -> None:
    blocks: list[PerExample] = []
    scored(vectors(goldens)[EACH_ROW.split(".")[0]], {}, sink=blocks.append)
    got = [loss for block in blocks for loss in block.loss.tolist()]
    want = figures_of_vectors(goldens)[EACH_ROW]
    assert len(got) == len(want)
    for one, printed in zip(got, want, strict=True):
        assert one == pytest.approx(float(printed), rel=1e-12, abs=half_of_the_last_digit(printed))


def test_the_weighted_loss_of_each_row_comes_out(goldens: Path) -> None:
    blocks: list[PerExample] = []
    options = {"class_weight": {"0": 2, "1": 4, "2": 6}}
    scored(vectors(goldens)[EACH_WEIGHTED_ROW.split(".")[0]], options, sink=blocks.append)
    got = [x for block in blocks for x in (block.loss * block.weight).tolist()]
    for one, printed in zip(got, figures_of_vectors(goldens)[EACH_WEIGHTED_ROW], strict=True):
        assert one == pytest.approx(float(printed), rel=0, abs=half_of_the_last_digit(printed))


def test_the_cost_of_each_fold_comes_out(goldens: Path) -> None:
    _, options = RUNS["hpc"]
    report = score(goldens / "yardstick" / "hpc_cv.csv", **options, by="Resample")
    want = figures_of_goldens(goldens)
    assert len(report.by) == len(FOLDS)
    for part in report.by:
        exact = float(want[f"hpc_cv.by_Resample_exact.{part.group['Resample']}"])
        assert part.cost == pytest.approx(exact, rel=1e-12, abs=0)


def test_every_figure_is_tested_or_said_to_be_not_yet_and_no_name_is_stale(goldens: Path) -> None:
    tested = {*FIGURES, *VECTORS, REFUSED, EACH_ROW, EACH_WEIGHTED_ROW, MIXED, *FOLDS}
    there = set(figures_of_goldens(goldens)) | set(figures_of_vectors(goldens))
    assert tested & set(NOT_YET) == set()
    assert tested | set(NOT_YET) == there


def test_every_entry_has_a_figure(goldens: Path) -> None:
    entries = {*loaded(goldens / "goldens.json"), *vectors(goldens)}
    there = {*figures_of_goldens(goldens), *figures_of_vectors(goldens)}
    assert {name.split(".")[0] for name in there} == entries
    assert {entry for entry, _ in RUNS.values()} <= entries
    assert {run for run, _ in FIGURES.values()} == set(RUNS)
