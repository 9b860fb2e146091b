"""The damage drill: one file of a data directory is damaged, and nothing of what was stored may be lost without a word.

    python damage_drill.py --rounds 200

A data directory is made with flags, segments, overrides, two tables, backups, continuous backups of several weeks in
several bases and segments, and a write-ahead log that a kill -9 has left. In each round one file of a copy is damaged
at random: a bit flipped, a range zeroed, cut, extended, deleted, or exchanged for a directory. Then:

- `flag-server verify` changes nothing and names the file (exit status 1); or it finds nothing, and then nothing that
  was stored is missing: the drill knows why such damage is harmless, and checks it;
- a server starts and has every write, or said what it lacks; or it does not start, and says which file it is and what
  to do. Either way the damaged file is kept, under whatever name, and whatever could be restored before can be restored
  after it;
- nothing ends by a crash.
"""

import hashlib
import json
import os
import random
import shutil
import sqlite3
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import drills
from drills import Lost
from server import DidNotStart, FlagServer, binary, clean_environment, free_port, killed_by_signal, run_command, send
from table_drill import Refused, TableServer, call, scan

FLAGS = "feature-flags-local"
THINGS = "things"

SHIFT = """
#define _GNU_SOURCE
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
/* The wall clock, so many seconds off: CLOCK_SHIFT. */
int clock_gettime(clockid_t clock, struct timespec *time) {
    int result = (int)syscall(SYS_clock_gettime, clock, time);
    const char *shift = getenv("CLOCK_SHIFT");
    if (result == 0 && clock == CLOCK_REALTIME && shift) time->tv_sec += atol(shift);
    return result;
}
"""
"""A base of a continuous backup is made anew after a week: the drill's weeks take a moment."""

WEEK = 7 * 24 * 3600 + 3600
WEEKS = 3


# What is stored


def prepare(folder: Path, seed: int) -> tuple[Path, dict, list]:
    """Makes a data directory: its path, the requests to ask a server, and the points in time to restore."""
    chance = random.Random(seed)
    source, library = folder / "shift.c", folder / "shift.so"
    source.write_text(SHIFT)
    subprocess.run(["cc", "-shared", "-fPIC", "-o", library, source], check=True)
    data_dir, times = folder / "pristine", []
    for week in range(WEEKS, -1, -1):
        shift = -week * WEEK
        environment = {"LD_PRELOAD": str(library), "CLOCK_SHIFT": str(shift)} if week else {}
        port = free_port()
        server = FlagServer(data_dir, "--dynamodb-port", port, env=environment)
        tables = TableServer(data_dir)
        tables.port = port
        with server:
            server.start()
            if week == WEEKS:
                begin(server, tables, data_dir)
            for part in range(3):
                write(server, tables, chance, f"{week}-{part}")
                if part == 1:
                    # Between two changes, so that the time is of neither.
                    time.sleep(0.02)
                    times.append(time.time() + shift)
                    time.sleep(0.02)
            if week in (WEEKS, 1):
                must("backup", "create", "--data-dir", data_dir)
                must("backup", "create", "--table", THINGS, "--data-dir", data_dir)
            time.sleep(0.6)  # The logs take what was written within half a second; what they lack is in the stream.
            server.terminate() if week else server.kill()
    return data_dir, requests(), times


def must(*command) -> str:
    done = run_command(*command)
    if done.returncode != 0:
        raise AssertionError(f"{command}: {done.stdout}{done.stderr}")
    return done.stdout


def begin(server: FlagServer, tables: TableServer, data_dir: Path):
    call(tables.connect(), "CreateTable", {
        "TableName": THINGS, "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": [{"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk", "owner")],
        "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
        "GlobalSecondaryIndexes": [{
            "IndexName": "by-owner", "KeySchema": [{"AttributeName": "owner", "KeyType": "HASH"}],
            "Projection": {"ProjectionType": "ALL"}}]})
    for table in (FLAGS, THINGS):
        must("backup", "continuous", "on", "--table", table, "--data-dir", data_dir)
    for name in ("staff", "early"):
        server.expect(201, "POST", "/api/segments", {"name": name, "description": "Some of all", "owner": "tests"})
        server.expect(200, "PUT", f"/api/segments/{name}/keys", {"keys": [f"{name}-{n}" for n in range(20)]})


