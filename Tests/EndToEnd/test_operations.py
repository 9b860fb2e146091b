"""docs/operations.md works as typed: its commands, with the real `aws`, print what stands below them.

`pytest test_operations.py --update` writes the outputs anew; read the difference.
"""

import json
import os
import re
import subprocess

import dynamodb
from server import REPOSITORY, binary, free_port

PAGE = REPOSITORY / "docs" / "operations.md"
BLOCK = re.compile(r"^```sh\n(?P<command>.*?)^```\n(?:\n```(?:json|text)\n(?P<output>.*?)^```\n)?", re.M | re.S)
MARK = "\x1e"

SIZES = ("BackupSizeBytes", "TableSizeBytes", "IndexSizeBytes", "EarliestRestorableDateTime")
"""Members whose values depend on when it is looked, or on the compressor."""


def commands(text: str) -> list[re.Match]:
    """What a reader types, in order. Scripts that start a server are left out: one runs already."""
    return [match for match in BLOCK.finditer(text) if not match["command"].startswith("./scripts/")]


def test_the_page_prints_what_it_says(start_server, tmp_path, pytestconfig):
    text = PAGE.read_text()
    table_port = free_port()
    server = start_server("--auth", "off", "--dynamodb-port", table_port, environment="dev")

    def here(command: str) -> str:
        places = {"127.0.0.1:8000": f"127.0.0.1:{table_port}", "http://127.0.0.1:3001": server.origin,
                  ".build/release/flag-server": os.path.abspath(binary()), "data/dev": str(server.data_dir)}
        for there, place in places.items():
            command = command.replace(there, place)
        return command

    matches = commands(text)
    assert len(matches) >= 20
    script = "curl() { command curl -sS \"$@\"; }\n" + "".join(
        f"{here(match['command'])}status=$?\nprintf '{MARK}%s{MARK}' $status\n" for match in matches)
    ran = subprocess.run(["bash", "-c", script], capture_output=True, text=True, timeout=300, cwd=tmp_path,
                         env=dynamodb.environment(table_port))
    parts = ran.stdout.split(MARK)
    assert len(parts) == 2 * len(matches) + 1, ran.stderr
    outputs = dict(zip(matches, parts[::2]))
    assert [match["command"] for match, status in zip(matches, parts[1::2]) if status != "0"] == [], ran.stderr
    if pytestconfig.getoption("--update"):
        PAGE.write_text(BLOCK.sub(lambda match: updated(match, outputs), text))
        return
    for match in matches:
        assert normalised(outputs[match]) == normalised(match["output"] or ""), match["command"]


def updated(match: re.Match, outputs: dict) -> str:
    """A block of the page with the output that its command gave now."""
    found = next((output for known, output in outputs.items() if known.span() == match.span()), None)
    if found is None or match["output"] is None:
        return match[0]
    head = match[0][:match.start("output") - match.start()]
    return f"{head}{laid_out(found)}\n```\n"


def laid_out(output: str) -> str:
    """Output for people: JSON with a stable order of members, small objects on one line."""
    try:
        value = json.loads(output)
    except ValueError:
        return output.strip()
    return "\n".join(lines(sort(value), ""))


def lines(value, indent: str) -> list[str]:
    whole = json.dumps(value, ensure_ascii=False)
    if len(indent) + len(whole) <= 110 or not isinstance(value, (dict, list)):
        return [indent + whole]
    opening, closing = ("{", "}") if isinstance(value, dict) else ("[", "]")
    rows = []
    members = value.items() if isinstance(value, dict) else ((None, member) for member in value)
    for name, member in members:
        inner = lines(member, indent + "    ")
        if name is not None:
            inner[0] = f"{indent}    {json.dumps(name)}: {inner[0].strip()}"
        rows.append(inner)
    for inner in rows[:-1]:
        inner[-1] += ","
    return [indent + opening, *(line for inner in rows for line in inner), indent + closing]


def sort(value):
    """Members of objects in alphabetical order: neither DynamoDB nor this server promises one."""
    if isinstance(value, dict):
        return {name: sort(value[name]) for name in sorted(value)}
    return [sort(member) for member in value] if isinstance(value, list) else value


def normalised(output: str) -> str:
    """Output without what differs from run to run: times, identifiers, sizes."""
    try:
        value = json.dumps(blanked(sort(json.loads(output))), indent=1)
    except ValueError:
        value = output.strip()
    value = re.sub(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z(?<!03:04:05\.000Z)", "<time>", value)
    value = re.sub(r"0\d{13}-[0-9a-f]{8}", "<backup>", value)
    value = re.sub(r"\d+ bytes", "<size>", value)
    value = re.sub(r"(?m)^checked .*$", lambda line: re.sub(r"\d+", "<count>", line[0]), value)
    return re.sub(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "<id>", value)


def blanked(value, name: str = ""):
    if name.endswith("DateTime") or name in SIZES:
        return "<varies>"
    if isinstance(value, dict):
        return {inner: blanked(member, inner) for inner, member in value.items()}
    return [blanked(member, name) for member in value] if isinstance(value, list) else value
