"""Measures what a server needs on disk: for flags, overrides, segments, changes, histories and backups.

    ./scripts/measure-sizes [--flags 5000] [--changes 2000]

Prints the table of docs/sizing.md. Sizes of the store are those of the pages of `flags.db` that are in use, without the
bytes of the change stream.
"""

import argparse
import contextlib
import json
import sqlite3
import tempfile
import time
from pathlib import Path

from server import FlagServer, run_command

DEFINITION = {
    "state": "ENABLED", "variants": {"on": True, "off": False}, "defaultVariant": "off",
    "targeting": {"if": [
        {"in": [{"var": "country"}, ["de", "at", "ch"]]}, "on", {"fractional": [["on", 20], ["off", 80]]}]},
}


class Sizes:
    def __init__(self, data_dir: Path):
        self.data_dir = data_dir
        self.server = FlagServer(data_dir)
        self.rows: list[tuple[str, str, str]] = []

    def stored(self) -> int:
        """Bytes of the store; the server is stopped for it and started again."""
        assert self.server.terminate() == 0
        with contextlib.closing(sqlite3.connect(self.data_dir / "flags.db")) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            pages, free, size = (
                connection.execute(f"PRAGMA {name}").fetchone()[0]
                for name in ("page_count", "freelist_count", "page_size"))
        self.server.start()
        return (pages - free) * size

    def stream(self) -> tuple[float, float]:
        def value(name: str) -> float:
            return sum(self.server.metric(name).values())

        return value("flag_server_change_stream_bytes"), value("flag_server_change_stream_changes")

    def add(self, what: str, number: float, unit: str = "bytes"):
        self.rows.append((what, f"{number:,.0f}" if number >= 10 else f"{number:.1f}", unit))

    def store(self, what: str, count: int, make):
        """How much the store grows by `count` of something, without and with their changes."""
        before, (stream, _) = self.stored(), self.stream()
        make()
        self.settle()
        bytes_of_changes = self.stream()[0] - stream
        grown = self.stored() - before
        self.add(f"{what}, in the store", (grown - bytes_of_changes) / count)
        self.add(f"{what}, its making in the change stream", bytes_of_changes / count)

    def changed(self, what: str, count: int, make):
        """What a change of something takes in the change stream."""
        bytes_before, changes_before = self.stream()
        make()
        self.settle()
        bytes_after, changes_after = self.stream()
        self.add(f"{what}, in the change stream", (bytes_after - bytes_before) / count)
        self.add(f"{what}, changes", (changes_after - changes_before) / count, "rows")

    def settle(self):
        """Waits until histories and derived attributes are written: until no change has come for twice the time after
        which counts are told."""
        last, since = self.stream(), time.monotonic()
        while time.monotonic() < since + 0.5:
            if last != (last := self.stream()):
                since = time.monotonic()
            time.sleep(0.02)


def measure(flags: int, changes: int, directory: Path) -> list[tuple[str, str, str]]:
    sizes = Sizes(directory / "data")
    server = sizes.server.start()

    def import_flags():
        document = {"flags": [
            {"flagKey": f"checkout-page-{number:06}", "description": "Shows the new page to those who asked for it",
             "owner": f"team-{number % 50}", **DEFINITION} for number in range(flags)]}
        file = directory / "flags.json"
        file.write_text(json.dumps(document))
        completed = run_command("import", file, "--data-dir", sizes.data_dir, timeout=600)
        assert completed.returncode == 0, completed.stderr

    def put_overrides():
        for number in range(changes):
            server.expect(
                200, "PUT", f"/api/tenants/tenant-{number}/flags/checkout-page-000001",
                {"enabled": True, "updatedBy": "ada"})

    def add_keys():
        keys = [f"user-{number:08}" for number in range(20_000)]
        server.expect(201, "POST", "/api/segments", {"name": "beta", "description": "who tries things", "owner": "web"})
        for start in range(0, len(keys), 1000):
            server.expect(200, "POST", "/api/segments/beta/keys", {"add": keys[start:start + 1000]})

    def patch_flags():
        for number in range(changes):
            server.expect(
                200, "PATCH", f"/api/flags/checkout-page-{number % 500:06}",
                {"description": f"Shows the new page, for the {number}th time"})

    sizes.store(f"a flag with a rule of {len(json.dumps(DEFINITION))} bytes", flags, import_flags)
    sizes.store("a tenant's override", changes, put_overrides)
    sizes.store("a key of a segment", 20_000, add_keys)
    sizes.changed("a PATCH of a flag", changes, patch_flags)

    completed = run_command("backup", "create", "--format", "json", "--data-dir", sizes.data_dir)
    backup = json.loads(completed.stdout)
    sizes.add("a backup, for each item", backup["sizeBytes"] / backup["items"])
    assert run_command("backup", "continuous", "on", "--data-dir", sizes.data_dir).returncode == 0

    def logged() -> int:
        run_command("verify", "--data-dir", sizes.data_dir, timeout=600)
        return sum(file.stat().st_size for file in (sizes.data_dir / "continuous").rglob("log-*"))

    before = logged()
    patch_flags()
    sizes.settle()
    sizes.add("a PATCH of a flag, in the log of continuous backups", (logged() - before) / changes)
    server.terminate()
    return sizes.rows


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--flags", type=int, default=5000)
    parser.add_argument("--changes", type=int, default=2000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        rows = measure(options.flags, options.changes, Path(directory))
    print("| | |\n|---|---:|")
    for what, number, unit in rows:
        print(f"| {what} | {number} {unit} |")


if __name__ == "__main__":
    main()
