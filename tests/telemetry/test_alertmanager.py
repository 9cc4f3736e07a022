"""Silences and inhibition of random alerts: ours against a running Alertmanager."""

import json
import random
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request
from datetime import datetime, timedelta, timezone

import pytest

from holdfast.errors import InvalidParameterError
from holdfast.telemetry import (
    AlertManager,
    AlertRule,
    AlertSeverity,
    AlertState,
    MetricCollector,
    Silence,
)

PROGRAM = shutil.which("prometheus-alertmanager") or shutil.which("alertmanager")
pytestmark = pytest.mark.skipif(
    PROGRAM is None, reason="Alertmanager is not installed (tools/install_servers.sh)"
)
CASES = 150
LABELS = ("host", "rack", "zone")
VALUES = ("", "x", "y", "xy")
RULES = {"hot": AlertSeverity.WARNING, "dead": AlertSeverity.CRITICAL}


def matcher(draw):
    name = draw.choice([*LABELS, "severity", "alertname", "gone"])
    values = {"severity": ("warning", "critical"), "alertname": ("hot", "dead")}
    value = draw.choice(values.get(name, VALUES))
    operator = draw.choice(["=", "=", "!=", "=~", "!~"])
    if "~" in operator:
        value = draw.choice([value, "x|y", ".+", "x.*", ".*"])
    return name, operator, value


def written(matchers):
    return ", ".join(f'{name}{operator}"{value}"' for name, operator, value in matchers)


class Case:
    """Alerts of two rules, inhibitions and silences, all told apart by the label `case`."""

    def __init__(self, number):
        draw = random.Random(number)
        self.mine = ("case", "=", str(number))
        self.alerts = {}
        for _ in range(draw.randint(1, 6)):
            labels = {name: draw.choice(VALUES) for name in LABELS}
            labels = {name: value for name, value in labels.items() if value}
            labels["case"] = str(number)
            key = draw.choice(list(RULES)), tuple(sorted(labels.items()))
            self.alerts[key] = draw.random() < 0.85  # it fires
        self.inhibitions = [
            (
                [self.mine] + [matcher(draw) for _ in range(draw.randint(0, 2))],
                [self.mine] + [matcher(draw) for _ in range(draw.randint(0, 2))],
                sorted(draw.sample([*LABELS, "gone"], draw.randint(0, 2))),
            )
            for _ in range(draw.randint(0, 3))
        ]
        self.silences = [
            (
                [self.mine] + [matcher(draw) for _ in range(draw.randint(0, 2))],
                draw.random() < 0.8,  # it has begun
            )
            for _ in range(draw.randint(0, 2))
        ]


def ours(case):
    """Which alerts fire, and which of them are muted, by our `AlertManager`."""
    collector = MetricCollector()
    manager = AlertManager(collector)
    manager.alert_rules.clear()
    for name, severity in RULES.items():
        manager.add_rule(AlertRule(name, f"{name}_metric", "gt", 0.5, severity, 0))
    now = time.time()
    for (name, labels), fires in case.alerts.items():
        collector.record_value(f"{name}_metric", float(fires), now, dict(labels))
    for source, target, equal in case.inhibitions:
        manager.add_inhibition(written(source), written(target), equal)
    for matchers, begun in case.silences:
        if begun:
            manager.add_silence(written(matchers), 60)
        else:
            later = Silence(written(matchers), now + 3600, now + 7200)
            manager.silences[later.id] = later
    manager.evaluate(time.time())
    return {
        (alert.rule_name, tuple(sorted(alert.labels.items()))): alert.state
        is AlertState.SILENCED
        for alert in manager.get_active_alerts()
    }


