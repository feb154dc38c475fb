"""What the simulated AWS answers: over all types by table, and the exact form of what programs use."""

from __future__ import annotations

import inspect
import ipaddress
import re
from collections.abc import Iterable
from functools import cache
from typing import Any

import pytest

from sandbox.behaviour import cloud, outputs
from sandbox.behaviour.model import EmptyWorld, Properties, Session
from sandbox.behaviour.schema import UnknownType, all_facts
from sandbox.behaviour.values import UNKNOWN
from tests.behaviour.changes import (
    ACCOUNT,
    BALANCER,
    BALANCER_ARN,
    BUCKET,
    CACHE,
    CHANGES,
    DATABASE,
    GATEWAY,
    HEX,
    INTERFACE,
    KEY_ID,
    LISTENER,
    NETWORK,
    REGION,
    ROLE,
    SERVICE,
    SERVICE_ROLE,
    SUBNETS,
    SYSTEM_ID,
    TARGETS,
    TASK,
    TEMPLATE,
    VPC,
    VPC_ID,
)
from tests.sdk import sdk_module

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:pulumi_aws")

SESSION = Session(ACCOUNT, REGION, {"owner": "data"})
AWS_TYPES = sorted(token for token in all_facts() if token.startswith("aws:"))
GROUP = f"sg-{HEX}"
LOG_POLICY = "aws:cloudwatch/logResourcePolicy:LogResourcePolicy"
LOG_GROUP_ARN = f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:/airflow"

MAY_BE_EMPTY = {
    "aws:acm/certificate:Certificate": {"notAfter", "notBefore"},  # until it is issued
    "aws:cloudwatch/logResourcePolicy:LogResourcePolicy": {"revisionId"},  # of the account
    "aws:dynamodb/table:Table": {"streamArn", "streamLabel"},  # without a stream
    "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup": {"namePrefix"},
    "aws:ec2/eip:Eip": {  # until it is attached
        "associationId",
        "carrierIp",
        "customerOwnedIp",
        "privateDns",
        "privateIp",
        "ptrRecord",
    },
    "aws:ec2/natGateway:NatGateway": {  # of regional gateways
        "associationId",
        "autoProvisionZones",
        "autoScalingIps",
        "publicIp",
        "regionalNatGatewayAutoMode",
        "routeTableId",
    },
    "aws:ec2/route:Route": {"instanceId", "instanceOwnerId"},  # of routes to instances
    "aws:ec2/subnet:Subnet": {"ipv6CidrBlockAssociationId"},
    "aws:ec2/vpc:Vpc": {"ipv6AssociationId"},
    "aws:ec2/vpcEndpoint:VpcEndpoint": {"prefixListId"},  # of gateway endpoints
    "aws:efs/fileSystem:FileSystem": {"availabilityZoneId", "name"},  # One Zone; the Name tag
    "aws:elasticache/replicationGroup:ReplicationGroup": {"configurationEndpointAddress"},  # cluster mode
    "aws:lambda/function:Function": {"signingJobArn", "signingProfileVersionArn"},
    "aws:mq/broker:Broker": {"pendingDataReplicationMode"},
    "aws:opensearch/domain:Domain": {"dashboardEndpointV2", "endpointV2"},
    "aws:rds/instance:Instance": {"latestRestorableTime"},  # without backups
    "aws:rds/proxyTarget:ProxyTarget": {"endpoint", "targetArn", "trackedClusterId"},  # of what exists
    "aws:s3/bucket:Bucket": {"websiteDomain", "websiteEndpoint"},
    "aws:sfn/stateMachine:StateMachine": {
        "description",
        "revisionId",
        "stateMachineVersionArn",
        "versionDescription",
    },
    "aws:sns/topic:Topic": {"beginningArchiveTime"},
    "aws:wafv2/webAcl:WebAcl": {"applicationIntegrationUrl"},
}
"""Computed texts that AWS leaves empty for the samples."""

