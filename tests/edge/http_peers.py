"""Model servers with scripted answers."""

import contextlib
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class HttpPeer:
    """An HTTP server with scripted answers: path -> JSON, or a list of (seconds, bytes)."""

    def __init__(self, routes, status=None):
        self.routes, self.requests = routes, []
        peer, codes = self, status or {}

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def log_message(self, *arguments):
                pass

            def handle(self):
                # A client that hangs up in the middle is part of the script.
                with contextlib.suppress(ConnectionError):
                    super().handle()

            def finish(self):
                with contextlib.suppress(OSError, ValueError):
                    super().finish()

            def answer(self):
                length = int(self.headers.get("Content-Length") or 0)
                body = json.loads(self.rfile.read(length)) if length else None
                peer.requests.append((self.command, self.path, body))
                script = peer.routes.get(self.path)
                if callable(script):
                    script = script(body)
                if isinstance(script, list):
                    self.send_response(200)
                    self.send_header("Transfer-Encoding", "chunked")
                    self.end_headers()
                    for seconds, data in script:
                        time.sleep(seconds)
                        if data is None:
                            self.close_connection = True
                            return
                        self.wfile.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")
                    self.wfile.write(b"0\r\n\r\n")
                    return
                content = (
                    script.encode() if isinstance(script, str) else json.dumps(script).encode()
                )
                self.send_response(codes.get(self.path, 404 if script is None else 200))
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            do_GET = do_POST = answer  # noqa: N815

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()


def sse(*events):
    return b"".join(
        b"data: " + (event if isinstance(event, str) else json.dumps(event)).encode() + b"\n\n"
        for event in events
    )


def ndjson(*events):
    return b"".join(json.dumps(event).encode() + b"\n" for event in events)
