"""A cluster of Dask on this machine, which the tests of a module share: its processes take seconds to start."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

import pytest

MOST = 4
"""How many workers there may be."""


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """Give a cluster of two workers, processes of one thread each, which ends with the tests of a module."""
    distributed = pytest.importorskip("distributed")
    folder = tmp_path_factory.mktemp("dask")
    logging.getLogger("distributed").setLevel(logging.CRITICAL)
    with distributed.LocalCluster(
        n_workers=2,
        threads_per_worker=1,
        host="127.0.0.1",
        dashboard_address="127.0.0.1:0",
        local_directory=str(folder),
        silence_logs=logging.CRITICAL,
    ) as found:
        yield found


@pytest.fixture
def address(cluster: Any) -> str:
    """The address of its scheduler."""
    return str(cluster.scheduler_address)
