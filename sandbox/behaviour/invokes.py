"""Data sources (invokes): one table by token; whatever is not in it is refused by name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from sandbox.behaviour import invokes_ec2, regions
from sandbox.behaviour import invokes_lookup as lookup
from sandbox.behaviour.invokes_policy import policy_document
from sandbox.behaviour.model import AwsError, Properties, Session, World
from sandbox.behaviour.outputs_base import UPPER, Ids
from sandbox.behaviour.schema import UnknownType

ELB_ACCOUNTS: Final = {
    "ap-northeast-1": "582318560864",
    "ap-southeast-1": "114774131450",
    "ap-southeast-2": "783225319266",
    "ca-central-1": "985666609251",
    "eu-central-1": "054676820928",
    "eu-north-1": "897822967062",
    "eu-west-1": "156460612806",
    "eu-west-2": "652711504416",
    "eu-west-3": "009996457667",
    "us-east-1": "127311923021",
    "us-east-2": "033677994240",
    "us-west-1": "027434742980",
    "us-west-2": "797873946194",
}
"""The accounts that older regions' load balancers write access logs with."""

BUCKET_OUTPUTS: Final = (
    "arn",
    "bucketDomainName",
    "bucketRegion",
    "bucketRegionalDomainName",
    "hostedZoneId",
    "region",
    "websiteDomain",
    "websiteEndpoint",
)
ROLE_OUTPUTS: Final = (
    "arn",
    "assumeRolePolicy",
    "createDate",
    "description",
    "maxSessionDuration",
    "path",
    "permissionsBoundary",
    "uniqueId",
)
REVERSE_DNS: Final = {"aws": "com.amazonaws", "aws-cn": "cn.com.amazonaws", "aws-us-gov": "com.amazonaws"}


def invoke(token: str, args: Properties, session: Session, world: World) -> Properties:
    """Answer a data source.

    Args:
        token: Such as `aws:index/getRegion:getRegion`.
        args: The arguments, camelCase.
        session: Whose account and region; an argument `region` overrides the region.
        world: What exists.

    Raises:
        UnknownType: the sandbox does not simulate the data source.
        AwsError: nothing, or more than one thing, fits the arguments.

    """
    answer = INVOKES.get(token)
    if answer is None:
        raise UnknownType(
            f"the sandbox does not simulate the data source {token}; "
            "add it to INVOKES in sandbox/behaviour/invokes.py"
        )
    region = args.get("region")
    if isinstance(region, str) and region != session.region:
        session = Session(session.account_id, region, session.default_tags, session.preview)
    return answer({key: value for key, value in args.items() if value is not None}, session, world)


def _caller(_args: Properties, session: Session, _world: World) -> Properties:
    return {
        "accountId": session.account_id,
        "arn": f"arn:{session.partition}:sts::{session.account_id}:assumed-role/simulated/simulated",
        "id": session.account_id,
        "userId": f"AROA{Ids(session.account_id).text(UPPER, 17)}:simulated",
    }


def _region(args: Properties, session: Session, _world: World) -> Properties:
    region = str(args.get("name") or args.get("id") or session.region)
    endpoint = f"ec2.{region}.{regions.dns_suffix(region)}"
    if "endpoint" in args:
        region = str(args["endpoint"]).removeprefix("ec2.").partition(".")[0]
        endpoint = str(args["endpoint"])
    if region not in regions.ZONES:
        raise AwsError("InvalidParameterValue", f"region not found for name {region}", "name")
    description = regions.DESCRIPTIONS.get(region, region)
    return {"description": description, "endpoint": endpoint, "id": region, "name": region, "region": region}


def _regions(_args: Properties, session: Session, _world: World) -> Properties:
    names = [name for name in sorted(regions.ZONES) if Session("", name).partition == session.partition]
    return {"id": session.partition, "names": names}


def _partition(_args: Properties, session: Session, _world: World) -> Properties:
    partition = session.partition
    suffix = regions.dns_suffix(session.region)
    prefix = REVERSE_DNS[partition]
    return {"dnsSuffix": suffix, "id": partition, "partition": partition, "reverseDnsPrefix": prefix}


def _zone_facts(name: str) -> Properties:
    region = name[:-1]
    return {
        "groupLongName": f"{regions.DESCRIPTIONS.get(region, region)} 1",
        "groupName": f"{region}-zg-1",
        "id": name,
        "name": name,
        "nameSuffix": name[-1],
        "networkBorderGroup": region,
        "optInStatus": "opt-in-not-required",
        "parentZoneId": "",
        "parentZoneName": "",
        "region": region,
        "state": "available",
        "zoneId": regions.zone_id(name),
        "zoneType": "availability-zone",
    }


_ZONE_FILTERS: Final = {
    "group-name": "groupName",
    "opt-in-status": "optInStatus",
    "region-name": "region",
    "state": "state",
    "zone-id": "zoneId",
    "zone-name": "name",
    "zone-type": "zoneType",
}


def _matching_zones(args: Properties, session: Session) -> list[Properties]:
    found = [_zone_facts(name) for name in regions.zones(session.region)]
    for wanted in args.get("filters", []):
        if wanted["name"] not in _ZONE_FILTERS:
            raise AwsError("InvalidParameterValue", f"The filter '{wanted['name']}' is invalid", "filters")
        found = [zone for zone in found if zone[_ZONE_FILTERS[wanted["name"]]] in wanted["values"]]
    return [zone for zone in found if args.get("state") in (None, zone["state"])]


