"""One bash that runs commands in order, as somebody types them, and what each of them printed."""

import dataclasses
import subprocess
from pathlib import Path

MARK = "\x1e"
"""Stands between the outputs of two commands. A control character that no answer contains."""

CURL = 'curl() { command curl -sS "$@"; }\n'
"""curl without its progress bar, which nobody means who shows what it prints."""


@dataclasses.dataclass
class Ran:
    """What one command printed, and its exit status."""

    output: str
    status: int


def run(commands: list[str], folder: Path, environment: dict | None = None, timeout: float = 300) -> list[Ran]:
    """Runs the commands in one shell, so that a variable set by one can be used by the next."""
    script = CURL + "".join(f"{command}\nprintf '{MARK}%s{MARK}' $?\n" for command in commands)
    ran = subprocess.run(["bash", "-c", script], capture_output=True, timeout=timeout, cwd=folder, env=environment)
    parts = ran.stdout.decode(errors="replace").split(MARK)
    errors = ran.stderr.decode(errors="replace")
    assert len(parts) == 2 * len(commands) + 1, f"the shell stopped early: {errors}"
    if errors:
        print(errors)
    return [Ran(output, int(status)) for output, status in zip(parts[:-1:2], parts[1::2])]
