"""`xent completion`."""

from __future__ import annotations

import os
from pathlib import Path

import click
from click.shell_completion import get_completion_class

from xentcli.cli.command import Command
from xentcli.errors import FileError, Place, UsageError

__all__ = ["completion"]

_SHELLS = ("bash", "zsh", "fish")
_NO_BLANK = {
    "bash": [("COMPREPLY+=($value)\n", "COMPREPLY+=($value)\n            [[ $value == *= ]] && compopt -o nospace\n")],
    "zsh": [
        ("    local -a response\n", "    local -a response blank\n"),
        (
            'if [[ "$descr" == "_" ]]; then',
            '[[ $key == *= ]] && blank=(-S "")\n            if [[ "$descr" == "_" ]]; then',
        ),
        ("completions_with_descriptions -U", 'completions_with_descriptions -U "${blank[@]}"'),
    ],
    "fish": [],
}
"""Lines of click's scripts, and those that add no blank after a word such as `cost=`; fish adds none by itself."""
_HOMES = {
    "bash": ("XDG_DATA_HOME", ".local/share", "bash-completion/completions/xent"),
    "zsh": ("XDG_DATA_HOME", ".local/share", "zsh/site-functions/_xent"),
    "fish": ("XDG_CONFIG_HOME", ".config", "fish/completions/xent.fish"),
}
"""Where each shell looks: below the folder that a variable names, or its default in the home directory."""
_AFTER = {
    "bash": "new shells complete xent (with the package bash-completion)",
    "zsh": "new shells complete xent if ~/.zshrc has, before compinit: fpath+=(~/.local/share/zsh/site-functions)",
    "fish": "new shells complete xent",
}


@click.command(
    cls=Command,
    examples=(
        ("install it for the shell that runs", "xent completion --install"),
        ("for this shell alone", 'eval "$(xent completion bash)"'),
    ),
)
@click.argument("shell", required=False, type=click.Choice(_SHELLS), metavar="[bash|zsh|fish]")
@click.option("--install", is_flag=True, help="Install it where the shell looks for completions.")
def completion(shell: str | None, install: bool) -> None:
    """Print the script that completes commands, options, metrics and files in a shell [default: that of $SHELL]."""
    shell = shell or Path(os.environ.get("SHELL", "")).name
    made = get_completion_class(shell) if shell in _SHELLS else None
    if made is None:
        raise UsageError(f"there is completion for {', '.join(_SHELLS)}", advice="xent completion bash --install")
    root = click.get_current_context().find_root()
    text = made(root.command, {}, "xent", "_XENT_COMPLETE").source()
    for line, better in _NO_BLANK[shell]:
        text = text.replace(line, better)
    if not install:
        click.echo(text)
        return
    variable, default, name = _HOMES[shell]
    path = Path(os.environ.get(variable) or Path.home() / default) / name
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise FileError(f"cannot be written: {error.strerror}", place=Place(str(path))) from None
    click.echo(f"{path} is written; {_AFTER[shell]}")
