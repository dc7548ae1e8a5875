"""Calls of the library as people write them: mypy --strict accepts these, and refuses what wrong.py adds."""

from __future__ import annotations

import numpy as np
import pandas as pd

import xentcli

Q = np.array([[0.8, 0.2], [0.4, 0.6]])
Y = np.array([0, 1])

report = xentcli.score(Q, Y, kind="probs", clip=1e-9, by_class=True, worst=3, threads=2, base=2)
cost: float | None = report["log_loss"]
least: float = min(report.cost, 1.0)
line: str = str(report)
columns = xentcli.score("run.csv", label="truth", preds=["cat", "dog"], by=["site", "day"], metrics="cost,top3")
numbers = xentcli.score("run.csv", preds=[0, 1], label=2, class_weight={"cat": 2.5}, ignore_label=-100)
roles = xentcli.score(Q, label=Y, weights=np.ones(2), by={"site": ["n", "s"]}, cluster=pd.Series([1, 2]), bytes=[3, 4])
weights = xentcli.score(Q, Y, class_weight=np.array([2.0, 1.0]), id=["a", "b"], weights=pd.Series([1.0, 2.0]))
more = xentcli.score(Q, Y, class_weight=[2.0, 1.0], id={"predictions": ["a", "b"], "labels": "customer"})
series = xentcli.score(Q, Y, class_weight=pd.Series({"cat": 2.0}), by=pd.DataFrame({"site": ["n", "s"]}))
verdict: str = xentcli.check(Q, Y, max={"cost": 0.5}, compat="sklearn").verdict
best: str = xentcli.compare({"old": Q, "new": Q}, Y, cluster="patient", confidence=0.9).pairs[0].verdict
gap: float | None = xentcli.calibration(Q, Y, bins=10, fit="temperature").gap
loss: float = xentcli.explain(Q, Y, row=1, temperature=2.0).loss
first: str = xentcli.explain(Q, Y, by="site").causes[0].code
total = xentcli.losses(Q, Y, label_smoothing=0.1).sum()
names: list[str] = list(xentcli.schema()["properties"])


def wrong() -> None:
    """Calls that mypy refuses: each for the reason that stands beside it, else the comment is unused, an error too."""
    xentcli.score(Q, Y, knd="logits")  # type: ignore[call-arg]
    xentcli.score(Q, Y, kind="logit")  # type: ignore[arg-type]
    xentcli.score(Q, Y, clip="1e-9")  # type: ignore[arg-type]
    xentcli.score(Q, Y, by_class="yes")  # type: ignore[arg-type]
    xentcli.score(Q, Y, worst=2.5)  # type: ignore[arg-type]
    xentcli.score(Q, Y, base=3)  # type: ignore[arg-type]
    xentcli.score(Q, Y, label=1.5)  # type: ignore[arg-type]
    xentcli.score(Q, Y, compat="keras")  # type: ignore[arg-type]
    xentcli.score(Q, Y, class_weight={"cat": "heavy"})  # type: ignore[arg-type]
    xentcli.check(Q, Y, max={"cost": "low"})  # type: ignore[dict-item]
    xentcli.calibration(Q, Y, worst=3)  # type: ignore[call-arg]
    xentcli.compare({"old": Q, "new": Q}, Y, bytes=3)  # type: ignore[call-arg]
    xentcli.losses(Q, Y, by="site")  # type: ignore[call-arg]
    xentcli.explain(Q, Y, row=1, worst=3)  # type: ignore[call-overload]
    number: int = xentcli.score(Q, Y)  # type: ignore[assignment]
    code: str = report.cost  # type: ignore[assignment]
    print(number, code)
