"""Kills a server of tables with SIGKILL while many write, again and again, and compares what is there with a model.

Every writer has keys of its own and knows what it was answered for each: a put, an update with a condition, a removal
or a transaction over several keys and a counter that all share. After the restart each key holds what was last
answered, or what was under way when the server was killed: a transaction wholly or not at all. Indexes agree with the
table, `flag-server verify` finds nothing, and the table can be restored to its last moment.
"""

import http.client
import json
import random
import subprocess
import threading
import time
from pathlib import Path

from drills import Lost, kill_at_work, run
from server import START_DEADLINE, binary, clean_environment, free_port, run_command

TABLE = "drill"
KEYS = 12
"""How many keys each writer has."""
COUNTERS = 4
"""How many counters all writers share."""
CHANGES_A_ROUND = (50, 1200)
"""Between how many answered changes the server is killed."""


class TableServer:
    """A `flag-server dynamodb` process on a data directory."""

    def __init__(self, data_dir: Path):
        self.data_dir = Path(data_dir)
        self.port = free_port()
        self.process: subprocess.Popen | None = None
        self.log_path = self.data_dir.parent / "table-server.log"

    def start(self):
        command = [binary(), "dynamodb", "--port", str(self.port), "--data-dir", str(self.data_dir)]
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log, env=clean_environment())
        deadline = time.monotonic() + START_DEADLINE
        while True:
            try:
                return call(self.connect(), "ListTables", {})
            except OSError:
                if self.process.poll() is not None or time.monotonic() > deadline:
                    raise Lost(f"the server did not start:\n{self.log_path.read_text()[-2000:]}") from None
                time.sleep(0.005)

    def connect(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)

    def stop(self):
        """Ends the server as an operator does."""
        self.process.terminate()
        if self.process.wait(20) != 0:
            raise Lost(f"the server ended with {self.process.returncode}:\n{self.log_path.read_text()[-2000:]}")

    def kill(self):
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait(20)


class Refused(Exception):
    """The server answered an error: `code` is DynamoDB's name of it."""

    def __init__(self, code: str, message: str):
        super().__init__(f"{code}: {message}")
        self.code = code


def call(connection: http.client.HTTPConnection, operation: str, members: dict) -> dict:
    """One operation of DynamoDB's protocol. Raises `Refused`, or `OSError` when the server is gone."""
    headers = {"X-Amz-Target": f"DynamoDB_20120810.{operation}", "Content-Type": "application/x-amz-json-1.0"}
    try:
        connection.request("POST", "/", body=json.dumps(members), headers=headers)
        response = connection.getresponse()
        body = response.read()
    except http.client.HTTPException as error:
        raise ConnectionError(str(error)) from error
    answer = json.loads(body)
    if response.status != 200:
        raise Refused(answer.get("__type", "").rpartition("#")[2], answer.get("message", answer.get("Message", "")))
    return answer


def create_table(connection):
    call(connection, "CreateTable", {
        "TableName": TABLE, "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": [{"AttributeName": name, "AttributeType": kind}
                                 for name, kind in (("pk", "S"), ("sk", "S"), ("owner", "S"), ("n", "N"))],
        "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
        "GlobalSecondaryIndexes": [{
            "IndexName": "by-owner",
            "KeySchema": [{"AttributeName": "owner", "KeyType": "HASH"}, {"AttributeName": "n", "KeyType": "RANGE"}],
            "Projection": {"ProjectionType": "ALL"}}]})
    call(connection, "UpdateContinuousBackups", {
        "TableName": TABLE, "PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": True}})


def key(writer: int, number: int) -> dict:
    return {"pk": {"S": f"writer-{writer}"}, "sk": {"S": f"key-{number}"}}


def counter(number: int) -> dict:
    return {"pk": {"S": "counters"}, "sk": {"S": str(number)}}


