"""Machines: how they start, by launch templates above all, and the groups that start them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from policies.crossguard.checks import (
    all_of,
    any_of,
    at_most,
    each,
    is_absent,
    is_set,
    one_of,
    wanted,
    when,
)
from policies.crossguard.findings import Check, Finding, Violation
from policies.crossguard.rules import Rule, Severity, Tier
from policies.crossguard.values import View

TEMPLATE: Final = "aws:ec2/launchTemplate:LaunchTemplate"
CONFIGURATION: Final = "aws:ec2/launchConfiguration:LaunchConfiguration"
INSTANCE: Final = "aws:ec2/instance:Instance"
SPOT_REQUEST: Final = "aws:ec2/spotInstanceRequest:SpotInstanceRequest"
GROUP: Final = "aws:autoscaling/group:Group"
MACHINES: Final = (TEMPLATE, CONFIGURATION, INSTANCE, SPOT_REQUEST)

LEAST_ZONES: Final = 2
LEAST_TYPES: Final = 2


_SWITCHES: Final = {"true": True, "1": True, "false": False, "0": False, "": False}
"""Launch templates have true and false as texts."""


def _switched(path: str, *, on: bool) -> Check:
    """Return a check that something is on, or off; what is absent is off."""
    return wanted(path, "true" if on else "false", lambda value: _is_on(value) is on)


def _is_on(value: View) -> bool | None:
    return value.flag() if isinstance(value.known(), bool) else _SWITCHES.get(value.text().lower())


def _is_volume(mapping: View) -> bool:
    """Say whether a mapping gives the machine a volume: others take one of the image away, or name a local disk."""
    return not _is_on(mapping["noDevice"]) and mapping["virtualName"].empty


def _several(path: str, least: int, what: str) -> Check:
    return wanted(path, f"at least {least} {what}", lambda value: len([*value.items()]) >= least)


def _mixed(group: View) -> Iterator[Finding]:
    overrides = group.at("mixedInstancesPolicy.launchTemplate.overrides")
    if all(each["instanceRequirements"].empty for each in overrides.items()):
        types = {each["instanceType"].text() for each in overrides.items()} - {""}
        if len(types) < LEAST_TYPES:
            yield Violation(
                f"{overrides.path} has {len(types)} types of instances, want at least {LEAST_TYPES}"
            )


_volumes: Check = each("ebsBlockDevices", when(_is_volume, _switched("encrypted", on=True)))

RULES: Final = (
    Rule(
        name="instance-metadata-token",
        why="A request that somebody makes a program send gets the machine's credentials out of it.",
        fix="Set `httpTokens` of `metadataOptions` to required.",
        severity=Severity.HIGH,
        tier=Tier.EVERYWHERE,
        controls=("98",),
        references=("EC2.8", "EC2.170", "AutoScaling.3", "6.7", "CKV_AWS_79", "AWS-0130"),
        on=MACHINES,
        check=any_of(
            one_of("metadataOptions.httpEndpoint", {"disabled"}, default="enabled"),
            one_of("metadataOptions.httpTokens", {"required"}, default="optional"),
        ),
    ),
    Rule(
        name="instance-metadata-hops",
        why="Containers on the machine get its credentials.",
        fix="Set `httpPutResponseHopLimit` of `metadataOptions` to 1.",
        severity=Severity.HIGH,
        tier=Tier.EVERYWHERE,
        controls=("98",),
        references=("CKV_AWS_341",),
        on=MACHINES,
        check=at_most("metadataOptions.httpPutResponseHopLimit", 1, default=1),
    ),
    Rule(
        name="instance-no-public-address",
        why="A machine with a public address is found by everybody.",
        fix="Remove `associatePublicIpAddress`, and start the machine in private subnets.",
        severity=Severity.HIGH,
        tier=Tier.EVERYWHERE,
        controls=("99",),
        references=("EC2.25", "CKV_AWS_88", "AWS-0009", "ec2/LaunchTemplate/disallowPublicIp"),
        on=MACHINES,
        check=all_of(
            _switched("associatePublicIpAddress", on=False),
            each("networkInterfaces", _switched("associatePublicIpAddress", on=False)),
        ),
    ),
    Rule(
        name="launch-template-volumes-encrypted",
        why="Who gets a copy of a volume reads what is on it; volumes that are not named are as the image has them.",
        fix="Name the volumes in `blockDeviceMappings`, with `encrypted`.",
        severity=Severity.MEDIUM,
        tier=Tier.EVERYWHERE,
        controls=("99",),
        references=("EC2.181", "AWS-0008", "ec2/LaunchTemplate/disallowUnencryptedBlockDevice"),
        on=(TEMPLATE,),
        check=all_of(
            is_set("blockDeviceMappings", "the volumes"),
            each("blockDeviceMappings", when(_is_volume, _switched("ebs.encrypted", on=True))),
        ),
    ),
    Rule(
        name="instance-volumes-encrypted",
        why="Who gets a copy of a volume reads what is on it.",
        fix="Set `encrypted` of `rootBlockDevice` and of all `ebsBlockDevices`.",
        severity=Severity.MEDIUM,
        tier=Tier.EVERYWHERE,
        controls=("99",),
        references=("AWS-0008",),
        on=(CONFIGURATION, INSTANCE, SPOT_REQUEST),
        check=all_of(_switched("rootBlockDevice.encrypted", on=True), _volumes),
    ),
    Rule(
        name="autoscaling-group-zones",
        why="When the only zone fails, no machine is left, and none can be started.",
        fix="Give the group subnets in at least two zones.",
        severity=Severity.MEDIUM,
        tier=Tier.EVERYWHERE,
        controls=("100",),
        references=("AutoScaling.2",),
        on=(GROUP,),
        check=any_of(
            _several("vpcZoneIdentifiers", LEAST_ZONES, "subnets"),
            _several("availabilityZones", LEAST_ZONES, "zones"),
        ),
    ),
    Rule(
        name="autoscaling-group-launch-template",
        why="Launch configurations know no new settings, those for the protection of metadata among them.",
        fix="Use a launch template instead of `launchConfiguration`.",
        severity=Severity.MEDIUM,
        tier=Tier.EVERYWHERE,
        controls=("100",),
        references=("AutoScaling.9", "CKV_AWS_315"),
        on=(GROUP,),
        check=is_absent("launchConfiguration"),
    ),
    Rule(
        name="autoscaling-group-mixed-instances",
        why="When AWS runs out of the only type of instances, no machine can be started.",
        fix="Name at least two types of instances in `overrides` of `mixedInstancesPolicy`.",
        severity=Severity.MEDIUM,
        tier=Tier.EVERYWHERE,
        controls=("100",),
        references=("AutoScaling.6",),
        on=(GROUP,),
        check=_mixed,
    ),
)
