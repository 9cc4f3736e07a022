"""What tests of log lines read them with."""

import contextlib
import io
import json

import pytest

from holdfast.telemetry import configure_logging


def _read(text):
    """The records of `text`; other breaks than newlines belong to values."""
    return [json.loads(line) for line in text.split("\n")[:-1]]


@contextlib.contextmanager
def _written(**settings):
    """A list that holds, after the block, every record written in it."""
    stream = io.StringIO()
    settings = {"format": "json", "level": "debug", **settings}
    log = configure_logging(stream, **settings)
    records = []
    try:
        yield records
    finally:
        log.restore()
        records += _read(stream.getvalue())


@pytest.fixture(scope="session")
def read():
    return _read


@pytest.fixture(scope="session")
def read_files():
    return lambda folder: [
        record for file in folder.iterdir() for record in _read(file.read_text())
    ]


@pytest.fixture(scope="session")
def written():
    return _written
