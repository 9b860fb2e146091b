"""Fixtures: a fresh server for each test, from the release build."""

import os
from pathlib import Path

import pytest

from server import FlagServer, binary


def pytest_addoption(parser):
    parser.addoption("--update", action="store_true", help="write the transcripts anew from what the server answers")
    parser.addoption("--rounds", type=int, default=20, help="rounds of the kill -9 drill (default 20)")


def pytest_configure(config):
    if not os.access(binary(), os.X_OK):
        pytest.exit(f"{binary()} is missing: build it with `./scripts/build` or set TESTED_FLAG_SERVER", 2)


@pytest.fixture
def data_dir(tmp_path) -> Path:
    """An empty directory's name for the server's data; the server makes it."""
    return tmp_path / "data"


@pytest.fixture
def start_server(data_dir):
    """Starts servers on the test's data directory; whatever still runs at the test's end is stopped."""
    started = []

    def start(*options, **settings) -> FlagServer:
        server = FlagServer(settings.pop("data_dir", data_dir), *options, **settings)
        started.append(server)
        return server.start()

    yield start
    for server in started:
        server.stop()


@pytest.fixture
def server(start_server) -> FlagServer:
    """A running server of the `local` profile without any flag."""
    return start_server()


@pytest.fixture(scope="module")
def shared_server(tmp_path_factory):
    """One server for all tests of a module, where they do not get into each other's way."""
    with FlagServer(tmp_path_factory.mktemp("shared") / "data") as server:
        yield server.start()
