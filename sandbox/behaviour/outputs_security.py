"""What AWS answers for IAM, KMS, Secrets Manager, ACM, WAF, GuardDuty, Access Analyzer and SSM parameters."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from sandbox.behaviour.model import Properties
from sandbox.behaviour.outputs_base import MIXED, UPPER, New, Pending, Shape, known_text, stamp
from sandbox.behaviour.service_linked_roles import TOKEN as SERVICE_LINKED_ROLE
from sandbox.behaviour.service_linked_roles import role_name
from sandbox.behaviour.values import UNKNOWN, has_unknown

KEY: Final = "aws:kms/key:Key"
ROLE: Final = "aws:iam/role:Role"
WEB_ACL: Final = "aws:wafv2/webAcl:WebAcl"
_UNIQUE: Final = {
    ROLE: "AROA",
    SERVICE_LINKED_ROLE: "AROA",
    "aws:iam/instanceProfile:InstanceProfile": "AIPA",
}


def _iam(new: New) -> Properties:
    return {
        "createDate": stamp(new.ids.moment()),
        "uniqueId": _UNIQUE[new.token] + new.ids.text(UPPER, 17, "unique"),
    }


def _service_linked_role(new: New) -> Properties:
    name = role_name(new.outputs)
    # The provider reads whatever follows the only underscore as the suffix.
    suffix = {"customSuffix": name.partition("_")[2]} if name.count("_") == 1 else {}
    return {**_iam(new), "name": name, "path": _service_path(new), **suffix}


def _service_path(new: New) -> str:
    return f"/aws-service-role/{new.text('awsServiceName')}/"


def _attachment_count(new: New) -> Properties:
    return {"attachmentCount": 0, "policyId": "ANPA" + new.ids.text(UPPER, 17, "unique")}


def default_key_policy(new: New) -> str:
    """Write the policy that AWS gives to a key without one."""
    root = new.arn(f"iam::{new.account}:root")
    allow = {"Sid": "Enable IAM User Permissions", "Effect": "Allow", "Principal": {"AWS": root}}
    statement = {**allow, "Action": "kms:*", "Resource": "*"}
    document = {"Version": "2012-10-17", "Id": "key-default-1", "Statement": [statement]}
    return json.dumps(document, separators=(",", ":"))


def _key(new: New) -> Properties:
    rotated = new.outputs.get("enableKeyRotation") is True
    multi_region = new.outputs.get("multiRegion") is True
    return {
        "keyId": new.id,
        "policy": default_key_policy(new),
        "multiRegion": multi_region,
        "description": "",
        "rotationPeriodInDays": 365 if rotated else 0,
    }


def _key_id(new: New) -> str:
    return f"mrk-{new.ids.hex(32)}" if new.outputs.get("multiRegion") is True else new.ids.uuid()


def _alias_target(new: New) -> Properties:
    target = new.text("targetKeyId")
    arn = target if target.startswith("arn:") else new.local("kms", f"key/{target}")
    return {"targetKeyArn": arn, "namePrefix": ""}


def _alias_refresh(new: New, _old: Properties, changed: frozenset[str]) -> Properties:
    return {"targetKeyArn": _alias_target(new)["targetKeyArn"]} if "targetKeyId" in changed else {}


def _secret(new: New) -> Properties:
    replicas = new.items("replicas")
    for replica in replicas:
        replica.setdefault("kmsKeyId", "alias/aws/secretsmanager")
        replica |= {"status": "InSync", "statusMessage": "", "lastAccessedDate": ""}
    return {}


def _secret_version_id(new: New) -> str:
    return f"{new.text('secretId')}|{new.ids.uuid('version')}"


def _secret_version(new: New) -> Properties:
    secret, _, version = new.id.rpartition("|")
    return {
        "arn": secret,
        "secretArn": secret,
        "versionId": version,
        "versionStages": ["AWSCURRENT"],
        "hasSecretStringWo": "secretStringWo" in new.inputs,
    }


def _certificate_names(outputs: Properties) -> list[Any]:
    alternatives = outputs.get("subjectAlternativeNames")
    names = [outputs.get("domainName"), *(alternatives if isinstance(alternatives, list) else [])]
    return list(dict.fromkeys(name for name in names if isinstance(name, str)))


def _certificate(new: New) -> Properties:
    names, by_dns = _certificate_names(new.outputs), new.outputs.get("validationMethod") == "DNS"
    if "domainName" in new.outputs:
        new.outputs["subjectAlternativeNames"] = sorted(names)
    imported = "domainName" not in new.outputs
    private = "certificateAuthorityArn" in new.outputs
    options = []
    for name in names if by_dns else ():
        bare = name.removeprefix("*.")
        record = f"_{new.ids.hex(32, f'name{bare}')}.{bare}."
        zone = new.ids.text("bcdfghjklmnpqrstvwxyz", 10, "zone")
        value = f"_{new.ids.hex(32, f'value{bare}')}.{zone}.acm-validations.aws."
        options.append(
            {
                "domainName": name,
                "resourceRecordName": record,
                "resourceRecordType": "CNAME",
                "resourceRecordValue": value,
            }
        )
    return {
        "domainValidationOptions": options,
        "keyAlgorithm": "RSA_2048",
        "notAfter": "",
        "notBefore": "",
        "pendingRenewal": False,
        "renewalEligibility": "INELIGIBLE",
        "renewalSummaries": [],
        "status": "ISSUED" if imported or private else "PENDING_VALIDATION",
        "type": "IMPORTED" if imported else "PRIVATE" if private else "AMAZON_ISSUED",
        "validationEmails": [],
        "validationMethod": "NONE",
    }


def _planned_certificate(outputs: Properties) -> Properties:
    """Give the domain names of the validation records: the provider plans one record for each."""
    parts = (outputs.get("domainName"), outputs.get("subjectAlternativeNames", []))
    if outputs.get("validationMethod") != "DNS" or has_unknown(list(parts)):
        return {}
    unknown = dict.fromkeys(("resourceRecordName", "resourceRecordType", "resourceRecordValue"), UNKNOWN)
    return {
        "domainValidationOptions": [{"domainName": name, **unknown} for name in _certificate_names(outputs)]
    }


def _validated(new: New) -> Properties:
    certificate = new.lookup("aws:acm/certificate:Certificate", new.outputs.get("certificateArn"))
    options = certificate.get("domainValidationOptions", [])
    return (
        {"validationRecordFqdns": [item["resourceRecordName"].rstrip(".") for item in options]}
        if options
        else {}
    )


def _parameter(new: New) -> Properties:
    secure = new.outputs.get("type") == "SecureString"
    return {
        "dataType": "text",
        "tier": "Standard",
        "version": 1,
        "hasValueWo": "valueWo" in new.inputs,
        "keyId": "alias/aws/ssm" if secure else "",
        "value": new.text("insecureValue"),
        "insecureValue": "" if secure else new.text("value"),
    }


def _parameter_refresh(new: New, old: Properties, changed: frozenset[str]) -> Properties:
    if not changed & {"value", "insecureValue", "description", "valueWoVersion"}:
        return {}
    answer: Properties = {"version": int(old.get("version", 1)) + 1}
    secure = new.outputs.get("type") == "SecureString"
    if "value" in changed and "value" in new.inputs:
        answer["insecureValue"] = "" if secure else new.inputs["value"]
    if "insecureValue" in changed and "insecureValue" in new.inputs:
        answer["value"] = new.inputs["insecureValue"]
    return answer


def _parameter_arn(new: New) -> str:
    name = new.text("name")
    return new.format(f"ssm:{{region}}:{{account}}:parameter{'' if name.startswith('/') else '/'}{name}")


def _waf(kind: str, **values: Any) -> Shape:
    def arn(new: New) -> str:
        scope = "global" if new.outputs.get("scope") == "CLOUDFRONT" else "regional"
        return new.format(f"wafv2:{{region}}:{{account}}:{scope}/{kind}/{{name}}/{{id}}")

    def relock(new: New, _old: Properties, changed: frozenset[str]) -> Properties:
        return {"lockToken": new.ids.uuid("lock"), **_capacity(new)} if changed - {"tags", "tagsAll"} else {}

    def fill(new: New) -> Properties:
        return {"lockToken": new.ids.uuid("lock"), **_capacity(new)}

    pending = Pending(
        ("lockToken", *(("capacity",) if kind == "webacl" else ())), "AWS locks and counts anew"
    )
    return Shape(id="{uuid}", arn=arn, values=values, fill=fill, refresh=relock, pending=(pending,))


def _capacity(new: New) -> Properties:
    """Count web ACL capacity units roughly: managed groups 700, rate rules 2, others 1."""
    if new.token != WEB_ACL:
        return {}
    cost = {"managedRuleGroupStatement": 700, "rateBasedStatement": 2}
    statements = [rule.get("statement", {}) for rule in new.items("rules") if isinstance(rule, dict)]
    return {"capacity": sum(cost.get(next(iter(statement), ""), 1) for statement in statements)}


def _oidc_host(new: New) -> str:
    return new.text("url").removeprefix("https://")


SHAPES: Final[Mapping[str, Shape]] = {
    ROLE: Shape(id="{name}", arn="iam::{account}:role{path}{name}", fill=_iam),
    SERVICE_LINKED_ROLE: Shape(
        id="{arn}",
        arn=lambda new: f"iam::{new.account}:role{_service_path(new)}{role_name(new.outputs)}",
        fill=_service_linked_role,
    ),
    "aws:iam/instanceProfile:InstanceProfile": Shape(
        id="{name}", arn="iam::{account}:instance-profile{path}{name}", fill=_iam
    ),
    "aws:iam/policy:Policy": Shape(
        id="{arn}", arn="iam::{account}:policy{path}{name}", fill=_attachment_count
    ),
    "aws:iam/rolePolicy:RolePolicy": Shape(id="{role}:{name}"),
    "aws:iam/rolePolicyAttachment:RolePolicyAttachment": Shape(id="{role}/{policyArn}"),
    "aws:iam/openIdConnectProvider:OpenIdConnectProvider": Shape(
        id="{arn}",
        arn=lambda new: f"iam::{new.account}:oidc-provider/{_oidc_host(new)}",
        fill=lambda new: {"thumbprintLists": [new.ids.hex(40, "thumbprint")]},
    ),
    KEY: Shape(id=_key_id, arn="kms:{region}:{account}:key/{id}", fill=_key),
    "aws:kms/alias:Alias": Shape(
        id="{name}",
        arn="kms:{region}:{account}:{name}",
        fill=_alias_target,
        refresh=_alias_refresh,
        pending=(Pending(("targetKeyArn",), "the alias points to another key", when=("targetKeyId",)),),
    ),
    "aws:secretsmanager/secret:Secret": Shape(
        id="{arn}",
        arn=lambda new: new.format(
            f"secretsmanager:{{region}}:{{account}}:secret:{{name}}-{new.ids.text(MIXED, 6, 'arn')}"
        ),
        fill=_secret,
    ),
    "aws:secretsmanager/secretVersion:SecretVersion": Shape(id=_secret_version_id, fill=_secret_version),
    "aws:secretsmanager/secretPolicy:SecretPolicy": Shape(id="{secretArn}"),
    "aws:secretsmanager/secretRotation:SecretRotation": Shape(
        id="{secretId}", values={"rotationEnabled": True}
    ),
    "aws:acm/certificate:Certificate": Shape(
        id="{arn}",
        arn="acm:{region}:{account}:certificate/{uuid}",
        fill=_certificate,
        planned=_planned_certificate,
        without_defaults=frozenset({"keyAlgorithm"}),
    ),
    "aws:acm/certificateValidation:CertificateValidation": Shape(
        id=lambda new: new.ids.moment().strftime("%Y-%m-%d %H:%M:%S +0000 UTC"), fill=_validated
    ),
    "aws:ssm/parameter:Parameter": Shape(
        id="{name}",
        arn=_parameter_arn,
        fill=_parameter,
        refresh=_parameter_refresh,
        pending=(
            Pending(("version",), "each value is a version", when=("value", "insecureValue", "description")),
            Pending(("value",), "one follows from the other", when=("insecureValue",)),
            Pending(("insecureValue",), "one follows from the other", when=("value",)),
        ),
    ),
    "aws:wafv2/ipSet:IpSet": _waf("ipset"),
    WEB_ACL: _waf("webacl", applicationIntegrationUrl=""),
    "aws:wafv2/webAclAssociation:WebAclAssociation": Shape(id="{webAclArn},{resourceArn}"),
    "aws:wafv2/webAclLoggingConfiguration:WebAclLoggingConfiguration": Shape(id="{resourceArn}"),
    "aws:guardduty/detector:Detector": Shape(
        id="{hex32}", arn="guardduty:{region}:{account}:detector/{id}", values={"accountId": "{account}"}
    ),
    "aws:accessanalyzer/analyzer:Analyzer": Shape(
        id="{analyzerName}", arn="access-analyzer:{region}:{account}:analyzer/{analyzerName}"
    ),
}

__all__ = ["KEY", "ROLE", "SHAPES", "default_key_policy", "known_text"]
