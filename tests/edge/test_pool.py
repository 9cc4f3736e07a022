import threading

import pytest
from edge_peers import LineDevice, PtyPeer, Silent

from holdfast.edge import (
    DeviceError,
    DevicePool,
    DeviceTimeoutError,
    EdgeProfiler,
    ProfilingConfig,
    goodput,
)
from holdfast.errors import InvalidParameterError

CONFIG = ProfilingConfig(max_retries=0, heartbeat_interval=0.0)


@pytest.fixture
def board(peer):
    def make(device=None):
        path = peer(PtyPeer, device or LineDevice()).path
        return EdgeProfiler("esp32", path, config=CONFIG, protocol="line")

    return make


def test_each_device_is_lent_to_one_caller_at_a_time(board):
    with DevicePool([board(), board()]) as pool:
        with pool.lease() as one, pool.lease() as other:
            assert one is not other
            assert pool.statistics() == {"size": 2, "idle": 0, "lent": 2, "resting": 0}
            with pytest.raises(DeviceTimeoutError, match="lease"), pool.lease(0.01):
                pass
        assert pool.statistics()["idle"] == 2


def test_a_waiting_caller_gets_the_device_that_comes_back(board):
    with DevicePool([board()]) as pool:
        got = []

        def wait():
            with pool.lease(300) as device:
                got.append(device)

        with pool.lease() as device:
            thread = threading.Thread(target=wait)
            thread.start()
        thread.join(300)
        assert got == [device]


def test_a_device_that_does_not_answer_rests_while_others_are_lent(board):
    with DevicePool([board(Silent()), board()], retry_seconds=100) as pool:
        with pool.lease(30) as device:
            assert device.is_connected
        assert pool.statistics()["resting"] == 1


def test_a_closed_pool_lends_nothing(board):
    pool = DevicePool([board()])
    pool.close()
    with pytest.raises(DeviceError, match="closed"), pool.lease():
        pass


def test_a_device_that_comes_back_to_a_closed_pool_is_disconnected(board):
    pool = DevicePool([board()])
    with pool.lease() as device:
        pool.close()
        assert device.is_connected
    assert not device.is_connected


def test_a_lease_that_fails_says_what_the_device_failed_of(board):
    with (
        DevicePool([board(Silent())], retry_seconds=1000) as pool,
        pytest.raises(DeviceTimeoutError, match=r"the last failure: .*PING"),
        pool.lease(3.0),
    ):
        pass
    assert pool.statistics()["resting"] == 1


def test_ctrl_c_while_a_device_is_opened_leaves_it_in_the_pool(board, monkeypatch):
    def pressed(self):
        raise KeyboardInterrupt

    monkeypatch.setattr(EdgeProfiler, "connect", pressed)
    with DevicePool([board()]) as pool:
        with pytest.raises(KeyboardInterrupt), pool.lease():
            pass
        assert pool.statistics()["idle"] == 1


def test_pools_hold_one_kind(board):
    with pytest.raises(InvalidParameterError, match="one platform"):
        DevicePool([board(), EdgeProfiler("host")])
    with pytest.raises(InvalidParameterError, match="at least one"):
        DevicePool([])


def test_goodput_counts_requests_that_keep_every_limit(make_generation):
    records = [make_generation(i, ttft_ms=10 * (i + 1)) for i in range(10)]
    records[0].status = "partial"
    records[1].warm_up = True
    found = goodput(records, {"ttft_ms": 50.001, "tpot_ms": 6})
    assert (found.good, found.requests) == (3, 9)
    assert found.share == pytest.approx(1 / 3)
    assert goodput(records, {"tpot_ms": 4}).good == 0
    with pytest.raises(InvalidParameterError, match="speed"):
        goodput(records, {"speed": 1})
    with pytest.raises(InvalidParameterError, match="none"):
        goodput(records, {})
