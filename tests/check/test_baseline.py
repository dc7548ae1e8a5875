"""The baseline: what its file has, every form that is taken, and all that makes it unfit."""

from __future__ import annotations

import datetime
import json
import math
import os
import struct
import subprocess
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import xentcli
from tests.conftest import Call, Write
from xentcli.analysis.baseline import commit_of
from xentcli.errors import DataError, FileError, UsageError, XentError
from xentcli.report.per_example import PerExample

CLASSES = ("cat", "dog", "emu")
RANDOM = np.random.default_rng(11)
OLD = RANDOM.dirichlet(np.ones(3), 60)
NEW = 0.9 * OLD + 0.1 / 3
TRUTH = [CLASSES[RANDOM.choice(3, p=q)] for q in OLD]
IDS = [f"img {i}" for i in range(60)]
WEIGHT = RANDOM.integers(1, 4, 60).astype(float)


def table(q: Any, truth: Any = TRUTH, order: Any = range(60), *, ids: bool = True) -> str:
    """Predictions with the id, the weight, the site and the label of each row."""
    lines = [",".join([*(["id"] if ids else []), *CLASSES, "w", "site", "t"])]
    for i in order:
        cells = [*([IDS[i]] if ids else []), *map(repr, q[i].tolist()), repr(float(WEIGHT[i])), "ns"[i % 2], truth[i]]
        lines.append(",".join(cells))
    return "\n".join(lines) + "\n"


ROLES: dict[str, Any] = {"label": "t", "preds": "cat,dog,emu"}
GATE: dict[str, Any] = {"max_regression": {"cost": "1%"}}


