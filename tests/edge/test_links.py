import shutil
import sys
from pathlib import Path

import pytest
from edge_peers import LineDevice, PtyPeer, TcpPeer

from holdfast.edge import (
    DeviceConnectionError,
    DeviceTimeoutError,
    EdgeProfiler,
    ProfilingConfig,
)
from holdfast.edge._backends.lines import LineChannel, one_line
from holdfast.edge._links.channels import ProcessLink, open_link
from holdfast.edge._links.pace import Pace
from holdfast.edge._links.qemu import Emulated
from holdfast.edge._links.serial import check_port, list_ports
from holdfast.errors import InvalidDataError, InvalidParameterError


def ask(link, text, timeout=2.0):
    channel = LineChannel(link)
    channel.send(text)
    return channel.line(timeout)[0]


def test_a_pty_carries_lines_both_ways_without_echo(peer):
    device = peer(PtyPeer, LineDevice())
    link = open_link(f"pty://{device.path}", baudrate=115_200)
    assert ask(link, "PING\n") == "PONG"
    assert link.read(0.0) == b""
    link.close()
    link.close()


@pytest.mark.parametrize("piece", [1, 2, None])
def test_tcp_lines_survive_any_split(peer, piece):
    device = peer(TcpPeer, LineDevice, piece=piece)
    link = open_link(device.url)
    assert ask(link, "METRICS\n") == "METRICS:10.5,200,7.5"
    link.close()


def test_a_program_is_a_device_too():
    code = "import sys\nfor line in sys.stdin: print(line.strip()[::-1], flush=True)"
    link = ProcessLink([sys.executable, "-c", code])
    assert ask(link, "abc\n") == "cba"
    link.close()
    assert link.process.returncode is not None


def test_an_unplugged_device_is_an_error_not_silence(peer):
    device = peer(PtyPeer, LineDevice())
    link = open_link(device.path, baudrate=9600)
    device.unplug()
    with pytest.raises(DeviceConnectionError):
        link.read(0.01)
    link.close()


def test_a_closed_server_is_a_lost_connection(peer):
    device = peer(TcpPeer, LineDevice, drop_after=0)
    link = open_link(device.url)
    link.write(b"PING\n")
    with pytest.raises(DeviceConnectionError, match="closed"):
        link.read(2.0)
    link.close()


def test_nobody_listening_is_a_connection_error():
    with pytest.raises(DeviceConnectionError):
        open_link("tcp://127.0.0.1:1")
    with pytest.raises(DeviceConnectionError):
        open_link("process:///no/such/program")
    with pytest.raises(DeviceConnectionError):
        open_link("/dev/ttyUSB99")


def test_a_silent_device_times_out(peer):
    device = peer(PtyPeer, LineDevice(answers={"PING": None}))
    link = open_link(device.path)
    with pytest.raises(DeviceTimeoutError):
        ask(link, "PING\n", 0.01)
    link.close()


@pytest.mark.parametrize(
    "path",
    [
        "/dev/null", "/dev/../etc/shadow", "/dev/ttyUSB0;reboot", "/dev/tty$(id)", "COMBINE", "",
        "ttyUSB0", "/dev/ttyUSB0\n", "/etc/passwd", "/tmp/../etc/passwd",
    ],
)  # fmt: skip
def test_only_serial_ports_are_opened(path):
    with pytest.raises(InvalidParameterError, match="device"):
        check_port(path)


@pytest.mark.parametrize(
    "path",
    ["/dev/ttyUSB0", "/dev/ttyACM12", "/dev/serial/by-id/usb-Espressif_USB-if00", "/dev/pts/3"],
)
def test_serial_ports_are_known_by_name(path):
    assert check_port(path) == path


@pytest.mark.parametrize("target", ["tcp://host", "ftp://x:1", "process://"])
def test_targets_that_name_no_link_are_refused(target):
    with pytest.raises(InvalidParameterError):
        open_link(target)


