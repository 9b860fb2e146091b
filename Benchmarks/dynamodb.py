"""Servers that speak DynamoDB's protocol, and the table that is measured on each.

`Benchmarks/TableBench` makes the same items without a socket.
"""

import json
import os
import sqlite3
import subprocess
import time
from pathlib import Path

import peers
from processes import Server, free_port

TABLE = "bench"
PARTITION_SIZE = 100
OWNER_SIZE = 10

AUTHORIZATION = ("Authorization: AWS4-HMAC-SHA256 Credential=local/20260101/us-east-1/dynamodb/aws4_request, "
                 "SignedHeaders=host;x-amz-date, Signature=0")
"""The peers take the service's name from it; nobody checks the signature."""


def headers(operation: str) -> tuple[str, ...]:
    return ("Content-Type: application/x-amz-json-1.0", f"X-Amz-Target: DynamoDB_20120810.{operation}", AUTHORIZATION)


def ask(server: Server, operation: str, **members) -> dict:
    """One request; the run ends when it is not answered 200."""
    return send(server, operation, json.dumps(members).encode())


def send(server: Server, operation: str, body: bytes) -> dict:
    """The same with a body that is made already."""
    fields = "".join(f"{field}\r\n" for field in headers(operation))
    answer = peers.whole(server.port, (f"POST / HTTP/1.1\r\nHost: localhost\r\n{fields}Content-Length: {len(body)}\r\n"
                                       "Connection: close\r\n\r\n").encode() + body)
    head, _, content = answer.partition(b"\r\n\r\n")
    if not head.startswith(b"HTTP/1.1 200 "):
        raise SystemExit(f"{server.name} answers {operation} with {answer[:500].decode(errors='replace')}")
    if b"chunked" in head.lower():
        content = content.partition(b"\r\n")[2].rpartition(b"\r\n0\r\n")[0]
    return json.loads(content)


# Servers

def flag_server(data_dir) -> Server:
    port = free_port()
    server = Server("flag-server", [peers.build("flag-server"), "dynamodb", "--port", port, "--data-dir", data_dir], port)
    return await_tables(server)


def moto() -> Server:
    port = free_port()
    return await_tables(Server("moto_server", [environment("moto") / "moto_server", "-p", port], port))


def ministack(data_dir) -> Server:
    port = free_port()
    return await_tables(Server("ministack", [environment("ministack") / "ministack"], port, {
        "GATEWAY_PORT": str(port), "SERVICES": "dynamodb", "LOG_LEVEL": "WARNING", "TMPDIR": str(data_dir)}))


def await_tables(server: Server) -> Server:
    fields = "".join(f"{field}\r\n" for field in headers("ListTables"))
    server.await_ready(f"POST / HTTP/1.1\r\nHost: localhost\r\n{fields}Content-Length: 2\r\nConnection: close\r\n\r\n"
                       "{}".encode())
    return server


def environment(peer: str) -> Path:
    """The programs of a peer from PyPI. The peers do not agree on a version of botocore: each has its own."""
    return peers.python_environment(f"peer-{peer}", peers.FOLDER / "Peers" / f"{peer}.txt")


# The table

def create(server: Server):
    indexes = [
        {"IndexName": f"GSI{number}", "Projection": {"ProjectionType": "ALL"},
         "KeySchema": key_schema(f"GSI{number}PK", f"GSI{number}SK"),
         "ProvisionedThroughput": {"ReadCapacityUnits": 25, "WriteCapacityUnits": 25}} for number in range(1, 5)]
    names = ["PK", "SK"] + [f"GSI{number}{part}" for number in range(1, 5) for part in ("PK", "SK")]
    ask(server, "CreateTable", TableName=TABLE, KeySchema=key_schema("PK", "SK"), GlobalSecondaryIndexes=indexes,
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in names],
        ProvisionedThroughput={"ReadCapacityUnits": 25, "WriteCapacityUnits": 25})


def key_schema(partition: str, sort: str) -> list[dict]:
    return [{"AttributeName": partition, "KeyType": "HASH"}, {"AttributeName": sort, "KeyType": "RANGE"}]


def fill(server: Server, count: int):
    create(server)
    for start in range(0, count, 25):
        puts = [{"PutRequest": {"Item": item(number)}} for number in range(start, min(count, start + 25))]
        ask(server, "BatchWriteItem", RequestItems={TABLE: puts})


def key(number: int) -> dict:
    return {"PK": {"S": f"P#{number // PARTITION_SIZE:07d}"}, "SK": {"S": f"I#{number % PARTITION_SIZE:03d}"}}


def owner(number: int) -> str:
    return f"OWNER#{number // OWNER_SIZE:07d}"


