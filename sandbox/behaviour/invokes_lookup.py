"""Data sources that look for resources in the simulated account: by id, name, tags or EC2 filters."""

from __future__ import annotations

import fnmatch
import json
import re
from collections.abc import Callable, Mapping
from typing import Final

from sandbox.behaviour import regions
from sandbox.behaviour.model import AwsError, Properties, Session, World
from sandbox.behaviour.outputs_base import LOWER, Ids

VPC: Final = "aws:ec2/vpc:Vpc"
FILTERS: Final[Mapping[str, str]] = {
    "availability-zone": "availabilityZone",
    "availability-zone-id": "availabilityZoneId",
    "cidr": "cidrBlock",
    "cidr-block": "cidrBlock",
    "description": "description",
    "group-id": "id",
    "group-name": "name",
    "map-public-ip-on-launch": "mapPublicIpOnLaunch",
    "owner-id": "ownerId",
    "state": "state",
    "subnet-id": "id",
    "vpc-id": "vpcId",
}
"""The EC2 filters that are simulated, besides `tag:NAME` and `tag-key`."""

Answer = Callable[[Properties, Session, World], Properties]


def matching(
    token: str, args: Properties, world: World, *keys: str, filters: Mapping[str, str] = FILTERS
) -> list[Properties]:
    """List the resources of a type that fit the arguments `keys`, `tags` and `filters`; each with its id.

    Raises:
        AwsError: a filter that is not simulated.

    """
    found = []
    for resource_id, outputs in world.all(token):
        item = {**outputs, "id": resource_id}
        if token == VPC:
            item.setdefault("vpcId", resource_id)
        tags = item.get("tagsAll", {})
        if all(item.get(key) == args[key] for key in keys if key in args) and all(
            tags.get(key) == value for key, value in args.get("tags", {}).items()
        ):
            found.append(item)
    return [item for item in found if all(_fits(item, one, filters) for one in args.get("filters", []))]


def _fits(item: Properties, wanted: Properties, filters: Mapping[str, str]) -> bool:
    name, values = wanted["name"], wanted["values"]
    tags = item.get("tagsAll", {})
    if name == "tag-key":
        return any(key in tags for key in values)
    if name.startswith("tag:"):
        actual = tags.get(name.removeprefix("tag:"))
    elif name in filters:
        actual = item.get(filters[name], "available" if name == "state" else None)
    else:
        raise AwsError("InvalidParameterValue", f"The filter '{name}' is invalid or not simulated", "filters")
    text = str(actual).lower() if isinstance(actual, bool) else actual
    return isinstance(text, str) and any(fnmatch.fnmatchcase(text, str(value)) for value in values)


def single(kind: str, found: list[Properties]) -> Properties:
    """Give the only match.

    Raises:
        AwsError: none or several.

    """
    if not found:
        raise AwsError("NotFound", f"no matching {kind} found")
    if len(found) > 1:
        raise AwsError(
            "TooManyResults", f"multiple {kind}s matched; use additional constraints to reduce matches"
        )
    return found[0]


def picked(item: Properties, *keys: str) -> Properties:
    """Give some of a resource's outputs, and its tags."""
    return {key: item[key] for key in keys if key in item} | {"tags": dict(item.get("tagsAll", {}))}


def kms_key(args: Properties, session: Session, world: World) -> Properties:
    """Answer getKey: by id, ARN, alias or alias ARN."""
    wanted = str(args["keyId"]).rpartition("key/")[2]
    if "alias/" in wanted:
        wanted = alias({"name": f"alias/{wanted.partition('alias/')[2]}"}, session, world)["targetKeyId"]
    item = world.find("aws:kms/key:Key", wanted)
    managed = item is None and args["keyId"].partition("alias/")[2].startswith("aws/")
    if item is None and not managed:
        raise AwsError("NotFoundException", f"Key '{args['keyId']}' does not exist", "keyId")
    item = item or {}
    enabled = item.get("isEnabled", True) is not False
    return {
        "arn": item.get(
            "arn", f"arn:{session.partition}:kms:{session.region}:{session.account_id}:key/{wanted}"
        ),
        "awsAccountId": session.account_id,
        "cloudHsmClusterId": "",
        "creationDate": Ids(wanted).moment().isoformat(),
        "customKeyStoreId": "",
        "customerMasterKeySpec": item.get("customerMasterKeySpec", "SYMMETRIC_DEFAULT"),
        "deletionDate": "",
        "description": item.get("description", ""),
        "enabled": enabled,
        "expirationModel": "",
        "id": wanted,
        "keyId": args["keyId"],
        "keyManager": "AWS" if managed else "CUSTOMER",
        "keySpec": item.get("customerMasterKeySpec", "SYMMETRIC_DEFAULT"),
        "keyState": "Enabled" if enabled else "Disabled",
        "keyUsage": item.get("keyUsage", "ENCRYPT_DECRYPT"),
        "multiRegion": item.get("multiRegion", False),
        "multiRegionConfigurations": [],
        "origin": "AWS_KMS",
        "pendingDeletionWindowInDays": 0,
        "region": session.region,
        "validTo": "",
        "xksKeyConfigurations": [],
    }


