"""The examples of README.md and of the pages under docs/ work as pasted, in order, each page against a fresh server.

A block that starts with curl gives the answer that stands below it, or succeeds where none does; a program in Python
prints what stands below it. `pytest test_pages.py --update` writes the answers anew; read the difference.
"""

import re
import subprocess
import sys

import pytest

import page
import shell
import transcript
from server import REPOSITORY

README = REPOSITORY / "README.md"
SAMPLES = REPOSITORY / "config" / "sample-flags.json"

ELSEWHERE = {
    "operations.md": "test_operations.py runs all of it",
    "troubleshooting.md": "commands for an installed server that is in trouble",
}
"""Pages that are not run here, and why."""


def pages(language: str) -> list:
    """Every page with examples in a language."""
    files = [README, *sorted((REPOSITORY / "docs").glob("*.md"))]
    return [pytest.param(file, id=file.stem) for file in files
            if file.name not in ELSEWHERE and chosen(file, language)]


def chosen(file, language: str) -> list[page.Example]:
    """The examples of a page that are run: every program, and of the shell's what asks the server.

    What needs a generated client is run where there is one, by test_generated_clients.py.
    """
    return [example for example in page.examples(file.read_text(), language)
            if (language != "sh" or example.command.startswith("curl ")) and page.GENERATED not in example.command]


@pytest.fixture
def sampled(start_server):
    """A server as `./scripts/run` starts it, on another port."""
    return start_server("--sample-flags", SAMPLES)


def strictly(command: str) -> str:
    """The command so that it fails where the server refuses: nothing stands below it that would show that."""
    return f"(set -e; curl() {{ command curl -sS --fail-with-body \"$@\"; }}\n{command})"


@pytest.mark.parametrize("file", pages("sh"))
def test_the_curl_lines_give_the_answers_below_them(file, sampled, tmp_path, pytestconfig):
    examples = chosen(file, "sh")
    commands = [example.command if example.answer else strictly(example.command) for example in examples]
    ran = shell.run([command.replace(transcript.ORIGIN, sampled.origin) for command in commands], tmp_path)
    answers = [result.output.replace(sampled.origin, transcript.ORIGIN) for result in ran]
    for example, result in zip(examples, ran):
        assert result.status == 0, f"{example.command}{result.output}"
    differing = [(example, answer) for example, answer in zip(examples, answers) if example.answer
                 and transcript.normalise(answer) != transcript.normalise(example.answer)]
    if pytestconfig.getoption("--update"):
        page.rewrite(file, [(example, transcript.tidy(answer)) for example, answer in differing])
        return
    for example, answer in differing:
        assert transcript.normalise(answer) == transcript.normalise(example.answer), example.command


@pytest.mark.parametrize("file", pages("python"))
def test_the_programs_print_what_stands_below_them(file, sampled):
    for example in chosen(file, "python"):
        program = example.command.replace(transcript.ORIGIN, sampled.origin)
        ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
        assert ran.returncode == 0, ran.stderr
        assert ran.stdout.strip() == example.answer.strip()


def test_every_page_is_named_in_the_readme():
    named = set(re.findall(r"\]\((docs/[\w-]+\.md)", README.read_text()))
    assert {f"docs/{file.name}" for file in (REPOSITORY / "docs").glob("*.md")} - named == set()


def links() -> list:
    """Each link of a page to a file of this repository, perhaps to a heading in it."""
    files = [README, *sorted((REPOSITORY / "docs").glob("*.md"))]
    return [pytest.param(file, target, id=f"{file.stem}: {target}") for file in files
            for target in sorted(set(re.findall(r"\]\(([\w./#-]+)\)", file.read_text())))]


@pytest.mark.parametrize("file, target", links())
def test_links_lead_somewhere(file, target):
    path, _, heading = target.partition("#")
    aim = (file.parent / path).resolve() if path else file
    assert aim.exists()
    if heading:
        headings = re.findall(r"^#+ (.*)$", aim.read_text(), re.M)
        assert heading in [re.sub(r"[^\w -]", "", text.lower()).replace(" ", "-") for text in headings]


def test_the_page_on_targeting_has_a_row_for_every_operator():
    syntax = (REPOSITORY / "Sources" / "FlagCore" / "Rules" / "OperatorSyntax.swift").read_text()
    known = re.findall(r'^ +"(.+)": OperatorSyntax\(', syntax, re.M)
    assert len(known) > 30
    section = (REPOSITORY / "docs" / "targeting.md").read_text().partition("## Operators")[2].partition("\n## ")[0]
    shown = [name for cell in re.findall(r"^\| (`.*?`) \|", section, re.M) for name in re.findall(r"`(.+?)`", cell)]
    assert sorted(shown) == sorted(known)


def test_the_folder_map_names_what_is_there():
    named = re.findall(r"^\| `([\w./-]+?)/?` \|", README.read_text(), re.M)
    folders = [name for name in named if (REPOSITORY / name).exists() or "/" in name or name in ("config", "docs")]
    assert folders, "the README has a folder map"
    missing = [name for name in folders if not (REPOSITORY / name).exists()]
    assert not missing


def test_the_scripts_that_are_named_exist():
    for file in [README, *(REPOSITORY / "docs").glob("*.md")]:
        for name in set(re.findall(r"\./scripts/([\w-]+(?:\.sh)?)", file.read_text())):
            assert (REPOSITORY / "scripts" / name).is_file(), f"{file.name}: {name}"
