"""Fills the disk of a working server of tables, again and again, and compares what is there with a model.

The data is on a small file system of its own. In each round many write: puts, updates with conditions, removals, small
transactions with a token of which some are sent again, and wide ones. Meanwhile the disk is filled but for a drawn
rest, until a drawn number was refused, and emptied again, a few times. One more writer sends many small transactions
at the same time. Each writer has keys of its own and knows what it was answered. Then everything answered is there, nothing refused is, transactions are whole, a token counts once,
indexes agree, and `flag-server verify` finds nothing; the table can be restored to some seconds of the round, and in the
end to every second since there was a disk.
"""

import contextlib
import http.client
import json
import math
import random
import shutil
import subprocess
import threading
import time
import uuid
from pathlib import Path

from drills import Lost, run
from table_drill import (COUNTERS, TABLE, Refused, TableServer, call, counter, create_table, key, scan, verify)

DISK_MEGABYTES = 512
USED_MEGABYTES_MAX = 160
"""When so much is used the drill goes on with an empty disk: history would fill one some day."""
SECONDS_A_ROUND = 3
"""To how many of a round's seconds the table is restored at once, besides its end."""
FREE_KILOBYTES_MAX = 3000
"""At most so much is left when the disk is filled."""
KEYS = 12
"""How many items each writer changes one by one."""
GROUP = 3
"""How many items its small transactions change together."""
WIDE = 40
"""How many its wide transactions do."""
VOLLEY = 200
"""How many small transactions one more writer sends at the same time, so that many are committed together."""
VOLLEY_GROUPS = 800
"""How many groups of items they change."""
FILLINGS_A_ROUND = (1, 4)
"""Between how many times the disk is filled."""
CHANGES_BEFORE = (0, 2000)
"""Between how many changes are answered before."""
REFUSALS = (5, 1000)
"""Between how many refusals there is space again."""
SECONDS_MAX = 10
"""After which there is space again anyway: what is left may do for the log of the database to begin anew in it."""


class SmallDisk:
    """A file system of its own, of which a file takes what is to be missing."""

    def __init__(self, path: Path):
        self.path = path
        self.ballast = path / "ballast"

    def mount(self):
        self.path.mkdir(parents=True, exist_ok=True)
        mount = ["mount", "-t", "tmpfs", "-o", f"size={DISK_MEGABYTES}m", "tmpfs", str(self.path)]
        done = subprocess.run(mount, capture_output=True, text=True)
        if done.returncode != 0:
            raise PermissionError(f"no small file system can be mounted here: {done.stderr.strip()}")

    @contextlib.contextmanager
    def with_room(self):
        """Has the disk be larger for a while: a restore needs room for another table, which is not what is drilled."""
        self.resize(DISK_MEGABYTES * 8)
        yield
        # What has outgrown it has no further round.
        if self.used() < DISK_MEGABYTES:
            self.resize(DISK_MEGABYTES)

    def resize(self, megabytes: int):
        subprocess.run(["mount", "-o", f"remount,size={megabytes}m", self.path], check=True)

    def unmount(self):
        subprocess.run(["umount", "-l", self.path], check=True)

    def fill(self, free: int):
        """Leaves about `free` bytes, if nobody takes them meanwhile."""
        room = shutil.disk_usage(self.path).free - free
        with open(self.ballast, "wb", buffering=0) as ballast, contextlib.suppress(OSError):
            while room > 0:
                room -= ballast.write(b"\0" * min(room, 65536))

    def used(self) -> int:
        """In megabytes."""
        return shutil.disk_usage(self.path).used >> 20

    def empty(self):
        self.ballast.unlink(missing_ok=True)


def is_refusal(error: str) -> bool:
    """Whether the server says that it did not do something, for want of space, or of time."""
    return "full" in error or "The server is overloaded" in error


