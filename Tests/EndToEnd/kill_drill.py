"""The kill -9 drill: writers work, the server is killed at a random moment, and what it had acknowledged must be there.

    python kill_drill.py --rounds 200 --writers 32

Each writer has flags and a tenant of its own and knows for each the last acknowledged state, and the one change that
was under way when the server died, of which nobody can know whether it came through. After each restart every flag and
override must be in one of those states, and every list (each an index of the table) must agree with the single reads.
The database file as the killed server left it is checked by SQLite itself, on a copy.
"""

import dataclasses
import http.client
import random
import shutil
import sqlite3
import tempfile
import threading
import time
from pathlib import Path

from drills import Lost, kill_at_work, run
from server import FlagServer, send

FLAGS_A_WRITER = 25
"""Few enough that most changes meet a flag that exists."""

OWNERS = [f"owner-{number}" for number in range(5)]

CHANGES_A_ROUND = (50, 900)
"""The kill comes after so many acknowledged changes, drawn anew each round."""

EXPIRY = "2001-01-01T00:00:00.000Z"


@dataclasses.dataclass(frozen=True)
class Flag:
    """What the drill remembers of a stored flag."""

    description: str
    owner: str
    enabled: bool
    expires: bool

    @staticmethod
    def of(body: dict) -> "Flag":
        return Flag(body["description"], body["owner"], body["defaultEnabled"], body.get("expiresAt") is not None)

    def body(self, key: str) -> dict:
        members = {
            "flagKey": key, "description": self.description, "owner": self.owner, "defaultEnabled": self.enabled}
        return members | ({"expiresAt": EXPIRY} if self.expires else {})


class Writer(threading.Thread):
    """Changes flags of its own until the server dies. `flags` and `overrides` hold what was acknowledged."""

    def __init__(self, number: int, seed: int):
        super().__init__(daemon=True)
        self.number = number
        self.seed = seed
        self.random = random.Random(seed)
        self.tenant = f"tenant-{number}"
        self.keys = [f"w{number}-{index}" for index in range(FLAGS_A_WRITER)]
        self.flags: dict[str, Flag | None] = {key: None for key in self.keys}
        self.overrides: dict[str, bool | None] = {key: None for key in self.keys}
        self.under_way: tuple[str, Flag | None, bool | None] | None = None
        self.answered = 0
        self.failure: str | None = None

    def again(self, server: FlagServer, seed: int) -> "Writer":
        """The writer of the next round, which knows what this one knew."""
        follower = Writer(self.number, seed)
        follower.flags, follower.overrides = self.flags, self.overrides
        follower.connection = server.connect()
        return follower

    def run(self):
        try:
            while True:
                self.change()
        except (OSError, http.client.HTTPException):
            pass  # The server is gone, as the drill wants it.
        except Lost as failure:
            self.failure = str(failure)

    def change(self):
        key = self.random.choice(self.keys)
        method, path, body, flag, override = self.draw(key)
        self.under_way = (key, flag, override)
        status, _, answer = send(self.connection, method, path, body)
        if not 200 <= status <= 204:
            raise Lost(f"{method} {path} answered {status}: {answer}")
        self.flags[key], self.overrides[key] = flag, override
        self.under_way = None
        self.answered += 1

    def draw(self, key: str):
        """A change that must succeed: `(method, path, body, flag after, override after)`."""
        flag, override = self.flags[key], self.overrides[key]
        chance = self.random.random()
        if flag is None:
            flag = self.random_flag()
            return "POST", "/api/flags", flag.body(key), flag, None
        if chance < 0.05:
            return "DELETE", f"/api/flags/{key}", None, None, None
        if chance < 0.25:
            path = f"/api/tenants/{self.tenant}/flags/{key}"
            if override is not None and chance < 0.10:
                return "DELETE", path, None, flag, None
            enabled = self.random.random() < 0.5
            return "PUT", path, {"enabled": enabled, "updatedBy": "drill"}, flag, enabled
        if chance < 0.60:
            flag = self.random_flag()
            return "PUT", f"/api/flags/{key}", flag.body(key), flag, override
        flag = dataclasses.replace(flag, owner=self.random.choice(OWNERS), description=self.random_text())
        body = {"owner": flag.owner, "description": flag.description}
        return "PATCH", f"/api/flags/{key}", body, flag, override

    def random_text(self) -> str:
        return "x" * self.random.randrange(1, 400) + f" {self.random.randrange(10**9)}"

    def random_flag(self) -> Flag:
        enabled, expires = self.random.random() < 0.5, self.random.random() < 0.2
        return Flag(self.random_text(), self.random.choice(OWNERS), enabled, expires)


