"""The table: its protocol against other servers of it, its engine against SQLite alone, its writes against the disk."""

import dataclasses
import statistics
import tempfile
import time
from pathlib import Path

import dynamodb
import wrk
from processes import Server
from report import Goal, Report

TITLE = "the table"
PACKAGES = ["wrk", "python3-venv"]

SMALL = 1_000
"""Items of the table that is compared with the other servers': loading more into these takes long."""

OURS, MOTO, MINISTACK = "flag-server", "moto_server", "ministack"
READS = {"GetItem": ("GetItem", dynamodb.gets), "Query, 10 items": ("Query", dynamodb.queries),
         "index query, 10 items": ("Query", dynamodb.index_queries)}
WRITES = {"PutItem": ("PutItem", dynamodb.puts), "conditional UpdateItem": ("UpdateItem", dynamodb.conditional_updates)}
AT_LEAST = {MOTO: 15, MINISTACK: 3}
"""How many times the reads of each on one connection there should be."""


def run(options) -> list[Report]:
    with tempfile.TemporaryDirectory(prefix="bench-table-", dir=options.folder) as folder:
        return Measurement(Path(folder), options).reports()


class Measurement:
    """All of it, in one run on one machine."""

    def __init__(self, folder: Path, options):
        self.folder = folder
        self.options = options
        self.small, self.large = folder / "small", folder / "large"

    def reports(self) -> list[Report]:
        for data_dir, items in ((self.small, SMALL), (self.large, self.options.items)):
            self.options.say(f"loading {items:,} items")
            data_dir.mkdir()
            dynamodb.run_bench("load", data_dir, items)
        sizes = self.sizes()
        return [self.protocol(), self.writes(), self.scale(), self.engine(), self.encryption(), sizes,
                self.restores()]

    # Over HTTP

    def protocol(self) -> Report:
        """Reads beside the other servers."""
        peers_data = self.folder / "ministack"
        peers_data.mkdir()
        with (dynamodb.flag_server(self.small) as ours, dynamodb.moto() as moto,
              dynamodb.ministack(peers_data) as ministack):
            for peer in (moto, ministack):
                self.options.say(f"loading {SMALL:,} items into {peer.name}")
                dynamodb.fill(peer, SMALL)
                same_answers(ours, peer)
            targets = [self.target(server, name, connections, SMALL) for name in READS for connections in (1, 64)
                       for server in (ours, moto, ministack)]
            found = self.measure(targets)
        rows, goals, failed = [], [], {}
        for name in READS:
            for connections in (1, 64):
                several = {server: found[label(server, name, connections)] for server in (OURS, MOTO, MINISTACK)}
                rates = {server: figures.rate for server, figures in several.items()}
                rows.append([f"{name}, {plural(connections)}", *rates.values(), rates[OURS] / rates[MOTO],
                             rates[OURS] / rates[MINISTACK], several[OURS].p99])
                for server, figures in several.items():
                    failed[server] = max(failed.get(server, 0), figures.failed)
                if connections == 1:
                    goals += [Goal(f"{name} against {peer}", rates[OURS] / rates[peer], bound, "×", at_most=False)
                              for peer, bound in AT_LEAST.items()]
        return Report(f"{TITLE}: reads over HTTP, {SMALL:,} items, requests a second",
                      ["request", OURS, MOTO, MINISTACK, "× moto", "× ministack", "p99 ms"], rows, goals,
                      "Both peers keep their tables in memory only. moto_server closes the connection after each answer."
                      + "".join(f" {server} left up to {part:.0%} of the requests of a row unanswered; they do not count."
                                for server, part in failed.items() if part))

    def writes(self) -> Report:
        """Durable writes beside what the disk can do."""
        syncs = []
        with dynamodb.flag_server(self.small) as ours:
            targets = [self.target(ours, name, connections, SMALL) for name in WRITES for connections in (1, 64)]

            def between(step: str):
                # Disks have their moods: theirs is taken in the same minutes as ours.
                self.options.say(step)
                syncs.append(dynamodb.syncs_a_second(self.folder, 1))

            found = wrk.rounds(targets, self.options.rounds, self.options.seconds, between)
        syncs = statistics.median(syncs)
        rows, goals = [["4 KiB written and synced (fdatasync)", syncs, 1.0, None, None]], []
        for name in WRITES:
            one, many = (found[label(OURS, name, connections)] for connections in (1, 64))
            rows += [[f"{name}, {plural(connections)}", figures.rate, figures.rate / syncs, figures.p50, figures.p99]
                     for connections, figures in ((1, one), (64, many))]
            goals += [Goal(f"{name}, one connection, against fdatasync", one.rate / syncs, 0.5, "×", at_most=False),
                      Goal(f"{name}, 64 connections against one", many.rate / one.rate, 10, "×", at_most=False)]
        return Report(f"{TITLE}: durable writes over HTTP, {SMALL:,} items", ["write", "a second", "fdatasync = 1",
                      "p50 ms", "p99 ms"], rows, goals, "Every write is answered after its sync.")

    def scale(self) -> Report:
        """The small table beside the large one."""
        items = self.options.items
        requests = READS | WRITES
        with dynamodb.flag_server(self.small) as small, dynamodb.flag_server(self.large) as large:
            small.name, large.name = "small", "large"
            targets = [self.target(server, name, connections, count) for name in requests for connections in (1, 64)
                       for server, count in ((small, SMALL), (large, items))]
            found = self.measure(targets)
        rows, goals = [], []
        for name in requests:
            for connections in (1, 64):
                few, many = (found[label(server, name, connections)].rate for server in ("small", "large"))
                rows.append([f"{name}, {plural(connections)}", few, many, few / many])
                goals.append(Goal(f"{name}, {plural(connections)}: slower by", few / many, 1.5, "×"))
        return Report(f"{TITLE}: {items:,} items beside {SMALL:,}, requests a second",
                      ["request", f"{SMALL:,} items", f"{items:,} items", "slower by"], rows, goals)

    def target(self, server: Server, name: str, connections: int, items: int) -> wrk.Target:
        operation, bodies = (READS | WRITES)[name]
        return wrk.Target(label(server.name, name, connections), server, "/", bodies(items, 10_000),
                          headers=dynamodb.headers(operation), connections=connections,
                          may_fail=server.name in (MOTO, MINISTACK))

    def measure(self, targets: list[wrk.Target]) -> dict[str, wrk.Figures]:
        return wrk.rounds(targets, self.options.rounds, self.options.seconds, self.options.say)

    # Without a socket

    def engine(self) -> Report:
        """The engine beside SQLite alone."""
        plain_folder = self.folder / "plain"
        plain_folder.mkdir()
        self.options.say("measuring the engine without a socket")
        few = dynamodb.run_bench("read", self.small, SMALL)
        many = dynamodb.run_bench("read", self.large, self.options.items)
        plain = dynamodb.run_bench("sqlite", plain_folder, 100_000)
        written = dynamodb.run_bench("write", self.small, 2)
        names = {"get": "get, µs", "query": "query of 100 items, µs", "indexQuery": "index query of 10 items, µs"}
        rows = [[text, few[name], many[name], plain.get(name)] for name, text in names.items()]
        rows += [["scan, MB/s", few["scanMegabytes"], many["scanMegabytes"], None],
                 ["puts a second, one at a time", written["puts1"], None, plain["puts"]],
                 ["puts a second, 64 at a time", written["puts64"], None, None]]
        goals = [Goal("get", few["get"], 5, "µs")]
        goals += [Goal(f"{text.rpartition(',')[0]}: slower by", many[name] / few[name], 1.5, "×")
                  for name, text in names.items()]
        return Report(f"{TITLE}: the engine without a socket",
                      ["", f"{SMALL:,} items", f"{self.options.items:,} items", "SQLite alone, 100,000 rows"], rows, goals,
                      f"An item has {dynamodb.item_bytes()} bytes as DynamoDB counts it; SQLite alone has rows of the same "
                      "size under a key, without indexes.")

    def encryption(self) -> Report:
        """An encrypted store beside one that is not, both written to in turns."""
        folder = self.folder / "encryption"
        folder.mkdir()
        self.options.say("measuring what encryption costs")
        found = dynamodb.run_bench("encrypted", folder, 5 * self.options.rounds)
        rows, goals = [], []
        for in_flight in (1, 64):
            plain, encrypted = (found[f"{name}{in_flight}"] for name in ("plain", "encrypted"))
            name = f"puts a second, {in_flight} at a time"
            rows.append([name, plain, encrypted, plain / encrypted])
            goals.append(Goal(f"{name}: slower by", plain / encrypted, 1.15, "×"))
        return Report(f"{TITLE}: what encryption costs writes", ["", "plain", "encrypted", "slower by"], rows, goals,
                      "Two stores without a socket, in turns of a few seconds on the same disk; every write is durable.")

    # On disk

    def sizes(self) -> Report:
        """What an item takes on disk."""
        items, item = self.options.items, dynamodb.item_bytes()
        parts = dynamodb.file_parts(self.large)
        stored = sum(parts.get(name, 0) for name in ("item", "entry"))
        rows = [[f"{name}, bytes an item", size / items, size / items / item] for name, size in sorted(parts.items())]
        rows.append(["items and entries together", stored / items, stored / items / item])
        return Report(f"{TITLE}: the file, {items:,} items of {item} bytes with four indexes", ["part", "bytes",
                      "the item = 1"], rows, [Goal("file size per item", stored / items / item, 2.5, "×")],
                      "Changes are kept for 24 hours beside the items; they are not counted in the goal.")

    def restores(self) -> Report:
        """Backup, restore and restore to a point in time of the large table."""
        items = self.options.items
        with dynamodb.flag_server(self.large) as ours:
            steps = Restores(ours, self.options.say)
            rows = [[name, seconds, items / seconds] for name, seconds in steps.run()]
        goals = [Goal("restore of 1,000,000 items", dict((row[0], row[1]) for row in rows)["restore"] * 1e6 / items, 60,
                      "s")]
        return Report(f"{TITLE}: backups of {items:,} items", ["step", "seconds", "items a second"], rows, goals)


