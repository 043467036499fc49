"""Tests of `routes push`, `pull` and `diff`, against the emulated schema registry."""

from __future__ import annotations

import asyncio
import threading

import orjson
import pytest

from emulators.aws import AWSEmulator


@pytest.fixture
def aws():
    """The emulator on a thread of its own, as commands run loops of theirs."""
    started, loop = threading.Event(), asyncio.new_event_loop()
    found = []

    async def serve():
        async with AWSEmulator() as emulator:
            emulator.state.schemas.add("calls", "other", "{}")
            found.extend([emulator, asyncio.Event()])
            started.set()
            await found[1].wait()

    thread = threading.Thread(target=lambda: loop.run_until_complete(serve()))
    thread.start()
    started.wait(30)
    yield found[0]
    loop.call_soon_threadsafe(found[1].set)
    thread.join(30)
    loop.close()


@pytest.fixture
def run(invoke, aws, interaction_routes, tmp_path):
    def runner(*arguments, **settings):
        given = {
            "AWS_ENDPOINT_URL": aws.url,
            "AWS_REGION": "eu-west-1",
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "ROUTES_DIR": str(interaction_routes),
            "DATA_DIR": str(tmp_path / "data"),
        }
        return invoke("routes", *arguments, **given | settings)

    return runner


def pin(folder, text):
    (folder / "everything" / "route.toml").write_text(f'source = "s"\ndetail-type = "t"\nschema = "{text}"\n')


def test_what_is_pushed_can_be_pinned_pulled_and_used_without_the_registry(run, aws, interaction_routes):
    pushed = run("push", "calls")
    assert (pushed.exit_code, pushed.stdout) == (0, "everything: calls:s@t, version 1\n")
    assert run("push", "calls").stdout == pushed.stdout

    pin(interaction_routes, "calls:s@t@1")
    assert run("pull").exit_code == 0
    assert (interaction_routes / ".registry" / "calls" / "s@t@1.json").is_file()
    away = run("test", AWS_ENDPOINT_URL="http://127.0.0.1:1")
    assert away.exit_code == 0, away.output
    assert run("--json").stdout.count("registry calls:s@t@1") == 1


def test_a_newer_version_is_shown_field_by_field_and_the_pinned_one_stays_in_use(run, aws, interaction_routes):
    run("push", "calls")
    pin(interaction_routes, "calls:s@t@1")
    assert run("diff").exit_code == 0
    versions = aws.state.schemas
    content = orjson.loads(next(iter(versions._versions["calls", "s@t"])).content)
    content["properties"]["detail"]["required"] = ["type", "priority"]
    versions.add("calls", "s@t", orjson.dumps(content).decode())

    result = run("diff")

    assert result.exit_code == 4
    assert "newest is 2" in result.stdout
    assert "properties.detail.required" in result.stdout
    assert run("test").exit_code == 0  # nothing asks for a priority yet
    pin(interaction_routes, "calls:s@t@2")
    assert run("test").exit_code == 1


def test_a_schema_that_is_not_pinned_is_pulled_with_the_line_that_pins_it(run, interaction_routes):
    run("push", "calls")
    pin(interaction_routes, "calls:s@t")
    assert 'schema = "calls:s@t@1"' in run("pull").stdout


@pytest.mark.parametrize(
    ("arguments", "text", "words"),
    [
        (("pull",), None, "no route of"),
        (("push", "calls", "nobody"), None, "no route nobody"),
        (("diff",), "calls", "REGISTRY:NAME"),
        (("pull",), "calls:other", "is not one of an EventBridge event"),
        (("pull",), "calls:s@t@9", "no schema s@t version 9"),
    ],
)
def test_what_cannot_be_done_is_one_line_and_nothing_is_written(run, interaction_routes, arguments, text, words):
    if text:
        pin(interaction_routes, text)
    result = run(*arguments)
    told = str(result.exception) if result.exit_code == 1 else result.stderr  # which __main__ makes one line
    assert words in told
    assert not (interaction_routes / ".registry").exists()


@pytest.mark.parametrize("command", ["diff", "pull"])
def test_a_folder_that_names_no_schema_is_told_before_any_registry_is_asked(run, command):
    result = run(command, AWS_ENDPOINT_URL="http://127.0.0.1:1")
    assert (result.exit_code, "takes its schema from a registry" in result.stderr) == (2, True)


def test_a_registry_that_does_not_answer_is_one_line(run):
    result = run("push", "calls", AWS_ENDPOINT_URL="http://127.0.0.1:1")
    assert result.exit_code == 2
    assert result.stderr.startswith("genesys-eventbridge: the schema registry:")
