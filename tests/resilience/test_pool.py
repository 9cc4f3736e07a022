import asyncio
import gc
import threading

import pytest

from holdfast.errors import BulkheadFullError, InvalidParameterError, RejectedError
from holdfast.resilience import Pool


class Connection:
    made = 0

    def __init__(self):
        type(self).made += 1
        self.number = self.made
        self.healthy = True
        self.closed = False

    def close(self):
        self.closed = True


@pytest.fixture
def connection():
    return type("Connection", (Connection,), {"made": 0})


def test_resources_are_made_when_needed_and_used_again(connection):
    pool = Pool(connection, max_size=2)
    with pool.lease() as first, pool.lease() as second:
        assert (first.number, second.number) == (1, 2)
        assert pool.counts == (0, 2)
    with pool.lease() as again:
        assert again is first
    assert (connection.made, pool.counts) == (2, (2, 0))


def test_no_more_are_lent_than_there_are(connection):
    pool = Pool(connection, max_size=1, max_wait=0)
    with pool.lease(), pytest.raises(BulkheadFullError), pool.lease():
        pass
    pool = Pool(connection, max_size=3, max_wait=10)
    inside, most = [], []

    def worker():
        for _ in range(30):
            with pool.lease() as lent:
                inside.append(lent)
                most.append(len(set(inside)))
                assert inside.count(lent) == 1
                inside.remove(lent)

    threads = [threading.Thread(target=worker) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert max(most) <= 3
    assert len(most) == 240


def test_the_sick_are_replaced_before_they_are_lent(connection):
    pool = Pool(connection, check=lambda c: c.healthy)
    with pool.lease() as first:
        pass
    first.healthy = False
    with pool.lease() as second:
        assert second is not first
    assert first.closed
    pool = Pool(connection, check=lambda c: 1 / 0)
    with pool.lease() as third:
        pass
    with pool.lease() as fourth:
        assert fourth is not third


def test_what_failed_in_use_is_checked(connection):
    pool = Pool(connection, check=lambda c: c.healthy)
    for healthy in (True, False):
        with pytest.raises(OSError), pool.lease() as lent:
            lent.healthy = healthy
            raise OSError
        assert lent.closed != healthy


def test_the_idle_and_the_old_are_closed(connection, clock):
    pool = Pool(connection, max_idle=10, max_age=100, clock=clock)
    with pool.lease() as lent:
        pass
    clock.advance(11)
    pool.sweep()
    assert lent.closed
    with pool.lease() as lent:
        clock.advance(101)
    assert lent.closed


def test_leaks_are_told_with_their_place(connection, clock, events):
    pool = Pool(connection, leak_after=5, name="p", clock=clock)
    with pool.lease():
        clock.advance(6)
        pool.sweep()
        pool.sweep()
    assert [(e.kind, e.source) for e in events] == [("pool.leaked", "p")]
    assert "test_pool.py" in events[0].attributes["taken_at"]


def test_a_forgotten_lease_gives_its_place_back(connection, events):
    pool = Pool(connection, max_size=1, max_wait=0)
    lent = pool.lease().__enter__()
    gc.collect()
    assert lent.closed
    assert [e.kind for e in events] == ["pool.leaked"]
    with pool.lease() as other:
        assert other is not lent


def test_draining_closes_everything_as_it_comes_back(connection):
    pool = Pool(connection)
    with pool.lease() as lent:
        with pool.lease() as idle:
            pass
        pool.drain()
        assert (idle.closed, lent.closed) == (True, False)
        with pytest.raises(RejectedError), pool.lease():
            pass
    assert lent.closed


def test_making_one_may_fail_and_the_place_is_free_again(faulty):
    pool = Pool(faulty(OSError(), result="made"), max_size=1, max_wait=0)
    with pytest.raises(OSError), pool.lease():
        pass
    with pool.lease() as lent:
        assert lent == "made"


def test_coroutines_make_check_and_close(connection):
    closed = []

    async def create():
        await asyncio.sleep(0)
        return connection()

    async def check(lent):
        await asyncio.sleep(0)
        return lent.healthy

    async def close(lent):
        closed.append(lent.number)

    pool = Pool(create, check=check, close=close, max_size=2, max_wait=10)

    async def use():
        async with pool.lease() as lent:
            await asyncio.sleep(0)
            return lent

    async def main():
        lent = await asyncio.gather(*(use() for _ in range(10)))
        assert {c.number for c in lent} == {1, 2}
        for c in lent:
            c.healthy = False
        assert (await use()).number == 3

    asyncio.run(main())
    assert sorted(closed) == [1, 2]


@pytest.mark.parametrize(
    "parameters",
    [{"create": 3}, {"max_size": 0}, {"max_age": 0}, {"leak_after": -1}, {"check": 1}],
    ids=str,
)
def test_rejects_parameters_outside_their_domain(parameters):
    with pytest.raises(InvalidParameterError):
        Pool(**{"create": object, **parameters})


def test_a_full_pool_says_what_is_lent():
    pool = Pool(object, max_size=1, max_wait=0, name="links")
    with (
        pool.lease(),
        pytest.raises(BulkheadFullError, match="links is full: 1 resources are lent"),
    ):
        pool.lease().__enter__()

    async def main():
        async with pool.lease():
            with pytest.raises(BulkheadFullError, match="resources are lent"):
                await pool.lease().__aenter__()

    asyncio.run(main())


class Socket:
    """Closed in a coroutine."""

    closed = 0

    async def close(self):
        Socket.closed += 1


def failing_check(failure):
    async def check(_):
        raise failure

    return check


def test_a_check_in_a_coroutine_that_raises_says_no():
    pool = Pool(Socket, max_size=1, max_wait=0, check=failing_check(OSError()))

    async def lease_twice():
        async with pool.lease() as first:
            pass
        async with pool.lease() as second:
            return first is not second

    assert asyncio.run(lease_twice())
    assert pool.counts == (1, 0)


@pytest.mark.parametrize("in_block", [False, True])
def test_a_lease_cancelled_in_its_check_gives_the_resource_up(in_block):
    checking = []

    async def check(_):
        checking.append(1)
        await asyncio.sleep(60)

    pool = Pool(Socket, max_size=1, max_wait=0, check=check)

    async def lease(*, failing):
        async with pool.lease():
            if failing:
                raise KeyError

    async def run():
        if not in_block:
            await lease(failing=False)
        task = asyncio.create_task(lease(failing=in_block))
        while not checking:
            await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        async with pool.lease():
            assert pool.counts == (0, 1)

    asyncio.run(run())
    assert pool.counts == (1, 0)


def test_an_interrupted_check_gives_the_resource_up():
    def check(_):
        raise KeyboardInterrupt

    pool = Pool(dict, max_size=1, max_wait=0, check=check)
    with pool.lease():
        pass
    with pytest.raises(KeyboardInterrupt), pool.lease():
        pass
    assert pool.counts == (0, 0)
    with pool.lease():
        assert pool.counts == (0, 1)


def test_what_closing_in_a_coroutine_raises_is_logged(caplog):
    async def close(_):
        raise OSError("gone")

    pool = Pool(dict, max_size=1, max_wait=0, check=lambda _: False, close=close)

    async def lease_twice():
        for _ in range(2):
            async with pool.lease():
                pass

    asyncio.run(lease_twice())
    assert "closing a resource" in caplog.text


def test_draining_in_an_event_loop_closes_in_it():
    pool = Pool(Socket, max_size=1)

    async def run():
        async with pool.lease():
            pass
        before = Socket.closed
        pool.drain()
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        return Socket.closed - before

    assert asyncio.run(run()) == 1


def test_draining_without_an_event_loop_says_what_stays_open(caplog):
    pool = Pool(Socket, max_size=1)
    with pool.lease():
        pass
    pool.drain()
    assert "takes an event loop" in caplog.text


def test_a_lease_is_entered_once_at_a_time():
    pool = Pool(dict, max_size=2, max_wait=0)
    lease = pool.lease()
    with lease, pytest.raises(RuntimeError, match="in use"):
        lease.__enter__()
    with lease:
        pass
    assert pool.counts == (1, 0)
