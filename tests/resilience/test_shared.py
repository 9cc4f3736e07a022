"""Against a real Redis on a socket of its own; skipped where there is none."""

import asyncio
import os
import pickle
import shutil
import subprocess
import threading
import time

import pytest

from holdfast.errors import CircuitOpenError, InvalidParameterError, RateLimitedError
from holdfast.resilience import CircuitBreaker, SharedBreaker, SharedRateLimiter

redis = pytest.importorskip("redis")
pytest.importorskip("redis.asyncio")
pytestmark = pytest.mark.skipif(
    shutil.which("redis-server") is None, reason="redis-server is not installed"
)


def start(path):
    """A server on this socket, once it answers."""
    command = ["redis-server", "--port", "0", "--unixsocket", str(path), "--save", ""]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, cwd=path.parent)
    with redis.Redis(unix_socket_path=str(path)) as client:
        for _ in range(1000):
            try:
                client.ping()
                break
            except redis.exceptions.ConnectionError:
                time.sleep(0.01)
    return server


def stop(server):
    server.terminate()
    server.wait()


@pytest.fixture(scope="module")
def socket(tmp_path_factory):
    path = tmp_path_factory.mktemp("redis") / "s"
    server = start(path)
    yield str(path)
    stop(server)


@pytest.fixture
def clients(socket):
    made = [redis.Redis(unix_socket_path=socket) for _ in range(2)]
    made[0].flushall()
    yield made
    for client in made:
        client.close()


@pytest.fixture
def gone():
    client = redis.Redis(unix_socket_path="/nonexistent/socket")
    yield client
    client.close()


def scripts_run(client):
    return client.info("commandstats").get("cmdstat_evalsha", {"calls": 0})["calls"]


def test_processes_share_one_rate(clients):
    limiters = [SharedRateLimiter(client, 10, 3600, name="api") for client in clients]
    taken = [limiter.try_acquire() for _ in range(10) for limiter in limiters]
    assert sum(taken) == 10
    with pytest.raises(RateLimitedError) as refused:
        limiters[0](int)()
    assert 0 < refused.value.retry_after <= 3600


def test_no_window_on_the_server_holds_more_than_the_limit(clients):
    limiter = SharedRateLimiter(clients[0], 5, 0.05, name="window")
    made = []
    while len(made) < 40:
        if limiter.try_acquire():
            made.append(time.monotonic())
    assert made[-1] - made[0] > 7 * 0.05 - 0.02  # eight periods, beside the round trips


def test_a_burst_is_a_part_of_the_shared_limit(clients):
    limiter = SharedRateLimiter(clients[0], 10, 3600, burst=3, name="burst")
    assert sum(limiter.try_acquire() for _ in range(10)) == 3
    with pytest.raises(RateLimitedError) as refused:
        limiter(int)()
    assert 359 < refused.value.retry_after <= 360


def test_many_calls_take_little_memory_of_the_server(clients):
    limiter = SharedRateLimiter(clients[0], 1000, 3600, name="many")
    assert sum(limiter.try_acquire() for _ in range(1100)) == 1000
    assert clients[0].llen("holdfast:limiter:{many}:calls") <= 2 * 128


def test_what_is_shared_is_made_in_each_process(clients):
    with pytest.raises(TypeError, match="make one in each process"):
        pickle.dumps(SharedRateLimiter(clients[0], 1, name="pickled"))


def test_a_batch_saves_round_trips_and_never_exceeds_the_rate(clients):
    limiters = [
        SharedRateLimiter(client, 24, 3600, name="batch", batch=4, freshness=60)
        for client in clients
    ]
    limiters[0]._script.registered_client.script_load(limiters[0]._script.script)
    before = scripts_run(clients[0])
    taken = [limiter.try_acquire() for _ in range(9) for limiter in limiters]
    assert sum(taken) == 18
    assert scripts_run(clients[0]) - before == 6
    assert sum(limiter.try_acquire() for _ in range(9) for limiter in limiters) == 6


