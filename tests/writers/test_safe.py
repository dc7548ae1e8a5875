"""Untrusted text through each kind of output."""

from __future__ import annotations

import csv
import html
import io
import re
import sys
import unicodedata
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from xentcli.writers.safe import annotation, csv_cell, markdown, property_of, terminal, xml

NAUGHTY = [
    "\x1b[31mred\x1b[0m",
    "\x1b]8;;http://x\x07link\x1b]8;;\x07",
    "\x1b]0;title\x07",
    "\x9b31m",
    "\x00nul",
    "back\x08space",
    "bell\x07",
    "del\x7f",
    "c1\x80\x85\x90\x9f",
    "cr\rover",
    "line\nbreak",
    "crlf\r\n",
    "tab\tstop",
    "\u202eright-to-left",
    "\u2066isolate\u2069",
    "\u200emark\u200f\u061c",
    "\u2028line\u2029paragraph",
    "\ufeffbom",
    "zero\u200bwidth\u200djoiner",
    "soft\u00adhyphen",
    "tag\U000e0041",
    "surrogate\ud800",
    "private\ue000",
    "[bold]x[/bold]",
    "[/x]",
    "[link=http://x]y[/link]",
    ":smiley:",
    "=cmd|' /C calc'!A0",
    "+1+cmd",
    "-2+3",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    "<script>alert(1)</script>",
    "<!-- comment",
    "&lt;b&gt;",
    "a|b",
    "`code`",
    "**bold** __it__ ~~no~~",
    "# heading",
    "- item",
    "1. item",
    "![image](http://x)",
    "[text](javascript:alert(1))",
    "back\\slash",
    'quote " and "" and ,',
    "::error::x",
    "@everyone, a@b.example",
    "fixes #1, owner/repo#22, GH-3",
    "https://x.example www.x.example",
    "100%0A::error::x",
    "é ü 漢字 ע",
    "",
    " ",
]
IDS = [ascii(text)[1:24] for text in NAUGHTY]


