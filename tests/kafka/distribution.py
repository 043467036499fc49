"""This module fetches the jars of Apache Kafka once and says what is missing to run them."""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from xml.etree import ElementTree

HERE = Path(__file__).resolve().parent
POM = HERE / "pom.xml"
LOG_SETTINGS = HERE / "log4j2.properties"
CACHE = Path("~/.cache/genesys-eventbridge").expanduser()
FETCH_TIMEOUT_S = 600.0


class KafkaUnavailableError(Exception):
    """A real Kafka cannot run here; the text is one line that says why and what would help."""


def version() -> str:
    """The Kafka version that `KAFKA_VERSION` asks for, or else the one that the POM names."""
    if chosen := os.environ.get("KAFKA_VERSION"):
        return chosen
    found = ElementTree.parse(POM).findtext(".//{*}kafka.version")
    assert found, f"{POM} names no kafka.version"
    return found


def java() -> str:
    """Path of the Java runtime. Raises `KafkaUnavailableError` where there is none."""
    return _tool("java", "a Java runtime, 17 or newer")


def jars() -> Path:
    """The folder of jars: `KAFKA_JARS_DIR`, or a cache that Maven fills at first use.

    Raises `KafkaUnavailableError` when they are neither there nor to be had.
    """
    folder = _folder()
    if not any(folder.glob("kafka_*.jar")):
        _fetch(folder)
    return folder


def missing() -> str | None:
    """Why a Kafka cannot run here, as far as a look without fetching anything tells."""
    try:
        java()
        if not any(_folder().glob("kafka_*.jar")):
            _maven()
    except KafkaUnavailableError as error:
        return str(error)
    return None


def _folder() -> Path:
    chosen = os.environ.get("KAFKA_JARS_DIR")
    return Path(chosen) if chosen else CACHE / f"kafka-{version()}"


def _maven() -> str:
    return _tool("mvn", "Apache Maven to fetch it")


def _tool(name: str, words: str) -> str:
    path = shutil.which(name)
    if path is None:
        raise KafkaUnavailableError(
            f"real Kafka needs {words} (no {name} on PATH); or set KAFKA_BOOTSTRAP_SERVERS to one that runs"
        )
    return path


def _fetch(folder: Path) -> None:
    """Let Maven fill `folder`, which appears only when it is complete."""
    maven = _maven()
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix="kafka-fetch-") as scratch:
        target = Path(scratch) / "jars"
        command = [
            maven,
            "-q",
            "-B",
            "-f",
            str(POM),
            "dependency:copy-dependencies",
            f"-Dkafka.version={version()}",
            f"-DoutputDirectory={target}",
        ]
        try:
            subprocess.run(command, capture_output=True, text=True, timeout=FETCH_TIMEOUT_S, check=True)
        except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
            raise KafkaUnavailableError(f"Maven could not fetch Kafka {version()}: {_first_line(error)}") from error
        try:
            target.rename(folder)
        except OSError:
            # Another run was quicker; any other cause leaves the folder without jars.
            if not any(folder.glob("kafka_*.jar")):
                raise


def _first_line(error: subprocess.CalledProcessError | subprocess.TimeoutExpired) -> str:
    if isinstance(error, subprocess.TimeoutExpired):
        return f"no end after {error.timeout:g} s"
    return next((line for line in error.stdout.splitlines() if "ERROR" in line), f"exit code {error.returncode}")
