"""The transport alone: http-echo against nginx, the same request and answer."""

import flags
import peers
import wrk
from report import Report

TITLE = "the transport alone: http-echo, one loop, 64 connections"
PACKAGES = ["nginx-light", "wrk"]


def run(options) -> Report:
    body = flags.REQUEST.decode()
    with peers.http_echo() as echo, peers.nginx(body) as nginx:
        assert peers.post(echo, "/echo", flags.REQUEST) == flags.REQUEST
        targets = [wrk.Target("nginx, one worker, static", nginx, "/echo", [flags.REQUEST]),
                   wrk.Target("http-echo, one loop", echo, "/echo", [flags.REQUEST])]
        found = wrk.rounds(targets, options.rounds, options.seconds, options.say)
    first = found["nginx, one worker, static"]
    rows = [[name, figures.rate, figures.p50, figures.p99, figures.cpu, figures.cpu / first.cpu]
            for name, figures in found.items()]
    return Report(
        TITLE, ["server", "requests/s", "p50 ms", "p99 ms", "CPU µs/request", "CPU, nginx = 1"], rows, [],
        f"POST of {len(body)} bytes, answer of the same size: nginx has a fixed text, http-echo the request's body.")
