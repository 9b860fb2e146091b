"""The drill of strangers: a million made-up keys from a million addresses, on both ports. The server's memory does not
grow with them, and whoever has a key is served beside them.

    python stranger_drill.py --requests 1000000

The addresses are those that a trusted proxy tells of: every other one of IPv6, each in a network of its own. Every other
key has the check that a key of this server has, so that it is looked for in the list of all keys.
"""

import argparse
import http.client
import json
import re
import socket
import tempfile
import zlib
from pathlib import Path

from server import FlagServer, free_port, run_command

BYTES_BOUND = 4 << 20
"""What the server may grow by after the first tenth, whatever the number: buffers that reach their size late."""

BATCH = 200
"""Requests that are sent before their responses are read."""

DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
POLICY = {"Statement": {"Effect": "Allow", "Action": "dynamodb:*", "Resource": "*"}}


def base62(number: int, count: int) -> str:
    text = ""
    for _ in range(count):
        number, digit = divmod(number, 62)
        text = DIGITS[digit] + text
    return text


def made_up_key(number: int) -> str:
    """A key that nobody was given; of two one passes for one of this server until it is looked for."""
    text = f"fsk_server_{base62(number * 7919 + 62**8, 12)}_{base62(number, 43)}"
    return text + (base62(zlib.crc32(text.encode()), 6) if number % 2 else "000000")


def address(number: int) -> str:
    """An address that no other number has, in a network of its own."""
    if number % 2:
        return f"2001:db8:{number >> 16 & 0xFFFF:x}:{number & 0xFFFF:x}::1"
    return f"{10 + (number >> 24)}.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"


def evaluation(number: int) -> bytes:
    return (f"GET /api/flags HTTP/1.1\r\nHost: localhost\r\nX-Forwarded-For: {address(number)}\r\n"
            f"Authorization: Bearer {made_up_key(number)}\r\n\r\n").encode()


def signed(number: int) -> bytes:
    """A request of DynamoDB's protocol that names an access key which there is not."""
    name = "AKIA" + base62(number, 16).upper().translate(str.maketrans("0189", "ABCD"))
    return (f"POST / HTTP/1.1\r\nHost: localhost\r\nX-Forwarded-For: {address(number)}\r\n"
            "Content-Type: application/x-amz-json-1.0\r\nX-Amz-Target: DynamoDB_20120810.ListTables\r\n"
            "X-Amz-Date: 20260102T030405Z\r\nContent-Length: 0\r\n"
            f"Authorization: AWS4-HMAC-SHA256 Credential={name}/20260102/us-east-1/dynamodb/aws4_request, "
            f"SignedHeaders=host;x-amz-date;x-amz-target, Signature={number:064x}\r\n\r\n").encode()


def flood(port: int, numbers: range, request) -> dict[int, int]:
    """Sends one request for each number over one connection, and answers how often each status came."""
    statuses: dict[int, int] = {}
    with socket.create_connection(("127.0.0.1", port), timeout=60) as connection:
        reader = connection.makefile("rb")
        for start in range(numbers.start, numbers.stop, BATCH):
            batch = range(start, min(start + BATCH, numbers.stop))
            connection.sendall(b"".join(map(request, batch)))
            for _ in batch:
                status = read_response(reader)
                statuses[status] = statuses.get(status, 0) + 1
    return statuses


def read_response(reader) -> int:
    """Reads one response, and answers its status."""
    line = reader.readline()
    assert line, "the connection ended"
    length = 0
    while (field := reader.readline()) not in (b"\r\n", b""):
        if field.lower().startswith(b"content-length:"):
            length = int(field.split(b":")[1])
    reader.read(length)
    return int(line.split()[1])


def resident(server: FlagServer) -> int:
    return int(re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{server.process.pid}/status").read_text())[1]) * 1024


def served(server: FlagServer, key: str) -> bool:
    """Whether a good key is let in from an address that many made-up ones came from."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
    connection.request("GET", "/api/whoami", headers={"X-API-Key": key, "X-Forwarded-For": address(1)})
    return connection.getresponse().status == 200


def drill(data_dir: Path, requests: int, report=lambda line: None) -> list[str]:
    """Floods both ports, and answers what must not be."""
    problems = []
    dynamodb = free_port()
    server = FlagServer(
        data_dir, "--auth", "on", "--trusted-proxies", "127.0.0.1", "--dynamodb-port", dynamodb)
    with server:
        server.start()
        policy = data_dir.parent / "policy.json"
        policy.write_text(json.dumps(POLICY))
        run_command("access-keys", "create", "--name", "a", "--policy", policy, "--data-dir", data_dir)
        made = run_command(
            "keys", "create", "--name", "a", "--kind", "server", "--environment", "*", "--data-dir", data_dir)
        for name, port, request, expected in [
            ("keys", server.port, evaluation, {401}), ("access keys", dynamodb, signed, {400}),
        ]:
            first = requests // 10
            statuses = flood(port, range(0, first), request)
            before = resident(server)
            for status, count in flood(port, range(first, requests), request).items():
                statuses[status] = statuses.get(status, 0) + count
            grown = resident(server) - before
            report(f"{requests} made-up {name}: {before / 2**20:.1f} MiB after the first tenth, "
                   f"{grown / 2**20:+.2f} MiB after all; statuses {statuses}")
            if grown > BYTES_BOUND:
                problems.append(f"{name}: the server grew by {grown} bytes")
            if not set(statuses) <= expected | {429}:
                problems.append(f"{name}: {statuses}")
        if not served(server, made.stdout.strip()):
            problems.append("a good key was refused")
    return problems


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--requests", type=int, default=1_000_000, help="made-up keys on each port (default 1000000)")
    with tempfile.TemporaryDirectory() as folder:
        problems = drill(Path(folder) / "data", parser.parse_args().requests, lambda line: print(line, flush=True))
    if problems:
        raise SystemExit("\n".join(problems))


if __name__ == "__main__":
    main()
