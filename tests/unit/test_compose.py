import json
import re
from pathlib import Path
from xml.etree import ElementTree

import pytest
import yaml
from botocore.configprovider import BOTOCORE_DEFAUT_SESSION_VARIABLES
from botocore.credentials import EnvProvider

from settings import Settings
from settings.web import WebSettings
from streams.web.allowed_hosts import Hosts

ROOT = Path(__file__).resolve().parents[2]
COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES = COMPOSE["services"]
WORKERS = ["worker", "cluster-worker"]
DOCKERFILE = (ROOT / "Dockerfile").read_text()

SETTINGS = {name.upper() for name in Settings.model_fields}
SDK_NAMES = {EnvProvider.ACCESS_KEY, EnvProvider.SECRET_KEY, *EnvProvider.TOKENS}
for _, names, *_ in BOTOCORE_DEFAUT_SESSION_VARIABLES.values():
    SDK_NAMES.update([names] if isinstance(names, str) else names or [])


def is_pinned(image):
    """Whether the tag names at least major, minor and patch."""
    return re.search(r":v?\d+\.\d+\.\d+(-[\w.-]+)?$", image) is not None


@pytest.mark.parametrize("name", SERVICES)
def test_every_image_is_pinned(name):
    assert is_pinned(SERVICES[name]["image"])


@pytest.mark.parametrize("name", SERVICES)
def test_every_port_is_published_on_loopback_only(name):
    ports = SERVICES[name].get("ports", [])
    assert [port for port in ports if not port.startswith("127.0.0.1:")] == []


@pytest.mark.parametrize("name", SERVICES)
def test_every_dependency_is_waited_for_until_healthy(name):
    dependencies = SERVICES[name].get("depends_on", {})
    assert {rule["condition"] for rule in dependencies.values()} <= {"service_healthy"}
    assert all("healthcheck" in SERVICES[dependency] for dependency in dependencies)


@pytest.mark.parametrize("name", WORKERS)
def test_every_variable_of_a_worker_is_a_setting_or_known_to_the_sdk(name):
    assert set(SERVICES[name]["environment"]) - SETTINGS - SDK_NAMES == set()


def test_the_local_worker_starts_with_its_environment(monkeypatch):
    for name in SETTINGS:
        monkeypatch.delenv(name, raising=False)
    for name, value in SERVICES["worker"]["environment"].items():
        monkeypatch.setenv(name, value)
    settings = Settings()
    settings.require_genesys()
    assert settings.api_url == "http://genesys:8080"
    assert settings.login_url == settings.api_url


def test_the_local_worker_is_pointed_at_services_of_this_file():
    environment = SERVICES["worker"]["environment"]
    hosts = {
        re.search(r"^(?:\w+://)?([\w.-]+)", environment[name]).group(1)
        for name in ("GENESYS_BASE_URL", "KAFKA_BOOTSTRAP_SERVERS", "AWS_ENDPOINT_URL", "DLQ_QUEUE_URL")
    }
    assert hosts == set(SERVICES["worker"]["depends_on"])


def test_bus_and_queue_of_the_worker_are_those_that_the_emulator_makes():
    command = SERVICES["aws"]["command"]
    environment = SERVICES["worker"]["environment"]
    assert environment["EVENTBUS_NAME"] == command[command.index("--bus") + 1]
    assert environment["DLQ_QUEUE_URL"].endswith("/" + command[command.index("--queue") + 1])


def test_the_cluster_profile_is_a_worker_alone_and_carries_no_value_from_here():
    profiled = {name for name, service in SERVICES.items() if service.get("profiles") == ["cluster"]}
    assert profiled == {"cluster-worker"}
    assert "depends_on" not in SERVICES["cluster-worker"]
    given = {name for name, value in SERVICES["cluster-worker"]["environment"].items() if value is not None}
    assert given == {"WEB_HOST"}


def test_the_cluster_worker_is_given_every_setting_but_those_that_the_image_fixes():
    left_out = SETTINGS - set(SERVICES["cluster-worker"]["environment"])
    assert left_out == {"DATA_DIR", "ROUTES_DIR", "WEB_PORT"}


