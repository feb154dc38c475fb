"""Lambda functions and who may call them, and the schedules that do."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from policies.crossguard.checks import all_of, at_least, is_set, none_of, one_of, when
from policies.crossguard.findings import Finding, Violation
from policies.crossguard.rules import Rule, Severity, Tier
from policies.crossguard.values import View
from policies.security.documents import Statement, each_grant, names_principals

FUNCTION: Final = "aws:lambda/function:Function"
FUNCTION_URL: Final = "aws:lambda/functionUrl:FunctionUrl"
PERMISSION: Final = "aws:lambda/permission:Permission"
LAYER_PERMISSION: Final = "aws:lambda/layerVersionPermission:LayerVersionPermission"
FUNCTION_POLICY: Final = "aws:lambda/resourcePolicy:ResourcePolicy"
SCHEDULE: Final = "aws:scheduler/schedule:Schedule"

SUPPORTED_RUNTIMES: Final = frozenset(
    {
        "dotnet10",
        *("java8.al2", "java11", "java17", "java21", "java25"),
        *("nodejs22.x", "nodejs24.x"),
        "provided.al2023",
        *("python3.11", "python3.12", "python3.13", "python3.14"),
        *("ruby3.3", "ruby3.4"),
    }
)
"""Runtimes that AWS had not deprecated in November 2026 (AWS Lambda Developer Guide, "Lambda runtimes")."""
LEAST_SUBNETS: Final = 2
SERVICES: Final = (".amazonaws.com", ".amazonaws.com.cn")


def _is_service(principal: str) -> bool:
    return principal.endswith(SERVICES)


def _of_whom(permission: View) -> Iterator[Finding]:
    principal, source = permission["principal"], permission["sourceArn"]
    if source.empty and _is_service(principal.text()):
        yield Violation(
            f"{source.path} is {source.shown()}, want the resource for which {principal.text()} calls"
        )


def _of_whom_in_grant(view: View) -> Iterator[Finding]:
    statement = Statement(view)
    services = [name for kind, name in statement.principals if kind == "Service"]
    if services and not statement.condition("aws:SourceArn"):
        yield Violation(f"{view.path} lets {', '.join(services)} in without the condition aws:SourceArn")


def _not_everybody(permission: View) -> Iterator[Finding]:
    principal = permission["principal"]
    if principal.text() == "*" and permission["principalOrgId"].empty and permission["organizationId"].empty:
        yield Violation(
            f"{principal.path} is {principal.shown()}, want an account, or an organization beside it"
        )


def _several_subnets(function: View) -> Iterator[Finding]:
    subnets = function.at("vpcConfig.subnetIds")
    count = len([*subnets.items()])
    if 0 < count < LEAST_SUBNETS:
        yield Violation(f"{subnets.path} has one, want at least {LEAST_SUBNETS} in several zones")


def _is_archive(function: View) -> bool:
    return function["packageType"].text("Zip") != "Image"


RULES: Final = (
    Rule(
        name="lambda-caller-named",
        why="A service calls the function for whoever asks it to, in any account.",
        fix="Set `sourceArn` to the resource for which the service calls.",
        severity=Severity.CRITICAL,
        tier=Tier.EVERYWHERE,
        controls=("101",),
        references=("CKV_AWS_364", "AWS-0067", "lambda/Permission/configureSourceArn"),
        on=(PERMISSION, FUNCTION_POLICY),
        check=all_of(_of_whom, each_grant("policy", _of_whom_in_grant)),
    ),
    Rule(
        name="lambda-not-public",
        why="Everybody can call the function, or read the layer.",
        fix="Name an account or a service in `principal`, and give no function URL without sign-in.",
        severity=Severity.CRITICAL,
        tier=Tier.EVERYWHERE,
        controls=("101",),
        references=("Lambda.1", "CKV_AWS_301"),
        on=(PERMISSION, FUNCTION_POLICY, LAYER_PERMISSION),
        check=all_of(
            _not_everybody,
            none_of("functionUrlAuthType", {"NONE"}),
            each_grant("policy", names_principals),
        ),
    ),
    Rule(
        name="lambda-url-signed",
        why="Everybody who finds the address of the function can call it.",
        fix="Set `authorizationType` to AWS_IAM.",
        severity=Severity.CRITICAL,
        tier=Tier.EVERYWHERE,
        controls=("101",),
        references=("CKV_AWS_258",),
        on=(FUNCTION_URL,),
        check=one_of("authorizationType", {"AWS_IAM"}),
    ),
    Rule(
        name="lambda-runtime-supported",
        why="A runtime that AWS has given up gets no more security updates.",
        fix="Set `runtime` to one that AWS supports.",
        severity=Severity.MEDIUM,
        tier=Tier.EVERYWHERE,
        controls=("102",),
        references=("Lambda.2", "CKV_AWS_363"),
        on=(FUNCTION,),
        check=when(_is_archive, one_of("runtime", SUPPORTED_RUNTIMES)),
    ),
    Rule(
        name="lambda-several-zones",
        why="A function in one zone stops with it.",
        fix="Give `vpcConfig` subnets in at least two zones.",
        severity=Severity.MEDIUM,
        tier=Tier.NOWHERE,
        controls=("102",),
        references=("Lambda.5",),
        on=(FUNCTION,),
        check=_several_subnets,
    ),
    Rule(
        name="lambda-concurrency-limited",
        why="A function that is called without end costs without end, and leaves nothing for others.",
        fix="Set `reservedConcurrentExecutions`.",
        severity=Severity.LOW,
        tier=Tier.NOWHERE,
        controls=("102",),
        references=("CKV_AWS_115", "lambda_concurrency_check"),
        on=(FUNCTION,),
        check=at_least("reservedConcurrentExecutions", 0, default=-1),
    ),
    Rule(
        name="lambda-environment-own-key",
        why="Who may look at the function reads its variables.",
        fix="Set `kmsKeyArn` to a key of your own.",
        severity=Severity.LOW,
        tier=Tier.NOWHERE,
        controls=("102",),
        references=("CKV_AWS_173",),
        on=(FUNCTION,),
        check=when(
            lambda function: not function.at("environment.variables").empty, is_set("kmsKeyArn", "a key")
        ),
    ),
    Rule(
        name="lambda-traced",
        why="Nobody can tell which call of a function was slow, and why.",
        fix="Set `mode` of `tracingConfig` to Active.",
        severity=Severity.LOW,
        tier=Tier.NOWHERE,
        controls=("102",),
        references=("Lambda.7", "CKV_AWS_50", "AWS-0066"),
        on=(FUNCTION,),
        check=one_of("tracingConfig.mode", {"Active"}),
    ),
    Rule(
        name="schedule-own-key",
        why="Who may look at the schedule reads what it sends.",
        fix="Set `kmsKeyArn` to a key of your own.",
        severity=Severity.MEDIUM,
        tier=Tier.PROD,
        controls=("103",),
        references=("CKV_AWS_297",),
        on=(SCHEDULE,),
        check=is_set("kmsKeyArn", "a key"),
    ),
    Rule(
        name="schedule-dead-letters",
        why="What a schedule could not do is forgotten, and nobody learns of it.",
        fix="Set `deadLetterConfig` of the target to a queue.",
        severity=Severity.MEDIUM,
        tier=Tier.PROD,
        controls=("103",),
        on=(SCHEDULE,),
        check=is_set("target.deadLetterConfig.arn", "a queue"),
    ),
)