class Writer(threading.Thread):
    """Changes its own items until told to stop. `known` is what is there by what was answered.

    What was refused may be tried again later, with the same token: `owed`.
    """

    def __init__(self, number: int, server: TableServer, seed: int, known: dict, counted: list[int]):
        super().__init__(daemon=True)
        self.number = number
        self.server = server
        self.chance = random.Random(seed)
        self.known = known
        self.counted = counted
        self.owed: tuple | None = None
        self.answered = 0
        self.refused = 0
        self.stopping = threading.Event()
        self.failure: str | None = None

    def run(self):
        connection = self.server.connect()
        works = [self.put, self.update, self.delete, self.transact, self.transact_widely]
        try:
            while not self.stopping.is_set():
                if self.owed and self.chance.random() < 0.3:
                    self.attempt(connection, *self.owed)
                else:
                    self.attempt(connection, *self.chance.choices(works, [8, 8, 2, 12, 1])[0]())
        except Exception as error:  # noqa: BLE001 - told by the drill, in its own thread
            self.failure = f"writer {self.number}: {error!r}"

    def settle(self):
        """Has what is owed done, once there is space."""
        connection = self.server.connect()
        deadline = time.monotonic() + 20
        while self.owed and time.monotonic() < deadline:
            if not self.attempt(connection, *self.owed):
                time.sleep(0.05)
        if self.owed:
            raise Lost(f"writer {self.number} is refused though there is space")

    def attempt(self, connection, operation: str, members: dict, becomes: dict, counter_number: int | None) -> bool:
        token = members.get("ClientRequestToken")
        was_owed = bool(self.owed and token and self.owed[1].get("ClientRequestToken") == token)
        try:
            call(connection, operation, members)
        except Refused as refused:
            if not is_refusal(str(refused)):
                raise
            self.refused += 1
            if token and not self.owed:
                self.owed = (operation, members, becomes, counter_number)
            time.sleep(self.chance.random() / 50)
            return False
        if was_owed:
            self.owed = None
        self.answered += 1
        self.note(becomes)
        if counter_number is not None:
            self.counted[counter_number] += 1
        if token and self.chance.random() < 0.2:
            # Sent again it is answered again, and not done again.
            with contextlib.suppress(Refused):
                call(connection, operation, members)
        return True

    def note(self, becomes: dict):
        """What was answered: what each item is now, or how it follows from what it was."""
        for name, attributes in becomes.items():
            self.known[name] = attributes(self.known.get(name)) if callable(attributes) else attributes

    def value(self) -> dict:
        value = {"n": {"N": str(self.chance.randrange(10**9))}, "text": {"S": "x" * self.chance.randrange(2000)}}
        if self.chance.random() < 0.8:
            value["owner"] = {"S": f"owner-{self.chance.randrange(5)}"}
        return value

    def put(self):
        sort, value = f"key-{self.chance.randrange(KEYS)}", self.value()
        return "PutItem", {"TableName": TABLE, "Item": self.key(sort) | value}, {self.name_of(sort): value}, None

    def update(self):
        sort, n = f"key-{self.chance.randrange(KEYS)}", {"N": str(self.chance.randrange(10**9))}
        before = self.known.get(self.name_of(sort))
        values = {":n": n} | ({":old": before["n"]} if before else {})
        members = {"TableName": TABLE, "Key": self.key(sort), "UpdateExpression": "SET n = :n",
                   "ConditionExpression": "n = :old" if before else "attribute_not_exists(pk)",
                   "ExpressionAttributeValues": values}
        return "UpdateItem", members, {self.name_of(sort): (before or {}) | {"n": n}}, None

    def delete(self):
        sort = f"key-{self.chance.randrange(KEYS)}"
        return "DeleteItem", {"TableName": TABLE, "Key": self.key(sort)}, {self.name_of(sort): None}, None

    def transact(self):
        return self.group(f"writer-{self.number}")

    def group(self, partition: str):
        """Three items that are always changed together, and one of the counters that all share."""
        stamp, shared = {"S": uuid.UUID(int=self.chance.getrandbits(128)).hex}, self.chance.randrange(COUNTERS)
        owner, n = {"S": f"owner-{self.chance.randrange(5)}"}, {"N": str(self.chance.randrange(10**9))}
        text = {"S": "z" * self.chance.randrange(600)}
        operations = [{"Update": {
            "TableName": TABLE, "Key": {"pk": {"S": partition}, "sk": {"S": f"group-{number}"}},
            "UpdateExpression": "SET stamp = :stamp, #owner = :owner, #text = :text, n = :n ADD done :one",
            "ExpressionAttributeNames": {"#owner": "owner", "#text": "text"},
            "ExpressionAttributeValues": {
                ":stamp": stamp, ":owner": owner, ":text": text, ":n": n, ":one": {"N": "1"}}}}
            for number in range(GROUP)]
        operations.append({"Update": {
            "TableName": TABLE, "Key": counter(shared), "UpdateExpression": "ADD done :one",
            "ExpressionAttributeValues": {":one": {"N": "1"}}}})
        self.chance.shuffle(operations)

        def becomes(before):
            done = int(before["done"]["N"]) + 1 if before else 1
            return {"stamp": stamp, "owner": owner, "text": text, "n": n, "done": {"N": str(done)}}

        return ("TransactWriteItems", {"TransactItems": operations, "ClientRequestToken": stamp["S"]},
                {(partition, f"group-{number}"): becomes for number in range(GROUP)}, shared)

    def transact_widely(self):
        """As much as makes pages go to the disk before the commit."""
        stamp = {"S": str(self.chance.randrange(10**9))}
        value = {"stamp": stamp, "text": {"S": "y" * self.chance.randrange(6000)}}
        operations = [{"Put": {"TableName": TABLE, "Item": self.key(f"wide-{number}") | value}}
                      for number in range(WIDE)]
        return ("TransactWriteItems", {"TransactItems": operations},
                {self.name_of(f"wide-{number}"): value for number in range(WIDE)}, None)

    def name_of(self, sort: str) -> tuple[str, str]:
        return f"writer-{self.number}", sort

    def key(self, sort: str) -> dict:
        return {"pk": {"S": f"writer-{self.number}"}, "sk": {"S": sort}}


