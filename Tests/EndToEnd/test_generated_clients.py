"""`/openapi.json` makes clients that work: two generators, two languages, and each client calls a server."""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

import page
import transcript
from server import REPOSITORY

CALLS = Path(__file__).parent / "generated_clients"
"""What calls a server through each client. They print a line `METHOD path status` for each request."""

EXPECTED_STATUSES = {200, 201, 204, 400, 404, 409, 412}
"""What each of them must have seen: successes, and failures of each kind, which they read as objects."""

TYPESCRIPT = {
    # TypeScript before 4.9 does not follow `in`, by which the client tells one answer from another.
    "compilerOptions": {"strict": True, "noImplicitAny": False, "target": "es2020", "module": "commonjs",
                        "outDir": "built"},
    "files": ["calls_typescript_fetch.ts"],
}


def run(command, **options) -> str:
    """Runs a program that must succeed and returns what it printed."""
    ran = subprocess.run(command, capture_output=True, text=True, timeout=120, **options)
    assert ran.returncode == 0, f"{command}\n{ran.stdout[-4000:]}{ran.stderr[-4000:]}"
    return ran.stdout + ran.stderr


@pytest.fixture(scope="module")
def tools() -> Path:
    """The folder of the generators, and of a Python that has what their clients import."""
    made = subprocess.run(
        [REPOSITORY / "scripts" / "install-python", "clients", CALLS / "requirements.txt"], capture_output=True,
        text=True)
    if made.returncode:
        reason = made.stderr.strip().rpartition("\n")[2]
        pytest.skip(f"the generators of clients cannot be installed: {reason}")
    return Path(made.stdout.strip())


@pytest.fixture(scope="module")
def description(shared_server, tmp_path_factory) -> Path:
    """A file of what the server says of itself."""
    file = tmp_path_factory.mktemp("description") / "openapi.json"
    file.write_text(json.dumps(shared_server.expect(200, "GET", "/openapi.json")))
    return file


@pytest.fixture(scope="module")
def openapi_generator(tools, description) -> Path:
    """The folder in which openapi-generator made its clients, all at once, since most of its time is Java's start."""
    java = shutil.which("java") and subprocess.run(["java", "-version"], capture_output=True, text=True).stderr
    if not java or int(re.search(r'version "(\d+)', java)[1]) < 17:
        pytest.skip("openapi-generator needs Java 17: apt-get install openjdk-17-jre-headless")
    folder = description.parent
    for generator in ("python", "typescript-fetch"):
        (folder / f"{generator}.json").write_text(json.dumps({
            "generatorName": generator, "inputSpec": str(description), "outputDir": str(folder / generator),
            "additionalProperties": {"packageName": "flag_server_client"},
            "globalProperties": {"apiDocs": "false", "apiTests": "false", "modelDocs": "false", "modelTests": "false"},
        }))
    said = run([tools / "openapi-generator-cli", "batch", *folder.glob("*-fetch.json"), folder / "python.json"])
    doubts = [line for line in said.splitlines() if re.search(r"\b(WARN|ERROR)\b", line)]
    assert not [line for line in doubts if "OpenAPI 3.1 support is still in beta" not in line], said[-4000:]
    return folder


def assert_called(said: str, description: Path):
    """Asserts that enough of the routes were called, and answered in enough ways."""
    templates = [
        (method.upper(), re.compile(re.sub(r"\{\w+\}", "[^/?]+", path) + r"(\?.*)?"), operation["operationId"])
        # Paths without parameters first: they might be taken for others.
        for path, item in sorted(json.loads(description.read_text())["paths"].items(), key=lambda path: "{" in path[0])
        for method, operation in item.items() if method != "parameters"
    ]
    called, statuses = set(), set()
    for method, path, status in (line.split() for line in said.splitlines()):
        called.add(next(id for verb, pattern, id in templates if verb == method and pattern.fullmatch(path)))
        statuses.add(int(status))
    assert len(called) >= 20, called
    assert statuses >= EXPECTED_STATUSES, statuses


def test_openapi_python_client(tools, description, start_server, tmp_path):
    # The generator looks for ruff, which sorts out its imports, on the path.
    path = {"PATH": f"{tools}:{os.environ['PATH']}"}
    run([tools / "openapi-python-client", "generate", "--fail-on-warning", "--path", description, "--output-path",
         tmp_path / "client"], env=os.environ | path)
    python = os.environ | {"PYTHONPATH": str(tmp_path / "client")}
    server = start_server()
    said = run([tools / "python", CALLS / "calls_openapi_python_client.py", server.origin], env=python)
    assert_called(said, description)
    programs = [example for example in page.examples((REPOSITORY / "docs" / "clients.md").read_text(), "python")
                if page.GENERATED in example.command]
    assert programs
    for program in programs:
        command = program.command.replace(transcript.ORIGIN, server.origin)
        assert run([tools / "python", "-c", command], env=python).strip() == program.answer.strip()


def test_openapi_generator_python(tools, openapi_generator, description, start_server):
    said = run([tools / "python", CALLS / "calls_openapi_generator_python.py", start_server().origin],
               env=os.environ | {"PYTHONPATH": str(openapi_generator / "python")})
    assert_called(said, description)


def test_openapi_generator_typescript(openapi_generator, description, start_server, tmp_path):
    if not (shutil.which("tsc") and shutil.which("node")):
        pytest.skip("the client is TypeScript: apt-get install node-typescript")
    shutil.copytree(openapi_generator / "typescript-fetch", tmp_path / "client")
    shutil.copy(CALLS / "calls_typescript_fetch.ts", tmp_path)
    (tmp_path / "tsconfig.json").write_text(json.dumps(TYPESCRIPT))
    run(["tsc", "--project", tmp_path])
    assert_called(run(["node", tmp_path / "built" / "calls_typescript_fetch.js", start_server().origin]), description)


def test_the_documentation_names_the_versions_that_are_tested():
    text = (REPOSITORY / "docs" / "clients.md").read_text()
    generators = re.findall(r"^(openapi-\S+==\S+)$", (CALLS / "requirements.txt").read_text(), re.MULTILINE)
    assert len(generators) == 2
    assert [name for name in generators if f"pip install {name}\n" not in text] == []