def write(server: FlagServer, tables: TableServer, chance: random.Random, name: str):
    """Some changes of every kind; flags of earlier calls are changed, some of them removed."""
    for number in range(4):
        key = f"flag-{name}-{number}"
        server.create_flag(
            key, description="x" * chance.randrange(10, 400), owner=f"owner-{number}", state="ENABLED",
            variants={"on": True, "off": False}, defaultVariant="off",
            targeting={"if": [{"segment": chance.choice(("staff", "early"))}, "on"]})
        server.expect(200, "PUT", f"/api/tenants/acme/flags/{key}", {"enabled": True, "updatedBy": "drill"})
    flags = sorted(flag["flagKey"] for flag in server.all_flags())
    server.expect(200, "PATCH", f"/api/flags/{chance.choice(flags)}", {"description": f"changed in {name}"})
    server.expect(204, "DELETE", f"/api/flags/{chance.choice(flags)}")
    connection = tables.connect()
    for _ in range(6):
        item = {"pk": {"S": f"p{chance.randrange(5)}"}, "sk": {"S": f"s{chance.randrange(20)}"},
                "owner": {"S": f"o{chance.randrange(4)}"}, "text": {"S": "y" * chance.randrange(600)}}
        call(connection, "PutItem", {"TableName": THINGS, "Item": item})
    call(connection, "DeleteItem", {"TableName": THINGS, "Key": {"pk": {"S": "p1"}, "sk": {"S": "s1"}}})


def requests() -> dict:
    """What a server is asked: method, path and body by a name."""
    asked = {f"flags of {owner}": ("GET", f"/api/flags?owner={owner}&limit=100", None)
             for owner in [f"owner-{number}" for number in range(4)]}
    asked["segments"] = ("GET", "/api/segments", None)
    asked["keys"] = ("GET", "/api/segments/staff/keys", None)
    asked["overrides"] = ("GET", "/api/tenants/acme/flags?limit=100", None)
    asked["bulk"] = ("POST", "/ofrep/v1/evaluate/flags", {"context": {"targetingKey": "staff-1"}})
    return asked


def ask(server: FlagServer, asked: dict) -> dict:
    """The answers, by the names of the requests: their status, and a digest of what was said."""
    connection, answers = server.connect(), {}
    for name, (method, path, body) in asked.items():
        status, _, answer = send(connection, method, path, body)
        answers[name] = (status, digest(answer) if status == 200 else None)
    return answers


def digest(value) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True, default=str).encode()).hexdigest()[:16]


def restorable(data_dir: Path, times: list) -> dict | None:
    """What can be restored, and what the tables hold: a digest of the items by what it is; None when no server starts.

    Restores into tables of other names, on the directory itself; a point in time is one of both tables.
    """
    server = TableServer(data_dir)
    try:
        server.start()
    except Lost:
        return None
    found = {}
    try:
        connection = server.connect()
        wanted = {f"table {table}": lambda table=table: digest_of(connection, table) for table in (FLAGS, THINGS)}
        for table in (FLAGS, THINGS):
            for moment in [None, *times]:
                point = {"RestoreDateTime": round(moment, 3)} if moment else {"UseLatestRestorableTime": True}
                members = {"SourceTableName": table, **point}
                wanted[f"{table} at {moment or 'latest'}"] = lambda members=members: restored(
                    connection, "RestoreTableToPointInTime", members)
        for backup in backups(connection):
            wanted[f"backup {backup.rpartition('/')[2]}"] = lambda backup=backup: restored(
                connection, "RestoreTableFromBackup", {"BackupArn": backup})
        found = {name: attempt(work) for name, work in wanted.items()}
        # A damage that is found only then may leave another way, which is taken the next time.
        found |= {name: attempt(wanted[name]) for name, content in found.items() if content is None}
    finally:
        server.kill()
    return {name: content for name, content in found.items() if content}


