"""What was found of the mutants, as a table and as JSON."""

import json
from collections import Counter

from mutant_runs import Result
from mutant_set import Place

NOTICED = {"killed", "crashed", "hung"}

Found = list[tuple[Place, Result | None]]


def outcome(place: Place, result: Result | None) -> str:
    if place.mutant.equivalent:
        return "equivalent"
    return result.outcome if result else "not run"


def is_fine(place: Place, result: Result | None) -> bool:
    return outcome(place, result) in NOTICED | {"equivalent"}


def score(outcomes: Counter) -> str:
    """How many of those that ran were noticed, of a hundred."""
    noticed = sum(outcomes[name] for name in NOTICED)
    ran = noticed + outcomes["survived"]
    return f"{100 * noticed / ran:.0f} %" if ran else "-"


def by_target(results: Found) -> dict[str, Counter]:
    targets: dict[str, Counter] = {}
    for place, result in results:
        targets.setdefault(place.target, Counter())[outcome(place, result)] += 1
    return dict(sorted(targets.items()))


def as_table(results: Found) -> str:
    columns = ["killed", "crashed", "hung", "survived", "equivalent", "not run"]
    rows = [["target", "mutants", *columns, "score"]]
    total: Counter = Counter()
    for target, outcomes in by_target(results).items():
        rows.append([target, *numbers(outcomes, columns)])
        total += outcomes
    rows.append(["all", *numbers(total, columns)])
    lines = aligned([[place.target, place.mutant.id, outcome(place, result), time_of(result), by(place, result)]
                     for place, result in sorted(results, key=lambda found: (found[0].target, found[0].mutant.id))
                     if outcome(place, result) != "not run"])
    survivors = [f"  {place.mutant.id}: {place.path}, {' '.join(place.mutant.original.split())} -> "
                 f"{' '.join(place.mutant.replacement.split()) or 'nothing'}"
                 for place, result in results if outcome(place, result) == "survived"]
    parts = ["\n".join(lines), "\n".join(aligned(rows))]
    if survivors:
        parts.append("Not noticed by any test:\n" + "\n".join(survivors))
    return "\n\n".join(parts)


def numbers(outcomes: Counter, columns: list[str]) -> list[str]:
    return [str(outcomes.total()), *(str(outcomes[column]) for column in columns), score(outcomes)]


def time_of(result: Result | None) -> str:
    return f"{result.seconds:.1f} s" if result else ""


def by(place: Place, result: Result | None) -> str:
    return place.mutant.equivalent or (result.by if result else "")


def aligned(rows: list[list[str]]) -> list[str]:
    if not rows:
        return []
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in rows]


def as_json(results: Found) -> str:
    return json.dumps({
        "mutants": [{
            "id": place.mutant.id, "target": place.target, "file": str(place.path),
            "outcome": outcome(place, result), "seconds": result.seconds if result else None,
            "by": by(place, result),
        } for place, result in results],
        "targets": {
            target: {**outcomes, "score": score(outcomes)} for target, outcomes in by_target(results).items()},
    }, indent=2)
