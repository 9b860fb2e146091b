"""The server against its own description: schemathesis makes requests up from `/openapi.json` and reads the answers."""

import subprocess
import sys
from pathlib import Path

from server import REPOSITORY

CHECKS = [
    "not_a_server_error", "status_code_conformance", "content_type_conformance", "response_headers_conformance",
    "response_schema_conformance", "negative_data_rejection", "missing_required_header", "allow_header_conformance",
]
"""Not `positive_data_acceptance`: a schema cannot say all that is asked of a body, that two members agree for example.
Not `unsupported_method`, which takes 405 only where 501 is right. Not `use_after_free`, which takes what was deleted in
one environment for gone in all of them."""


def test_no_server_error_and_no_answer_that_is_not_described(start_server, tmp_path):
    server = start_server("--store", "memory", "--sample-flags", REPOSITORY / "config" / "sample-flags.json")
    ran = subprocess.run(
        [Path(sys.executable).parent / "schemathesis", "--config-file", Path(__file__).parent / "schemathesis.toml",
         "run", f"{server.origin}/openapi.json", "--checks", ",".join(CHECKS), "--seed", "1", "--max-examples", "12",
         "--continue-on-failure", "--warnings", "off"],
        capture_output=True, text=True, timeout=180, cwd=tmp_path)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    paths = server.expect(200, "GET", "/openapi.json")["paths"].values()
    operations = sum(name != "parameters" for path in paths for name in path)
    assert f"Tested: {operations - 1}\n" in ran.stdout, "all but the description itself\n" + ran.stdout
    assert server.expect(200, "GET", "/health/ready")["status"] == "ok"
