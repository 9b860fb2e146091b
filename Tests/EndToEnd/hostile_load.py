"""What the scenes of the hostile drill have at hand: the server they play on, and clients without manners."""

import collections
import http.client
import json
import multiprocessing
import os
import random
import subprocess
import threading
import time
from pathlib import Path

from server import FlagServer, free_port

SLOW_DISK = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* Every sync takes as many milliseconds as stand in the file that SLOW_DISK names, while it is there. */
static void wait_for_disk(void) {
    const char *told = getenv("SLOW_DISK");
    FILE *file = told ? fopen(told, "r") : NULL;
    int milliseconds = 0;
    if (!file) return;
    if (fscanf(file, "%d", &milliseconds) == 1) usleep(milliseconds * 1000);
    fclose(file);
}

int fsync(int file) {
    static int (*original)(int);
    if (!original) original = dlsym(RTLD_NEXT, "fsync");
    wait_for_disk();
    return original(file);
}

int fdatasync(int file) {
    static int (*original)(int);
    if (!original) original = dlsym(RTLD_NEXT, "fdatasync");
    wait_for_disk();
    return original(file);
}
"""

GATHERING = 0.3
"""Seconds in which the hostile clients of a scene come."""

PATIENCE = 60
"""Seconds that a hostile client waits for an answer."""

SERVER_TURN, LOAD_TURN = -5, 0
"""By how much the server and the load come before others. Not by more: the server waits for the kernel's own threads as
well (the journal of a file system, RCU), and these have no more than anybody else."""


def turn_of_session(process: int, nice: int):
    """Which part of the processor all of a session gets beside other sessions (sched(7), autogroup), where that can be
    said: on a machine that does other things as well, the server is to be measured and not those."""
    try:
        Path(f"/proc/{process}/autogroup").write_text(str(nice))
    except OSError:
        pass


def slow_disk_library(folder: Path) -> Path:
    """Makes the library that a server is started with whose disk may become slow."""
    source, library = folder / "disk.c", folder / "disk.so"
    source.write_text(SLOW_DISK)
    subprocess.run(["cc", "-shared", "-fPIC", "-o", library, source, "-ldl"], check=True)
    return library


class Stage:
    """A server with both its ports, on which a scene is played."""

    def __init__(self, folder: Path, library: Path, chance: random.Random, sync: float, settings: dict[str, str]):
        self.chance = chance
        self.sync = sync
        self.tables_port = free_port()
        self.slow = folder / "slow-disk"
        self.server = FlagServer(
            folder / "data", "--dynamodb-port", self.tables_port, behind=["setsid", "nice", "-n", "-10"],
            env=settings | {"LD_PRELOAD": str(library), "SLOW_DISK": str(self.slow)})

    def slow_disk(self):
        """From now on every sync takes `sync` seconds."""
        written = self.slow.with_suffix(".new")
        written.write_text(str(int(self.sync * 1000)))
        written.rename(self.slow)

    def table(self, operation: str, body: dict) -> dict:
        """One operation over DynamoDB's port that must succeed."""
        status, answer = Client(self, self.chance).table(operation, body)
        assert status == 200, f"{operation} answered {status}: {answer}"
        return json.loads(answer)

    def load_flags(self, *flags: dict, **members):
        """Imports flags, which must all be taken."""
        document = encoded({"flags": list(flags)} | members)
        status, _, answer = self.server.request("POST", "/api/import", document, timeout=PATIENCE)
        assert status == 200, f"the import answered {status}: {answer}"

    def resident(self, what: str = "VmRSS") -> int:
        """Bytes of memory that the server has now, or had at most (`VmHWM`) since `forget_peak`."""
        text = Path(f"/proc/{self.server.process.pid}/status").read_text()
        return int(text.split(f"{what}:")[1].split()[0]) * 1024

    def forget_peak(self):
        """The peak of memory begins anew (proc(5), clear_refs)."""
        Path(f"/proc/{self.server.process.pid}/clear_refs").write_text("5")


