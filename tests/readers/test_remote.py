"""Files at URLs: the same figures as from a disk, errors in one block, nothing secret, bounded memory."""

from __future__ import annotations

import contextlib
import gzip
import http.server
import io
import json
import os
import re
import subprocess
import sys
import threading
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import fsspec
import numpy as np
import pandas as pd
import pytest

import xentcli
from tests.conftest import XENT, Call, local_cluster, posix_only
from tests.laws import LONG
from tests.readers.test_formats import LABELS, PREDICTIONS, figures, make, npy
from xentcli.errors import DataError, FileError, UsageError
from xentcli.readers import READERS, open_source, remote
from xentcli.report.report import Report

NAMES = ["cat", "dog", "emu"]
BASE = "memory://xent"
ROWS = 3000


def files_of_a_run() -> dict[str, bytes]:
    """The same predictions and labels as NPY, Parquet, CSV.gz and shards."""
    case = make("probs", "index", ROWS, 3, 2.0, False, 7)
    table = pd.DataFrame(case.predictions, columns=NAMES)
    table["label"] = [NAMES[label] for label in case.labels]
    text = table.to_csv(index=False).encode()
    shards = {
        f"shards/part-{i}.csv": table[start : start + ROWS // 4].to_csv(index=False).encode()
        for i, start in enumerate(range(0, ROWS, ROWS // 4))
    }
    wide = table.assign(text="a prompt that nobody scores")
    return {
        "p.npy": npy(case.predictions),
        "l.npy": npy(case.labels),
        "run.csv.gz": gzip.compress(text),
        "run.csv": text,
        "run.parquet": wide.to_parquet(row_group_size=1000),
        "shards/_SUCCESS": b"",
        **shards,
    }


RUNS: dict[str, tuple[list[str], dict[str, Any]]] = {
    "NPY": (["p.npy", "l.npy"], {}),
    "CSV.gz": (["run.csv.gz"], {"label": "label"}),
    "CSV": (["run.csv"], {"label": "label"}),
    "Parquet": (["run.parquet"], {"label": "label", "preds": NAMES}),
    "folder": (["shards"], {"label": "label"}),
    "glob": (["shards/part-*.csv"], {"label": "label"}),
}


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("remote")
    for name, content in files_of_a_run().items():
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)
    return folder


def same_as_local(run: str, local: Path, base: str, **engine: Any) -> None:
    names, options = RUNS[run]
    found = []
    for place, further in ((str(local), {}), (base, engine)):
        predictions, *labels = [f"{place}/{name}" for name in names]
        found.append(here(xentcli.score(predictions, labels[0] if labels else None, **options, **further), place))
    assert found[1] == found[0]


def here(report: Report, base: object) -> str:
    """All figures of a report; the names of files are those within `base`."""
    return figures(report).replace(f"{base}/", "")


@pytest.fixture
def store() -> Iterator[Callable[[str, bytes], str]]:
    """Write a file of fsspec's file system in memory; returns its URL."""
    memory = fsspec.filesystem("memory")

    def put(name: str, content: bytes) -> str:
        memory.pipe_file(f"/xent/{name}", content)
        return f"{BASE}/{name}"

    memory.mkdirs("/xent", exist_ok=True)
    yield put
    memory.rm("/xent", recursive=True)


def test_every_reader_reads_urls(store: Callable[[str, bytes], str], tmp_path: Path) -> None:
    def put(name: str, content: bytes) -> str:
        path = tmp_path / name
        path.write_bytes(content)
        return str(path)

    case, seen = make("probs", "index", 9, 3, 1.0, False, 1), set()
    for forms, other in ((PREDICTIONS, case.labels), (LABELS, case.predictions)):
        for name, form in forms.items():
            if isinstance(url := form(case, store), str):
                assert url.startswith("memory://")
                seen.add(open_source(url, name="x").format)
                pairs = [(given, other) if forms is PREDICTIONS else (other, given) for given in (form(case, put), url)]
                found = [here(case.score(*pair), base) for pair, base in zip(pairs, (tmp_path, BASE), strict=True)]
                assert found[1] == found[0], name
    assert seen == set(READERS)


@pytest.mark.parametrize("run", RUNS)
def test_a_store_in_memory_gives_what_a_disk_gives(run: str, local: Path, store: Any) -> None:
    for name, content in files_of_a_run().items():
        store(name, content)
    same_as_local(run, local, BASE)


def test_chained_and_file_urls(local: Path) -> None:
    options: dict[str, Any] = {"label": "label"}
    expected = xentcli.score(f"{local}/run.csv", **options).cost
    with zipfile.ZipFile(local / "z.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.write(local / "run.csv", "a/run.csv")
    for url in ("file://{}/run.csv", "simplecache::file://{}/run.csv", "zip://a/*.csv::file://{}/z.zip"):
        assert xentcli.score(url.format(local.as_posix()), **options).cost == expected, url


def test_labels_weights_and_classes_are_taken_from_urls(store: Any, call: Call, tmp_path: Path) -> None:
    (tmp_path / "p.csv").write_text("0.5,0.5\n0.25,0.75\n")
    store("l.csv", b"truth,weight\ncat,1\ndog,3\n")
    store("names.txt", b"cat\ndog\n")
    done = call(
        *("score", "p.csv", "memory://xent/l.csv", "--label", "truth", "--weights", "weight", "--get", "cost"),
        *("--classes", "@memory://xent/names.txt"),
    )
    other = call(
        *("score", "p.csv", "--label", "@memory://xent/l.csv:truth", "--classes", "cat,dog", "--get", "cost"),
        *("--weights", "@memory://xent/l.csv:weight"),
    )
    assert done == other
    assert float(done.out) == pytest.approx(-(np.log(0.5) + 3 * np.log(0.75)) / 4)


def test_a_baseline_is_read_at_a_url(store: Any, call: Call, local: Path, tmp_path: Path) -> None:
    run = ("check", f"{local}/run.csv", "--label", "label")
    assert call(*run, "--write-baseline", "base.npz", "-o", "base.json").code == 0
    for name in ("base.npz", "base.json"):
        url = store(name, (tmp_path / name).read_bytes())
        done = call(*run, "--baseline", url, "--max-regression", "cost=1%")
        assert (done.code, done.err) == (0, ""), name
        assert url in done.out
    done = call(*run, "--baseline", "memory://xent/none.npz", "--max-regression", "cost=1%")
    assert done.code == 4
    assert "there is no baseline yet" in done.err


def test_states_are_merged_at_a_url(store: Any, local: Path, tmp_path: Path) -> None:
    for shard in ("1/2", "2/2"):
        name = f"{shard[0]}.json"
        xentcli.score(f"{local}/shards", label="label", shard=shard, state=tmp_path / name)
        store(f"states/{name}", (tmp_path / name).read_bytes())
    merged = xentcli.merge([f"{BASE}/states/1.json", f"{BASE}/states/2.json"])
    assert isinstance(merged, Report)
    assert merged.cost == xentcli.score(f"{local}/run.csv", label="label").cost


def test_models_are_compared_at_urls_and_named_without_queries(local: Path, store: Any) -> None:
    for name in ("old", "new"):
        store(f"{name}.csv", (local / "run.csv").read_bytes())
    found = xentcli.compare(["memory://xent/old.csv", "memory://xent/new.csv"], label="label")
    assert [model.name for model in found.models] == ["old", "new"]


@posix_only
@pytest.mark.parametrize("name", ["a:b.csv", "a#b.csv", "C:\\x.csv", "s3:/x.csv"])
def test_names_of_local_files_keep_their_meaning(name: str, call: Call, tmp_path: Path) -> None:
    path = tmp_path / name
    path.parent.mkdir(exist_ok=True)
    path.write_text("0.5,0.5,0\n")
    given = name.replace("s3:/", "s3://")
    assert float(call("score", given, "--preds", "#1,#2", "--label", "#3", "--no-header", "--get", "cost").out) > 0.69


def test_a_url_that_pathlib_took_a_slash_from_is_told(store: Any) -> None:
    url = store("p.csv", b"0.5,0.5,1\n")
    with pytest.raises(FileError, match="no such file") as caught:
        xentcli.score(Path(url), preds="#1,#2", label="#3")
    assert "two slashes" in caught.value.advice[0]


@pytest.mark.parametrize(
    "option", [("-o", "memory://x/r.json"), ("--per-example", "s3://b/r.csv"), ("--append", "memory://r.jsonl")]
)
def test_nothing_is_written_to_a_url(option: tuple[str, str], call: Call, local: Path) -> None:
    done = call("score", f"{local}/run.csv", "--label", "label", *option)
    assert (done.code, done.out) == (2, "")
    assert "results are written to files of this machine" in done.err


def test_a_local_run_imports_nothing_of_it(local: Path) -> None:
    code = (
        "import sys; from xentcli.cli import main\n"
        "try: main(['score', 'p.npy', 'l.npy', '--quiet'])\n"
        "finally: print(*[m for m in ('fsspec', 's3fs', 'aiohttp', 'dask', 'distributed') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=local)
    assert done.stdout.splitlines()[1:] == [""]


def test_without_the_extra_it_is_named(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] == "fsspec"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "fsspec", None)
    done = call("score", "s3://b/p.npy", "l.npy")
    assert (done.code, done.err) == (
        2,
        "xent: this needs fsspec, which is not installed\n      pip install 'xentcli[remote]'\n",
    )


def test_the_package_of_a_store_is_named(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "gcsfs", None)
    done = call("score", "gs://b/p.npy", "l.npy")
    assert done.code == 2
    assert "gs:// needs a package that is not installed" in done.err
    assert "gcsfs" in done.err


# --- a web server


class Site(http.server.BaseHTTPRequestHandler):
    """Serves the bytes of its server: in ranges or not, and with a status of its own where one is asked for."""

    server: Web

    def do_HEAD(self) -> None:
        self.answer(body=False)

    def do_GET(self) -> None:
        self.answer(body=True)

    def answer(self, *, body: bool) -> None:
        web = self.server
        web.requests.append(self.path)
        path, _, query = self.path.partition("?")
        content = web.files.get(path.lstrip("/"))
        status = int(query.rpartition("status=")[2] or 0) if "status=" in query else 200 if content is not None else 404
        number = len(web.requests)
        if web.fails == "503" and number % 5 == 0:
            self.send_error(503)
            return
        if status != 200 or content is None:
            self.send_error(status)
            return
        first, last = 0, len(content)
        given = re.fullmatch(r"bytes=(\d+)-(\d+)", self.headers.get("Range", ""))
        if web.ranges and given and body:
            first, last = int(given[1]), min(last, int(given[2]) + 1)
        self.send_response(206 if last - first < len(content) else 200)
        self.send_header("Content-Length", str(last - first))
        self.send_header("ETag", f'"{web.version()}"')
        if web.ranges:
            self.send_header("Content-Range", f"bytes {first}-{last - 1}/{len(content)}")
        self.end_headers()
        if body:
            web.sent += last - first
            if web.fails == "a cut" and number % 5 == 0:
                # Less than was announced.
                self.wfile.write(content[first : (first + last) // 2])
                self.close_connection = True
                return
            with contextlib.suppress(ConnectionError):
                self.wfile.write(content[first:last])

    def log_message(self, *_: Any) -> None:
        pass


class Web(http.server.ThreadingHTTPServer):
    """A web server of some files."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Site)
        self.files: dict[str, Any] = {}
        self.ranges, self.sent, self.fails = True, 0, ""
        self.requests: list[str] = []
        self.version: Callable[[], int] = lambda: 1

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


@pytest.fixture
def web() -> Iterator[Web]:
    server = Web()
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.mark.parametrize("ranges", [True, False], ids=["ranges", "no ranges"])
@pytest.mark.parametrize("run", ["NPY", "CSV.gz", "CSV"])
def test_a_web_server_gives_what_a_disk_gives(run: str, ranges: bool, web: Web, local: Path) -> None:
    web.files, web.ranges = files_of_a_run(), ranges
    same_as_local(run, local, web.url)


@pytest.mark.parametrize("fails", ["503", "a cut"])
@pytest.mark.parametrize("run", ["NPY", "CSV.gz", "CSV", "Parquet"])
def test_so_does_a_web_server_that_fails_every_fifth_request(
    run: str, fails: str, web: Web, local: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remote, "_WAITS", (0.0, 0.0, 0.0))
    web.files, web.fails = files_of_a_run(), fails
    for _ in range(3):
        same_as_local(run, local, web.url)


def test_an_object_is_not_read_on_where_it_changed_meanwhile(web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remote, "_WAITS", (0.0, 0.0, 0.0))
    web.files = {"p.bin": bytes(1000)}
    with remote.Remote.at(f"{web.url}/p.bin").opened("ranges") as file:
        assert file.read(10) == bytes(10)
        web.requests, web.fails = [""] * 4, "503"
        assert file.read(10) == bytes(10)
        web.requests, web.version = [""] * 4, lambda: 2
        with pytest.raises(DataError, match="changed while it was read"):
            file.read(10)


def test_a_server_that_goes_on_failing_is_asked_a_few_times(web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    waited: list[float] = []
    monkeypatch.setattr("xentcli.readers.remote.time.sleep", waited.append)
    with pytest.raises(FileError, match="the server fails"):
        remote.Remote.at(f"{web.url}/p.bin?status=503")
    assert waited == [*remote._WAITS]
    del waited[:]
    with pytest.raises(FileError, match="no such file"):
        remote.Remote.at(f"{web.url}/p.bin")
    assert waited == []


def test_whether_a_server_has_ranges_is_asked_once(web: Web) -> None:
    web.files = {"p.bin": bytes(1000)}
    for opened in range(3):
        with remote.Remote.at(f"{web.url}/p.bin").opened("in order") as file:
            assert file.read() == bytes(1000)
        assert web.sent == 1000 * (opened + 1) + 1


def test_a_small_object_is_read_once(web: Web) -> None:
    content = b"0.5,0.5,1\n0.25,0.75,0\n"
    web.files = {"p.csv": content}
    assert xentcli.score(f"{web.url}/p.csv", preds="#1,#2", label="#3").examples.read == 2
    assert web.sent < 2 * len(content)


def test_parquet_needs_ranges(web: Web, local: Path) -> None:
    web.files = files_of_a_run()
    same_as_local("Parquet", local, web.url)
    web.ranges, web.files["other.parquet"] = False, web.files["run.parquet"]
    with pytest.raises(DataError, match="Parquet is read in ranges") as caught:
        xentcli.score(f"{web.url}/other.parquet", label="label")
    assert caught.value.advice == ("download it, and give the file",)


def test_of_parquet_only_the_columns_that_are_used_are_read(web: Web) -> None:
    rows = 60_000
    rng = np.random.default_rng(3)
    q = rng.random(rows)
    table = pd.DataFrame({"p": q, "label": (rng.random(rows) < q).astype("i1")})
    table["noise"] = [row.tobytes().hex() for row in rng.integers(0, 256, (rows, 50), dtype="u1")]
    content = table.to_parquet(row_group_size=10_000)
    assert isinstance(content, bytes)
    web.files = {"t.parquet": content}
    report = xentcli.score(f"{web.url}/t.parquet", preds="p", label="label")
    assert report.cost == xentcli.score(table[["p"]], table["label"]).cost
    assert web.sent < len(content) / 2


@pytest.mark.parametrize(
    ("status", "says"),
    [
        (401, "access is denied (401)"),
        (403, "access is denied (403)"),
        (404, "no such file (404)"),
        (503, "the server fails (503)"),
    ],
)
def test_refusals_of_a_server_are_one_block_and_show_nothing_secret(
    status: int, says: str, web: Web, call: Call
) -> None:
    host = web.url.removeprefix("http://")
    done = call("score", f"http://me:secret@{host}/p.csv?X-Amz-Signature=0123456789abcdef&status={status}", "l.csv")
    assert (done.code, done.out) == (4, "")
    assert says in done.err
    assert len(done.err.splitlines()) <= 2
    assert not re.search("secret|0123456789abcdef|Traceback", done.err)


def test_a_page_of_a_server_says_how_a_folder_is_read(web: Web, call: Call) -> None:
    """A server answers to the name of a folder with a page of links."""
    web.files = {"run": b"<!DOCTYPE HTML><a href='1.csv'>1.csv</a>", "run/": b"<a href='1.csv'>1.csv</a>"}
    web.files["run/1.csv"] = b"cat,dog,label\n0.75,0.25,cat\n0.25,0.75,dog\n"
    done = call("score", f"{web.url}/run", "--label", "label")
    assert done.code == 3
    assert f"a folder of a web server ends with a slash: {web.url}/run/" in done.err
    assert call("score", f"{web.url}/run/", "--label", "label", "-q").code == 0


def test_no_server_is_said(call: Call, web: Web) -> None:
    free = Web()
    free.server_close()
    done = call("score", f"{free.url}/p.csv", "--label", "label")
    assert done.code == 4
    assert "no connection" in done.err


def test_reports_show_nothing_secret(web: Web, local: Path) -> None:
    web.files = files_of_a_run()
    url = f"{web.url.replace('://', '://user:hunter22@')}/run.csv?sig=fedcba9876543210"
    report = xentcli.score(f"{local}/run.csv", label=f"@{url}:label", worst=3, by=f"@{url}:label", preds=NAMES)
    for form in ("json", "table", "csv", "markdown"):
        text = report.render(form) if hasattr(report, "render") else str(report.to_dict())
        assert not re.search("hunter22|fedcba9876543210", text)
    assert "<hidden" in str(report.to_dict()["options"])
    assert report.cost == xentcli.score(url, label="label", preds=NAMES).cost


def test_labels_and_names_that_look_like_urls_stay_what_they_are(call: Call, tmp_path: Path) -> None:
    (tmp_path / "p.csv").write_text("http://a/?x=1,http://a/?x=2,label\n0.5,0.5,http://a/?x=1\n0.5,0.5,skip://?y=0\n")
    names = "http://a/?x=1,http://a/?x=2"
    done = call(
        "score", "p.csv", "--preds", names, "--label", "label", "--ignore-label", "skip://?y=0", "--format=json"
    )
    assert (done.code, done.err) == (0, "")
    assert done.out.count("skip://?y=0") == 1
    assert "<hidden" not in done.out


def test_the_library_shows_nothing_secret_either(web: Web) -> None:
    web.files = files_of_a_run()
    url = f"{web.url}/run.csv?sig=0f0f0f0f0f0f"
    with pytest.raises(UsageError) as caught:
        xentcli.score(url, url)
    found = xentcli.compare([url, f"{url}&x"], label="label")
    for shown in (str(caught.value), json.dumps(found.to_dict())):
        assert "0f0f0f0f" not in shown
        assert "<hidden" in shown


def test_an_object_that_changes_while_it_is_read_is_noticed(web: Web) -> None:
    case = make("probs", "index", 200_000, 3, 1.0, False, 2)
    web.files = {"p.npy": npy(case.predictions), "l.npy": npy(case.labels)}
    web.version = lambda: 1 if sum(path == "/p.npy" for path in web.requests) < 6 else 2
    with pytest.raises(DataError, match="changed while it was read"):
        xentcli.score(f"{web.url}/p.npy", f"{web.url}/l.npy")
    assert len(web.requests) > 6


def test_an_object_that_vanishes_is_no_part_of_a_cost(web: Web) -> None:
    case = make("probs", "index", 200_000, 3, 1.0, False, 2)
    files = {"p.npy": npy(case.predictions), "l.npy": npy(case.labels)}
    web.files = dict(files)

    def version() -> int:
        if sum(path == "/p.npy" for path in web.requests) == 5:
            web.files.pop("p.npy", None)
        return 1

    web.version = version
    with pytest.raises(FileError, match="no such file"):
        xentcli.score(f"{web.url}/p.npy", f"{web.url}/l.npy")


class Repeated:
    """A large NPY file, of which only the bytes that are asked for exist."""

    def __init__(self, rows: int, columns: int) -> None:
        file = io.BytesIO()
        layout = {"descr": "<f8", "fortran_order": False, "shape": (rows, columns)}
        np.lib.format.write_array_header_1_0(file, layout)
        self.head, self.row = file.getvalue(), np.full(columns, 1 / columns).tobytes()
        self.length = len(self.head) + rows * len(self.row)

    def __len__(self) -> int:
        return self.length

    def __getitem__(self, key: Any) -> bytes:
        first, last, size = max(0, key.start - len(self.head)), max(0, key.stop - len(self.head)), len(self.row)
        rows: bytes = self.row * (-(-last // size) - first // size)
        start: bytes = self.head[key]
        return start + rows[first % size : first % size + last - first]


PEAK = "import resource; print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)"


@pytest.mark.skipif(sys.platform != "linux", reason="its unit is that of Linux")
def test_memory_does_not_grow_with_the_object(web: Web, tmp_path: Path) -> None:
    peaks = []
    for rows in (100_000, 1_000_000):
        web.files = {"p.npy": Repeated(rows, 10), "l.npy": Repeated(rows, 1)}
        code = (
            f"import xentcli; r = xentcli.score('{web.url}/p.npy', '{web.url}/l.npy', kind='probs', threads=2); "
            f"assert r.examples.read == {rows}; {PEAK}"
        )
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        peaks.append(int(done.stdout))
    # 80 MB against 8.
    assert peaks[1] - peaks[0] < 30, peaks


# --- an object store of its own


class Unsteady:
    """A WSGI application in front of another: every tenth request fails where it is told so."""

    def __init__(self, app: Any) -> None:
        self.app, self.count, self.failing = app, 0, False
        self.failed = 0

    def __call__(self, environ: Any, start_response: Any) -> Any:
        self.count += 1
        if self.failing and self.count % 10 == 0:
            self.failed += 1
            start_response("503 Slow Down", [("Content-Length", "0")])
            return [b""]
        return self.app(environ, start_response)


@pytest.fixture(scope="module")
def bucket() -> Iterator[Unsteady]:
    """An S3-compatible server on this machine, whose bucket has the files of a run."""
    import logging

    import s3fs
    from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
    from werkzeug.serving import make_server

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    app = Unsteady(DomainDispatcherApplication(create_backend_app))
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{server.port}")
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            patch.setenv(name, "test")
        patch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        s3 = s3fs.S3FileSystem()
        s3.mkdir("bucket")
        for name, content in files_of_a_run().items():
            s3.pipe_file(f"bucket/{name}", content)
        yield app
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize("run", RUNS)
def test_an_object_store_gives_what_a_disk_gives(run: str, local: Path, bucket: Unsteady) -> None:
    same_as_local(run, local, "s3://bucket")


@pytest.mark.parametrize("run", RUNS)
def test_so_does_one_that_fails_every_tenth_request(run: str, local: Path, bucket: Unsteady) -> None:
    same_with_failures(run, local, bucket)


def same_with_failures(run: str, local: Path, bucket: Unsteady, **engine: Any) -> None:
    bucket.failing = True
    try:
        before = bucket.failed
        for _ in range(3):
            same_as_local(run, local, "s3://bucket", **engine)
            if bucket.failed > before and not LONG:
                # A request takes 20 ms of processor time.
                break
        assert bucket.failed > before
    finally:
        bucket.failing = False


@pytest.fixture(scope="module")
def workers(bucket: Unsteady, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a cluster of Dask, whose two workers read the store themselves."""
    store = {name: value for name, value in os.environ.items() if name.startswith("AWS_")}
    with local_cluster(tmp_path_factory.mktemp("dask"), 2, env=store) as cluster:
        yield str(cluster.scheduler_address)


@pytest.mark.parametrize("run", RUNS)
def test_workers_of_dask_read_a_store(
    run: str, local: Path, bucket: Unsteady, workers: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("xentcli.engine.tasks.GROUP_TASKS", 1)
    same_as_local(run, local, "s3://bucket", scheduler=workers)
    same_with_failures(run, local, bucket, scheduler=workers)


def test_the_command_reads_a_store_with_several_workers(local: Path, bucket: Unsteady) -> None:
    run = [*XENT, "score", "s3://bucket/p.npy", "s3://bucket/l.npy", "--get", "cost"]
    done = subprocess.run([*run, "--threads", "3"], capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0
    assert float(done.stdout) == xentcli.score(f"{local}/p.npy", f"{local}/l.npy").cost


def test_what_is_not_in_a_store_is_said(bucket: Unsteady) -> None:
    for url, says in (
        ("s3://bucket/none.npy", "no such file"),
        ("s3://other/p.npy", "no such file"),
        ("s3://bucket/none-*.npy", "no file matches"),
    ):
        with pytest.raises(FileError, match=says):
            xentcli.score(url, label="label")
    with pytest.raises(UsageError, match="the same file"):
        xentcli.score("s3://bucket/p.npy", "s3://bucket/p.npy")