def attempt(work):
    """What `work` returns; None when it is refused."""
    try:
        return work()
    except Refused:
        return None


def backups(connection) -> list[str]:
    return [backup["BackupArn"] for backup in
            (attempt(lambda: call(connection, "ListBackups", {})) or {}).get("BackupSummaries", [])]


def restored(connection, operation: str, members: dict) -> str | None:
    """Restores into a table, which is removed again: a digest of its items; None when it did not come to be."""
    target = f"probe-{random.randrange(10**9)}"
    call(connection, operation, {**members, "TargetTableName": target})
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        status = attempt(lambda: call(connection, "DescribeTable", {"TableName": target})["Table"]["TableStatus"])
        if status == "ACTIVE":
            content = digest_of(connection, target)
            call(connection, "DeleteTable", {"TableName": target})
            return content
        if status is None or status != "CREATING":
            return None
        time.sleep(0.005)
    raise Lost(f"{operation} of {members} did not end")


def digest_of(connection, table: str) -> str:
    start, items = None, []
    while True:
        page = call(connection, "Scan", {"TableName": table} | ({"ExclusiveStartKey": start} if start else {}))
        items += [json.dumps(item, sort_keys=True) for item in page["Items"]]
        start = page.get("LastEvaluatedKey")
        if not start:
            return digest(sorted(items))


def rows(data_dir: Path) -> dict | None:
    """Every row of the database by its table, as SQLite finds them; None when it finds the file damaged. On a copy."""
    with tempfile.TemporaryDirectory() as folder:
        for file in data_dir.glob("flags.db*"):
            if file.is_file():
                shutil.copy(file, folder)
        if not (Path(folder) / "flags.db").exists():
            return None
        connection = sqlite3.connect(Path(folder) / "flags.db")
        connection.text_factory = bytes
        try:
            if connection.execute("PRAGMA integrity_check").fetchall() != [(b"ok",)]:
                return None
            tables = connection.execute("SELECT name, sql FROM sqlite_schema ORDER BY name").fetchall()
            content = {"schema": tables, "version": connection.execute("PRAGMA user_version").fetchall()}
            for name, sql in tables:
                if sql and sql.startswith(b"CREATE TABLE"):
                    content[name.decode()] = connection.execute(f'SELECT * FROM "{name.decode()}"').fetchall()
            return content
        except sqlite3.Error:
            return None
        finally:
            connection.close()


# Damage


@dataclass
class Damage:
    """What is done to a file, by its name in the directory."""

    name: str
    kind: str
    detail: str
    bytes: bytes | None
    """The file as it is afterwards; None when it is gone or a directory."""

    def __str__(self):
        return f"{self.kind} {self.name} {self.detail}".rstrip()


