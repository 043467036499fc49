"""This module tests what views are asked for, and the one shape in which they refuse."""

import orjson
import pytest
from aiohttp.test_utils import make_mocked_request
from faust.web import View

from streams.app import app
from streams.views.common.answers import RefusedError, asked_period, period_or, refusing, rows_wanted
from streams.views.common.table_owner import UnavailableError


async def answer_to(error):
    class Refusing(View):
        async def get(self, request):
            raise error

    return await Refusing(app, app.web).dispatch(make_mocked_request("GET", "/"))


async def test_a_refusal_says_its_kind_and_what_to_do():
    answer = await answer_to(RefusedError("bad request", "give id", 400))
    assert (answer.status, orjson.loads(answer.body)) == (400, {"error": "bad request", "message": "give id"})


async def test_who_cannot_be_answered_yet_is_told_when_to_ask_again():
    answer = await answer_to(UnavailableError("the tables are being recovered"))
    assert (answer.status, answer.headers["Retry-After"]) == (503, "2")
    assert orjson.loads(answer.body) == {"error": "unavailable", "message": "the tables are being recovered"}


def test_only_the_errors_that_are_named_are_refusals():
    with pytest.raises(RefusedError, match="wrong") as refusal, refusing("busy", 409, ValueError):
        raise ValueError("wrong")
    assert (refusal.value.kind, refusal.value.code) == ("busy", 409)
    with pytest.raises(KeyError), refusing("busy", 409, ValueError):
        raise KeyError


def test_a_time_that_is_none_is_refused_and_one_that_is_missing_is_the_usual_one():
    with pytest.raises(RefusedError, match="give either range, or from and to"):
        asked_period({"range": "1h", "from": "2h"})
    assert asked_period({}) is None
    usual = period_or({}, "1h")
    assert usual.until - usual.since == 3_600_001


@pytest.mark.parametrize("text", ["0", "", "-1", "1.5", "٣", "9" * 5_000])
def test_a_limit_is_a_positive_number_of_few_digits(text):
    with pytest.raises(RefusedError, match="limit must be a positive number"):
        rows_wanted({"limit": text}, 60)


def test_a_limit_is_the_usual_one_unless_it_is_given_and_no_more_than_most():
    assert [rows_wanted({}, 60), rows_wanted({"limit": "7"}, 60), rows_wanted({"limit": "9"}, 1, 9)] == [60, 7, 9]
    with pytest.raises(RefusedError, match="limit must be a number from 1 to 9"):
        rows_wanted({"limit": "10"}, 1, 9)
