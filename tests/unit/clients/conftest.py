"""Fixtures of the AWS clients' tests: a client that answers by script, and errors as botocore raises them."""

import pytest
from botocore.exceptions import ClientError


class ScriptedClient:
    """Every operation answers with the next of `answers` (called, if a function); `calls` remembers it."""

    def __init__(self):
        self.answers = []
        self.calls = []

    def __getattr__(self, operation):
        async def call(**arguments):
            self.calls.append((operation, arguments))
            answer = self.answers.pop(0)
            if isinstance(answer, Exception):
                raise answer
            return answer(arguments) if callable(answer) else answer

        return call


@pytest.fixture
def client():
    return ScriptedClient()


@pytest.fixture
def refusal():
    """Make a ClientError of a code and an HTTP status."""

    def make(code, status=400, message="no"):
        response = {
            "Error": {"Code": code, "Message": message},
            "ResponseMetadata": {"HTTPStatusCode": status},
        }
        return ClientError(response, "Operation")

    return make
