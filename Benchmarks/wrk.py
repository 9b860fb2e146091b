"""Load from wrk: one thread and 64 connections unless said otherwise, in rounds that take turns."""

import dataclasses
import json
import statistics
import subprocess
import tempfile
from pathlib import Path

from processes import Server

LOAD = Path(__file__).resolve().parent / "load.lua"


@dataclasses.dataclass
class Target:
    """What is asked of which server. Several bodies take turns."""

    name: str
    server: Server
    path: str
    bodies: list[bytes]
    method: str = "POST"
    headers: tuple[str, ...] = ()
    connections: int = 64
    pipelined: int = 1
    """Requests that a connection sends at once."""
    may_fail: bool = False
    """Whether a peer's failures are counted instead of ending the run: what it answered in time is its rate."""


@dataclasses.dataclass
class Figures:
    """One round's, or the medians of several."""

    rate: float
    """Requests a second."""
    cpu: float
    """CPU microseconds of the server for one request."""
    p50: float
    """Milliseconds that half of the requests took at most."""
    p99: float
    """Milliseconds that 99 of 100 requests took at most."""
    p999: float
    """Milliseconds that 999 of 1,000 requests took at most."""
    resident: float
    """MiB of memory that the server had after the round."""
    failed: float = 0
    """The part of the requests that failed, of 1."""

    @property
    def rate_per_core(self) -> float:
        """Requests for one second of the server's CPU time."""
        return 1e6 / self.cpu


def run(target: Target, seconds: float) -> Figures:
    """One round of load."""
    before = target.server.cpu_seconds()
    found = load(target, seconds)
    cpu = target.server.cpu_seconds() - before
    failures, requests = found["failures"], found["requests"] - found["failures"]
    if requests <= 0 or failures and not target.may_fail:
        raise SystemExit(f"{target.name}: {failures} of {found['requests']} requests failed")
    p50, p99, p999 = (found[name] / 1e3 for name in ("p50", "p99", "p999"))
    return Figures(requests / found["microseconds"] * 1e6, cpu / requests * 1e6, p50, p99, p999,
                   target.server.resident_mebibytes(), failures / found["requests"])


def load(target: Target, seconds: float) -> dict:
    """What wrk found."""
    with tempfile.NamedTemporaryFile(suffix=".bodies") as file:
        file.write(b"\n".join(target.bodies) + b"\n")
        file.flush()
        ran = subprocess.run(
            ["wrk", "-t1", f"-c{target.connections}", f"-d{seconds:g}", "-s", LOAD,
             f"{target.server.scheme}://127.0.0.1:{target.server.port}/", "--", target.method, target.path, file.name,
             str(target.pipelined), *target.headers],
            capture_output=True, text=True)
    lines = [line for line in ran.stdout.splitlines() if line.startswith("{")]
    if ran.returncode != 0 or not lines:
        raise SystemExit(f"wrk failed against {target.name}:\n{ran.stdout}{ran.stderr}")
    return json.loads(lines[-1])


def rounds(targets: list[Target], count: int, seconds: float, say) -> dict[str, Figures]:
    """`count` rounds in which the targets take turns, after a second of warming each; the medians by name."""
    for target in targets:
        load(target, 1)
    found: dict[str, list[Figures]] = {target.name: [] for target in targets}
    for number in range(1, count + 1):
        for target in targets:
            figures = run(target, seconds)
            found[target.name].append(figures)
            say(f"round {number} of {count}: {target.name:<28} {figures.rate:>9,.0f}/s  {figures.cpu:6.2f} µs CPU  "
                f"p99 {figures.p99:.2f} ms")
    return {name: median(several) for name, several in found.items()}


def median(several: list[Figures]) -> Figures:
    """The median of each figure on its own."""
    return Figures(*(statistics.median(getattr(figures, field.name) for figures in several)
                     for field in dataclasses.fields(Figures)))
