"""Every exit code of the contract, from the real process, and nothing else."""

from __future__ import annotations

import contextlib
import errno
import os
import re
import resource
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from tests import forked
from tests.conftest import STRICT, XENT, Run, Write, wait_for
from tests.forked import default_signals
from xentcli.cli import main

SCORE = ("score", "preds.csv", "labels.csv")
PREDS = "cat,dog,emu\n0.7,0.2,0.1\n0.1,0.8,0.1\n0.2,0.3,0.5\n"
FILES = {
    "preds.csv": PREDS,
    "labels.csv": "truth\ncat\ndog\ncat\n",
    "short.csv": "truth\ncat\ndog\n",
    "unknown.csv": "truth\ncat\ndog\ncow\n",
    "weightless.csv": "truth,w\ncat,0\ndog,0\ncat,0\n",
    "no_preds.csv": "cat,dog,emu\n",
    "no_labels.csv": "truth\n",
    "empty.csv": "",
    "nothing.csv": "",
    "percent.csv": "cat,dog,emu\n70,20,10\n10,80,10\n20,30,50\n",
    "ragged.csv": "cat,dog,emu\n0.7,0.2,0.1\n0.1,0.9\n0.2,0.3,0.5\n",
    "true.csv": "q\n0.5\n0.25\n",
}


