"""Tests of what a refusal means, and of the share above which refusals are too many."""

import pytest

from processors.delivery.refusals import (
    ACCESS,
    CREDENTIALS,
    MISSING,
    QUIET_S,
    RefusalLimits,
    RefusalWindow,
    base_code,
    concerns_the_caller,
    remedy,
)
from processors.delivery.retry import PERMANENT


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("ExpiredTokenException", "renew"),
        ("ExpiredToken", "renew"),
        ("UnrecognizedClientException", "access key"),
        ("InvalidClientTokenId", "access key"),
        ("InvalidSignatureException", "AWS_SECRET_ACCESS_KEY"),
        ("SignatureDoesNotMatch", "clock"),
        ("RequestExpired", "clock"),
        ("AccessDeniedException", "allow x:Do"),
        ("AccessDenied", "allow x:Do"),
        ("ResourceNotFoundException", "make it"),
        ("AWS.SimpleQueueService.NonExistentQueue", "make it"),
        ("ThrottlingException", "by itself"),
        ("RequestThrottled", "by itself"),
        ("ServiceUnavailable", "AWS's health"),
        ("InternalFailure", "by itself"),
        ("ValidationException", "names"),
        ("NeverHeardOf", "look the code up"),
    ],
)
def test_each_code_has_its_remedy(code, words):
    assert words in remedy(code, "x:Do", "make it")


@pytest.mark.parametrize("code", sorted([*CREDENTIALS, *ACCESS, *MISSING]))
def test_what_concerns_the_caller(code):
    assert concerns_the_caller(code)
    assert concerns_the_caller(f"{code.removesuffix('Exception')}Exception")


@pytest.mark.parametrize(
    "code", ["MalformedDetail", "NotAuthorizedForSourceException", "ValidationException", "ThrottlingException", ""]
)
def test_what_does_not(code):
    assert not concerns_the_caller(code)


def test_no_code_about_credentials_fails_an_entry():
    assert not {base_code(code) for code in PERMANENT} & CREDENTIALS.keys()


def window(share=0.5, least=10):
    return RefusalWindow(RefusalLimits(share, least, 60.0))


def test_more_than_the_share_of_enough_entries_is_a_flood():
    one = window()
    for _ in range(5):
        one.accepted(0.0)
        one.refused(0.0, "B")
    assert one.flood(1.0) is None
    one.refused(1.0, "A")
    assert one.flood(1.0) == "6 of 11 entries were refused within 60 s, mostly with B"


def test_few_entries_say_nothing():
    one = window()
    for _ in range(9):
        one.refused(0.0, "B")
    assert one.flood(0.0) is None


def test_what_is_older_than_the_window_is_forgotten():
    one = window()
    for _ in range(20):
        one.refused(0.0, "B")
    assert one.flood(59.0)
    assert one.flood(60.0) is None
    one.refused(61.0, "B")
    assert one.flood(61.0) is None


def test_a_share_of_one_turns_it_off():
    one = window(share=1.0)
    for _ in range(20):
        one.refused(0.0, "B")
    assert one.flood(0.0) is None


def test_an_operator_s_word_stands_until_the_share_has_fallen_or_for_ten_minutes():
    one = window()
    one.resume(0.0)
    for now in range(0, 40):
        one.refused(now, "B")
        assert one.flood(now) is None
    for _ in range(10):
        one.refused(QUIET_S + 1, "B")
    assert one.flood(QUIET_S + 1)
    one.resume(1_000.0)
    for _ in range(10):
        one.accepted(1_000.0)
    assert one.flood(1_000.0) is None
    assert not one.is_quiet(1_000.0)
