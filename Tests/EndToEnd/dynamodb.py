"""The DynamoDB port of a server under test: boto3's client, the `aws` command, and what operators type."""

import os
import sys
from pathlib import Path

import boto3
from botocore.config import Config

from server import clean_environment

CREDENTIALS = {"AWS_ACCESS_KEY_ID": "local", "AWS_SECRET_ACCESS_KEY": "local", "AWS_DEFAULT_REGION": "us-east-1"}
"""Any will do: with `--auth off` signatures are not looked at."""

TOOLS = Path(sys.executable).parent
"""Where the test's own `aws` is."""


def client(port: int):
    """A client that tries nothing twice, so that a failure shows."""
    return boto3.client(
        "dynamodb", endpoint_url=f"http://127.0.0.1:{port}", region_name="us-east-1", aws_access_key_id="local",
        aws_secret_access_key="local", config=Config(retries={"total_max_attempts": 1}))


def environment(port: int) -> dict:
    """What has to be set for `aws dynamodb …` to go to a port of this machine."""
    kept = {name: value for name, value in clean_environment().items() if not name.startswith("AWS_")}
    return kept | CREDENTIALS | {
        "AWS_ENDPOINT_URL_DYNAMODB": f"http://127.0.0.1:{port}", "AWS_PAGER": "", "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull, "PATH": f"{TOOLS}:{kept['PATH']}"}


def typed_flag(key: str, environment: str = "staging", **attributes) -> dict:
    """The item that an operator types for a flag: what it means, and none of what follows from that."""
    item = {
        "PK": {"S": f"FLAG#{environment}#{key}"}, "SK": {"S": "METADATA"}, "flagKey": {"S": key},
        "description": {"S": f"Flag {key}"}, "defaultEnabled": {"BOOL": True}, "owner": {"S": "platform-team"},
        "createdAt": {"S": "2026-01-02T03:04:05Z"},
    }
    return {name: value for name, value in (item | attributes).items() if value is not None}
