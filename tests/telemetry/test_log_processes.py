"""Lines of many threads and of forked processes; before anything is configured."""

import subprocess
import sys
import threading

import pytest

from holdfast.telemetry import configure_logging, get_logger


def test_lines_of_many_threads_are_whole(tmp_path, read_files):
    log = configure_logging(tmp_path / "a.log", max_bytes=20_000, backup_count=1000)
    logger = get_logger("x")

    def work(thread):
        for i in range(200):
            logger.info("m", thread=thread, i=i, padding="x" * 50)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    log.restore()
    seen = read_files(tmp_path)
    assert {(r["thread"], r["i"]) for r in seen} == {
        (t, i) for t in range(8) for i in range(200)
    }
    assert len(seen) == 1600


FORK = """
import os, sys, threading
from holdfast.telemetry import configure_logging, get_logger, span
configure_logging(sys.argv[1])
log = get_logger("x")
stop = threading.Event()
def chatter():
    while not stop.is_set():
        log.info("parent")
threads = [threading.Thread(target=chatter) for _ in range(3)]
for t in threads: t.start()
children = []
for n in range(10):
    pid = os.fork()
    if pid == 0:
        for i in range(20):
            with span("child"):
                log.info("child", n=n, i=i)
        os._exit(0)
    children.append(pid)
for pid in children:
    assert os.waitpid(pid, 0)[1] == 0
stop.set()
for t in threads: t.join()
"""


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_forked_children_write_on_and_share_no_ids(tmp_path, read_files):
    command = [sys.executable, "-W", "ignore", "-c", FORK, str(tmp_path / "a.log")]
    subprocess.run(command, check=True, timeout=60)
    records = read_files(tmp_path)
    ours = [r for r in records if r["message"] == "child"]
    assert {(r["n"], r["i"]) for r in ours} == {(n, i) for n in range(10) for i in range(20)}
    assert len({r["trace_id"] for r in ours}) == len({r["span_id"] for r in ours}) == 200


def test_before_it_is_configured_it_writes_to_standard_error():
    code = "from holdfast.telemetry import get_logger as g; g('x').info('m', a=1)"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert done.stdout == ""
    assert done.stderr.endswith("INFO     x  m  a=1\n")


def test_lines_are_counted_for_whoever_collects(written):
    from holdfast import _sources

    def counted():
        return {
            s.labels.get("level"): s.value
            for s in _sources.samples()
            if s.name == "holdfast_log_lines_total"
        }

    with written():
        before = counted()
        get_logger("x").info("m")
        get_logger("x").error("m")
        after = counted()
    moved = {level: after[level] - before[level] for level in after}
    assert moved == {"debug": 0, "info": 1, "warning": 0, "error": 1, "critical": 0}