class Volleys(Writer):
    """Sends many small transactions at the same time, each on a connection of its own."""

    def run(self):
        connections = [self.server.connect() for _ in range(VOLLEY)]
        try:
            for connection in connections:
                connection.connect()
            while not self.stopping.is_set():
                self.send(connections)
        except Exception as error:  # noqa: BLE001 - told by the drill, in its own thread
            self.failure = f"volleys: {error!r}"

    def send(self, connections):
        groups = self.chance.sample(range(VOLLEY_GROUPS), len(connections))
        works = [self.group(f"volley-{group}") for group in groups]
        requests = [self.request(operation, members) for operation, members, _, _ in works]
        for connection, request in zip(connections, requests):
            connection.sock.sendall(request)
        for connection, (_, _, becomes, shared) in zip(connections, works):
            response = http.client.HTTPResponse(connection.sock)
            response.begin()
            answer = response.read()
            if response.status == 200:
                self.answered += 1
                self.note(becomes)
                self.counted[shared] += 1
            elif is_refusal(answer.decode()):
                self.refused += 1
            else:
                raise Lost(f"{response.status}: {answer[:300]}")

    @staticmethod
    def request(operation: str, members: dict) -> bytes:
        body = json.dumps(members)
        return (f"POST / HTTP/1.1\r\nHost: localhost\r\nX-Amz-Target: DynamoDB_20120810.{operation}\r\n"
                f"Content-Type: application/x-amz-json-1.0\r\nContent-Length: {len(body)}\r\n\r\n{body}").encode()


def check_whole(items: dict, what: str):
    """Checks what holds at every moment: transactions are there as a whole."""
    done = 0
    for partition in {name[0] for name in items} - {"counters"}:
        for kind, count in (("group", GROUP), ("wide", WIDE)):
            members = [items.get((partition, f"{kind}-{number}")) for number in range(count)]
            states = {(item["stamp"]["S"], item.get("done", {"N": "0"})["N"]) if item else None for item in members}
            if len(states) != 1:
                raise Lost(f"{what}: a transaction of {partition} on its {kind} is half done: {states}")
        if group := items.get((partition, "group-0")):
            done += int(group["done"]["N"])
    counted = sum(int(items.get(("counters", str(number)), {}).get("done", {"N": "0"})["N"])
                  for number in range(COUNTERS))
    if counted != done:
        raise Lost(f"{what}: the counters say {counted} transactions, the items {done}")