def _availability_zones(args: Properties, session: Session, _world: World) -> Properties:
    found = [
        zone
        for zone in _matching_zones(args, session)
        if zone["name"] not in args.get("excludeNames", [])
        and zone["zoneId"] not in args.get("excludeZoneIds", [])
    ]
    return {
        **{key: value for key, value in args.items() if key != "region"},
        "groupNames": sorted({zone["groupName"] for zone in found}),
        "id": session.region,
        "names": [zone["name"] for zone in found],
        "region": session.region,
        "zoneIds": [zone["zoneId"] for zone in found],
    }


def _availability_zone(args: Properties, session: Session, _world: World) -> Properties:
    found = [
        zone
        for zone in _matching_zones(args, session)
        if args.get("name") in (None, zone["name"]) and args.get("zoneId") in (None, zone["zoneId"])
    ]
    return lookup.single("EC2 Availability Zone", found)


def _service_principal(args: Properties, session: Session, _world: World) -> Properties:
    service = args["serviceName"]
    # Since 2024 almost every service in every partition is SERVICE.amazonaws.com; EC2 in China is not.
    china = session.partition == "aws-cn" and service in ("ec2", "elasticmapreduce")
    suffix = "amazonaws.com.cn" if china else "amazonaws.com"
    return {
        "id": f"{service}.{session.region}.{suffix}",
        "name": f"{service}.{suffix}",
        "region": session.region,
        "serviceName": service,
        "suffix": suffix,
    }


def _default_tags(_args: Properties, session: Session, _world: World) -> Properties:
    return {"id": session.partition, "tags": dict(session.default_tags)}


def _elb_account(_args: Properties, session: Session, _world: World) -> Properties:
    account = ELB_ACCOUNTS.get(session.region)
    if account is None:
        raise AwsError(
            "UnsupportedRegion", f"unsupported Region {session.region}: use the service principal", "region"
        )
    arn = f"arn:{session.partition}:iam::{account}:root"
    return {"arn": arn, "id": account, "region": session.region}


def _lb_zone(args: Properties, session: Session, _world: World) -> Properties:
    kind = args.get("loadBalancerType", "application")
    table = regions.NETWORK_LB_ZONES if kind == "network" else regions.APPLICATION_LB_ZONES
    zone = regions.hosted_zone(table, session.region)
    return {"id": zone, "loadBalancerType": kind, "region": session.region}


def _parse_arn(args: Properties, _session: Session, _world: World) -> Properties:
    parts = str(args["arn"]).split(":", 5)
    if len(parts) < 6 or parts[0] != "arn":
        raise AwsError("InvalidArn", f"{args['arn']} is not an ARN", "arn")
    keys = ("partition", "service", "region", "account", "resource")
    return {**dict(zip(keys, parts[1:], strict=True)), "arn": args["arn"], "id": args["arn"]}


def _policy_document(args: Properties, _session: Session, _world: World) -> Properties:
    return policy_document(args)


INVOKES: Final[Mapping[str, lookup.Answer]] = {
    "aws:index/getCallerIdentity:getCallerIdentity": _caller,
    "aws:index/getRegion:getRegion": _region,
    "aws:index/getRegions:getRegions": _regions,
    "aws:index/getPartition:getPartition": _partition,
    "aws:index/getAvailabilityZones:getAvailabilityZones": _availability_zones,
    "aws:index/getAvailabilityZone:getAvailabilityZone": _availability_zone,
    "aws:index/getServicePrincipal:getServicePrincipal": _service_principal,
    "aws:index/getDefaultTags:getDefaultTags": _default_tags,
    "aws:index/getArn:getArn": _parse_arn,
    "aws:iam/getPolicyDocument:getPolicyDocument": _policy_document,
    "aws:elb/getServiceAccount:getServiceAccount": _elb_account,
    "aws:lb/getHostedZoneId:getHostedZoneId": _lb_zone,
    "aws:ec2/getVpc:getVpc": invokes_ec2.vpc,
    "aws:ec2/getVpcs:getVpcs": invokes_ec2.vpcs,
    "aws:ec2/getSubnet:getSubnet": invokes_ec2.subnet,
    "aws:ec2/getSubnets:getSubnets": invokes_ec2.subnets,
    "aws:ec2/getSecurityGroup:getSecurityGroup": invokes_ec2.security_group,
    "aws:ec2/getSecurityGroups:getSecurityGroups": invokes_ec2.security_groups,
    "aws:ec2/getPrefixList:getPrefixList": invokes_ec2.prefix_list,
    "aws:ec2/getManagedPrefixList:getManagedPrefixList": invokes_ec2.managed_prefix_list,
    "aws:kms/getKey:getKey": lookup.kms_key,
    "aws:kms/getAlias:getAlias": lookup.alias,
    "aws:ssm/getParameter:getParameter": lookup.parameter,
    "aws:ecr/getAuthorizationToken:getAuthorizationToken": lookup.registry_token,
    "aws:route53/getZone:getZone": lookup.zone,
    "aws:secretsmanager/getSecret:getSecret": lookup.secret,
    "aws:sns/getTopic:getTopic": lookup.by_name("SNS Topic", "aws:sns/topic:Topic", "name", "arn", "region"),
    "aws:sqs/getQueue:getQueue": lookup.by_name(
        "SQS Queue", "aws:sqs/queue:Queue", "name", "arn", "region", "url"
    ),
    "aws:s3/getBucket:getBucket": lookup.by_name(
        "S3 Bucket", "aws:s3/bucket:Bucket", "bucket", *BUCKET_OUTPUTS, tagged=False
    ),
    "aws:iam/getRole:getRole": lookup.by_name("IAM Role", "aws:iam/role:Role", "name", *ROLE_OUTPUTS),
}
"""Answers by token. `invokes_ec2.py` and `invokes_lookup.py` hold those that look at what exists."""
