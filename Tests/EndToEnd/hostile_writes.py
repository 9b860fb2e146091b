"""The scenes of the hostile drill that are about the store: its writer, its readers, its disk and large requests."""

import json
import sqlite3
import time

from hostile_load import Client, Report, Stage, encoded
from hostile_scenes import Attack, evaluate, must_not, scene, simple, within

TABLE = "things"


def create_table(stage: Stage):
    stage.table("CreateTable", {
        "TableName": TABLE, "BillingMode": "PAY_PER_REQUEST",
        "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
        "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}]})


def put_item(stage: Stage, key: str, **attributes):
    stage.table("PutItem", {"TableName": TABLE, "Item": {"pk": {"S": key}} | attributes})


# The writer

@scene
def conditions(stage: Stage) -> Attack:
    """Conditions that nearly fit everywhere: one of 195 KB on an item of 390 KB, and transactions of a hundred."""
    create_table(stage)
    put_item(stage, "big", big={"S": "a" * 390_000})
    for number in range(100):
        put_item(stage, f"part-{number}", big={"S": "a" * 40_000})
    put = encoded({
        "TableName": TABLE, "Item": {"pk": {"S": "big"}, "big": {"S": "a" * 390_000}},
        "ConditionExpression": "attribute_not_exists(pk) OR NOT contains(big, :v)",
        "ExpressionAttributeValues": {":v": {"S": "a" * 195_000 + "b"}}})
    transaction = encoded({"TransactItems": [{"ConditionCheck": {
        "TableName": TABLE, "Key": {"pk": {"S": f"part-{number}"}},
        "ConditionExpression": " OR ".join(["contains(big, :v)"] * 10 + ["attribute_exists(pk)"]),
        "ExpressionAttributeValues": {":v": {"S": "a" * 19_000 + "b"}}}} for number in range(100)]})

    return Attack(
        [(4, lambda client: client.table("PutItem", put)),
         (4, lambda client: client.table("TransactWriteItems", transaction))],
        memory=8 * 2 * 16, check=lambda report: must_not(report, 400))


@scene
def filters(stage: Stage) -> Attack:
    """Scans whose filters look through everything, by clients that mostly leave before the answer."""
    create_table(stage)
    for number in range(10):
        put_item(stage, f"{number}", big={"S": "a" * 390_000})
    body = encoded({
        "TableName": TABLE, "FilterExpression": " OR ".join(["contains(big, :v)"] * 100),
        "ExpressionAttributeValues": {":v": {"S": "a" * 190_000 + "b"}}})

    def leave(client: Client):
        connection = client.open(stage.tables_port)
        connection.request("POST", "/", body, client.operation("Scan"))
        time.sleep(0.05)
        client.leave()

    return Attack([(4, lambda client: client.table("Scan", body)), (8, leave)], memory=12 * 8)


@scene
def queue(stage: Stage) -> Attack:
    """460 clients that write in batches of 25 on a disk that takes seconds for a sync; kill switches by hand, too."""
    create_table(stage)
    stage.slow_disk()

    def work(client: Client):
        client.table("BatchWriteItem", {"RequestItems": {TABLE: [
            {"PutRequest": {"Item": {"pk": {"S": f"{client.chance.random()}"}}}} for _ in range(25)]}})

    def kill_by_hand(client: Client):
        item = {"PK": {"S": "EMERGENCY#staging"}, "SK": {"S": "FLAG#some"}, "enabled": {"BOOL": True}}
        status, answer = client.table("PutItem", {"TableName": "feature-flags-local", "Item": item})
        assert status == 200, f"a kill switch by hand answered {status}: {answer[:200]}"

    bound = 2 * stage.sync + 1
    return Attack(
        [(460, work), (1, kill_by_hand)], kill=bound, check=lambda report: within(report, bound + 1, "PutItem"))


@scene
def misses(stage: Stage) -> Attack:
    """Flags that are not in the cache, while the writer waits for a slow disk: nobody waits with it."""
    keys = [f"rare-{number}" for number in range(3000)]
    stage.load_flags(*(simple(key) for key in keys))
    stage.slow_disk()

    def look(client: Client):
        evaluate(client, client.chance.choice(keys), {})

    def write(client: Client):
        client.ask("PATCH", f"/api/flags/{client.chance.choice(keys)}", {"description": f"{client.chance.random()}"})

    return Attack(
        [(2, look), (8, write)], kill=2 * stage.sync + 1,
        check=lambda report: within(report, 0.5, "POST /ofrep/"))


@scene
def long_reader(stage: Stage) -> Attack:
    """Another program that reads the database for as long as it lasts, beside writers that fill the log."""
    create_table(stage)
    readers: list[sqlite3.Connection] = []

    def read(client: Client):
        if not readers:
            reader = sqlite3.connect(f"file:{stage.server.data_dir}/flags.db?mode=ro", uri=True)
            reader.execute("begin")
            reader.execute("select count(*) from sqlite_schema").fetchone()
            readers.append(reader)
        time.sleep(1)

    def write(client: Client):
        client.table("PutItem", {"TableName": TABLE, "Item": {
            "pk": {"S": f"{client.chance.randrange(100)}"}, "big": {"S": "a" * 200_000}}})

    return Attack([(1, read), (4, write)], check=lambda report: within(report, 1.0, "PutItem"))


# Large work

@scene
def replace(stage: Stage) -> Attack:
    """Imports that put 2,000 flags in the place of 2,000 others, by clients that mostly leave before the answer."""
    documents = [encoded({"flags": [simple(f"{name}-{number}") for number in range(2000)]}) for name in ("a", "b")]

    def stay(client: Client):
        client.ask("POST", "/api/import?mode=replace&environment=staging", client.chance.choice(documents))

    def leave(client: Client):
        connection = client.open(stage.server.port)
        connection.request("POST", "/api/import?mode=replace&environment=staging", client.chance.choice(documents),
                           {"Content-Type": "application/json"})
        time.sleep(0.3)
        client.leave()

    return Attack([(1, stay), (2, leave)], memory=8 * 16, check=lambda report: within(report, 30, "POST /api/import"))


@scene
def deletes(stage: Stage) -> Attack:
    """Flags deleted and made one by one beside 5,000 others."""
    stage.load_flags(*(simple(f"many-{number}") for number in range(5000)))

    def work(client: Client):
        key = f"gone-{client.chance.random()}"
        client.ask("POST", "/api/flags", simple(key))
        status, answer = client.ask("DELETE", f"/api/flags/{key}")
        assert status in (204, 503), f"a deletion answered {status}: {answer[:200]}"

    def check(report: Report) -> list[str]:
        made = sorted(report.latencies["POST /api/flags"])
        deleted = sorted(seconds for what, rows in report.latencies.items() if what.startswith("DELETE")
                         for seconds in rows)
        typical = [rows[len(rows) // 2] for rows in (made, deleted)]
        return [] if typical[1] < 5 * typical[0] + 0.02 else [
            f"deleting a flag takes {typical[1] * 1000:.0f} ms, making one {typical[0] * 1000:.0f}"]

    return Attack([(2, work)], check=check)


@scene
def large_requests(stage: Stage) -> Attack:
    """Lists of 85,000 keys for a segment, and items by the MiB; who asks for one thing is answered beside them."""
    create_table(stage)
    stage.server.expect(201, "POST", "/api/segments", {"name": "large", "description": "Many", "owner": "drill"})
    keys = [encoded({"keys": [f"{name}{number}" for number in range(85_000)]}) for name in ("a", "b")]
    items = encoded({"RequestItems": {TABLE: [
        {"PutRequest": {"Item": {"pk": {"S": f"{number}"}, "list": {"L": [{"N": f"{n}"} for n in range(25_000)]}}}}
        for number in range(25)]}})

    def get(client: Client):
        client.ask("GET", "/api/segments/large")
        client.table("DescribeTable", {"TableName": TABLE})
        time.sleep(0.05)

    return Attack(
        [(4, lambda client: client.ask("PUT", "/api/segments/large/keys", client.chance.choice(keys))),
         (4, lambda client: client.table("BatchWriteItem", items)), (4, get)],
        memory=4 * 4 * 2 + 4 * 8 * 16,
        check=lambda report: within(report, 1.5, "GET /api/segments", "DescribeTable"))


@scene
def requirements(stage: Stage) -> Attack:
    """A flag that requires a hundred others, through five of twenty, in a cache of a hundred."""

    def requiring(key: str, keys: list[str]) -> dict:
        return simple(key) | {"requires": [{"flagKey": needed, "variant": "on"} for needed in keys]}

    groups = [[f"needed-{group}-{number}" for number in range(19)] for group in range(5)]
    flags = [simple(key) for keys in groups for key in keys]
    flags += [requiring(f"group-{group}", keys) for group, keys in enumerate(groups)]
    stage.load_flags(*flags, requiring("crown", [f"group-{group}" for group in range(5)]))

    def work(client: Client):
        status, answer = evaluate(client, "crown", {})
        assert status == 200, f"a flag that requires a hundred others answered {status}: {answer[:200]}"

    return Attack([(2, work)])


@scene
def foreign_items(stage: Stage) -> Attack:
    """Items of any content under the keys of flags, segments, overrides and kill switches; nothing answers 500."""
    table = "feature-flags-local"
    words = ["METADATA", "GLOBAL", "FLAG#a", "KEY#k", "x", "\u202e\u2028"]
    paths = [
        "/api/flags", "/api/flags/a", "/api/flags/a/history", "/api/flags/a/tenants", "/api/tenants/acme/flags",
        "/api/segments", "/api/segments/s", "/api/segments/s/keys", "/api/emergency/kill-switch", "/api/export",
        "/api/flags/by-key/a", "/api/flags/a/dependents", "/api/segments/s/uses", "/metrics"]

    def value(client: Client, depth: int = 0) -> dict:
        kind = client.chance.randrange(8 if depth < 3 else 5)
        text = client.chance.choice(["", "on", "2026-01-02T03:04:05Z", "\u202eevil\u2028", "{", "1e400", "x" * 3000])
        return [
            {"S": text}, {"N": client.chance.choice(["1", "-1", "1e125", "0.5"])}, {"BOOL": kind == 2},
            {"NULL": True}, {"B": "AAEC"}, {"SS": [text]}, {"L": [value(client, depth + 1)]} if kind == 6 else {},
            {"M": {text or "m": value(client, depth + 1)}} if kind == 7 else {}][kind]

    def put(client: Client):
        partition = client.chance.choice(
            ["FLAG#development#a", "FLAG#development#", "SEGMENT#development#s", "TENANT#development#acme",
             "REVISION#development", "FLAGS#development", "\u202e"])
        names = ["flagKey", "definition", "defaultEnabled", "version", "createdAt", "requires", "rollout", "owner",
                 "condition", "enabled", "expiresAt", "tags", "revision", "\u202e"]
        item = {name: value(client) for name in client.chance.sample(names, 6)}
        status, answer = client.table("PutItem", {"TableName": table, "Item": item | {
            "PK": {"S": partition}, "SK": {"S": client.chance.choice(words)}}})
        assert status in (200, 400), f"an item answered {status}: {answer[:200]}"

    def read(client: Client):
        path = client.chance.choice(paths)
        status, answer = client.ask("GET", path)
        assert status < 500, f"{path} answered {status}: {answer[:300]}"
        for key in ("a", "b"):
            status, answer = evaluate(client, key, {"tenantId": "acme"})
            assert status < 500, f"{key} answered {status}: {answer[:300]}"

    def check(report: Report) -> list[str]:
        raw = [mark for mark in "\u202e\u2028" if mark in stage.server.log]
        return [f"the log has U+{ord(mark):04X} as it came" for mark in raw]

    return Attack([(2, put), (2, read)], check=check)