def item(number: int) -> dict:
    name = f"{number:08d}"
    texts = {
        "flagKey": f"flag-{name}", "owner": f"team-{number // OWNER_SIZE:07d}",
        "description": "Shows the new page to those who asked for it, and to nobody else",
        "createdAt": "2026-01-02T03:04:05.678Z",
        "GSI1PK": f"EXPIRES#{number % 16}", "GSI1SK": f"2027-01-02#{name}",
        "GSI2PK": owner(number), "GSI2SK": f"FLAG#{name}",
        "GSI3PK": f"FLAGS#{number % 8}", "GSI3SK": f"METADATA#{name}",
        "GSI4PK": f"GLOBAL#{name}", "GSI4SK": "ENV#staging",
    }
    return {**key(number), **{name: {"S": text} for name, text in texts.items()},
            "defaultEnabled": {"BOOL": number % 2 == 0}, "version": {"N": str(number % 50 + 1)}}


def item_bytes() -> int:
    """An item's size as DynamoDB counts it: names, texts, one byte for a boolean, and two for a small number."""
    sizes = {"BOOL": lambda _: 1, "N": lambda _: 2, "S": lambda text: len(text.encode())}
    return sum(len(name) + sizes[kind](value) for name, held in item(0).items() for kind, value in held.items())


# Requests. Each kind in as many different ones as `count`, spread over the table's `items`.

def gets(items: int, count: int) -> list[bytes]:
    return [encoded(TableName=TABLE, Key=key(number)) for number in spread(items, count)]


def queries(items: int, count: int) -> list[bytes]:
    """The first ten items of a partition."""
    return [encoded(TableName=TABLE, Limit=10, KeyConditionExpression="PK = :p",
                    ExpressionAttributeValues={":p": key(number)["PK"]}) for number in spread(items, count)]


def index_queries(items: int, count: int) -> list[bytes]:
    """The ten items of an owner."""
    return [encoded(TableName=TABLE, IndexName="GSI2", KeyConditionExpression="GSI2PK = :o",
                    ExpressionAttributeValues={":o": {"S": owner(number)}}) for number in spread(items, count)]


def puts(items: int, count: int) -> list[bytes]:
    """Items in place of those that are there. Each differs from the one before it of its key: an item that is put as
    it is already changes nothing, and would be answered without a sync."""
    return [encoded(TableName=TABLE, Item={**item(step * 7_919 % items), "description": {"S": f"Take {step}"}})
            for step in range(max(count, 2 * items) if items < count else count)]


def conditional_updates(items: int, count: int) -> list[bytes]:
    return [encoded(TableName=TABLE, Key=key(number), UpdateExpression="ADD #v :one",
                    ConditionExpression="attribute_exists(PK)", ExpressionAttributeNames={"#v": "version"},
                    ExpressionAttributeValues={":one": {"N": "1"}}) for number in spread(items, count)]


def spread(items: int, count: int) -> list[int]:
    return [step * 7_919 % items for step in range(min(count, items))]


def encoded(**members) -> bytes:
    return json.dumps(members, separators=(",", ":")).encode()


def run_bench(case: str, folder, number: int) -> dict:
    """The figures of one case of TableBench."""
    program = peers.REPOSITORY / ".build" / "release" / "TableBench"
    ran = subprocess.run([program, case, folder, str(number)], capture_output=True, text=True, cwd="/")
    if ran.returncode != 0:
        raise SystemExit(f"TableBench {case} failed:\n{(ran.stdout + ran.stderr)[-2000:]}")
    return json.loads(ran.stdout)


def syncs_a_second(folder, seconds: float = 2) -> float:
    """How many times a second 4 KiB can be written and synced, one after the other: the disk's own bound.

    Over blocks that the file has already, as a log that is used again has them: new ones cost the file system more.
    """
    path = Path(folder) / "syncs"
    file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        os.write(file, os.urandom(1 << 20))
        os.fsync(file)
        block, count = os.urandom(4096), 0
        end = time.perf_counter() + seconds
        while time.perf_counter() < end:
            os.pwrite(file, block, count * 4096 % (1 << 20))
            os.fdatasync(file)
            count += 1
        return count / seconds
    finally:
        os.close(file)
        path.unlink()


def file_parts(data_dir: Path) -> dict[str, int]:
    """The bytes that each part of the store's file takes: its tables with their own indexes, by name."""
    database = sqlite3.connect(data_dir / "flags.db")
    try:
        owners = dict(database.execute("SELECT name, tbl_name FROM sqlite_schema"))
        parts: dict[str, int] = {}
        for name, size in database.execute("SELECT name, sum(pgsize) FROM dbstat GROUP BY name"):
            owner = owners.get(name, "other")
            parts[owner] = parts.get(owner, 0) + size
        return parts
    finally:
        database.close()
