"""A `flag-server dynamodb` process under test, and the clients that talk to it."""

import http.client
import json
import os
import signal
import subprocess
import time
from pathlib import Path

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from server import START_DEADLINE, STOP_DEADLINE, DidNotStart, binary, clean_environment, free_port

THINGS = {
    "TableName": "things",
    "KeySchema": [
        {"AttributeName": "pk", "KeyType": "HASH"},
        {"AttributeName": "sk", "KeyType": "RANGE"},
    ],
    "AttributeDefinitions": [
        {"AttributeName": "pk", "AttributeType": "S"},
        {"AttributeName": "sk", "AttributeType": "N"},
        {"AttributeName": "group", "AttributeType": "S"},
    ],
    "GlobalSecondaryIndexes": [
        {
            "IndexName": "by-group",
            "KeySchema": [
                {"AttributeName": "group", "KeyType": "HASH"},
                {"AttributeName": "sk", "KeyType": "RANGE"},
            ],
            "Projection": {"ProjectionType": "INCLUDE", "NonKeyAttributes": ["note"]},
        }
    ],
    "BillingMode": "PAY_PER_REQUEST",
}
"""The table that most tests use."""


def client_for(port: int, service: str = "dynamodb", region: str = "us-east-1"):
    """A boto3 client that tries everything once, so that no test passes by repetition."""
    return boto3.client(
        service, endpoint_url=f"http://127.0.0.1:{port}", region_name=region, aws_access_key_id="any",
        aws_secret_access_key="any", config=Config(retries={"max_attempts": 0}, max_pool_connections=64))


class TableServer:
    """`flag-server dynamodb` on a port and a data directory of its own."""

    def __init__(self, data_dir, *options):
        self.data_dir = Path(data_dir)
        self.port = free_port()
        self.options = [str(option) for option in options]
        self.log_path = self.data_dir.parent / f"{self.data_dir.name}-tables-{self.port}.log"
        self.process: subprocess.Popen | None = None
        self.client = client_for(self.port)

    def start(self) -> "TableServer":
        """Starts the process and returns once it answers."""
        command = [
            binary(), "dynamodb", "--port", str(self.port), "--data-dir", str(self.data_dir), *self.options,
        ]
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(
                command, stdout=log, stderr=log, cwd=self.data_dir.parent, env=clean_environment())
        deadline = time.monotonic() + START_DEADLINE
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                raise DidNotStart(f"exit status {self.process.returncode}\n{self.log_path.read_text()}")
            try:
                self.post("ListTables", {})
                return self
            except OSError:
                time.sleep(0.002)
        self.kill()
        raise DidNotStart(f"not ready within {START_DEADLINE:.0f} s\n{self.log_path.read_text()}")

    def post(self, operation: str, body, headers: dict | None = None, connection=None):
        """One request as bytes on the wire: `(status, headers, body)`."""
        own = connection or http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        own.request("POST", "/", body=data, headers={
            "Content-Type": "application/x-amz-json-1.0", "X-Amz-Target": f"DynamoDB_20120810.{operation}",
            **(headers or {})})
        response = own.getresponse()
        content = response.read()
        if connection is None:
            own.close()
        return response.status, response.headers, content

    def terminate(self) -> int:
        """Sends SIGTERM and returns the exit status."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self.process.wait(STOP_DEADLINE)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.kill()

    def kill(self):
        """Ends the process as a crash would."""
        if self.process and self.process.poll() is None:
            os.kill(self.process.pid, signal.SIGKILL)
            self.process.wait(STOP_DEADLINE)


def refusal(call, *arguments, **parameters) -> tuple[str, str]:
    """The code and message of the error that a call is answered with."""
    try:
        call(*arguments, **parameters)
    except ClientError as error:
        return error.response["Error"]["Code"], error.response["Error"]["Message"]
    raise AssertionError("the call succeeded")