def check_index(connection, table: str, items: dict, what: str):
    indexed = {name: item for name, item in items.items() if "owner" in item and "n" in item}
    if scan(connection, table, index="by-owner") != indexed:
        raise Lost(f"{what}: the index and the table disagree")


def check_model(connection, team: list[Writer], totals: list[int], what: str) -> dict:
    """Compares the table with what was answered, and returns it."""
    items = scan(connection)
    expected = {}
    for writer in team:
        for (partition, sort), attributes in writer.known.items():
            if attributes is not None:
                expected[(partition, sort)] = {"pk": {"S": partition}, "sk": {"S": sort}} | attributes
    for number, total in enumerate(totals):
        if total:
            expected[("counters", str(number))] = counter(number) | {"done": {"N": str(total)}}
    wrong = [name for name in expected.keys() | items.keys() if items.get(name) != expected.get(name)]
    if wrong:
        name = sorted(wrong)[0]
        raise Lost(f"{what}: {len(wrong)} items are wrong; {name} is {short(items.get(name))}, and was answered to be "
                   f"{short(expected.get(name))}")
    check_whole(items, what)
    return items


def short(item: dict | None) -> str:
    return str({name: str(value)[:60] for name, value in item.items()} if item else None)


def check_restore(connection, second: int, expected: dict | None):
    """Restores the table to a second, and compares; without an expectation with what holds at every moment."""
    what = f"restored to the second {second}"
    call(connection, "RestoreTableToPointInTime", {
        "SourceTableName": TABLE, "TargetTableName": "restored", "RestoreDateTime": second})
    deadline = time.monotonic() + 60
    while True:
        try:
            if call(connection, "DescribeTable", {"TableName": "restored"})["Table"]["TableStatus"] == "ACTIVE":
                break
        except Refused as refused:
            raise Lost(f"{what}: the restore was answered, and then there is no table: {refused}") from refused
        if time.monotonic() > deadline:
            raise Lost(f"{what}: the restore does not end")
        time.sleep(0.005)
    items = scan(connection, "restored")
    if expected is not None and items != expected:
        raise Lost(f"{what}: {len(items)} items, and {len(expected)} were answered to be there, or they differ")
    check_whole(items, what)
    check_index(connection, "restored", items, what)
    call(connection, "DeleteTable", {"TableName": "restored"})


def window(connection) -> tuple[float, float]:
    described = call(connection, "DescribeContinuousBackups", {"TableName": TABLE})
    recovery = described["ContinuousBackupsDescription"]["PointInTimeRecoveryDescription"]
    return recovery["EarliestRestorableDateTime"], recovery["LatestRestorableDateTime"]


def quiet_second() -> int:
    """Waits for the end of a whole second in which nothing was written, and names it."""
    second = math.floor(time.time()) + 1
    time.sleep(max(0.0, second + 0.01 - time.time()))
    return second


