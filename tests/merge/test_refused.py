"""States that do not go together are refused with 3, naming both; a damaged state is never merged."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import random
import re
import shutil
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import xentcli
from tests.conftest import Call, Run
from xentcli.errors import DataError, FileError, UsageError, XentError

merge: Any = xentcli.merge

RNG = np.random.default_rng(5)
Q, Y = RNG.dirichlet(np.ones(3), 40), RNG.integers(0, 3, 40)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two days of predictions and labels as files, and 5 files of each as parts of one table."""
    monkeypatch.chdir(tmp_path)
    for name in ("p", "l"):
        (tmp_path / name).mkdir()
    for day, part in (("1", slice(0, 25)), ("2", slice(25, 40))):
        np.save(tmp_path / f"q{day}.npy", Q[part])
        np.save(tmp_path / f"y{day}.npy", Y[part])
    for place, (q, y) in enumerate(zip(np.split(Q, 5), np.split(Y, 5), strict=True)):
        np.save(tmp_path / f"p/{place}.npy", q)
        np.save(tmp_path / f"l/{place}.npy", y)
    return tmp_path


def day(number: int, state: str, **options: Any) -> str:
    xentcli.score(f"q{number}.npy", f"y{number}.npy", state=state, **options)
    return state


def shard(index: int, count: int, state: str, **options: Any) -> str:
    xentcli.score("p", "l", shard=f"{index}/{count}", state=state, **options)
    return state


def first_two_of_three() -> list[str]:
    return [shard(1, 3, "1.json"), shard(2, 3, "2.json")]


def of_other_files() -> list[str]:
    one = shard(1, 2, "1.json")
    np.save("p/5.npy", Q[:4])
    np.save("l/5.npy", Y[:4])
    return [one, shard(2, 2, "2.json")]


def a_copy() -> list[str]:
    np.save("copy.npy", np.load("q1.npy"))
    xentcli.score("copy.npy", "y1.npy", state="2.json")
    return [day(1, "1.json"), "2.json"]


def other_rule() -> list[str]:
    Path("y.csv").write_text("truth\n" + "".join(f"{label}\n" for label in Y[25:]), encoding="utf-8")
    xentcli.score("q2.npy", "y.csv", classes="0,1,2", state="2.json", index_base=0)
    xentcli.score("q1.npy", "y1.npy", classes="0,1,2", state="1.json")
    return ["1.json", "2.json"]


def other_columns() -> list[str]:
    for number, names in ((1, "a,b,c"), (2, "a,b,d")):
        rows = np.load(f"q{number}.npy").tolist()
        Path(f"q{number}.csv").write_text(
            f"{names}\n" + "".join(",".join(map(repr, row)) + "\n" for row in rows), encoding="utf-8"
        )
        xentcli.score(f"q{number}.csv", f"y{number}.npy", state=f"{number}.json")
    return ["1.json", "2.json"]


def shares_and_classes() -> list[str]:
    np.save("soft.npy", np.full((15, 3), [0.5, 0.25, 0.25]))
    xentcli.score("q2.npy", "soft.npy", state="2.json")
    return [day(1, "1.json"), "2.json"]


def a_calibration() -> list[str]:
    xentcli.calibration("q2.npy", "y2.npy", fit="none", state="2.json")
    return [day(1, "1.json"), "2.json"]


def folders_with_a_common_file(labels: str = "files") -> list[str]:
    """Two runs without --shard: of the files 0 to 2, and of 2 to 4."""
    np.save("all.npy", Y[:24])
    np.save("rest.npy", Y[16:40])
    for state, pattern, kept in (("1.json", "[0-2]", "all"), ("2.json", "[2-4]", "rest")):
        xentcli.score(f"p/{pattern}.npy", f"l/{pattern}.npy" if labels == "files" else f"{kept}.npy", state=state)
    return ["1.json", "2.json"]


def a_file_of_a_folder() -> list[str]:
    xentcli.score("p/3.npy", "l/3.npy", state="1.json")
    xentcli.score("p", "l", state="2.json")
    return ["1.json", "2.json"]


def a_file_of_shards() -> list[str]:
    return [*a_file_of_a_folder()[:1], shard(1, 2, "2.json"), shard(2, 2, "3.json")]


