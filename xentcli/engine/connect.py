"""Connect to an existing Dask scheduler, or start one here with workers on this machine."""

from __future__ import annotations

import contextlib
import json
import logging
import multiprocessing
import os
import warnings
from collections.abc import Callable, Iterator
from typing import Any

from xentcli.engine.ordered import is_command
from xentcli.engine.travel import has_bokeh
from xentcli.errors import ClusterError, UsageError, shown
from xentcli.extras import needed
from xentcli.signals import blocked, undo_later

__all__ = ["connected", "first_line"]

_CONNECT = 15.0
"""Seconds in which a scheduler must answer."""
_GUARD = "workers import the script: call it under if __name__ == '__main__':"
_LOGGERS = ("distributed", "tornado", "asyncio")
_LOGS = {"distributed.admin.low-level-log-length": 10}
"""Dask settings for a client: its log holds the messages themselves, a group of tasks each."""
_LOCAL = {
    **_LOGS,
    "distributed.worker.memory.target": False,
    "distributed.worker.memory.spill": False,
    "distributed.worker.memory.pause": False,
    "distributed.worker.profile.enabled": False,
    "distributed.worker.daemon": True,
    "distributed.scheduler.worker-ttl": "60s",
    "distributed.admin.large-graph-warning-threshold": "100GB",
    "distributed.scheduler.work-stealing": True,
}
"""Dask settings for workers of a single run; nothing is spilled to disk, as results are small."""


def connected(stack: contextlib.ExitStack, given: Any, workers: int, tell: Callable[[str], object] | None) -> Any:
    """Return a client of the given scheduler, or of a new one.

    Parameters
    ----------
    stack
        Closes what is opened and started here.
    given
        An address, the path of a scheduler file, a ``distributed.Client``, or None for workers of this machine.
    workers
        How many are started here.
    tell
        Called with a line about the cluster.

    Raises
    ------
    UsageError
        For what is neither an address nor a file.
    ClusterError
        Where no scheduler answers, or workers cannot be started.
    """
    if hasattr(given, "submit"):
        return given
    stack.enter_context(_quiet())
    if given is None:
        client = stack.enter_context(_local(workers))
        what = f"{workers:,} worker{'' if workers == 1 else 's'} on this machine"
    else:
        client = _client_of(os.fspath(given))
        stack.callback(_closed, client)
        found = client.nthreads()
        what = f"{sum(found.values()):,} threads of {len(found):,} workers" if found else "no worker yet"
    if tell is not None:
        at = _dashboard(client)
        tell(f"Dask: {what}" if at is None else f"Dask: {what}, dashboard at {at}")
    return client


def _client_of(given: str) -> Any:
    """Return a client of the scheduler at an address, or of a scheduler file."""
    distributed = needed("distributed", "dask")
    where = _address_of(given)
    try:
        with needed("dask", "dask").config.set(_LOGS), blocked():
            return distributed.Client(
                **where, timeout=_CONNECT, set_as_default=False, name="xent", direct_to_workers=False
            )
    except ValueError as error:
        raise _no_address(given, f": {first_line(error)}") from None
    except (OSError, TimeoutError) as error:
        raise ClusterError(
            f"no scheduler of Dask answers at {given} within {_CONNECT:.0f} s",
            advice=("dask scheduler starts one, dask worker ADDRESS its workers", first_line(error)),
        ) from None