@pytest.fixture(autouse=True)
def files(write: Write, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    for name, text in FILES.items():
        write(name, text)


def told(stderr: str) -> str:
    """The message, having checked that it is one block of ours and no traceback."""
    assert "Traceback" not in stderr
    assert stderr.startswith("xent: "), stderr
    assert all(line.startswith("      ") for line in stderr.splitlines()[1:]), stderr
    return stderr


CODES = [
    (0, SCORE, ""),
    (0, ("check", *SCORE[1:], "--max", "cost=1"), ""),
    (1, ("check", *SCORE[1:], "--max", "cost=0.1"), ""),
    (2, (*SCORE, "--nonsense"), "--nonsense"),
    (2, (*SCORE, "--kind", "guess"), "guess"),
    (2, (*SCORE, "--clip", "x"), "--clip"),
    (2, (*SCORE, "--clip", "0.7"), "--clip is between 0 and 0.5"),
    (2, (*SCORE, "--get", "f1"), "no metric 'f1'"),
    (2, (*SCORE, "--quiet", "--get", "cost"), "choose one"),
    (2, (*SCORE, "--labels", "short.csv"), "given twice: 'labels.csv' and --labels 'short.csv'"),
    (2, (*SCORE, "more.csv"), "more.csv"),
    (2, (*SCORE, "--by", "w", "--by", "w"), "--by names 'w' twice"),
    (2, (*SCORE, "--metrics", "cost,nll"), "--metrics names 'cost' twice"),
    (2, (*SCORE, "--input-format", "csv", "--input-format", "npy"), "--input-format names 'both' twice"),
    (
        2,
        (*SCORE, "--input-format", "labels=csv", "--input-format", "labels=npy"),
        "--input-format names 'labels' twice",
    ),
    (2, ("score",), "PREDS"),
    (2, (*SCORE, "-o", "report.xyz"), r"'report.xyz': unknown extension\n +use one of .*\.json"),
    (2, (*SCORE, "-o", "report"), "unknown extension"),
    (2, (*SCORE, "--per-example", "losses.xyz"), "unknown extension"),
    (2, (*SCORE, "--per-example", "preds.csv"), "'preds.csv' is an input; it would be overwritten"),
    (2, (*SCORE, "--per-example", "./sub/../labels.csv"), "is an input"),
    (2, (*SCORE, "-o", "a.json", "-o", "./a.json"), "written twice"),
    (2, ("check", *SCORE[1:]), "nothing to check"),
    (2, ("check", *SCORE[1:], "--max", "cost"), "METRIC=X"),
    (2, ("check", *SCORE[1:], "--max", "f1=1"), "no metric 'f1'"),
    (2, ("check", "true.csv", "--kind", "true-probs", "--min", "accuracy=1"), "no accuracy"),
    (2, ("explain",), "--probs"),
    (2, ("preds.csv", "labels.csv"), r"Did you mean: xent score preds.csv labels.csv\?"),
    (2, ("scoer", "preds.csv"), "scoer"),
    (3, ("score", "preds.csv", "short.csv"), "row counts differ: preds.csv has 3 and short.csv has 2"),
    (3, ("score", "preds.csv", "unknown.csv"), r"cow is first in unknown.csv, row 3 \(line 4\), column truth"),
    (3, ("score", "percent.csv", "labels.csv"), r"--scale 0\.01"),
    (3, ("score", "ragged.csv", "labels.csv"), r"ragged.csv, row 2 \(line 3\): 2 fields where 3 were expected"),
    (3, ("score", "no_preds.csv", "labels.csv"), "row counts differ"),
    (3, ("check", "preds.csv", "unknown.csv", "--max", "cost=0.001"), "no column is called cow"),
    (4, ("score", "nowhere.csv", "labels.csv"), "nowhere.csv: cannot be read: No such file"),
    (4, ("score", "preds.csv", "nowhere.csv"), "nowhere.csv: cannot be read: No such file"),
    (4, ("score", "empty", "labels.csv"), "no file in it"),
    (4, ("check", "preds.csv", "empty", "--max", "cost=0"), "no file in it"),
    (4, (*SCORE, "-o", "nowhere/report.json"), "nowhere/report.json: cannot be written: No such file"),
    (4, (*SCORE, "-o", "preds.csv/report.json"), "cannot be written: Not a directory"),
    (4, (*SCORE, "--per-example", "nowhere/losses.csv"), "nowhere/losses.csv: cannot be written"),
    (5, ("score", "no_preds.csv", "no_labels.csv"), "no rows"),
    (5, ("score", "empty.csv", "nothing.csv"), "no rows"),
    (5, ("score", "preds.csv", "weightless.csv", "--label", "truth", "--weights", "w"), "weights of all 3 rows are 0"),
    (5, (*SCORE, "--get", "kl"), "kl is undefined: targets are not soft"),
    (5, ("check", *SCORE[1:], "--max", "kl=1"), ""),
]


@pytest.mark.parametrize(("code", "args", "message"), CODES, ids=lambda v: " ".join(v) if isinstance(v, tuple) else "")
def test_each_end_has_its_code_and_one_message(xent: Run, code: int, args: tuple[str, ...], message: str) -> None:
    done = xent(*args)
    assert done.returncode == code, done.stderr
    if message:
        assert re.search(message, told(done.stderr)), done.stderr
        assert done.stdout == ""
    else:
        assert done.stderr == ""
        assert done.stdout != ""


def test_a_refusal_writes_nothing(xent: Run, tmp_path: Path) -> None:
    before = sorted(os.listdir(tmp_path))
    xent("score", "preds.csv", "unknown.csv", "-o", "report.json", "--per-example", "losses.csv")
    xent(*SCORE, "--clip", "2", "-o", "report.json", "--per-example", "losses.csv")
    assert sorted(os.listdir(tmp_path)) == before


def test_an_input_is_not_overwritten(xent: Run, tmp_path: Path) -> None:
    os.link(tmp_path / "preds.csv", tmp_path / "same.csv")
    (tmp_path / "link.csv").symlink_to("labels.csv")
    for name in ("same.csv", "link.csv"):
        done = xent(*SCORE, "--per-example", name)
        assert done.returncode == 2
        assert "is an input" in done.stderr
    assert {name: (tmp_path / name).read_text() for name in FILES} == FILES


def test_bare_xent_prints_its_help(xent: Run) -> None:
    done = xent()
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith("Usage: xent ")
    assert "xent score preds.csv labels.csv" in done.stderr


def _to(
    command: tuple[str, ...], folder: Path, stdout: int, env: dict[str, str] | None = None, before: str = ""
) -> tuple[int, str]:
    """The exit code and stderr of a command that writes to a file descriptor; `before` is Python that runs first."""
    given = {**os.environ, **(env or {})}
    with open(os.devnull, "rb") as nothing, tempfile.TemporaryFile() as stderr:
        if forked.can_fork(command, given):
            streams = [nothing.fileno(), stdout, stderr.fileno()]
            code = forked.server().start(command, folder, given, streams, before=before).wait(60)
        else:
            words = [sys.executable, "-c", f"{before}\n{STRICT}", *command]
            code = subprocess.run(words, cwd=folder, env=given, stdin=nothing, stdout=stdout, stderr=stderr).returncode
        stderr.seek(0)
        return code, stderr.read().decode()


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no /dev/full")
@pytest.mark.parametrize("args", [SCORE, (*SCORE, "--per-example", "-"), (*SCORE, "-q"), ("--help",)], ids=" ".join)
def test_a_full_output_is_4(tmp_path: Path, args: tuple[str, ...]) -> None:
    with open("/dev/full", "wb") as full:
        code, stderr = _to(args, tmp_path, full.fileno())
    assert code == 4
    assert "No space left" in told(stderr)


@pytest.mark.skipif(not os.path.exists("/dev/stdout"), reason="no /dev/stdout")
@pytest.mark.parametrize("into", ["a pipe", "a file"])
@pytest.mark.parametrize("option", [("--state", "/dev/stdout"), ("-o", "json:/dev/stdout")], ids=" ".join)
def test_standard_output_is_no_file_beside_the_report(tmp_path: Path, option: tuple[str, str], into: str) -> None:
    reading, writing = os.pipe()
    with open(reading, "rb"), open(writing, "wb") as pipe, open(tmp_path / "out.txt", "wb") as file:
        code, stderr = _to((*SCORE, *option), tmp_path, (pipe if into == "a pipe" else file).fileno())
    assert code == 2
    assert "is standard output, where the report is written" in told(stderr)
    assert (tmp_path / "out.txt").read_bytes() == b""


def test_a_column_behind_a_colon_is_told_by_its_option(xent: Run) -> None:
    done = xent("score", "preds.csv", "weightless.csv:truth")
    assert done.returncode == 4
    assert "an option names a column of a file: weightless.csv --label truth" in told(done.stderr)
    assert xent("score", "preds.csv", "weightless.csv", "--label", "truth").returncode == 0


LONG_OUTPUT = [
    ("--per-example", "-"),
    ("--per-example", "-", "--format", "jsonl"),
    ("--by", "g", "--max-groups", "9000", "--format", "json"),
    ("--by", "g", "--max-groups", "9000", "--format", "csv"),
]


@pytest.mark.parametrize("env", [{}, {"PYTHONUNBUFFERED": "1"}], ids=["buffered", "unbuffered"])
@pytest.mark.parametrize("args", LONG_OUTPUT, ids=" ".join)
def test_an_output_that_is_full_midway_is_4(
    args: tuple[str, ...], env: dict[str, str], tmp_path: Path, write: Write
) -> None:
    # A raw write, as PYTHONUNBUFFERED asks for, returns how much it wrote, without an error.
    write("preds.csv", "cat,dog\n" + "0.25,0.75\n" * 2_000)
    write("labels.csv", "truth,g\n" + "".join(f"dog,g{row}\n" for row in range(2_000)))
    most = 1 << 14
    limit = f"import resource; resource.setrlimit(resource.RLIMIT_FSIZE, ({most}, {most}))"
    with open(tmp_path / "out", "wb") as out:
        code, stderr = _to((*SCORE, "--label", "truth", *args), tmp_path, out.fileno(), env, limit)
    assert code == 4, stderr
    assert "standard output cannot be written: File too large" in stderr
    assert (tmp_path / "out").stat().st_size == most


@pytest.mark.parametrize("args", [SCORE, (*SCORE, "--per-example", "-"), ("score", "--help")], ids=" ".join)
def test_a_closed_output_is_4(tmp_path: Path, args: tuple[str, ...]) -> None:
    done = subprocess.run(
        ["/bin/sh", "-c", 'exec "$@" >&-', "sh", *XENT, *args], cwd=tmp_path, capture_output=True, check=False
    )
    assert done.returncode == 4
    assert "standard output" in told(done.stderr.decode())


def test_a_closed_input_is_4(tmp_path: Path) -> None:
    command = ["/bin/sh", "-c", 'exec "$@" <&-', "sh", *XENT, "score", "-", "labels.csv"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, check=False)
    assert done.returncode == 4
    assert "standard input" in told(done.stderr.decode())


def test_a_lost_stderr_does_not_change_the_code(tmp_path: Path) -> None:
    command = ["/bin/sh", "-c", 'exec "$@" 2>&-', "sh", *XENT, "score", "preds.csv", "unknown.csv"]
    assert subprocess.run(command, cwd=tmp_path, capture_output=True, check=False).returncode == 3


@pytest.mark.parametrize(
    "args",
    [("--help",), ("score", "--help"), ("--version",), SCORE, (*SCORE, "-q"), (*SCORE, "--per-example", "-")],
    ids=" ".join,
)
def test_a_reader_that_is_gone_is_141_and_silent(tmp_path: Path, args: tuple[str, ...]) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    try:
        assert _to(args, tmp_path, writing) == (141, "")
    finally:
        os.close(writing)


def test_a_reader_that_leaves_midway_is_141_and_silent(tmp_path: Path, write: Write) -> None:
    write("preds.csv", "cat,dog\n" + "0.25,0.75\n" * 50_000)
    write("labels.csv", "truth\n" + "cat\n" * 50_000)
    command = [*XENT, *SCORE, "--per-example", "-"]
    with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None and process.stderr is not None
        assert process.stdout.readline() == b"row,id,label,probability,loss,weight\n"
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 141


@contextlib.contextmanager
def stalled(folder: Path, source: str) -> Iterator[subprocess.Popen[bytes]]:
    """A run that waits for more rows of `source`, its temporary file already there."""
    end = None
    if source != "-":
        os.mkfifo(folder / source)
        end = os.open(folder / source, os.O_RDWR)
    outputs = ("--per-example", "losses.csv", "-o", "report.json")
    process = subprocess.Popen(
        [*XENT, "score", source, "labels.csv", *outputs],
        cwd=folder,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        preexec_fn=default_signals,
    )
    assert process.stdin is not None
    try:
        os.write(process.stdin.fileno() if end is None else end, PREDS.encode())
        wait_for(lambda: bool(list(folder.glob(".losses.csv.*"))))
        time.sleep(0.05)
        assert process.poll() is None
        yield process
    finally:
        process.kill()
        process.communicate()
        if end is not None:
            os.close(end)


@pytest.mark.parametrize("source", ["-", "fifo"])
@pytest.mark.parametrize(
    ("number", "code"),
    [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)],
    ids=["SIGINT", "SIGTERM", "SIGHUP"],
)
def test_a_signal_leaves_the_old_files_and_nothing_else(tmp_path: Path, source: str, number: int, code: int) -> None:
    (tmp_path / "losses.csv").write_text("old losses\n")
    (tmp_path / "report.json").write_text("old report\n")
    before = sorted({*os.listdir(tmp_path), source} - {"-"})
    with stalled(tmp_path, source) as process:
        process.send_signal(number)
        stdout, stderr = process.communicate(timeout=20)
    assert process.returncode == code
    assert stdout == b""
    assert stderr.strip() == b""
    assert sorted(os.listdir(tmp_path)) == before
    assert (tmp_path / "losses.csv").read_text() == "old losses\n"
    assert (tmp_path / "report.json").read_text() == "old report\n"


