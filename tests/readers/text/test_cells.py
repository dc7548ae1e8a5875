"""Lists of numbers in the cells of text are columns, as in JSON Lines; labels in brackets stay labels."""

from __future__ import annotations

import json

import numpy as np
import pytest

from tests.conftest import Call, Write
from xentcli import score
from xentcli.readers import open_source

Q = np.random.default_rng(8).dirichlet(np.ones(3), 200)
Y = np.arange(200) % 3
FORMS = {
    "as JSON": lambda row: f'"{json.dumps(row)}"',
    "without spaces": lambda row: '"' + json.dumps(row).replace(" ", "") + '"',
    "as NumPy prints it": lambda row: "[" + "  ".join(map(repr, row)) + "]",
    "over two lines": lambda row: '"[' + "\n ".join(map(repr, row)) + ']"',
    "a tuple": lambda row: f'"{tuple(row)}"',
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("header", [True, False])
def test_lists_in_cells_are_the_numbers_that_an_array_has(form: str, header: bool, write: Write) -> None:
    lines = [f"{y},{FORMS[form](row)}" for y, row in zip(Y.tolist(), Q.tolist(), strict=True)]
    path = write("p.csv", "\n".join(["y,q"] * header + lines) + "\n")
    found = score(path, label="y", preds="q") if header else score(path, label="#1", preds="#2")
    assert found.cost == score(Q, Y).cost
    assert score(path, label="#1", preds="#2", threads=1).cost == found.cost


def test_a_file_of_lists_needs_no_option(call: Call, write: Write) -> None:
    text = "".join(f"[{a!r} {b!r} {c!r}]\n" for a, b, c in Q.tolist())
    done = call("score", write("q.txt", text), write("y.txt", "".join(f"{y}\n" for y in Y)), "-q")
    assert done.code == 0 and float(done.out) == score(Q, Y).cost, done.err


LABELS = {
    "intervals": ['"(18, 25)"', '"(26, 35)"'],
    "intervals of decimals": ['"[0.0, 5.5]"', '"[5.5, 9.5]"'],
    "tuples": ['"(1, 2, 3)"', '"(4, 5, 6)"'],
    "one number": ['"[0.5]"', '"[1.5]"'],
}


@pytest.mark.parametrize("names", LABELS.values(), ids=LABELS)
def test_labels_in_brackets_stay_labels(names: list[str], call: Call, write: Write) -> None:
    one, two = names
    preds = write("q.csv", f"{one},{two}\n0.7,0.3\n0.4,0.6\n")
    done = call("score", preds, write("y.csv", f"id,age\n1,{one}\n2,{two}\n"), "--label", "age", "-q")
    assert done.code == 0 and float(done.out) == pytest.approx(-(np.log(0.7) + np.log(0.6)) / 2), done.err


@pytest.mark.parametrize(
    ("cell", "says"),
    [
        ("[0.1 0.2 0.7]", "row 2 (line 3), column q: a list of 3 numbers where the first row has 2"),
        ("[0.1 ... 0.9]", "shortened"),
        ("[0.1 x]", "'[0.1 x]' is no list of 2 numbers"),
        ("0.5", "'0.5' is no list of 2 numbers"),
        ("[1e400 0.1]", "larger than any double"),
    ],
)
def test_a_cell_that_has_no_such_list_is_refused(cell: str, says: str, call: Call, write: Write) -> None:
    done = call("score", write("q.csv", f"y,q\n0,[0.3 0.7]\n1,{cell}\n"), "--label", "y", "--preds", "q")
    assert done.code == 3 and says in done.err


def test_lists_have_the_names_that_json_lines_give_them(write: Write) -> None:
    source = open_source(write("q.csv", "id,q\n1,[0.3 0.7]\n"), name="q")
    assert source.with_header(True).names == ("id", "q[0]", "q[1]")  # type: ignore[attr-defined]
