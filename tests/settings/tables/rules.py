"""Settings that pass and break the rules about stacks, network and tags."""

from __future__ import annotations

from typing import NamedTuple

from tests.settings.samples import PROD

TASKS = ["ecr.api", "ecr.dkr", "logs", "secretsmanager"]
OPERATION = ["kms", "monitoring", "sts"]
RESERVED = "Name, SubnetType, costCenter, environment, managedBy, owner, project, stack"
MASKS = "network.publicMask, network.privateMask, network.dataMask"


class Row(NamedTuple):
    """Changes to a valid sample in a stack, and what one rule says to them; no line when it passes."""

    rule: str
    stack: str
    changes: dict[str, object]
    line: str | None = None


ROWS = [
    Row("kind_suits_the_stack", "nonprod-shared", {"kind": "shared"}),
    Row("kind_suits_the_stack", "dev", {}),
    Row(
        "kind_suits_the_stack",
        "dev",
        {"kind": "shared"},
        'kind: got "shared", allowed: environment; shared only in the stacks nonprod-shared, prod-shared',
    ),
    Row(
        "kind_suits_the_stack",
        "prod-shared",
        {},
        'kind: got "environment", allowed: shared in the stack prod-shared',
    ),
    Row("environment_is_the_stack", "dev", {}),
    Row("environment_is_the_stack", "nonprod-shared", {"kind": "shared"}),
    Row(
        "environment_is_the_stack",
        "prod",
        {},
        'environment: got "dev", allowed: prod, the name of the stack',
    ),
    Row(
        "environment_is_the_stack",
        "test",
        {},
        'environment: got "dev", allowed: the name of the stack: dev, staging, preprod, prod',
    ),
    Row("shared_stack_is_of_the_same_account", "dev", {}),
    Row("shared_stack_is_of_the_same_account", "staging", {"environment": "staging"}),
    Row(
        "shared_stack_is_of_the_same_account",
        "preprod",
        {"environment": "preprod", "shared/stack": "prod-shared"},
    ),
    Row("shared_stack_is_of_the_same_account", "prod", PROD),
    Row(
        "shared_stack_is_of_the_same_account",
        "dev",
        {"shared/stack": "prod-shared"},
        'shared.stack: got "prod-shared", allowed: nonprod-shared for dev',
    ),
    Row(
        "shared_stack_is_of_the_same_account",
        "preprod",
        {"environment": "preprod"},
        'shared.stack: got "nonprod-shared", allowed: prod-shared for preprod',
    ),
    Row("prod_shared_is_protected", "prod-shared", {"kind": "shared", "shared/protect": True}),
    Row("prod_shared_is_protected", "nonprod-shared", {"kind": "shared", "shared/protect": False}),
    Row(
        "prod_shared_is_protected",
        "prod-shared",
        {"kind": "shared", "shared/protect": False},
        "shared.protect: got false, allowed: true in the stack prod-shared",
    ),
    Row("prod_shared_keeps_access_logs", "prod-shared", {"kind": "shared"}),
    Row(
        "prod_shared_keeps_access_logs",
        "nonprod-shared",
        {"kind": "shared", "shared/accessLogRetentionDays": 1},
    ),
    Row(
        "prod_shared_keeps_access_logs",
        "prod-shared",
        {"kind": "shared", "shared/accessLogRetentionDays": 364},
        "shared.accessLogRetentionDays: got 364, allowed: 365 or more in the stack prod-shared",
    ),
    Row("zones_are_of_the_region", "dev", {}),
    Row(
        "zones_are_of_the_region",
        "dev",
        {"network/zones": ["eu-west-1a", "eu-west-2b"]},
        'network.zones[1]: got "eu-west-2b", allowed: a zone of eu-west-1 (account.region)',
    ),
    Row("service_linked_roles_are_distinct", "dev", {}),
    Row(
        "service_linked_roles_are_distinct",
        "nonprod-shared",
        {"kind": "shared", "shared/serviceLinkedRoles": ["rds", "ecs"]},
    ),
    Row(
        "service_linked_roles_are_distinct",
        "nonprod-shared",
        {"kind": "shared", "shared/serviceLinkedRoles": ["rds", "ecs", "rds"]},
        'shared.serviceLinkedRoles: got ["rds"], allowed: each role once',
    ),
    Row("zones_are_distinct", "dev", {}),
    Row(
        "zones_are_distinct",
        "dev",
        {"network/zones": ["eu-west-1a", "eu-west-1b", "eu-west-1a"]},
        'network.zones: got ["eu-west-1a", "eu-west-1b", "eu-west-1a"], allowed: each zone once',
    ),
    Row(
        "subnets_fit_in_their_zone",
        "dev",
        {"network/publicMask": 20, "network/privateMask": 20, "network/dataMask": 19},
    ),
    Row(
        "subnets_fit_in_their_zone",
        "dev",
        {
            "network/cidr": "10.0.0.0/20",
            "network/publicMask": 25,
            "network/privateMask": 24,
            "network/dataMask": 25,
        },
    ),
    Row(
        "subnets_fit_in_their_zone",
        "dev",
        {"network/privateMask": 19},
        f"{MASKS}: got [22, 19, 24], allowed: subnets that fit, in this order and aligned, in a zone's share "
        "of 10.20.0.0/16: a /18 with 16384 addresses, these need 16640",
    ),
    Row(
        "subnets_fit_in_their_zone",
        "dev",
        {"network/cidr": "10.0.0.0/20"},
        f"{MASKS}: got [22, 20, 24], allowed: subnets that fit, in this order and aligned, in a zone's share "
        "of 10.0.0.0/20: a /22 with 1024 addresses, these need 8448",
    ),
    Row("prod_survives_a_zone", "dev", {"network/nat": "single"}),
    Row("prod_survives_a_zone", "prod", PROD),
    Row("prod_survives_a_zone", "prod", {**PROD, "network/nat": "none"}),
    Row(
        "prod_survives_a_zone",
        "prod",
        {**PROD, "network/nat": "single"},
        'network.nat: got "single", allowed: perZone or none for prod',
    ),
    Row(
        "prod_survives_a_zone",
        "preprod",
        {**PROD, "environment": "preprod", "network/nat": "single"},
        'network.nat: got "single", allowed: perZone or none for preprod',
    ),
    Row("endpoints_are_distinct", "dev", {"network/interfaceEndpoints": ["logs", "sts"]}),
    Row(
        "endpoints_are_distinct",
        "dev",
        {"network/interfaceEndpoints": ["logs", "sts", "logs", "sts", "kms"]},
        'network.interfaceEndpoints: got ["logs", "sts"], allowed: each service once',
    ),
    Row(
        "no_nat_needs_endpoints_of_tasks",
        "dev",
        {"network/nat": "none", "network/interfaceEndpoints": TASKS},
    ),
    Row("no_nat_needs_endpoints_of_tasks", "dev", {"network/interfaceEndpoints": []}),
    Row(
        "no_nat_needs_endpoints_of_tasks",
        "dev",
        {"network/nat": "none", "network/interfaceEndpoints": ["ecr.dkr", "logs"]},
        'network.interfaceEndpoints: got ["ecr.dkr", "logs"], allowed: with nat none also ecr.api, '
        "secretsmanager, which no task starts without",
    ),
    Row(
        "no_nat_in_prod_needs_endpoints_of_operation",
        "dev",
        {"network/nat": "none", "network/interfaceEndpoints": TASKS},
    ),
    Row(
        "no_nat_in_prod_needs_endpoints_of_operation",
        "prod",
        {**PROD, "network/nat": "none", "network/interfaceEndpoints": [*TASKS, *OPERATION]},
    ),
    Row("no_nat_in_prod_needs_endpoints_of_operation", "prod", PROD),
    Row(
        "no_nat_in_prod_needs_endpoints_of_operation",
        "prod",
        {**PROD, "network/nat": "none", "network/interfaceEndpoints": ["ecr.api", "kms"]},
        'network.interfaceEndpoints: got ["ecr.api", "kms"], allowed: with nat none also monitoring, sts, '
        "which prod does not run without",
    ),
    Row(
        "no_nat_with_exec_needs_its_channel",
        "dev",
        {"network/nat": "none", "network/interfaceEndpoints": TASKS},
    ),
    Row("no_nat_with_exec_needs_its_channel", "dev", {"services/execEnabled": True}),
    Row(
        "no_nat_with_exec_needs_its_channel",
        "dev",
        {
            "network/nat": "none",
            "network/interfaceEndpoints": ["kms", "logs"],
            "services/execEnabled": True,
        },
        'network.interfaceEndpoints: got ["kms", "logs"], allowed: with nat none also ssmmessages, which '
        "services.execEnabled does not work without",
    ),
    Row("tags_do_not_begin_with_aws", "dev", {"tags/extra": {"awsome": "x aws:"}}),
    Row(
        "tags_do_not_begin_with_aws",
        "dev",
        {"tags/extra": {"AWS:team": "x"}},
        'tags.extra: got "AWS:team", allowed: keys that do not begin with aws:',
    ),
    Row(
        "tags_do_not_begin_with_aws",
        "nonprod-shared",
        {"kind": "shared", "tags/extra": {"team": "aws:x"}},
        'tags.extra: got "aws:x", allowed: values that do not begin with aws:',
    ),
    Row(
        "tags_do_not_begin_with_aws",
        "dev",
        {"tags/costCenter": "aws:x"},
        'tags.costCenter: got "aws:x", allowed: values that do not begin with aws:',
    ),
    Row("tag_keys_are_free", "dev", {"tags/extra": {"names": "x"}}),
    Row(
        "tag_keys_are_free",
        "dev",
        {"tags/extra": {"managedby": "x"}},
        f'tags.extra: got "managedby", allowed: keys other than {RESERVED}',
    ),
    Row(
        "tag_keys_are_free",
        "nonprod-shared",
        {"kind": "shared", "tags/extra": {"Name": "x"}},
        f'tags.extra: got "Name", allowed: keys other than {RESERVED}',
    ),
    Row("tag_keys_differ_beyond_case", "dev", {"tags/extra": {"team": "x", "teams": "x"}}),
    Row(
        "tag_keys_differ_beyond_case",
        "dev",
        {"tags/extra": {"team": "x", "Team": "y"}},
        'tags.extra: got "Team", allowed: keys that differ from team in more than case',
    ),
]
