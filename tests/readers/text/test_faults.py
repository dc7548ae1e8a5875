"""Polluted text: the command that is advised, run to the letter, writes a table beside it with the right cost."""

from __future__ import annotations

import gzip
import math
import re
import subprocess
from pathlib import Path

import pytest

from tests.conftest import Run, posix_only

LABELS = "label\na\nb\na\n"
COST = math.fsum(-math.log(q) for q in (0.5, 0.75, 0.1)) / 3
HEADER, ROWS = "a,b,c\n", ["0.5,0.25,0.25\n", ".125,0.75,0.125\n", "0.1,0.2,0.7\n"]
TABLE = HEADER + "".join(ROWS)
NOTED = 'a,b,c,note\n0.5,0.25,0.25,"x"\n.125,0.75,0.125,%s\n0.1,0.2,0.7,"z"\n'
POLLUTED: dict[str, tuple[str, str]] = {
    "a comma in mid-row": (HEADER + ROWS[0] + ".125,,0.75,0.125\n" + ROWS[2], "two commas in a row"),
    "a comma before a row": (HEADER + ROWS[0] + "," + ROWS[1] + ROWS[2], "a comma before the first field"),
    "a comma after every row": (HEADER + "".join(row.strip() + ",\n" for row in ROWS), "a trailing comma"),
    "a title": (f"Predictions of model 7\n{TABLE}", "skips the line before the table"),
    "a title and a blank line": (f"Predictions of model 7\n\n{TABLE}", "skips the 2 lines before the table"),
    "a preamble with commas": (f"model,seven\nrun,first\n{TABLE}", "skips the 2 lines before the table"),
    "comments first": (f"# made by hand\n# on Sunday\n{TABLE}", "skips comments"),
    "a comment in the middle": (HEADER + ROWS[0] + "# checked\n" + ROWS[1] + ROWS[2], "skips comments"),
    "a blank line in the middle": (HEADER + ROWS[0] + "\n" + ROWS[1] + ROWS[2], "skips blank lines"),
    "a line of spaces in the middle": (HEADER + ROWS[0] + "  \n" + ROWS[1] + ROWS[2], "skips blank lines"),
    "single quotes around numbers": (TABLE.replace("0.75", "'0.75'"), "rewrites the quotes"),
    "a comma in single quotes": (NOTED.replace('"', "'") % "'x,y'", "rewrites the quotes"),
    "backslash before a quote": (NOTED % '"say \\"x\\""', "rewrites the quotes"),
    "backslash before a comma": (NOTED.replace('"', "") % "x\\,y", "rewrites the quotes"),
    "a space before a quote": (NOTED % ' "x,y"', "rewrites the quotes"),
}


def followed(stderr: str, folder: Path) -> Path:
    """Run the advised command in a shell; return the one file that it made."""
    command = re.search(r"^ +(.+ > .+)   # ", stderr, flags=re.MULTILINE)
    assert command is not None, stderr
    before = {path: path.read_bytes() for path in folder.iterdir()}
    done = subprocess.run(["bash", "-c", command[1]], cwd=folder, capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("", "")
    assert all(path.read_bytes() == data for path, data in before.items())
    (made,) = set(folder.iterdir()) - before.keys()
    return made


@posix_only
@pytest.mark.parametrize("what", POLLUTED)
@pytest.mark.parametrize("name", ["p.csv", "my preds.csv", "p.csv.gz"])
def test_the_advice_followed_to_the_letter_gives_the_right_cost(
    what: str, name: str, tmp_path: Path, xent: Run
) -> None:
    text, says = POLLUTED[what]
    data = text.encode()
    (tmp_path / name).write_bytes(gzip.compress(data) if name.endswith("gz") else data)
    (tmp_path / "l.csv").write_text(LABELS)
    options = ["--preds", "a,b,c"] if "note" in text or "'" in text else []
    refused = xent("score", name, "l.csv", *options, "-q")
    assert (refused.returncode, refused.stdout) == (3, "")
    assert says in refused.stderr
    made = followed(refused.stderr, tmp_path)
    scored = xent("score", made.name, "l.csv", *options, "-q")
    assert float(scored.stdout) == pytest.approx(COST, rel=1e-15)


@posix_only
def test_a_command_never_writes_onto_a_file_that_is_there(tmp_path: Path, xent: Run) -> None:
    (tmp_path / "p.csv").write_text(POLLUTED["a title"][0])
    (tmp_path / "p-clean.csv").write_text("mine\n")
    (tmp_path / "l.csv").write_text(LABELS)
    assert followed(xent("score", "p.csv", "l.csv").stderr, tmp_path).name == "p-clean2.csv"


def test_a_stream_is_cleaned_in_the_pipe(tmp_path: Path, xent: Run) -> None:
    (tmp_path / "l.csv").write_text(LABELS)
    refused = xent("score", "-", "l.csv", input=POLLUTED["a blank line in the middle"][0])
    assert "... | grep -v '^[[:space:]]*$' | xent score - ...   # skips blank lines" in refused.stderr


@pytest.mark.parametrize("text", [HEADER + ROWS[0] + "0.5,0.5\n" + ROWS[2], HEADER + ROWS[0] + "1,2,3,4\n" + ROWS[2]])
def test_a_row_that_is_too_short_or_long_has_no_advice_that_hides_it(text: str, tmp_path: Path, xent: Run) -> None:
    (tmp_path / "p.csv").write_text(text)
    (tmp_path / "l.csv").write_text(LABELS)
    refused = xent("score", "p.csv", "l.csv")
    assert refused.returncode == 3
    assert " > " not in refused.stderr


@pytest.mark.parametrize("cell", ["a\n,b", "a\r,b", "x" * 140_000], ids=["line break", "return", "long"])
def test_a_header_cell_that_no_line_holds_is_refused_by_its_rows(cell: str, tmp_path: Path, xent: Run) -> None:
    (tmp_path / "preds.csv").write_text(f'"{cell}"\n0.7,0.3\n0.8,0.2\n', newline="")
    (tmp_path / "labels.csv").write_text("0\n1\n")
    refused = xent("score", "preds.csv", "labels.csv")
    assert refused.returncode == 3
    assert "2 fields where 1 was expected" in refused.stderr
