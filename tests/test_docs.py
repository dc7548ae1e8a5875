"""README and docs: every block runs and prints what it shows, links are whole, Sphinx builds the pages."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from urllib.parse import unquote

import pytest
from markdown_it import MarkdownIt

from tests.conftest import ROOT, posix_only
from tests.pages import DOCS, Session, blocks, masked, numbers, prose

README = (ROOT / "README.md").read_text(encoding="utf-8")
PAGES = [ROOT / "README.md", *sorted(DOCS.rglob("*.md"))]
LINES = README.splitlines()
NOT_COMMANDS = ("text", "toml", "yaml", "json", "groovy", "make", "csv", "latex")
"""Languages of blocks that show a file or a form and are not run."""


def name_of(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


@posix_only
@pytest.mark.parametrize("page", [page for page in PAGES if page.name != "ci.md"], ids=name_of)
def test_the_blocks_of_a_page_print_what_it_shows(page: Path, tmp_path: Path) -> None:
    """tests/test_ci_page.py runs those of ci.md, with the commands that its snippets call."""
    folder = tmp_path / "page"
    folder.mkdir()
    session = Session(folder, tmp_path / "bin")
    for block in blocks(page.read_text(encoding="utf-8")):
        session.run(block)


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_a_block_is_run_or_says_why_not(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    for block in blocks(text):
        run = block.language in ("console", "run") or block.name or ">>> " in block.text
        assert run or block.remark == "not run" or block.language in NOT_COMMANDS, block
        assert block.language != "text" or not re.search(r"^(\$ |xent )", block.text, re.MULTILINE), block
    # What is indented would be a block that nobody runs.
    assert not re.search(r"^ {4,}(xent|python|\$) ", prose(text), re.MULTILINE)


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_a_file_is_named_before_its_block(page: Path) -> None:
    """The name after the language of a block is seen by nobody."""
    text = page.read_text(encoding="utf-8")
    for found in re.finditer(r"(?:\A|^```\n)((?:(?!^```).*\n)*)```\w+ (\S+)\n", text, re.MULTILINE):
        assert f"`{found[2]}`" in found[1], found[2]


def anchors(page: Path) -> set[str]:
    """The anchors that a forge and Sphinx give to the headings of a page."""
    found: set[str] = set()
    for heading in re.findall(r"^#+ +(.+)$", prose(page.read_text(encoding="utf-8")), re.MULTILINE):
        plain = re.sub(r"\[(.*?)\]\(.*?\)", r"\1", heading)
        slug = re.sub(r"[^\w\- ]", "", plain.lower()).strip().replace(" ", "-")
        found.add(slug if slug not in found else f"{slug}-1")
    return found


def links(page: Path) -> list[str]:
    """What a page links to and shows."""
    tokens = MarkdownIt().enable("table").parse(page.read_text(encoding="utf-8"))
    inner = [child for token in tokens for child in token.children or ()]
    return [str(token.attrs[name]) for token in inner for name in ("href", "src") if name in token.attrs]


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_links_lead_to_what_is_there(page: Path) -> None:
    for link in links(page):
        if re.match(r"[a-z]+:", link):
            assert link.startswith("https://"), link
            continue
        path, _, anchor = unquote(link).partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.is_file(), link
        assert not anchor or anchor in anchors(target), link
        assert page.name == "README.md" or DOCS in target.parents, f"{link}: Sphinx has docs/ alone"


def test_every_page_can_be_reached_from_the_index() -> None:
    listed = {(DOCS / link).resolve() for link in links(DOCS / "index.md")}
    assert {page for page in PAGES if DOCS in page.parents} - listed == {DOCS / "index.md"}
    assert "docs/index.md" in links(ROOT / "README.md")


def test_sphinx_builds_the_pages_without_a_warning(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "sphinx", "-W", "-n", "-q", "-d", str(tmp_path / "trees")]
    done = subprocess.run([*command, str(DOCS), str(tmp_path / "out")], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    contents = (tmp_path / "out/index.html").read_text(encoding="utf-8")
    for page in DOCS.rglob("*.md"):
        assert f'href="{page.relative_to(DOCS).with_suffix(".html").as_posix()}"' in contents or page.stem == "index"


@posix_only
@pytest.mark.parametrize("words", [("pip install", "xent score"), ("pip install", "pytest")])
def test_the_first_line_with_both_words_is_one_command(words: tuple[str, str]) -> None:
    line = next(line for line in LINES if all(word in line for word in words))
    assert re.match(r"python3 -m venv (--upgrade-deps )?\.venv && ", line)
    assert shutil.which("sh")
    assert subprocess.run(["sh", "-n", "-c", line], check=False).returncode == 0


def test_ci_runs_the_command_of_the_readme_and_no_other() -> None:
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    assert "grep -m 1 'pip install.*pytest' README.md" in script
    assert not re.search(r"^[^#\n]*-m pytest", script, re.MULTILINE)


def test_the_first_example_names_files_that_are_there() -> None:
    line = next(line for line in LINES if "pip install" in line and "xent score" in line)
    named = re.findall(r"sample_data/\S+", line)
    assert named
    assert all((ROOT / name).is_file() for name in named)


def test_every_exit_code_is_in_the_readme() -> None:
    for code in ("| 0 |", "| 1 |", "| 2 |", "| 3 |", "| 4 |", "| 5 |", "| 70 |", "| 130, 141, 143 |"):
        assert code in README


def test_mutation_selects_files_that_are_there() -> None:
    """A pattern that matches nothing would leave a part of the arithmetic unchanged without a word."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["mutmut"]
    for pattern in (*settings["only_mutate"], *settings["pytest_add_cli_args_test_selection"]):
        assert list(ROOT.glob(pattern)), pattern


def test_every_extra_is_imported_by_the_package() -> None:
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    code = "".join(path.read_text() for path in (ROOT / "xentcli").rglob("*.py"))
    named = {name for name in extras if name not in ("test", "lint", "docs", "all")}
    assert named == set(re.findall(r'needed\("[\w.]+", "(\w+)"\)', code))
    assert extras["all"] == [f"xentcli[{','.join(sorted(named))}]"]


def test_the_pictures_are_what_xent_computes(tmp_path: Path) -> None:
    pictures = DOCS / "pictures"
    subprocess.run([sys.executable, str(pictures / "draw.py"), str(tmp_path)], check=True)
    names = {path.name for path in pictures.glob("*.svg")}
    assert names == {path.name for path in tmp_path.iterdir()}
    for name in names:
        drawn, kept = ((folder / name).read_text(encoding="utf-8") for folder in (tmp_path, pictures))
        assert masked(drawn) == masked(kept), "python docs/pictures/draw.py draws them"
        assert numbers(drawn) == pytest.approx(numbers(kept), abs=0.11)


def test_no_term_of_the_explanation_stands_before_it_is_explained() -> None:
    """A term is explained where it is in italics, and what xent prints uses terms too."""
    page = (DOCS / "cross-entropy.md").read_text(encoding="utf-8")
    page = page[page.index("\n## ") :]
    text = " ".join(re.sub(r"(?m)^#.*|(?s:!\[.*?\]\(.*?\)|\]\(.*?\))", "", page).split())
    terms = re.findall(r"(?<!\*)\*([\w% -]+)\*(?!\*)", text)
    assert len(terms) > 30
    for term in terms:
        assert text.index(f"*{term}*") < re.search(rf"(?<![\w*-]){term}(?![\w*-])", text + f" {term}").start(), term  # type: ignore[union-attr]
