"""README.md's examples work as pasted: the curl lines give the answers that stand below them, the program runs."""

import re
import subprocess
import sys

import pytest

import transcript
from server import REPOSITORY

README = (REPOSITORY / "README.md").read_text()
SAMPLES = REPOSITORY / "config" / "sample-flags.json"
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```\n", re.M | re.S)


def curl_examples() -> list[tuple[str, str]]:
    """Each command block that starts with curl, with the answer block that follows it."""
    blocks = [(match[1], match[2].strip()) for match in BLOCK.finditer(README)]
    return [(text, following[1]) for (language, text), following in zip(blocks, [*blocks[1:], ("", "")])
            if language == "sh" and text.startswith("curl ")]


def programs() -> list[tuple[str, str]]:
    """Each Python block with what it prints, the text block that follows it."""
    blocks = [(match[1], match[2].strip()) for match in BLOCK.finditer(README)]
    return [(text, following[1]) for (language, text), following in zip(blocks, [*blocks[1:], ("", "")])
            if language == "python"]


@pytest.fixture
def sampled(start_server):
    """A server as `./scripts/run` starts it, on another port."""
    return start_server("--sample-flags", SAMPLES)


def test_the_curl_lines_give_the_answers_below_them(sampled, tmp_path):
    examples = curl_examples()
    assert len(examples) >= 5
    exchanges = [transcript.Exchange("", command, "") for command, _ in examples]
    answered = transcript.replay(exchanges, sampled.origin, tmp_path)
    for (command, answer), exchange in zip(examples, answered):
        assert exchange.output == transcript.normalise(answer), command


def test_the_openfeature_example_prints_what_stands_below_it(sampled):
    examples = programs()
    assert examples
    for program, printed in examples:
        ran = subprocess.run([sys.executable, "-c", program.replace(transcript.ORIGIN, sampled.origin)],
                             capture_output=True, text=True, timeout=60)
        assert ran.returncode == 0, ran.stderr
        assert ran.stdout.strip() == printed


def test_the_folder_map_names_what_is_there():
    named = re.findall(r"^\| `([\w./-]+?)/?` \|", README, re.M)
    folders = [name for name in named if (REPOSITORY / name).exists() or "/" in name or name in ("config", "docs")]
    assert folders, "the README has a folder map"
    missing = [name for name in folders if not (REPOSITORY / name).exists()]
    assert not missing


def test_the_scripts_that_are_named_exist():
    for name in set(re.findall(r"\./scripts/([\w-]+(?:\.sh)?)", README)):
        assert (REPOSITORY / "scripts" / name).is_file(), name
