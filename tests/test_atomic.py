"""A file is written whole or not at all."""

from __future__ import annotations

import errno
import os
import stat
import time
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

import pytest

from xentcli.atomic import replacing, replacing_folder, write_bytes
from xentcli.errors import FileError, UsageError

LONG = "new line\n" * 100_000


def test_a_new_file_is_whole(tmp_path: Path) -> None:
    write_bytes(tmp_path / "a.txt", (LONG + "é").encode())
    assert (tmp_path / "a.txt").read_bytes() == (LONG + "é").encode()
    assert os.listdir(tmp_path) == ["a.txt"]


def test_a_path_may_be_text_and_relative(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write_bytes("a.txt", b"new")
    assert (tmp_path / "a.txt").read_text() == "new"


def test_the_old_file_stays_until_the_new_one_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("old")
    with replacing(path) as file:
        file.write(LONG.encode())
        file.flush()
        assert path.read_text() == "old"
    assert path.read_text() == LONG


def test_whoever_has_the_old_file_open_keeps_it(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("old")
    with path.open() as reader:
        write_bytes(path, b"new")
        assert reader.read() == "old"


@pytest.mark.parametrize("error", [ValueError("x"), KeyboardInterrupt(), SystemExit(1), GeneratorExit()], ids=repr)
@pytest.mark.parametrize("old", [b"old", None], ids=["old", "none"])
def test_an_error_inside_leaves_everything_as_it_was(tmp_path: Path, error: BaseException, old: bytes | None) -> None:
    path = tmp_path / "a.txt"
    if old is not None:
        path.write_bytes(old)
    before = os.listdir(tmp_path)

    def fails() -> NoReturn:
        with replacing(path) as file:
            file.write(LONG.encode())
            raise error

    with pytest.raises(type(error)):
        fails()
    assert os.listdir(tmp_path) == before
    assert old is None or path.read_bytes() == old


@pytest.mark.parametrize("step", ["fsync", "replace", "chmod"])
def test_a_system_error_at_any_step_is_4_and_leaves_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    path = tmp_path / "a.txt"
    path.write_text("old")

    def broken(*_: object) -> NoReturn:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(os, step, broken)
    with pytest.raises(FileError, match="cannot be written: Input/output error") as caught:
        write_bytes(path, b"new")
    assert caught.value.place is not None
    assert caught.value.place.path == str(path)
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["a.txt"]


def test_a_crash_after_the_rename_cannot_lose_what_was_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[str] = []

    def noting(name: str, real: Callable[..., None]) -> Callable[..., None]:
        def call(*args: object) -> None:
            done.append(name)
            real(*args)

        return call

    monkeypatch.setattr(os, "fsync", noting("fsync", os.fsync))
    monkeypatch.setattr(os, "replace", noting("replace", os.replace))
    write_bytes(tmp_path / "a.txt", b"new")
    assert done[:2] == ["fsync", "replace"]


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o464, 0o755])
def test_permissions_are_those_of_the_old_file(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "a.txt"
    path.write_text("old")
    path.chmod(mode)
    write_bytes(path, b"new")
    assert stat.S_IMODE(path.stat().st_mode) == mode
    assert path.read_text() == "new"


@pytest.mark.parametrize(("mask", "mode"), [(0o022, 0o644), (0o077, 0o600)])
def test_permissions_of_a_new_file_are_the_usual_ones(tmp_path: Path, mask: int, mode: int) -> None:
    before = os.umask(mask)
    try:
        write_bytes(tmp_path / "a.txt", b"new")
        now = os.umask(mask)
    finally:
        os.umask(before)
    assert now == mask
    assert stat.S_IMODE((tmp_path / "a.txt").stat().st_mode) == mode


def test_nobody_else_can_read_a_private_file_while_it_is_written(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("old")
    path.chmod(0o600)
    with replacing(path) as file:
        assert stat.S_IMODE(os.fstat(file.fileno()).st_mode) & 0o077 == 0


def test_a_link_stays_a_link_and_its_target_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    target, link = tmp_path / "real" / "a.txt", tmp_path / "link.txt"
    target.write_text("old")
    link.symlink_to("real/a.txt")
    write_bytes(link, b"new")
    assert link.is_symlink()
    assert os.readlink(link) == "real/a.txt"
    assert target.read_text() == "new"
    assert sorted(os.listdir(tmp_path)) == ["link.txt", "real"]
    assert os.listdir(tmp_path / "real") == ["a.txt"]


def test_a_link_to_nothing_yet_makes_its_target(tmp_path: Path) -> None:
    (tmp_path / "link.txt").symlink_to("later.txt")
    write_bytes(tmp_path / "link.txt", b"new")
    assert (tmp_path / "link.txt").is_symlink()
    assert (tmp_path / "later.txt").read_text() == "new"


@pytest.mark.parametrize(
    ("name", "reason"),
    [("nowhere/a.txt", "No such file"), ("file/a.txt", "Not a directory"), ("folder", "Is a directory")],
)
def test_what_cannot_be_written_says_which_and_why(tmp_path: Path, name: str, reason: str) -> None:
    (tmp_path / "file").write_text("")
    (tmp_path / "folder").mkdir()
    with pytest.raises(FileError, match=f"cannot be written: {reason}") as caught:
        write_bytes(tmp_path / name, b"new")
    assert caught.value.headline.startswith(str(tmp_path / name))
    assert caught.value.exit_code == 4
    assert sorted(os.listdir(tmp_path)) == ["file", "folder"]
    assert os.listdir(tmp_path / "folder") == []


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_read_only_folder_is_a_file_error(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "a.txt").write_text("old")
    (tmp_path / "folder").chmod(0o555)
    try:
        with pytest.raises(FileError, match="Permission denied"):
            write_bytes(tmp_path / "folder" / "a.txt", b"new")
    finally:
        (tmp_path / "folder").chmod(0o755)
    assert (tmp_path / "folder" / "a.txt").read_text() == "old"


def test_a_fifo_is_written_to_and_not_replaced(tmp_path: Path) -> None:
    path = tmp_path / "fifo"
    os.mkfifo(path)
    reading = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    try:
        write_bytes(path, b"new")
        assert os.read(reading, 100) == b"new"
    finally:
        os.close(reading)
    assert stat.S_ISFIFO(path.stat().st_mode)
    assert os.listdir(tmp_path) == ["fifo"]


@pytest.mark.skipif(not os.path.exists("/dev/fd"), reason="no /dev/fd")
def test_a_pipe_among_the_open_files_is_written_to() -> None:
    """As a shell gives it for >(gzip > state.json.gz)."""
    reading, writing = os.pipe()
    write_bytes(f"/dev/fd/{writing}", b"new")
    os.close(writing)
    with open(reading, "rb") as file:
        assert file.read() == b"new"


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no /dev/full")
def test_a_full_device_is_a_file_error() -> None:
    with pytest.raises(FileError, match="No space left"):
        write_bytes("/dev/full", LONG.encode())


@pytest.mark.parametrize(
    "name", ["a" * 250 + ".json", "-o.json", " .json", "new\nline.json", "é.json"], ids=lambda n: ascii(n)[:12]
)
def test_any_name_that_the_file_system_takes_will_do(tmp_path: Path, name: str) -> None:
    write_bytes(tmp_path / name, b"new")
    assert os.listdir(tmp_path) == [name]


def leftover(folder: Path, name: str, *, seconds: float) -> Path:
    """A temporary file as a run that was killed leaves it, last written so long ago."""
    path = folder / f".{name}.abc123.xent-tmp"
    path.write_text("half")
    then = time.time() - seconds
    os.utime(path, (then, then))
    return path


def test_what_a_killed_run_left_is_swept_when_the_file_is_written_again(tmp_path: Path) -> None:
    leftover(tmp_path, "a.txt", seconds=120)
    other = leftover(tmp_path, "b.txt", seconds=120)
    young = leftover(tmp_path, "a.txt.", seconds=1)
    write_bytes(tmp_path / "a.txt", b"new")
    assert sorted(os.listdir(tmp_path)) == sorted(["a.txt", other.name, young.name])


def test_a_file_that_is_being_written_is_not_swept(tmp_path: Path) -> None:
    with replacing(tmp_path / "a.txt") as file:
        file.write(b"first")
        (temporary,) = tmp_path.glob(".a.txt.*")
        os.utime(temporary, (0, 0))
        write_bytes(tmp_path / "a.txt", b"second")
        assert (tmp_path / "a.txt").read_bytes() == b"second"
    assert (tmp_path / "a.txt").read_bytes() == b"first"
    assert os.listdir(tmp_path) == ["a.txt"]


def test_a_folder_that_a_killed_run_left_is_swept_when_it_is_written_again(tmp_path: Path) -> None:
    """Not one that is being written, nor one that has what the target was before."""
    fcntl = pytest.importorskip("fcntl")
    kept = []
    for name, inside, locked in (("gone", "part-1", False), ("busy", "part-1", True), ("old", "l", False)):
        folder = tmp_path / f".l.{name}.xent-tmp"
        folder.mkdir()
        (folder / inside).touch()
        (folder / ".part-2.x.xent-tmp").touch()
        os.utime(folder, (time.time() - 120,) * 2)
        if name != "gone":
            kept.append(folder.name)
        if locked:
            busy = os.open(folder, os.O_RDONLY)
            fcntl.flock(busy, fcntl.LOCK_EX)
    with replacing_folder(tmp_path / "l", lambda name: name.startswith("part-")) as made:
        Path(made.path, "part-1").touch()
    os.close(busy)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([*kept, "l"])


def test_a_name_with_the_signs_of_a_pattern_sweeps_nothing_else(tmp_path: Path) -> None:
    other = leftover(tmp_path, "ab", seconds=120)
    write_bytes(tmp_path / "a[ab]*", b"new")
    assert sorted(os.listdir(tmp_path)) == [other.name, "a[ab]*"]


@pytest.mark.parametrize("old", ["file", "folder", "nothing"])
def test_a_folder_replaces_a_file_or_a_folder_of_its_own_files(tmp_path: Path, old: str) -> None:
    path = tmp_path / "a.csv"
    if old == "file":
        path.write_text("old")
    elif old == "folder":
        path.mkdir()
        (path / "part-0").write_text("old")
    with replacing_folder(path, lambda name: name.startswith("part-")) as folder:
        Path(folder.path, "part-1").write_bytes(b"new")
    assert os.listdir(tmp_path) == ["a.csv"]
    assert {file.name: file.read_text() for file in path.iterdir()} == {"part-1": "new"}


def test_a_folder_does_not_replace_a_pipe(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.csv")
    with pytest.raises(UsageError, match="neither a file nor a folder"), replacing_folder(tmp_path / "a.csv", bool):
        pass
    assert stat.S_ISFIFO((tmp_path / "a.csv").stat().st_mode)


@pytest.mark.parametrize("failing", [0, 1], ids=["aside", "into place"])
def test_an_old_folder_stays_where_the_new_one_cannot_take_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failing: int
) -> None:
    path, calls = tmp_path / "a.csv", iter(range(9))
    path.mkdir()
    (path / "part-0").write_text("old")
    replace = os.replace

    def fails(source: str, target: str) -> None:
        if next(calls) == failing:
            raise OSError(errno.EACCES, "Permission denied")
        replace(source, target)

    monkeypatch.setattr(os, "replace", fails)
    with pytest.raises(FileError, match="Permission denied"), replacing_folder(path, lambda name: True):
        pass
    assert os.listdir(tmp_path) == ["a.csv"]
    assert (path / "part-0").read_text() == "old"


def test_a_folder_that_cannot_be_listed_is_an_error_of_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuses(path: str) -> NoReturn:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(os, "listdir", refuses)
    with pytest.raises(FileError, match="Permission denied"), replacing_folder(tmp_path, bool):
        pass
