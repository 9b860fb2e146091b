"""The server as its unit has systemd start it: its command, its directories, its listening socket, and who it tells."""

import os
import re
import shlex
import signal
import socket
import subprocess
from pathlib import Path

from server import REPOSITORY, binary, clean_environment, free_port

UNITS = REPOSITORY / "config" / "systemd"
INSTALLED = "/usr/bin/flag-server"


def unit(name: str, instance: str) -> dict[str, list[str]]:
    """The lines of a template for an instance, with those of its drop-ins."""
    kind = name.rpartition(".")[2]
    drop_ins = sorted((UNITS / f"flag-server@{instance}.{kind}.d").glob("*.conf"))
    settings: dict[str, list[str]] = {}
    for file in (UNITS / name, *drop_ins):
        for key, value in re.findall(r"^(\w+)=(.*)$", file.read_text().replace("%i", instance), re.M):
            settings[key] = [*settings.get(key, []), value] if value else []
    return settings


SERVICE = {key: values[-1] for key, values in unit("flag-server@.service", "prod").items() if values}


class Supervised:
    """A server under a directory, as the unit of `prod` starts it, without authentication.

    - Parameters:
      - listening: the socket that systemd would hand over; without one the server has a port of its own.
    """

    def __init__(self, place: Path, notifications: socket.socket, listening: socket.socket | None = None):
        state, runtime = place / "state", place / "runtime"
        state.mkdir(int(SERVICE["StateDirectoryMode"], 8), exist_ok=True)
        runtime.mkdir(exist_ok=True)
        environment = clean_environment({
            "STATE_DIRECTORY": str(state), "RUNTIME_DIRECTORY": str(runtime),
            "NOTIFY_SOCKET": notifications.getsockname(), "FLAG_SERVER_AUTH": "off"})
        command = shlex.split(SERVICE["ExecStart"].replace(INSTALLED, binary()))

        def adopt():
            if listening:
                os.dup2(listening.fileno(), 3)

        if listening:
            # systemd knows the number of the process that it has not started yet; a shell knows its own.
            environment["LISTEN_FDS"] = "1"
            command = ["sh", "-c", 'LISTEN_PID=$$; export LISTEN_PID; exec "$@"', "sh", *command]
        else:
            environment["FLAG_SERVER_PORT"] = str(free_port())
        self.port = listening.getsockname()[1] if listening else int(environment["FLAG_SERVER_PORT"])
        with open(place / "log", "ab") as log:
            self.process = subprocess.Popen(command, cwd=place, env=environment, stderr=log, preexec_fn=adopt,
                                            pass_fds=(3,) if listening else ())

    def stop(self) -> int:
        """What `systemctl stop` does, with the time that it gives; returns the exit status."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(int(SERVICE["TimeoutStopSec"]))
