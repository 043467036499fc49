"""This module asks AWS: an end to every call, and whose answer it was.

What answers is not always AWS. A proxy's page has no error code of AWS, and a parser may raise anything over it; a
library may wait for ever for a proxy that fell silent; and what gives the credentials may fail while a request is
signed. None of them is a refusal of what was asked: they become one error, NoAnswerError, whose text says who it was.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, TypeVar

from botocore.exceptions import BotoCoreError, ClientError, ParamValidationError
from botocore.parsers import ResponseParserError

from clients.aws.answer_shapes import check_answer, unpacked
from processors.delivery.refusals import CREDENTIALS, base_code

T = TypeVar("T")

#: Seconds beyond a read time-out that a call gets.
SLACK_S = 1.0

#: Bytes that EventBridge and SQS have taken ever since: a 413 for fewer is another one's answer.
ALWAYS_TAKEN = 250_000

#: Headers by which a proxy tells what it is.
_WHO = ("server", "via", "x-cache", "proxy-authenticate")


class NoAnswerError(Exception):
    """AWS did not answer; the text says what happened instead, in words for an operator."""


class NoCredentialsGivenError(NoAnswerError):
    """What gives the credentials does not just now: a process, an endpoint, a login."""


class AwsConfigurationError(Exception):
    """AWS cannot be called as things are set; the text names the remedy."""


#: Everything that a call of a BoundedClient can raise.
AWS_ERRORS = (BotoCoreError, ClientError, NoAnswerError)

#: What opening one can raise; once one could be opened, either passes: a setting that is wrong by now was right then.
NOT_OPENED = (AwsConfigurationError, NoAnswerError)

#: Both.
CLIENT_ERRORS = (*AWS_ERRORS, AwsConfigurationError)


@dataclass(slots=True)
class _Course:
    """How far a call has come: whether its request was sent, and the status and headers that came back."""

    sent: bool = False
    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


_course: ContextVar[_Course | None] = ContextVar("course", default=None)


class BoundedClient:
    """An aioboto3 client each of whose calls ends within `seconds`, and raises AWS_ERRORS alone."""

    def __init__(self, client: Any, seconds: float) -> None:
        self._client = client
        self._seconds = seconds
        self.exceptions = client.exceptions
        self.endpoint_url = client.meta.endpoint_url
        client.meta.events.register("before-send", note_sent)
        client.meta.events.register("before-parse", note_answer)
        client.meta.events.register("before-parse", _read_first)

    def __getattr__(self, operation: str) -> Callable[..., Awaitable[Any]]:
        method = getattr(self._client, operation)

        async def call(**parameters: Any) -> Any:
            return await ask(method(**parameters), self._seconds)

        return call


async def ask(call: Awaitable[T], seconds: float) -> T:
    """The answer to one call. Raises AWS_ERRORS; ClientError only for what AWS itself refused, by a code of its own."""
    course = _Course()
    token = _course.set(course)
    try:
        async with asyncio.timeout(seconds):
            return await call
    except ClientError as error:
        if is_of_aws(error):
            raise
        metadata = error.response.get("ResponseMetadata", {})
        raise NoAnswerError(_page(metadata.get("HTTPStatusCode"), metadata.get("HTTPHeaders") or {})) from error
    except BotoCoreError:
        raise
    except TimeoutError:
        if course.sent:
            raise NoAnswerError(f"no answer within {seconds:g} s") from None
        raise NoCredentialsGivenError(f"no AWS credentials within {seconds:g} s") from None
    except Exception as error:  # of any kind: botocore wraps neither its parsers' errors nor those of credentials
        raise _what_was_raised(course, error) from error
    finally:
        _course.reset(token)


def is_of_aws(error: ClientError) -> bool:
    """Whether the refusal has an error code of AWS: without one botocore shows the HTTP status in its place.

    An empty 413 is one as well: AWS's front ends answer so to what is too large for them.
    """
    metadata = error.response.get("ResponseMetadata", {})
    code = str(error.response.get("Error", {}).get("Code") or "")
    headers = metadata.get("HTTPHeaders") or {}
    return (bool(code) and not code.isdecimal()) or "x-amzn-errortype" in headers or code == "413"


def error_code(error: Exception) -> str:
    """The code AWS answered, without prefix and suffix of its wording, or the name of what kept it from answering."""
    if isinstance(error, ClientError):
        headers = error.response.get("ResponseMetadata", {}).get("HTTPHeaders") or {}
        code = str(error.response.get("Error", {}).get("Code") or "")
        if not code or code.isdecimal():
            code = str(headers.get("x-amzn-errortype") or code).partition(":")[0]
        return code or "Unknown"
    return type(error).__name__


def http_status(error: Exception) -> int | None:
    """HTTP status of the answer; None when there was none."""
    if isinstance(error, ClientError):
        found = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode")
        return int(found) if found else None
    return None


def reason(error: Exception) -> str:
    """What happened, in one line for an operator."""
    if isinstance(error, ClientError):
        message = str(error.response.get("Error", {}).get("Message") or "")
        return _line(f"AWS answered {error_code(error)}" + (f": {message}" if message else ""))
    if isinstance(error, NoAnswerError | AwsConfigurationError):
        return _line(str(error))
    return _line(f"{type(error).__name__}: {error}")


def is_unanswered(error: Exception) -> bool:
    """Whether AWS did not answer, or answered only that it does not know the caller any more.

    No event is to blame for either, and both end by themselves or by an operator's hand.
    """
    if isinstance(error, ClientError):
        return base_code(error_code(error)) in CREDENTIALS
    return not isinstance(error, ParamValidationError)  # the SDK's own look at what was asked


def note_sent(**_: Any) -> None:
    """The request of the call at hand is signed and goes out; also a handler of botocore's events."""
    if (course := _course.get()) is not None:
        course.sent = True


def note_answer(response_dict: Mapping[str, Any], **_: Any) -> None:
    """An answer with `status_code` and `headers` came; also a handler of botocore's events."""
    if (course := _course.get()) is not None:
        course.status, course.headers = response_dict.get("status_code"), response_dict.get("headers") or {}


def _read_first(operation_model: Any, response_dict: dict[str, Any], **_: Any) -> None:
    """A handler of botocore's events. Raises ResponseParserError for what the service did not say."""
    status, headers = response_dict["status_code"], response_dict["headers"]
    response_dict["body"] = unpacked(headers, response_dict["body"])
    check_answer(operation_model, status, headers, response_dict["body"])


def _what_was_raised(course: _Course, error: Exception) -> NoAnswerError:
    if isinstance(error, ResponseParserError) or course.status is not None:
        return NoAnswerError(_page(course.status, course.headers))
    if course.sent:
        return NoAnswerError(_line(f"the connection broke: {type(error).__name__}: {error}"))
    words = f"no AWS credentials: what gives them failed ({type(error).__name__}: {error})"
    return NoCredentialsGivenError(_line(words))


def _page(status: int | None, headers: Mapping[str, str]) -> str:
    lower = {str(name).lower(): str(value) for name, value in headers.items()}
    who = ", ".join(f"{name}: {lower[name]}" for name in _WHO if lower.get(name))
    return _line(
        f"an answer with status {status} that is not from AWS"
        + (f" ({who})" if who else "")
        + ": look at the proxy between here and AWS, or AWS_ENDPOINT_URL"
    )


def _line(text: str) -> str:
    return " ".join(text.split())[:300]
