"""The audit drill: writers work, the server is killed at a random moment, and the audit log has every change once.

    python audit_drill.py --rounds 200 --writers 16

Every change says why it is made, and each says something else. After each restart every change that was acknowledged
has its record, none has two, the log verifies from its first record to its last, and it goes on behind every head that
was seen before a kill.
"""

import http.client
import json
import random
import threading
from pathlib import Path

from drills import Lost, kill_at_work, run
from server import FlagServer, send

FLAGS_A_WRITER = 8

CHANGES_A_ROUND = (30, 400)
"""The kill comes after so many acknowledged changes, drawn anew each round."""


class Writer(threading.Thread):
    """Changes flags of its own until the server dies; `acknowledged` has the reasons of what was answered."""

    def __init__(self, number: int, seed: int, server: FlagServer):
        super().__init__(daemon=True)
        self.number = number
        self.random = random.Random(seed)
        self.connection = server.connect()
        self.label = f"{seed:08x}-{number}"
        self.acknowledged: list[str] = []
        self.under_way: str | None = None
        self.answered = 0
        self.failure: str | None = None

    def run(self):
        try:
            while True:
                self.change()
        except (OSError, http.client.HTTPException):
            pass  # The server is gone, as the drill wants it.
        except Lost as failure:
            self.failure = str(failure)

    def change(self):
        key = f"w{self.number}-{self.random.randrange(FLAGS_A_WRITER)}"
        reason = f"{self.label}-{self.answered}"
        body = {"flagKey": key, "description": f"because of {reason}", "owner": f"owner-{self.random.randrange(5)}",
                "defaultEnabled": self.random.random() < 0.5}
        self.under_way = reason
        status, _, answer = send(
            self.connection, "PUT", f"/api/flags/{key}", body, {"X-Change-Reason": reason})
        if status != 200:
            raise Lost(f"PUT {key} answered {status}: {answer}")
        self.acknowledged.append(reason)
        self.under_way = None
        self.answered += 1


def records(server: FlagServer) -> list[dict]:
    """All records of changes of flags, the oldest first."""
    found, cursor = [], ""
    while cursor is not None:
        page = server.expect(200, "GET", f"/api/audit?order=oldest&limit=10000&action=flag&cursor={cursor}")
        found += page["records"]
        cursor = page["nextCursor"]
    return found


def check(server: FlagServer, acknowledged: set[str], possible: set[str], heads: list[dict]):
    """Each change once, nothing else, and the chain whole."""
    seen: set[str] = set()
    last = 0
    for record in records(server):
        if record["sequence"] <= last:
            raise Lost(f"record {record['sequence']} comes behind {last}")
        last = record["sequence"]
        reason = record.get("reason")
        if reason is None:
            continue
        if reason in seen:
            raise Lost(f"the change {reason} is in the log twice")
        seen.add(reason)
    missing = acknowledged - seen
    if missing:
        raise Lost(f"{len(missing)} acknowledged changes are not in the log, such as {sorted(missing)[0]}")
    if unknown := seen - acknowledged - possible:
        raise Lost(f"the log has changes that nobody made, such as {sorted(unknown)[0]}")
    status, _, report = server.request("POST", "/api/audit/chain/verify", {"heads": heads[-1000:]}, timeout=300)
    if status != 200:
        raise Lost(f"verification answered {status}: {report}")
    if report["problems"]:
        raise Lost(f"the log does not verify: {json.dumps(report['problems'][:3])}")


def drill(data_dir: Path, rounds: int, writers: int, seed: int, report=print) -> int:
    """Returns how many changes were acknowledged."""
    chance = random.Random(seed)
    acknowledged: set[str] = set()
    possible: set[str] = set()
    heads: list[dict] = []
    with FlagServer(data_dir) as server:
        server.start()
        for number in range(writers):
            for index in range(FLAGS_A_WRITER):
                server.create_flag(f"w{number}-{index}", defaultEnabled=False)
        for number in range(1, rounds + 1):
            team = [Writer(index, chance.randrange(2**32), server) for index in range(writers)]
            kill_at_work(server, team, chance, CHANGES_A_ROUND)
            for writer in team:
                acknowledged.update(writer.acknowledged)
                if writer.under_way:
                    possible.add(writer.under_way)
            server.start()
            # The whole log is read only now and then: it grows.
            if number % 10 == 0 or number == rounds or rounds < 20:
                check(server, acknowledged, possible, heads)
            heads.append(server.expect(200, "GET", "/api/audit/head"))
            report(f"{number}: {len(acknowledged)} changes, head {heads[-1]['head']}")
    return len(acknowledged)


if __name__ == "__main__":
    run(drill, __doc__.splitlines()[0], "{} answered changes, each in the audit log once", writers=16)