def test_an_unknown_speed_is_refused(peer):
    device = peer(PtyPeer, LineDevice())
    with pytest.raises(InvalidParameterError, match="baudrate"):
        open_link(device.path, baudrate=123)


@pytest.mark.parametrize("policy", ["keep", "none", "reset"])
def test_control_lines_follow_the_policy_where_there_are_any(peer, policy):
    device = peer(PtyPeer, LineDevice())
    link = open_link(device.path, control_lines=policy)
    link.set_baudrate(921_600)
    assert (link.baudrate, ask(link, "PING\n")) == (921_600, "PONG")
    link.close()


def test_qemu_is_started_by_arguments(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("a b;c.elf", "x"):
        Path(name).touch()
    one = Emulated("qemu://mps2-an386?kernel=a b;c.elf&icount=6")
    assert one.arguments()[-2:] == ["-icount", "shift=6,sleep=off"]
    assert "a b;c.elf" in one.arguments()
    with pytest.raises(InvalidParameterError, match="icount"):
        Emulated("qemu://mps2-an386?kernel=x&icount=6,readconfig")
    with pytest.raises(InvalidParameterError, match="got kernal"):
        Emulated("qemu://mps2-an386?kernal=x")
    assert Emulated("qemu://netduinoplus2").arguments()[4].endswith("netduinoplus2.elf")
    with pytest.raises(InvalidParameterError, match="kernel"):
        Emulated("qemu://microbit")


@pytest.mark.parametrize("board", ["mps2-an386", "netduinoplus2"])
@pytest.mark.timeout(600)
def test_an_emulated_board_says_what_this_machine_says(board, tiny_model):
    if shutil.which("qemu-system-arm") is None:
        pytest.skip("needs tools/install_servers.sh")
    config = ProfilingConfig(
        max_new_tokens=6, measurement_iterations=2, warmup_iterations=0, heartbeat_interval=0.0
    )
    results = []
    for platform, device in (("qemu", f"qemu://{board}?icount=6"), ("host", None)):
        with EdgeProfiler(platform, device, config=config) as profiler:
            results.append(profiler.profile_model(tiny_model, ["abc"], ["latency"]))
    assert {one.digest for one in results[0].records} == {
        one.digest for one in results[1].records
    }
    assert results[0].measurements["decode_tps"].clock == "virtual"


def test_ports_are_found_with_their_usb_ids(tmp_path):
    usb = tmp_path / "devices" / "1-1"
    (usb / "1-1:1.0" / "ttyUSB0").mkdir(parents=True)
    for name, text in (("idVendor", "10c4"), ("idProduct", "ea60"), ("product", "CP2102")):
        (usb / name).write_text(text + "\n")
    tty = tmp_path / "tty"
    for name in ("ttyUSB0", "tty0"):
        (tty / name).mkdir(parents=True)
    (tty / "ttyUSB0" / "device").symlink_to(usb / "1-1:1.0" / "ttyUSB0")
    (port,) = list_ports(tty)
    assert (port.path, port.vendor, port.product) == ("/dev/ttyUSB0", "10c4", "ea60")
    assert port.description == "CP2102"
    assert port.serial is None
    assert list_ports(tmp_path / "none") == []


@pytest.mark.parametrize("text", ["a\nINFER:b", "a\rb", "a\0b", "a\x85b", "a\u2028b"])
def test_a_prompt_cannot_hold_a_second_command(text):
    with pytest.raises(InvalidDataError, match="prompt"):
        one_line(text)


def test_only_a_full_line_is_read_in_larger_pieces(monkeypatch):
    rests = []
    monkeypatch.setattr("holdfast.edge._links.pace.time.sleep", rests.append)
    pace, now = Pace(), 100.0
    for gap in (0.003, 0.001, 0.001, 0.001, 0.001, 0.001, 0.001, 0.001):
        now += gap
        pace.read(now)
        pace.rest()
    assert rests == []
    for _ in range(3):
        now += 0.001
        pace.read(now)
        pace.rest()
        now += sum(rests[-1:])
    assert len(rests) == 3
    pace.read(now + 0.01)
    assert not pace.is_dense
