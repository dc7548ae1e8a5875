"""What a person sees: the exact screens, any width, colours only where they belong, nothing hostile."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import re
import struct
import subprocess
import termios
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from rich.cells import cell_len

import xentcli
from tests.conftest import XENT, Call, Done, Write, csv
from xentcli.analysis.explain import explain_values
from xentcli.report.document import Document
from xentcli.report.explanation import Explanation
from xentcli.settings import Settings
from xentcli.writers import rendered

PREDS = "cat,dog,emu\n0.7,0.2,0.1\n0.1,0.8,0.1\n0.2,0.3,0.5\n"
LABELS = "truth\ncat\ndog\ncat\n"
ZERO = "cat,dog,emu\n0,0.9,0.1\n0.1,0.8,0.1\n0.2,0.3,0.5\n"
ANSI = re.compile(r"\x1b\[[0-9;]*m")
BIDI = "\u061c\u200e\u200f\u2028\u2029\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"


@pytest.fixture(autouse=True)
def files(write: Write) -> None:
    write("preds.csv", PREDS)
    write("labels.csv", LABELS)
    write("zero.csv", ZERO)


def on_terminal(folder: Path, *args: str, columns: int = 80, **env: str) -> tuple[int, str]:
    """The exit code, and what the real process writes to a terminal of this width."""
    outer, inner = pty.openpty()
    fcntl.ioctl(inner, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
    clean = {k: v for k, v in os.environ.items() if k not in ("NO_COLOR", "FORCE_COLOR", "COLUMNS", "LINES", "TERM")}
    process = subprocess.Popen(
        [*XENT, *args],
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=inner,
        stderr=inner,
        env={**clean, "TERM": "xterm-256color", **env},
    )
    os.close(inner)
    pieces = []
    with contextlib.suppress(OSError):
        while piece := os.read(outer, 65536):
            pieces.append(piece)
    os.close(outer)
    return process.wait(timeout=30), b"".join(pieces).decode().replace("\r\n", "\n")


def screen(done: Done, code: int = 0) -> str:
    assert (done.code, done.err) == (code, "")
    assert done.out.endswith("\n")
    assert all(line == line.rstrip() for line in done.out.splitlines())
    return done.out


# The screens, as they stand.


def test_score_of_published_predictions(call: Call, goldens: Path, tmp_path: Path) -> None:
    (tmp_path / "hpc_cv.csv").symlink_to(goldens / "yardstick/hpc_cv.csv")
    assert screen(call("score", "hpc_cv.csv", "--label", "obs", "--preds", "VF,F,M,L")) == (
        "scored     hpc_cv.csv: 3,467 of 3,467 rows, 4 classes, probabilities\n"
        "labels     column obs, matched to the columns by name\n"
        "unused     pred, Resample, weight   (--by or --weights would use them)\n"
        "\n"
        "cross-entropy   0.8022 nats   95 % interval 0.7560 to 0.8484\n"
        "                              (assumes independent rows; otherwise use --cluster)\n"
        "perplexity      2.2304        as uncertain as 2.2 equally likely classes\n"
        "skill           0.2891        28.9 % lower than always predicting the class frequencies\n"
        "accuracy        0.7087\n"
        "Brier           0.4217        sum over classes, 0 is best, 2 is worst\n"
    )


def test_score_of_a_few_rows(call: Call) -> None:
    assert screen(call("score", "preds.csv", "labels.csv")) == (
        "scored     preds.csv: 3 of 3 rows, 3 classes, probabilities\n"
        "labels     labels.csv, column truth, matched to the columns by name\n"
        "\n"
        "cross-entropy   0.730 nats   95 % interval 0.000 to 2.629 (only 3 rows)\n"
        "                             (assumes independent rows; otherwise use --cluster)\n"
        "perplexity      2.075        as uncertain as 2.1 equally likely classes\n"
        "skill           -0.1465      14.6 % higher than always predicting the class frequencies\n"
        "accuracy        0.6667\n"
        "Brier           0.3933       sum over classes, 0 is best, 2 is worst\n"
    )


def test_score_with_a_zero_at_the_truth(call: Call) -> None:
    text = screen(call("score", "zero.csv", "labels.csv"))
    assert "cross-entropy   inf nats   no interval: the cost is infinite\n" in text
    assert re.search(r"\n +0\.916291 +without 1 row of infinite loss\n", text)
    assert text.endswith(
        "\nwarning    1 row assigns probability 0 to the true class: row 1\n"
        "           --clip EPS bounds q away from 0; or look at these rows\n"
    )


def test_score_with_clip_says_what_the_clip_did(call: Call) -> None:
    text = screen(call("score", "zero.csv", "labels.csv", "--clip", "1e-15"))
    assert re.search(r"\nclipped +1e-15 +1 row changed, 95\.0 % of the cost; inf without\n", text)
    assert "warning" not in text


def test_score_with_weights_says_what_was_left_out(call: Call, write: Write) -> None:
    write("weighted.csv", "truth,w\ncat,2\ndog,0\ndog,1\n")
    text = screen(call("score", "preds.csv", "weighted.csv", "--label", "truth", "--weights", "w"))
    assert text.startswith(
        "scored     preds.csv: 2 of 3 rows, 3 classes, probabilities\n           1 row of weight 0 left out\n"
    )


def test_score_of_losses_does_not_advise_a_weight_that_is_in_use(call: Call, write: Write) -> None:
    write("losses.csv", "row,id,label,probability,loss,weight\n1,,cat,0.5,0.69,1\n2,,dog,0.25,1.38,2\n")
    assert "would use" not in screen(call("score", "losses.csv", "--kind", "losses"))


def test_score_in_bits_at_another_level(call: Call) -> None:
    text = screen(call("score", "preds.csv", "labels.csv", "--base", "2", "--confidence", "0.9"))
    assert "cross-entropy   1.053 bits   90 % interval 0.000 to 2.913 (only 3 rows)\n" in text


def test_score_without_labels_shows_no_figure_of_labels(call: Call, write: Write) -> None:
    write("true.csv", "q\n0.5\n0.25\n")
    text = screen(call("score", "true.csv", "--kind", "true-probs"))
    assert text.startswith("scored     true.csv: 2 of 2 rows, probabilities of the true class\n\ncross-entropy ")
    assert not re.search("labels|accuracy|Brier|skill", text)


def test_a_count_in_a_sentence_has_its_thousands_separated(call: Call) -> None:
    assert "180,000 equally likely classes" in screen(call("score", "zero.csv", "labels.csv", "--clip", "1e-15"))


EXPLAINED = """\
The true class is 0, the 1st of 5.