def test_threads_that_ask_at_once_lose_nothing_of_what_each_was_granted(clients):
    limiter = SharedRateLimiter(clients[0], 80, 3600, name="at-once", batch=10, freshness=3600)
    script, meet = limiter._script, threading.Barrier(8)

    def ask(**arguments):
        meet.wait()  # all eight ask before one is answered
        return script(**arguments)

    limiter._script = ask
    taken = []
    threads = [
        threading.Thread(target=lambda: taken.append(limiter.try_acquire())) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert taken == [True] * 8
    limiter._script = script
    before = scripts_run(clients[0])
    assert sum(limiter.try_acquire() for _ in range(72)) == 72
    assert scripts_run(clients[0]) == before
    assert not limiter.try_acquire()


def test_eight_threads_make_exactly_the_calls_of_the_limit(clients):
    limiter = SharedRateLimiter(clients[0], 1000, 3600, name="exact", batch=7, freshness=3600)
    made = []

    def call():
        made.extend(1 for _ in range(200) if limiter.try_acquire())

    threads = [threading.Thread(target=call) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    while limiter.try_acquire():  # what a thread was granted after the others had ended
        made.append(1)
    assert len(made) == 1000


def test_calls_that_were_not_made_in_time_are_lost(clients):
    limiter = SharedRateLimiter(clients[0], 20, 3600, name="late", batch=10, freshness=3600)
    assert limiter.try_acquire()
    owner, granted = limiter._granted
    assert len(granted) == 9
    limiter._granted = owner, type(granted)([float("-inf")] * 9)  # an hour later
    assert sum(limiter.try_acquire() for _ in range(20)) == 10


def test_a_client_of_asyncio_is_refused_where_it_is_given():
    client = redis.asyncio.Redis(unix_socket_path="/nonexistent/socket")
    with pytest.raises(InvalidParameterError, match="redis must be a client of redis-py that"):
        SharedRateLimiter(client, 1, name="x")
    with pytest.raises(InvalidParameterError, match="redis must be a client of redis-py that"):
        SharedBreaker(CircuitBreaker(), client)


def test_without_redis_each_keeps_a_share_of_the_rate(gone, events):
    limiter = SharedRateLimiter(gone, 10, 3600, name="alone", local_share=0.5, freshness=60)
    assert sum(limiter.try_acquire() for _ in range(10)) == 5
    assert [event.kind for event in events] == ["shared.unreachable"]  # asked once


def test_a_circuit_opens_for_all(clients):
    breakers = [
        SharedBreaker(CircuitBreaker("db", failure_threshold=2), client, freshness=1e-9)
        for client in clients
    ]

    def down():
        raise OSError

    for _ in range(2):
        with pytest.raises(OSError):
            breakers[0](down)()
    assert breakers[1].breaker.state == "closed"
    with pytest.raises(CircuitOpenError) as refused:
        breakers[1](down)()
    assert 0 < refused.value.retry_after <= 30


def test_a_decision_is_no_staler_than_promised(clients):
    first, second = (
        SharedBreaker(CircuitBreaker("slow", failure_threshold=1), client, freshness=3600)
        for client in clients
    )
    assert second(int)() == 0  # asks now, and then not for an hour
    with pytest.raises(OSError):
        first(lambda: (_ for _ in ()).throw(OSError))()
    assert second(int)() == 0
    second._asked = float("-inf")  # an hour later
    with pytest.raises(CircuitOpenError):
        second(int)()


def test_a_circuit_that_closes_closes_for_all(clients, clock):
    breaker = CircuitBreaker("closing", failure_threshold=1, open_time=10, clock=clock)
    first = SharedBreaker(breaker, clients[0], freshness=1e-9)
    second = SharedBreaker(CircuitBreaker("closing"), clients[1], freshness=1e-9)
    with pytest.raises(OSError):
        first(lambda: (_ for _ in ()).throw(OSError))()
    with pytest.raises(CircuitOpenError):
        second(int)()
    clock.advance(10)
    assert first(int)() == 0
    assert second(int)() == 0


def test_without_redis_each_goes_on_by_itself(gone):
    breaker = SharedBreaker(CircuitBreaker(failure_threshold=1), gone)
    assert breaker(int)() == 0
    with pytest.raises(OSError):
        breaker(lambda: (_ for _ in ()).throw(OSError))()
    with pytest.raises(CircuitOpenError):
        breaker(int)()


def test_coroutines_share_too(clients):
    limiter = SharedRateLimiter(clients[0], 2, 3600, name="async")

    @limiter
    async def call():
        return 1

    async def main():
        return await asyncio.gather(*(call() for _ in range(3)), return_exceptions=True)

    results = asyncio.run(main())
    assert sorted(map(str, results))[:2] == ["1", "1"]
    assert sum(isinstance(result, RateLimitedError) for result in results) == 1


def test_rejects_parameters_outside_their_domain(gone):
    with pytest.raises(InvalidParameterError, match="local_share"):
        SharedRateLimiter(gone, 1, name="x", local_share=0)
    with pytest.raises(InvalidParameterError, match="batch must be at most 100000"):
        SharedRateLimiter(gone, 1, name="x", batch=100_001)
    with pytest.raises(InvalidParameterError, match="breaker"):
        SharedBreaker("db", gone)


def test_redis_goes_and_comes_back(tmp_path, events):
    path = tmp_path / "s"
    server = start(path)
    client = redis.Redis(unix_socket_path=str(path))
    limiter = SharedRateLimiter(client, 3, 3600, name="back", freshness=1e-9)
    breaker = SharedBreaker(CircuitBreaker("back", failure_threshold=1), client, freshness=1e-9)
    try:
        assert limiter.try_acquire()
        assert breaker(int)() == 0
        stop(server)
        assert [limiter.try_acquire() for _ in range(4)] == [True] * 3 + [False]  # its own
        assert breaker(int)() == 0
        assert {event.kind for event in events} == {"shared.unreachable"}
        server = start(path)
        assert limiter.try_acquire()  # the server has forgotten, and counts anew
        assert client.get("holdfast:breaker:back") is None
        with pytest.raises(OSError):
            breaker(lambda: (_ for _ in ()).throw(OSError))()
        assert client.get("holdfast:breaker:back") == b"open"
    finally:
        client.close()
        stop(server)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork")
def test_a_fork_does_not_double_what_was_granted_to_its_parent(clients):
    limiter = SharedRateLimiter(clients[0], 10, 3600, name="forked", batch=10, freshness=60)
    assert limiter.try_acquire()
    child = os.fork()
    if not child:
        os._exit(limiter.try_acquire())
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert sum(limiter.try_acquire() for _ in range(20)) == 9
