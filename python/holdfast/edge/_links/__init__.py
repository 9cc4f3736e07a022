"""Ways to a device: bytes over ports, sockets and programs."""