class Writer(threading.Thread):
    """Changes its own keys until the server is gone. `known` is what was answered, `pending` what was under way."""

    def __init__(self, number: int, server: TableServer, seed: int, known: dict):
        super().__init__(daemon=True)
        self.number = number
        self.server = server
        self.chance = random.Random(seed)
        self.known = known
        self.pending: dict = {}
        self.pending_counter: int | None = None
        self.counted = [0] * COUNTERS
        self.answered = 0
        self.failure: str | None = None

    def run(self):
        connection = self.server.connect()
        try:
            while True:
                self.chance.choices([self.put, self.update, self.delete, self.transact], [4, 4, 1, 3])[0](connection)
                self.answered += 1
        except OSError:
            pass
        except Exception as error:  # noqa: BLE001 - told by the drill, in its own thread
            self.failure = f"writer {self.number}: {error!r}"

    def value(self) -> dict:
        value = {"n": {"N": str(self.chance.randrange(10**9))}, "text": {"S": "x" * self.chance.randrange(400)}}
        if self.chance.random() < 0.8:
            value["owner"] = {"S": f"owner-{self.chance.randrange(5)}"}
        return value

    def commit(self):
        for number, value in self.pending.items():
            self.known[number] = value
        if self.pending_counter is not None:
            self.counted[self.pending_counter] += 1
        self.pending, self.pending_counter = {}, None

    def put(self, connection):
        number, value = self.chance.randrange(KEYS), self.value()
        self.pending = {number: value}
        call(connection, "PutItem", {"TableName": TABLE, "Item": key(self.number, number) | value})
        self.commit()

    def update(self, connection):
        """With a condition that holds, or one that does not: then it must be refused."""
        number = self.chance.randrange(KEYS)
        before = self.known.get(number)
        right = self.chance.random() < 0.7
        members = {"TableName": TABLE, "Key": key(self.number, number),
                   "UpdateExpression": "SET n = :n", "ExpressionAttributeValues": {
                       ":n": {"N": str(self.chance.randrange(10**9))}}}
        if (before is None) == right:
            members["ConditionExpression"] = "attribute_not_exists(pk)"
        else:
            members["ConditionExpression"] = "n = :old"
            members["ExpressionAttributeValues"][":old"] = before["n"] if before else {"N": "-1"}
        if right:
            self.pending = {number: (before or {}) | {"n": members["ExpressionAttributeValues"][":n"]}}
        try:
            call(connection, "UpdateItem", members)
        except Refused as refused:
            if right or refused.code != "ConditionalCheckFailedException":
                raise
            return
        if not right:
            raise Lost(f"a condition that does not hold was taken for one that does: {members}")
        self.commit()

    def delete(self, connection):
        number = self.chance.randrange(KEYS)
        self.pending = {number: None}
        call(connection, "DeleteItem", {"TableName": TABLE, "Key": key(self.number, number)})
        self.commit()

    def transact(self, connection):
        numbers, shared = self.chance.sample(range(KEYS), 3), self.chance.randrange(COUNTERS)
        self.pending = {number: self.value() for number in numbers[:2]} | {numbers[2]: None}
        self.pending_counter = shared
        operations = [{"Put": {"TableName": TABLE, "Item": key(self.number, number) | value}} if value else
                      {"Delete": {"TableName": TABLE, "Key": key(self.number, number)}}
                      for number, value in self.pending.items()]
        operations.append({"Update": {
            "TableName": TABLE, "Key": counter(shared), "UpdateExpression": "ADD done :one",
            "ExpressionAttributeValues": {":one": {"N": "1"}}}})
        call(connection, "TransactWriteItems", {"TransactItems": operations})
        self.commit()


def scan(connection, table: str = TABLE, index: str | None = None) -> dict:
    """All items of a table or an index, by key."""
    items, start = {}, None
    while True:
        members = {"TableName": table, "ConsistentRead": index is None}
        members |= {"IndexName": index} if index else {}
        members |= {"ExclusiveStartKey": start} if start else {}
        page = call(connection, "Scan", members)
        items |= {(item["pk"]["S"], item["sk"]["S"]): item for item in page["Items"]}
        start = page.get("LastEvaluatedKey")
        if not start:
            return items


