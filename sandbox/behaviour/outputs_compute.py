"""What AWS answers for launch templates, Auto Scaling groups and Lambda functions."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping
from typing import Final

from sandbox.behaviour import regions
from sandbox.behaviour.model import Properties
from sandbox.behaviour.outputs_base import New, Pending, Shape, known_text
from sandbox.behaviour.outputs_network import SUBNET, vpc_of
from sandbox.behaviour.values import Archive

TEMPLATE: Final = "aws:ec2/launchTemplate:LaunchTemplate"
FUNCTION: Final = "aws:lambda/function:Function"
CODE: Final = (
    "code",
    "codeSha256",
    "imageUri",
    "s3Bucket",
    "s3Key",
    "s3ObjectVersion",
    "sourceCodeHash",
    "architectures",
)
NOT_A_VERSION: Final = (
    "name",
    "namePrefix",
    "description",
    "defaultVersion",
    "updateDefaultVersion",
    "tags",
    "tagsAll",
)


def _template_refresh(new: New, old: Properties, changed: frozenset[str]) -> Properties:
    if not changed - {"name", "namePrefix", "defaultVersion", "updateDefaultVersion", "tags", "tagsAll"}:
        return {}
    latest = int(old.get("latestVersion", 1)) + 1
    default = {"defaultVersion": latest} if new.inputs.get("updateDefaultVersion") is True else {}
    return {"latestVersion": latest, **default}


def _group(new: New) -> Properties:
    subnets = new.items("vpcZoneIdentifiers")
    zones = {known_text(new.lookup(SUBNET, subnet).get("availabilityZone")) for subnet in subnets} - {""}
    template = new.outputs.get("launchTemplate")
    if isinstance(template, dict):
        found = new.lookup(TEMPLATE, template.get("id")) or new.search(TEMPLATE, "name", template.get("name"))
        template.setdefault("id", new.id_of(TEMPLATE, "name", template.get("name")))
        template.setdefault("name", known_text(found.get("name")))
        template.setdefault("version", "")
    linked = "role/aws-service-role/autoscaling.amazonaws.com/AWSServiceRoleForAutoScaling"
    return {
        "availabilityZones": sorted(zones) or regions.zones(new.region)[:1],
        "availabilityZoneDistribution": {"capacityDistributionStrategy": "balanced-best-effort"},
        "defaultCooldown": 300,
        "desiredCapacity": new.outputs.get("minSize", 0),
        "healthCheckType": "EC2",
        "serviceLinkedRoleArn": new.arn(f"iam::{new.account}:{linked}"),
        "predictedCapacity": 0,
        "warmPoolSize": 0,
    }


def _invoke_arn(new: New, arn: str, path: str) -> str:
    gateway = new.arn(f"apigateway:{new.region}:lambda:path")
    return f"{gateway}/{path}/functions/{arn}/invocations"


def _code_hash(new: New) -> str:
    code = new.outputs.get("code")
    parts = [new.text(key) for key in ("imageUri", "s3Bucket", "s3Key", "s3ObjectVersion", "sourceCodeHash")]
    text = code.hash if isinstance(code, Archive) else repr(code)
    return base64.b64encode(hashlib.sha256("\0".join([text, *parts]).encode()).digest()).decode()


def _invoke_arns(new: New, version: str) -> Properties:
    arn = str(new.outputs["arn"])
    return {
        "version": version,
        "qualifiedArn": f"{arn}:{version}",
        "invokeArn": _invoke_arn(new, arn, "2015-03-31"),
        "qualifiedInvokeArn": _invoke_arn(new, f"{arn}:{version}", "2015-03-31"),
        "responseStreamingInvokeArn": _invoke_arn(new, arn, "2021-11-15").replace(
            "/invocations", "/response-streaming-invocations"
        ),
    }


def _code(new: New) -> Properties:
    digest = _code_hash(new)
    return {
        "codeSha256": digest,
        "sourceCodeHash": new.text("sourceCodeHash") or digest,
        "sourceCodeSize": 0 if new.text("imageUri") else new.ids.number(512, 65536, "size"),
        "lastModified": new.ids.moment().strftime("%Y-%m-%dT%H:%M:%S.000+0000"),
    }


def _function(new: New) -> Properties:
    logs = new.outputs.setdefault("loggingConfig", {"logFormat": "Text"})
    logs.setdefault("logGroup", f"/aws/lambda/{new.text('name')}")
    vpc = new.outputs.get("vpcConfig")
    if isinstance(vpc, dict) and vpc.get("subnetIds"):
        vpc.setdefault("vpcId", vpc_of(new, vpc["subnetIds"]))
    return {
        **_invoke_arns(new, "1" if new.outputs.get("publish") is True else "$LATEST"),
        **_code(new),
        "architectures": ["x86_64"],
        "ephemeralStorage": {"size": 512},
        "tracingConfig": {"mode": "PassThrough"},
        "signingJobArn": "",
        "signingProfileVersionArn": "",
    }


def _function_refresh(new: New, old: Properties, changed: frozenset[str]) -> Properties:
    code = bool(changed & set(CODE))
    answer = _code(new) if code else {}
    if new.inputs.get("publish") is True and changed - {"tags", "tagsAll"}:
        number = str(old.get("version", "0"))
        answer |= _invoke_arns(new, str(int(number) + 1 if number.isdigit() else 1))
    return {key: value for key, value in answer.items() if key not in new.inputs}


def _invocation(new: New) -> Properties:
    told = {
        "simulated": True,
        "function": new.text("functionName"),
        "note": "nothing ran: the sandbox runs functions only with --functions-endpoint",
    }
    return {"result": json.dumps(told)}


def _invocation_id(new: New) -> str:
    payload = hashlib.md5(new.text("input").encode(), usedforsecurity=False).hexdigest()
    return f"{new.text('functionName')}_{new.text('qualifier', '$LATEST')}_{payload}"


def _statement(new: New) -> str:
    if statement := new.text("statementId"):
        return statement
    prefix = new.text("statementIdPrefix") or "terraform-"
    return prefix + new.ids.moment().strftime("%Y%m%d%H%M%S") + new.ids.hex(12, "statement")


SHAPES: Final[Mapping[str, Shape]] = {
    TEMPLATE: Shape(
        id="lt-{hex17}",
        arn="ec2:{region}:{account}:launch-template/{id}",
        values={
            "defaultVersion": 1,
            "latestVersion": 1,
        },
        refresh=_template_refresh,
        pending=(
            Pending(("latestVersion",), "other content is a new version", unless=NOT_A_VERSION),
            Pending(("defaultVersion",), "as above", unless=NOT_A_VERSION, only_if="updateDefaultVersion"),
        ),
    ),
    "aws:autoscaling/group:Group": Shape(
        id="{name}",
        arn="autoscaling:{region}:{account}:autoScalingGroup:{uuid}:autoScalingGroupName/{name}",
        fill=_group,
    ),
    FUNCTION: Shape(
        id="{name}",
        arn="lambda:{region}:{account}:function:{name}",
        fill=_function,
        refresh=_function_refresh,
        pending=(
            Pending(("lastModified", "codeSha256", "sourceCodeSize"), "AWS stores other code", when=CODE),
            Pending(
                ("version", "qualifiedArn", "qualifiedInvokeArn"),
                "every change is published as a new version",
                only_if="publish",
            ),
        ),
    ),
    "aws:lambda/invocation:Invocation": Shape(id=_invocation_id, fill=_invocation),
    "aws:lambda/permission:Permission": Shape(id=_statement, fill=lambda new: {"statementId": new.id}),
}
