import ast
import json
import re
from pathlib import Path

import botocore.session
import pytest
import yaml
from botocore import xform_name
from cfnlint import api as cfnlint
from cfnlint.decode import cfn_yaml

from settings import Settings

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = ("agents", "clients", "streams")
SERVICES = ("cloudwatch", "events", "schemas", "sqs")
DEPLOY = ROOT / "deploy"
POLICY = json.loads((DEPLOY / "iam-policy.json").read_text())
TEMPLATE_TEXT = (DEPLOY / "cloudformation.yaml").read_text()
TEMPLATE = cfn_yaml.loads(TEMPLATE_TEXT)
SOURCE_TEXT = (DEPLOY / "genesys-eventbridge-source.yaml").read_text()
SOURCE = cfn_yaml.loads(SOURCE_TEXT)["Resources"]
MANIFESTS = {document["kind"]: document for document in yaml.safe_load_all((DEPLOY / "kubernetes.yaml").read_text())}
POD = MANIFESTS["Deployment"]["spec"]["template"]["spec"]
CONTAINER = POD["containers"][0]
SETTINGS = {name.upper() for name in Settings.model_fields}

# For PutMetricData CloudWatch has no resources that a policy could name; a condition takes their place.
WITHOUT_RESOURCE = {"cloudwatch:PutMetricData": {"StringEquals": {"cloudwatch:namespace": "GenesysEventPipeline"}}}


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
    statements = [*POLICY["Statement"], *json.loads((DEPLOY / "iam-policy-schemas.json").read_text())["Statement"]]
    allowed = [action for statement in statements for action in actions(statement)]
    assert set(allowed) == {known[name] for name in called() if name in known}
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
    config = cfnlint.ManualArgs(regions=["eu-central-1"])
    assert [str(match) for match in cfnlint.lint(text, config=config)] == []


def test_the_templates_give_the_worker_the_same_actions_as_the_policy():
    statements = [
        statement
        for policy in (TEMPLATE["Resources"]["WorkerPolicy"], SOURCE["ReaderPolicy"])
        for statement in policy["Properties"]["PolicyDocument"]["Statement"]
    ]
    in_template = {statement["Sid"]: actions(statement) for statement in statements}
    assert in_template == {statement["Sid"]: actions(statement) for statement in POLICY["Statement"]}
    unbound = [statement for statement in statements if statement["Resource"] == "*"]
    assert [actions(statement) for statement in unbound] == [["cloudwatch:PutMetricData"]]


def test_the_template_makes_bus_archive_queue_with_alarms_and_an_example_rule():
    kinds = [resource["Type"] for resource in TEMPLATE["Resources"].values()]
    assert {
        "AWS::Events::EventBus",
        "AWS::Events::Archive",
        "AWS::SQS::Queue",
        "AWS::Events::Rule",
        "AWS::IAM::Role",
    } <= set(kinds)
    assert kinds.count("AWS::CloudWatch::Alarm") == 7


def test_failed_events_outlive_the_stack():
    queue = TEMPLATE["Resources"]["Queue"]
    assert (queue["DeletionPolicy"], queue["UpdateReplacePolicy"]) == ("Retain", "Retain")


def test_events_of_genesys_own_integration_go_by_a_rule_to_a_queue_and_none_is_dropped():
    (target,) = SOURCE["Rule"]["Properties"]["Targets"]
    assert target["Arn"] == {"Fn::GetAtt": ["Events", "Arn"]}
    assert target["DeadLetterConfig"]["Arn"] == {"Fn::GetAtt": ["Undelivered", "Arn"]}
    assert SOURCE["Rule"]["Properties"]["EventPattern"] == {"source": [{"prefix": "aws.partner/genesys.com"}]}
    queues = [resource for resource in SOURCE.values() if resource["Type"] == "AWS::SQS::Queue"]
    assert len(queues) == 3
    assert {queue["DeletionPolicy"] for queue in queues} == {"Retain"}
    allowed = SOURCE["QueuesTakeFromTheRuleAndOnlyTLS"]["Properties"]["PolicyDocument"]["Statement"][0]
    assert allowed["Principal"] == {"Service": "events.amazonaws.com"}


def test_every_variable_of_the_pod_is_a_setting():
    configured = set(MANIFESTS["ConfigMap"]["data"])
    own = {variable["name"] for variable in CONTAINER["env"] if "fieldRef" not in variable.get("valueFrom", {})}
    assert (configured | own) - SETTINGS == set()


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


def test_one_worker_stays_when_nodes_are_drained():
    assert MANIFESTS["PodDisruptionBudget"]["spec"]["minAvailable"] == 1
    assert MANIFESTS["Deployment"]["spec"]["replicas"] >= 2
