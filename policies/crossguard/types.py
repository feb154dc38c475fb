"""Tokens of resource types: several reach the same resource, and no rule may be walked round by choosing another.

A test derives all such tokens from the installed provider, so that a new version of it cannot add one unseen.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from policies.crossguard.values import Secret

_SAME_MODULE: Final = {
    "alb": "lb",
    "applicationloadbalancing": "lb",
    "elasticloadbalancing": "elb",
    "elasticloadbalancingv2": "lb",
    "elasticsearch": "opensearch",
}
"""Modules whose resources are those of another one."""
_SECOND_VERSIONS: Final = (
    "Bucket",
    "BucketAccelerateConfiguration",
    "BucketAcl",
    "BucketCorsConfiguration",
    "BucketLifecycleConfiguration",
    "BucketLogging",
    "BucketObjectLockConfiguration",
    "BucketRequestPaymentConfiguration",
    "BucketServerSideEncryptionConfiguration",
    "BucketVersioning",
    "BucketWebsiteConfiguration",
)
"""Types of S3 that can also be had with V2 behind the name."""
_RENAMED: Final = {
    "chime/voiceConnectorOrganization": "chime/voiceConnectorOrigination",
    "directoryservice/conditionalForwader": "directoryservice/conditionalForwarder",
    "directoryservice/logService": "directoryservice/logSubscription",
    "ec2/encryptionControl": "ec2/vpcEncryptionControl",
    "ec2/transitGatewayPeeringAttachmentAccepter": "ec2transitgateway/peeringAttachmentAccepter",
    "lambda/microvmsImage": "lambdamicrovms/image",
    "s3/BucketObject": "s3/bucketObjectv2",
    "s3/bucketObject": "s3/bucketObjectv2",
    "ses/confgurationSet": "ses/configurationSet",
    "workspaces/webBrowserSettings": "workspacesweb/browserSettings",
    "workspaces/webNetworkSettings": "workspacesweb/networkSettings",
    "workspaces/webUserSettings": "workspacesweb/userSettings",
}
"""Other names, present and former, without the class behind the colon, which is the last part in upper case."""
_RULE: Final = "replicationConfigurations.rules"
_SINGLE: Final = {
    "lifecycleRules.expirations": "expiration",
    "lifecycleRules.noncurrentVersionExpirations": "noncurrentVersionExpiration",
    "loggings": "logging",
    "objectLockConfiguration.rules": "rule",
    "objectLockConfiguration.rules.defaultRetentions": "defaultRetention",
    "replicationConfigurations": "replicationConfiguration",
    f"{_RULE}.destinations": "destination",
    f"{_RULE}.destinations.accessControlTranslations": "accessControlTranslation",
    f"{_RULE}.destinations.metrics": "metrics",
    f"{_RULE}.destinations.replicationTimes": "replicationTime",
    f"{_RULE}.filters": "filter",
    f"{_RULE}.sourceSelectionCriterias": "sourceSelectionCriteria",
    f"{_RULE}.sourceSelectionCriterias.sseKmsEncryptedObjects": "sseKmsEncryptedObjects",
    "serverSideEncryptionConfigurations": "serverSideEncryptionConfiguration",
    "serverSideEncryptionConfigurations.rules": "rule",
    "serverSideEncryptionConfigurations.rules.applyServerSideEncryptionByDefaults": (
        "applyServerSideEncryptionByDefault"
    ),
    "versionings": "versioning",
    "websites": "website",
}
"""Properties that BucketV2 has as lists of one, and Bucket as the one, under this name."""


def _token(path: str) -> str:
    name = path.rpartition("/")[2]
    return f"aws:{path}:{name[0].upper()}{name[1:]}"


_SAME_TYPE: Final = {
    **{_token(old): _token(new) for old, new in _RENAMED.items()},
    **{
        _token(f"s3/{name[0].lower()}{name[1:]}V2"): _token(f"s3/{name[0].lower()}{name[1:]}")
        for name in _SECOND_VERSIONS
    },
}


def canonical(token: str) -> str:
    """Return the token under which the rules know a type; any other token is its own."""
    package, _, rest = token.partition(":")
    module, slash, name = rest.partition("/")
    if package == "aws" and module in _SAME_MODULE:
        return f"{package}:{_SAME_MODULE[module]}{slash}{name}"
    return _SAME_TYPE.get(token, token)


def canonical_properties(token: str, properties: Mapping[str, Any]) -> dict[str, Any]:
    """Return the properties under the names that the canonical type has for them."""
    if token != "aws:s3/bucketV2:BucketV2":
        return dict(properties)
    renamed: dict[str, Any] = _renamed(properties, "")
    return renamed


def _renamed(value: Any, path: str) -> Any:
    if isinstance(value, Secret):
        return Secret(_renamed(value.value, path))
    if isinstance(value, list):
        return [_renamed(item, path) for item in value]
    if not isinstance(value, Mapping):
        return value
    found = {}
    paths = {key: f"{path}.{key}" if path else key for key in value}
    # Names that the type does not have come first, or they would hide the ones that count.
    for key in sorted(value, key=lambda key: paths[key] in _SINGLE):
        new = _renamed(value[key], paths[key])
        # More than one is refused by AWS; what is wrong stays as it is, for a rule to stumble over.
        found[_SINGLE.get(paths[key], key)] = _only(new) if paths[key] in _SINGLE else new
    return found


def _only(value: Any) -> Any:
    if isinstance(value, Secret):
        return Secret(_only(value.value))
    return value[0] if isinstance(value, list) and len(value) == 1 else value
