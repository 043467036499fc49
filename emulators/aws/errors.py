"""This module is the error an emulated AWS service answers with, whatever protocol it was asked by."""

from __future__ import annotations


class AWSError(Exception):
    """One refusal.

    `code` is the shape name that JSON clients see. `query_code` is what query clients see, and JSON
    clients of services that once spoke query (the `x-amzn-query-error` header); without it both see `code`.
    `sender` says whose fault it is. `bare` answers with the status alone, as AWS front ends do for 413.
    """

    def __init__(
        self,
        code: str,
        message: str,
        *,
        status: int = 400,
        query_code: str | None = None,
        sender: bool = True,
        bare: bool = False,
    ) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.status = status
        self.query_code = query_code
        self.sender = sender
        self.bare = bare


def validation(message: str) -> AWSError:
    """A request that breaks a constraint of the model."""
    return AWSError("ValidationException", message)


def serialization(message: str) -> AWSError:
    """A request whose JSON does not have the types of the model."""
    return AWSError("SerializationException", message)


def invalid_value(message: str) -> AWSError:
    """A value that SQS or CloudWatch does not take."""
    return AWSError("InvalidParameterValueException", message, query_code="InvalidParameterValue")


def missing_parameter(message: str) -> AWSError:
    """A parameter that SQS or CloudWatch cannot do without."""
    return AWSError("MissingRequiredParameterException", message, query_code="MissingParameter")


def unknown_operation(operation: str) -> AWSError:
    """An operation this emulator, or AWS, does not have."""
    return AWSError(
        "UnknownOperationException",
        f"The action {operation} is not one of this emulator.",
        query_code="InvalidAction",
    )


def too_large() -> AWSError:
    """The front ends of AWS close the connection with an empty 413 (boto3 issue 3411)."""
    return AWSError("RequestEntityTooLarge", "", status=413, bare=True)
