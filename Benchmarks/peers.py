"""The servers that are measured: this project's two programs, and what others would use in their place."""

import json
import os
import socket
import subprocess
import tempfile
from pathlib import Path

from processes import Server, free_port, surroundings

REPOSITORY = Path(__file__).resolve().parents[1]
FOLDER = Path(__file__).resolve().parent
READY = b"GET /health/ready HTTP/1.1\r\nHost: bench\r\nConnection: close\r\n\r\n"


def build(product: str) -> Path:
    """Where the release build has a product; `FLAG_SERVER_BINARY` names another flag-server."""
    if product == "flag-server" and os.environ.get("FLAG_SERVER_BINARY"):
        return Path(os.environ["FLAG_SERVER_BINARY"])
    built = REPOSITORY / ".build" / "release" / product
    if not built.exists():
        raise SystemExit(f"{built} is missing: build it with `./scripts/build`")
    return built


def python_environment(name: str, requirements: Path) -> Path:
    """Where the programs of a Python environment are; it is made when it is missing."""
    made = subprocess.run([REPOSITORY / "scripts" / "install-python", name, requirements], check=True,
                          stdout=subprocess.PIPE, text=True)
    return Path(made.stdout.strip())


def flag_server(data_dir, *options, loops: int = 1, profile: str = "local", ready: bool = True) -> Server:
    """flag-server without authentication. Unless `ready` is false it is waited for."""
    port = free_port()
    server = Server(
        "flag-server",
        [build("flag-server"), "serve", "--environment", profile, "--auth", "off", "--host", "127.0.0.1",
         "--port", port, "--data-dir", data_dir, "--loops", loops, "--log-level", "warning", *options], port)
    if ready:
        server.await_ready(READY)
    return server


def http_echo() -> Server:
    port = free_port()
    server = Server("http-echo", [build("http-echo"), "--port", port, "--loops", 1], port)
    server.await_ready(b"GET / HTTP/1.1\r\nHost: bench\r\nConnection: close\r\n\r\n")
    return server


def nginx(body: str) -> Server:
    """One worker that answers everything with `body`."""
    port = free_port()
    kept = tempfile.TemporaryDirectory(prefix="bench-nginx-")
    folder = Path(kept.name)
    text = (FOLDER / "Peers" / "nginx.conf").read_text()
    escaped = body.replace("\\", "\\\\").replace("'", "\\'")
    (folder / "nginx.conf").write_text(
        text.replace("PIDFILE", str(folder / "pid")).replace("PORT", str(port)).replace("BODY", escaped))
    server = Server("nginx", ["nginx", "-c", folder / "nginx.conf", "-e", "stderr"], port)
    server.folder = kept
    server.await_ready(READY)
    return server


def express(body: str) -> Server:
    """Express in Node, in its production mode."""
    port = free_port()
    server = Server("Express", ["node", FOLDER / "Peers" / "express.js", port, body], port,
                    {"NODE_PATH": "/usr/share/nodejs", "NODE_ENV": "production"})
    server.await_ready(READY)
    return server


def post(server: Server, path: str, body: bytes) -> bytes:
    """The body of the answer to one POST; the run ends when it is no success."""
    head = (f"POST {path} HTTP/1.1\r\nHost: bench\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n")
    answer = whole(server.port, head.encode() + body)
    if not answer.startswith(b"HTTP/1.1 2"):
        raise SystemExit(f"{server.name} answers POST {path} with {answer[:500].decode(errors='replace')}")
    return answer.partition(b"\r\n\r\n")[2]


def whole(port: int, request: bytes) -> bytes:
    """Everything that `request` is answered with until the server closes the connection."""
    with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
        connection.sendall(request)
        answer = b""
        while received := connection.recv(1 << 16):
            answer += received
    return answer


def import_flags(data_dir, document: dict | Path, environment: str = "development"):
    """`flag-server import` of a document (or of a file) into a directory that no server holds."""
    if isinstance(document, dict):
        path = Path(data_dir).parent / f"{Path(data_dir).name}.json"
        path.write_text(json.dumps(document))
    else:
        path = document
    ran = subprocess.run(
        [build("flag-server"), "import", path, "--data-dir", data_dir, "--environment", environment],
        capture_output=True, text=True, env=surroundings(), cwd="/")
    if ran.returncode != 0:
        raise SystemExit(f"import of {path} failed:\n{(ran.stdout + ran.stderr)[-2000:]}")
