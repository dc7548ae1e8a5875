"""Record what the command lines print and write, or compare two records.

python -m tests.recorded FOLDER        record into a new folder, with the xentcli that is installed
python -m tests.recorded BEFORE AFTER  show every difference; exit 1 if there is one
"""

from __future__ import annotations

import difflib
import os
import shlex
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.conftest import XENT
from tests.recorded.commands import COMMANDS
from tests.recorded.files import make


def record(target: Path) -> None:
    """Run every command line in a folder of its own links; write one text for each."""
    target.mkdir(parents=True)
    with tempfile.TemporaryDirectory() as name:
        files = Path(name) / "files"
        files.mkdir()
        make(files)
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            for number, text in enumerate(pool.map(lambda line: ran(line, files), COMMANDS), start=1):
                (target / f"{number:03d}.txt").write_text(text)


def ran(line: str, files: Path) -> str:
    """Return the exit code, both streams, and the files that a command line wrote."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for entry in files.iterdir():
            (folder / entry.name).symlink_to(entry)
        done = subprocess.run(
            [*XENT, *shlex.split(line)], cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, check=False
        )
        wrote = sorted(path for path in folder.iterdir() if not path.is_symlink())
        parts = [f"$ xent {line}\nexit {done.returncode}", done.stdout.decode(), f"stderr\n{done.stderr.decode()}"]
        # A baseline has the date in it.
        texts = {path.name: "" if path.suffix == ".npz" else path.read_bytes().decode() for path in wrote}
        return "\n".join([*parts, *(f"{name}\n{text}" for name, text in texts.items())])


def differences(before: Path, after: Path) -> list[str]:
    """Return the lines of a unified diff of two records."""
    names = sorted({path.name for folder in (before, after) for path in folder.glob("*.txt")})
    found: list[str] = []
    for name in names:
        old, new = (path.read_text().splitlines() if path.exists() else [] for path in (before / name, after / name))
        if old != new:
            found += [(old or new)[0], *difflib.unified_diff(old, new, lineterm="", n=1)]
    return found


def main(arguments: list[str]) -> int:
    """Record or compare, by the number of arguments."""
    if len(arguments) == 1:
        record(Path(arguments[0]))
        return 0
    if len(arguments) != 2:
        print(__doc__)
        return 2
    found = differences(*map(Path, arguments))
    print("\n".join(found) if found else f"{len(COMMANDS)} command lines: no difference")
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
