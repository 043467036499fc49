import ast
import json
import os
import re
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import botocore.session
import pytest
import yaml
from botocore import xform_name

from clients.aws.cloudwatch import GAUGES, METRICS
from settings import Settings
from settings.web import WebSettings
from streams.routes.folder import read_routes
from streams.web.allowed_hosts import Hosts

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = ("agents", "clients", "streams")
SERVICES = ("cloudwatch", "events", "s3", "schemas", "sqs")
DEPLOY = ROOT / "deploy"
POLICY = json.loads((DEPLOY / "iam-policy.json").read_text())
TEMPLATE_TEXT = (DEPLOY / "cloudformation.yaml").read_text()
SOURCE_TEXT = (DEPLOY / "genesys-eventbridge-source.yaml").read_text()
KUBERNETES = DEPLOY / "kubernetes"
MANIFESTS = {one["kind"]: one for one in yaml.safe_load_all((KUBERNETES / "base" / "pipeline.yaml").read_text())}
POD = MANIFESTS["Deployment"]["spec"]["template"]["spec"]
CONTAINER = POD["containers"][0]
SETTINGS = {name.upper() for name in Settings.model_fields}
TERRAFORM = "".join(path.read_text() for path in sorted((DEPLOY / "terraform").glob("*.tf")))
COMPONENTS = sorted(path.parent for path in (KUBERNETES / "components").glob("*/kustomization.yaml"))

# For PutMetricData CloudWatch has no resources that a policy could name; a condition takes their place.
WITHOUT_RESOURCE = {"cloudwatch:PutMetricData": {"StringEquals": {"cloudwatch:namespace": "GenesysEventPipeline"}}}


@cache
def resources(text: str) -> dict[str, Any]:
    """The resources of a CloudFormation template."""
    from cfnlint.decode import cfn_yaml  # two seconds, which only a process that runs these tests is to wait

    found: dict[str, Any] = cfn_yaml.loads(text)["Resources"]
    return found


def actions(statement):
    action = statement["Action"]
    return [action] if isinstance(action, str) else list(action)


def operations():
    """Method of a boto client -> the action that permits it; a batch is permitted by the action of one."""
    loader = botocore.session.get_session().get_component("data_loader")
    return {
        xform_name(name): f"{service}:{name.removesuffix('Batch')}"
        for service in SERVICES
        for name in loader.load_service_model(service, "service-2")["operations"]
    }


def called():
    """Names of all methods that the program awaits."""
    for package in PROGRAM:
        for path in (ROOT / package).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.Await) and isinstance(node.value, ast.Call):
                    yield getattr(node.value.func, "attr", "")


def test_the_policies_allow_exactly_what_the_program_calls():
    known = operations()
    others = [json.loads((DEPLOY / f"iam-policy-{name}.json").read_text()) for name in ("schemas", "targets")]
    statements = [statement for policy in (POLICY, *others) for statement in policy["Statement"]]
    allowed = {action for statement in statements for action in actions(statement)}
    of_the_loop = {"create_connection"}  # of asyncio, as an operation of EventBridge is called too
    assert allowed - {"sts:AssumeRole"} == {known[name] for name in {*called()} - of_the_loop if name in known}
    assert not {"schemas:CreateSchema", "schemas:UpdateSchema"} & {
        action for statement in POLICY["Statement"] for action in actions(statement)
    }


@pytest.mark.parametrize("statement", POLICY["Statement"], ids=lambda statement: statement["Sid"])
def test_a_statement_names_its_resource_or_is_confined_by_a_condition(statement):
    assert statement["Effect"] == "Allow"
    assert re.fullmatch(r"[A-Za-z0-9]+", statement["Sid"])
    if statement["Resource"] == "*":
        assert [WITHOUT_RESOURCE[action] for action in actions(statement)] == [statement["Condition"]]
    else:
        assert re.fullmatch(r"arn:aws:\w+:REGION:ACCOUNT_ID:[\w/-]+(/\*)?", statement["Resource"])


def test_the_namespace_of_the_policy_is_the_default_of_the_setting():
    (condition,) = WITHOUT_RESOURCE.values()
    assert condition["StringEquals"]["cloudwatch:namespace"] == Settings.model_fields["metrics_namespace"].default


