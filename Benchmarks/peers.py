"""The servers that are measured: this project's two programs, and what others would use in their place."""

import json
import os
import subprocess
import tempfile
from pathlib import Path

from processes import Server, connect, free_port, surroundings

REPOSITORY = Path(__file__).resolve().parents[1]
FOLDER = Path(__file__).resolve().parent
READY = b"GET /health/ready HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"


def build(product: str) -> Path:
    """Where the release build has a product; `TESTED_FLAG_SERVER` names another flag-server."""
    if product == "flag-server" and os.environ.get("TESTED_FLAG_SERVER"):
        return Path(os.environ["TESTED_FLAG_SERVER"])
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


class Certificate:
    """A certificate that nobody has signed, and its key: files in a folder of their own, removed at the end."""

    def __enter__(self) -> "Certificate":
        self.folder = tempfile.TemporaryDirectory(prefix="bench-tls-")
        self.file, self.key = (str(Path(self.folder.name) / name) for name in ("certificate.pem", "key.pem"))
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
             "-subj", "/CN=localhost", "-keyout", self.key, "-out", self.file], check=True, capture_output=True)
        return self

    def __exit__(self, *_):
        self.folder.cleanup()


def started(name: str, command: list, port: int, certificate: Certificate | None = None,
            environment: dict | None = None, folder=None) -> Server:
    """A server that answers `GET /`."""
    server = Server(name, command, port, environment)
    server.folder = folder
    server.scheme = "https" if certificate else "http"
    server.await_ready(b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
    return server


def wire_server(certificate: Certificate | None = None, loops: int = 1) -> Server:
    port = free_port()
    tls = ["--tls-certificate", certificate.file, "--tls-key", certificate.key] if certificate else []
    return started("wire-server", [build("wire-server"), "--port", port, "--loops", loops, *tls], port, certificate)


def nginx(body: str, certificate: Certificate | None = None) -> Server:
    """One worker that answers everything with `body`."""
    port = free_port()
    kept = tempfile.TemporaryDirectory(prefix="bench-nginx-")
    folder = Path(kept.name)
    tls = (f"ssl_certificate {certificate.file}; ssl_certificate_key {certificate.key}; ssl_protocols TLSv1.3;"
           if certificate else "")
    parts = {"PIDFILE": str(folder / "pid"), "PORT": f"{port}{' ssl' if certificate else ''}", "TLS": tls,
             "ANSWER": nginx_answer(body)}
    text = (FOLDER / "Peers" / "nginx.conf").read_text()
    for name, value in parts.items():
        text = text.replace(name, value)
    (folder / "nginx.conf").write_text(text)
    return started("nginx", ["nginx", "-c", folder / "nginx.conf", "-e", "stderr"], port, certificate, folder=kept)


def nginx_answer(body: str) -> str:
    """What answers everything with `body`. A word of nginx's configuration may have 4,096 bytes
    (`NGX_CONF_BUFFER` of its source): longer texts are put together from several, which takes one copy."""
    pieces = [body[start:start + 3000].replace("\\", "\\\\").replace("'", "\\'") for start in range(0, len(body), 3000)]
    if len(pieces) == 1:
        return f"return 200 '{pieces[0]}';"
    sets = [f"set $piece_{number} '{piece}';" for number, piece in enumerate(pieces)]
    names = "".join(f"${{piece_{number}}}" for number in range(len(pieces)))
    return " ".join([*sets, f'return 200 "{names}";'])


def in_node(name: str, script: str, certificate: Certificate | None = None, answer: str = "") -> Server:
    """A script of `Peers` in Node, in production mode: its arguments are the port, an answer, and files for TLS."""
    port = free_port()
    tls = [certificate.file, certificate.key] if certificate else []
    return started(name, ["node", FOLDER / "Peers" / script, port, answer, *tls], port, certificate,
                   {"NODE_PATH": "/usr/share/nodejs", "NODE_ENV": "production"})


def express(answer: str = "{}", certificate: Certificate | None = None) -> Server:
    """Express in Node: `answer` to every evaluation, and the content to `POST /echo`."""
    return in_node("Express", "express.js", certificate, answer)


def node(certificate: Certificate | None = None) -> Server:
    """Node's own HTTP server: the content to `POST /echo`."""
    return in_node("Node", "node.js", certificate)


def swift_peer(product: str, certificate: Certificate | None = None) -> Server:
    """A server of the package `Peers`, which is built when it is missing."""
    subprocess.run(["swift", "build", "-c", "release", "--product", product], cwd=FOLDER / "Peers", check=True,
                   stdout=subprocess.DEVNULL)
    port = free_port()
    tls = [certificate.file, certificate.key] if certificate else []
    return started(product.removesuffix("Peer"), [FOLDER / "Peers" / ".build" / "release" / product, port, *tls], port,
                   certificate)


def post(server: Server, path: str, body: bytes) -> bytes:
    """The body of the answer to one POST; the run ends when it is no success."""
    head = (f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n")
    answer = whole(server.port, head.encode() + body, server.scheme)
    if not answer.startswith(b"HTTP/1.1 2"):
        raise SystemExit(f"{server.name} answers POST {path} with {answer[:500].decode(errors='replace')}")
    return answer.partition(b"\r\n\r\n")[2]


def whole(port: int, request: bytes, scheme: str = "http") -> bytes:
    """Everything that `request` is answered with until the server closes the connection."""
    with connect(port, scheme) as connection:
        connection.sendall(request)
        answer = b""
        while received := connection.recv(1 << 16):
            answer += received
    return answer


def import_flags(data_dir, document: dict | Path, profile: str = "local"):
    """`flag-server import` of a document (or of a file) into a directory that no server holds, or that is made."""
    if isinstance(document, dict):
        path = Path(data_dir).parent / f"{Path(data_dir).name}.json"
        path.write_text(json.dumps(document))
    else:
        path = document
    ran = subprocess.run(
        [build("flag-server"), "import", path, "--create", "--data-dir", data_dir, "--profile", profile],
        capture_output=True, text=True, env=surroundings(), cwd="/")
    if ran.returncode != 0:
        raise SystemExit(f"import of {path} failed:\n{(ran.stdout + ran.stderr)[-2000:]}")
