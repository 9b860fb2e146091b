"""Raw bytes to an HTTP server, and what came back as an outcome (`wire_cases`)."""

import socket

from wire_cases import PROBE, Case


def outcome(port: int, case: Case, pieces: list[bytes] | None = None) -> str:
    """Sends a case, whole or in `pieces`, and the probe behind it; then ends our side and reads to the end."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            for piece in [*(pieces or [case.data]), PROBE]:
                connection.sendall(piece)
            connection.shutdown(socket.SHUT_WR)
        except OSError:
            # Whoever refuses early need not read on. What it said is still there.
            pass
        return " ".join(describe(read_to_end(connection), case.is_head))


def read_to_end(connection: socket.socket) -> bytes:
    data = b""
    try:
        while received := connection.recv(1 << 16):
            data += received
    except ConnectionResetError:
        pass
    return data


def describe(data: bytes, is_head: bool) -> list[str]:
    """The statuses in `data`, then `kept` when the last of them answers the probe, else `closed`."""
    statuses = []
    while data:
        head, _, data = data.partition(b"\r\n\r\n")
        line, *lines = head.split(b"\r\n")
        if not line.startswith(b"HTTP/1."):
            return [*statuses, "garbage"]
        status = line.split(b" ")[1].decode()
        statuses.append(status)
        fields = {name.lower(): value.strip() for name, _, value in (field.partition(b":") for field in lines)}
        if status.startswith("1") or status in ("204", "304") or is_head and len(statuses) == 1:
            continue
        if fields.get(b"transfer-encoding") == b"chunked":
            data = without_chunks(data)
        else:
            data = data[int(fields.get(b"content-length", len(data))):]
    if len(statuses) > 1 and statuses[-1] == "404":
        return [*statuses[:-1], "kept"]
    return [*statuses, "closed"]


def without_chunks(data: bytes) -> bytes:
    """What stands behind a chunked body."""
    while True:
        size, _, data = data.partition(b"\r\n")
        length = int(size or b"0", 16)
        data = data[length + 2:]
        if length == 0:
            return data
