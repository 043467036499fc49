"""Tests of the settings: names and defaults of the contract, errors that name the setting, kept secrets."""

import re
import runpy
from pathlib import Path

import pytest
from pydantic import SecretStr
from pydantic_settings import BaseSettings

from settings import LOG_LEVELS, REGION_DOMAINS, ROLES, Settings, SettingsError, load_settings

SECRETS = sorted(
    name for name, field in Settings.model_fields.items() if SecretStr in getattr(field.annotation, "__args__", ())
)


FORMS = ("file:", "sqs:")  # the remedy lists them


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch):
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.mark.parametrize(
    ("name", "default"),
    [
        ("genesys_base_url", "https://api.mypurecloud.com"),
        ("genesys_login_url", None),
        ("genesys_client_id", None),
        ("genesys_client_secret", None),
        ("genesys_source", "notifications"),
        ("kafka_bootstrap_servers", "127.0.0.1:9092"),
        ("kafka_security_protocol", "PLAINTEXT"),
        ("kafka_topic_prefix", "genesys."),
        ("kafka_topic_partitions", 4),
        ("kafka_replication_factor", None),
        ("kafka_create_topics", True),
        ("aws_region", None),
        ("aws_endpoint_url", None),
        ("eventbus_name", "default"),
        ("dlq_queue_url", None),
        ("max_retries", 5),
        ("routes_dir", Path(__file__).parents[3] / "schemas"),
        ("metrics_namespace", "GenesysEventPipeline"),
        ("web_host", "127.0.0.1"),
        ("web_port", 6066),
        ("web_token", None),
    ],
)
def test_defaults_of_the_contract(name, default):
    assert getattr(load_settings(), name) == default


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("EVENTBUS_NAME", "arn:aws:events:eu-west-1:1:event-bus/b", "arn:aws:events:eu-west-1:1:event-bus/b"),
        ("MAX_RETRIES", "0", 0),
        ("KAFKA_CREATE_TOPICS", "false", False),
        ("WEB_PORT", "8080", 8080),
        ("GENESYS_SOURCE", "file:/tmp/x.jsonl", "file:/tmp/x.jsonl"),
        (
            "GENESYS_SOURCE",
            "sqs:https://sqs.eu-west-1.amazonaws.com/123456789012/events",
            "sqs:https://sqs.eu-west-1.amazonaws.com/123456789012/events",
        ),
        ("GENESYS_BASE_URL", "http://127.0.0.1:9/", "http://127.0.0.1:9"),
        ("KAFKA_SASL_OAUTH_TOKEN_URL", "https://login/token/", "https://login/token/"),
        ("GENESYS_QUEUES", " a, b ,,c*", ("a", "b", "c*")),
        ("GENESYS_QUEUES", '["Sales [DE], Süd & Co", " b ", ""]', ("Sales [DE], Süd & Co", "b")),
        ("GENESYS_QUEUES", "[DE] Sales, b", ("[DE] Sales", "b")),
        ("GENESYS_USERS", "[1]", ("[1]",)),
        ("WORKER_ROLES", "sink,failures", ("sink", "failures")),
        ("LOG_LEVEL", "debug", "DEBUG"),
        ("KAFKA_BOOTSTRAP_SERVERS", " a , b-1.x:9092,,[::1]:1", "a,b-1.x:9092,[::1]:1"),
        ("EVENTBUS_NAME", "", "default"),
        ("DLQ_QUEUE_URL", "", None),
    ],
)
def test_the_environment_sets_a_setting(monkeypatch, name, value, expected):
    monkeypatch.setenv(name, value)
    assert getattr(load_settings(), name.lower()) == expected


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("MAX_RETRIES", "-1"),
        ("MAX_RETRIES", "many"),
        ("SHUTDOWN_GRACE", "inf"),
        ("DEDUPLICATION_WINDOW", "nan"),
        ("WEB_PORT", "0"),
        ("WEB_PORT", "65536"),
        ("GENESYS_SOURCE", "hearsay"),
        ("GENESYS_SOURCE", "file:"),
        ("GENESYS_SOURCE", "sqs:"),
        ("GENESYS_SOURCE", "sqs:events"),
        ("GENESYS_SOURCE", "sqs:https://sqs.eu-west-1.amazonaws.com"),
        ("GENESYS_SOURCE", "sqs:arn:aws:sqs:eu-west-1:123456789012:events"),
        ("GENESYS_BASE_URL", "api.mypurecloud.com"),
        ("GENESYS_REGION", "mars-east-1"),
        ("AWS_ENDPOINT_URL", "localhost:4566"),
        ("KAFKA_SASL_OAUTH_TOKEN_URL", "login.example.com/token"),
        ("DLQ_QUEUE_URL", "arn:aws:sqs:eu-west-1:1:q"),
        ("WORKER_ROLES", "sink,sinks"),
        ("WORKER_ROLES", ","),
        ("KAFKA_SECURITY_PROTOCOL", "TLS"),
        ("KAFKA_BOOTSTRAP_SERVERS", "broker:abc"),
        ("KAFKA_BOOTSTRAP_SERVERS", "broker:99999"),
        ("KAFKA_BOOTSTRAP_SERVERS", "broker:0"),
        ("KAFKA_BOOTSTRAP_SERVERS", "good:9092,bad host:9092"),
        ("KAFKA_BOOTSTRAP_SERVERS", "kafka://broker:9092"),
        ("KAFKA_BOOTSTRAP_SERVERS", "::1:9092"),
        ("KAFKA_BOOTSTRAP_SERVERS", ","),
        ("KAFKA_SASL_MECHANISM", "GSSAPI"),
        ("LOG_LEVEL", "loud"),
        ("LOG_FORMAT", "xml"),
        ("EVENTBRIDGE_IN_FLIGHT", "0"),
        ("KAFKA_TOPIC_PARTITIONS", "0"),
        ("METRICS_RETENTION", "1"),
    ],
)
def test_an_error_names_the_setting_and_never_its_value(monkeypatch, name, value):
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError) as caught:
        load_settings()
    text = str(caught.value)
    assert text.startswith(f"{name}: ")
    assert "\n" not in text
    assert f"'{value}'" not in text
    assert len(value) < 4 or value in FORMS or value not in text.removeprefix(name)


