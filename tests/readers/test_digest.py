"""The SHA-256 of inputs is that of the bytes that were read."""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import threading
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Run, Write
from xentcli import score
from xentcli.errors import DataError, FileError
from xentcli.readers import digest, open_small

PREDS = "a,b\n" + "0.25,0.75\n" * 3000
LABELS = "label\n" + "a\n" * 3000


def sha256(data: str | bytes) -> str:
    return hashlib.sha256(data.encode() if isinstance(data, str) else data).hexdigest()


def test_files_and_streams_have_the_sums_of_their_bytes(xent: Run, write: Write) -> None:
    packed = gzip.compress(PREDS.encode())
    labels = write("y.csv", LABELS)
    for given, data, piped in (
        (write("p.csv", PREDS), PREDS.encode(), None),
        (write("p.csv.gz", packed), packed, None),
        ("-", PREDS.encode(), PREDS.encode()),
        ("-", packed, packed),
    ):
        done = xent("score", given, labels, "--hash", "--format", "json", input=piped)
        assert [i["sha256"] for i in json.loads(done.stdout)["inputs"]] == [sha256(data), sha256(LABELS)]


def test_without_the_option_there_are_none(write: Write) -> None:
    report = score(write("p.csv", PREDS), write("y.csv", LABELS))
    assert [given.sha256 for given in report.inputs] == [None, None]


def test_of_several_files_it_is_that_of_one_after_the_other(tmp_path: Path, write: Write) -> None:
    for side, data in (("p", PREDS), ("y", LABELS)):
        for shard in "12":
            write(f"{side}{shard}.csv", data)
    report = score(str(tmp_path / "p*.csv"), str(tmp_path / "y*.csv"), hash=True)
    assert [given.sha256 for given in report.inputs] == [sha256(PREDS * 2), sha256(LABELS * 2)]


def test_what_is_in_memory_has_none() -> None:
    assert [given.sha256 for given in score([[0.5, 0.5]], [0], hash=True).inputs] == [None, None]


def test_the_screen_and_check_show_them(xent: Run, write: Write) -> None:
    files = write("p.csv", PREDS), write("y.csv", LABELS)
    assert f"sha256     {sha256(PREDS)}  {files[0]}" in xent("score", *files, "--hash").stdout
    done = xent("check", *files, "--hash", "--max", "cost=9", "--format", "json")
    assert json.loads(done.stdout)["inputs"][1]["sha256"] == sha256(LABELS)


def test_a_file_that_changes_after_it_was_scored_is_refused(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    path, labels = write("p.csv", PREDS), write("y.csv", LABELS)
    real = digest._of_files

    def late(files: tuple[str, ...], stop: threading.Event, *wanted: bool) -> digest.Digest:
        # The rows are scored meanwhile.
        stop.wait(0.5)
        if files == (path,):
            write("p.csv", PREDS.replace("0.25,0.75", "0.75,0.25"))
            os.utime(path, (1, 1))
        return real(files, stop, *wanted)

    monkeypatch.setattr(digest, "_of_files", late)
    with pytest.raises(DataError, match="changed while it was read"):
        score(path, labels, hash=True)


def test_a_file_that_cannot_be_read_any_more_is_an_error(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: Any) -> digest.Digest:
        raise FileError("cannot be read: gone")

    monkeypatch.setattr(digest, "_of_files", fails)
    with pytest.raises(FileError, match="gone"):
        score(write("p.csv", PREDS), write("y.csv", LABELS), hash=True)


def test_an_error_of_the_work_does_not_wait_for_the_sums(write: Write) -> None:
    with pytest.raises(DataError, match="not a number"):
        score(write("p.csv", PREDS + "x,y\n"), write("y.csv", LABELS + "a\n"), hash=True)


def test_no_thread_waits_once_the_sums_are_computed(write: Write) -> None:
    # Workers are forked only where no other thread is there.
    before = threading.enumerate()
    with digest.digests([open_small(write("p.csv", "a,b\n0.5,0.5\n"))]) as found:
        beside = [thread for thread in threading.enumerate() if thread not in before]
        found()
        for thread in beside:
            thread.join(5)
        assert not [thread for thread in beside if thread.is_alive()]
