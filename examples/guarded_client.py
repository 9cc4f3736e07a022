"""A client of a service that fails now and then, guarded, counted and watched."""

import threading
import urllib.request
from http.server import BaseHTTPRequestHandler, HTTPServer

from holdfast import telemetry
from holdfast.resilience import CircuitBreaker, Fallback, Pipeline, Retry, Timeout


class Moody(BaseHTTPRequestHandler):
    """Answers, but for every third request, and for eleven in a row."""

    requests = 0
    down = range(10, 21)

    def do_GET(self) -> None:
        """Answer."""
        type(self).requests += 1
        n = self.requests
        self.send_response(503 if n % 3 == 0 or n in self.down else 200)
        self.end_headers()
        self.wfile.write(b"21.5")

    def log_message(self, *_: object) -> None:
        """Say nothing."""


server = HTTPServer(("127.0.0.1", 0), Moody)
threading.Thread(target=server.serve_forever, daemon=True).start()
address = f"http://127.0.0.1:{server.server_port}/temperature"

# Outermost first: the fallback sees what is left after all attempts, the breaker each of them.
guarded = Pipeline(
    Fallback(value=None),
    Retry(3, on=OSError, base_delay=0.001),
    CircuitBreaker("thermometer", failure_threshold=3, open_time=30.0),
    Timeout(2.0),
    name="thermometer",
)
readings = telemetry.counter("readings", "Readings by what became of them.", labels=("end",))


@guarded
def temperature() -> float:
    """Ask the service."""
    with telemetry.span("temperature"), urllib.request.urlopen(address, timeout=1.0) as answer:
        return float(answer.read())


with telemetry.record_spans() as spans:
    for _ in range(20):
        value = temperature()
        readings.labels("none" if value is None else "read").inc()
server.shutdown()
server.server_close()

breaker = guarded.policies[2]
print("requests made:", Moody.requests, "of up to 60")
print("breaker:", breaker.get_status()["state"])
print("failed attempts, seen as spans:", sum(span.status == "error" for span in spans))
for line in telemetry.expose().decode().splitlines():
    if line.startswith(("readings_total", "holdfast_retries_total")):
        print(line)