@pytest.mark.parametrize(
    ("host", "advertised", "url"),
    [
        ("127.0.0.1", None, "http://127.0.0.1:6066"),
        ("0.0.0.0", None, "http://127.0.0.1:6066"),
        ("::", None, "http://[::1]:6066"),
        ("fe80::1", None, "http://[fe80::1]:6066"),
        ("::", "https://worker-1", "https://worker-1"),
    ],
)
def test_the_url_of_the_web_views(host, advertised, url):
    assert load_settings(web_host=host, web_advertised_url=advertised).web_url == url


def test_every_wrong_setting_is_named(monkeypatch):
    monkeypatch.setenv("WEB_PORT", "x")
    monkeypatch.setenv("MAX_RETRIES", "y")
    with pytest.raises(SettingsError, match=r"MAX_RETRIES: .*; WEB_PORT: "):
        load_settings()


def test_secrets_are_known_as_such():
    assert {"genesys_client_secret", "kafka_sasl_password", "web_token", "web_tokens", "kafka_ssl_key_password"} <= set(
        SECRETS
    )


@pytest.mark.parametrize("name", SECRETS)
def test_a_secret_shows_nowhere(monkeypatch, name):
    value = "me:act:hunter2" if name == "web_tokens" else "hunter2"
    monkeypatch.setenv(name.upper(), value)
    settings = load_settings()
    assert getattr(settings, name).get_secret_value() == value
    assert "hunter2" not in repr(settings) + str(settings) + str(settings.model_dump()) + settings.model_dump_json()


def test_every_token_has_a_name_and_a_right_and_may_hold_colons(monkeypatch):
    monkeypatch.setenv("WEB_TOKEN", "one")
    monkeypatch.setenv("WEB_TOKENS", " anna:act:a:b , bot:read:c,")
    found = [(one.name, one.may_act, one.secret.get_secret_value()) for one in load_settings().tokens]
    assert found == [("token", True, "one"), ("anna", True, "a:b"), ("bot", False, "c")]


@pytest.mark.parametrize(
    "value", ["hunter2", "a:write:hunter2", ":act:hunter2", "a:act:", "a:act:1,a:read:hunter2", "token:act:hunter2"]
)
def test_tokens_that_are_none_are_refused_without_a_word_of_them(monkeypatch, value):
    monkeypatch.setenv("WEB_TOKENS", value)
    with pytest.raises(SettingsError, match=r"WEB_TOKENS: must") as error:
        load_settings()
    assert "hunter2" not in str(error.value)


def test_settings_do_not_change():
    with pytest.raises(ValueError, match="frozen"):
        load_settings().max_retries = 7


