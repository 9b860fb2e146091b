"""Results: a table a case, and its goals."""

import dataclasses


@dataclasses.dataclass
class Goal:
    """A figure with the bound that it should keep."""

    name: str
    value: float
    bound: float
    unit: str
    at_most: bool = True

    @property
    def reached(self) -> bool:
        return self.value <= self.bound if self.at_most else self.value >= self.bound

    def row(self) -> list[str]:
        measured = f"{figure(self.value)} {self.unit}".strip()
        bound = f"{'≤' if self.at_most else '≥'} {self.bound:,g} {self.unit}".strip()
        return [self.name, measured, bound, "reached" if self.reached else "MISSED"]


@dataclasses.dataclass
class Report:
    """What a case found out."""

    title: str
    columns: list[str]
    rows: list[list]
    goals: list[Goal]
    note: str = ""

    def text(self) -> str:
        parts = [self.title, "", table(self.columns, [[cell(value) for value in row] for row in self.rows])]
        if self.goals:
            parts += ["", table(["goal", "measured", "bound", ""], [goal.row() for goal in self.goals])]
        if self.note:
            parts += ["", self.note]
        return "\n".join(parts)

    def data(self) -> dict:
        """The same for programs."""
        return {
            "title": self.title,
            "rows": [dict(zip(self.columns, row)) for row in self.rows],
            "goals": [{**dataclasses.asdict(goal), "reached": goal.reached} for goal in self.goals],
            "note": self.note,
        }


def figure(value: float) -> str:
    """A number with as many digits as say something."""
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.2f}" if value < 10 else f"{value:.1f}"


def cell(value) -> str:
    return value if isinstance(value, str) else "–" if value is None else figure(value)


def table(columns: list[str], rows: list[list[str]]) -> str:
    """Markdown, with the columns lined up so that it reads well in a terminal too. Figures stand to the right."""
    widths = [max(len(column), *(len(row[index]) for row in rows)) for index, column in enumerate(columns)]

    def line(cells):
        padded = (text.ljust(width) if index == 0 else text.rjust(width)
                  for index, (text, width) in enumerate(zip(cells, widths)))
        return "| " + " | ".join(padded) + " |"

    rule = "|" + "|".join("-" * (width + 2) if index == 0 else "-" * (width + 1) + ":"
                          for index, width in enumerate(widths)) + "|"
    return "\n".join([line(columns), rule, *map(line, rows)])