class   truth y   model q      ln q   y x ln q
0             1       0.1   -2.3026    -2.3026   <- the only term left
1             0       {q1}   {ln1}          0   y is 0: q does not matter
2             0       0.1   -2.3026          0
3             0       0.1   -2.3026          0
4             0       {q4}   {ln4}          0
                                sum    -2.3026

loss = -sum = -ln(0.1) = 2.302585 nats
       (ln is the natural logarithm; a calculator's "log" would give 1)

The model gave the true class probability 1/10 (perplexity 10).
Guessing all 5 equally costs ln 5 = 1.6094: this prediction is worse.
However the other 0.9 is split, the loss is the same:
       {split}  ->  2.302585
Over many examples, average their losses: that is the cost.
"""


def test_explain_the_example_of_the_design(call: Call) -> None:
    values = {"q1": "0.5", "ln1": "-0.6931", "q4": "0.2", "ln4": "-1.6094", "split": "0.1, 0.6, 0.1, 0.1, 0.1"}
    assert screen(call("explain", "--probs", "0.1,0.5,0.1,0.1,0.2", "--label", "0")) == EXPLAINED.format(**values)


def test_explain_the_other_split_with_the_same_loss(call: Call) -> None:
    values = {"q1": "0.6", "ln1": "-0.5108", "q4": "0.1", "ln4": "-2.3026", "split": "0.1, 0.65, 0.05, 0.1, 0.1"}
    assert screen(call("explain", "--probs", "0.1,0.6,0.1,0.1,0.1", "--label", "0")) == EXPLAINED.format(**values)


def test_explain_logits_by_way_of_the_softmax(call: Call) -> None:
    assert screen(call("explain", "--logits", "2.0,-1.0,0.5", "--label", "2")) == (
        "The true class is 2, the 3rd of 3.\n"
        "\n"
        "The model gave logits z. Softmax makes them probabilities: q = exp(z) / sum of exp(z).\n"
        "Computed after subtracting the maximum, 2, so that nothing overflows:\n"
        "    logsumexp(z) = 2 + ln(sum of exp(z - 2))\n"
        "                 = 2 + ln(1.2729172) = 2.241311\n"
        "    ln q = z - logsumexp(z)\n"
        "\n"
        "class   y         z   exp(z-max)     model q      ln q   y x ln q\n"
        "0       0    2.0000       1.0000   0.785597    -0.2413          0   y is 0: q does not matter\n"
        "1       0   -1.0000       0.0498   0.0391126   -3.2413          0\n"
        "2       1    0.5000       0.2231   0.17529     -1.7413    -1.7413   <- the only term left\n"
        "                                                   sum    -1.7413\n"
        "\n"
        "loss = -sum = logsumexp(z) - z of the true class = 2.241311 - 0.5 = 1.741311 nats\n"
        "\n"
        "The model gave the true class probability 1/5.705 (perplexity 5.705).\n"
        "Guessing all 3 equally costs ln 3 = 1.0986: this prediction is worse.\n"
        "Over many examples, average their losses: that is the cost.\n"
    )


def test_check_with_a_limit_that_failed(call: Call) -> None:
    done = call("check", "preds.csv", "labels.csv", "--max", "cost=0.5", "--min", "accuracy=0.5", "--max", "kl=1")
    lines = screen(done, code=1).splitlines()
    assert lines[0] == "FAIL         cost       0.730    at most  0.500    over by 0.230"
    assert sorted(lines[1:3]) == [
        "no verdict   kl         -        at most  1.000    targets are not soft",
        "pass         accuracy   0.6667   at least 0.5000   margin  0.1667",
    ]
    assert lines[3:] == [
        "",
        "why   class cat   0.9831   89.8 % of the cost, 2 rows",
        "      class dog   0.2231   10.2 % of the cost, 1 row",
        "      row 3       1.6094   73.5 % of the cost",
        "      row 1       0.3567   16.3 % of the cost",
        "      row 2       0.2231   10.2 % of the cost",
        "",
        "1 of 3 limits failed: exit 1. Inputs were read and matched in full: 3 rows scored.",
        "",
        "next       xent explain preds.csv labels.csv",
    ]


def test_check_where_all_held(call: Call) -> None:
    assert screen(call("check", "preds.csv", "labels.csv", "--max", "cost=1")) == (
        "pass   cost   0.730   at most 1.000   margin  0.270\n"
        "\n"
        "The limit passed. Inputs were read and matched in full: 3 rows scored.\n"
    )


def test_check_of_an_infinite_value_shows_no_margin_with_two_signs(call: Call) -> None:
    done = call("check", "zero.csv", "labels.csv", "--min", "ppl=1", "--max", "cost=1")
    text = screen(done, code=1)
    assert text.count("FAIL") == 2
    assert "-inf" not in text


# Colours.


def test_a_pipe_gets_no_escape_codes(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"FORCE_COLOR": "1", "TERM": "xterm-256color", "CLICOLOR_FORCE": "1"}.items():
        monkeypatch.setenv(name, value)
    for args in (("score",), ("check", "--max", "cost=0"), ("explain", "--row", "1")):
        assert "\x1b" not in call(args[0], "preds.csv", "labels.csv", *args[1:]).out
    assert "\x1b" not in call("score", "preds.csv", "nowhere.csv").err


def test_a_terminal_gets_colours_and_the_same_text(call: Call, tmp_path: Path) -> None:
    args = ("check", "preds.csv", "labels.csv", "--max", "cost=0.5", "--min", "accuracy=0.5")
    code, text = on_terminal(tmp_path, *args)
    assert code == 1
    assert "\x1b[1;31mFAIL" in text
    assert ANSI.sub("", text).split() == call(*args).out.split()


@pytest.mark.parametrize("env", [{"NO_COLOR": "1"}, {"TERM": "dumb"}], ids=["NO_COLOR", "TERM=dumb"])
def test_a_terminal_that_wants_no_colours_gets_none(tmp_path: Path, env: dict[str, str]) -> None:
    code, text = on_terminal(tmp_path, "check", "preds.csv", "labels.csv", "--max", "cost=0.5", **env)  # type: ignore[arg-type]
    assert code == 1
    assert "FAIL" in text
    assert "\x1b" not in text


# Widths.


def hand(values: list[float], label: str, option: str = "--probs", names: str | None = None) -> Explanation:
    kind = "logits" if option == "--logits" else "probs"
    return explain_values(values, label=label, target=None, settings=Settings(kind=kind, classes=names))


def documents() -> list[Document]:
    preds, labels = [[0.7, 0.2, 0.1], [0.1, 0.8, 0.1], [0.0, 0.5, 0.5]], [0, 1, 0]
    wide = "大きな犬と小さな猫,a very long name of a class that fills a whole line of a terminal alone,x"
    return [
        xentcli.score(preds, labels),
        xentcli.score(preds, labels, clip=1e-15, base="2"),
        xentcli.score([[0.5, 0.5], [0.25, 0.75]], [[0.5, 0.5], [0.1, 0.9]]),
        xentcli.score(preds, labels, classes=wide),
        xentcli.check(preds, labels, max={"cost": 1e-9, "kl": 1}, min={"accuracy": 0.5}),
        xentcli.check(preds[:2], labels[:2], max={"cost": 1.2345678901234567e-9}),
        hand([0.1, 0.5, 0.1, 0.1, 0.2], "0"),
        hand([0.1, 0.5, 0.4], "2", names=wide),
        hand([1000.0, -2.0, 1.25e-7], "2", "--logits", names=wide),
    ]


@pytest.mark.parametrize("width", [20, 40, 60, 80, 100, 132])
def test_no_line_is_longer_than_the_terminal(width: int) -> None:
    for document in documents():
        text = ANSI.sub("", rendered(document, "table", width=width, color=True))
        assert max(cell_len(line) for line in text.splitlines()) <= width


@pytest.mark.parametrize("width", [20, 40, 80])
def test_a_narrow_terminal_loses_no_figure(width: int) -> None:
    for document in documents():
        whole, narrow = (rendered(document, "table", width=w) for w in (None, width))
        figures = re.compile(r"-?\d[\d,.]*(?:e[+-]?\d+)?|\binf\b")
        present = re.sub(r"\s", "", narrow)
        assert [figure for figure in figures.findall(whole) if figure.rstrip(".,") not in present] == []


def test_80_columns_hold_every_usual_screen_without_a_wrapped_cell() -> None:
    for document in (hand([2.0, -1.0, 0.5], "2", "--logits"), hand([0.1, 0.5, 0.1, 0.1, 0.2], "0")):
        text = rendered(document, "table", width=80)
        assert "y is 0: q does not matter\n" in text
        assert "<- the only term left\n" in text


@pytest.mark.parametrize("columns", [40, 80])
def test_the_width_is_that_of_the_real_terminal(tmp_path: Path, columns: int) -> None:
    code, text = on_terminal(tmp_path, "score", "preds.csv", "labels.csv", columns=columns, NO_COLOR="1")
    assert code == 0
    widths = [len(line) for line in text.splitlines()]
    assert max(widths) <= columns
    assert max(widths) > columns - 20


@pytest.mark.parametrize("letters", [90, 300])
def test_a_pipe_gets_whole_names_however_long(call: Call, write: Write, letters: int) -> None:
    name = "n" * letters
    write("long.csv", csv([[0.5, 0.5]], [name, "b"]))
    write("one.csv", f"truth\n{name}\n")
    text = screen(call("explain", "long.csv", "one.csv", "--row", "1"))
    below = "\n" if letters > 100 else ""
    assert re.search(rf"\n{name}{below} +1 +0\.5 +-0\.6931 +-0\.6931   <- the only term left\n", text)


@pytest.mark.parametrize("command", ["score", "calibration", "compare", "check"])
def test_a_pipe_gets_every_row_and_a_terminal_the_first(command: str) -> None:
    random, names = np.random.default_rng(1), [f"{i} of a name of sixty letters {'x' * 30}" for i in range(30)]
    q, groups = random.dirichlet(np.ones(3), 300), names * 10
    y = [int(random.choice(3, p=row)) for row in q]
    makes: dict[str, Callable[[], Document]] = {
        "score": lambda: xentcli.score(q, y, by={"site": groups}),
        "calibration": lambda: xentcli.calibration(q, y, by={"site": groups}),
        "compare": lambda: xentcli.compare(dict.fromkeys(names, q), y, fit="none"),
        "check": lambda: xentcli.check(q, y, by={"site": groups}, max_each={"cost": 1.0}),
    }
    document = makes[command]()
    pipe, terminal = (rendered(document, "table", width=width) for width in (None, 120))
    assert all(name in pipe for name in names) and " more; " not in pipe
    assert len(set(re.findall(r"^(?:pass|FAIL|)[a-z ]*(\d+) of a name", terminal, flags=re.MULTILINE))) == 20
    assert "\n(10 more; -o FILE.csv has all)\n" in terminal


def test_names_that_differ_in_their_middle_alone_stay_whole_on_a_terminal() -> None:
    q, names = [[0.5, 0.5], [0.4, 0.6]], [f"{'a' * 30}{i}{'b' * 30}" for i in range(3)]
    for count in (2, 3):
        text = rendered(xentcli.compare(dict.fromkeys(names[:count], q), [0, 1], fit="none"), "table", width=80)
        table = text.split("\n\n")[1].splitlines()
        assert [line.partition(" ")[2] or line for line in table if "aaa" in line] == [
            f"{name}*" if count == 3 else name for name in names[:count]
        ]
        assert max(map(len, table)) <= 80


# Hostile text.

HOSTILE = [
    "a\x1b[31mred",
    "osc\x1b]Pffffff\x07end\x1b\\",
    "bidi\u202eabc\u2066\u200f\u061c",
    "[bold]x[/bold][/nothing][link=http://x]y",
    ":smiley:",
    "line\nbreak\x0btab",
    "c1\x9b31m\x85\x7f",
    "\u2028\u2029zero\u200bwidth\ufeff",
]


def raw(text: str) -> set[str]:
    """The characters of an output that a terminal would obey or hide."""
    return {c for c in text if (c < " " and c != "\n") or "\x7f" <= c <= "\x9f" or c in BIDI}


@pytest.fixture
def hostile(tmp_path: Path) -> tuple[str, str]:
    """A pair of files whose names, columns, classes and labels are all hostile."""
    quoted = ['"' + name.replace('"', '""') + '"' for name in HOSTILE]
    preds, labels = "p\x1b[31m\u202e\n[bold]:smiley:\x85.csv", "l\x1b]0;t\x07.csv"
    rows = [[1 / 8] * 8] * 8
    (tmp_path / preds).write_text(csv(rows, quoted), newline="")
    (tmp_path / labels).write_text("".join(f"{line}\n" for line in ['"truth\x07\u202e"', *quoted]), newline="")
    return preds, labels


def test_hostile_names_are_harmless_on_every_screen(call: Call, hostile: tuple[str, str]) -> None:
    for command in (("score",), ("check", "--max", "cost=1"), ("explain", "--row", "1"), ("explain", "--row", "6")):
        for form in ("table", "markdown", "json"):
            done = call(command[0], *hostile, *command[1:], "--format", form)
            assert done.err == ""
            assert done.code == (1 if command[0] == "check" else 0)
            assert raw(done.out) == set()


def test_markup_of_rich_is_shown_and_not_obeyed(call: Call, hostile: tuple[str, str]) -> None:
    text = screen(call("explain", *hostile, "--row", "3"))
    for name in (r"a\x1b[31mred", "[bold]x[/bold][/nothing][link=http://x]y", ":smiley:", r"line\nbreak\x0btab"):
        assert re.search(rf"^{re.escape(name)} ", text, flags=re.MULTILINE), name
    assert r"The true class is bidi\u202eabc\u2066\u200f\u061c, the 3rd of 8." in text
    assert r"p\x1b[31m\u202e\n[bold]:smiley:\x85.csv" in text


def test_hostile_text_is_harmless_in_every_message(call: Call, hostile: tuple[str, str], tmp_path: Path) -> None:
    preds, labels = hostile
    evil = "\x1b[31m\x9b\u202e\n\x07"
    (tmp_path / "bad.csv").write_text(f'"t{evil}"\n' + f'"{evil}"\n' * 8, newline="")
    (tmp_path / "words.csv").write_text(f'"a{evil}","b{evil}"\n"{evil}",0.5\n', newline="")
    (tmp_path / "twice.csv").write_text(f'"{evil}","{evil}"\n0.5,0.5\n', newline="")
    ends = [
        call("score", preds, "bad.csv"),
        call("score", "words.csv", "labels.csv"),
        call("score", "twice.csv", "labels.csv"),
        call("score", preds, "preds.csv"),
        call("score", f"no{evil}.csv", labels),
        call("score", preds, labels, "-o", f"no/{evil}.json"),
        call("score", preds, labels, "-o", f"{evil}.xyz"),
        call("score", preds, labels, "--preds", f"{evil}*"),
        call("score", preds, labels, "--classes", f"a,{evil}"),
        call("score", preds, labels, "--get", evil),
        call("score", preds, labels, "--kind", evil),
        call("score", preds, labels, f"--{evil}"),
        call("score", preds, labels, evil),
        call("check", preds, labels, "--max", f"{evil}=1"),
        call("check", preds, labels, "--max", f"cost={evil}"),
        call("explain", "--probs", f"0.5,{evil}", "--label", "0"),
        call("explain", "--probs", "0.5,0.5", "--label", evil),
        call(f"{evil}.csv", labels),
        call(evil),
    ]
    for end in ends:
        assert end.code in (2, 3, 4), end
        assert end.out == ""
        assert raw(end.err) == set(), end
        assert all(line.startswith(("xent: ", "      ")) for line in end.err.splitlines()), end


def test_hostile_names_are_harmless_on_a_terminal_with_colours(tmp_path: Path, hostile: tuple[str, str]) -> None:
    code, text = on_terminal(tmp_path, "explain", *hostile, "--row", "1", columns=200)
    assert code == 0
    assert raw(ANSI.sub("", text)) == set()
    assert not re.search(r"\x1b\[[0-9;]*m[^\x1b\n]*red", text.replace("\\x1b[31mred", ""))


def test_rows_on_a_terminal_are_harmless_too(tmp_path: Path, hostile: tuple[str, str]) -> None:
    code, text = on_terminal(tmp_path, "score", *hostile, "--per-example", "-", columns=200)
    assert code == 0
    assert text.startswith("row,id,label,probability,loss,weight\n")
    assert raw(text) == set()


def test_the_shares_of_classes_and_groups_have_bars_where_there_is_room(
    call: Call, write: Write, tmp_path: Path
) -> None:
    write("by.csv", "truth,site\ncat,n\ndog,s\ncat,n\n")
    args = ("score", "preds.csv", "by.csv", "--label", "truth", "--by-class", "--by", "site")
    report = xentcli.score("preds.csv", "by.csv", label="truth", by_class=True, by="site")
    bars = {line.split()[0]: line.count("=") for line in call(*args).out.splitlines() if line.endswith("=")}
    for parts, names in ((report.by_class, "cat dog"), (report.by, "n s")):
        shares = [part.share or 0.0 for part in parts]
        for name, share in zip(names.split(), shares, strict=True):
            assert bars[name] == round(16 * share / max(shares))
    code, narrow = on_terminal(tmp_path, *args, columns=30)
    assert code == 0
    assert "==" not in narrow


def test_long_names_lose_their_middle_where_they_still_differ(call: Call, write: Write, tmp_path: Path) -> None:
    names = [f"{word}_{'of_a_long_name_' * 4}{word}" for word in ("first", "second", "third")]
    write("long.csv", csv([[0.7, 0.2, 0.1], [0.1, 0.8, 0.1], [0.2, 0.3, 0.5]], names))
    write("truth.csv", "truth\n" + "\n".join((names[0], names[1], names[0])) + "\n")
    args = ("score", "long.csv", "truth.csv", "--by-class", "--worst", "2")
    assert all(name in call(*args).out for name in names[:2])
    _, wide = on_terminal(tmp_path, *args, columns=80)
    found = re.findall(r"^(first|second)_\S*\.\.\.\S*(first|second) +[12] ", wide, flags=re.MULTILINE)
    assert found == [("first", "first"), ("second", "second")]
    # Names that differ in their middle alone are not cut.
    names = [f"{'the_same_' * 4}{word}{'_at_both_ends' * 4}" for word in ("first", "second", "third")]
    write("long.csv", csv([[0.7, 0.2, 0.1], [0.1, 0.8, 0.1], [0.2, 0.3, 0.5]], names))
    write("truth.csv", "truth\n" + "\n".join((names[0], names[1], names[0])) + "\n")
    _, wide = on_terminal(tmp_path, *args, columns=80, NO_COLOR="1")
    assert "..." not in wide and all(name in wide.replace("\n", "") for name in names[:2])


def test_changes_and_their_intervals_have_the_decimals_of_the_column() -> None:
    draws = np.random.default_rng(5)
    losses = 1 + draws.random(60)
    given = {"m0": losses} | {f"m{step}": losses + 0.2 * draws.normal(size=60) + step / 400 for step in range(1, 12)}
    result = xentcli.compare(given, kind="losses")
    rows = [line for line in str(result).splitlines() if re.match(r"m[1-9].* to ", line)]
    assert any(0.0005 < abs(pair.change or 1) < 0.01 for pair in result.pairs), "zeros before the first digit"
    figures = [re.findall(r"[+-]?[0-9]+\.([0-9]+)", line) for line in rows]
    assert len(rows) == 11 and {len(digits) for row in figures for digits in row} == {3}, rows


def test_models_that_all_cost_inf_have_no_smallest_and_one_note_of_a_kind() -> None:
    hard = {f"m{step}": np.eye(2)[[*[1] * step, *[0] * (20 - step)]] for step in range(1, 6)}
    result = xentcli.compare(hard, [0] * 20)
    assert result.best is None
    left_out = [note for note in result.notes if "left out" in note]
    assert len(left_out) == 2 and "4 of 5 models (m2, m3, m4, ...)" in left_out[1], "one row, and several"
    assert [warning.code for warning in result.warnings].count("infinite") <= 2
    screen = str(result)
    assert "The cost of every model is infinite: none is the smallest." in screen
    assert "has the smallest cost" not in screen and "\n\n\n" not in screen


def test_decimals_of_the_terms_are_aligned_however_many_each_has() -> None:
    text = rendered(hand([0.05, 0.5, 0.125, 0.325], "1"), "table", width=80)
    rows = text.split("\n\n")[1].splitlines()[1:5]
    assert len({line.index(".") for line in rows}) == 1, text


def test_perplexity_and_total_have_the_digits_of_their_own_standard_error() -> None:
    draws = np.random.default_rng(3)
    losses = 8 + draws.random(100)
    report = xentcli.score(losses, kind="losses", metrics=["cost", "perplexity", "total", "weight_sum"])
    figures = dict(re.findall(r"^(\w[\w -]*?) {2,}([0-9.,]+)", str(report), flags=re.MULTILINE))
    assert report.standard_error is not None and 0.02 < report.standard_error < 0.04
    assert re.fullmatch(r"8\.\d{4}", figures["cross-entropy"])
    # Standard errors of about 150 and 3.
    assert re.fullmatch(r"[0-9],[0-9]{3}\.\d\d", figures["perplexity"])
    assert re.fullmatch(r"8[0-9]{2}\.\d\d", figures["total"])
    assert figures["weight sum"] == "100"
    in_bits = xentcli.score(losses, kind="losses", base="2", metrics=["perplexity"])
    assert figures["perplexity"] in str(in_bits)


def test_limits_have_the_digits_of_the_standard_error_and_enough_to_see_the_margin() -> None:
    draws = np.random.default_rng(4)
    losses, words = 1 + draws.random(400), ["cost", "at most", "margin"]
    cost = xentcli.score(losses, kind="losses").cost
    for limit, places in ((2.0, 4), (1.90001, 5), (cost + 1.2e-9, 10)):
        text = str(xentcli.check(losses, kind="losses", max={"cost": limit}))
        found = [re.search(rf"{word} +[0-9]+\.([0-9]+)", text) for word in words]
        assert [len(one[1]) for one in found if one] == [places] * 3, text


def test_limits_stand_with_their_decimal_points_below_each_other() -> None:
    q, y = [[0.7, 0.3], [0.2, 0.8], [0.6, 0.4]], [0, 1, 1]
    text = rendered(xentcli.check(q, y, max={"perplexity": 1234.5, "cost": 0.5}), "table", width=80)
    points = [[place for place, letter in enumerate(line) if letter == "."][1] for line in text.splitlines()[:2]]
    assert points[0] == points[1], text


def test_groups_and_classes_of_a_calibration_are_tables_of_80_columns() -> None:
    random = np.random.default_rng(6)
    q, y = random.dirichlet(np.ones(60), 400), random.integers(60, size=400)
    names = [f"class_{place}" for place in range(60)]
    sites = np.array(["north", "south", "a site of a rather long name"])[np.arange(400) % 3]
    result = xentcli.calibration(q, y, classes=names, by={"site": sites}, decompose=True, fit="none")
    text = rendered(result, "table", width=80)
    assert re.search(r"^site .* says is right .* 95 % interval +ECE chance, 95 %$", text, flags=re.MULTILINE), text
    assert re.search(r"^south +133 ", text, flags=re.MULTILINE)
    shown = [float(value) for value in re.findall(r"^brier, class_\d+ +\S+ +(\S+)", text, flags=re.MULTILINE)]
    every = sorted((part.miscalibration for part in result.decomposition[1:]), reverse=True)
    assert shown == pytest.approx(every[:20], abs=6e-5)
    assert "fitted on these rows: miscalibration is overstated\n" in text


def test_limits_and_causes_of_long_names_in_wide_letters_are_tables_of_80_columns() -> None:
    names = [
        "a name of sixty letters that goes on and on and on and on on",
        "大きな犬と小さな猫と、とても長い名前のクラスです",
    ]
    q, y = [[0.7, 0.3], [0.6, 0.4], [0.2, 0.8], [0.9, 0.1]], [names[place] for place in (0, 1, 0, 1)]
    result = xentcli.check(q, y, classes=names, by={"site": y[::-1]}, max={"cost": 0.5}, max_each={"cost": 0.6})
    text = rendered(result, "table", width=80)
    limits, why, *_ = text.split("\n\n")
    assert max(cell_len(line) for line in text.splitlines()) <= 80
    assert re.search(
        r"^FAIL cost  site 大き.*[.]{3}.*です 0[.]983 at most 0[.]600 over by", limits, flags=re.MULTILINE
    ), text
    assert re.search(r"class 大き.*[.]{3}.*です +[0-9.]{6} +[0-9]", why), text
