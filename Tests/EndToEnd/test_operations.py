"""docs/operations.md works as typed: its commands, with the real `aws`, print what stands below them on a server that
was started as the page says.

`pytest test_operations.py --update` writes the outputs anew; read the difference.
"""

import json
import os
import re
import shlex

import dynamodb
import page
import shell
from server import REPOSITORY, binary, free_port

PAGE = REPOSITORY / "docs" / "operations.md"
RUN = "./scripts/run "

SIZES = ("BackupSizeBytes", "TableSizeBytes", "IndexSizeBytes", "EarliestRestorableDateTime", "entry", "requestId")
"""Members whose values depend on when it is looked, or on the compressor, or differ from run to run."""


def test_the_page_prints_what_it_says(start_server, tmp_path, pytestconfig):
    start, *examples = page.examples(PAGE.read_text())
    assert start.command.startswith(RUN) and len(examples) >= 20
    table_port = free_port()
    server = start_server(*as_run_does(start.command, table_port), environment="dev")

    def here(command: str) -> str:
        places = {"127.0.0.1:8000": f"127.0.0.1:{table_port}", "http://127.0.0.1:3001": server.origin,
                  ".build/release/flag-server": os.path.abspath(binary()), "data/dev": str(server.data_dir)}
        for there, place in places.items():
            command = command.replace(there, place)
        return command

    ran = shell.run([here(example.command) for example in examples], tmp_path, dynamodb.environment(table_port))
    assert [example.command for example, result in zip(examples, ran) if result.status] == []
    differing = [(example, result.output) for example, result in zip(examples, ran)
                 if normalised(result.output) != normalised(example.answer or "")]
    if pytestconfig.getoption("--update"):
        page.rewrite(PAGE, [(example, laid_out(output)) for example, output in differing if example.answer])
        return
    for example, output in differing:
        assert normalised(output) == normalised(example.answer or ""), example.command


def as_run_does(command: str, table_port: int) -> list[str]:
    """The arguments with which `./scripts/run` starts the server, on ports of the test's own."""
    profile = ["--profile", "dev"]
    typed = shlex.split(command.removeprefix(RUN).replace("8000", str(table_port)))
    assert typed[:2] == profile
    return ["--sample-flags", REPOSITORY / "config" / "sample-flags.json", *typed[2:]]


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
