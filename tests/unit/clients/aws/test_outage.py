"""Tests of an outage that is waited out: every reason is told, and that it is over."""

import pytest

from clients.aws.outage import outlast


@pytest.fixture
def attempts():
    """Makes what raises so many errors before it gives a result."""

    def made(*answers):
        left = list(answers)

        async def attempt():
            answer = left.pop(0)
            if isinstance(answer, Exception):
                raise answer
            return answer

        return attempt

    return made


async def test_what_works_at_once_tells_nothing(attempts):
    told = []
    assert await outlast(attempts("client"), (OSError,), told.append) == "client"
    assert told == []


async def test_each_reason_is_told_and_that_it_is_over(attempts):
    told = []
    attempt = attempts(OSError("no route"), OSError("no right"), "client")
    found = await outlast(attempt, (OSError,), told.append, words=lambda error: f"S3: {error}", chance=lambda: 0.0)
    assert (found, told) == ("client", ["S3: no route", "S3: no right", None])


async def test_another_error_is_not_waited_out(attempts):
    with pytest.raises(KeyError):
        await outlast(attempts(KeyError("bug"), "client"), (OSError,), lambda _: None)
