"""--decimal and --delimiter for one file, and a decimal comma for all beside a file with commas between its fields."""

from __future__ import annotations

import pytest

from tests.conftest import Call, Write
from xentcli.errors import UsageError
from xentcli.settings import Settings

COMMAS = "cat;dog\n0,7;0,3\n0,2;0,8\n0,9;0,1\n"
FILES = {
    "p.csv": COMMAS,
    "p2.csv": COMMAS.replace(",", ".").replace(";", "|"),
    "l.csv": '"id","label"\n"1","cat"\n"2","dog"\n"3","cat"\n',
    "w.csv": "id,w\n1,1.0\n2,1.0\n3,1.0\n",
    "w2.csv": "id;w\n1;1,0\n2;1,0\n3;1,0\n",
    "w3.csv": "id;w\n1;1.0\n2;1.0\n3;1.0\n",
}
COST = 0.22839300363692283
WAYS = [
    "p.csv l.csv --label label --decimal ,",
    "p.csv l.csv --label label --decimal predictions=,",
    "p.csv l.csv --label label --decimal both=,",
    "p.csv l.csv --label label --decimal , --decimal labels=.",
    "p.csv l.csv --label label --decimal , --delimiter labels=, --decimal labels=.",
    "p.csv l.csv --label label --decimal predictions=, --delimiter predictions=; --delimiter labels=comma",
    "p2.csv l.csv --label label --delimiter predictions=pipe",
    "p.csv l.csv --label label --decimal , --weights @w.csv:w",
    "p.csv l.csv --label label --decimal , --weights @w2.csv:w",
    "p.csv l.csv --label label --decimal , --weights @w3.csv:w --decimal w3.csv=. --delimiter w3.csv=;",
]


@pytest.mark.parametrize("words", WAYS)
def test_each_file_is_read_as_the_options_say(words: str, call: Call, write: Write) -> None:
    for name, text in FILES.items():
        write(name, text)
    done = call("score", *words.split(), "-q")
    assert done.code == 0 and float(done.out) == COST, done.err


def test_a_comma_for_one_file_leaves_the_other_as_it_is(call: Call, write: Write) -> None:
    write("p.csv", COMMAS), write("l.csv", FILES["l.csv"].replace(",", ";"))
    done = call("score", "p.csv", "l.csv", "--label", "label", "--decimal", "labels=,")
    assert done.code == 3 and "--decimal ," in done.err


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"decimal": "preds=,"}, "not 'preds'"),
        ({"decimal": ("labels=,", "labels=.")}, "--decimal names 'labels' twice"),
        ({"delimiter": (";", ",")}, "--delimiter names 'both' twice"),
        ({"decimal": "labels=;"}, "--decimal is . or ,, not ';'"),
        ({"decimal": "labels=,", "delimiter": "labels=,"}, "are both ','"),
    ],
)
def test_what_makes_no_sense_is_refused(given: dict[str, str], says: str) -> None:
    with pytest.raises(UsageError) as caught:
        Settings(**given)  # type: ignore[arg-type]
    assert says in str(caught.value)
