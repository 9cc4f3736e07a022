"""Start a Redis for experiments with shared guards: `python tools/redis_server.py`.

Needs redis-server (Debian: `apt-get install redis-server`). It listens on a socket in a
folder of its own, keeps nothing, and stops with Ctrl-C.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile


def main() -> int:
    program = shutil.which("redis-server")
    if program is None:
        print("redis-server is not installed", file=sys.stderr)  # noqa: T201
        return 1
    with tempfile.TemporaryDirectory(prefix="holdfast-redis-") as folder:
        socket = f"{folder}/redis.sock"
        print(f"redis.Redis(unix_socket_path={socket!r})", flush=True)  # noqa: T201
        command = [program, "--port", "0", "--unixsocket", socket, "--save", ""]
        try:
            return subprocess.call(command, cwd=folder, stdout=subprocess.DEVNULL)  # noqa: S603
        except KeyboardInterrupt:
            return 0


if __name__ == "__main__":
    sys.exit(main())