def check_writes(server: FlagServer, writers: list[Writer]):
    """Every acknowledged write is there; a change that was under way came through whole or not at all."""
    connection = server.connect()
    for writer in writers:
        key_under_way, *attempted = writer.under_way or (None, None, None)
        for key in writer.keys:
            stored = (read_flag(connection, key), read_override(connection, writer.tenant, key))
            known = (writer.flags[key], writer.overrides[key])
            if stored != known and not (key == key_under_way and stored == tuple(attempted)):
                raise Lost(f"{key} is {stored}, acknowledged was {known}, under way was {writer.under_way}")
            writer.flags[key], writer.overrides[key] = stored


def read_flag(connection, key: str) -> Flag | None:
    status, _, body = send(connection, "GET", f"/api/flags/{key}")
    return Flag.of(body) if status == 200 else None


def read_override(connection, tenant: str, key: str) -> bool | None:
    status, _, body = send(connection, "GET", f"/api/tenants/{tenant}/flags/{key}")
    return body["enabled"] if status == 200 else None


def check_indexes(server: FlagServer, writers: list[Writer]):
    """Each list names exactly the items that single reads find, with the same contents."""
    items = {key: flag for writer in writers for key, flag in writer.flags.items() if flag}
    overrides = {
        (writer.tenant, key): enabled
        for writer in writers for key, enabled in writer.overrides.items() if enabled is not None}
    agree("all flags", flags_of(server, ""), items)
    for owner in OWNERS:
        owned = {key: flag for key, flag in items.items() if flag.owner == owner}
        agree(f"flags of {owner}", flags_of(server, f"owner={owner}"), owned)
    expired = {key: flag for key, flag in items.items() if flag.expires}
    agree("flags by expiry", flags_of(server, "expiresBefore=2002-01-01T00:00:00Z"), expired)
    connection = server.connect()
    for writer in writers:
        listed = override_list(connection, f"/api/tenants/{writer.tenant}/flags")
        agree(f"overrides of {writer.tenant}", listed,
              {pair: enabled for pair, enabled in overrides.items() if pair[0] == writer.tenant})
    for key in items:
        listed = override_list(connection, f"/api/flags/{key}/tenants")
        agree(f"overrides of {key}", listed, {pair: on for pair, on in overrides.items() if pair[1] == key})


def flags_of(server: FlagServer, query: str) -> dict[str, Flag]:
    flags = server.all_flags(query)
    keys = [flag["flagKey"] for flag in flags]
    if len(keys) != len(set(keys)):
        raise Lost(f"the list '{query}' names a flag twice")
    return {flag["flagKey"]: Flag.of(flag) for flag in flags}


def override_list(connection, path: str) -> dict[tuple[str, str], bool]:
    _, _, body = send(connection, "GET", path)
    return {(entry["tenantId"], entry["flagKey"]): entry["enabled"] for entry in body["overrides"]}


def agree(what: str, listed: dict, single: dict):
    if listed != single:
        differing = {key for key in listed.keys() | single.keys() if listed.get(key) != single.get(key)}
        key = sorted(differing, key=str)[0]
        raise Lost(f"{what}: {len(differing)} differ, such as {key}: "
                   f"list {listed.get(key)}, single read {single.get(key)}")


def check_file(data_dir: Path):
    """SQLite's own check of the database as the killed server left it; on a copy, for opening it changes it."""
    with tempfile.TemporaryDirectory() as folder:
        for file in data_dir.glob("flags.db*"):
            shutil.copy(file, folder)
        integrity(Path(folder) / "flags.db")


def integrity(database: Path):
    """Raises `Lost` when SQLite finds the file damaged."""
    connection = sqlite3.connect(database)
    try:
        found = connection.execute("PRAGMA integrity_check").fetchall()
    finally:
        connection.close()
    if found != [("ok",)]:
        raise Lost(f"integrity_check of {database.name}: {found[:3]}")


def drill(data_dir: Path, rounds: int, writers: int, seed: int, report=lambda line: None) -> int:
    """Runs the drill and returns the number of acknowledged changes. Raises `Lost`; the seed repeats the draws."""
    chance = random.Random(seed)
    server = FlagServer(data_dir)
    team = [Writer(number, 0) for number in range(writers)]
    total = 0
    try:
        for round_number in range(1, rounds + 1):
            started = time.monotonic()
            server.start()
            ready = time.monotonic() - started
            team = [writer.again(server, chance.randrange(2**32)) for writer in team]
            kill_at_work(server, team, chance, CHANGES_A_ROUND)
            done = sum(writer.answered for writer in team)
            total += done
            check_file(data_dir)
            server.start()
            check_writes(server, team)
            check_indexes(server, team)
            server.kill()
            report(f"round {round_number} of {rounds}: {done} acknowledged changes, all there; "
                   f"ready after {ready * 1000:.0f} ms")
        server.start()
        if (status := server.terminate()) != 0:
            raise Lost(f"SIGTERM ended with status {status}")
        integrity(data_dir / "flags.db")
    finally:
        server.kill()
    return total


if __name__ == "__main__":
    run(drill, "Kills a working server again and again; nothing may be lost.")