@pytest.mark.parametrize("text", [TEMPLATE_TEXT, SOURCE_TEXT], ids=["pipeline", "source"])
def test_the_templates_pass_the_linter_of_cloudformation(text):
    from cfnlint import api as cfnlint

    config = cfnlint.ManualArgs(regions=["eu-central-1"])
    assert [str(match) for match in cfnlint.lint(text, config=config)] == []


def test_the_templates_give_the_worker_the_same_actions_as_the_policy():
    statements = [
        statement
        for policy in (resources(TEMPLATE_TEXT)["WorkerPolicy"], resources(SOURCE_TEXT)["ReaderPolicy"])
        for statement in policy["Properties"]["PolicyDocument"]["Statement"]
    ]
    in_template = {statement["Sid"]: actions(statement) for statement in statements}
    assert in_template == {statement["Sid"]: actions(statement) for statement in POLICY["Statement"]}
    unbound = [statement for statement in statements if statement["Resource"] == "*"]
    assert [actions(statement) for statement in unbound] == [["cloudwatch:PutMetricData"]]


def test_the_template_makes_bus_archive_queue_with_alarms_and_an_example_rule():
    kinds = [resource["Type"] for resource in resources(TEMPLATE_TEXT).values()]
    assert {
        "AWS::Events::EventBus",
        "AWS::Events::Archive",
        "AWS::SQS::Queue",
        "AWS::Events::Rule",
        "AWS::IAM::Role",
    } <= set(kinds)
    assert kinds.count("AWS::CloudWatch::Dashboard") == 1


@pytest.mark.parametrize("name", ["Bus", "Archive", "Queue", "ExampleUndelivered"])
def test_what_holds_events_outlives_the_stack(name):
    resource = resources(TEMPLATE_TEXT)[name]
    assert (resource["DeletionPolicy"], resource["UpdateReplacePolicy"]) == ("Retain", "Retain")


def test_what_the_example_cannot_deliver_goes_to_a_queue_of_its_own():
    (target,) = resources(TEMPLATE_TEXT)["ExampleRule"]["Properties"]["Targets"]
    assert target["DeadLetterConfig"]["Arn"] == {"Fn::GetAtt": ["ExampleUndelivered", "Arn"]}


def alarms():
    """Metrics of each alarm of the template, by the alarm's name."""
    found = {}
    for name, resource in resources(TEMPLATE_TEXT).items():
        if resource["Type"] == "AWS::CloudWatch::Alarm":
            properties = resource["Properties"]
            queries = [one["MetricStat"]["Metric"] for one in properties.get("Metrics", ()) if "MetricStat" in one]
            found[name] = {one["MetricName"] for one in queries or [properties]}
    return found


def test_the_dashboard_of_cloudwatch_shows_what_is_sent_and_every_alarm():
    body = resources(TEMPLATE_TEXT)["Dashboard"]["Properties"]["DashboardBody"]["Fn::Sub"]
    widgets = json.loads(body)["widgets"]
    metrics = json.dumps([one["properties"].get("metrics") for one in widgets])
    told = set(re.findall(r'"([A-Z][a-z]+[A-Z]\w+)"', metrics)) - {"ApproximateNumberOfMessagesVisible", "QueueName"}
    assert told
    assert told <= {*METRICS, *GAUGES, "ProcessingLatency"}
    (shown,) = [one["properties"]["alarms"] for one in widgets if one["type"] == "alarm"]
    assert {one.removeprefix("${").removesuffix(".Arn}") for one in shown} == set(alarms())


def test_terraform_makes_what_the_template_makes():
    """The same kinds of things, the same alarms, the same actions for the worker."""
    assert len(re.findall(r"prevent_destroy += true", TERRAFORM)) == 2
    named = set(re.findall(r'metric_name += "(\w+)"', TERRAFORM)) | {"EventsFailed", "EventsPublished"}
    assert named == {name for metrics in alarms().values() for name in metrics}
    worker = (DEPLOY / "terraform" / "worker.tf").read_text()
    statements = re.findall(r'sid += "(\w+)"\s+actions += \[([^]]*)\]', worker)
    terraform = {sid: re.findall(r'"([^"]+)"', found) for sid, found in statements}
    template = resources(TEMPLATE_TEXT)["WorkerPolicy"]["Properties"]["PolicyDocument"]["Statement"]
    assert terraform == {statement["Sid"]: actions(statement) for statement in template}