def check(server: TableServer, team: list[Writer], totals: list[int]):
    """Compares everything with the model, and takes what was under way and is there into it."""
    connection = server.connect()
    items = scan(connection)
    for writer in team:
        there = {number: item for number in range(KEYS)
                 if (item := items.pop((f"writer-{writer.number}", f"key-{number}"), None))}
        there = {number: {name: value for name, value in item.items() if name not in ("pk", "sk")}
                 for number, item in there.items()}
        answered = {number: value for number, value in writer.known.items() if value is not None}
        done = {number: value for number, value in (answered | writer.pending).items() if value is not None}
        if there == answered:
            happened = False
        elif writer.pending and there == done:
            happened = True
        else:
            wrong = [number for number in range(KEYS) if there.get(number) != answered.get(number)]
            raise Lost(f"writer {writer.number}, key {wrong[0]}: there is {there.get(wrong[0])}, answered was "
                       f"{answered.get(wrong[0])}, under way {writer.pending}")
        if happened and writer.pending_counter is not None:
            totals[writer.pending_counter] += 1
        unclear = writer.pending_counter is not None and there == answered == done
        writer.known = there
        for number in range(COUNTERS):
            totals[number] += writer.counted[number]
        if unclear:
            raise Lost("the drill cannot tell whether a transaction happened")
    for number, total in enumerate(totals):
        there = int(items.pop(("counters", str(number)), {}).get("done", {"N": "0"})["N"])
        if there != total:
            raise Lost(f"counter {number} is {there}: transactions of {total} happened")
    if items:
        raise Lost(f"nobody wrote {list(items)[:3]}")
    all_items = scan(connection)
    indexed = {name: item for name, item in all_items.items() if "owner" in item and "n" in item}
    if scan(connection, index="by-owner") != indexed:
        raise Lost("the index and the table disagree")
    return all_items


def verify(data_dir: Path):
    completed = run_command("verify", "--data-dir", data_dir)
    if completed.returncode != 0:
        raise Lost(f"verify: {completed.stdout}{completed.stderr}")


def check_restore(server: TableServer, items: dict):
    """Restores the table to its last moment, and compares."""
    connection = server.connect()
    call(connection, "RestoreTableToPointInTime", {
        "SourceTableName": TABLE, "TargetTableName": "restored", "UseLatestRestorableTime": True})
    while call(connection, "DescribeTable", {"TableName": "restored"})["Table"]["TableStatus"] != "ACTIVE":
        time.sleep(0.01)
    if scan(connection, "restored") != items:
        raise Lost("the table that was restored to the last moment is not what it was")
    call(connection, "DeleteTable", {"TableName": "restored"})


def drill(data_dir: Path, rounds: int, writers: int, seed: int, report=lambda line: None) -> int:
    """Runs the drill and returns the number of answered changes. Raises `Lost`; the seed repeats the draws."""
    chance = random.Random(seed)
    server = TableServer(data_dir)
    known: list[dict] = [{} for _ in range(writers)]
    totals = [0] * COUNTERS
    total = 0
    try:
        server.start()
        create_table(server.connect())
        for round_number in range(1, rounds + 1):
            team = [Writer(number, server, chance.randrange(2**32), known[number]) for number in range(writers)]
            kill_at_work(server, team, chance, CHANGES_A_ROUND)
            done = sum(writer.answered for writer in team)
            total += done
            verify(data_dir)
            started = time.monotonic()
            server.start()
            ready = time.monotonic() - started
            items = check(server, team, totals)
            known = [writer.known for writer in team]
            if round_number % 5 == 0:
                check_restore(server, items)
            report(f"round {round_number} of {rounds}: {done} answered changes, all there; "
                   f"ready after {ready * 1000:.0f} ms")
    finally:
        server.kill()
    verify(data_dir)
    return total


if __name__ == "__main__":
    run(drill, "Kills a working server of tables; nothing answered may be lost.")