class Server:
    def __init__(self, folder, cases):
        rules = [
            {
                "source_matchers": written(source).split(", "),
                "target_matchers": written(target).split(", "),
                "equal": equal,
            }
            for case in cases
            for source, target, equal in case.inhibitions
        ]
        config = {
            "route": {"receiver": "nobody"},
            "receivers": [{"name": "nobody"}],
            "inhibit_rules": rules,
        }
        path = folder / "alertmanager.json"  # which is YAML too
        path.write_text(json.dumps(config))
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        self.process = subprocess.Popen(
            [
                PROGRAM,
                f"--config.file={path}",
                f"--storage.path={folder}",
                f"--web.listen-address=127.0.0.1:{port}",
                "--cluster.listen-address=",
                "--log.level=error",
            ],
            stderr=subprocess.PIPE,
        )

    def ready(self):
        until = time.monotonic() + 30
        while time.monotonic() < until:
            try:
                with urllib.request.urlopen(f"{self.url}/-/ready"):  # noqa: S310
                    return
            except OSError:
                assert self.process.poll() is None, self.process.stderr.read().decode()
                time.sleep(0.02)
        pytest.fail("Alertmanager was not ready within 30 s")

    def ask(self, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        asked = urllib.request.Request(  # noqa: S310
            f"{self.url}/api/v2/{path}", data, {"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(asked) as answer:  # noqa: S310
            text = answer.read()
        return json.loads(text) if text else None

    def silence(self, matchers, start, end):
        told = [
            {"name": name, "value": value, "isRegex": "~" in op, "isEqual": "!" not in op}
            for name, op, value in matchers
        ]
        times = {"startsAt": start.isoformat(), "endsAt": end.isoformat()}
        return self.ask(
            "silences", {"matchers": told, "createdBy": "t", "comment": "t", **times}
        )

    def states(self):
        return {
            (labels.pop("alertname"), tuple(sorted(labels.items()))): status["state"]
            == "suppressed"
            for labels, status in (
                (
                    {k: v for k, v in alert["labels"].items() if k != "severity"},
                    alert["status"],
                )
                for alert in self.ask("alerts")
            )
        }


@pytest.fixture(scope="module")
def cases():
    return [Case(number) for number in range(CASES)]


@pytest.fixture(scope="module")
def server(cases, tmp_path_factory):
    server = Server(tmp_path_factory.mktemp("alertmanager"), cases)
    try:
        server.ready()
        yield server
    finally:
        server.process.terminate()
        server.process.wait(10)
        server.process.stderr.close()


def test_the_same_alerts_are_muted(server, cases):
    now = datetime.now(timezone.utc)
    hour = timedelta(hours=1)
    alerts = []
    for case in cases:
        for (name, labels), fires in case.alerts.items():
            severity = RULES[name].value
            end = now + hour if fires else now - timedelta(minutes=1)
            alerts.append(
                {
                    "labels": {"alertname": name, "severity": severity, **dict(labels)},
                    "startsAt": (now - hour).isoformat(),
                    "endsAt": end.isoformat(),
                }
            )
        for matchers, begun in case.silences:
            start = now if begun else now + hour
            server.silence(matchers, start, now + 2 * hour)
    server.ask("alerts", alerts)
    expected = {key: muted for case in cases for key, muted in ours(case).items()}
    # It takes alerts in with threads of its own.
    until = time.monotonic() + 10
    while (theirs := server.states()) != expected and time.monotonic() < until:
        time.sleep(0.05)
    assert theirs == expected
    assert 0.1 < sum(expected.values()) / len(expected) < 0.9


@pytest.mark.parametrize(
    "matchers",
    [
        [("ghost", "=", "")],
        [("ghost", "=~", ".*")],
        [("ghost", "!=", "x")],
        [("ghost", "=", ""), ("spirit", "!~", "x|y")],
        [("ghost", "=", "x")],
        [("ghost", "=", ""), ("spirit", "=", "x")],
        [("ghost", "!=", "")],
        [("ghost", "=~", ".+")],
    ],
    ids=written,
)
def test_a_silence_that_would_mute_everything_is_refused_by_both(server, matchers):
    now = datetime.now(timezone.utc)
    try:
        Silence(written(matchers), 0, 1)
        refused = False
    except InvalidParameterError:
        refused = True
    try:
        server.silence(matchers, now, now + timedelta(seconds=5))
        refused_there = False
    except urllib.error.HTTPError as error:
        refused_there = error.code == 400
        error.close()
    assert refused is refused_there