@pytest.mark.parametrize(
    ("given", "api", "login"),
    [
        ({}, "https://api.mypurecloud.com", "https://login.mypurecloud.com"),
        ({"genesys_region": "eu-west-1"}, "https://api.mypurecloud.ie", "https://login.mypurecloud.ie"),
        ({"genesys_region": " EU-West-1 "}, "https://api.mypurecloud.ie", "https://login.mypurecloud.ie"),
        ({"genesys_base_url": "http://127.0.0.1:9"}, "http://127.0.0.1:9", "http://127.0.0.1:9"),
        ({"genesys_base_url": "https://x.api.example"}, "https://x.api.example", "https://x.api.example"),
        (
            {"genesys_region": "eu-west-1", "genesys_base_url": "https://api.b"},
            "https://api.b",
            "https://login.b",
        ),
        ({"genesys_login_url": "https://l/"}, "https://api.mypurecloud.com", "https://l"),
    ],
)
def test_hosts(given, api, login):
    settings = load_settings(**given)
    assert (settings.api_url, settings.login_url) == (api, login)


@pytest.mark.parametrize("region", REGION_DOMAINS)
def test_every_region_has_a_host(region):
    assert load_settings(genesys_region=region).api_url == f"https://api.{REGION_DOMAINS[region]}"


def test_topics_and_group_follow_the_prefix():
    settings = load_settings(kafka_topic_prefix="mine.")
    assert (settings.topic("raw"), settings.group) == ("mine.raw", "mine.eventbridge")
    assert load_settings(kafka_group="g").group == "g"


@pytest.mark.parametrize("source", ["notifications", "stream"])
def test_a_source_at_genesys_needs_credentials(source):
    with pytest.raises(
        SettingsError, match="GENESYS_CLIENT_ID and GENESYS_CLIENT_SECRET not set: create an OAuth client"
    ):
        load_settings(genesys_source=source).require_genesys()
    with pytest.raises(SettingsError, match=r"^GENESYS_CLIENT_SECRET not set"):
        load_settings(genesys_source=source, genesys_client_id="x").require_genesys()
    load_settings(genesys_source=source, genesys_client_id="x", genesys_client_secret="y").require_genesys()


@pytest.mark.parametrize("source", ["none", "file:/tmp/x"])
def test_other_sources_need_none(source):
    load_settings(genesys_source=source).require_genesys()


def test_all_roles_by_default():
    assert load_settings().worker_roles == ROLES


@pytest.mark.parametrize("level", LOG_LEVELS)
def test_levels_are_python_s(level):
    assert load_settings(log_level=level.lower()).log_level == level


def test_no_family_hides_a_name_of_another():
    """Of two validators with one name pydantic keeps one, and the other's settings go unchecked."""
    written = [
        name
        for family in Settings.__bases__
        for name in {*vars(family), *family.model_fields} - set(vars(BaseSettings))
        if not name.startswith("__")
    ]
    assert {"kafka_group", "web_port", "_known_roles", "_queue_url", "api_url"} <= set(written)
    assert sorted(written) == sorted(set(written))


@pytest.mark.parametrize("name", Settings.model_fields)
def test_every_setting_is_described(name):
    assert len(Settings.model_fields[name].description or "") > 10


def test_the_page_lists_every_setting_in_order():
    root = Path(__file__).parents[3]
    made = runpy.run_path(str(root / "docs/generate.py"))["page"]()
    assert made == (root / "docs/settings.md").read_text("utf-8"), "run `make docs`"


def test_fields_to_mask_are_read_as_paths(monkeypatch):
    monkeypatch.setenv("REDACT_FIELDS", "eventBody.ani, payload.customer.* ,")
    assert load_settings().redact_fields == ("eventBody.ani", "payload.customer.*")


@pytest.mark.parametrize("path", ["a..b", ".a", "a.", "$.eventBody.ani", "a[*].b", "a/b"])
def test_a_path_that_would_mask_nothing_ends_the_start(monkeypatch, path):
    monkeypatch.setenv("REDACT_FIELDS", path)
    with pytest.raises(SettingsError, match=r"^REDACT_FIELDS: .*field names between dots") as caught:
        load_settings()
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("participants.attributes.context.email", "no event has participants at its top; begin with eventBody"),
        ("eventbody.ani", "no event has eventbody at its top"),
        ("detail.eventBody.ani", "is taken off before: write eventBody.ani"),
        ("eventBody.call*.ani", "not for a part of a name"),
    ],
)
def test_a_path_that_can_never_match_ends_the_start(monkeypatch, path, words):
    monkeypatch.setenv("REDACT_FIELDS", f"eventBody.ani,{path}")
    with pytest.raises(SettingsError, match=rf"^REDACT_FIELDS: .*{re.escape(path)}: .*{re.escape(words)}"):
        load_settings()


def test_a_file_may_hold_events_of_any_shape(monkeypatch):
    monkeypatch.setenv("GENESYS_SOURCE", "file:events.jsonl")
    monkeypatch.setenv("REDACT_FIELDS", "customer.email")
    assert load_settings().redact_fields == ("customer.email",)