REFUSED: dict[str, tuple[Callable[[], list[str]], list[str]]] = {
    "twice by its path": (lambda: [day(1, "1.json")] * 2, ["1.json", "twice"]),
    "twice under another name": (lambda: [day(1, "1.json"), day(1, "2.json")], ["2.json", "1.json", "q1.npy", "twice"]),
    "a copy of the data": (a_copy, ["1.json", "2.json", "twice"]),
    "folders with a common file": (
        folders_with_a_common_file,
        ["2.npy of p/[", "twice", "1.json", "2.json", "--shard"],
    ),
    "the same beside one file of labels": (lambda: folders_with_a_common_file("one"), ["2.npy of p/[", "twice"]),
    "a folder and a file of it": (a_file_of_a_folder, ["3.npy", "twice"]),
    "a file and shards of its folder": (a_file_of_shards, ["3.npy", "twice"]),
    "a missing shard": (first_two_of_three, ["1.json", "3/3", "--shard 3/3"]),
    "a shard twice": (lambda: [shard(1, 2, "1.json"), shard(1, 2, "2.json")], ["1.json", "2.json", "twice"]),
    "shards of other files": (of_other_files, ["2.json", "6 files", "5 files", "1.json"]),
    "an option": (
        lambda: [day(1, "1.json"), day(2, "2.json", clip=0.01)],
        ["2.json", "1.json", "--clip 0.01", "no --clip"],
    ),
    "another value": (
        lambda: [day(1, "1.json", clip=0.02), day(2, "2.json", clip=0.01)],
        ["--clip 0.01", "--clip 0.02 in 1.json"],
    ),
    "a flag": (lambda: [day(1, "1.json", by_class=True), day(2, "2.json")], ["--by-class", "no --by-class"]),
    "classes": (
        lambda: [day(1, "1.json", classes="a,b,c"), day(2, "2.json", classes="a,b,d")],
        ["a,b,c", "a,b,d", "--classes"],
    ),
    "names of columns": (other_columns, ["2.json: other classes: a, b, d, and a, b, c in 1.json", "--classes"]),
    "metrics": (
        lambda: [day(1, "1.json"), day(2, "2.json", metrics_needed=["ece"])],
        ["1.json", "2.json", "metrics", "--get"],
    ),
    "another rule": (other_rule, ["--index-base"]),
    "labels and shares": (shares_and_classes, ["distribution", "classes in both runs"]),
    "another command": (a_calibration, ["xent calibration", "xent score in 1.json"]),
}


@pytest.mark.parametrize("case", REFUSED)
def test_states_that_do_not_go_together_are_refused(case: str, folder: Path) -> None:
    make, words = REFUSED[case]
    states = make()
    for order in (states, states[::-1]):
        with pytest.raises(DataError) as error:
            merge(order, state="whole.json")
        assert not Path("whole.json").exists()
    with pytest.raises(DataError) as error:
        merge(states)
    assert [word for word in words if word not in str(error.value)] == []


def test_columns_in_another_order_are_merged_as_is_advised(folder: Path) -> None:
    """Other tools write the columns of a day in another order: classes are numbered by it."""
    days = [[[0.5, 0.25, 0.25], [0.125, 0.25, 0.625]], [[0.25, 0.625, 0.125], [0.5, 0.375, 0.125]]]
    for number, order in enumerate(([0, 1, 2], [2, 0, 1])):
        lines = [["a", "b b", "c"], *([str(v) for v in row] for row in days[number])]
        table = "".join(",".join(line[i] for i in order) + "\n" for line in lines)
        Path(f"q{number}.csv").write_text(table, encoding="utf-8")
        Path(f"y{number}.csv").write_text("t\na\nb b\n", encoding="utf-8")
    costs = [xentcli.score(f"q{i}.csv", f"y{i}.csv", state=f"{i}.json").cost for i in (0, 1)]
    with pytest.raises(DataError, match="order of classes") as error:
        merge(["0.json", "1.json"])
    advised = re.search("--preds '(.*)' in each run", str(error.value))
    assert advised
    for i in (0, 1):
        xentcli.score(f"q{i}.csv", f"y{i}.csv", preds=advised[1], state=f"{i}.json")
    assert merge(["0.json", "1.json"]).cost == pytest.approx(np.mean(costs))


