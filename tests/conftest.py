"""What the tests share: the command in a real process, the goldens, small files."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from xentcli import attempts

ROOT = Path(__file__).resolve().parent.parent
GOLDENS = ROOT.parent / "shared" / "goldens"
STRICT = "from xentcli import attempts; attempts.STRICT = True; from xentcli.cli import main; main()"
XENT = [sys.executable, "-c", STRICT]
"""The command as `python -m xentcli` runs it, but that a diagnosis that fails is an error."""
attempts.STRICT = True

Run = Callable[..., subprocess.CompletedProcess[str]]
Write = Callable[[str, str | bytes], str]


@pytest.fixture
def xent(tmp_path: Path) -> Run:
    """Run the command in a real process in the test's folder; never raises."""

    def run(
        *args: str | Path, input: str | bytes | None = None, env: dict[str, str] | None = None, cwd: Path | None = None
    ) -> subprocess.CompletedProcess[str]:
        data = input.encode() if isinstance(input, str) else input
        done = subprocess.run(
            [*XENT, *map(str, args)],
            input=data,
            stdin=subprocess.DEVNULL if data is None else None,
            capture_output=True,
            cwd=cwd or tmp_path,
            env={**os.environ, **(env or {})},
            timeout=120,
            check=False,
        )
        return subprocess.CompletedProcess(done.args, done.returncode, done.stdout.decode(), done.stderr.decode())

    return run


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write a small file in the test's folder; returns its path."""

    def put(name: str, content: str | bytes) -> str:
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return str(path)

    return put


@pytest.fixture
def goldens() -> Path:
    """The folder of published predictions; skips where it is absent."""
    if not GOLDENS.is_dir():
        pytest.skip(f"the goldens are not here: {GOLDENS}")
    return GOLDENS


def csv(rows: Sequence[Sequence[object]], header: Sequence[object] | None = None) -> str:
    """Rows as text, floats in their shortest form."""
    lines = [*([header] if header is not None else []), *rows]
    return "".join(",".join(repr(v) if isinstance(v, float) else str(v) for v in line) + "\n" for line in lines)
