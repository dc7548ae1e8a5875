"""The page that a benchmark makes: printed, and with --write a file of the documentation."""

from __future__ import annotations

import argparse
import os
import platform
from importlib.metadata import version
from pathlib import Path

__all__ = ["arguments", "load", "publish", "versions"]


def arguments(about: str | None, page: str) -> argparse.ArgumentParser:
    """Return a parser with --write FOLDER, where `page` is written; `about` is what --help says."""
    parser = argparse.ArgumentParser(description=about, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", type=Path, metavar="FOLDER", help=f"write {page} here")
    return parser


def versions() -> str:
    """Return the versions that times depend on."""
    return f"Python {platform.python_version()}, NumPy {version('numpy')}"


def load() -> str:
    """Return how busy the machine is, for times that this changes; empty on Windows, which does not say."""
    return f", load {os.getloadavg()[0]:.1f} before" if hasattr(os, "getloadavg") else ""


def publish(page: str, script: str, title: str, made: str, text: str, folder: Path | None) -> None:
    """Print the text below a title, what it was made on, and the command that makes it; with `folder` write it too."""
    command = f"Made by `python benchmarks/{Path(script).name} --write docs`, whose first lines say what is measured."
    whole = f"# {title}\n\n{made}.\n{command}\n\n{text}"
    print(whole, end="")
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / page).write_text(whole, encoding="utf-8")