def test_the_broker_is_the_version_that_the_tests_run():
    tested = ElementTree.parse(ROOT / "tests" / "kafka" / "pom.xml").findtext(".//{*}kafka.version")
    assert SERVICES["kafka"]["image"] == f"apache/kafka:{tested}"


def test_the_dockerfile_is_pinned_and_gives_up_root_before_it_runs():
    instructions = re.findall(r"^([A-Z]+) ", DOCKERFILE, re.MULTILINE)
    bases = re.findall(r"^FROM (\S+)", DOCKERFILE, re.MULTILINE)
    assert len(bases) == 2
    assert len({digest for _, _, digest in (base.partition("@sha256:") for base in bases)}) == 1
    assert all(re.fullmatch(r"python:3\.13\.\d+-slim-bookworm@sha256:[0-9a-f]{64}", base) for base in bases)
    assert re.findall(r"^USER (\S+)", DOCKERFILE, re.MULTILINE) == ["10001:10001"]  # Kubernetes asks for a number
    assert instructions.index("USER") > max(i for i, word in enumerate(instructions) if word == "RUN")
    assert re.search(r'^ENTRYPOINT \["genesys-eventbridge"\]\nCMD \["worker"\]$', DOCKERFILE, re.MULTILINE)


def test_dependencies_are_installed_by_their_hashes_and_what_builds_stays_behind():
    assert "pip install --require-hashes -r requirements.lock" in DOCKERFILE
    lock = (ROOT / "requirements.lock").read_text()
    pinned = re.findall(r"^[\w.-]+==\S+.*(?:\n    --hash=sha256:[0-9a-f]{64}.*)+", lock, re.MULTILINE)
    assert len(pinned) == len(re.findall(r"^[\w.-]+==", lock, re.MULTILINE)) > 50
    last = DOCKERFILE.rpartition("\nFROM ")[2]
    assert "pip" not in last
    assert "COPY --from=build /opt/venv /opt/venv" in last


@pytest.mark.parametrize("name", WORKERS)
def test_a_worker_may_not_write_its_image_nor_gain_rights(name):
    service = SERVICES[name]
    assert (service["read_only"], service["cap_drop"], service["tmpfs"]) == (True, ["ALL"], ["/tmp"])
    assert service["security_opt"] == ["no-new-privileges:true"]


def test_the_observed_stack_has_its_files():
    observed = {name for name, service in SERVICES.items() if service.get("profiles") == ["observability"]}
    assert observed == {"prometheus", "grafana"}
    mounted = [volume.split(":") for name in observed for volume in SERVICES[name]["volumes"]]
    assert [source for source, _, mode in mounted if not (ROOT / source).is_file() or mode != "ro"] == []
    scraped = yaml.safe_load((ROOT / "deploy/observability/prometheus.yml").read_text())["scrape_configs"]
    target = f"worker:{Settings.model_fields['web_port'].default}"
    assert scraped[0]["static_configs"] == [{"targets": [target]}]
    told = SERVICES["worker"]["environment"]
    web = WebSettings(web_host=told["WEB_HOST"], web_allowed_hosts=told["WEB_ALLOWED_HOSTS"])
    assert Hosts.of(web).allows(target, "172.18.0.5")


def test_the_health_check_of_the_image_is_a_program_that_compiles():
    words = json.loads(re.search(r"^ +CMD (\[.*\])$", DOCKERFILE, re.MULTILINE).group(1))
    assert words[:2] == ["python", "-c"]
    compile(words[2], "HEALTHCHECK", "exec")
    assert "/health/live" in words[2]


def test_all_that_the_dockerfile_copies_passes_the_ignore_file():
    ignored = (ROOT / ".dockerignore").read_text().splitlines()
    copied = {
        source.removeprefix("./")
        for line in re.findall(r"^COPY (?!--from)(.+) \S+$", DOCKERFILE, re.MULTILINE)
        for source in line.split()
    }
    assert "*" in ignored
    assert copied == {line.removeprefix("!") for line in ignored if line.startswith("!")}
    assert copied >= {"streams", "agents", "processors", "clients", "emulators", "schemas"}