def test_events_of_genesys_own_integration_go_by_a_rule_to_a_queue_and_none_is_dropped():
    (target,) = resources(SOURCE_TEXT)["Rule"]["Properties"]["Targets"]
    assert target["Arn"] == {"Fn::GetAtt": ["Events", "Arn"]}
    assert target["DeadLetterConfig"]["Arn"] == {"Fn::GetAtt": ["Undelivered", "Arn"]}
    assert resources(SOURCE_TEXT)["Rule"]["Properties"]["EventPattern"] == {
        "source": [{"prefix": "aws.partner/genesys.com"}]
    }
    queues = [resource for resource in resources(SOURCE_TEXT).values() if resource["Type"] == "AWS::SQS::Queue"]
    assert len(queues) == 3
    assert {queue["DeletionPolicy"] for queue in queues} == {"Retain"}
    allowed = resources(SOURCE_TEXT)["QueuesTakeFromTheRuleAndOnlyTLS"]["Properties"]["PolicyDocument"]["Statement"][0]
    assert allowed["Principal"] == {"Service": "events.amazonaws.com"}


def test_a_worker_may_read_what_the_rule_could_not_deliver():
    """SQS moves nothing out of a dead-letter queue whose source is no queue."""
    (reader,) = resources(SOURCE_TEXT)["ReaderPolicy"]["Properties"]["PolicyDocument"]["Statement"]
    assert reader["Resource"] == [{"Fn::GetAtt": [name, "Arn"]} for name in ("Events", "Undelivered")]
    assert "StartMessageMoveTask" not in SOURCE_TEXT


def test_every_variable_of_the_pod_is_a_setting():
    configured = set(MANIFESTS["ConfigMap"]["data"])
    own = {variable["name"] for variable in CONTAINER["env"] if "fieldRef" not in variable.get("valueFrom", {})}
    assert {name.removesuffix("_FILE") for name in configured | own} - SETTINGS == set()


def test_secrets_are_files_of_a_secret_that_is_mounted():
    files = {one["name"]: one["value"] for one in CONTAINER["env"] if one["name"].endswith("_FILE")}
    secret_settings = {
        name.upper() for name, field in Settings.model_fields.items() if "Secret" in str(field.annotation)
    }
    assert {"GENESYS_CLIENT_SECRET_FILE", "KAFKA_SASL_PASSWORD_FILE", "WEB_TOKEN_FILE"} <= set(files)
    assert {path.rpartition("/")[0] for path in files.values()} == {"/secrets"}
    assert not {one["name"] for one in CONTAINER["env"] if "value" in one} & secret_settings
    (mount,) = [one for one in CONTAINER["volumeMounts"] if one["mountPath"] == "/secrets"]
    assert mount["readOnly"]
    (volume,) = [one for one in POD["volumes"] if one["name"] == mount["name"]]
    assert volume["secret"]["secretName"] == "genesys-eventbridge"


def test_the_configuration_of_the_pod_is_accepted(monkeypatch):
    for name in SETTINGS:
        monkeypatch.delenv(name, raising=False)
    for name, value in MANIFESTS["ConfigMap"]["data"].items():
        monkeypatch.setenv(name, value)
    settings = Settings()
    assert settings.kafka_security_protocol == "SASL_SSL"
    assert settings.api_url == "https://api.mypurecloud.de"


def test_no_secret_stands_in_the_manifests():
    secret_settings = {
        name.upper() for name, field in Settings.model_fields.items() if "SecretStr" in str(field.annotation)
    }
    inline = set(MANIFESTS["ConfigMap"]["data"]) | {
        variable["name"] for variable in CONTAINER["env"] if "value" in variable
    }
    assert inline & secret_settings == set()
    assert "Secret" not in MANIFESTS


