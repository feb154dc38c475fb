"""Wrong fields that every stack or the network can have."""

from __future__ import annotations

from typing import NamedTuple

from tests.settings.samples import DELETED
from tests.settings.tables.words import (
    ACCOUNT_ID,
    CIDR,
    DOMAIN,
    LINKED_ROLES,
    NETWORK_KEYS,
    PERIODS,
    QUOTE,
    REGION,
    SECTIONS,
    SERVICES,
    SIGNS,
    ZONE,
)


class Wrong(NamedTuple):
    """One field with a value, and the line it is refused with."""

    kind: str
    path: str
    value: object
    line: str


WRONG = [
    Wrong("environment", "kind", DELETED, "kind: is required, allowed: shared, environment"),
    Wrong("environment", "kind", "images", 'kind: got "images", allowed: shared, environment'),
    Wrong("environment", "kind", ["shared"], 'kind: got ["shared"], allowed: shared, environment'),
    Wrong(
        "environment",
        "environment",
        "test",
        'environment: got "test", allowed: dev, staging, preprod, prod',
    ),
    Wrong(
        "environment",
        "environment",
        "Prod",
        'environment: got "Prod", did you mean prod? allowed: dev, staging, preprod, prod',
    ),
    Wrong(
        "environment", "account/id", 12345678901, f"account.id: got 12345678901, allowed: {ACCOUNT_ID}{QUOTE}"
    ),
    Wrong("environment", "account/id", "123", f'account.id: got "123", allowed: {ACCOUNT_ID}'),
    Wrong(
        "environment",
        "account/id",
        "٠١٢٣٤٥٦٧٨٩٠١",
        f'account.id: got "٠١٢٣٤٥٦٧٨٩٠١", allowed: {ACCOUNT_ID}',
    ),
    Wrong(
        "shared",
        "shared/serviceLinkedRoles",
        ["rds", "efs"],
        f'shared.serviceLinkedRoles[1]: got "efs", did you mean ecs? allowed: {LINKED_ROLES}',
    ),
    Wrong(
        "shared",
        "shared/serviceLinkedRoles",
        ["ecs.amazonaws.com"],
        f'shared.serviceLinkedRoles[0]: got "ecs.amazonaws.com", allowed: {LINKED_ROLES}',
    ),
    Wrong(
        "shared",
        "shared/serviceLinkedRoles",
        "ecs",
        f'shared.serviceLinkedRoles: got "ecs", allowed: a list, each {LINKED_ROLES}',
    ),
    Wrong("shared", "account/id", DELETED, f"account.id: is required, allowed: {ACCOUNT_ID}"),
    Wrong("shared", "account/id", None, f"account.id: got null, allowed: {ACCOUNT_ID}"),
    Wrong("shared", "account/region", "eu-west-1a", f'account.region: got "eu-west-1a", allowed: {REGION}'),
    Wrong("shared", "account/region", "cn-north-1", f'account.region: got "cn-north-1", allowed: {REGION}'),
    Wrong("shared", "account", "x", 'account: got "x", allowed: a section with the keys id, region'),
    Wrong("shared", "account", DELETED, "account: is required, allowed: a section with the keys id, region"),
    Wrong(
        "environment", "network/cidr", "10.20.0.1/16", f'network.cidr: got "10.20.0.1/16", allowed: {CIDR}'
    ),
    Wrong("environment", "network/cidr", "10.20.0.0", f'network.cidr: got "10.20.0.0", allowed: {CIDR}'),
    Wrong(
        "environment",
        "network/cidr",
        "10.20.0.0/255.255.0.0",
        f'network.cidr: got "10.20.0.0/255.255.0.0", allowed: {CIDR}',
    ),
    Wrong("environment", "network/cidr", "10.0.0.0/15", f'network.cidr: got "10.0.0.0/15", allowed: {CIDR}'),
    Wrong("environment", "network/cidr", "10.0.0.0/21", f'network.cidr: got "10.0.0.0/21", allowed: {CIDR}'),
    Wrong("environment", "network/cidr", "11.0.0.0/16", f'network.cidr: got "11.0.0.0/16", allowed: {CIDR}'),
    Wrong(
        "environment", "network/cidr", "172.32.0.0/16", f'network.cidr: got "172.32.0.0/16", allowed: {CIDR}'
    ),
    Wrong(
        "environment", "network/cidr", "10.256.0.0/16", f'network.cidr: got "10.256.0.0/16", allowed: {CIDR}'
    ),
    Wrong(
        "environment", "network/cidr", "10.020.0.0/16", f'network.cidr: got "10.020.0.0/16", allowed: {CIDR}'
    ),
    Wrong("environment", "network/cidr", 167772160, f"network.cidr: got 167772160, allowed: {CIDR}{QUOTE}"),
    Wrong(
        "environment",
        "network/zones",
        ["eu-west-1a"],
        f'network.zones: got ["eu-west-1a"], allowed: a list of 2 to 3, each {ZONE}',
    ),
    Wrong(
        "environment",
        "network/zones",
        ["eu-west-1a", "eu-west-1b", "eu-west-1c", "eu-west-1d"],
        'network.zones: got ["eu-west-1a", "eu-west-1b", "eu-west-1c", "eu-west-1d"], '
        f"allowed: a list of 2 to 3, each {ZONE}",
    ),
    Wrong(
        "environment",
        "network/zones",
        "eu-west-1a",
        f'network.zones: got "eu-west-1a", allowed: a list of 2 to 3, each {ZONE}',
    ),
    Wrong(
        "environment",
        "network/zones",
        ["eu-west-1a", "eu-west-1"],
        f'network.zones[1]: got "eu-west-1", allowed: {ZONE}',
    ),
    Wrong("environment", "network/nat", "two", 'network.nat: got "two", allowed: none, single, perZone'),
    Wrong(
        "environment",
        "network/nat",
        "per-zone",
        'network.nat: got "per-zone", did you mean perZone? allowed: none, single, perZone',
    ),
    Wrong("environment", "network/nat", None, "network.nat: got null, allowed: none, single, perZone"),
    Wrong("environment", "network/nat", DELETED, "network.nat: is required, allowed: none, single, perZone"),
    Wrong(
        "environment",
        "network/interfaceEndpoints",
        ["logs", "s3"],
        f'network.interfaceEndpoints[1]: got "s3", allowed: {SERVICES}',
    ),
    Wrong(
        "environment",
        "network/interfaceEndpoints",
        ["ecr-api"],
        f'network.interfaceEndpoints[0]: got "ecr-api", did you mean ecr.api? allowed: {SERVICES}',
    ),
    Wrong(
        "environment",
        "network/interfaceEndpoints",
        "logs",
        f'network.interfaceEndpoints: got "logs", allowed: a list, each {SERVICES}',
    ),
    Wrong(
        "environment",
        "network/publicMask",
        "22",
        'network.publicMask: got "22", allowed: a whole number from 18 to 27; without quotes',
    ),
    Wrong(
        "environment",
        "network/publicMask",
        28,
        "network.publicMask: got 28, allowed: a whole number from 18 to 27",
    ),
    Wrong(
        "environment",
        "network/privateMask",
        17,
        "network.privateMask: got 17, allowed: a whole number from 18 to 27",
    ),
    Wrong(
        "environment",
        "network/dataMask",
        24.5,
        "network.dataMask: got 24.5, allowed: a whole number from 18 to 28",
    ),
    Wrong(
        "environment",
        "network/dataMask",
        29,
        "network.dataMask: got 29, allowed: a whole number from 18 to 28",
    ),
    Wrong(
        "environment",
        "network/flowLogRetentionDays",
        8,
        f"network.flowLogRetentionDays: got 8, allowed: {PERIODS}",
    ),
    Wrong(
        "environment",
        "network/flowLogRetentionDays",
        True,
        f"network.flowLogRetentionDays: got true, allowed: {PERIODS}",
    ),
    Wrong(
        "environment",
        "network/natt",
        "none",
        f"network.natt: unknown key, did you mean nat? allowed: {NETWORK_KEYS}",
    ),
    Wrong(
        "environment",
        "network/flow_log_retention_days",
        7,
        "network.flow_log_retention_days: unknown key, did you mean flowLogRetentionDays? "
        f"allowed: {NETWORK_KEYS}",
    ),
    Wrong(
        "environment",
        "nat",
        "none",
        f"nat: unknown key, did you mean network.nat? allowed: {SECTIONS}",
    ),
    Wrong(
        "environment",
        "zzz",
        1,
        f"zzz: unknown key, allowed: {SECTIONS}",
    ),
    Wrong(
        "environment",
        "a\nb",
        1,
        f'["a\\nb"]: unknown key, allowed: {SECTIONS}',
    ),
    Wrong(
        "environment",
        "shared/stack",
        "shared",
        'shared.stack: got "shared", did you mean prod-shared? allowed: nonprod-shared, prod-shared',
    ),
    Wrong(
        "shared",
        "shared/domainName",
        "Example.com",
        f'shared.domainName: got "Example.com", allowed: {DOMAIN}',
    ),
    Wrong(
        "shared", "shared/domainName", "localhost", f'shared.domainName: got "localhost", allowed: {DOMAIN}'
    ),
    Wrong(
        "shared",
        "shared/domainName",
        "-a.example.com",
        f'shared.domainName: got "-a.example.com", allowed: {DOMAIN}',
    ),
    Wrong(
        "shared",
        "shared/domainName",
        "a." * 100 + "com",
        f'shared.domainName: got "{"a." * 28}..., allowed: {DOMAIN}',
    ),
    Wrong(
        "shared",
        "shared/protect",
        "true",
        'shared.protect: got "true", allowed: true or false; without quotes',
    ),
    Wrong("shared", "shared/protect", 1, "shared.protect: got 1, allowed: true or false"),
    Wrong("shared", "shared/protect", DELETED, "shared.protect: is required, allowed: true or false"),
    Wrong(
        "shared",
        "shared/keyDeletionDays",
        6,
        "shared.keyDeletionDays: got 6, allowed: a whole number from 7 to 30",
    ),
    Wrong(
        "shared",
        "shared/imageRetentionCount",
        4,
        "shared.imageRetentionCount: got 4, allowed: a whole number from 5 to 1000",
    ),
    Wrong(
        "shared",
        "shared/noncurrentVersionDays",
        0,
        "shared.noncurrentVersionDays: got 0, allowed: a whole number from 1 to 3650",
    ),
    Wrong(
        "shared",
        "network",
        {},
        "network: unknown key, allowed: kind, account, shared, tags",
    ),
    Wrong("shared", "tags/owner", "", f'tags.owner: got "", allowed: 1 to 256 characters: {SIGNS}'),
    Wrong("shared", "tags/owner", "a&b", f'tags.owner: got "a&b", allowed: 1 to 256 characters: {SIGNS}'),
    Wrong(
        "shared",
        "tags/owner",
        "a" * 257,
        f'tags.owner: got "{"a" * 56}..., allowed: 1 to 256 characters: {SIGNS}',
    ),
    Wrong(
        "shared",
        "tags/costCenter",
        4711,
        f"tags.costCenter: got 4711, allowed: 1 to 256 characters: {SIGNS}{QUOTE}",
    ),
    Wrong(
        "environment",
        "tags/extra/a*b",
        "c",
        f'tags.extra: got the key "a*b", allowed: 1 to 128 characters: {SIGNS}; not beginning with aws:',
    ),
    Wrong(
        "environment",
        "tags/extra/Team",
        False,
        f"tags.extra.Team: got false, allowed: at most 256 characters: {SIGNS}",
    ),
    Wrong(
        "environment",
        "tags/extra/[key]",
        7,
        f'tags.extra["[key]"]: got 7, allowed: at most 256 characters: {SIGNS}{QUOTE}',
    ),
]