def damage(data_dir: Path, lives: dict, chance: random.Random) -> Damage:
    """Damages one file at random. Folders with random names are put in the order of their tables."""
    # The key of secrets is no data: whoever cannot use it any more makes another one, as docs/access.md has it.
    files = sorted((path for path in data_dir.rglob("*") if path.is_file() and path.name != "access.key"),
                   key=lambda path: [lives.get(part, part) for part in path.relative_to(data_dir).parts])
    # Of the few files of the database as often as of the many others.
    folder = chance.choice([".", "backups", "continuous"])
    path = chance.choice([path for path in files if path.relative_to(data_dir).parts[0] == folder or
                          (folder == "." and path.parent == data_dir)])
    before = path.read_bytes()
    kind = chance.choice(["flip", "zero", "cut", "extend", "delete", "directory"])
    if not before and kind in ("flip", "zero", "cut"):
        kind = "extend"
    name, detail, after = str(path.relative_to(data_dir)), "", None
    if kind == "flip":
        place = chance.randrange(len(before))
        bit = chance.randrange(8)
        after = before[:place] + bytes([before[place] ^ 1 << bit]) + before[place + 1:]
        detail = f"byte {place} bit {bit}"
    elif kind == "zero":
        place = chance.randrange(len(before))
        count = chance.choice([1, 16, 512, 4096])
        after = before[:place] + bytes(min(count, len(before) - place)) + before[place + count:]
        detail = f"{count} bytes from {place}"
    elif kind == "cut":
        size = chance.randrange(len(before))
        after, detail = before[:size], f"to {size} of {len(before)}"
    elif kind == "extend":
        count = chance.choice([1, 100, 5000])
        after, detail = before + chance.randbytes(count), f"by {count}"
    path.unlink()
    if after is not None:
        path.write_bytes(after)
        path.chmod(0o600)
    elif kind == "directory":
        path.mkdir()
    return Damage(name, "is now a directory:" if kind == "directory" else kind, detail, after)


HARMLESS = [
    (lambda damage, known, left: damage.bytes is not None and damage.bytes == known["bytes"],
     "it is the same as before"),
    (lambda damage, known, left: damage.name == "owner.lock",
     "it says who has the directory, and is written anew by whoever takes it"),
    (lambda damage, known, left: damage.name == "continuous/lock", "there is nothing in it"),
    (lambda damage, known, left: damage.name == "flags.db-shm", "SQLite makes it anew from the log"),
    (lambda damage, known, left: damage.name in ("flags.db", "flags.db-wal") and left == known["rows"],
     "no row of the database differs"),
    (lambda damage, known, left: damage.name in ("flags.db", "flags.db-wal") and is_told_once(left, known["rows"]),
     "what differs is in no other place (SQLite keeps no checksums), and is neither served nor restored"),
    (lambda damage, known, left: damage.name == "reserve",
     "what stands in it says nothing: it is disk space, and the next start makes it whole"),
    (lambda damage, known, left: damage.name.startswith("backups/") and damage.kind == "delete",
     "who deletes a backup deletes its file"),
    (lambda damage, known, left: damage.name in known["last segments"],
     "what the end of the last segment lacks is taken from the change stream again"),
]
"""Why what `verify` does not find is no loss. Whatever is harmless, nothing that was stored is missing: that is checked
in every case."""


# A round


class DamagedServer(FlagServer):
    """A server that may never be ready, since it cannot read what it is to serve. It says so, and goes on trying."""

    silent = None
    """What it said then."""

    def await_ready(self):
        while self.process.poll() is None and self.request_ready() != 200:
            said = [line for line in self.log.splitlines() if "the store does not answer" in line]
            if said and "NOTICE   ready" in self.log:
                self.silent = said[0]
                self.terminate()
                raise DidNotStart(self.log)
            time.sleep(0.01)
        if self.process.poll() is not None:
            raise DidNotStart(self.log)

    def request_ready(self) -> int | None:
        try:
            return self.request("GET", "/health/ready", timeout=5)[0]
        except OSError:
            return None