def test_probes_ask_the_health_pages_and_a_stop_outlasts_the_grace():
    assert CONTAINER["livenessProbe"]["httpGet"]["path"] == "/health/live"
    assert CONTAINER["readinessProbe"]["httpGet"]["path"] == "/health/ready"
    assert POD["terminationGracePeriodSeconds"] >= 3 * Settings.model_fields["shutdown_grace"].default


def test_the_pod_runs_without_root_and_without_writing_its_image():
    assert POD["securityContext"]["runAsNonRoot"] is True
    assert CONTAINER["securityContext"]["readOnlyRootFilesystem"] is True
    assert CONTAINER["securityContext"]["allowPrivilegeEscalation"] is False
    mounted = {mount["mountPath"] for mount in CONTAINER["volumeMounts"]}
    assert {MANIFESTS["ConfigMap"]["data"]["DATA_DIR"], "/tmp"} <= mounted


@pytest.mark.parametrize("kind", ["Deployment", "PodDisruptionBudget"])
def test_selectors_find_the_pods(kind):
    labels = MANIFESTS["Deployment"]["spec"]["template"]["metadata"]["labels"]
    assert MANIFESTS[kind]["spec"]["selector"]["matchLabels"].items() <= labels.items()
    assert MANIFESTS["Service"]["spec"]["selector"].items() <= labels.items()


def test_the_dashboard_stays_while_no_worker_is_ready():
    assert MANIFESTS["Service"]["spec"]["publishNotReadyAddresses"] is True


def test_the_pods_answer_to_the_name_of_their_service():
    told = MANIFESTS["ConfigMap"]["data"]
    web = WebSettings(web_host=told["WEB_HOST"], web_allowed_hosts=told["WEB_ALLOWED_HOSTS"])
    service = MANIFESTS["Service"]
    for port in service["spec"]["ports"]:
        assert Hosts.of(web).allows(f"{service['metadata']['name']}:{port['port']}", "10.0.0.12")


def test_one_worker_stays_when_nodes_are_drained_and_unready_ones_hold_up_nobody():
    assert MANIFESTS["PodDisruptionBudget"]["spec"]["minAvailable"] == 1
    assert MANIFESTS["PodDisruptionBudget"]["spec"]["unhealthyPodEvictionPolicy"] == "AlwaysAllow"
    assert MANIFESTS["Deployment"]["spec"]["replicas"] >= 2


@pytest.mark.parametrize("folder", COMPONENTS, ids=lambda folder: folder.name)
def test_a_component_is_whole(folder):
    """Its files are there, its patches change what the base has, and the example shows it."""
    component = yaml.safe_load((folder / "kustomization.yaml").read_text())
    assert component["kind"] == "Component"
    assert [name for name in component.get("resources", ()) if not (folder / name).is_file()] == []
    for patch in component.get("patches", ()):
        target = MANIFESTS[patch["target"]["kind"]]
        assert target["metadata"]["name"] == patch["target"]["name"]
        for change in yaml.safe_load(patch["patch"]):
            assert followed(target, change["path"].rpartition("/")[0]) is not None, change["path"]
    example = yaml.safe_load((KUBERNETES / "example" / "kustomization.yaml").read_text())
    assert f"../components/{folder.name}" in example["components"]


def followed(document, pointer):
    for part in pointer.strip("/").split("/"):
        document = document[int(part)] if isinstance(document, list) else document.get(part)
    return document


def test_routes_as_a_config_map_are_a_folder_of_routes(tmp_path):
    folder = KUBERNETES / "components" / "routes"
    component = yaml.safe_load((folder / "kustomization.yaml").read_text())
    (generator,) = component["configMapGenerator"]
    files = dict(one.split("=") for one in generator["files"])
    assert set(files.values()) == {str(path.relative_to(folder)) for path in folder.glob("*/**/*") if path.is_file()}
    assert component["generatorOptions"]["disableNameSuffixHash"] is True  # or a change would start pods again
    patch = next(one for one in component["patches"] if one["target"]["kind"] == "Deployment")
    volume = yaml.safe_load(patch["patch"])[0]["value"]
    for item in volume["configMap"]["items"]:
        made = tmp_path / item["path"]
        made.parent.mkdir(parents=True, exist_ok=True)
        made.write_bytes((folder / files[item["key"]]).read_bytes())
    [texts] = read_routes(tmp_path)
    assert texts.warnings == ()
    assert [
        name for name in files.values() if (folder / name).read_bytes() != (ROOT / "schemas" / name).read_bytes()
    ] == []
    assert MANIFESTS["ConfigMap"]["data"]["GENESYS_SOURCE"] == "notifications"  # with other routes, nothing is taken
    assert all("topicName" in example.event for example in texts.examples)


