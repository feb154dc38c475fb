"""Cases of the rules about machines and the groups that start them."""

from __future__ import annotations

from typing import Any, Final

from policies.security.rules.instances import CONFIGURATION, GROUP, INSTANCE, SPOT_REQUEST, TEMPLATE
from tests.policies.cases import Case, Change

OPTIONS: Final = {"metadataOptions": {"httpTokens": "required", "httpPutResponseHopLimit": 1}}
MACHINE: Final[dict[str, Any]] = OPTIONS | {
    "associatePublicIpAddress": False,
    "rootBlockDevice": {"encrypted": True},
    "ebsBlockDevices": [
        {"deviceName": "/dev/sdb", "encrypted": True},
        {"deviceName": "/dev/sdc", "noDevice": True},
    ],
}
GOOD: Final[dict[str, dict[str, Any]]] = {
    TEMPLATE: OPTIONS
    | {
        "networkInterfaces": [{"associatePublicIpAddress": "false"}],
        "blockDeviceMappings": [
            {"deviceName": "/dev/xvda", "ebs": {"encrypted": "true"}},
            {"deviceName": "/dev/sdb", "virtualName": "ephemeral0"},
        ],
    },
    **dict.fromkeys((CONFIGURATION, INSTANCE, SPOT_REQUEST), MACHINE),
    GROUP: {
        "vpcZoneIdentifiers": ["subnet-1", "subnet-2"],
        "mixedInstancesPolicy": {
            "launchTemplate": {
                "launchTemplateSpecification": {"launchTemplateId": "lt-1"},
                "overrides": [{"instanceType": "m7g.large"}, {"instanceType": "m8g.large"}],
            }
        },
    },
}


def _case(rule: str, token: str, *changes: Change) -> Case:
    return Case(rule=rule, type=token, good=GOOD[token], changes=changes)


def _with_metadata(token: str) -> tuple[Case, ...]:
    return (
        _case("instance-metadata-token", token, Change(path="metadataOptions.httpTokens", bad="optional")),
        _case(
            "instance-metadata-hops",
            token,
            Change(path="metadataOptions.httpPutResponseHopLimit", bad=2, absent=False),
        ),
    )


def _with_volumes(token: str) -> tuple[Case, ...]:
    return (
        *_with_metadata(token),
        _case(
            "instance-no-public-address",
            token,
            Change(path="associatePublicIpAddress", bad=True, absent=False),
        ),
        _case(
            "instance-volumes-encrypted",
            token,
            Change(path="rootBlockDevice.encrypted", bad=False),
            Change(path="ebsBlockDevices[0].encrypted", bad=False),
        ),
    )


CASES: Final = (
    *_with_metadata(TEMPLATE),
    *_with_volumes(CONFIGURATION),
    *_with_volumes(INSTANCE),
    *_with_volumes(SPOT_REQUEST),
    _case(
        "instance-no-public-address",
        TEMPLATE,
        Change(path="networkInterfaces[0].associatePublicIpAddress", bad="true", absent=False),
        Change(path="networkInterfaces[0].associatePublicIpAddress", bad="True", absent=False),
        Change(path="networkInterfaces[0].associatePublicIpAddress", bad=True, absent=False),
        Change(path="networkInterfaces[0].associatePublicIpAddress", bad="perhaps", absent=False),
    ),
    _case(
        "launch-template-volumes-encrypted",
        TEMPLATE,
        Change(path="blockDeviceMappings[0].ebs.encrypted", bad="false"),
        Change(path="blockDeviceMappings[0].ebs.encrypted", bad=False),
        Change(path="blockDeviceMappings", bad=[]),
    ),
    _case(
        "autoscaling-group-zones",
        GROUP,
        Change(path="vpcZoneIdentifiers", bad=["subnet-1"]),
    ),
    _case(
        "autoscaling-group-launch-template",
        GROUP,
        Change(path="launchConfiguration", bad="old", absent=False),
    ),
    _case(
        "autoscaling-group-mixed-instances",
        GROUP,
        Change(path="mixedInstancesPolicy.launchTemplate.overrides", bad=[{"instanceType": "m7g.large"}]),
        Change(path="mixedInstancesPolicy.launchTemplate.overrides[1].instanceType", bad="m7g.large"),
    ),
)