class Round:
    """One damage to one copy of the directory."""

    def __init__(self, pristine: Path, known: dict, asked: dict, times: list, folder: Path, chance: random.Random):
        self.known, self.asked, self.times, self.folder = known, asked, times, folder
        self.data_dir = folder / "data"
        copy(pristine, self.data_dir)
        self.chance = chance
        self.damage = damage(self.data_dir, known["lives"], chance)
        self.known = known | {"bytes": (pristine / self.damage.name).read_bytes()}

    def run(self) -> str:
        """Returns what became of it. Raises `Lost`."""
        try:
            found = self.verify()
            reason = None if found else self.harmless()
            before = self.probe("before")
            started = self.serve(found)
            self.check_kept()
            after = self.probe("after")
            self.compare(before, after, found)
        except Lost as failure:
            raise Lost(f"{self.damage}: {failure}") from failure
        return f"{self.damage}: {'found' if found else reason}; {'served' if started else 'not started'}"

    def verify(self) -> bool:
        """Whether `verify` finds it."""
        before = contents(self.data_dir)
        done = run_command("verify", "--data-dir", self.data_dir)
        text = done.stdout + done.stderr
        if killed_by_signal(done) or done.returncode not in (0, 1):
            raise Lost(f"verify ended with {done.returncode}: {text[-2000:]}")
        after = contents(self.data_dir)
        changed = {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)}
        changed -= {"owner.lock", "flags.db-shm", "continuous/lock"}
        if changed:
            raise Lost(f"verify has changed {sorted(changed)}")
        if done.returncode == 1 and Path(self.damage.name).name not in text:
            raise Lost(f"verify does not name the file: {text}")
        self.said = text
        return done.returncode == 1

    def harmless(self) -> str:
        """Why what was not found is harmless."""
        left = rows(self.data_dir)
        for is_meant, reason in HARMLESS:
            if is_meant(self.damage, self.known, left):
                return reason
        if self.damage.name in ("flags.db", "flags.db-wal") and self.is_found_in_audit_log():
            return "it is in the audit log, whose own verification finds it"
        raise Lost(f"verify finds nothing, and nothing says that it is harmless{difference(left, self.known['rows'])}")

    def is_found_in_audit_log(self) -> bool:
        """Whether the chain of the audit log does not hold any more, on a copy: a command that looks at it is in it."""
        place = self.folder / "audited"
        copy(self.data_dir, place)
        try:
            return run_command("audit", "verify", "--data-dir", place).returncode == 1
        finally:
            shutil.rmtree(place)

    def probe(self, name: str) -> dict | None:
        """What can be restored, on a copy."""
        place = self.folder / name
        copy(self.data_dir, place)
        try:
            return restorable(place, self.times)
        finally:
            shutil.rmtree(place)

    def serve(self, found: bool) -> bool:
        """Whether a server starts; it has every write, or says what it lacks."""
        server = DamagedServer(self.data_dir)
        try:
            with server:
                try:
                    server.start()
                except DidNotStart as failure:
                    self.check_refusal(server, str(failure))
                    return False
                answers = ask(server, self.asked)
                if server.terminate() != 0:
                    raise Lost(f"the server ended with {server.process.returncode}: {server.log[-2000:]}")
        finally:
            server.stop()
        if "Fatal error" in server.log:
            raise Lost(f"the server crashed: {server.log[-2000:]}")
        wrong = [name for name in answers if answers[name] != self.known["answers"][name]]
        if wrong and not found and "ERROR" not in server.log:
            raise Lost(f"the server answers otherwise to {wrong}, and nobody said a word: {answers[wrong[0]]}")
        return True

    def check_refusal(self, server: FlagServer, text: str):
        if server.process.returncode != 1 and not isinstance(server.silent, str):
            raise Lost(f"the server ended with {server.process.returncode}: {text[-2000:]}")
        if Path(self.damage.name).name not in text:
            raise Lost(f"a server that does not start does not name the file: {text[-2000:]}")
        if not any(word in text for word in ("restore", "move it away", "Put the file", "Look for", "run ")):
            raise Lost(f"a server that does not start does not say what to do: {text[-2000:]}")

    def check_kept(self):
        """The damaged file is there, under whatever name; but for those that are written anew in any case."""
        written = ("owner.lock", "continuous/lock", "reserve", "flags.db", "flags.db-wal", "flags.db-shm")
        if self.damage.bytes is None or self.damage.name in written or self.damage.name in self.known["last segments"]:
            return
        if hashlib.sha256(self.damage.bytes).hexdigest() not in contents(self.data_dir).values():
            raise Lost("the server has tidied the damaged file away")

    def compare(self, before: dict | None, after: dict | None, found: bool):
        """Whatever could be restored can still be; what was not found damaged is all there."""
        expected = self.known["contents"]
        if before is None and after is None:
            return
        if before is None or after is None:
            raise Lost(f"a server starts {'not any more' if after is None else 'only the second time'}")
        for name, content in expected.items():
            was, now = before.get(name), after.get(name)
            if was == content and now != content:
                raise Lost(f"{name} could be restored before, and {'not' if now is None else 'differently'} after")
            is_deleted = self.damage.name.startswith("backups/") and self.damage.kind == "delete"
            if not found and was != content and not (is_deleted and name.split()[-1] in self.damage.name):
                raise Lost(f"verify found nothing, and {name} {'is another' if was else 'cannot be restored'}")