class Life:
    """One disk, from empty on: the server on it, what was answered, and what the table was at which second."""

    def __init__(self, folder: Path, writers: int, chance: random.Random):
        self.disk = SmallDisk(folder / "disk")
        self.server = TableServer(self.disk.path / "data")
        self.server.log_path = folder / "server.log"
        self.chance = chance
        # One more of volleys.
        self.known: list[dict] = [{} for _ in range(writers + 1)]
        self.counted: list[list[int]] = [[0] * COUNTERS for _ in range(writers + 1)]
        self.states: dict[int, dict] = {}
        self.first = self.last = 0

    def begin(self):
        self.disk.mount()
        self.server.start()
        create_table(self.server.connect())
        self.first = self.last = quiet_second()
        self.states[self.first] = {}

    def round(self) -> tuple[int, int]:
        """Returns how many changes were answered, and how many refused."""
        if self.chance.random() < 0.5:
            # The log of the database begins small, and not with the room that it had.
            self.server.stop()
            self.server.start()
        kinds = [Writer] * (len(self.known) - 1) + [Volleys]
        team = [kind(number, self.server, self.chance.randrange(2**32), self.known[number], self.counted[number])
                for number, kind in enumerate(kinds)]
        self.work(team)
        connection = self.server.connect()
        self.compare(connection, team, "while the disk is full")
        self.disk.empty()
        for writer in team:
            writer.settle()
        items = self.compare(connection, team, "with space again")
        check_index(connection, TABLE, items, "with space again")
        if self.chance.random() < 0.3:
            self.server.kill()
            verify(self.server.data_dir)
            self.server.start()
            connection = self.server.connect()
            self.compare(connection, team, "after a kill")
        else:
            verify(self.server.data_dir)
        second = quiet_second()
        self.states[second] = items
        between = range(self.last + 1, second)
        self.last = second
        self.restore(connection, [*self.chance.sample(between, min(SECONDS_A_ROUND, len(between))), second])
        return sum(writer.answered for writer in team), sum(writer.refused for writer in team)

    def work(self, team: list[Writer]):
        """Has all write, and leaves the disk full."""
        for writer in team:
            writer.start()
        for _ in range(self.chance.randint(*FILLINGS_A_ROUND)):
            self.disk.empty()
            self.await_more(team, "answered", self.chance.randint(*CHANGES_BEFORE))
            self.disk.fill(self.chance.randrange(FREE_KILOBYTES_MAX) * 1024)
            self.await_more(team, "refused", self.chance.randint(*REFUSALS))
        for writer in team:
            writer.stopping.set()
        for writer in team:
            writer.join(30)
            if writer.failure:
                raise Lost(writer.failure)

    @staticmethod
    def await_more(team: list[Writer], what: str, count: int):
        target, deadline = sum(getattr(writer, what) for writer in team) + count, time.monotonic() + SECONDS_MAX
        while sum(getattr(writer, what) for writer in team) < target and time.monotonic() < deadline:
            if any(writer.failure for writer in team):
                return
            time.sleep(0.005)

    def compare(self, connection, team: list[Writer], what: str) -> dict:
        totals = [sum(writer.counted[number] for writer in team) for number in range(COUNTERS)]
        return check_model(connection, team, totals, what)

    def restore(self, connection, seconds):
        deadline = time.monotonic() + 20
        while window(connection)[1] < self.last:
            if time.monotonic() > deadline:
                raise Lost(f"the table cannot be restored to {self.last}: {window(connection)}")
            time.sleep(0.05)
        if window(connection)[0] > self.first:
            raise Lost(f"the table could be restored to {self.first}, and now only from {window(connection)[0]} on")
        with self.disk.with_room():
            for second in seconds:
                check_restore(connection, second, self.states.get(second))

    def end(self) -> int:
        """Restores to every second of the disk's whole life, and ends the server. Returns to how many."""
        self.restore(self.server.connect(), range(self.first, self.last + 1))
        self.server.stop()
        verify(self.server.data_dir)
        return self.last + 1 - self.first


def drill(data_dir: Path, rounds: int, writers: int, seed: int, report=lambda line: None) -> int:
    """Runs the drill and returns the number of answered changes. Raises `Lost`; the seed repeats the draws."""
    chance = random.Random(seed)
    total = number = 0
    while number < rounds:
        life = Life(data_dir.parent / f"disk-{number}", writers, chance)
        try:
            life.begin()
            while number < rounds and life.disk.used() < USED_MEGABYTES_MAX:
                number += 1
                answered, refused = life.round()
                total += answered
                report(f"round {number} of {rounds}: {answered} changes answered, {refused} refused")
            report(f"restored to each of {life.end()} seconds")
        except Exception:
            life.server.kill()
            if life.server.data_dir.exists():
                # What failed is kept, and the disk it is on is not.
                shutil.copytree(life.server.data_dir, data_dir, ignore=shutil.ignore_patterns("*.sock"))
                shutil.copy(life.server.log_path, data_dir / "server.log")
            raise
        finally:
            life.server.kill()
            if life.disk.path.is_mount():
                life.disk.unmount()
    return total


if __name__ == "__main__":
    run(drill, "Fills the disk of a working server of tables; nothing answered may be lost.", rounds=100)
