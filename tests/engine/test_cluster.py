"""Dask: the same report to the last bit, whichever process scores the rows, and errors that say what is wrong."""

from __future__ import annotations

import gc
import gzip
import importlib.util
import json
import os
import re
import shutil
import signal
import sys
import tempfile
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from threading import Thread
from types import SimpleNamespace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as parquet
import pytest
from hypothesis import HealthCheck, given
from hypothesis import strategies as st

import xentcli
from tests.conftest import Call, Run, wait_for
from tests.laws import settings
from tests.merge.test_merge import merge, plain
from xentcli.engine import tasks, travel
from xentcli.engine.scorer import Scorer
from xentcli.engine.travel import Sent, compute, group_of, pickled, versions
from xentcli.errors import ClusterError, DataError, UsageError
from xentcli.pairing.alignment import Task
from xentcli.readers import open_source

FILES = 7
ROWS = 300


@pytest.fixture(scope="module")
def shards(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folders of predictions and labels, as NPY and as CSV."""
    folder = tmp_path_factory.mktemp("shards")
    random = np.random.default_rng(21)
    for kind in ("p", "y", "pc", "yc", "pp", "yp", "q", "pz", "yz"):
        (folder / kind).mkdir()
    for place in range(FILES):
        q = random.dirichlet(np.ones(4), ROWS)
        y = random.integers(0, 4, ROWS)
        np.save(folder / f"p/p-{place}.npy", q)
        np.save(folder / f"q/p-{place}.npy", random.dirichlet(np.ones(4), ROWS))
        np.save(folder / f"y/y-{place}.npy", y)
        texts = "".join(",".join(map(repr, row)) + "\n" for row in q.tolist())
        (folder / f"pc/p-{place}.csv").write_text("a,b,c,d\n" + texts)
        table = pa.table(dict(zip("abcd", q.T, strict=True)))
        parquet.write_table(table, folder / f"pp/p-{place}.parquet", row_group_size=70 + 50 * place)
        parquet.write_table(pa.table({"label": y}), folder / f"yp/y-{place}.parquet", row_group_size=90)
        (folder / f"yc/y-{place}.csv").write_text("label\n" + "".join(f"{'abcd'[label]}\n" for label in y))
        for kind, name in (("p", "p"), ("y", "y")):
            text = (folder / f"{kind}c/{name}-{place}.csv").read_bytes()
            (folder / f"{kind}z/{name}-{place}.csv.gz").write_bytes(gzip.compress(text))
    return folder


@pytest.fixture
def small_groups(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a group have two files."""
    monkeypatch.setattr(tasks, "GROUP_TASKS", 2)


COMMANDS = {
    "score": ["score", "p", "y", "--by-class", "--worst", "3", "--format", "json"],
    "score csv": ["score", "pc", "yc", "--confidence", "0.9", "--format", "json"],
    "score parquet": ["score", "pp", "yp", "--by-class", "--worst", "3", "--format", "json"],
    "score gz": ["score", "pz", "yz", "--by-class", "--worst", "3", "--format", "json"],
    "score gz beside csv": ["score", "pz", "yc", "--state", "state.json", "--hash", "--format", "json"],
    "score gz beside parquet": ["score", "pz", "yp", "--by-class", "--format", "json"],
    "calibration gz": ["calibration", "pz", "yz", "--format", "json"],
    "score fit": ["score", "p", "y", "--metrics", "cost,temperature_gain", "--format", "json"],
    "calibration": ["calibration", "p", "y", "--format", "json"],
    "compare": ["compare", "p", "q", "--labels", "y", "--format", "json"],
    "check": ["check", "p", "y", "--max", "cost=9", "--format", "json"],
    "check fails": ["check", "p", "y", "--max", "cost=0", "--by-class", "--format", "json"],
}


@pytest.mark.usefixtures("small_groups")
@pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS.keys())
def test_one_report_to_the_last_bit(
    command: list[str], shards: Path, call: Call, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(shards)
    here, there = call(*command), call(*command, "--scheduler", address)
    assert json.loads(there.out)
    assert (there.code, there.out) == (here.code, here.out)
    assert there.err.startswith(here.err + "xent: Dask: 2 threads of 2 workers")


@pytest.mark.usefixtures("small_groups")
def test_a_worker_inflates_its_own_shards(
    shards: Path, call: Call, address: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Whose rows do not pass through the scheduler; an error names the row among those of all files."""
    sizes: list[int] = []
    packed = travel.group_of

    def counted(group: Any) -> Any:
        made = packed(group)
        sizes.append(len(made.data))
        return made

    monkeypatch.setattr(travel, "group_of", counted)
    assert call("score", str(shards / "pz"), str(shards / "yz"), "--scheduler", address).code == 0
    assert (len(sizes), max(sizes) < 1000) == ((FILES + 1) // 2, True), sizes
    for kind in ("p", "y"):
        shutil.copytree(shards / f"{kind}z", tmp_path / kind)
    for place in (2, 5):
        file = tmp_path / f"p/p-{place}.csv.gz"
        lines = gzip.decompress(file.read_bytes()).split(b"\n")
        lines[10] = b"0.5,x,0.5,0"
        file.write_bytes(gzip.compress(b"\n".join(lines)))
    here, there = call("score", "p", "y"), call("score", "p", "y", "--scheduler", address)
    assert (here.code, there.code) == (3, 3)
    assert there.err.endswith(here.err)
    assert "p-2.csv.gz, row 610 (line 11)" in here.err


def test_a_client_or_the_file_of_a_scheduler_is_taken(shards: Path, cluster: Any, tmp_path: Path) -> None:
    here = xentcli.score(shards / "p", shards / "y")
    with cluster.get_client() as client:
        assert xentcli.score(shards / "p", shards / "y", scheduler=client).cost == here.cost
        assert client.status == "running"
        (tmp_path / "s.json").write_text(json.dumps({"address": cluster.scheduler_address}))
    assert xentcli.score(shards / "p", shards / "y", scheduler=tmp_path / "s.json", engine="dask") == here


def test_workers_compute_all(shards: Path, address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Scorer, "__call__", _refuse)
    assert xentcli.score(shards / "p", shards / "y", scheduler=address).cost > 0


def _refuse(*_: object) -> None:
    raise AssertionError("computed here")


@pytest.mark.usefixtures("small_groups")
def test_the_first_bad_row_is_named_as_without(shards: Path, call: Call, address: str, tmp_path: Path) -> None:
    for kind in ("p", "y"):
        (tmp_path / kind).mkdir()
        for file in sorted((shards / kind).iterdir()):
            os.link(file, tmp_path / kind / file.name)
    for place, row in ((2, 9), (5, 0)):
        file = tmp_path / f"p/p-{place}.npy"
        q = np.load(file)
        q[row, 1] = np.nan
        file.unlink()
        np.save(file, q)
    here, there = call("score", "p", "y"), call("score", "p", "y", "--scheduler", address)
    assert (here.code, there.code) == (3, 3)
    assert there.err.endswith(here.err)
    assert "p-2.npy, row 610" in here.err


@pytest.mark.skipif(os.name == "nt", reason="needs a FIFO as POSIX has them")
def test_a_stream_is_refused(call: Call, address: str, xent: Run, tmp_path: Path) -> None:
    np.save(tmp_path / "y.npy", np.zeros(2, int))
    text = "0.5,0.5\n0.5,0.5\n"
    done = xent("score", "-", "y.npy", "--scheduler", address, input=text)
    assert done.returncode == 2
    assert done.stderr.startswith("xent: standard input is a stream, and the workers of Dask read files\n")
    os.mkfifo(tmp_path / "pipe")
    writer = Thread(target=(tmp_path / "pipe").write_text, args=(text,))
    writer.start()
    found = call("score", "pipe", "y.npy", "--scheduler", address)
    writer.join()
    assert (found.code, found.err.partition("\n")[0]) == (
        2,
        done.stderr.partition("\n")[0].replace("standard input", "pipe"),
    )


def test_arrays_are_refused(address: str) -> None:
    with pytest.raises(UsageError, match="is in memory, and the workers of Dask read files"):
        xentcli.score([[0.5, 0.5]], [0], scheduler=address)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--engine", "local", "--scheduler", "tcp://127.0.0.1:1"], "--engine local needs none"),
        (["--engine", "dask", "--threads", "0"], "threads is at least 1"),
        (
            ["--scheduler", "nowhere"],
            "'nowhere' is neither the file of a scheduler nor an address such as tcp://127.0.0.1:8786",
        ),
        (["--scheduler", "tcp://127.0.0.1"], "missing port number"),
        (["--scheduler", "foo://127.0.0.1:1"], "unknown address scheme 'foo'"),
        (["--scheduler", __file__], "the file has no address"),
    ],
)
def test_options_that_make_no_sense(options: list[str], says: str, call: Call, shards: Path) -> None:
    done = call("score", str(shards / "p"), str(shards / "y"), *options)
    assert done.code == 2
    assert says in done.err


def test_no_scheduler_there(call: Call, shards: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("xentcli.engine.connect._CONNECT", 1.0)
    done = call("score", str(shards / "p"), str(shards / "y"), "--scheduler", "tcp://127.0.0.1:9")
    assert done.code == 4
    assert done.err.startswith("xent: no scheduler of Dask answers at tcp://127.0.0.1:9 within 1 s\n")


def test_a_password_in_a_url_is_not_sent(address: str, shards: Path) -> None:
    import fsspec

    with fsspec.open("memory://me:secret@shards/p.npy", "wb") as file:
        file.write((shards / "p/p-0.npy").read_bytes())
    with pytest.raises(UsageError, match="has a password or a signature, which is not sent to workers"):
        xentcli.score("memory://me:secret@shards/p.npy", shards / "y/y-0.npy", scheduler=address)


def _sent(function: Callable[[Any], Any], known: dict[str, str] | None = None) -> Sent:
    return Sent(pickled(function), known or versions())


def test_a_worker_refuses_other_versions() -> None:
    found = compute(_sent(len, {**versions(), "NumPy": "1.0"}), group_of([1]))
    assert isinstance(found.error, UsageError)
    assert "and this command 1.0: the last bits of the result could differ" in found.error.message


def test_a_worker_refuses_another_file(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(b"one")
    group = group_of([SimpleNamespace(parts=[SimpleNamespace(path=str(path))])])
    assert compute(_sent(len), group) == 1
    os.utime(path, (1, 1))
    assert "is another file there" in compute(_sent(len), group).error.message
    path.unlink()
    assert "cannot be read there: No such file or directory" in compute(_sent(len), group).error.message
    assert isinstance(compute(_sent(len), group).error, ClusterError)


def _broken(_: object) -> None:
    raise DataError("row 3")


def test_what_a_worker_cannot_compute_is_a_value() -> None:
    assert isinstance(compute(_sent(_broken), group_of([1])).error, DataError)
    assert str(compute(_sent(abs), group_of([1])).error) == "TypeError: bad operand type for abs(): 'list'"


def _starved(*_: object, **__: object) -> None:
    raise MemoryError


def _killed(_: object) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


@pytest.mark.parametrize(
    ("function", "says"),
    [(_starved, r"the worker tcp:.* has too little memory"), (_killed, "1 worker died while computing")],
)
def test_a_worker_out_of_memory_is_told(
    function: Callable[[object], None], says: str, cluster: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether an allocation fails or the worker is killed for its memory; one death is enough here, as each takes seconds."""
    monkeypatch.setattr(cluster.scheduler, "allowed_failures", 0)
    with tasks.computing("dask", cluster.scheduler_address), pytest.raises(ClusterError, match=says) as found:
        list(tasks.over_jobs(function, [1]))
    assert any("--memory-limit" in line for line in found.value.advice)
    assert found.value.exit_code == 4


def test_a_script_without_a_guard_is_told(shards: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the worker, which imports the script, and in the script, whose workers have ended."""
    guard = "call it under if __name__ == '__main__':"
    monkeypatch.setattr("multiprocessing.current_process", lambda: SimpleNamespace(_inheriting=True))
    with pytest.raises(UsageError, match=guard):
        xentcli.score(shards / "p", shards / "y", engine="dask")
    monkeypatch.undo()
    monkeypatch.setattr("xentcli.engine.ordered._fork_allowed", False)
    monkeypatch.setattr("distributed.LocalCluster", _starved)
    with pytest.raises(ClusterError, match=guard):
        xentcli.score(shards / "p", shards / "y", engine="dask")


def test_a_local_cluster_leaves_nothing(xent: Run, shards: Path, tmp_path: Path) -> None:
    done = xent(
        "score", shards / "p", shards / "y", "--engine", "dask", "--threads", "2", env={"TMPDIR": str(tmp_path)}
    )
    here = xent("score", shards / "p", shards / "y")
    assert (done.returncode, done.stdout) == (0, here.stdout)
    at = r", dashboard at http://127\.0\.0\.1:\d+/status" if importlib.util.find_spec("bokeh") else ""
    assert re.fullmatch(f"xent: Dask: 2 workers on this machine{at}\n", done.stderr)
    assert list(tmp_path.iterdir()) == []


def test_what_nannies_set_in_the_environment_is_undone(shards: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else a later process of a notebook would have one thread of linear algebra, and the same hashes each time."""

    def nannies(**_: object) -> None:
        os.environ.update({"PYTHONHASHSEED": "6640", "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"})
        raise OSError("no port")

    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    monkeypatch.setattr("distributed.LocalCluster", nannies)
    before = dict(os.environ)
    with pytest.raises(ClusterError, match="no port"):
        xentcli.score(shards / "p", shards / "y", engine="dask")
    assert os.environ == before


@pytest.mark.parametrize("found", [True, None])
def test_a_dashboard_is_shown_where_the_scheduler_draws_one(
    found: bool | None, shards: Path, call: Call, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("xentcli.engine.travel.importlib.util.find_spec", lambda _: found)
    done = call("score", str(shards / "p"), str(shards / "y"), "--scheduler", address)
    assert ("dashboard at http://127.0.0.1:" in done.err) == bool(found), done.err


def test_a_distributed_that_cannot_be_imported_is_a_missing_extra(xent: Run, shards: Path, tmp_path: Path) -> None:
    (tmp_path / "distributed.py").write_text("import no_such_package_of_dask\n")
    done = xent("score", shards / "p", shards / "y", "--engine", "dask", env={"PYTHONPATH": str(tmp_path)})
    assert done.returncode == 2
    assert done.stderr == (
        "xent: this needs distributed, which cannot be imported: No module named 'no_such_package_of_dask'\n"
        "      pip install 'xentcli[dask]'\n"
    )


def _threads(_: object) -> list[int]:
    import threadpoolctl

    return [pool["num_threads"] for pool in threadpoolctl.threadpool_info()]


def test_a_worker_has_one_thread_of_linear_algebra(monkeypatch: pytest.MonkeyPatch) -> None:
    import threadpoolctl

    with threadpoolctl.threadpool_limits(2):
        assert _threads(None)
        assert {*compute(_sent(_threads), group_of([1]))} == {1}
        monkeypatch.setitem(sys.modules, "threadpoolctl", None)
        found = compute(_sent(_threads), group_of([1])).error
    assert "this needs threadpoolctl, which is not installed" in found.message
    assert found.advice == ("pip install 'xentcli[dask]'",)


@pytest.mark.usefixtures("small_groups")
@pytest.mark.parametrize("ending", [".csv", ".jsonl", ".npy", ".parquet"])
def test_losses_are_a_folder_of_parts(ending: str, shards: Path, call: Call, address: str, tmp_path: Path) -> None:
    inputs = (str(shards / "pc"), str(shards / "yc"))
    whole, parts = tmp_path / f"one{ending}", tmp_path / f"many{ending}"
    assert call("score", *inputs, "--per-example", str(whole)).code == 0
    for _ in range(2):
        assert call("score", *inputs, "--per-example", str(parts), "--scheduler", address).code == 0
        names = [f"part-{start:012d}{ending}" for start in range(0, FILES * ROWS, 2 * ROWS)]
        assert sorted(path.name for path in parts.iterdir()) == names
    assert {path.name for path in tmp_path.iterdir()} == {whole.name, parts.name}
    if ending == ".jsonl":
        assert b"".join((parts / name).read_bytes() for name in names) == whole.read_bytes()
    if ending == ".csv":
        texts = [(parts / name).read_text().split("\n", 1) for name in names]
        assert texts[0][0] + "\n" + "".join(rows for _, rows in texts) == whole.read_text()
    if ending != ".npy":
        found = [call("score", str(path), "--kind", "losses", "--preds", "loss", "-q").out for path in (whole, parts)]
        assert found[0] == found[1] != ""


@pytest.mark.usefixtures("small_groups")
def test_losses_on_standard_output_come_in_order(shards: Path, call: Call, address: str) -> None:
    for words in (["--format", "csv"], ["--format", "jsonl"]):
        command = ("score", str(shards / "p"), str(shards / "y"), "--per-example", "-", *words)
        assert call(*command, "--scheduler", address).out == call(*command).out


@pytest.mark.usefixtures("small_groups")
def test_a_run_that_fails_leaves_no_folder(shards: Path, call: Call, address: str, tmp_path: Path) -> None:
    (tmp_path / "p").mkdir()
    for file in sorted((shards / "p").iterdir()):
        os.link(file, tmp_path / "p" / file.name)
    (tmp_path / "p/p-6.npy").unlink()
    np.save(tmp_path / "p/p-6.npy", np.full((ROWS, 4), 2.0))
    (tmp_path / "kept").mkdir()
    (tmp_path / "kept/mine.txt").write_text("mine")
    done = call("score", "p", str(shards / "y"), "--per-example", "l.csv", "--scheduler", address)
    assert done.code == 3
    (tmp_path / "kept").rename(tmp_path / "kept.csv")
    done = call("score", "p", str(shards / "y"), "--per-example", "kept.csv", "--scheduler", address)
    assert (done.code, "'mine.txt' in it, which would be removed" in done.err) == (2, True)
    assert {path.name for path in tmp_path.iterdir()} == {"p", "kept.csv"}


@pytest.mark.usefixtures("small_groups")
def test_a_baseline_and_losses_are_written_in_one_run(shards: Path, call: Call, address: str, tmp_path: Path) -> None:
    words = ("check", str(shards / "p"), str(shards / "y"), "--max", "cost=9", "--write-baseline", "b.npz")
    done = call(*words, "--per-example", "l.csv", "--scheduler", address)
    assert done.code == 0
    assert len(list((tmp_path / "l.csv").iterdir())) == (FILES + 1) // 2
    assert call(*words[:3], "--baseline", "b.npz", "--max-regression", "cost=0", "--scheduler", address).code == 0


@pytest.fixture
def workers(cluster: Any) -> Iterator[Callable[[int], None]]:
    """Scale the cluster to a number of workers; back to two at the end."""

    def scaled(count: int) -> None:
        cluster.scale(count)
        wait_for(lambda: len(cluster.scheduler.workers) == count)

    yield scaled
    scaled(2)


@pytest.mark.parametrize("count", [1, 2, 4])
@given(cuts=st.lists(st.integers(1, FILES * ROWS - 1), max_size=63, unique=True), random=st.randoms())
@settings(max_examples=3, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_split_on_any_number_of_workers_is_one_run(
    cuts: list[int], random: Random, count: int, workers: Any, shards: Path, address: str, tmp_path: Path
) -> None:
    """However rows are cut into files and tasks into groups: in threads, on workers, and merged of states in any order."""
    q, y = (np.concatenate([np.load(file) for file in sorted((shards / kind).iterdir())]) for kind in ("p", "y"))
    workers(count)
    folder = Path(tempfile.mkdtemp(dir=tmp_path))
    for name, data in (("q", q), ("y", y)):
        (folder / name).mkdir()
        for place, rows in enumerate(np.split(data, sorted(cuts))):
            np.save(folder / name / f"{place}.npy", rows)
    whole = plain(xentcli.score(q, y, by_class=True, worst=3, threads=1), "labels")
    files = (folder / "q", folder / "y")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tasks, "GROUP_TASKS", random.randint(1, 5))
        assert plain(xentcli.score(*files, by_class=True, worst=3, scheduler=address), "labels") == whole
    assert plain(xentcli.score(*files, by_class=True, worst=3, threads=2), "labels") == whole
    states = [folder / f"{index}.json" for index in range(1, len(cuts) + 2)]
    for index, state in enumerate(states, 1):
        xentcli.score(*files, by_class=True, worst=3, shard=f"{index}/{len(states)}", state=state)
    random.shuffle(states)
    assert plain(merge(states), "labels") == whole


def _grown(folder: Path, address: str, monkeypatch: pytest.MonkeyPatch) -> float:
    """The bytes for each further shard at the peak of this process, which has the command and the scheduler."""
    q = np.full((700, 2), 0.5, np.float16)
    peaks: dict[int, int] = {}
    monkeypatch.chdir(folder)
    first, few, many = 64, 192, 448
    for count in (first, few, many):
        for side, array in (("q", q), ("t", np.zeros(len(q), np.uint8))):
            (folder / side).mkdir(exist_ok=True)
            for place in range(count):
                if not (folder / side / f"{place}.npy").exists():
                    np.save(folder / side / f"{place}.npy", array)
        gc.collect()
        tracemalloc.start()
        before = tracemalloc.get_traced_memory()[0]
        assert xentcli.score("q", "t", scheduler=address).examples.scored == count * len(q)
        peaks[count] = tracemalloc.get_traced_memory()[1] - before
        tracemalloc.stop()
    return (peaks[many] - peaks[few]) / (many - few)


def test_a_further_shard_takes_little_memory(address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tasks, "GROUP_TASKS", 64)
    grown = _grown(tmp_path, address, monkeypatch)
    assert grown < 1500, grown


def test_the_tasks_of_small_files_are_sent_packed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Dask's logs keep the messages of a run."""
    monkeypatch.chdir(tmp_path)
    paths = [f"preds-{place}.npy" for place in range(256)]
    for path in paths:
        np.save(path, np.zeros((3, 2)))
    some = [Task(part, 0) for path in paths for part in open_source(path, name="array").parts()]
    group = group_of(some)
    assert len(group.data) + len(group.files) < 30 * len(some)
    assert compute(_sent(_paths), group) == paths


def _paths(some: list[Any]) -> list[str]:
    return [task.part.path for task in some]
