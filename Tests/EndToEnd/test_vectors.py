"""The public evaluation vectors once more, from the outside: imported with `--keep-invalid`, evaluated over OFREP.

`../shared/vectors/README.md` says what a case is. None is skipped but those that the reference implementations dispute
among themselves, and the check of a type, which an OFREP request does not carry: such a case is a success with the
flag's own value.
"""

import json

import pytest

from server import REPOSITORY, FlagServer, quote, run_command, send

VECTORS = REPOSITORY / "../shared/vectors"


def read(name: str) -> dict:
    path = VECTORS / name
    if not path.exists():
        pytest.skip(f"{name} is not in {VECTORS.resolve()}")
    return json.loads(path.read_text())


def is_same(left, right) -> bool:
    """Whether two JSON values are equal when 1 equals 1.0; booleans are not numbers."""
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(is_same(left[key], right[key]) for key in left)
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(is_same, left, right))
    return left == right


def findings(case: dict, status: int, answer: dict, flags: dict) -> list[str]:
    """How an OFREP answer differs from what a case expects."""
    expected, found = dict(case["expect"]), []

    def expect(what, actual, wanted):
        if not is_same(actual, wanted):
            found.append(f"{what} is {actual!r}, not {wanted!r}")

    code = expected.get("errorCode")
    if code == "TYPE_MISMATCH":
        expect("status", status, 200)
        variants = flags[case["flagKey"]]["variants"]
        expect("value", answer.get("value"), variants.get(answer.get("variant")))
        return found
    actual_code = answer.get("errorCode")
    expect("status", status, {None: 200, "FLAG_NOT_FOUND": 404}.get(actual_code, 400))
    if "errorCode" in expected:
        expect("error code", actual_code, code)
    if actual_code and not answer.get("errorDetails"):
        found.append("errorDetails is missing")
    if "value" in expected:
        # After an error, and where there is no value, the caller's default applies.
        expect("value", answer.get("value", case["default"]), expected["value"])
    if "variant" in expected:
        expect("variant", answer.get("variant") or None, expected["variant"])
    if "reason" in expected:
        expect("reason", "ERROR" if actual_code else answer.get("reason"), expected["reason"])
    if "metadata" in expected:
        metadata, wanted = answer.get("metadata", {}), expected["metadata"]
        if "contains" in (case.get("metadataMatch"), expected.get("metadataMatch")):
            metadata = {key: value for key, value in metadata.items() if key in wanted}
        expect("metadata", metadata, wanted)
    return found


@pytest.mark.parametrize("name", ["flagd_testbed.json", "flagd_differential.json"])
@pytest.mark.parametrize("fractional", ["v2", "v3"])
def test_every_case_of_the_public_vectors_holds_over_ofrep(name, fractional, tmp_path, capsys):
    vectors = read(name)
    passed, wrong, disputed = 0, [], [0, 0]
    server = FlagServer(tmp_path / "data", env={"FLAG_SERVER_EVALUATION_FRACTIONAL": fractional})
    with server.start():
        connection = server.connect()
        for set_name, flag_set in vectors["flagSets"].items():
            path = tmp_path / f"{set_name}.json"
            path.write_text(json.dumps(flag_set))
            imported = run_command(
                "import", path, "--mode", "replace", "--keep-invalid", "--data-dir", server.data_dir)
            assert imported.returncode == 0, imported.stdout + imported.stderr
            for case in vectors["cases"]:
                if case["flagSet"] != set_name or case.get("fractional", fractional) != fractional:
                    continue
                status, _, answer = send(
                    connection, "POST", f"/ofrep/v1/evaluate/flags/{quote(case['flagKey'])}",
                    {"context": case["context"]})
                differences = findings(case, status, answer, flag_set["flags"])
                if case.get("disputed"):
                    disputed[bool(differences)] += 1
                elif differences:
                    wrong.append(f"{case['id']}: {'; '.join(differences)}")
                else:
                    passed += 1
        connection.close()
    with capsys.disabled():
        print(
            f"\n{name} over OFREP, fractional {fractional}: {passed} as expected; disputed ones: "
            f"{disputed[0]} as the majority, {disputed[1]} otherwise")
    assert not wrong, "\n".join(wrong)
    assert passed > 250
