"""The engine of this machine behind a socket or a serial port."""

from __future__ import annotations

import contextlib
import socket
from typing import TYPE_CHECKING, Any

from holdfast.edge._errors import DeviceConnectionError
from holdfast.edge._links.channels import open_link
from holdfast.edge._links.descriptor import DescriptorLink
from holdfast.edge._links.serial import check_baudrate
from holdfast.errors import InvalidParameterError

if TYPE_CHECKING:
    from collections.abc import Callable

    from holdfast.edge._links.channels import Link

_IDLE_SECONDS = 0.5
_LAST_PORT = 65_535


def _converse(agent: Any, link: Link) -> None:
    """Carry bytes between agent and link until the link is gone."""
    busy = False
    while True:
        data = link.read(0.0 if busy else _IDLE_SECONDS)
        if data:
            agent.write(data)
        busy = agent.step()
        if answer := agent.read():
            link.write(bytes(answer))
            busy = True


def serve_agent(
    where: str,
    *,
    model: bytes | None = None,
    baudrate: int = 921_600,
    once: bool = False,
    ready: Callable[[str], object] | None = None,
) -> None:
    """Serve the framed protocol on `host:port` or a serial port, one profiler at a time.

    A profiler that lost its connection and comes back finds its request and its token
    records still there.

    Parameters
    ----------
    where : str
        `host:port` (port 0: any free one) or a serial port.
    model : bytes, optional
        GGUF to start with; a profiler may upload another.
    once : bool
        End when the first connection ends.
    ready : callable, optional
        Called with the address once it listens.

    Raises
    ------
    InvalidParameterError, DeviceConnectionError
        When `where` cannot be served.
    """
    from holdfast._core import LocalAgent

    check_baudrate(baudrate)
    agent = LocalAgent(model)
    if where.startswith("/") or "://" in where:
        link = open_link(where, baudrate=baudrate)
        if ready is not None:
            ready(link.name)
        with contextlib.suppress(DeviceConnectionError), contextlib.closing(link):
            _converse(agent, link)
        return
    host, _, port = where.rpartition(":")
    if not host or not port.isdigit() or int(port) > _LAST_PORT:
        raise InvalidParameterError(
            f"where must be host:port (0 to {_LAST_PORT}) or a serial port, got {where!r}"
        )
    try:
        server = socket.create_server((host, int(port)))
    except OSError as error:
        raise DeviceConnectionError(where, "agent", error) from error
    with server:
        if ready is not None:
            address = server.getsockname()
            ready(f"tcp://{address[0]}:{address[1]}")
        while True:
            made, _ = server.accept()
            made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            descriptor = made.detach()
            link = DescriptorLink(descriptor, descriptor, where, "tcp")
            with contextlib.suppress(DeviceConnectionError), contextlib.closing(link):
                _converse(agent, link)
            if once:
                return
