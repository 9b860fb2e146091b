"""A disk that fills up: writes are refused with what to do, all else goes on, and with space everything does again."""

import json
import subprocess
import tempfile
import threading
import time
from datetime import datetime, timezone
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from server import FlagServer, await_true, free_port, run_command, send
from tables import THINGS, client_for

TEXT = "x" * 60_000


@pytest.fixture
def small_disk():
    """A file system of 68 MiB, 24 of them ballast to be thrown off; skipped where mounting is not allowed."""
    folder = Path(tempfile.mkdtemp())
    mount = ["mount", "-t", "tmpfs", "-o", "size=68m", "tmpfs", folder]
    mounted = subprocess.run(mount, capture_output=True, text=True)
    if mounted.returncode != 0:
        folder.rmdir()
        pytest.skip(f"no small file system can be mounted here: {mounted.stderr.strip()}")
    (folder / "ballast").write_bytes(b"\0" * (24 << 20))
    yield folder
    subprocess.run(["umount", "-l", folder], check=True)
    folder.rmdir()


@pytest.fixture
def server(small_disk, tmp_path):
    """A server of flags and of tables whose data is on the small disk, and its log is not."""
    port = free_port()
    with FlagServer(small_disk / "data", "--dynamodb-port", port, cwd=tmp_path) as server:
        server.log_path = tmp_path / "server.log"
        server.start()
        server.dynamodb = client_for(port)
        yield server


def fill(folder: Path):
    """Makes the ballast as large as can be."""
    with open(folder / "ballast", "ab", buffering=0) as ballast, pytest.raises(OSError):
        while True:
            ballast.write(b"\0" * 4096)


class Writers:
    """Writes flags by REST and items by DynamoDB's protocol, each on connections of its own, until told to stop.

    `taken` is what was acknowledged; `refusals` what was answered instead.
    """

    def __init__(self, server: FlagServer):
        self.server = server
        self.taken: set[str] = set()
        self.refusals: list = []
        self.stopping = threading.Event()
        self.failure: Exception | None = None
        works = [self.write_flags, self.write_items] * 2
        self.threads = [threading.Thread(target=self.run, args=[work, number]) for number, work in enumerate(works)]

    def __enter__(self) -> "Writers":
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.stopping.set()
        for thread in self.threads:
            thread.join(30)
        if self.failure:
            raise self.failure

    def run(self, work, number: int):
        try:
            for turn in range(100_000):
                if self.stopping.is_set():
                    return
                work(f"{number}-{turn}")
        except Exception as failure:  # Shown by the test's own thread.
            self.failure = failure

    def write_flags(self, name: str):
        connection = self.server.connect()
        body = {"flagKey": f"flag-{name}", "description": "Fills the disk", "owner": "tests", "state": "ENABLED",
                "variants": {"a": TEXT}, "defaultVariant": "a"}
        status, headers, answer = send(connection, "POST", "/api/flags", body)
        connection.close()
        if status == 201:
            self.taken.add(f"flag-{name}")
        else:
            self.refused("REST", (status, headers["Content-Type"], answer["code"], answer["detail"]))

    def write_items(self, name: str):
        try:
            self.server.dynamodb.put_item(TableName="things", Item={
                "pk": {"S": f"item-{name}"}, "sk": {"N": "1"}, "text": {"S": TEXT}})
            self.taken.add(f"item-{name}")
        except ClientError as error:
            answered = error.response
            self.refused("DynamoDB", (answered["ResponseMetadata"]["HTTPStatusCode"], "", answered["Error"]["Code"],
                                      answered["Error"]["Message"]))

    def refused(self, protocol: str, answer: tuple):
        self.refusals.append((protocol, *answer))
        time.sleep(0.02)

    def await_refusals(self):
        await_true(lambda: {refusal[0] for refusal in self.refusals} == {"REST", "DynamoDB"} or self.failure, 60,
                   "the disk never got full")


def stored(server: FlagServer) -> set[str]:
    flags = {flag["flagKey"] for flag in server.all_flags()}
    pages = server.dynamodb.get_paginator("scan").paginate(TableName="things", ProjectionExpression="pk")
    return flags | {item["pk"]["S"] for page in pages for item in page["Items"]}


def health(server: FlagServer) -> tuple[int, dict]:
    status, _, body = server.request("GET", "/health/ready")
    return status, body


