"""The mutants: changes of the sources that a test has to notice, as `Tests/Mutants/set/*.toml` describes them.

    [[mutant]]
    id = "lru-keeps-the-oldest"
    file = "LRUTable.swift"
    at = "if ⟦count > capacity⟧ {"
    with = "count > capacity + 1"
    tests = "FlagStoreTests"

`file` is a name without a folder, since files move. `at` is a text that stands in it once, however it is wrapped; what
is between ⟦ and ⟧, or all of it, is replaced: by the expression in `with`, or by the statements in `instead` (none, if
that is empty). `tests` is a pattern of the suites that should notice, or a list of them, of which those behind the first
run when no test before them did; all suites if it is missing. `equivalent` says why no test could notice: such a mutant
is listed and not run.
"""

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path

FIELDS = {"id", "file", "at", "with", "instead", "tests", "equivalent"}


class Misfit(Exception):
    """Mutants that cannot be made: one line for each."""


@dataclass(frozen=True)
class Mutant:
    id: str
    file: str
    at: str
    replacement: str
    is_expression: bool
    tests: tuple[str, ...]
    equivalent: str

    @property
    def original(self) -> str:
        """The text that is replaced."""
        marked = re.search("⟦(.*)⟧", self.at, re.DOTALL)
        return marked[1] if marked else self.at

    def spans(self, text: str) -> list[tuple[int, int]]:
        """Where the text to be replaced stands in a file's text."""
        before, found, rest = self.at.partition("⟦")
        inner, _, after = rest.partition("⟧")
        if not found:
            before, inner, after = "", self.at, ""
        pattern = f"({spaced(before)})({spaced(inner)}){spaced(after)}"
        return [match.span(2) for match in re.finditer(pattern, text)]


@dataclass(frozen=True)
class Place:
    """Where a mutant fits: a file, by its path below the repository, and a part of its text."""

    mutant: Mutant
    path: Path
    start: int
    end: int

    @property
    def target(self) -> str:
        return self.path.parts[1]


def spaced(text: str) -> str:
    """A pattern for a text, in which any white space stands for any other."""
    words = re.split(r"(\s+)", text)
    return "".join(r"\s+" if word.isspace() else re.escape(word) for word in words)


def read(folder: Path) -> list[Mutant]:
    """The mutants of all files of a folder. Raises `Misfit` for what is not said as it has to be."""
    mutants: list[Mutant] = []
    wrong: list[str] = []
    for file in sorted(folder.glob("*.toml")):
        for entry in tomllib.loads(file.read_text(encoding="utf-8")).get("mutant", []):
            problem = problem_of(entry, {mutant.id for mutant in mutants})
            if problem:
                wrong.append(f"{file.name}, {entry.get('id', 'a mutant without id')}: {problem}")
                continue
            mutants.append(Mutant(
                id=entry["id"], file=entry["file"], at=entry["at"].strip(),
                replacement=entry.get("with", entry.get("instead", "")).strip(), is_expression="with" in entry,
                tests=patterns_of(entry), equivalent=entry.get("equivalent", "")))
    if wrong:
        raise Misfit("\n".join(wrong))
    return mutants


def patterns_of(entry: dict) -> tuple[str, ...]:
    tests = entry.get("tests", "")
    return (tests,) if isinstance(tests, str) else tuple(tests)


def problem_of(entry: dict, ids: set[str]) -> str:
    """What is wrong with an entry of a set, or nothing."""
    if unknown := set(entry) - FIELDS:
        return f"there is no field {', '.join(sorted(unknown))}"
    if not all(entry.get(field) for field in ("id", "file", "at")):
        return "it needs id, file and at"
    if ("with" in entry) == ("instead" in entry):
        return "it needs one of with and instead"
    if entry["at"].count("⟦") != entry["at"].count("⟧") or entry["at"].count("⟦") > 1:
        return "at has more than one marked part, or half of one"
    return "another one has this id" if entry["id"] in ids else ""


def fit(mutants: list[Mutant], root: Path) -> list[Place]:
    """Where the mutants fit. Raises `Misfit` for those that fit nowhere or in several places."""
    files: dict[str, list[Path]] = {}
    for path in sorted((root / "Sources").rglob("*.swift")):
        files.setdefault(path.name, []).append(path)
    places: list[Place] = []
    wrong: list[str] = []
    for mutant in mutants:
        found = [
            Place(mutant, path.relative_to(root), *span)
            for path in files.get(mutant.file, []) for span in mutant.spans(path.read_text(encoding="utf-8"))]
        if len(found) == 1:
            places.append(found[0])
        else:
            why = f"{len(found)} times" if found else "not there"
            wrong.append(f"mutant {mutant.id} no longer fits: {mutant.file}, {mutant.at!r} ({why})")
    if wrong:
        raise Misfit("\n".join(wrong))
    refuse_overlaps(places)
    return places


def refuse_overlaps(places: list[Place]):
    """Mutants may stand at the same place or one within another, but not cut through each other."""
    ordered = sorted(places, key=lambda place: (place.path, place.start, -place.end))
    for index, first in enumerate(ordered):
        for second in ordered[index + 1:]:
            if second.path != first.path or second.start >= first.end:
                break
            if second.end > first.end:
                raise Misfit(f"mutants {first.mutant.id} and {second.mutant.id} cut through each other")