@pytest.mark.parametrize("text", NAUGHTY, ids=IDS)
def test_a_terminal_gets_nothing_that_it_would_obey_or_hide(text: str) -> None:
    shown = terminal(text)
    assert all(unicodedata.category(c) not in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp") for c in shown)
    assert shown.isprintable()


@given(st.text())
def test_any_text_is_harmless_and_a_second_time_unchanged(text: str) -> None:
    shown = terminal(text)
    assert shown.isprintable()
    assert terminal(shown) == shown


@pytest.mark.parametrize(
    "text", ["cat", "VF", "[bold]x[/bold]", ":smiley:", "é ü 漢字 ע", "a|b", "=1+1", " spaced  out "]
)
def test_printable_text_stays_as_it_is_on_a_terminal(text: str) -> None:
    assert terminal(text) == text


def test_what_was_escaped_can_still_be_told_apart() -> None:
    assert terminal("a\nb\r\tc") == r"a\nb\r\tc"
    assert terminal("\x1b\x9b\u202e\U000e0041\ud800") == r"\x1b\x9b\u202e\U000e0041\ud800"


# CSV.


def read_back(cells: list[str]) -> list[list[str]]:
    buffer = io.StringIO(newline="")
    csv.writer(buffer, lineterminator="\n").writerow([csv_cell(cell) for cell in cells])
    return list(csv.reader(io.StringIO(buffer.getvalue(), newline=""), strict=True))


@pytest.mark.parametrize("text", [text for text in NAUGHTY if "\r" not in text], ids=ascii)
def test_a_csv_row_is_read_back_as_it_was_written(text: str) -> None:
    assert read_back(["1", text, "end"]) == [["1", csv_cell(text), "end"]]


@pytest.mark.parametrize("text", ["cr\rover", "crlf\r\n", "\r=1"], ids=ascii)
def test_a_carriage_return_does_not_end_a_csv_row(text: str) -> None:
    assert len(read_back(["1", text, "end"])) == 1


@pytest.mark.parametrize(
    "text", ["=1", "=cmd|' /C calc'!A0", "+1+cmd", "-2+3", "@SUM(A1)", "\t=1", "\r=1", "-", "+", "--", "-x"]
)
def test_a_spreadsheet_runs_no_cell(text: str) -> None:
    assert csv_cell(text).startswith("'")
    assert csv_cell(text).endswith(text.strip("\r\t"))


@pytest.mark.parametrize("text", ["cat", "", "-1", "+1", "-1.5", "-1e-05", "+.5", "1-2", "a=b", "'=x", "01", "NA", "é"])
def test_numbers_and_plain_text_stay_as_they_are_in_csv(text: str) -> None:
    assert csv_cell(text) == text


# Markdown.


def seen(text: str) -> str:
    """What a reader of a Markdown cell sees, having checked that it holds no markup but text."""
    page = (
        MarkdownIt("commonmark")
        .enable(["table", "strikethrough"])
        .render(f"| a | b |\n| --- | --- |\n| x{markdown(text)}x | y |\n")
    )
    # GitHub, GitLab and notebooks typeset what is between dollar signs.
    assert not re.search(r"(?<!\\)(?:\\\\)*\$", markdown(text))
    cells = re.findall(r"<td>(.*?)</td>", page, flags=re.DOTALL)
    assert len(cells) == 2, page
    # GitHub and GitLab look for names, numbers and addresses in each piece of text between tags.
    pieces = [html.unescape(piece) for piece in cells[0].split("<!-- -->")]
    assert not any(re.search(r"@\w|#\d|://|\bwww\.|\bGH-\d", piece, re.IGNORECASE) for piece in pieces), page
    assert not any("<" in piece for piece in cells[0].split("<!-- -->")), page
    return "".join(pieces)


@pytest.mark.parametrize("text", NAUGHTY, ids=IDS)
def test_markdown_shows_the_text_and_nothing_else(text: str) -> None:
    assert seen(text) == f"x{terminal(text)}x"


@given(st.text())
def test_any_text_is_one_cell_of_markdown(text: str) -> None:
    assert seen(text) == f"x{terminal(text)}x"


@given(st.text(st.sampled_from("@#:/w.GH-1a<!- ")))
def test_no_text_is_a_link_or_a_name(text: str) -> None:
    assert seen(text) == f"x{terminal(text)}x"


@given(st.text() | st.sampled_from(NAUGHTY))
def test_any_text_is_text_in_xml(text: str) -> None:
    element = ElementTree.Element("case", name=xml(text))
    element.text = xml(text)
    read = ElementTree.fromstring(ElementTree.tostring(element, encoding="utf-8"))
    assert (read.get("name"), read.text or "") == (xml(text), xml(text))


def test_xml_has_none_of_the_characters_that_it_forbids() -> None:
    every = "".join(map(chr, range(sys.maxunicode + 1)))
    assert not re.search("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", xml(every))


@given(st.text() | st.sampled_from(NAUGHTY))
def test_a_command_of_a_runner_is_one_line_with_the_text(text: str) -> None:
    for escaped, more in ((annotation(text), {}), (property_of(text), {":": "%3A", ",": "%2C"})):
        assert escaped.isprintable()
        assert not any(character in escaped for character in more)
        # As the runner reads it.
        for character, code in {**more, "%": "%25"}.items():
            escaped = escaped.replace(code, character)
        assert escaped == terminal(text)


def test_markdown_has_no_line_end_and_no_control() -> None:
    for text in NAUGHTY:
        assert markdown(text).isprintable()


@pytest.mark.parametrize("text", ["cat", "VF", "0.8022", "hpc cv 3", "é 漢字"])
def test_plain_text_needs_no_escape_in_markdown(text: str) -> None:
    assert markdown(text) == text
