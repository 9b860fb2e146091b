"""The real Prometheus and Alertmanager on a copy of config/prometheus, with its time run faster, and a receiver of what
they send: webhooks, Slack's and mail."""

import http.client
import http.server
import json
import re
import shutil
import socketserver
import subprocess
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

from alerting import FOLDER
from server import free_port

FACTOR = 12
"""How much faster time goes: five seconds for a minute, in every interval, window and waiting time of the copy."""

SECONDS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400}


def seconds(duration: str) -> float:
    """The seconds of a duration as Prometheus writes them: `1m`, `30s`."""
    number, unit = re.fullmatch(r"(\d+)(ms|s|m|h|d)", duration).groups()
    return int(number) * SECONDS[unit]


def hastened(text: str) -> str:
    """The same rules or settings, `FACTOR` times as fast: whatever is a value or a range of its own is a duration."""
    def faster(match) -> str:
        return f"{match[1]}{round(seconds(match[2]) * 1000 / FACTOR)}ms"

    return re.sub(r"(\[|(?:for|\w*interval|group_wait): )(\d+[smhd])\b", faster, text)


@dataclass
class Message:
    """What was sent to somebody: to which address, what, and when by the monotonic clock."""

    to: str
    text: str
    at: float = field(default_factory=time.monotonic)


class Receiver:
    """Takes webhooks on one port, by their path, and mails on another, by their addressee."""

    def __init__(self):
        self.messages: list[Message] = []
        messages = self.messages

        class Webhooks(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                messages.append(Message(self.path, body))
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_):
                pass

        class Mails(socketserver.StreamRequestHandler):
            """As much of SMTP (RFC 5321) as a client needs that has one mail to send."""

            def handle(self):
                self.say("220 ready")
                addressee = ""
                while command := self.rfile.readline().decode().strip():
                    if command.upper().startswith("RCPT"):
                        addressee = command.partition("<")[2].partition(">")[0]
                    if command.upper() == "DATA":
                        self.say("354 go on")
                        text = "".join(iter(lambda: self.rfile.readline().decode(), ".\r\n"))
                        messages.append(Message(addressee, text))
                    self.say("221 bye" if command.upper() == "QUIT" else "250 ok")

            def say(self, line: str):
                self.wfile.write(f"{line}\r\n".encode())

        self.servers = [
            http.server.ThreadingHTTPServer(("127.0.0.1", 0), Webhooks),
            socketserver.ThreadingTCPServer(("127.0.0.1", 0), Mails),
        ]
        self.web, self.mail = (server.server_address[1] for server in self.servers)
        for server in self.servers:
            server.daemon_threads = True
            threading.Thread(target=server.serve_forever, daemon=True).start()

    def close(self):
        for server in self.servers:
            server.shutdown()
            server.server_close()

    def await_message(self, to: str, *texts: str, until: float) -> Message:
        """The first message to somebody with all the texts in it, awaited until an instant of the monotonic clock."""
        while True:
            for message in list(self.messages):
                if message.to == to and all(text in message.text for text in texts):
                    return message
            told = sorted({(message.to, alert) for message in list(self.messages)
                           for alert in re.findall(r"FlagServer\w+", message.text)})
            assert time.monotonic() < until, f"nothing of {texts} to {to}, but {told}"
            time.sleep(0.05)


class Monitoring:
    """Prometheus and Alertmanager that watch servers, as they are shipped but for addresses and time. `guarded` is the
    address of the server that alerts may take flags from; the receiver's, unless given."""

    def __init__(self, folder: Path, targets: list[str], key: str, guarded: str | None = None, guard: str = ""):
        self.folder = folder
        self.receiver = Receiver()
        self.prometheus, self.alertmanager = free_port(), free_port()
        self.processes: list[subprocess.Popen] = []
        for path in FOLDER.glob("*.yml"):
            (folder / path.name).write_text(hastened(path.read_text()))
        (folder / "flag-server.key").write_text(key)
        (folder / "safeguard.key").write_text(guard)
        (folder / "slack-url").write_text(f"http://127.0.0.1:{self.receiver.web}/slack")
        self.replace("prometheus.yml", {
            '"127.0.0.1:3001"': ", ".join(f'"{target}"' for target in targets),
            "127.0.0.1:9090": f"127.0.0.1:{self.prometheus}", "127.0.0.1:9093": f"127.0.0.1:{self.alertmanager}"})
        self.replace("alertmanager.yml", {
            "127.0.0.1:9801": f"127.0.0.1:{self.receiver.web}", "localhost:25": f"127.0.0.1:{self.receiver.mail}",
            "127.0.0.1:3001": guarded or f"127.0.0.1:{self.receiver.web}",
            "/etc/prometheus/safeguard.key": str(folder / "safeguard.key"),
            "/etc/prometheus/slack-url": str(folder / "slack-url")})

    def replace(self, name: str, changes: dict[str, str]):
        text = (self.folder / name).read_text()
        for old, new in changes.items():
            assert old in text, f"{name} has no {old}"
            text = text.replace(old, new)
        (self.folder / name).write_text(text)

    def __enter__(self) -> "Monitoring":
        self.run("prometheus-alertmanager", "--config.file=alertmanager.yml", "--storage.path=alertmanager",
                 f"--web.listen-address=127.0.0.1:{self.alertmanager}", "--cluster.listen-address=")
        self.run("prometheus", "--config.file=prometheus.yml", "--storage.tsdb.path=prometheus",
                 f"--web.listen-address=127.0.0.1:{self.prometheus}")
        for port in (self.alertmanager, self.prometheus):
            self.await_ready(port)
        return self

    def __exit__(self, *_):
        for process in self.processes:
            process.kill()
            process.wait(20)
        self.receiver.close()

    def run(self, program: str, *arguments: str):
        log = self.folder / f"{program}.log"
        with open(log, "w") as output:
            self.processes.append(subprocess.Popen(
                [program, *arguments], cwd=self.folder, stdout=output, stderr=subprocess.STDOUT))

    def logs(self) -> str:
        return "".join(path.read_text() for path in self.folder.glob("*.log"))

    def await_ready(self, port: int):
        deadline = time.monotonic() + 20
        while True:
            try:
                if self.ask(port, "GET", "/-/ready")[0] == 200:
                    return
            except OSError:
                pass
            assert time.monotonic() < deadline, self.logs()
            time.sleep(0.05)

    def ask(self, port: int, method: str, path: str, body=None):
        """A request to one of the two; its status and what it answered."""
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        try:
            connection.request(method, path, body and json.dumps(body), {"Content-Type": "application/json"})
            response = connection.getresponse()
            return response.status, response.read().decode()
        finally:
            connection.close()

    def targets(self) -> dict[str, str]:
        """How the last scrape of each server went: `up`, or what was wrong."""
        _, answer = self.ask(self.prometheus, "GET", "/api/v1/targets")
        active = json.loads(answer)["data"]["activeTargets"]
        return {target["labels"]["instance"]: target["lastError"] or target["health"] for target in active
                if target["labels"]["job"] == "flag-server"}

    def alerts(self) -> list[dict]:
        """What Alertmanager knows of."""
        return json.loads(self.ask(self.alertmanager, "GET", "/api/v2/alerts")[1])


def is_missing() -> str | None:
    """What cannot be run, for want of which Debian package; None when everything is there."""
    for program, package in (("prometheus", "prometheus"), ("prometheus-alertmanager", "prometheus-alertmanager")):
        if not shutil.which(program):
            return f"{program} (Debian: {package}) is not installed"
    return None