@contextlib.contextmanager
def _local(workers: int) -> Iterator[Any]:
    """Start a scheduler and workers on this machine, and end them whatever happens."""
    if getattr(multiprocessing.current_process(), "_inheriting", False):
        raise UsageError("a worker of Dask was to start workers of its own", advice=_GUARD)
    import shutil
    import tempfile

    dask, distributed = needed("dask", "dask"), needed("distributed", "dask")
    folder = tempfile.mkdtemp(prefix="xent-dask-")
    cluster: Any = None

    def kill() -> None:
        if cluster is not None:
            # At exit Dask would wait for the workers, and a nanny would start another.
            cluster.shutdown_on_close = False
            for nanny in list(cluster.workers.values()):
                with contextlib.suppress(Exception):
                    nanny.status = distributed.Status.failed
                    os.kill(nanny.pid, 9)
        shutil.rmtree(folder, ignore_errors=True)

    with contextlib.ExitStack() as stack:
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        stack.callback(undo_later(kill))
        stack.enter_context(_environment_kept(dask))
        stack.enter_context(dask.config.set({**_LOCAL, "temporary-directory": folder}))
        # This thread handles signals: other threads and the workers inherit the blocked mask.
        with blocked(), _starting():
            cluster = distributed.LocalCluster(
                n_workers=workers,
                threads_per_worker=1,
                host="127.0.0.1",
                dashboard_address="127.0.0.1:0",
                local_directory=folder,
                silence_logs=logging.CRITICAL + 1,
            )
            stack.callback(_closed, cluster)
            client = distributed.Client(cluster, set_as_default=False, name="xent")
            stack.callback(_closed, client)
        yield client


@contextlib.contextmanager
def _environment_kept(dask: Any) -> Iterator[None]:
    """Undo at the end what the nannies of Dask set in this process: threads of BLAS, and the seed of hashes."""
    names = {*dask.config.get("distributed.nanny.pre-spawn-environ", ()), "PYTHONHASHSEED"}
    before = {name: os.environ[name] for name in names & os.environ.keys()}
    try:
        yield
    finally:
        for name in names & os.environ.keys():
            del os.environ[name]
        os.environ.update(before)


@contextlib.contextmanager
def _starting() -> Iterator[None]:
    """Explain why workers cannot be started: one was killed, or there is no port, or no memory."""
    try:
        yield
    except Exception as error:
        what = f"{type(error).__name__}: {first_line(error.__cause__ or error)}"
        advice = ("without --engine dask the rows are scored here",)
        raise ClusterError(
            f"the workers of Dask cannot be started: {what}", advice=advice if is_command() else (_GUARD, *advice)
        ) from None


def first_line(error: BaseException) -> str:
    """Return the first line of an error message, at most 300 characters."""
    return next(iter(str(error).strip().splitlines()), "")[:300]


def _address_of(given: str) -> dict[str, str]:
    """Return the arguments by which a client finds a scheduler; raises UsageError if neither file nor address."""
    if os.path.isfile(given):
        try:
            with open(given, "rb") as file:
                return {"address": str(json.load(file)["address"])}
        except OSError as error:
            raise ClusterError(f"{given}: cannot be read: {error.strerror}") from None
        except (ValueError, LookupError, TypeError, RecursionError):
            raise _no_address(given, ": the file has no address") from None
    if "://" not in given:
        raise _no_address(given)
    return {"address": given}


def _no_address(given: str, why: str = "") -> UsageError:
    return UsageError(
        f"--scheduler {shown(given)} is neither the file of a scheduler nor an address such as tcp://127.0.0.1:8786{why}",
        advice="dask scheduler prints its address; with --scheduler-file FILE it writes it to a file",
    )


def _dashboard(client: Any) -> str | None:
    """The address of the dashboard; None where the scheduler has none, or not the package that draws it."""
    with contextlib.suppress(Exception):
        if client.run_on_scheduler(has_bokeh):
            return str(client.dashboard_link)
    return None


def _closed(what: Any) -> None:
    """Close a client or a cluster, ignoring errors of one that is already gone."""
    with contextlib.suppress(Exception):
        what.close(timeout=5)


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Silence Dask on stderr: problems that matter become errors of the run."""
    # Loggers set up by Dask have their own levels and handlers.
    named = [name for name in logging.root.manager.loggerDict if name.partition(".")[0] in _LOGGERS]
    loggers = [logging.getLogger(name) for name in (*_LOGGERS, *named)]
    before = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.CRITICAL + 1)
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", module="distributed|dask")
            yield
    finally:
        for logger, level in zip(loggers, before, strict=True):
            logger.setLevel(level)
