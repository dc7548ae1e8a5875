"""A cluster of Dask on this machine, which the tests of a module share: its processes take seconds to start."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.conftest import local_cluster


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """Give a cluster of two workers, which ends with the tests of a module."""
    with local_cluster(tmp_path_factory.mktemp("dask"), 2) as found:
        yield found


@pytest.fixture
def address(cluster: Any) -> str:
    """The address of its scheduler."""
    return str(cluster.scheduler_address)