class Client:
    """One hostile client: its kept-alive connections to both ports, and its own draws."""

    def __init__(self, stage: Stage, chance: random.Random, told: "Told | None" = None):
        self.stage = stage
        self.chance = chance
        self.told = told
        self.ports: dict[int, http.client.HTTPConnection] = {}
        self.fields: http.client.HTTPMessage = http.client.HTTPMessage()  # Those of the last answer.

    def ask(self, method: str, path: str, body=None, headers: dict | None = None):
        """One request to the flag port: `(status, body)`."""
        return self.exchange(self.stage.server.port, method, path, body, headers)

    def table(self, operation: str, body, headers: dict | None = None):
        """One request to the port of tables: `(status, body)`."""
        fields = self.operation(operation) | (headers or {})
        return self.exchange(self.stage.tables_port, "POST", "/", body, fields)

    @staticmethod
    def operation(name: str) -> dict:
        """The header fields of an operation of the port of tables."""
        return {"Content-Type": "application/x-amz-json-1.0", "X-Amz-Target": f"DynamoDB_20120810.{name}"}

    def open(self, port: int) -> http.client.HTTPConnection:
        """The connection to a port, made when it is needed."""
        return self.ports.setdefault(port, http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE))

    def leave(self):
        """Closes every connection, whatever is under way on it."""
        for connection in self.ports.values():
            connection.close()
        self.ports = {}

    def exchange(self, port: int, method: str, path: str, body, headers):
        connection = self.open(port)
        what = f"{method} {path}" if port == self.stage.server.port else headers["X-Amz-Target"].split(".")[1]
        begin = time.monotonic()
        if self.told:
            self.told.pending[threading.get_ident()] = (what, begin)
        try:
            headers = {"Content-Type": "application/json"} | (headers or {})
            data = body if body is None or isinstance(body, bytes) else encoded(body)
            connection.request(method, path, data, headers)
            response = connection.getresponse()
            answer = response.read()
            self.fields = response.headers
        except (OSError, http.client.HTTPException):
            connection.close()
            self.ports.pop(port, None)
            raise
        finally:
            if self.told:
                self.told.pending.pop(threading.get_ident(), None)
        if self.told:
            self.told.count(what, response.status, time.monotonic() - begin)
        return response.status, answer


def encoded(body) -> bytes:
    return json.dumps(body, separators=(",", ":")).encode()


class Told:
    """What the clients of a load were answered, by what they asked."""

    def __init__(self):
        self.lock = threading.Lock()
        self.statuses: collections.Counter[int] = collections.Counter()
        self.latencies: dict[str, list[float]] = collections.defaultdict(list)
        self.complaints: list[str] = []
        self.pending: dict[int, tuple[str, float]] = {}

    def count(self, what: str, status: int, seconds: float):
        with self.lock:
            self.statuses[status] += 1
            self.latencies[what].append(seconds)

    def complain(self, text: str):
        """Something must not be as it is; the same is told once."""
        with self.lock:
            if text not in self.complaints and len(self.complaints) < 10:
                self.complaints.append(text)

    def report(self) -> "Report":
        """Everything so far; what is not answered yet counts with its age."""
        now = time.monotonic()
        with self.lock:
            latencies = {what: list(rows) for what, rows in self.latencies.items()}
            for what, begin in list(self.pending.values()):
                latencies.setdefault(what, []).append(now - begin)
            return Report(collections.Counter(self.statuses), latencies, list(self.complaints))


class Report:
    """What the load was answered."""

    def __init__(self, statuses, latencies, complaints):
        self.statuses: collections.Counter[int] = statuses
        self.latencies: dict[str, list[float]] = latencies
        self.complaints: list[str] = complaints


class Load:
    """Groups of clients that do the same again and again from the `with` on, behind the server (sched(7)).

    A group is `(count, work)`: so many threads call `work(client)`. They go on until the server is gone; `report` says
    what they were answered so far.
    """

    def __init__(self, stage: Stage, groups: list, seed: int):
        self.stage = stage
        self.groups = groups
        self.seed = seed
        self.end, other = multiprocessing.Pipe()
        self.process = multiprocessing.get_context("fork").Process(target=self.run, args=(other,), daemon=True)

    def __enter__(self) -> "Load":
        self.process.start()
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.join(10)

    def report(self) -> Report:
        self.end.send("report")
        if not self.end.poll(PATIENCE):
            raise AssertionError("the load has ended")
        return self.end.recv()

    def run(self, orders):
        os.setsid()
        turn_of_session(os.getpid(), LOAD_TURN)
        told = Told()
        number = 0
        for count, work in self.groups:
            for _ in range(count):
                number += 1
                client = Client(self.stage, random.Random(f"{self.seed}-{number}"), told)
                threading.Thread(target=self.repeat, args=(client, work), daemon=True).start()
        while orders.recv() == "report":
            orders.send(told.report())

    def repeat(self, client: Client, work):
        time.sleep(client.chance.random() * GATHERING)
        while True:
            try:
                work(client)
            except (OSError, http.client.HTTPException):
                client.leave()  # Closed or refused: both are the server's right. It comes back.
                time.sleep(0.01)
            except AssertionError as failure:
                client.told.complain(str(failure))
            except Exception as failure:
                client.told.complain(f"the load itself fails: {failure!r}")
                return
