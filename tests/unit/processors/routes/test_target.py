"""Tests of where a route's events go: `[target]` and `[offload]` of a route.toml, and the claim check."""

import hashlib
import tomllib
from dataclasses import replace
from pathlib import Path

import orjson
import pytest

from processors.event.errors import RouteError
from processors.event.identity import identify
from processors.routes.outcome import Failed, Mapped
from processors.routes.route import compile_route
from processors.routes.target import Offload, Target, read_offload, read_target, targets_of
from streams.routes.folder import read_routes
from streams.routes.sandbox import protocol

ROLE = "arn:aws:iam::222222222222:role/events"
SHIPPED = {texts.name: texts for texts in read_routes(Path("schemas"))}


def test_a_route_without_tables_goes_to_our_bus_as_it_is():
    assert read_target({}) is None
    assert read_offload({}) is None


def test_a_target_is_read():
    text = f'event-bus = "b"\n[target]\nrole = "{ROLE}"\nexternal-id = "x"\nregion = "eu-west-1"\nendpoint-id = "e.veo"'
    assert read_target(tomllib.loads(text)) == Target(ROLE, "x", "eu-west-1", "e.veo")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (f'[target]\nrole = "{ROLE}"', "name it too"),
        ('event-bus = "b"\n[target]\nrole = "events"', "target.role must be the ARN"),
        ('event-bus = "b"\n[target]\nexternal-id = "x"', "target.external-id is for a role"),
        ('event-bus = "b"\n[target]\nrole = 1', "target.role must be text"),
        ('event-bus = "b"\n[target]\nrol = "x"', "unknown key target.rol"),
        ('target = "x"', r"target is a table: \[target\]"),
    ],
)
def test_a_target_that_is_written_wrong_names_the_key(text, words):
    with pytest.raises(ValueError, match=words):
        read_target(tomllib.loads(text))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[offload]", "offload.bucket"),
        ('[offload]\nbucket = "Big Bucket"', "offload.bucket"),
        ('[offload]\nbucket = "calls"\nkeep = "a"', "offload.keep is a list"),
        ('[offload]\nbucket = "calls"\nkeep = ["claimCheck"]', "offload.keep is a list"),
        ('[offload]\nbucket = "calls"\nover = 10', "offload.over"),
        ('[offload]\nbucket = "calls"\nover = true', "offload.over"),
        ('[offload]\nbucket = "calls"\nprefix = 1', "offload.prefix"),
        ('[offload]\nbuckets = "calls"', "unknown key offload.buckets"),
    ],
)
def test_an_offload_that_is_written_wrong_names_the_key(text, words):
    with pytest.raises(ValueError, match=words):
        read_offload(tomllib.loads(text))


def test_a_claim_check_keeps_what_was_asked_for_and_tells_where_the_rest_is():
    offload = Offload("calls", "events/", ("eventId", "nothing"))
    mapped = {"source": "s", "detail-type": "d", "detail": {"eventId": "e", "text": "x" * 50}, "id": "i"}
    small, body = offload.claim(mapped, offload.key("calls", "e"))
    assert orjson.loads(body) == mapped["detail"]
    claim = small["detail"].pop("claimCheck")
    assert small == {**mapped, "detail": {"eventId": "e"}}
    assert claim == {
        "bucket": "calls",
        "key": "events/calls/e.json",
        "bytes": len(body),
        "sha256": hashlib.sha256(body).hexdigest(),
    }


def test_two_routes_may_not_say_otherwise_of_one_bus():
    one = replace(SHIPPED["interaction"], event_bus="b", target=Target(region="eu-west-1"))
    other = replace(one, name="other", target=Target(region="us-east-1"))
    assert targets_of([one, replace(one, name="third", target=None)]) == {"b": one.target}
    with pytest.raises(RouteError, match=r"other/route\.toml: .* fix \[target\]"):
        targets_of([one, other])


def test_an_event_too_large_for_the_bus_is_mapped_where_its_detail_may_go_to_s3():
    mapping = '{"time": "2026-11-25T00:00:00Z", "detail": {"text": text}}'
    texts = replace(SHIPPED["interaction"], mapping=mapping, schema={}, filter="true")
    event = identify({"id": "x", "text": "z" * 1_000_100})
    refused = compile_route(texts).apply(event)
    assert isinstance(refused, Failed)
    assert refused.error == "EntryTooLarge"
    assert isinstance(compile_route(replace(texts, offload=Offload("calls"))).apply(event), Mapped)


def test_a_routes_targets_come_through_to_the_process_that_maps():
    texts = replace(SHIPPED["interaction"], target=Target(ROLE), offload=Offload("calls", keep=("a",)))
    assert protocol.read_texts(orjson.loads(orjson.dumps(texts))) == texts
