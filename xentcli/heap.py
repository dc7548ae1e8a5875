"""Tune how the C library reuses freed memory (glibc only)."""

from __future__ import annotations

import contextlib
import sys

__all__ = ["keep_freed_memory"]

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD, _M_ARENA_MAX = -1, -3, -8


def keep_freed_memory(*, one_heap: bool) -> None:
    """Keep freed memory in the process, with `one_heap` in one for all threads.

    By default glibc returns each large block to the system, and the kernel zeroes every new
    one page by page, which takes longer than the arithmetic. One heap for all threads needs
    less memory than one each, and contention is low.
    """
    if not sys.platform.startswith("linux"):
        return
    import ctypes

    with contextlib.suppress(OSError, AttributeError):
        mallopt = ctypes.CDLL(None).mallopt
        mallopt(_M_MMAP_THRESHOLD, 1 << 25)
        mallopt(_M_TRIM_THRESHOLD, 1 << 28)
        if one_heap:
            mallopt(_M_ARENA_MAX, 1)
