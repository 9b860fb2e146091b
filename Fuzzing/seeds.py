"""Writes what fuzzing begins with: the public vectors where they are there, and a few texts of its own.

    python3 Fuzzing/seeds.py FOLDER     writes FOLDER/json/*, FOLDER/rules/* and FOLDER/words
"""

import base64
import json
import sys
from pathlib import Path

VECTORS = Path(__file__).resolve().parents[2] / "shared" / "vectors"

OPERATORS = [
    "var", "missing", "missing_some", "if", "?:", "and", "or", "!", "!!", "==", "!=", "===", "!==", "<", "<=", ">", ">=",
    "+", "-", "*", "/", "%", "min", "max", "cat", "substr", "in", "merge", "map", "filter", "reduce", "all", "some",
    "none", "log", "starts_with", "ends_with", "sem_ver", "fractional", "$flagd.timestamp", "targetingKey",
]
JSON = ['{"a":[1,-0.5e-7,true,null,"\\u00e9\\ud83d\\ude00"]}', "[]", "18446744073709551616", '"\\n"', "1e400"]
CONTEXT = {"targetingKey": "user-1", "email": "ada@example.com", "version": "1.2.3", "tags": ["a", "b"], "age": 42}
RULES = [
    {"if": [{"ends_with": [{"var": "email"}, "@example.com"]}, "on", None]},
    {"fractional": [["on", 25], ["off", 75]]},
    {"if": [{"sem_ver": [{"var": "version"}, ">=", "1.2.0"]}, "on", "off"]},
    {"if": [{"all": [{"var": "tags"}, {"in": [{"var": ""}, ["a", "b", "c", "d", "e", "f"]]}]}, "on", "off"]},
    {"reduce": [{"var": "tags"}, {"cat": [{"var": "accumulator"}, {"var": "current"}]}, ""]},
]


def read(name: str) -> dict:
    path = VECTORS / name
    return json.loads(path.read_text()) if path.exists() else {}


def main():
    folder = Path(sys.argv[1])
    texts = [text.encode() for text in JSON]
    texts += [base64.b64decode(text) for text in read("json_parsing.json").get("files", {}).values()
              if isinstance(text, str)]
    rules = [(rule, CONTEXT) for rule in RULES]
    rules += [(test[0], test[1]) for test in read("jsonlogic_tests.json").get("tests", []) if len(test) == 3]
    for name in ("flagd_testbed.json", "flagd_differential.json"):
        for flag_set in read(name).get("flagSets", {}).values():
            rules += [(flag["targeting"], CONTEXT) for flag in flag_set["flags"].values() if flag.get("targeting")]
    write(folder / "json", texts)
    write(folder / "rules", [json.dumps(rule).encode() + b"\n" + json.dumps(data).encode() for rule, data in rules])
    words = ["".join(f"\\x{byte:02x}" for byte in f'"{operator}"'.encode()) for operator in OPERATORS]
    (folder / "words").write_text("".join(f'"{word}"\n' for word in words))


def write(folder: Path, texts: list[bytes]):
    folder.mkdir(parents=True, exist_ok=True)
    for index, text in enumerate(texts):
        if len(text) <= 4096:
            (folder / f"seed-{index:04d}").write_bytes(text)


if __name__ == "__main__":
    main()
