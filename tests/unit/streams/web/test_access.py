"""Tests of who may ask: any token that is set, as Bearer or Basic, whatever it is made of."""

import base64

import pytest
from pydantic import SecretStr

from settings.web import WebToken
from streams.web.access import ANYBODY, STRANGER, Caller, caller, own_authorization

ODD = (" spaces ", "s\u00e9cret\u2713", "new\nline", "a:b:c", "\udc80no text")


def token(secret, name="one", may_act=True):
    return WebToken(name, may_act, SecretStr(secret))


@pytest.mark.parametrize("secret", ODD)
def test_a_token_of_any_characters_is_sent_and_known(secret):
    header = own_authorization([token(secret)])
    assert header.isascii()
    assert caller(header, [token("other", "two"), token(secret)]) == Caller("one", True, True)


def test_each_token_has_its_name_and_its_right():
    tokens = [token("r", "reader", False), token("a", "actor")]
    assert caller("Bearer r", tokens) == Caller("reader", False, True)
    assert caller("Bearer a", tokens) == Caller("actor", True, True)
    assert caller("Basic " + base64.b64encode(b"x:a\n").decode(), tokens) == Caller("actor", True, True)


@pytest.mark.parametrize("header", ["", "Bearer ", "Bearer x", "Basic !!", "Digest a", "Basic eA=="])
def test_who_shows_no_token_is_a_stranger_where_one_is_asked_for(header):
    assert caller(header, [token("a")]) == STRANGER
    assert caller(header, []) == ANYBODY


def test_a_worker_asks_with_the_token_that_may_most():
    assert caller(own_authorization([token("r", "r", False), token("a", "a")]), [token("a", "a")]).may_act
    assert own_authorization([token("r", "r", False)]) is not None
    assert own_authorization([]) is None