def is_told_once(left: dict | None, whole: dict) -> bool:
    """Whether rows differ only in what nothing else repeats: who made a change, when and in which table; settings;
    tokens of the last ten minutes."""
    def repeated(rows: dict) -> dict:
        return {table: [(row[0], *row[4:]) for row in content] if table == "change" else content
                for table, content in rows.items() if table not in ("setting", "token")}

    return left is not None and repeated(left) == repeated(whole)


def difference(left: dict | None, whole: dict) -> str:
    """Where rows differ, for a message."""
    if left is None:
        return ""
    for table, content in whole.items():
        if left.get(table) != content:
            lines = [(old, new) for old, new in zip(content, left.get(table, [])) if old != new]
            return f": {table} differs, {lines[:1] or 'in the number of rows'}"
    return ""


def copy(source: Path, target: Path):
    shutil.copytree(source, target, ignore=shutil.ignore_patterns("*.sock"))


def contents(data_dir: Path) -> dict:
    """A digest of every file, by its name."""
    return {str(path.relative_to(data_dir)): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in sorted(data_dir.rglob("*")) if path.is_file()}


def learn(pristine: Path, asked: dict, times: list, folder: Path) -> dict:
    """What a server says and what can be restored while nothing is damaged."""
    place = folder / "learn"
    copy(pristine, place)
    with FlagServer(place) as server:
        answers = ask(server.start(), asked)
    shutil.rmtree(place)
    copy(pristine, place)
    found = restorable(place, times)
    shutil.rmtree(place)
    wanted = 2 * (2 + len(times)) + 4
    if found is None or len(found) != wanted:
        raise Lost(f"before any damage {len(found or {})} of {wanted} can be restored: {sorted(found or {})}")
    copy(pristine, place)
    done = run_command("verify", "--data-dir", place)
    shutil.rmtree(place)
    if done.returncode != 0:
        raise Lost(f"before any damage, verify finds: {done.stdout}{done.stderr}")
    last = {}
    for segment in sorted(pristine.glob("continuous/*/log-*")):
        last[segment.parent] = str(segment.relative_to(pristine))
    stored = rows(pristine)
    lives = {value.decode(): name.decode() for name, value in stored["setting"]}
    return {"answers": answers, "contents": found, "rows": stored, "last segments": set(last.values()), "lives": lives}


def drill(data_dir: Path, rounds: int, seed: int, report=lambda line: None) -> int:
    """Runs the drill and returns how many damages were found. Raises `Lost`; the seed repeats the draws."""
    chance = random.Random(seed)
    folder = data_dir.parent
    pristine, asked, times = prepare(folder, seed)
    known = learn(pristine, asked, times, folder)
    found = 0
    for number in range(1, rounds + 1):
        place = Path(tempfile.mkdtemp(dir=folder))
        try:
            line = Round(pristine, known, asked, times, place, chance).run()
        except Lost:
            shutil.copytree(place, data_dir, ignore=shutil.ignore_patterns("*.sock"))
            raise
        finally:
            shutil.rmtree(place)
        found += ": found" in line
        report(f"round {number} of {rounds}: {line}")
    return found


if __name__ == "__main__":
    drills.run(drill, "Damages one file after another; nothing may be lost without a word.", "{} damages were found",
               writers=None)