def test_what_is_to_run_at_the_end_of_the_process_runs(tmp_path: Path) -> None:
    code = "import atexit; atexit.register(print, 'ended')\nfrom xentcli.cli import main\nmain()"
    done = subprocess.run([sys.executable, "-c", code, "--version"], cwd=tmp_path, capture_output=True, text=True)
    assert (done.returncode, done.stdout.splitlines()[-1]) == (0, "ended")


def test_a_profiler_still_says_what_it_saw(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "cProfile", "-m", "xentcli", "--version"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0 and "function calls" in done.stdout


DRIVER = """
import sys, xentcli.analysis.score
def broken(*args, **options):
    raise ValueError("oops \\x1b[31m\\nsecond line")
xentcli.analysis.score.opened = broken
from xentcli.cli import main
main()
"""


def test_a_defect_is_70_and_asks_for_a_report(tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, "-c", DRIVER, *SCORE], cwd=tmp_path, capture_output=True, check=False)
    assert done.returncode == 70
    assert done.stdout == b""
    message = told(done.stderr.decode())
    assert "internal error" in message
    assert "ValueError" in message
    assert "report" in message
    assert r"oops \x1b[31m\nsecond line" in message


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ValueError("x"), 70),
        (AssertionError(), 70),
        (RecursionError("x"), 70),
        (EOFError("x"), 70),
        (StopIteration(), 70),
        (UnicodeDecodeError("utf-8", b"\xff", 0, 1, "x"), 70),
        (MemoryError(), 4),
        (OSError(errno.EIO, "Input/output error"), 4),
        (click.ClickException("x"), 4),
        (click.FileError("x", "y"), 4),
        (KeyboardInterrupt(), 130),
        (click.Abort(), 130),
        (BrokenPipeError(errno.EPIPE, "Broken pipe"), 141),
        (click.UsageError("x"), 2),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, BaseException) else "",
)
def test_no_error_leaks_the_1_of_click(
    error: BaseException,
    code: int,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise error

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("xentcli.analysis.score.opened", broken)
    handler = signal.getsignal(signal.SIGTERM)
    try:
        with pytest.raises(SystemExit) as end:
            main(list(SCORE))
    finally:
        signal.signal(signal.SIGTERM, handler)
    assert end.value.code == code
    out, err = capsys.readouterr()
    assert out == ""
    assert "Traceback" not in err


def test_a_disk_that_fills_up_leaves_the_old_file(
    write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = 5_000
    write("preds.csv", "cat,dog\n" + "0.25,0.75\n" * rows)
    write("labels.csv", "truth\n" + "cat\n" * rows)
    old = Path(write("losses.csv", "old\n"))
    before = sorted(os.listdir(tmp_path))
    monkeypatch.chdir(tmp_path)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.getsignal(signal.SIGTERM)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, hard))
    try:
        with pytest.raises(SystemExit) as end:
            main([*SCORE, "--per-example", "losses.csv"])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGTERM, handler)
    assert end.value.code == 4
    assert "losses.csv: cannot be written: File too large" in told(capsys.readouterr().err)
    assert old.read_text(encoding="utf-8") == "old\n"
    assert sorted(os.listdir(tmp_path)) == before