def test_a_scaled_group_reads_the_topics_of_the_group_and_never_has_more_workers_than_partitions():
    documents = list(yaml.safe_load_all((KUBERNETES / "components" / "keda" / "scaled-object.yaml").read_text()))
    (scaled,) = [one["spec"] for one in documents if one["kind"] == "ScaledObject"]
    settings = Settings()
    told = [one["metadata"] for one in scaled["triggers"]]
    assert {one["topic"] for one in told} == {settings.topic("raw"), settings.topic("validated")}
    assert {one["consumerGroup"] for one in told} == {settings.group}
    assert scaled["maxReplicaCount"] <= settings.kafka_topic_partitions
    assert scaled["minReplicaCount"] >= 2


def test_metrics_are_fetched_with_the_token():
    monitor = yaml.safe_load((KUBERNETES / "components" / "prometheus" / "service-monitor.yaml").read_text())
    (endpoint,) = monitor["spec"]["endpoints"]
    assert endpoint["authorization"]["credentials"] == {"name": "genesys-eventbridge", "key": "WEB_TOKEN"}
    assert endpoint["port"] in [port["name"] for port in MANIFESTS["Service"]["spec"]["ports"]]
    labels = MANIFESTS["Service"]["metadata"]["labels"]
    assert monitor["spec"]["selector"]["matchLabels"].items() <= labels.items()


def test_the_operator_s_alerts_are_those_of_the_file():
    rule = yaml.safe_load((KUBERNETES / "components" / "prometheus" / "prometheus-rule.yaml").read_text())
    assert rule["kind"] == "PrometheusRule"
    assert rule["spec"] == yaml.safe_load((DEPLOY / "alerts.yaml").read_text()), "make docs"


def tool(name):
    """A validator of the development requirements, or of the machine."""
    found = shutil.which(name, path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}")
    if found is None:
        pytest.skip(f"{name} is not installed")
    return found


def test_the_dockerfile_passes_hadolint():
    ran = subprocess.run([tool("hadolint"), str(ROOT / "Dockerfile")], capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr


def test_the_manifests_pass_the_schemas_of_kubernetes():
    files = [
        str(KUBERNETES / "base" / "pipeline.yaml"),
        *map(str, KUBERNETES.glob("components/network-policy/n*.yaml")),
    ]
    ran = subprocess.run([tool("kubernetes-validate"), "--strict", *files], capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr


def test_the_example_is_built_by_kustomize_with_all_its_components():
    example = [tool("kustomize"), "build", str(KUBERNETES / "example")]
    built = list(yaml.safe_load_all(subprocess.run(example, capture_output=True, check=True).stdout))
    kinds = {one["kind"]: one for one in built}
    pod = kinds["Deployment"]["spec"]["template"]["spec"]
    assert {"NetworkPolicy", "ServiceMonitor", "ScaledObject", "PodDisruptionBudget"} <= set(kinds)
    assert {mount["mountPath"] for mount in pod["containers"][0]["volumeMounts"]} >= {"/routes", "/authority", "/data"}
    (settings,) = [one["data"] for one in built if one["kind"] == "ConfigMap" and "ROUTES_DIR" in one["data"]]
    assert settings["KAFKA_SSL_CAFILE"] == "/authority/ca.pem"


def test_terraform_is_written_as_terraform_writes_it():
    ran = subprocess.run(
        [tool("terraform"), "fmt", "-check", str(DEPLOY / "terraform")], capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stdout
