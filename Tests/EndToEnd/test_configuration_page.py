"""docs/configuration.md lists every setting there is, with the defaults and the words of the files under config/.

`pytest test_configuration_page.py --update` writes the tables anew from those files.
"""

import dataclasses
import itertools
import re

import page
from server import REPOSITORY, run_command

PAGE = REPOSITORY / "docs" / "configuration.md"
SETTINGS = REPOSITORY / "Sources" / "FlagServer" / "Configuration" / "Settings.swift"
PROFILES = ("local", "dev", "prod")
HEADING = "## Settings\n"
HEADER = "| setting | variable | default | what it is |\n|---|---|---|---|\n"

NOT_IN_FILES = {"config"}
"""What only an option or a variable can say."""


@dataclasses.dataclass
class Entry:
    """A setting of a file under config/, or a section of settings: what stands above it, and its default."""

    name: str
    words: str
    value: str | None
    """None for a section; `none` for a setting whose line is a comment."""


def known() -> set[str]:
    """The names of all settings, from the program's own table."""
    source = SETTINGS.read_text()
    named = re.findall(r'(?:key: |\.(?:text|number|size|time|word)\()"([a-z.-]+)"', source)
    timeouts = [f"timeouts.{name}" for name in re.findall(r'= timeout\("([a-z-]+)"\)', source)]
    rates = [f"throttle.{name}" for name in re.findall(r'= rate\("([a-z-]+)"\)', source)]
    return {*named, *timeouts, *rates}


def entries(profile: str) -> list[Entry]:
    """What stands in a profile's file, in order."""
    found, section, words = [], "", []
    for line in (REPOSITORY / "config" / f"{profile}.yaml").read_text().splitlines():
        match = re.match(r"( *)(# )?([a-z-]+):(?: (.*))?$", line)
        if not line.startswith(" ") and match:
            section = ""
        name = f"{section}{match[3]}" if match else ""
        if match and match[4] is None and not match[2]:
            found.append(Entry(name, " ".join(words), None))
            section, words = f"{name}.", []
        elif match and name in known():
            found.append(Entry(name, " ".join(words), match[4] if not match[2] else "none"))
            words = []
        elif line.lstrip().startswith("#"):
            words.append(line.lstrip()[1:].strip())
        elif not line:
            words = []
    return found


def together(texts: tuple[str, ...]) -> str:
    """One text of three that differ in single words, with all of the words."""
    if len(set(texts)) == 1:
        return texts[0]
    parts = itertools.zip_longest(*[re.findall(r"[\w/.$-]*[\w/]|\W", text) for text in texts], fillvalue="")
    return "".join(words[0] if len(set(words)) == 1 else f"{words[0]}, {words[1]} or {words[2]}" for words in parts)


def row(name: str, words: str, values: tuple[str, ...]) -> str:
    """A setting's line of a table. What its words say of the default is the default."""
    said = re.search(r" ?Default: (.*?)\.(?= |$)", words)
    words = words[:said.start()] + words[said.end():] if said else words
    default = said[1] if said else values[0] if len(set(values)) == 1 else " / ".join(values)
    variable = "FLAG_SERVER_" + re.sub(r"\W", "_", name.upper())
    return f"| `{name}` | `{variable}` | {default} | {words} |\n"


def tables() -> str:
    """The part of the page behind its heading "Settings"."""
    text = HEADER
    for three in zip(*map(entries, PROFILES), strict=True):
        name, words = three[0].name, together(tuple(entry.words for entry in three))
        assert {entry.name for entry in three} == {name}
        if three[0].value is None:
            text += f"\n### {name}\n\n" + (f"{words}\n\n" if words else "") + HEADER
        else:
            text += row(name, words, tuple(entry.value for entry in three))
    return text


def test_the_files_have_every_setting():
    listed = {entry.name for entry in entries("local") if entry.value is not None}
    assert listed == known() - NOT_IN_FILES


def test_the_page_has_the_tables_of_the_files(pytestconfig):
    above, heading, written = PAGE.read_text().partition(HEADING)
    if pytestconfig.getoption("--update"):
        PAGE.write_text(f"{above}{heading}\n{tables()}")
        return
    assert written.strip() == tables().strip()


def test_the_variables_of_the_page_are_those_of_the_program(tmp_path):
    variables = re.findall(r"^\| `[a-z.-]+` \| `(\w+)` \|", PAGE.read_text(), re.M)
    # A wrong profile would hide the rest.
    given = dict.fromkeys(["FLAG_SERVER_NO_SUCH", *variables], "") | {"FLAG_SERVER_PROFILE": "dev"}
    ran = run_command("config", "check", env=given, cwd=tmp_path)
    assert re.findall(r"(\w+) is no setting", ran.stderr) == ["FLAG_SERVER_NO_SUCH"]


def test_a_wrong_configuration_is_reported_as_the_page_shows(tmp_path):
    example, = page.examples(PAGE.read_text())
    ran = run_command(*example.command.split()[1:], cwd=tmp_path)
    assert (ran.returncode, ran.stderr) == (78, example.answer)