NOT_FILLED = {
    "aws:acm/certificate:Certificate": {"options"},
    "aws:autoscaling/group:Group": {"launchTemplate", "mixedInstancesPolicy"},
    "aws:backup/restoreTestingSelection:RestoreTestingSelection": {"protectedResourceArns"},
    "aws:dynamodb/table:Table": {"globalTableWitness", "serverSideEncryption"},
    "aws:ec2/launchTemplate:LaunchTemplate": {"metadataOptions"},
    "aws:ec2/vpcEndpoint:VpcEndpoint": {"dnsOptions"},
    "aws:guardduty/detector:Detector": {"datasources"},
    "aws:s3/bucket:Bucket": {"logging", "objectLockConfiguration", "replicationConfiguration", "website"},
}
"""Blocks that AWS does not answer when the program leaves them out."""


class World:
    """A world made of a dict."""

    def __init__(self, *resources: tuple[str, str, Properties]) -> None:
        """Hold (type, id, outputs)."""
        self.resources = resources

    def find(self, token: str, id: str) -> Properties | None:
        """Find by id."""
        return next((found for kind, key, found in self.resources if (kind, key) == (token, id)), None)

    def all(self, token: str) -> Iterable[tuple[str, Properties]]:
        """List by type."""
        return [(key, found) for kind, key, found in self.resources if kind == token]


SUBNET_A = {"vpcId": VPC_ID, "cidrBlock": "10.0.1.0/24", "availabilityZone": "eu-west-1a"}
SUBNET_B = {"vpcId": VPC_ID, "cidrBlock": "10.0.2.0/24", "availabilityZone": "eu-west-1b"}
WORLD = World(
    ("aws:ec2/vpc:Vpc", VPC_ID, {"defaultSecurityGroupId": GROUP}),
    ("aws:ec2/subnet:Subnet", SUBNETS[0], SUBNET_A),
    ("aws:ec2/subnet:Subnet", SUBNETS[1], SUBNET_B),
    ("aws:ec2/eip:Eip", f"eipalloc-{HEX}", {"publicIp": "52.208.1.2"}),
    ("aws:rds/subnetGroup:SubnetGroup", "db", {"name": "db", "vpcId": VPC_ID, "subnetIds": SUBNETS[:2]}),
    ("aws:route53/zone:Zone", "Z1", {"name": "example.com"}),
    ("aws:ecs/taskDefinition:TaskDefinition", "web", {"family": "web", "revision": 4}),
)


def made(token: str, inputs: Properties, world: Any = WORLD, name: str = "it", seed: bytes = b"seed") -> Any:
    return outputs.created(token, name, inputs, SESSION, world, seed)


def sample(token: str) -> Properties:
    """Return inputs of a type: those of the change table, or its required properties filled in."""
    for row in CHANGES:
        if row.token == token:
            return row.base
    values = {"string": "value", "int": 1, "number": 1, "bool": True, "list": [], "map": {}, "object": {}}
    specs = all_facts()[token]["properties"]
    named = {key: f"{key}-1" for key in ("name", "policyName", "resourceId") if key in specs}
    required = {key: values[spec["type"]] for key, spec in specs.items() if spec.get("required")}
    extra = {"dbInstanceIdentifier": "metadata"} if "dbInstanceIdentifier" in specs else {}
    return {**required, **named, **extra}


@cache
def types_in_sdk(token: str) -> dict[str, str]:
    """Return the output properties of the SDK's resource class, with their types as text."""
    _, path, name = token.split(":")
    module, file = path.split("/")
    file = re.sub("([A-Z])", lambda match: f"_{match[1].lower()}", file)
    package = "lambda_" if module == "lambda" else module
    cls = getattr(sdk_module(package, file), name)
    found = inspect.getmembers(cls, lambda member: isinstance(member, property))
    own = {getattr(value.fget, "_pulumi_name", key): value.fget for key, value in found}
    hidden = {"id", "urn", "pulumi_resource_name", "pulumi_resource_type"}
    return {key: str(getter.__annotations__["return"]) for key, getter in own.items() if key not in hidden}