def test_a_full_disk_refuses_writes_keeps_on_reading_and_loses_nothing(server, small_disk):
    server.create_flag("known", defaultEnabled=True)
    server.dynamodb.create_table(**THINGS)
    with Writers(server) as writers:
        writers.await_refusals()
        for protocol, status, kind, code, message in writers.refusals:
            if protocol == "REST":
                assert (status, kind, code) == (503, "application/problem+json", "store_unavailable")
            else:
                assert (status, code) == (500, "InternalServerError")
            assert "full" in message and "Free space" in message, message

        # Reads go on, and who asks is told.
        assert server.evaluate("known")[1]["value"] is True
        assert server.expect(200, "GET", "/api/flags/known")["flagKey"] == "known"
        some = next(name for name in writers.taken if name.startswith("item"))
        found = server.dynamodb.get_item(TableName="things", Key={"pk": {"S": some}, "sk": {"N": "1"}})
        assert found["Item"]["text"]["S"] == TEXT
        await_true(lambda: health(server)[1]["status"] == "degraded", 10, "health does not tell of a full disk")
        await_true(lambda: server.metric("flag_server_store_writable") == {"": 0}, 10, "nor do the metrics")
        assert health(server)[0] == 200, "evaluations need no disk: the server stays in service"
        assert "the store takes no writes" in server.log

    # Space returns, and so do writes; nobody has to write for it to be known.
    (small_disk / "ballast").unlink()
    await_true(lambda: health(server)[1]["status"] == "ok", 10, "space returned, health did not")
    assert "the store takes writes again" in server.log
    server.create_flag("afterwards", defaultEnabled=True)
    server.dynamodb.put_item(TableName="things", Item={"pk": {"S": "item-afterwards"}, "sk": {"N": "1"}})

    expected = writers.taken | {"known", "afterwards", "item-afterwards"}
    assert stored(server) >= expected
    server.kill()
    server.start()
    assert stored(server) >= expected
    assert server.terminate() == 0
    verified = run_command("verify", "--data-dir", server.data_dir)
    assert verified.returncode == 0, verified.stdout + verified.stderr


def switch(server: FlagServer, key: str, on: bool):
    path = "/api/emergency/kill-switch" + ("" if on else "/deactivate")
    body = {"flagKey": key, "reason": "it takes money twice"}
    status, _, answer = server.request("POST", path, body | {"activatedBy" if on else "deactivatedBy": "mia"})
    assert status < 300, (answer, health(server)[1])


def test_kill_switches_are_set_and_ended_on_a_full_disk(server, small_disk):
    server.create_flag("checkout", defaultEnabled=True)
    assert health(server)[1]["checks"]["reserve"] == "ok"
    with Writers(server) as writers:
        server.dynamodb.create_table(**THINGS)
        writers.await_refusals()
        # The more who write what is refused, the less may they take of what is set aside.
        for _ in range(40):
            switch(server, "checkout", on=True)
            await_true(lambda: server.evaluate("checkout")[1]["value"] is False, 1, "the switch does not take it away")
            switch(server, "checkout", on=False)
            await_true(lambda: server.evaluate("checkout")[1]["value"] is True, 1, "its end does not give it back")
        assert "kill switches and for nothing else" in health(server)[1]["checks"]["reserve"]
        assert 0 < server.metric("flag_server_reserve_bytes")[""] < 4 << 20
        refused_so_far = len(writers.refusals)
        await_true(lambda: len(writers.refusals) > refused_so_far + 10, 10, "writers do not go on")
        assert "kill switches alone" in writers.refusals[-1][-1], writers.refusals[-1]
        switch(server, "checkout", on=True)

    # A restart on the disk that is still full finds the switch on, and can end it.
    server.kill()
    server.start()
    await_true(lambda: server.evaluate("checkout")[1]["value"] is False, 5, "the switch is lost")
    switch(server, "checkout", on=False)
    assert server.terminate() == 0
    server.start()
    assert server.evaluate("checkout")[1]["value"] is True
    switch(server, "checkout", on=True)

    (small_disk / "ballast").unlink()
    await_true(lambda: health(server)[1]["checks"]["reserve"] == "ok", 10, "space returned, the reserve did not")
    server.create_flag("afterwards", defaultEnabled=True)
    assert (small_disk / "data" / "reserve").stat().st_blocks * 512 >= 4 << 20


def put_items(server: FlagServer, count: int):
    server.dynamodb.create_table(**THINGS)
    for number in range(count):
        server.dynamodb.put_item(TableName="things", Item={
            "pk": {"S": "item"}, "sk": {"N": str(number)}, "text": {"S": TEXT}})


def command(server: FlagServer, *arguments, fails=False) -> str:
    """What a command says: on success what it prints, else the error."""
    completed = run_command(*arguments, "--data-dir", server.data_dir)
    assert completed.returncode == (1 if fails else 0), completed.stdout + completed.stderr
    return completed.stderr if fails else completed.stdout


def test_a_backup_onto_a_full_disk_leaves_nothing_behind_and_is_made_when_there_is_space(server, small_disk):
    put_items(server, 50)
    fill(small_disk)
    told = command(server, "backup", "create", "--table", "things", fails=True)
    assert "Free space" in told, told
    with pytest.raises(ClientError) as refused:
        server.dynamodb.create_backup(TableName="things", BackupName="full")
    assert refused.value.response["Error"]["Code"] == "InternalServerError"
    assert "Free space" in refused.value.response["Error"]["Message"]
    assert command(server, "backup", "list") == ""
    assert list((small_disk / "data" / "backups").iterdir()) == []
    assert server.dynamodb.scan(TableName="things", Select="COUNT")["Count"] > 0

    (small_disk / "ballast").unlink()
    assert "50 items" in command(server, "backup", "create", "--table", "things")
    assert "checked" in command(server, "verify")


