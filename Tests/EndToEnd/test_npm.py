"""`cd packages/api; NODE_ENV=local npm run dev` starts the server, for whoever has it in their fingers."""

import json
import os
import shutil
import subprocess

import pytest

from server import REPOSITORY

PACKAGE = REPOSITORY / "packages" / "api" / "package.json"


@pytest.mark.parametrize("variable, profile", [("local", "local"), ("dev", "dev"), (None, "local")])
def test_npm_run_dev_is_scripts_run_with_the_profile(variable, profile, tmp_path):
    folder = tmp_path / "packages" / "api"
    folder.mkdir(parents=True)
    shutil.copy(PACKAGE, folder)
    (tmp_path / "scripts").mkdir()
    # In the place of the script, which would build the server.
    stand_in = tmp_path / "scripts" / "run"
    stand_in.write_text('#!/bin/sh\necho "$@"\n')
    stand_in.chmod(0o755)
    command = ["npm", "run", "--silent", "dev", "--", "--port", "4000"]
    if not shutil.which("npm"):
        script = json.loads(PACKAGE.read_text())["scripts"]["dev"]
        command = ["sh", "-c", f'{script} "$@"', "sh", "--port", "4000"]
    environment = {name: value for name, value in os.environ.items() if name != "NODE_ENV"}
    if variable:
        environment["NODE_ENV"] = variable
    ran = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=60)
    assert ran.stdout.strip() == f"--environment {profile} --port 4000", ran.stderr


def test_the_script_that_it_runs_is_there():
    assert os.access(PACKAGE.parent / "../../scripts/run", os.X_OK)