def kind_of(annotation: str) -> type | tuple[type, ...]:
    inner = annotation.replace("typing.", "").split("Output[", 1)[1]
    inner = inner.removeprefix("Optional[")
    if inner.startswith("Sequence["):
        return list
    if inner.startswith(("Mapping[", "ForwardRef", "outputs.", "'")):
        return dict
    scalars: dict[str, type | tuple[type, ...]] = {
        "str": str,
        "int": int,
        "bool": bool,
        "float": (int, float),
    }
    return scalars[inner.split("]")[0]]


@pytest.mark.parametrize("token", AWS_TYPES)
def test_every_computed_output_is_present(token: str) -> None:
    answer = made(token, sample(token)).outputs
    computed = set(all_facts()[token]["computedOutputs"])

    assert computed - {key for key, value in answer.items() if value != ""} <= MAY_BE_EMPTY.get(token, set())


@pytest.mark.parametrize("token", AWS_TYPES)
def test_every_optional_computed_property_is_present(token: str) -> None:
    answer = made(token, sample(token)).outputs
    optional = {key for key, spec in all_facts()[token]["properties"].items() if spec.get("computed")}

    assert optional - answer.keys() <= NOT_FILLED.get(token, set())


@pytest.mark.parametrize("token", AWS_TYPES)
def test_outputs_have_the_types_of_the_sdk(token: str) -> None:
    computed = {
        *all_facts()[token]["computedOutputs"],
        *(key for key, spec in all_facts()[token]["properties"].items() if spec.get("computed")),
    }
    answer = made(token, sample(token)).outputs
    wrong = {
        key: value
        for key, value in answer.items()
        if key in computed and not isinstance(value, kind_of(types_in_sdk(token)[key]))
    }

    assert wrong == {}


@pytest.mark.parametrize("token", AWS_TYPES)
def test_outputs_are_properties_of_the_sdk(token: str) -> None:
    assert made(token, sample(token)).outputs.keys() - types_in_sdk(token).keys() == set()


@pytest.mark.parametrize(
    "token", [token for token in AWS_TYPES if "arn" in all_facts()[token]["computedOutputs"]]
)
def test_arns_have_the_form_of_arns(token: str) -> None:
    answer = made(token, sample(token)).outputs["arn"]

    assert re.fullmatch(rf"arn:aws:[a-z0-9-]+:({REGION})?:({ACCOUNT})?:[^{{}}\s]+", answer)


@pytest.mark.parametrize("token", AWS_TYPES)
def test_ids_are_filled(token: str) -> None:
    assert re.fullmatch(r"[^{}]+", made(token, sample(token)).id)


@pytest.mark.parametrize("token", AWS_TYPES)
def test_same_seed_gives_the_same_resource(token: str) -> None:
    assert made(token, sample(token)) == made(token, sample(token))


@pytest.mark.parametrize("token", AWS_TYPES)
def test_plan_knows_inputs_and_region_and_leaves_the_rest_unknown(token: str) -> None:
    facts, inputs = all_facts()[token], sample(token)
    planned = cloud.plan(token, "it", inputs, SESSION)
    unknown = {key for key, value in planned.items() if value is UNKNOWN}
    optional = {key for key, spec in facts["properties"].items() if spec.get("computed")}
    expected = ({*facts["computedOutputs"], *optional} - inputs.keys()) - {"region", "tagsAll"}
    known = {key for key in expected if "default" in facts["properties"].get(key, {})}

    assert unknown == expected - known


@pytest.mark.parametrize("token", AWS_TYPES)
def test_pending_outputs_exist(token: str) -> None:
    facts = all_facts()[token]
    pending = {key for one in outputs.shape_of(token).pending for key in one.outputs}

    assert pending <= {*facts["computedOutputs"], *facts["properties"]}


def test_resources_differ() -> None:
    assert made("aws:ec2/vpc:Vpc", VPC, name="a").id != made("aws:ec2/vpc:Vpc", VPC, name="b").id


