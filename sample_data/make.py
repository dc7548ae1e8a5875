"""Make the sample data from real models on the data sets that ship inside scikit-learn.

Run ``python sample_data/make.py`` (needs the ``test`` extra). Every prediction is out of fold:
the model that made it never saw that row. Seeds and splits are fixed, so that a second run with
the same libraries on the same machine writes the same bytes.
"""

# scikit-learn and threadpoolctl ship no types, and need not be installed to check this file.
# mypy: disable-error-code="import-untyped,import-not-found"

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.datasets import load_breast_cancer, load_digits, load_wine
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

HERE = Path(__file__).resolve().parent
SEED = 0

# Six significant digits keep the files small; rows still add up to 1 within 1e-5.
SHORT = "%.6g"

Floats = npt.NDArray[np.float64]
Labels = npt.NDArray[np.int64]


def logistic() -> Pipeline:
    """Return a logistic regression on standardised columns."""
    # 100 iterations, the default, is near the edge for digits; 1000 leaves room to converge.
    return make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))


def forest() -> RandomForestClassifier:
    """Return a forest of fully grown trees, each of which votes for one class."""
    # The default 100 trees: a class no tree votes for gets exactly 0, and nothing is clipped.
    return RandomForestClassifier(n_estimators=100, random_state=SEED, n_jobs=1)


def out_of_fold(
    model: Pipeline | RandomForestClassifier, x: Floats, y: Labels, method: str = "predict_proba"
) -> Floats:
    """Predict each row with the model fitted on the four folds that do not hold it."""
    folds = StratifiedKFold(n_splits=5, shuffle=True, random_state=SEED)
    predicted = cross_val_predict(model, x, y, cv=folds, n_jobs=1, method=method)
    return np.asarray(predicted, dtype=np.float64)


def write_csv(name: str, table: pd.DataFrame, float_format: str | None = None) -> None:
    """Write `table` beside this script, with the same line ends on every system."""
    table.to_csv(HERE / name, index=False, float_format=float_format, lineterminator="\n")


def check_finite(name: str, truth: Labels) -> None:
    """Stop if `name`, as written, gives a true class probability 0: its cost would be infinite."""
    table = pd.read_csv(HERE / name).select_dtypes("number").to_numpy(dtype=np.float64)
    if table.shape[1] == 1:
        table = np.hstack([1.0 - table, table])
    zeros = int((table[np.arange(len(truth)), truth] <= 0.0).sum())
    if zeros:
        raise SystemExit(f"{name}: {zeros} rows give the true class probability 0")


def make_digits() -> None:
    """Write two classifiers' probabilities, one's logits, and the labels, for digits."""
    x, y = load_digits(return_X_y=True)
    names = [str(digit) for digit in range(10)]
    votes = pd.DataFrame(out_of_fold(forest(), x, y), columns=names)
    # Hundredths already, so they are written as they are.
    write_csv("digits_forest.csv", votes)
    probabilities = pd.DataFrame(out_of_fold(logistic(), x, y), columns=names)
    write_csv("digits_logistic.csv", probabilities, SHORT)
    write_csv("digits_labels.csv", pd.DataFrame({"label": y}))
    logits = out_of_fold(logistic(), x, y, method="decision_function")
    np.save(HERE / "digits_logits.npy", logits.astype(np.float32, order="C"))
    np.save(HERE / "digits_labels.npy", y.astype(np.uint8))
    check_finite("digits_forest.csv", y)
    check_finite("digits_logistic.csv", y)


def make_cancer() -> None:
    """Write the probability of class 1 (benign), and the labels, for breast cancer."""
    x, y = load_breast_cancer(return_X_y=True)
    benign = out_of_fold(logistic(), x, y)[:, 1]
    write_csv("cancer_logistic.csv", pd.DataFrame({"benign": benign}), SHORT)
    write_csv("cancer_labels.csv", pd.DataFrame({"label": y}))
    check_finite("cancer_logistic.csv", y)


def make_wine() -> None:
    """Write one file with ids, probabilities and named truth, for wine."""
    data = load_wine()
    names = [str(name) for name in data.target_names]
    table = pd.DataFrame(out_of_fold(logistic(), data.data, data.target), columns=names)
    table.insert(0, "id", [f"w{row:03d}" for row in range(1, len(table) + 1)])
    table["truth"] = [names[label] for label in data.target]
    # The data set comes sorted by class; in file order that would hide mistakes in matching rows.
    order = np.random.RandomState(SEED).permutation(len(table))
    write_csv("wine.csv", table.iloc[order], SHORT)
    check_finite("wine.csv", data.target[order])


def main() -> None:
    """Write every sample file."""
    # Sums split over threads round differently, and the number of threads is the machine's.
    with threadpool_limits(limits=1):
        make_digits()
        make_cancer()
        make_wine()


if __name__ == "__main__":
    main()
