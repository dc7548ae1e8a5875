"""Merged states of comparisons are one comparison, in every bit, but for what a fit needs, which is said."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given
from hypothesis import strategies as st

import xentcli
from tests.conftest import Call, csv
from tests.laws import settings
from tests.merge.test_merge import N, assert_merged, data, pieces, plain
from tests.merge.test_refused import places, refused_with_a_wrong_value
from xentcli.errors import DataError, NoVerdict, UsageError

merge: Any = xentcli.merge
compare: Any = xentcli.compare

EVERY: dict[str, tuple[str, int, dict[str, Any]]] = {
    "two": ("", 2, {}),
    "infinite": ("infinite", 2, {"worst": 9}),
    "clip": ("infinite", 3, {"clip": 1e-3, "worst": 4, "by_class": True}),
    "weights": ("infinite", 2, {"weights": "w", "by": ["site", "day"], "worst": 5, "by_class": True}),
    "metrics": ("", 3, {"metrics": "cost,brier,accuracy,top2", "by": "site", "by_class": True}),
    "clusters": ("", 3, {"cluster": "ward", "by": "site", "base": "2", "confidence": 0.5}),
    "soft": ("soft", 2, {"metrics": "cost,brier", "weights": "w"}),
    "some soft": ("soft", 2, {}),
    "logits": ("logits", 2, {"kind": "logits", "worst": 3}),
    "losses": ("losses", 4, {"kind": "losses", "by": "site"}),
    "ignored": ("infinite", 2, {"ignore_label": ["3", "7"], "worst": 4}),
    "many": ("", 22, {"worst": 2}),
}


def models_of(rows: dict[str, Any], layout: str, count: int) -> dict[str, Any]:
    """Predictions beside those of the rows: some equal in part, some far off."""
    rng = np.random.default_rng(7)
    found = {"first": rows["q"]}
    for place in range(1, count):
        other = rows["q"][rng.permutation(N)] if place % 2 else rows["q"].copy()
        other[rng.random(N) < 0.3] = other[0]
        found[f"model {place}"] = other
    if layout == "losses":
        found = {name: -np.log(q[:, 0]) for name, q in found.items()}
    return found


def run(rows: dict[str, Any], models: dict[str, Any], part: slice, options: dict[str, Any], **more: Any) -> Any:
    chosen = dict(options)
    for name, value in options.items():
        if name in ("weights", "cluster"):
            chosen[name] = {value: rows[value][part]}
        elif name == "by":
            chosen[name] = {c: rows[c][part] for c in ([value] if isinstance(value, str) else value)}
    labels = None if options.get("kind") == "losses" else rows["y"][part]
    return compare({name: q[part] for name, q in models.items()}, labels, **chosen, **{"fit": "none", **more})


@pytest.mark.parametrize("name", EVERY)
@settings(max_examples=2, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cuts=st.lists(st.integers(1, N - 1), max_size=4), seed=st.integers(0, 3))
def test_any_split_in_any_order_is_one_comparison(name: str, cuts: list[int], seed: int, tmp_path: Path) -> None:
    layout, count, options = EVERY[name]
    rows = data(seed, layout)
    models = models_of(rows, layout, count)
    more = {"fit": None} if layout == "losses" or count > 20 else {}
    whole = plain(run(rows, models, slice(0, N), options, **more))
    paths = []
    for number, part in enumerate(pieces(cuts)):
        paths.append(str(tmp_path / f"state-{number}.json"))
        try:
            run(rows, models, part, options, state=paths[-1], **more)
        except NoVerdict:
            # All rows of a part have weight 0: its state is there all the same.
            assert Path(paths[-1]).exists()
    assert_merged(paths, whole, seed, tmp_path)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two models and labels as one file, as six files, with ids in two orders, and as lists of numbers."""
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(3)
    y = rng.integers(0, 3, 60)
    np.save("y.npy", y)
    ids = [f"é{i}" for i in range(60)]
    for name in ("a", "b"):
        q = rng.dirichlet(np.ones(3), 60)
        q[5] = np.eye(3)[y[5]] * 0.97 + 0.01 if name == "a" else np.full(3, 1 / 3)
        np.save(f"{name}.npy", q)
        Path(f"{name}s").mkdir()
        for part, rows in enumerate(np.array_split(np.arange(60), 6)):
            np.save(f"{name}s/{part + 8}.npy", q[rows])
        order = rng.permutation(60)
        Path(f"{name}-id.csv").write_text(
            csv([[ids[i], *q[i].tolist(), y[i]] for i in order], ["id", "0", "1", "2", "truth"]), encoding="utf-8"
        )
    Path("ys").mkdir()
    for part, rows in enumerate(np.array_split(np.arange(60), 6)):
        np.save(f"ys/{part + 8}.npy", y[rows])
    return tmp_path


