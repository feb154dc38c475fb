"""Kinds of resources that the golden stacks do not have: all of it as it should be, for one mistake to be made."""

from __future__ import annotations

from typing import Final

from policies.security.relations.data_subnets import RDS_SUBNETS
from policies.security.relations.load_balancing import ASSOCIATION
from policies.security.relations.vpcs import NAT
from policies.security.rules.iam_policies import ROLE
from policies.security.rules.load_balancers import LOAD_BALANCER
from policies.security.rules.networks import SUBNET
from policies.security.rules.parameter_groups import CLUSTER_PARAMETERS
from policies.security.rules.rds import CLUSTER, CLUSTER_INSTANCE
from policies.security.rules.secrets_and_keys import KEY
from policies.security.rules.security_groups import GROUP
from policies.security.rules.services import SERVICE
from policies.security.selections import SELECTION
from policies.security.subnets import ROUTE
from tests.policies.row_operations import (
    Of,
    Operation,
    then,
    with_item,
    with_property,
    with_resource,
    without_all,
)

ACCOUNT: Final = "222222222222"
"""That of the stack prod."""
METASTORE_PORT: Final = 5433
"""Where the database of a golden stack listens: no default of its engine."""
TAGS: Final = {"costCenter": "data-prod", "environment": "prod", "owner": "data-platform"}


def _aurora_instance(name: str) -> Operation:
    properties = {
        "clusterIdentifier": Of(CLUSTER),
        "engine": "aurora-postgresql",
        "instanceClass": "db.r7g.large",
        "publiclyAccessible": False,
        "autoMinorVersionUpgrade": True,
        "monitoringInterval": 60,
        "monitoringRoleArn": Of(ROLE, "metastore-monitoring", "arn"),
        "performanceInsightsEnabled": True,
        "performanceInsightsKmsKeyId": Of(KEY, "", "arn"),
        "tagsAll": TAGS,
    }
    return with_resource(CLUSTER_INSTANCE, name, properties)


AURORA: Final = then(
    with_resource(
        CLUSTER_PARAMETERS,
        "aurora-parameters",
        {
            "family": "aurora-postgresql17",
            "parameters": [{"name": "rds.force_ssl", "value": "1"}],
            "tagsAll": TAGS,
        },
    ),
    with_resource(
        CLUSTER,
        "aurora",
        {
            "arn": f"arn:aws:rds:eu-west-1:{ACCOUNT}:cluster:aurora",
            "engine": "aurora-postgresql",
            "dbSubnetGroupName": Of(RDS_SUBNETS),
            "dbClusterParameterGroupName": Of(CLUSTER_PARAMETERS),
            "vpcSecurityGroupIds": [Of(GROUP, "metastore")],
            "storageEncrypted": True,
            "kmsKeyId": Of(KEY, "", "arn"),
            "manageMasterUserPassword": True,
            "masterUserSecretKmsKeyId": Of(KEY, "", "arn"),
            "masterUsername": "airflow_owner",
            "iamDatabaseAuthenticationEnabled": True,
            "deletionProtection": True,
            "skipFinalSnapshot": False,
            "backupRetentionPeriod": 35,
            "deleteAutomatedBackups": False,
            "copyTagsToSnapshot": True,
            "enabledCloudwatchLogsExports": ["postgresql"],
            "engineLifecycleSupport": "open-source-rds-extended-support-disabled",
            "port": METASTORE_PORT,
            "tagsAll": TAGS,
        },
        protect=True,
    ),
    with_item(SELECTION, "backups", "resources", Of(CLUSTER, "", "arn")),
    _aurora_instance("aurora-1"),
    _aurora_instance("aurora-2"),
)
PUBLIC_BALANCER: Final = then(
    with_property(LOAD_BALANCER, "web", "internal", False),
    with_property(LOAD_BALANCER, "web", "subnets", [Of(SUBNET, f"public-{number}") for number in (1, 2, 3)]),
    with_resource(
        ASSOCIATION,
        "firewall",
        {
            "resourceArn": Of(LOAD_BALANCER, "", "arn"),
            "webAclArn": f"arn:aws:wafv2:eu-west-1:{ACCOUNT}:regional/webacl/airflow/1",
        },
    ),
)
ON_SPOT: Final = with_item(
    SERVICE, "api-server", "capacityProviderStrategies", {"capacityProvider": "FARGATE_SPOT", "weight": 1}
)
WITHOUT_NAT: Final = then(without_all(ROUTE, "private"), without_all(NAT))
