"""This module tests which topic ids there are and how combined ones read."""

from __future__ import annotations

import pytest

from emulators.genesys.access.permissions import ALL_PERMISSIONS, USER_VIEW, Permissions
from emulators.genesys.notifications.subscribing import decide
from emulators.genesys.notifications.topics import FAMILIES, TopicError, parse_topic

USER = "v2.users.0b8a3a52-97c8-4f3e-9a39-6a3c7e3b1c55"


def test_combined_topic_is_one_topic_with_the_names_of_its_parts() -> None:
    topic = parse_topic(f"{USER}?presence&routingStatus")
    assert topic.names == (f"{USER}.presence", f"{USER}.routingStatus")


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.template)
def test_every_offered_topic_can_be_subscribed(family: object) -> None:
    template = getattr(family, "template", "")
    ident = template.replace("{id}", "0b8a3a52-97c8-4f3e-9a39-6a3c7e3b1c55")
    assert parse_topic(ident).names == (ident,)


@pytest.mark.parametrize(
    "ident",
    [
        "v2.nothing",
        "v2.users.{id}.presence",
        "v2.users.not-a-uuid.presence",
        f"{USER}?presence&unheardOf",
        f"{USER}?",
        f"{USER}?" + "&".join(["presence"] * 20),
    ],
    ids=["unknown", "template", "no UUID", "unknown part", "no part", "over 200 characters"],
)
def test_other_ids_are_no_topics(ident: str) -> None:
    with pytest.raises(TopicError):
        parse_topic(ident)


def test_rejections_say_what_is_missing() -> None:
    permissions = Permissions(ALL_PERMISSIONS - {USER_VIEW})
    (decision,) = decide([f"{USER}.presence"], permissions)
    assert decision.as_json() == {
        "id": f"{USER}.presence",
        "state": "Rejected",
        "rejectionReason": "missing permissions",
        "missingPermissions": [USER_VIEW],
    }
