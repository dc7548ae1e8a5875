"""Settings of Sphinx. The table of contents is made from the links of index.md, which a forge shows too."""

from __future__ import annotations

import re
from typing import Any

project = "xent"
author = "The xent authors"
copyright = author
smartquotes = False  # they make one dash of the two of an option
extensions = ["myst_parser"]
root_doc = "index"
html_theme = "furo"
html_title = "xent"
html_copy_source = False
myst_heading_anchors = 4
nitpicky = True


def contents(page: str) -> str:
    """Return the index with a hidden table of contents: for each heading, the pages that it links to."""
    trees = []
    for section in page.split("\n## ")[1:]:
        title, _, text = section.partition("\n")
        names = "\n".join(re.findall(r"\]\(([\w/.-]+)\.md\)", text))
        trees.append(f"```{{toctree}}\n:hidden:\n:caption: {title}\n\n{names}\n```")
    return "\n\n".join((page, *trees))


def _read(_: Any, name: str, source: list[str]) -> None:
    if name == root_doc:
        source[0] = contents(source[0])


def setup(app: Any) -> None:
    """Add the table of contents when the index is read."""
    app.connect("source-read", _read)