def test_a_missing_shard_is_found_by_the_line_that_is_advised(folder: Path, call: Call) -> None:
    states = first_two_of_three()
    done = call("merge", *states)
    assert done.code == 3
    option = next(word for word in done.err.split() if "/" in word and word[0].isdigit() and word.endswith("3"))
    assert call("score", "p", "l", "--shard", option, "--state", "3.json").code == 0
    assert merge([*states, "3.json"]).cost == xentcli.score("p", "l").cost


def test_options_of_how_files_are_written_may_differ(folder: Path) -> None:
    text = "".join(",".join(map(repr, row)) + "\n" for row in Q[25:].tolist())
    Path("q2.csv").write_text(text.replace(",", ";"), encoding="utf-8")
    xentcli.score("q2.csv", "y2.npy", delimiter="predictions=;", no_header="predictions", state="2.json")
    assert merge([day(1, "1.json", hash=True), "2.json"]).cost == xentcli.score(Q, Y).cost


def test_shards_of_one_whole_may_have_other_paths(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each machine of a job array has the files somewhere else."""
    shard(2, 2, "2.json")
    root = str(folder)
    xentcli.score(f"{root}/p", f"{root}/l", shard="1/2", state="1.json")
    whole = merge(["2.json", "1.json"])
    assert whole.cost == xentcli.score("p", "l").cost


def test_two_wholes_of_as_many_shards(folder: Path) -> None:
    for index in (1, 2):
        shard(index, 2, f"{index}.json")
        xentcli.score("q1.npy", "y1.npy", shard=f"{index}/2", state=f"q{index}.json")
    both = merge(["1.json", "2.json", "q2.json", "q1.json"])
    assert both.examples.read == 65
    merge(["1.json", "2.json"], state="p.json")
    merge(["q1.json", "q2.json"], state="q.json")
    assert merge(["q.json", "p.json"]).to_dict() == both.to_dict()
    with pytest.raises(DataError, match="twice"):
        merge(["q.json", "q1.json", "q2.json"])


def rows_of(predictions: str, labels: str, count: int) -> list[str]:
    """The states of all shards of an input; of one run for 0."""
    where = [f"{Path(predictions).stem}-{count}-{index}.json" for index in range(1, max(count, 1) + 1)]
    for index, state in enumerate(where, 1):
        xentcli.score(predictions, labels, shard=f"{index}/{count}" if count else None, state=state)
    return where


def test_files_that_are_equal_within_a_folder_are_merged(folder: Path) -> None:
    """A constant forecast has equal files, and a run takes them."""
    for place in range(5):
        np.save(f"p/{place}.npy", np.full((8, 3), 1 / 3))
        np.save(f"l/{place}.npy", Y[:8])
    assert merge([shard(1, 2, "1.json"), shard(2, 2, "2.json")]).to_dict()["cost"] == xentcli.score("p", "l").cost


def test_two_inputs_of_a_constant_forecast_are_two(folder: Path) -> None:
    """Their losses are alike, and as many bytes; their classes are not."""
    for number, label in (("7", 0), ("8", 2)):
        np.save(f"q{number}.npy", np.full((16, 4), 0.25))
        np.save(f"y{number}.npy", np.array([0, 1, 2, 3] * 3 + [label] * 4))
    states = [
        state for number, count in (("7", 2), ("8", 3)) for state in rows_of(f"q{number}.npy", f"y{number}.npy", count)
    ]
    assert merge(states).examples.read == 32


def test_two_inputs_of_equal_sums_are_two(folder: Path) -> None:
    """The same losses and classes in another order: as many bytes and the same sums, but other rows."""
    for number, order in (("7", slice(None)), ("8", slice(None, None, -1))):
        np.save(f"q{number}.npy", Q[order])
        np.save(f"y{number}.npy", Y[order])
    assert merge([*rows_of("q7.npy", "y7.npy", 2), *rows_of("q8.npy", "y8.npy", 0)]).examples.read == 2 * len(Q)


@pytest.mark.parametrize("places", [0, -1])
@pytest.mark.parametrize("kind", ["files", "rows"])
@pytest.mark.parametrize("side", ["predictions", "labels"])
def test_shards_of_two_wholes_that_agree_in_names_and_rows_are_refused(
    side: str, kind: str, places: int, folder: Path
) -> None:
    """Shard 1/2 of A/q.npy and shard 2/2 of B/q.npy, whose first or last row differs."""
    states = []
    for index, name in enumerate("AB", 1):
        shutil.copytree("p", f"{name}/p")
        shutil.copytree("l", f"{name}/l")
        if kind == "rows":
            for part in ("p", "l"):
                np.save(f"{name}/{part}.npy", np.concatenate([np.load(f"{part}/{place}.npy") for place in range(5)]))
        changed = f"{name}/{'p' if side == 'predictions' else 'l'}{'/0' if kind == 'files' else ''}.npy"
        array = np.load(changed)
        array[places] = array[places][..., ::-1] if side == "predictions" else (array[places] + index) % 3
        if name == "B":
            np.save(changed, array)
        one, two = (f"{name}/{part}{'' if kind == 'files' else '.npy'}" for part in ("p", "l"))
        xentcli.score(one, two, shard=f"{index}/2", state=f"{index}.json")
        states.append(f"{index}.json")
    with pytest.raises(DataError, match="not of one whole"):
        merge(states)


@pytest.mark.parametrize("copied", [False, True])
@pytest.mark.parametrize("merged", [False, True])
@pytest.mark.parametrize("counts", [(2, 0), (1, 0), (2, 3), (3, 5), (5, 1)])
@pytest.mark.parametrize(("predictions", "labels"), [("p", "l"), ("q1.npy", "y1.npy")])
def test_an_input_shared_out_in_two_ways_would_count_twice(
    predictions: str, labels: str, counts: tuple[int, int], merged: bool, copied: bool, folder: Path
) -> None:
    """Files and rows, beside one run and another number of shards, also of a copy and once merged with others."""
    one = rows_of(predictions, labels, counts[0])
    again = predictions
    if copied:
        again = f"copy-of-{predictions}"
        (shutil.copytree if predictions == "p" else shutil.copy)(predictions, again)
    two = rows_of(again, labels, counts[1])
    if merged:
        merge([*one, day(2, "other.json")], state="whole.json")
        one = ["whole.json"]
    for states in (one + two, two + one):
        with pytest.raises(DataError, match="twice"):
            merge(states)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"class_weight": "balanced", "state": "s.json"}, "--class-weight balanced"),
        ({"class_weight": "balanced", "shard": "1/2"}, "--class-weight balanced"),
        ({"state": "q1.npy"}, "is an input"),
        ({"state": "./q1.npy"}, "is an input"),
        ({"state": 3}, "path of a file"),
        ({"shard": "3/2"}, "--shard is I/N"),
        ({"shard": "0/2"}, "--shard is I/N"),
        ({"shard": "1"}, "--shard is I/N"),
        ({"shard": "-1/2"}, "--shard is I/N"),
        ({"shard": "1/2/3"}, "--shard is I/N"),
    ],
)
def test_options_that_cannot_be(options: dict[str, Any], words: str, folder: Path) -> None:
    before = Path("q1.npy").read_bytes()
    with pytest.raises(UsageError, match=words.replace("/", "[/]")):
        xentcli.score("q1.npy", "y1.npy", **options)
    assert Path("q1.npy").read_bytes() == before


def test_targets_of_the_command_are_checked_before_it_runs(folder: Path, call: Call) -> None:
    state = day(1, "1.json")
    kept = Path(state).read_bytes()
    assert call("merge", state, "--state", state).code == 2
    assert call("score", "q1.npy", "y1.npy", "--state", "y1.npy").code == 2
    assert call("score", "q1.npy", "y1.npy", "--state", "-").code == 2
    assert call("score", "q1.npy", "y1.npy", "--state", "no/such/s.json").code == 4
    assert call("score", "q1.npy", "y1.npy", "--state", "r.json", "-o", "r.json").code == 2
    assert call("merge").code == 2
    assert call("merge", "no.json").code == 4
    assert Path(state).read_bytes() == kept


def test_more_shards_than_rows_are_refused(folder: Path) -> None:
    with pytest.raises(DataError, match="fewer than the 100 shards"):
        xentcli.score("q2.npy", "y2.npy", shard="7/100")


def test_a_stream_has_a_state_and_no_shards(folder: Path, xent: Run) -> None:
    stream = Path("q1.npy").read_bytes()
    done = xent("score", "-", "y1.npy", "--shard", "1/2", "--state", "1.json", input=stream)
    assert (done.returncode, Path("1.json").exists()) == (3, False)
    assert "--shard counts them" in done.stderr
    assert xent("score", "-", "y1.npy", "--state", "1.json", input=stream).returncode == 0
    assert merge(["1.json", day(2, "2.json")]).cost == xentcli.score(Q, Y).cost
    with pytest.raises(DataError, match="twice"):
        merge(["1.json", day(1, "3.json")])


@pytest.mark.parametrize("name", ["2.json", "2.json.gz"])
def test_one_state_is_read_from_standard_input(name: str, folder: Path, xent: Run) -> None:
    one, sent = day(1, "1.json"), Path(day(2, name)).read_bytes()
    done = xent("merge", "-", one, "-q", input=sent)
    assert (done.returncode, float(done.stdout)) == (0, xentcli.score(Q, Y).cost)
    for bad, words in (
        (sent[:-9], "standard input: "),
        (b"", "standard input: not a state"),
        (Path(one).read_bytes(), "standard input: the rows of q1.npy are also in 1.json"),
    ):
        done = xent("merge", one, "-", input=bad)
        assert (done.returncode, done.stdout) == (3, "")
        assert words in done.stderr
    done = xent("merge", "-", "-", input=sent)
    assert done.returncode == 3
    assert "twice" in done.stderr


def signed(whole: dict[str, Any]) -> str:
    """The text of a state with a valid digest."""
    body = json.dumps(whole["state"], sort_keys=True, separators=(",", ":"))
    return json.dumps({**whole, "sha256": hashlib.sha256(body.encode()).hexdigest()})


TEXTS: dict[str, Callable[[str], bytes]] = {
    "nothing": lambda text: b"",
    "cut off": lambda text: text[: len(text) // 2].encode(),
    "without its end": lambda text: text[:-3].encode(),
    "a report": lambda text: json.dumps({"schema_version": 1, "cost": 0.5}).encode(),
    "a list": lambda text: b"[1, 2]",
    "text": lambda text: b"preds,labels\n",
    "bytes": lambda text: bytes(range(256)),
    "deep": lambda text: b"[" * 200_000,
    "NaN": lambda text: b'{"xent_state": NaN}',
    "edited": lambda text: text.replace('"read":25', '"read":26').encode(),
    "another version": lambda text: text.replace('"xent_state":2', '"xent_state":1').encode(),
    "a version of text": lambda text: text.replace('"xent_state":2', '"xent_state":"1"').encode(),
    "a flag for a version": lambda text: text.replace('"xent_state":2', '"xent_state":true').encode(),
    "half a gzip": lambda text: gzip.compress(text.encode())[:-20],
    "a bad gzip": lambda text: gzip.compress(text.encode())[:40] + bytes(400),
    "a pickle": lambda text: base64.b64decode("gASVAAAAAAAAAACMAnNvlC4="),
}


@pytest.mark.parametrize("case", TEXTS)
def test_what_is_no_state_is_3(case: str, folder: Path) -> None:
    text = Path(day(1, "1.json")).read_text(encoding="utf-8")
    Path("bad.json").write_bytes(TEXTS[case](text))
    with pytest.raises(DataError, match=r"bad\.json"):
        merge(["bad.json", day(2, "2.json")])


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The paths to every value of a JSON document."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(place for key, item in items for place in places(item, (*path, key)))]


WRONG: list[Any] = [None, -1, 2**70, 1.5, "", "x", [], {}, True, "0x" + "f" * 9000, "nan", "-inf", [[]], [1, "a"]]


def refused_with_a_wrong_value(whole: dict[str, Any], where: list[tuple[Any, ...]], most: int, seed: int) -> int:
    """Exchange the values at random places, one at a time; return how many of these states are refused."""
    random_, refused = random.Random(seed), 0
    for place in random_.sample(where, min(most, len(where))):
        changed = json.loads(json.dumps(whole))
        holder = changed["state"]
        for key in place[:-1]:
            holder = holder[key]
        old = holder[place[-1]]
        holder[place[-1]] = random_.choice([value for value in WRONG if value != old or type(value) is not type(old)])
        Path("bad.json").write_text(signed(changed), encoding="utf-8")
        try:
            merge(["bad.json"])
        except XentError:
            refused += 1
    return refused


def test_a_state_with_any_value_exchanged_is_refused_or_a_state(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A state with a valid digest may have a wrong count, but nothing crashes, and nothing takes all memory."""
    options: dict[str, Any] = {"by_class": True, "worst": 2, "clip": 0.01}
    xentcli.score("q1.npy", "y1.npy", by={"site": ["a", "b"] * 12 + ["a"]}, state="1.json", **options)
    whole = json.loads(Path("1.json").read_text(encoding="utf-8"))
    monkeypatch.setattr("xentcli.attempts.STRICT", False)
    every = [place for place in places(whole["state"]) if place]
    assert refused_with_a_wrong_value(whole, every, 250, seed=3) > 150


def test_a_state_without_the_role_of_its_labels_is_refused(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    np.save("other.npy", np.load("q1.npy")[::-1])
    xentcli.compare(["q1.npy", "other.npy"], "y1.npy", state="1.json")
    whole = json.loads(Path("1.json").read_text(encoding="utf-8"))
    for model in whole["state"]["models"]:
        text = json.dumps(model["decided"]["roles"])
        assert '"label"' in text
        model["decided"]["roles"] = json.loads(text.replace('"label"', '"truth"'))
    monkeypatch.setattr("xentcli.attempts.STRICT", False)
    Path("bad.json").write_text(signed(whole), encoding="utf-8")
    with pytest.raises(DataError, match=r"bad\.json: a state that no run of xent wrote"):
        merge(["bad.json"])


def test_a_state_that_is_too_large_is_4(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from xentcli.readers.limits import Limits

    state = day(1, "1.json.gz")
    assert Path(state).read_bytes()[:2] == b"\x1f\x8b"
    assert merge([state]).cost == xentcli.score("q1.npy", "y1.npy").cost
    monkeypatch.setattr("xentcli.analysis.state_file.DEFAULT", Limits(batch=800))
    for act in (lambda: merge([state]), lambda: day(2, "2.json.gz")):
        with pytest.raises(
            FileError, match="a state of more than 100 bytes, which would be held in memory with 8 times"
        ):
            act()
    assert not Path("2.json.gz").exists()


def test_a_state_that_inflates_without_end_takes_little_memory(folder: Path) -> None:
    with gzip.open("bomb.json.gz", "wb", 1) as file:
        for _ in range(160):
            file.write(b" " * (1 << 20))
    tracemalloc.start()
    try:
        with pytest.raises(FileError, match=r"bomb\.json\.gz: a state of more than 134,217,728 bytes"):
            merge(["bomb.json.gz"])
        assert tracemalloc.get_traced_memory()[1] < 170e6
    finally:
        tracemalloc.stop()


def test_a_metric_that_no_run_computed_is_refused_with_the_option(folder: Path, call: Call) -> None:
    states = [day(1, "1.json"), day(2, "2.json")]
    done = call("merge", *states, "--get", "ece")
    assert (done.code, done.out) == (3, "")
    assert "ece was not computed by the runs that were merged" in done.err
    assert "--get ece" in done.err
    for number in (1, 2):
        assert call("score", f"q{number}.npy", f"y{number}.npy", "--get", "ece", "--state", f"{number}.json").code == 0
    done = call("merge", *states, "--get", "ece")
    assert float(done.out) == xentcli.score(Q, Y, metrics_needed=["ece"])["ece"]


def test_the_screen_names_a_file_and_says_that_there_are_others(folder: Path, call: Call) -> None:
    done = call("merge", day(1, "1.json"), day(2, "2.json"))
    assert "q1.npy and others: 40 of 40 rows" in done.out
    assert "y1.npy and others, column #1" in done.out
    paths = [item["path"] for item in merge(["2.json", "1.json"]).to_dict()["inputs"]]
    assert paths == ["q1.npy", "y1.npy", "q2.npy", "y2.npy"]
    assert " and others" not in call("merge", "1.json").out