SHARED: dict[str, tuple[list[str], str]] = {
    "rows": (["a.npy", "b.npy"], "y.npy"),
    "files": (["as", "bs"], "ys"),
    "files and one file": (["as", "bs"], "y.npy"),
}


@pytest.mark.parametrize("count", [2, 5])
@pytest.mark.parametrize("case", SHARED)
def test_shards_are_one_comparison(case: str, count: int, folder: Path) -> None:
    models, labels = SHARED[case]
    options: dict[str, Any] = {"worst": 7, "by_class": True, "labels": labels}
    paths = [f"{index}.json" for index in range(count, 0, -1)]
    parts = [
        compare(models, shard=f"{index}/{count}", state=path, fit=None if index % 2 else "none", **options)
        for index, path in enumerate(paths, 1)
    ]
    whole = compare(models, fit="none", **options).to_dict()
    merged = merge(paths).to_dict()
    assert "xent compare on the files" in merged["notes"].pop()
    assert merged.pop("options") == whole.pop("options")
    assert merged == whole
    if case != "files":
        # In a shard of rows too they have the numbers of the whole.
        worst = {(row["model"], row["row"]): row["change"] for row in whole["worst"]}
        found = {(row.model, row.row): row.change for part in parts for row in part.worst}
        assert worst.items() <= found.items()
    assert sum(part.examples.read for part in parts) == 60


def test_files_of_other_ids_are_merged_and_their_extra_ids_counted(folder: Path) -> None:
    lines = {name: Path(f"{name}-id.csv").read_text(encoding="utf-8").splitlines(keepends=True) for name in ("a", "b")}
    for name, (head, *rows) in lines.items():
        rows.sort()
        for day, some in (("1", rows[:25]), ("2", rows[25 : 58 if name == "a" else 60])):
            Path(f"{name}{day}.csv").write_text("".join([head, *some]), encoding="utf-8")
        Path(f"{name}.csv").write_text("".join([head, *rows[: 58 if name == "a" else 60]]), encoding="utf-8")
    options: dict[str, Any] = {"label": "truth", "id": "id", "subset": True, "fit": "none", "worst": 3}
    for day in ("1", "2"):
        compare([f"a{day}.csv", f"b{day}.csv"], state=f"{day}.json", **options)
    with pytest.raises(DataError, match="other models: a2, b2, and a1, b1"):
        merge(["1.json", "2.json"])
    for day in ("1", "2"):
        compare({"a": f"a{day}.csv", "b": f"b{day}.csv"}, state=f"{day}.json", **options)
    merged, whole = merge(["2.json", "1.json"]), compare(["a.csv", "b.csv"], **options)
    assert [model.rows for model in merged.models] == [58, 58]
    assert merged.notes == whole.notes
    assert (merged.pairs, merged.worst) == (whole.pairs, whole.worst)


def twice() -> list[str]:
    compare(["a.npy", "b.npy"], "y.npy", fit="none", state="1.json")
    compare(["a.npy", "b.npy"], "y.npy", fit="none", state="2.json")
    return ["1.json", "2.json"]


def twice_in_the_second() -> list[str]:
    compare(["a.npy", "b.npy"], "y.npy", fit="none", state="1.json")
    np.save("c.npy", np.load("a.npy")[:, [2, 1, 0]])
    compare({"a": "c.npy", "b": "b.npy"}, "y.npy", fit="none", state="2.json")
    return ["1.json", "2.json"]


def missing() -> list[str]:
    for index in (1, 3):
        compare(["a.npy", "b.npy"], "y.npy", fit="none", shard=f"{index}/3", state=f"{index}.json")
    return ["1.json", "3.json"]


def other_option() -> list[str]:
    compare({"a": "as/8.npy", "b": "bs/8.npy"}, "ys/8.npy", fit="none", state="1.json", clip=0.01)
    compare({"a": "as/9.npy", "b": "bs/9.npy"}, "ys/9.npy", fit="none", state="2.json")
    return ["1.json", "2.json"]