def test_other_seed_gives_another_resource() -> None:
    assert made("aws:ec2/vpc:Vpc", VPC, seed=b"1").id != made("aws:ec2/vpc:Vpc", VPC, seed=b"2").id


ID_FORMS = [
    ("aws:ec2/vpc:Vpc", VPC, r"vpc-[0-9a-f]{17}"),
    ("aws:ec2/eip:Eip", {}, r"eipalloc-[0-9a-f]{17}"),
    ("aws:rds/instance:Instance", DATABASE, r"db-[A-Z2-7]{26}"),
    ("aws:kms/key:Key", {}, r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"),
    ("aws:kms/key:Key", {"multiRegion": True}, r"mrk-[0-9a-f]{32}"),
    (
        "aws:secretsmanager/secret:Secret",
        {"name": "db"},
        rf"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:db-\w{{6}}",
    ),
    ("aws:ecs/service:Service", SERVICE, rf"arn:aws:ecs:{REGION}:{ACCOUNT}:service/airflow/web"),
    ("aws:ecs/taskDefinition:TaskDefinition", TASK, "web"),
    ("aws:efs/fileSystem:FileSystem", {}, r"fs-[0-9a-f]{17}"),
    ("aws:sqs/queue:Queue", {"name": "q"}, rf"https://sqs\.{REGION}\.amazonaws\.com/{ACCOUNT}/q"),
    ("aws:iam/rolePolicy:RolePolicy", {"role": "task", "name": "read"}, "task:read"),
    ("aws:route53/zone:Zone", {"name": "example.com"}, r"Z[0-9A-Z]{20}"),
    ("aws:route53/record:Record", {"zoneId": "Z1", "name": "A.b.", "type": "CNAME"}, "Z1_a.b_CNAME"),
    ("aws:s3/bucket:Bucket", BUCKET, BUCKET["bucket"]),
    ("aws:cloudwatch/eventRule:EventRule", {"name": "r", "eventBusName": "bus"}, "bus/r"),
    (LOG_POLICY, {"policyName": "events", "policyDocument": "{}"}, "events"),
    (LOG_POLICY, {"resourceArn": LOG_GROUP_ARN, "policyDocument": "{}"}, LOG_GROUP_ARN),
]


@pytest.mark.parametrize(("token", "inputs", "form"), ID_FORMS)
def test_id_form(token: str, inputs: Properties, form: str) -> None:
    assert re.fullmatch(form, made(token, inputs).id)


VALUE_FORMS = [
    (
        "aws:rds/instance:Instance",
        DATABASE,
        "endpoint",
        r"metadata\.[a-z0-9]{12}\.eu-west-1\.rds\.amazonaws\.com:5432",
    ),
    ("aws:rds/instance:Instance", DATABASE, "engineVersionActual", r"16\.4"),
    (
        "aws:elasticache/replicationGroup:ReplicationGroup",
        CACHE,
        "primaryEndpointAddress",
        r"master\.broker\.[a-z0-9]{6}\.euw1\.cache\.amazonaws\.com",
    ),
    (
        "aws:elasticache/replicationGroup:ReplicationGroup",
        {**CACHE, "transitEncryptionEnabled": False},
        "primaryEndpointAddress",
        r"broker\.[a-z0-9]{6}\.ng\.0001\.euw1\.cache\.amazonaws\.com",
    ),
    (
        "aws:lb/loadBalancer:LoadBalancer",
        BALANCER,
        "dnsName",
        r"internal-web-\d+\.eu-west-1\.elb\.amazonaws\.com",
    ),
    (
        "aws:lb/loadBalancer:LoadBalancer",
        {**BALANCER, "internal": False},
        "dnsName",
        r"web-\d+\.eu-west-1\.elb\.amazonaws\.com",
    ),
    ("aws:lb/loadBalancer:LoadBalancer", NETWORK, "arnSuffix", r"net/net/[0-9a-f]{16}"),
    ("aws:lb/loadBalancer:LoadBalancer", BALANCER, "zoneId", "Z32O12XQLNTSW2"),
    ("aws:lb/loadBalancer:LoadBalancer", BALANCER, "vpcId", VPC_ID),
    ("aws:lb/targetGroup:TargetGroup", TARGETS, "arnSuffix", r"targetgroup/web/[0-9a-f]{16}"),
    (
        "aws:lb/listener:Listener",
        LISTENER,
        "arn",
        BALANCER_ARN.replace("loadbalancer", "listener") + "/[0-9a-f]{16}",
    ),
    ("aws:efs/fileSystem:FileSystem", {}, "dnsName", r"fs-[0-9a-f]{17}\.efs\.eu-west-1\.amazonaws\.com"),
    (
        "aws:ecr/repository:Repository",
        {"name": "airflow"},
        "repositoryUrl",
        rf"{ACCOUNT}\.dkr\.ecr\.eu-west-1\.amazonaws\.com/airflow",
    ),
    (
        "aws:s3/bucket:Bucket",
        BUCKET,
        "bucketRegionalDomainName",
        r"dags-111111111111\.s3\.eu-west-1\.amazonaws\.com",
    ),
    ("aws:s3/bucket:Bucket", BUCKET, "hostedZoneId", "Z1BKCTXD74EZPE"),
    (
        "aws:lambda/function:Function",
        {"name": "f"},
        "invokeArn",
        (
            rf"arn:aws:apigateway:eu-west-1:lambda:path/2015-03-31/functions/arn:aws:lambda:eu-west-1:{ACCOUNT}:function:f"
            "/invocations"
        ),
    ),
    ("aws:ec2/eip:Eip", {}, "publicDns", r"ec2-[\d-]+\.eu-west-1\.compute\.amazonaws\.com"),
    (
        "aws:ecs/taskDefinition:TaskDefinition",
        TASK,
        "arn",
        rf"arn:aws:ecs:{REGION}:{ACCOUNT}:task-definition/web:5",
    ),
    ("aws:iam/role:Role", ROLE, "arn", rf"arn:aws:iam::{ACCOUNT}:role/task"),
    ("aws:iam/role:Role", ROLE, "uniqueId", r"AROA[A-Z2-7]{17}"),
    (
        "aws:iam/serviceLinkedRole:ServiceLinkedRole",
        SERVICE_ROLE,
        "arn",
        rf"arn:aws:iam::{ACCOUNT}:role/aws-service-role/ecs\.amazonaws\.com/AWSServiceRoleForECS",
    ),
    ("aws:iam/serviceLinkedRole:ServiceLinkedRole", SERVICE_ROLE, "name", "AWSServiceRoleForECS"),
    (
        "aws:iam/serviceLinkedRole:ServiceLinkedRole",
        SERVICE_ROLE,
        "path",
        "/aws-service-role/ecs.amazonaws.com/",
    ),
    ("aws:iam/serviceLinkedRole:ServiceLinkedRole", SERVICE_ROLE, "uniqueId", r"AROA[A-Z2-7]{17}"),
    (
        "aws:iam/serviceLinkedRole:ServiceLinkedRole",
        {"awsServiceName": "autoscaling.amazonaws.com", "customSuffix": "batch"},
        "name",
        "AWSServiceRoleForAutoScaling_batch",
    ),
    (
        "aws:iam/serviceLinkedRole:ServiceLinkedRole",
        {"awsServiceName": "ecs.application-autoscaling.amazonaws.com"},
        "customSuffix",
        "ECSService",
    ),
    ("aws:iam/policy:Policy", {"name": "p", "path": "/a/"}, "arn", rf"arn:aws:iam::{ACCOUNT}:policy/a/p"),
    (
        "aws:kms/alias:Alias",
        {"name": "alias/a", "targetKeyId": KEY_ID},
        "targetKeyArn",
        rf"arn:aws:kms:{REGION}:{ACCOUNT}:key/{KEY_ID}",
    ),
    *(
        (
            f"aws:backup/{token[0].lower()}{token[1:]}:{token}",
            {"backupVaultName": "airflow"},
            "backupVaultArn",
            rf"arn:aws:backup:{REGION}:{ACCOUNT}:backup-vault:airflow",
        )
        for token in ("VaultLockConfiguration", "VaultPolicy")
    ),
    (LOG_POLICY, {"policyName": "events", "policyDocument": "{}"}, "policyScope", "ACCOUNT"),
    (LOG_POLICY, {"policyName": "events", "policyDocument": "{}"}, "revisionId", ""),
    (LOG_POLICY, {"resourceArn": LOG_GROUP_ARN, "policyDocument": "{}"}, "policyScope", "RESOURCE"),
    (LOG_POLICY, {"resourceArn": LOG_GROUP_ARN, "policyDocument": "{}"}, "revisionId", "[0-9a-f-]{36}"),
    ("aws:route53/record:Record", {"zoneId": "Z1", "name": "db", "type": "A"}, "fqdn", r"db\.example\.com"),
    (
        "aws:ssm/parameter:Parameter",
        {"name": "a", "type": "String"},
        "arn",
        rf"arn:aws:ssm:{REGION}:{ACCOUNT}:parameter/a",
    ),
    ("aws:ec2/subnet:Subnet", {"availabilityZone": "eu-west-1b"}, "availabilityZoneId", "euw1-az2"),
    (
        "aws:ec2/natGateway:NatGateway",
        {"subnetId": SUBNETS[0], "allocationId": f"eipalloc-{HEX}"},
        "publicIp",
        r"52\.208\.1\.2",
    ),
    ("aws:ec2/vpcEndpoint:VpcEndpoint", GATEWAY, "prefixListId", "pl-6da54004"),
    ("aws:ec2/natGateway:NatGateway", {"subnetId": SUBNETS[0]}, "availabilityMode", "zonal"),
    ("aws:ec2/subnet:Subnet", {}, "privateDnsHostnameTypeOnLaunch", "ip-name"),
    ("aws:guardduty/detector:Detector", {}, "findingPublishingFrequency", "SIX_HOURS"),
    (
        "aws:efs/mountTarget:MountTarget",
        {"fileSystemId": SYSTEM_ID, "subnetId": SUBNETS[1]},
        "mountTargetDnsName",
        rf"eu-west-1b\.{SYSTEM_ID}\.efs\.eu-west-1\.amazonaws\.com",
    ),
]


@pytest.mark.parametrize(("token", "inputs", "key", "form"), VALUE_FORMS)
def test_value_form(token: str, inputs: Properties, key: str, form: str) -> None:
    assert re.fullmatch(form, made(token, inputs).outputs[key])


def test_private_address_of_nat_gateway_is_in_its_subnet() -> None:
    address = made("aws:ec2/natGateway:NatGateway", {"subnetId": SUBNETS[0]}).outputs["privateIp"]

    assert ipaddress.ip_address(address) in ipaddress.ip_network("10.0.1.0/24")


def test_interface_endpoint_has_an_interface_per_subnet() -> None:
    assert len(made("aws:ec2/vpcEndpoint:VpcEndpoint", INTERFACE).outputs["networkInterfaceIds"]) == 2


def test_interface_endpoint_names() -> None:
    answer = made("aws:ec2/vpcEndpoint:VpcEndpoint", INTERFACE)
    label = answer.outputs["dnsEntries"][0]["dnsName"].partition(".")[0]

    assert [entry["dnsName"] for entry in answer.outputs["dnsEntries"]] == [
        f"{label}.logs.eu-west-1.vpce.amazonaws.com",
        f"{label}-eu-west-1a.logs.eu-west-1.vpce.amazonaws.com",
        f"{label}-eu-west-1b.logs.eu-west-1.vpce.amazonaws.com",
        "logs.eu-west-1.amazonaws.com",
    ]


def test_default_group_is_that_of_the_vpc() -> None:
    assert made("aws:ec2/defaultSecurityGroup:DefaultSecurityGroup", {"vpcId": VPC_ID}).id == GROUP


def test_database_takes_the_default_group_of_its_vpc() -> None:
    answer = made("aws:rds/instance:Instance", {**DATABASE, "dbSubnetGroupName": "db"}).outputs

    assert answer["vpcSecurityGroupIds"] == [GROUP]


def test_managed_password_makes_a_secret() -> None:
    (secret,) = made("aws:rds/instance:Instance", DATABASE).outputs["masterUserSecrets"]

    assert re.fullmatch(
        rf"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:rds!db-[0-9a-f-]{{36}}-\w{{6}}",
        secret["secretArn"],
    )


def test_main_route_table_is_the_default_one() -> None:
    answer = made("aws:ec2/vpc:Vpc", VPC).outputs

    assert answer["mainRouteTableId"] == answer["defaultRouteTableId"]


def test_first_revision_of_a_family_is_one() -> None:
    assert made("aws:ecs/taskDefinition:TaskDefinition", TASK, EmptyWorld()).outputs["revision"] == 1


def test_default_tags_are_merged_and_the_resource_wins() -> None:
    answer = made("aws:ec2/vpc:Vpc", {**VPC, "tags": {"owner": "me", "a": "b"}}).outputs

    assert answer["tagsAll"] == {"owner": "me", "a": "b"}


def test_nested_defaults_are_echoed() -> None:
    health = made("aws:lb/targetGroup:TargetGroup", TARGETS).outputs["healthCheck"]

    assert (health["path"], health["interval"], health["matcher"], health["unhealthyThreshold"]) == (
        "/health",
        15,
        "200",
        3,
    )


def test_internal_keys_are_no_outputs() -> None:
    inputs = {**TARGETS, "__defaults": ["port"], "healthCheck": {"path": "/", "__defaults": []}}
    answer = made("aws:lb/targetGroup:TargetGroup", inputs).outputs

    assert ("__defaults" in answer, "__defaults" in answer["healthCheck"]) == (False, False)


def test_write_only_values_are_no_outputs() -> None:
    inputs = {**DATABASE, "passwordWo": "secret", "passwordWoVersion": 1}

    assert "passwordWo" not in made("aws:rds/instance:Instance", inputs).outputs


def test_inputs_are_not_touched() -> None:
    inputs = {"defaultActions": [{"type": "forward"}], "loadBalancerArn": BALANCER_ARN}
    made("aws:lb/listener:Listener", inputs)

    assert inputs == {"defaultActions": [{"type": "forward"}], "loadBalancerArn": BALANCER_ARN}


def test_records_of_a_certificate_are_planned_by_name() -> None:
    inputs = {
        "domainName": "a.example.com",
        "subjectAlternativeNames": ["b.example.com"],
        "validationMethod": "DNS",
    }
    planned = cloud.plan("aws:acm/certificate:Certificate", "it", inputs, SESSION)

    assert [item["domainName"] for item in planned["domainValidationOptions"]] == [
        "a.example.com",
        "b.example.com",
    ]


def test_wildcard_and_apex_share_a_validation_record() -> None:
    inputs = {
        "domainName": "example.com",
        "subjectAlternativeNames": ["*.example.com"],
        "validationMethod": "DNS",
    }
    options = made("aws:acm/certificate:Certificate", inputs).outputs["domainValidationOptions"]

    assert len({item["resourceRecordName"] for item in options}) == 1


DISKS = {**TEMPLATE, "creditSpecification": {"cpuCredits": "standard"}, "networkInterfaces": [{}]}
UPDATES = [
    ("aws:ec2/launchTemplate:LaunchTemplate", TEMPLATE, {"instanceType": "t4g.large"}, "latestVersion", 2),
    ("aws:ec2/launchTemplate:LaunchTemplate", TEMPLATE, {"tags": {"a": "b"}}, "latestVersion", 1),
    ("aws:ec2/launchTemplate:LaunchTemplate", DISKS, {"tags": {"a": "b"}}, "latestVersion", 1),
    ("aws:rds/instance:Instance", DATABASE, {"engineVersion": "17.2"}, "engineVersionActual", "17.2"),
    (
        "aws:rds/instance:Instance",
        DATABASE,
        {"identifier": "other"},
        "arn",
        f"arn:aws:rds:{REGION}:{ACCOUNT}:db:other",
    ),
    ("aws:rds/instance:Instance", DATABASE, {"manageMasterUserPassword": False}, "masterUserSecrets", []),
    (
        "aws:elasticache/replicationGroup:ReplicationGroup",
        CACHE,
        {"numCacheClusters": 3},
        "memberClusters",
        ["broker-001", "broker-002", "broker-003"],
    ),
    (
        "aws:ssm/parameter:Parameter",
        {"name": "a", "type": "String", "value": "1"},
        {"value": "2"},
        "version",
        2,
    ),
    ("aws:efs/fileSystem:FileSystem", {}, {"tags": {"Name": "dags"}}, "name", "dags"),
    ("aws:lambda/function:Function", {"name": "f", "publish": True}, {"timeout": 9}, "version", "2"),
    ("aws:ec2/vpc:Vpc", VPC, {"tags": {"a": "b"}}, "tagsAll", {"owner": "data", "a": "b"}),
]


@pytest.mark.parametrize(("token", "inputs", "change", "key", "expected"), UPDATES)
def test_update_answers(token: str, inputs: Properties, change: Properties, key: str, expected: Any) -> None:
    before = made(token, inputs)
    after = cloud.update(token, before.id, before.outputs, {**inputs, **change}, SESSION, WORLD)

    assert after[key] == expected


@pytest.mark.parametrize(
    ("token", "inputs", "change", "unknown"),
    [
        pytest.param(
            "aws:ec2/launchTemplate:LaunchTemplate",
            TEMPLATE,
            {"instanceType": "m"},
            {"latestVersion"},
            id="new version",
        ),
        pytest.param(
            "aws:ec2/launchTemplate:LaunchTemplate", TEMPLATE, {"tags": {"a": "b"}}, set(), id="tags"
        ),
        pytest.param(
            "aws:ec2/vpcEndpoint:VpcEndpoint",
            INTERFACE,
            {"subnetIds": SUBNETS[:1]},
            {"dnsEntries", "networkInterfaceIds", "subnetConfigurations"},
            id="other subnets",
        ),
        pytest.param(
            "aws:rds/instance:Instance",
            DATABASE,
            {"identifier": "other"},
            {"address", "arn", "endpoint"},
            id="rename",
        ),
        pytest.param(
            "aws:ecs/service:Service", SERVICE, {"desiredCount": 5}, set(), id="nothing computed changes"
        ),
    ],
)
def test_planned_update_marks(token: str, inputs: Properties, change: Properties, unknown: set[str]) -> None:
    before = made(token, inputs)
    planned = cloud.plan_update(token, before.id, before.outputs, {**inputs, **change}, SESSION)

    assert {key for key, value in planned.items() if value is UNKNOWN} == unknown


def test_update_keeps_what_aws_computed() -> None:
    before = made("aws:ec2/vpc:Vpc", VPC)
    after = cloud.update("aws:ec2/vpc:Vpc", before.id, before.outputs, {**VPC, "tags": {}}, SESSION, WORLD)

    assert after["defaultSecurityGroupId"] == before.outputs["defaultSecurityGroupId"]


@pytest.mark.parametrize(
    ("token", "secret"),
    [
        ("aws:rds/instance:Instance", {"password", "passwordWo"}),
        ("aws:ssm/parameter:Parameter", {"value", "valueWo"}),
        ("aws:ec2/vpc:Vpc", set()),
        ("random:index/randomPassword:RandomPassword", {"bcryptHash", "result"}),
    ],
)
def test_secret_outputs(token: str, secret: set[str]) -> None:
    assert cloud.secret_outputs(token) == secret


def test_unknown_type_is_named() -> None:
    with pytest.raises(UnknownType, match="aws:ec2/instance:Instance"):
        cloud.plan("aws:ec2/instance:Instance", "it", {}, SESSION)