def test_a_class_name_that_the_output_cannot_encode_is_no_defect(xent: Run, write: Write) -> None:
    write("preds.csv", "é,ü\n0.5,0.5\n0.25,0.75\n")
    write("labels.csv", "truth\né\nü\n")
    for extra in (("--format", "markdown"), ("--format", "table"), ("--format", "json")):
        done = xent("explain", "preds.csv", "labels.csv", "--row", "1", *extra, env={"PYTHONIOENCODING": "ascii"})
        assert done.returncode == 0, done.stderr
        assert done.stderr == ""


def test_a_class_name_of_arbitrary_bytes_is_no_defect(tmp_path: Path, write: Write) -> None:
    write("labels.csv", "0\n1\n0\n")
    write("preds.csv", "0.7,0.3\n0.6,0.4\n0.5,0.5\n")
    for extra in (b"--per-example=-", b"--format=markdown"):
        command = [
            *map(os.fsencode, XENT),
            b"score",
            b"preds.csv",
            b"labels.csv",
            b"--no-header",
            b"--classes",
            b"\xff,b",
        ]
        done = subprocess.run([*command, extra], cwd=tmp_path, capture_output=True, check=False)
        assert done.returncode in (0, 2), done.stderr


ONE_VALUE = [
    (command, option)
    for command in main.list_commands(click.Context(main))
    for option in main.commands[command].params
    if isinstance(option, click.Option) and not option.multiple and not option.is_bool_flag and option.expose_value
]


@pytest.mark.parametrize(
    ("command", "option"), ONE_VALUE, ids=[f"{command} {option.opts[0]}" for command, option in ONE_VALUE]
)
def test_an_option_of_one_value_given_twice_is_refused(
    command: str,
    option: click.Option,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """click would silently take the last value."""
    # A check writes its error to the last file of --junit.
    monkeypatch.chdir(tmp_path)
    handlers = [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGHUP)]
    with pytest.raises(SystemExit) as end:
        main([command, "preds.csv", f"{option.opts[0]}=1", f"{option.opts[0]}=2"])
    for number, handler in zip((signal.SIGTERM, signal.SIGHUP), handlers, strict=True):
        signal.signal(number, handler)
    out, err = capsys.readouterr()
    assert (end.value.code, out) == (2, "")
    assert f"{option.opts[0]} is given twice" in err
