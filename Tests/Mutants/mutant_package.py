"""A copy of the package in which every mutant is built in, each behind a number that the environment picks.

One build serves all mutants that way. The product never sees the switch: it exists in the copy alone.
"""

import re
import shutil
import subprocess
from pathlib import Path

from mutant_set import Place

VARIABLE = "ACTIVE_MUTANT"

HEADER = """#include <stdbool.h>

bool mutantIsActive(int number);
"""

SWITCH = f"""#include "CMutants.h"

#include <stdlib.h>

static int active;

__attribute__((constructor)) static void readNumber(void) {{
    const char *text = getenv("{VARIABLE}");
    active = text ? atoi(text) : 0;
}}

bool mutantIsActive(int number) {{ return active == number; }}
"""

MANIFEST = """
// Whoever is changed asks this which change is wanted.
for target in package.targets where target.type == .regular || target.type == .executable {
    target.dependencies.append("CMutants")
}
package.targets.append(.target(name: "CMutants"))
"""


class BuildFailure(Exception):
    """The copy does not build; what the compiler said, and which mutants stand in the lines that it names."""


def woven(text: str, places: list[Place], numbers: dict[str, int]) -> str:
    """A file's text with the mutants that fit it built in."""
    return "import CMutants\n" + rendered(text, 0, len(text), places, numbers)


def rendered(text: str, start: int, end: int, places: list[Place], numbers: dict[str, int]) -> str:
    """The text between two places of a file. Of mutants at one place or within another, the outer one asks first."""
    inside = sorted(places, key=lambda place: (place.start, -place.end))
    result = ""
    position = start
    while inside:
        outer = inside.pop(0)
        within = [place for place in inside if place.start < outer.end]
        inside = inside[len(within):]
        original = rendered(text, outer.start, outer.end, within, numbers)
        result += text[position:outer.start] + switched(outer, original, numbers[outer.mutant.id])
        position = outer.end
    return result + text[position:end]


def switched(place: Place, original: str, number: int) -> str:
    replacement = place.mutant.replacement
    if place.mutant.is_expression:
        return f"(mutantIsActive({number}) ? ({replacement}) : ({original}))"
    if not replacement:
        return f"if !mutantIsActive({number}) {{ {original} }}"
    return f"if mutantIsActive({number}) {{ {replacement} }} else {{ {original} }}"


class MutantPackage:
    """The copy, in a folder of its own. It is brought up to date rather than made anew, so that builds stay short."""

    def __init__(self, root: Path, folder: Path):
        self.root = root
        self.folder = folder
        self.log = folder.parent / "build.log"

    def update(self, places: list[Place], numbers: dict[str, int]):
        wanted: dict[Path, bytes] = {}
        for path in self.sources():
            wanted[path] = (self.root / path).read_bytes()
        for path in {place.path for place in places}:
            here = [place for place in places if place.path == path]
            wanted[path] = woven(wanted[path].decode(), here, numbers).encode()
        manifest = Path("Package.swift")
        wanted[manifest] += MANIFEST.encode()
        wanted[Path("Sources/CMutants/include/CMutants.h")] = HEADER.encode()
        wanted[Path("Sources/CMutants/CMutants.c")] = SWITCH.encode()
        for path in self.copied() - set(wanted):
            (self.folder / path).unlink()
        for path, content in wanted.items():
            copy = self.folder / path
            if copy.is_file() and copy.read_bytes() == content:
                continue
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes(content)
            shutil.copymode(self.root / path, copy) if (self.root / path).exists() else None

    def sources(self) -> set[Path]:
        """What the copy has of the package: all that git knows or would take, and the versions of other packages."""
        listed = subprocess.run(
            ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=self.root, check=True,
            capture_output=True).stdout.decode().split("\0")
        paths = {Path(path) for path in listed if path} | {Path("Package.resolved")}
        return {path for path in paths if (self.root / path).is_file() and not (self.root / path).is_symlink()}

    def copied(self) -> set[Path]:
        if not self.folder.is_dir():
            return set()
        paths = (path.relative_to(self.folder) for path in self.folder.rglob("*") if path.is_file())
        return {path for path in paths if not path.parts[0].startswith(".build") and path.name != "Package.resolved"}

    def build(self, jobs: int):
        command = ["swift", "build", "--build-tests", "--jobs", str(jobs)]
        done = subprocess.run(
            command, cwd=self.folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace")
        self.log.write_text(done.stdout, encoding="utf-8")
        if done.returncode != 0:
            raise BuildFailure(self.explained(done.stdout))

    def explained(self, output: str) -> str:
        lines = []
        for match in dict.fromkeys(re.findall(r"(?m)^(/\S+?):(\d+):\d+: error: (.*)$", output)):
            path, line, message = match
            text = Path(path).read_text(encoding="utf-8").splitlines()
            numbers = re.findall(r"mutantIsActive\((\d+)\)", "\n".join(text[max(0, int(line) - 3):int(line) + 2]))
            lines.append(f"{Path(path).name}:{line}: {message} (mutants {', '.join(numbers) or 'none'})")
        return "\n".join(lines or output.splitlines()[-40:]) + f"\nAll of it: {self.log}"

    def test_program(self) -> Path:
        found = sorted((self.folder / ".build" / "debug").glob("*.xctest"))
        if not found:
            raise BuildFailure(f"the build made no test program; all of its output: {self.log}")
        return found[0]
