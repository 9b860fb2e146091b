"""Transcripts: readable files of curl commands with the answers they got, replayed against a fresh server.

A transcript is a sequence of exchanges, each a comment, the command behind `$ `, and what it printed:

    # A flag that does not exist
    $ curl -i http://127.0.0.1:3001/api/flags/none
    HTTP/1.1 404 Not Found
    Content-Type: application/problem+json

    {"type":…

The commands of one file run in one bash, in order, so that a variable set by one can be used by the next. A command
goes on in the lines below it that are indented by four spaces.

What changes from run to run is replaced by a placeholder on both sides: `<time>` for the times that the server sets,
`<digest>` in an ETag, `<cursor>`. Of the headers those are kept that say something about the answer (`HEADERS`). A JSON
body longer than a line is laid out over several; nothing else of it is touched, numbers least of all.
"""

import dataclasses
import json
import re
from pathlib import Path

import shell

ORIGIN = "http://127.0.0.1:3001"
"""The address in the files, where a server of one's own listens after `./scripts/run`."""

HEADERS = ("content-type", "location", "etag", "allow", "connection", "retry-after", "link")
"""Headers that a transcript keeps, in lower case; of Connection only that it closes, which is the exception."""

WIDTH = 110
"""Characters a JSON body may take before it is laid out over several lines."""


@dataclasses.dataclass
class Exchange:
    """One command: the comment above it, its text as in the file, and what it printed."""

    comment: str
    command: str
    output: str


def parse(text: str) -> list[Exchange]:
    """The exchanges of a transcript's text. A comment or a command ends the output before it."""
    exchanges: list[Exchange] = []
    comment: list[str] = []
    output: list[str] = []
    in_command = False
    for line in text.splitlines():
        if in_command and line.startswith("    "):
            exchanges[-1].command += "\n" + line
            continue
        in_command = line.startswith("$ ")
        if in_command:
            exchanges.append(Exchange("\n".join(comment), line[2:], ""))
            comment, output = [], []
        elif line.startswith("# "):
            comment.append(line)
        elif exchanges and not comment:
            output.append(line)
            exchanges[-1].output = "\n".join(output).strip()
    return exchanges


def render(exchanges: list[Exchange]) -> str:
    """The text of a transcript; `parse` of it gives the same exchanges."""
    blocks = []
    for exchange in exchanges:
        lines = [exchange.comment] if exchange.comment else []
        lines.append(f"$ {exchange.command}")
        if exchange.output:
            lines.append(exchange.output)
        blocks.append("\n".join(lines))
    return "\n\n".join(blocks) + "\n"


def replay(exchanges: list[Exchange], origin: str, folder: Path) -> list[Exchange]:
    """Runs the commands in `folder` against the server at `origin`; returns the exchanges with what they printed."""
    ran = shell.run([exchange.command.replace(ORIGIN, origin) for exchange in exchanges], folder)
    answered = []
    for exchange, result in zip(exchanges, ran):
        output = normalise(result.output.replace(origin, ORIGIN))
        if result.status:
            output = f"{output}\n[exit {result.status}]".strip()
        answered.append(dataclasses.replace(exchange, output=output))
    return answered


def normalise(output: str) -> str:
    """Output as the file has it: chosen headers, laid-out JSON, placeholders for what changes."""
    text = tidy(output)
    text = re.sub(r'("(?!expiresAt)\w+At": ?")\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"', r'\1<time>"', text)
    text = re.sub(r'(")(\d+-)?[0-9a-f]{8,32}(\\?")', r"\1\2<digest>\3", text)
    text = re.sub(r'("nextCursor": ?")[^"]+(")', r"\1<cursor>\2", text)
    return text.strip()


def tidy(output: str) -> str:
    """Output for people: chosen headers, laid-out JSON."""
    output = output.replace("\r\n", "\n").strip()
    heads: list[str] = []
    while output.startswith("HTTP/"):
        head, _, output = output.partition("\n\n")
        status, *headers = head.split("\n")
        kept = [header for header in headers
                if header.partition(":")[0].lower() in HEADERS and header != "Connection: keep-alive"]
        heads.append("\n".join([status, *kept]))
        output = output.lstrip("\n")
    body = lay_out_text(output)
    return "\n\n".join([*heads, body] if body else heads)


class Number:
    """A number of a JSON text, in the spelling it had there."""

    def __init__(self, spelling: str):
        self.spelling = spelling


def lay_out_text(text: str) -> str:
    """JSON text over as many lines as it needs; any other text as it is."""
    if len(text) <= WIDTH or text[:1] not in "{[":
        return text
    try:
        value = json.loads(text, parse_int=Number, parse_float=Number)
    except ValueError:
        return text
    return lay_out(value, "")


def compact(value) -> str:
    """JSON text of a parsed value on one line."""
    if isinstance(value, Number):
        return value.spelling
    if isinstance(value, dict):
        members = (f"{json.dumps(key, ensure_ascii=False)}:{compact(item)}" for key, item in value.items())
        return "{" + ",".join(members) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(compact, value)) + "]"
    return json.dumps(value, ensure_ascii=False)


def lay_out(value, indent: str) -> str:
    """JSON text of a parsed value; a container that does not fit a line has each member on its own."""
    line = compact(value)
    if len(indent) + len(line) <= WIDTH or not isinstance(value, (dict, list)):
        return line
    inner = indent + "  "
    if isinstance(value, dict):
        rows = [f"{inner}{json.dumps(key, ensure_ascii=False)}: {lay_out(item, inner)}" for key, item in value.items()]
        return "{\n" + ",\n".join(rows) + f"\n{indent}}}"
    rows = [inner + lay_out(item, inner) for item in value]
    return "[\n" + ",\n".join(rows) + f"\n{indent}]"


def files() -> list[Path]:
    """Every transcript beside this module."""
    return sorted((Path(__file__).parent / "transcripts").glob("*.transcript"))