def other_order() -> list[str]:
    compare({"old": "as/8.npy", "new": "bs/8.npy"}, "ys/8.npy", fit="none", state="1.json")
    compare({"new": "bs/9.npy", "old": "as/9.npy"}, "ys/9.npy", fit="none", state="2.json")
    return ["1.json", "2.json"]


def a_score() -> list[str]:
    compare(["a.npy", "b.npy"], "y.npy", fit="none", state="1.json")
    xentcli.score("a.npy", "y.npy", state="2.json")
    return ["1.json", "2.json"]


UNLIKE: dict[str, tuple[Callable[[], list[str]], list[str]]] = {
    "twice": (twice, ["twice", "2.json", "1.json", "a.npy"]),
    "twice in the second model": (twice_in_the_second, ["twice", "b.npy"]),
    "a missing shard": (missing, ["2/3"]),
    "an option": (other_option, ["--clip 0.01", "no --clip"]),
    "another order": (other_order, ["other models: new, old, and old, new in 1.json"]),
    "a score": (a_score, ["xent score", "xent compare in 1.json"]),
}


@pytest.mark.parametrize("case", UNLIKE)
def test_states_that_do_not_go_together_are_refused(case: str, folder: Path) -> None:
    make, words = UNLIKE[case]
    with pytest.raises(DataError) as error:
        merge(make(), state="whole.json")
    assert [word for word in words if word not in str(error.value)] == []
    assert not Path("whole.json").exists()


def test_parts_of_files_that_are_shared_out_otherwise_are_refused(folder: Path) -> None:
    with pytest.raises(DataError, match="60 rows of b, and 6 files of a"):
        compare({"a": "as", "b": "b.npy"}, "ys", fit="none", shard="1/2")


REFUSED: dict[str, tuple[list[str], list[str]]] = {
    "a part by ids": (["a-id.csv", "b-id.csv", "--label", "truth", "--id", "id", "--shard", "1/2"], ["--id"]),
    "a long file": (
        ["a-id.csv", "--model", "truth", "--id", "id", "--label", "truth", "--state", "s.json"],
        ["--model"],
    ),
    "without labels": (["a.npy", "b.npy", "--state", "s.json"], ["labels"]),
    "onto an input": (["a.npy", "b.npy", "--labels", "y.npy", "--state", "b.npy"], ["is an input"]),
    "balanced": (
        ["a.npy", "b.npy", "--labels", "y.npy", "--class-weight", "balanced", "--state", "s.json"],
        ["balanced"],
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_has_no_state_is_2(case: str, folder: Path, call: Call) -> None:
    words, said = REFUSED[case]
    done = call("compare", *words)
    assert (done.code, done.out, Path("s.json").exists()) == (2, "", False)
    assert [word for word in said if word not in done.err] == []


def test_a_model_that_cannot_be_scored_is_never_left_out_of_a_state(folder: Path) -> None:
    np.save("bad.npy", np.full((60, 3), 0.7))
    assert compare(["a.npy", "b.npy", "bad.npy"], "y.npy", fit="none").refused
    with pytest.raises(DataError, match=r"bad\.npy"):
        compare(["a.npy", "b.npy", "bad.npy"], "y.npy", fit="none", state="s.json")
    assert not Path("s.json").exists()


def test_the_command_merges_and_says_what_is_left_out(folder: Path, call: Call) -> None:
    for index in "12":
        line = ["as", "bs", "--labels", "ys", "--shard", f"{index}/2", "--state", f"{index}.json"]
        assert call("compare", *line).code == 0
    done = call("merge", "1.json", "2.json", "-o", "m.json")
    assert done.code == 0
    assert "60 rows in both" in done.out
    assert "calibrated is left out: a fit reads all rows again" in done.out
    assert json.loads(Path("m.json").read_text(encoding="utf-8"))["models"][0]["path"] == "as"
    with pytest.raises(UsageError, match="state is the path"):
        compare(["a.npy", "b.npy"], "y.npy", state=3)


def test_a_state_with_any_value_exchanged_is_refused_or_a_state(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    options: dict[str, Any] = {"by_class": True, "worst": 2, "fit": "none"}
    compare(["a.npy", "b.npy"], "y.npy", state="1.json", **options)
    whole = json.loads(Path("1.json").read_text(encoding="utf-8"))
    own = [place for place in places(whole["state"]) if place and place[0] not in ("models", "options")]
    monkeypatch.setattr("xentcli.attempts.STRICT", False)
    assert refused_with_a_wrong_value(whole, own, 150, seed=5) > 100