@dataclasses.dataclass
class Restores:
    """Backs the large table up and restores it, twice."""

    server: Server
    say: object

    def run(self) -> list[tuple[str, float]]:
        return [("backup", self.timed(self.backup)), ("restore", self.timed(self.restore)),
                ("continuous backups on", self.timed(self.enable)),
                ("restore to a point in time", self.timed(self.restore_to_latest))]

    def timed(self, step) -> float:
        self.say(step.__doc__)
        started = time.monotonic()
        step()
        return time.monotonic() - started

    def backup(self):
        """creating a backup"""
        details = dynamodb.ask(self.server, "CreateBackup", TableName=dynamodb.TABLE, BackupName="bench")["BackupDetails"]
        self.arn = details["BackupArn"]
        self.wait(lambda: dynamodb.ask(self.server, "DescribeBackup", BackupArn=self.arn)["BackupDescription"]
                  ["BackupDetails"]["BackupStatus"] == "AVAILABLE")

    def restore(self):
        """restoring it"""
        dynamodb.ask(self.server, "RestoreTableFromBackup", BackupArn=self.arn, TargetTableName="restored")
        self.wait_for_table("restored")

    def enable(self):
        """switching continuous backups on"""
        dynamodb.ask(self.server, "UpdateContinuousBackups", TableName=dynamodb.TABLE,
                     PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True})
        self.wait(lambda: "LatestRestorableDateTime" in dynamodb.ask(
            self.server, "DescribeContinuousBackups", TableName=dynamodb.TABLE)["ContinuousBackupsDescription"]
            ["PointInTimeRecoveryDescription"])

    def restore_to_latest(self):
        """restoring it to a point in time"""
        dynamodb.ask(self.server, "RestoreTableToPointInTime", SourceTableName=dynamodb.TABLE,
                     TargetTableName="restored-again", UseLatestRestorableTime=True)
        self.wait_for_table("restored-again")

    def wait_for_table(self, name: str):
        self.wait(lambda: dynamodb.ask(self.server, "DescribeTable", TableName=name)["Table"]["TableStatus"] == "ACTIVE")

    def wait(self, condition):
        deadline = time.monotonic() + 900
        while not condition():
            if time.monotonic() > deadline:
                raise SystemExit("A backup or restore did not end within 15 minutes")
            time.sleep(0.05)


def same_answers(ours: Server, peer: Server):
    """Measures nothing that differs: every kind of read must answer the same."""
    for name, (operation, bodies) in READS.items():
        body = bodies(SMALL, 1)[0]
        answers = [dynamodb.send(server, operation, body) for server in (ours, peer)]
        for answer in answers:
            answer.pop("ScannedCount", None)
        if answers[0] != answers[1]:
            raise SystemExit(f"{peer.name} answers {name} with\n{answers[1]}\nand flag-server with\n{answers[0]}")


def label(server: str, name: str, connections: int) -> str:
    return f"{server}: {name}, {plural(connections)}"


def plural(connections: int) -> str:
    return "1 connection" if connections == 1 else f"{connections} connections"
