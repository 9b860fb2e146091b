"""Pages of the documentation: the commands in them, and the answers that stand below the commands."""

import dataclasses
import re
from pathlib import Path

BLOCK = re.compile(
    r"^```(?P<language>\w+)\n(?P<command>.*?)^```\n(?:\n```(?:json|text)\n(?P<answer>.*?)^```\n)?", re.M | re.S)

GENERATED = "flag_server_client"
"""The package of a generated client in Python, which the programs import that need one."""


@dataclasses.dataclass
class Example:
    """A block of a page, with the block of JSON or text right below it."""

    command: str
    answer: str | None
    span: tuple[int, int]
    """Where in the page the answer stands."""


def examples(text: str, language: str = "sh") -> list[Example]:
    """The blocks of a page in this language, in order."""
    return [Example(match["command"], match["answer"], match.span("answer"))
            for match in BLOCK.finditer(text) if match["language"] == language]


def rewrite(path: Path, answers: list[tuple[Example, str]]):
    """Puts other answers in the place of those that stand in a page."""
    text = path.read_text()
    for example, answer in sorted(answers, key=lambda pair: pair[0].span, reverse=True):
        start, end = example.span
        text = f"{text[:start]}{answer.strip()}\n{text[end:]}"
    path.write_text(text)