def alias(args: Properties, session: Session, world: World) -> Properties:
    """Answer the alias data source; the aliases of AWS's own keys always exist."""
    name = args["name"]
    arn = f"arn:{session.partition}:kms:{session.region}:{session.account_id}"
    item = world.find("aws:kms/alias:Alias", name)
    if item is None and not name.startswith("alias/aws/"):
        raise AwsError("NotFoundException", f"Alias {arn}:{name} is not found.", "name")
    own = Ids(session.account_id, session.region, name.removeprefix("alias/")).uuid()
    target = (item or {}).get("targetKeyArn", f"{arn}:key/{own}")
    key = target.rpartition("key/")[2]
    return {
        "arn": f"{arn}:{name}",
        "id": f"{arn}:{name}",
        "name": name,
        "region": session.region,
        "targetKeyArn": target,
        "targetKeyId": key,
    }


def zone(args: Properties, _session: Session, world: World) -> Properties:
    """Answer the Route 53 data source."""
    wanted = str(args.get("name", "")).rstrip(".")
    found = [
        item
        for item in matching("aws:route53/zone:Zone", {"tags": args.get("tags", {})}, world)
        if args.get("zoneId") in (None, item["id"])
        and (not wanted or str(item.get("name", "")).rstrip(".") == wanted)
        and (
            args.get("zoneId") or bool(item.get("vpcs")) == bool(args.get("privateZone") or args.get("vpcId"))
        )
    ]
    item = single("Route 53 Hosted Zone", found)
    return picked(item, "arn", "comment", "id", "name", "nameServers", "primaryNameServer", "zoneId") | {
        "callerReference": f"simulated-{item['id']}",
        "enableAcceleratedRecovery": False,
        "linkedServiceDescription": "",
        "linkedServicePrincipal": "",
        "privateZone": bool(item.get("vpcs")),
        "resourceRecordSetCount": 2,
        **({"vpcId": args["vpcId"]} if "vpcId" in args else {}),
    }


def secret(args: Properties, _session: Session, world: World) -> Properties:
    """Answer getSecret."""
    item = single(
        "Secrets Manager Secret", matching("aws:secretsmanager/secret:Secret", args, world, "arn", "name")
    )
    stamp = Ids(item["id"]).moment().isoformat()
    return picked(item, "arn", "id", "name", "region") | {
        "createdDate": stamp,
        "lastChangedDate": stamp,
        "description": item.get("description", ""),
        "kmsKeyId": item.get("kmsKeyId", ""),
        "policy": item.get("policy", ""),
        "type": item.get("type", ""),
    }


def parameter(args: Properties, session: Session, world: World) -> Properties:
    """Answer the SSM data source: parameters of the account, and AWS's public parameters with image ids."""
    name = args["name"]
    item = world.find("aws:ssm/parameter:Parameter", name)
    arn = f"arn:{session.partition}:ssm:{session.region}:{session.account_id}:parameter/{name.lstrip('/')}"
    base = {
        "id": name,
        "name": name,
        "region": session.region,
        "withDecryption": args.get("withDecryption", True),
    }
    if item is not None:
        value, kind = item.get("value") or item.get("insecureValue", ""), item["type"]
        return {**base, "arn": arn, "type": kind, "value": value, "version": item.get("version", 1)} | {
            "insecureValue": "" if kind == "SecureString" else value
        }
    value = _public_parameter(name, session)
    public = f"arn:{session.partition}:ssm:{session.region}::parameter{name}"
    return {**base, "arn": public, "type": "String", "value": value, "version": 1, "insecureValue": value}


def _public_parameter(name: str, session: Session) -> str:
    image = f"ami-{Ids(session.region, re.sub('/(image_id|recommended)', '', name)).hex(17)}"
    if name.startswith("/aws/service/ecs/optimized-ami/"):
        if name.endswith("/image_id"):
            return image
        return json.dumps({"image_id": image, "image_name": f"simulated-{name.split('/')[5]}", "os": "Linux"})
    if name.startswith(
        ("/aws/service/ami-", "/aws/service/bottlerocket/", "/aws/service/eks/optimized-ami/")
    ):
        return image
    raise AwsError("ParameterNotFound", f"no SSM parameter {name} in account {session.account_id}", "name")


def by_name(kind: str, token: str, key: str, *names: str, tagged: bool = True) -> Answer:
    """Make the answer of a data source that finds one resource by `key` and gives some of its outputs."""

    def answer(args: Properties, _session: Session, world: World) -> Properties:
        item = picked(single(kind, matching(token, args, world, key)), "id", key, *names)
        return item if tagged else {name: value for name, value in item.items() if name != "tags"}

    return answer


def registry_token(args: Properties, session: Session, _world: World) -> Properties:
    """Answer the ECR authorization token with a token that says that it is simulated."""
    registry = args.get("registryId", session.account_id)
    password = f"simulated-{Ids(registry, session.region).text(LOWER, 24)}"
    host = f"{registry}.dkr.ecr.{session.region}.{regions.dns_suffix(session.region)}"
    return {
        "authorizationToken": f"simulated:{password}",
        "expiresAt": "2026-01-05T20:00:00Z",
        "id": session.region,
        "password": password,
        "proxyEndpoint": f"https://{host}",
        "region": session.region,
        "registryId": registry,
        "userName": "AWS",
    }