def test_a_restore_onto_a_full_disk_leaves_no_table_and_is_done_when_there_is_space(server, small_disk):
    put_items(server, 120)
    backup = command(server, "backup", "create", "--table", "things").split()[0]
    arn = server.dynamodb.list_backups()["BackupSummaries"][0]["BackupArn"]
    # The database's log has room for as much as was written at once; a new server begins with a small one.
    assert server.terminate() == 0
    server.start()
    fill(small_disk)
    told = command(server, "restore", backup, "--to", "copy", fails=True)
    assert "Free space" in told, told
    assert "copy" not in server.dynamodb.list_tables()["TableNames"]
    # By DynamoDB's protocol it goes on behind the answer, if it could begin: then the table that was being created is
    # gone again.
    try:
        answered = server.dynamodb.restore_table_from_backup(TargetTableName="copy", BackupArn=arn)
        assert answered["TableDescription"]["TableStatus"] == "CREATING"
    except ClientError as refused:
        assert refused.response["Error"]["Code"] == "InternalServerError"
        assert "Free space" in refused.response["Error"]["Message"]
    await_true(lambda: "copy" not in server.dynamodb.list_tables()["TableNames"], 20, "half a table stays")
    assert server.dynamodb.scan(TableName="things", Select="COUNT")["Count"] > 0
    assert server.request("GET", "/health/live")[0] == 200

    (small_disk / "ballast").unlink()
    assert command(server, "restore", backup, "--to", "copy") == "restored copy: 120 items\n"
    assert "checked" in command(server, "verify")


def test_every_moment_is_restorable_over_a_log_that_met_a_full_disk(server, small_disk):
    put_items(server, 5)
    command(server, "backup", "continuous", "on", "--table", "things")
    moments = []
    for round in range(3):
        fill(small_disk)
        with pytest.raises(ClientError) as refused:
            for number in range(20_000):
                server.dynamodb.put_item(TableName="things", Item={
                    "pk": {"S": f"round-{round}"}, "sk": {"N": str(number)}, "text": {"S": TEXT[:3000]}})
        assert "Free space" in refused.value.response["Error"]["Message"]
        # The log tries to follow every quarter of a second.
        time.sleep(0.5)
        (small_disk / "ballast").unlink()
        await_true(lambda: server.metric("flag_server_backup_log_follows") == {"": 1}, 15, "the log does not follow")
        await_true(lambda: health(server)[1]["status"] == "ok", 15, "space returned, health did not")
        server.dynamodb.put_item(TableName="things", Item={"pk": {"S": "round"}, "sk": {"N": str(round)}})
        time.sleep(0.05)
        moment = datetime.now(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        moments.append((moment, server.dynamodb.scan(TableName="things", Select="COUNT")["Count"]))
        time.sleep(0.05)
        # A server that ends and begins finds the log as it was left.
        if round == 1:
            server.kill()
            server.start()
    for number, (moment, count) in enumerate(moments):
        told = command(server, "restore", "--table", "things", "--time", moment, "--to", f"then-{number}")
        assert told == f"restored then-{number}: {count} items\n"
        server.dynamodb.delete_table(TableName=f"then-{number}")
    assert "checked" in command(server, "verify")


def test_a_full_disk_at_the_start_is_named(small_disk, tmp_path):
    fill(small_disk)
    ended = run_command("serve", "--port", free_port(), "--data-dir", small_disk / "data", timeout=20, cwd=tmp_path)
    assert ended.returncode > 0, ended.stdout + ended.stderr
    assert str(small_disk / "data") in ended.stderr and "the disk is full" in ended.stderr, ended.stderr
    assert len(ended.stderr.splitlines()) <= 12, ended.stderr


def test_keys_that_leaked_are_revoked_on_a_full_disk(small_disk, tmp_path):
    with FlagServer(small_disk / "data", "--auth", "on", cwd=tmp_path) as server:
        server.log_path = tmp_path / "server.log"
        server.start()
        place = ("--data-dir", server.data_dir)
        new_key = ("keys", "create", "--name", "a", "--kind", "server", "--environment", "*", *place)
        key = run_command(*new_key).stdout.strip()
        policy = tmp_path / "policy.json"
        policy.write_text('{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}')
        made = run_command("access-keys", "create", "--name", "b", "--policy", policy, "--format", "json", *place)
        access_key = json.loads(made.stdout)["AccessKeyId"]
        fill(small_disk)
        refusals = (run_command(*new_key) for _ in range(10_000))
        refused = next(answer for answer in refusals if answer.returncode != 0)
        assert "disk is full" in refused.stderr
        assert "revoked" in run_command("keys", "revoke", key.split("_")[2], *place).stdout
        assert "revoked" in run_command("access-keys", "revoke", access_key, *place).stdout
        server.kill()
        server.start()
        assert server.request("GET", "/api/whoami", headers={"X-API-Key": key})[0] == 401