@pytest.fixture(autouse=True)
def files(write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write("old.csv", table(OLD))
    write("new.csv", table(NEW))


def keep(**options: Any) -> None:
    xentcli.check("old.csv", **ROLES, **options, write_baseline="b.npz")


def test_the_file_has_the_report_the_rows_and_when_it_was_made() -> None:
    before = datetime.datetime.now(datetime.UTC).replace(microsecond=0)
    keep(weights="w", id="id")
    with np.load("b.npz") as found:
        assert sorted(found) == ["about", "accuracy", "brier", "id", "loss", "weight"]
        loss = -np.log(OLD[np.arange(60), [CLASSES.index(label) for label in TRUTH]])
        np.testing.assert_allclose(found["loss"], loss, rtol=1e-15)
        assert found["weight"].tolist() == WEIGHT.tolist()
        assert (found["accuracy"] == (OLD.argmax(axis=1) == [CLASSES.index(label) for label in TRUTH])).all()
        assert found["id"].shape == (60, 2)
        about = json.loads(found["about"].tobytes())
    report = json.loads(json.dumps(xentcli.score("old.csv", **ROLES, weights="w", id="id").to_dict()))
    assert {**about["report"], "inputs": 0} == {**report, "inputs": 0}
    assert before <= datetime.datetime.fromisoformat(about["date"]) <= datetime.datetime.now(datetime.UTC)


def test_a_kind_without_labels_and_weights_has_the_losses_alone() -> None:
    xentcli.check(np.array([0.5, np.inf, 1.0]), kind="losses", write_baseline="b.npz")
    with np.load("b.npz") as found:
        assert sorted(found) == ["about", "loss"]
        assert found["loss"].tolist() == [0.5, np.inf, 1.0]


def test_the_library_and_xent_read_it_as_any_archive() -> None:
    keep()
    assert xentcli.score("b.npz", kind="losses", preds="loss").cost == xentcli.score("old.csv", **ROLES).cost


def json_report(write: Write) -> str:
    done = xentcli.score("old.csv", **ROLES, by_class=True)
    return write("old.json", json.dumps(done.to_dict()))


def losses(write: Write) -> str:
    kept: list[PerExample] = []
    xentcli.score("old.csv", **ROLES, sink=kept.append)
    values = np.concatenate([block.loss for block in kept])
    return write("losses.csv", "row,loss,weight\n" + "".join(f"{i},{x!r},1\n" for i, x in enumerate(values.tolist())))


def plain_losses(write: Write) -> str:
    losses(write)
    np.save("losses.npy", np.loadtxt("losses.csv", delimiter=",", skiprows=1)[:, 1])
    return "losses.npy"


def kept_rows(write: Write) -> str:
    keep()
    return "b.npz"


FORMS: list[tuple[Callable[[Write], str], int]] = [
    (kept_rows, 60),
    (json_report, 0),
    (losses, 60),
    (plain_losses, 60),
    (lambda _: "old.csv", 60),
]


@pytest.mark.parametrize(("form", "rows"), FORMS)
def test_every_form_has_the_same_figures(form: Callable[[Write], str], rows: int, write: Write) -> None:
    result = xentcli.check("new.csv", **ROLES, baseline=form(write), **GATE)
    (found,) = result.checks
    assert result.baseline is not None and result.baseline.rows_compared == rows
    assert found.baseline == pytest.approx(xentcli.score("old.csv", **ROLES).cost, rel=1e-15)
    assert found.value == xentcli.score("new.csv", **ROLES).cost
    assert (found.interval is None) == (rows == 0)
    beside = xentcli.compare({"old": "old.csv", "new": "new.csv"}, **ROLES, fit="none").pairs[0]
    if rows:
        assert found.change == pytest.approx(beside.change, rel=1e-12)
        assert found.interval is not None and beside.interval is not None
        assert found.interval.low == pytest.approx(beside.interval.low, rel=1e-9)


@pytest.mark.parametrize("option", [{"weights": "w"}, {"cluster": "site"}, {"weights": "w", "cluster": "site"}])
def test_weights_and_clusters_are_those_of_compare(option: dict[str, Any]) -> None:
    keep(**option)
    (found,) = xentcli.check("new.csv", **ROLES, **option, baseline="b.npz", max_regression={"cost": 0}).checks
    beside = xentcli.compare({"old": "old.csv", "new": "new.csv"}, **ROLES, **option, fit="none").pairs[0]
    assert found.interval is not None and beside.interval is not None
    assert found.change == pytest.approx(beside.change, rel=1e-12)
    assert (found.interval.low, found.interval.high) == pytest.approx(
        (beside.interval.low, beside.interval.high), rel=1e-9
    )


def test_rows_are_found_by_their_ids_in_any_order(write: Write) -> None:
    keep(id="id")
    write("new.csv", table(NEW, order=RANDOM.permutation(60)))
    one = xentcli.check("new.csv", **ROLES, id="id", baseline="b.npz", **GATE)
    other = xentcli.check("new.csv", **ROLES, id="id", baseline="old.csv", **GATE)
    assert one.checks == other.checks
    assert one.baseline is not None and one.baseline.rows_compared == 60


def labels_with(change: Callable[[list[str]], list[str]]) -> str:
    return table(NEW, change(list(TRUTH)))


def swapped(labels: list[str]) -> list[str]:
    """Two labels exchanged: the same counts."""
    first, second = labels.index("cat"), labels.index("dog")
    labels[first], labels[second] = "dog", "cat"
    return labels


UNFIT: list[tuple[str, dict[str, Any], dict[str, Any], str]] = [
    (labels_with(swapped), {}, {}, "its labels are not those of the run"),
    (labels_with(lambda labels: labels[1:] + labels[:1]), {}, {}, "its labels are not those of the run"),
    (table(NEW, order=range(59)), {}, {}, "it has 60 rows, and the run 59"),
    (table(NEW, order=range(59)), {"id": "id"}, {"id": "id"}, "it has 60 rows, and the run 59"),
    (table(NEW).replace("img 7,", "img 77,"), {"id": "id"}, {"id": "id"}, "it has ids that the run lacks: 1 of"),
    (table(NEW), {"id": "id"}, {}, "it has ids, and the run has no --id"),
    (table(NEW), {}, {"id": "id"}, "it counts its rows, and the run has --id"),
    (labels_with(swapped), {"id": "id"}, {"id": "id"}, "its labels are not those of the run"),
    (table(NEW), {}, {"base": "2"}, "it is in nats, and the run in bits"),
    (table(NEW), {}, {"clip": 0.01}, "--clip is not set in it, and '0.01' in the run"),
    (table(NEW), {"label_smoothing": 0.1}, {}, "--label-smoothing is '0.1' in it, and not set in the run"),
    (table(NEW), {"weights": "w"}, {}, "its weight is"),
    (table(NEW), {}, {"weights": "w"}, "its weight is 1, and"),
    (table(NEW), {"ignore_label": "cat"}, {}, "other rows are scored"),
]


@pytest.mark.parametrize("case", range(len(UNFIT)))
def test_an_unfit_baseline_is_refused(case: int, write: Write) -> None:
    text, before, after, words = UNFIT[case]
    keep(**before)
    write("new.csv", text)
    with pytest.raises(DataError) as refused:
        xentcli.check("new.csv", **ROLES, **after, baseline="b.npz", **GATE)
    assert words in str(refused.value)
    assert refused.value.exit_code == 3


def test_other_classes_are_named(write: Write) -> None:
    write("other.csv", table(NEW).replace("emu", "cow"))
    keep()
    with pytest.raises(DataError, match="its classes are 'cat', 'dog', 'emu'; those of the run 'cat', 'dog', 'cow'"):
        xentcli.check("other.csv", label="t", preds="cat,dog,cow", baseline="b.npz", **GATE)


def test_the_order_of_the_columns_is_no_other_model(write: Write) -> None:
    keep()
    one = xentcli.check("new.csv", **ROLES, baseline="b.npz", **GATE)
    other = xentcli.check("new.csv", label="t", preds="emu,cat,dog", baseline="b.npz", **GATE)
    assert one.checks == other.checks


def test_soft_targets_are_held_to_what_is_known_of_them(write: Write) -> None:
    def files(name: str, targets: Any) -> None:
        rows = np.hstack([OLD, targets]).tolist()
        write(name, "a,b,c,ta,tb,tc\n" + "".join(",".join(map(repr, row)) + "\n" for row in rows))

    soft: dict[str, Any] = {"preds": "a,b,c", "label": "ta,tb,tc"}
    targets = RANDOM.dirichlet(np.ones(3), 60)
    files("s.csv", targets)
    files("u.csv", RANDOM.dirichlet(np.ones(3), 60))
    xentcli.check("s.csv", **soft, write_baseline="b.npz")
    assert xentcli.check("s.csv", **soft, baseline="b.npz", **GATE).verdict == "pass"
    with pytest.raises(DataError, match="its labels are others"):
        xentcli.check("u.csv", **soft, baseline="b.npz", **GATE)


REPORTS: list[tuple[Callable[[dict[str, Any]], Any], str]] = [
    (lambda r: r["labels"]["counts"].reverse(), "its label counts differ"),
    (lambda r: r["classes"].append("x"), "its classes are"),
    (lambda r: r.update(unit="bits"), "it is in bits, and the run in nats"),
    (lambda r: r["examples"].update(scored=61), "it has 61 rows, and the run 60"),
    (lambda r: r.update(examples=[]), "not a report"),
    (lambda r: r.update(prior=9.0), "its labels are others"),
    (lambda r: r.update(weight_sum=61.0), "other weights: they sum to 61.0 in it, and to 60.0 in the run"),
    (lambda r: r.update(cost="abc"), "not a report"),
    (lambda r: r.update(cost=[1]), "not a report"),
    (lambda r: r.update(prior={}), "not a report"),
    (lambda r: r.update(classes=None), "not a report"),
    (lambda r: r.update(options=["x"]), "not a report"),
    (lambda r: r.update(unit=3), "not a report"),
    (lambda r: r.update(schema_version=2), "a report of schema version '2'; this xent reads 1"),
]


@pytest.mark.parametrize(("change", "words"), REPORTS)
def test_an_unfit_report_is_refused(change: Callable[[dict[str, Any]], Any], words: str, write: Write) -> None:
    document = json.loads(Path(json_report(write)).read_text(encoding="utf-8"))
    change(document)
    write("b.json", json.dumps(document))
    with pytest.raises(DataError) as refused:
        xentcli.check("new.csv", **ROLES, baseline="b.json", **GATE)
    assert words in str(refused.value)


def test_a_document_of_another_command_is_no_report(call: Call) -> None:
    command = ["old.csv", "--label", "t", "--preds", "cat,dog,emu"]
    assert call("compare", "old.csv", "new.csv", *command[1:], "-o", "compare.json").code == 0
    Path("pyproject.toml").write_text(
        '[tool.xent.checks.a]\npredictions = "old.csv"\nlabel = "t"\npreds = "cat,dog,emu"\nmax = { cost = 9 }\n',
        encoding="utf-8",
    )
    assert call("check", "-o", "checks.json").code == 0
    for name in ("compare.json", "checks.json"):
        done = call("check", *command, "--baseline", name, "--max-regression", "cost=2%")
        assert (done.code, done.out) == (3, "")
        assert done.err.startswith(f"xent: {name}: not a report of xent score or check\n")


def test_other_losses_and_predictions_are_refused(write: Write) -> None:
    losses(write)
    lines = Path("losses.csv").read_text(encoding="utf-8").splitlines()
    write("short.csv", "\n".join(lines[:-1]) + "\n")
    write("fewer.csv", table(OLD, order=range(58)))
    write("others.csv", table(OLD, swapped(list(TRUTH))))
    for name in ("short.csv", "fewer.csv", "others.csv"):
        with pytest.raises(DataError):
            xentcli.check("new.csv", **ROLES, baseline=name, **GATE)
    with pytest.raises(DataError, match="it has no accuracy of its rows"):
        xentcli.check("new.csv", **ROLES, baseline="losses.csv", max_regression={"accuracy": 0.1})


def test_losses_without_ids_are_not_taken_in_any_order(call: Call, write: Write) -> None:
    command = ("--label", "t", "--preds", "cat,dog,emu", "--id", "id")
    for name in ("ids.csv", "nameless.npy"):
        assert call("score", "old.csv", *command, "--per-example", name).code == 0
    write("new.csv", table(NEW, order=range(59, -1, -1)))
    gate = ("--max-regression", "cost=9", "--format", "json")
    done = call("check", "new.csv", *command, "--baseline", "ids.csv", *gate)
    other = call("check", "new.csv", *command, "--baseline", "old.csv", *gate)
    assert json.loads(done.out)["checks"] == json.loads(other.out)["checks"]
    refused = call("check", "new.csv", *command, "--baseline", "nameless.npy", *gate)
    assert refused.code == 3
    assert "nameless.npy: it has no ids, and the run has --id" in refused.err


def test_a_nameless_column_beside_one_column_of_predictions_is_refused() -> None:
    np.save("p.npy", [0.25, 0.5])
    with pytest.raises(DataError, match="losses, or probabilities"):
        xentcli.check(np.array([0.25, 0.5]), [0, 1], baseline="p.npy", **GATE)


def test_a_report_with_classes_explains_as_rows_do(write: Write) -> None:
    rules: dict[str, Any] = {"max_regression": {"cost": "0.001%"}, "strict": True}
    by_rows, by_figures = (
        xentcli.check("new.csv", **ROLES, baseline=form(write), **rules).reasons for form in (kept_rows, json_report)
    )
    classes = {reason.name: reason for reason in by_rows if reason.kind == "class"}
    assert len(by_figures) == len(classes) > 1
    for reason in by_figures:
        beside = classes[reason.name]
        assert (reason.before, reason.after, reason.share, reason.rows) == pytest.approx(
            (beside.before, beside.after, beside.share, beside.rows), rel=1e-9
        )


def test_a_class_called_loss_is_no_loss(write: Write) -> None:
    write("match.csv", table(OLD, ["win", "loss", "draw"] * 20).replace("cat,dog,emu", "win,loss,draw"))
    write("same.csv", Path("match.csv").read_text(encoding="utf-8"))
    roles: dict[str, Any] = {"label": "t", "preds": "win,loss,draw"}
    result = xentcli.check("match.csv", **roles, baseline="same.csv", max_regression={"brier": 0}, strict=True)
    assert result.verdict == "pass"


def damaged(change: Callable[[dict[str, bytes]], Any], compression: int = zipfile.ZIP_STORED) -> None:
    keep(id="id", weights="w")
    with zipfile.ZipFile("b.npz") as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    change(members)
    with zipfile.ZipFile("b.npz", "w", compression) as archive:
        for name, content in members.items():
            archive.writestr(name, content)


def renamed(members: dict[str, bytes], old: str, new: str) -> None:
    members[new] = members.pop(old)


def spoiled(name: str, value: float, row: int = 59) -> None:
    """Change a figure of a row, or the weight, with the check sums that belong to it."""

    def change(members: dict[str, bytes]) -> None:
        content = bytearray(members[f"{name}.npy"])
        content[len(content) - 8 * (60 - row) : len(content) - 8 * (59 - row)] = struct.pack("<d", value)
        members[f"{name}.npy"] = bytes(content)

    damaged(change)


DAMAGES: list[Callable[[], Any]] = [
    lambda: damaged(lambda m: m.pop("loss.npy")),
    lambda: damaged(lambda m: m.update({"loss.npy": m["loss.npy"][:-8]})),
    lambda: damaged(lambda m: m.update({"loss.npy": b"\x93NUMPY"})),
    lambda: damaged(lambda m: m.update({"about.npy": m["about.npy"][:-1]})),
    lambda: damaged(lambda m: m.update({"about.npy": bytes(128) + b"[]"})),
    lambda: damaged(lambda m: m.update({"about.npy": bytes(128) + b'{"baseline_version": 2}'})),
    lambda: damaged(lambda m: m.update({"brier.npy": m["id.npy"]})),
    lambda: damaged(lambda m: None, zipfile.ZIP_DEFLATED),
    lambda: flip(Path("b.npz")),
    lambda: spoiled("loss", math.nan),
    lambda: spoiled("brier", math.nan, 0),
    lambda: spoiled("weight", math.inf),
    lambda: spoiled("weight", -1.0),
    lambda: spoiled("weight", math.nan),
]


def flip(path: Path) -> None:
    """Change one bit of a loss."""
    keep(id="id")
    content = bytearray(path.read_bytes())
    content[400] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_file_is_refused(damage: Callable[[], Any]) -> None:
    damage()
    with pytest.raises(XentError) as refused:
        xentcli.check("new.csv", **ROLES, id="id", weights="w", baseline="b.npz", **GATE)
    assert refused.value.exit_code == 3


def test_what_is_checked_is_no_baseline_of_itself(call: Call) -> None:
    command = ["check", "./new.csv", "old.csv", "--label", "t", "--preds", "cat,dog,emu", "--max-regression", "cost=2%"]
    os.symlink("new.csv", "link.csv")
    for name, what in (("link.csv", "predictions"), ("old.csv", "labels")):
        done = call(*command, "--baseline", name)
        assert (done.code, done.out) == (2, "")
        assert done.err.startswith(f"xent: --baseline {name!r} is the file of the {what} that are checked\n")
    done = call(*command, "--baseline", "")
    assert (done.code, done.err) == (2, "xent: --baseline is a file, not an empty name\n")


def test_a_figure_that_is_no_number_is_undefined(write: Write) -> None:
    document = json.loads(Path(json_report(write)).read_text(encoding="utf-8"))
    write("b.json", json.dumps({**document, "cost": "nan"}))
    result = xentcli.check("new.csv", **ROLES, baseline="b.json", **GATE)
    assert (result.verdict, result.checks[0].reason) == ("no_verdict", "undefined in the baseline")


def test_none_there_yet_is_4_with_the_command_that_makes_one(call: Call) -> None:
    command = ["check", "new.csv", "--label", "t", "--preds", "cat,dog,emu", "--baseline", "my main.npz"]
    done = call(*command, "--max-regression", "cost=2%", "--max", "cost=9", "-o", "x.json")
    assert (done.code, done.out) == (4, "")
    making = "xent check new.csv --preds cat,dog,emu --label t --write-baseline 'my main.npz'"
    assert done.err == f"xent: my main.npz: there is no baseline yet\n      {making}\n"
    assert (
        call("check", "new.csv", "--preds", "cat,dog,emu", "--label", "t", "--write-baseline", "my main.npz").code == 0
    )
    assert call(*command, "--max-regression", "cost=2%").code == 0
    with pytest.raises(FileError, match="there is no baseline yet"):
        xentcli.check("new.csv", **ROLES, baseline="nowhere.npz", **GATE)


def test_it_is_never_written_onto_an_input(call: Call) -> None:
    keep()
    roles = ("--label", "t", "--preds", "cat,dog,emu")
    before = Path("b.npz").read_bytes()
    done = call(
        "check", "new.csv", *roles, "--baseline", "b.npz", "--max-regression", "cost=1", "--write-baseline", "b.npz"
    )
    assert done.code == 2
    assert "is an input; it would be overwritten" in done.err
    assert Path("b.npz").read_bytes() == before
    Path("new.npz").hardlink_to("new.csv")
    assert call("check", "new.csv", *roles, "--write-baseline", "new.npz").code == 2


def test_the_library_does_not_write_it_onto_an_input_either(write: Write) -> None:
    keep()
    np.savez("p.npz", OLD)
    os.symlink("b.npz", "link.npz")
    Path("hard.npz").hardlink_to("b.npz")
    before = [Path(name).read_bytes() for name in ("b.npz", "p.npz")]
    with pytest.raises(UsageError, match="is an input; it would be overwritten"):
        xentcli.check("new.csv", **ROLES, baseline="b.npz", **GATE, write_baseline="hard.npz")
    with pytest.raises(UsageError, match="is an input; it would be overwritten"):
        xentcli.check("new.csv", **ROLES, baseline="b.npz", **GATE, write_baseline=Path("link.npz"))
    with pytest.raises(UsageError, match="is an input; it would be overwritten"):
        xentcli.check("p.npz", TRUTH, classes=CLASSES, write_baseline="./p.npz")
    assert [Path(name).read_bytes() for name in ("b.npz", "p.npz")] == before


def test_a_run_that_fails_writes_none(call: Call, write: Write) -> None:
    write("bad.csv", table(NEW).replace(",cat\n", ",cow\n"))
    assert call("check", "bad.csv", "--label", "t", "--preds", "cat,dog,emu", "--write-baseline", "b.npz").code == 3
    assert not list(Path().glob("*.npz")) and not list(Path().glob(".*"))


def test_a_limit_that_fails_keeps_the_run_all_the_same(call: Call) -> None:
    done = call(
        "check", "new.csv", "--label", "t", "--preds", "cat,dog,emu", "--max", "cost=0.1", "--write-baseline", "b.npz"
    )
    assert done.code == 1
    assert "This run is now the baseline b.npz." in done.out
    assert (
        xentcli.check("new.csv", **ROLES, baseline="b.npz", max_regression={"cost": 0}, strict=True).verdict == "pass"
    )


def test_block_size_and_threads_change_no_verdict(monkeypatch: pytest.MonkeyPatch) -> None:
    keep()
    one = xentcli.check("new.csv", **ROLES, baseline="b.npz", **GATE, threads=1)
    import xentcli.analysis.pairs as pairs

    monkeypatch.setattr(pairs, "_AT_ONCE", 7)
    other = xentcli.check("new.csv", **ROLES, baseline="b.npz", **GATE, threads=2)
    assert (one.checks, one.reasons) == (other.checks, other.reasons)


def test_the_commit_is_that_of_git(tmp_path: Path) -> None:
    def git(*words: str, folder: Path = tmp_path) -> str:
        who = ["-c", "user.name=n", "-c", "user.email=e@example.org", "-c", "commit.gpgsign=false"]
        return subprocess.run(
            ["git", *who, *words], cwd=folder, check=True, capture_output=True, text=True
        ).stdout.strip()

    assert commit_of(tmp_path) is None
    git("init", "-q", "-b", "main")
    assert commit_of(tmp_path) is None
    git("commit", "-q", "--allow-empty", "-m", "one")
    first = git("rev-parse", "HEAD")
    (tmp_path / "deep/er").mkdir(parents=True)
    assert commit_of(tmp_path / "deep/er") == first
    git("pack-refs", "--all")
    assert commit_of(tmp_path) == first
    git("checkout", "-q", "--detach")
    git("commit", "-q", "--allow-empty", "-m", "two")
    assert commit_of(tmp_path) == git("rev-parse", "HEAD") != first
    git("worktree", "add", "-q", str(tmp_path / "tree"), "-b", "side", "main")
    git("commit", "-q", "--allow-empty", "-m", "three", folder=tmp_path / "tree")
    assert commit_of(tmp_path / "tree") == git("rev-parse", "side")
    (tmp_path / ".git/HEAD").write_bytes(b"\xff\xfe")
    assert commit_of(tmp_path) is None
