"""The command `xent`, and `python -m xentcli`."""

from __future__ import annotations

import os
import sys

__all__ = ["start"]


def start() -> None:
    """Run the command; a signal ends it quietly from here on, imports included."""
    try:
        from xentcli.signals import end_at_once, handle, is_profiled

        # A profiler must still print its results, so signals become exceptions there.
        if not is_profiled():
            handle(end_at_once, interrupts=True)
        from xentcli.cli import main
    except KeyboardInterrupt:
        os._exit(130)
    except ImportError as error:
        # Python would exit with 1, which means a failed limit.
        sys.exit(_incomplete(error))
    main()


def _incomplete(error: ImportError) -> int:
    """Say that the installation is incomplete, and return the exit code of an internal error."""
    sys.stderr.write(
        f"xent: the installation is incomplete: {error}\n      python -m pip install --force-reinstall xentcli\n"
    )
    return 70


if __name__ == "__main__":
    start()
