"""Mistakes in Pulumi.prod.yaml."""

from __future__ import annotations

from tests.settings.tables.files_dev import Edit
from tests.settings.tables.rules_platform import INTERNET
from tests.settings.tables.words import POOL_KEYS, POOL_NAME, QUOTE, RANGE

HEAVY_POOL = """        heavy:
          queues: [heavy]
          cpuUnits: 4096
          memoryMib: 30720 # 4 tasks at once have about 7 GiB each
          concurrency: 4
          minCount: 1
          maxCount: 4
          spotPercent: 0
"""

EDITS = [
    Edit(
        "stack file copied, name of the environment forgotten",
        "prod",
        {"environment: prod": "environment: dev"},
        (
            'environment: got "dev", allowed: prod, the name of the stack',
            'shared.stack: got "prod-shared", allowed: nonprod-shared for dev',
        ),
    ),
    Edit(
        "prod without Multi-AZ",
        "prod",
        {"multiAz: true": "multiAz: false"},
        ("metastore.multiAz: got false, allowed: true for prod",),
    ),
    Edit(
        "prod with everything of dev that is cheap",
        "prod",
        {
            "nat: perZone": "nat: single",
            "instanceClass: db.m7g.large": "instanceClass: db.t4g.medium",
            "multiAz: true": "multiAz: false",
            "backupRetentionDays: 35": "backupRetentionDays: 7",
            "replicas: 2": "replicas: 0",
            "snapshotRetentionDays: 7": "snapshotRetentionDays: 0",
            "logRetentionDays: 365 # a year": "logRetentionDays: 14 # a year",
        },
        (
            'network.nat: got "single", allowed: perZone or none for prod',
            "metastore.multiAz: got false, allowed: true for prod",
            "metastore.backupRetentionDays: got 7, allowed: 14 or more for prod",
            (
                'metastore.instanceClass: got "db.t4g.medium", allowed: a class of the families db.m7g and db.r7g, '
                "with CPU that does not run out, for prod"
            ),
            "broker.replicas: got 0, allowed: 1 or more for prod",
            "broker.snapshotRetentionDays: got 0, allowed: 1 or more for prod",
            "observability.logRetentionDays: got 14, allowed: 90 or more for prod",
        ),
    ),
    Edit(
        "protection taken off for a clean-up",
        "prod",
        {
            "deletionProtection: true": "deletionProtection: false",
            "protect: true # required here\n    broker": "protect: false\n    broker",
            "protect: true # required here\n    dags": "protect: false\n    dags",
            "protect: true # required here: the ledger": "protect: false # required here: the ledger",
            "recoveryDays: 30": "recoveryDays: 0",
            "keyDeletionDays: 30": "keyDeletionDays: 7",
        },
        (
            "web.deletionProtection: got false, allowed: true for prod",
            "metastore.protect: got false, allowed: true for prod",
            "broker.protect: got false, allowed: true for prod",
            "dags.protect: got false, allowed: true for prod",
            "credentials.recoveryDays: got 0, allowed: 7 or more for prod",
            "credentials.keyDeletionDays: got 7, allowed: 30 for prod",
        ),
    ),
    Edit(
        "internet access without a list of ranges",
        "prod",
        {
            "access: internal": "access: internet",
            "      allowedCidrs: [10.0.0.0/8] # placeholder: the ranges of the company's network\n": "",
        },
        (f"web.allowedCidrs: is required, allowed: a list of 1 to 50, each {RANGE}",),
    ),
    Edit(
        "internet access for everyone, in two halves",
        "prod",
        {"access: internal": "access: internet", "[10.0.0.0/8]": "[0.0.0.0/1, 128.0.0.0/1]"},
        (
            f'web.allowedCidrs[0]: got "0.0.0.0/1", allowed: {INTERNET}',
            f'web.allowedCidrs[1]: got "128.0.0.0/1", allowed: {INTERNET}',
        ),
    ),
    Edit(
        "versions without quotes",
        "prod",
        {'engineVersion: "17"': "engineVersion: 17", 'engineVersion: "8.0"': "engineVersion: 8.0"},
        (
            f"metastore.engineVersion: got 17, allowed: 16, 17{QUOTE}",
            f"broker.engineVersion: got 8.0, allowed: 7.2, 8.0, 8.1{QUOTE}",
        ),
    ),
    Edit(
        "sizes that Fargate does not have",
        "prod",
        {
            "dagProcessor: { cpuUnits: 1024, memoryMib: 2048": "dagProcessor: { cpuUnits: 1024, memoryMib: 1024",
            "memoryMib: 8192": "memoryMib: 8000",
        },
        (
            (
                "services.dagProcessor.memoryMib: got 1024, allowed: 2048 to 8192 in steps of 1024 "
                "with cpuUnits 1024"
            ),
            (
                "workers.pools.default.memoryMib: got 8000, allowed: 4096 to 16384 in steps of 1024 "
                "with cpuUnits 2048"
            ),
        ),
    ),
    Edit(
        "more processes than memory",
        "prod",
        {"count: 2, processes: 2": "count: 2, processes: 8"},
        ("services.apiServer.processes: got 8, allowed: at most 7 with memoryMib 2048: each takes 280 MiB",),
    ),
    Edit(
        "sessions inside containers of prod",
        "prod",
        {"execEnabled: false": "execEnabled: true"},
        ("services.execEnabled: got true, allowed: false for prod",),
    ),
    Edit(
        "pool with a capital letter and an underscore",
        "prod",
        {"        heavy:": "        Heavy_jobs:"},
        (f'workers.pools: got the key "Heavy_jobs", allowed: {POOL_NAME}',),
    ),
    Edit(
        "pool copied, queue forgotten",
        "prod",
        {"queues: [heavy]": "queues: [default]"},
        (
            (
                'workers.pools.heavy.queues[0]: got "default", allowed: a queue that is not listed yet; '
                "the pool default serves it"
            ),
        ),
    ),
    Edit(
        "nobody serves the default queue",
        "prod",
        {"queues: [default]": "queues: [light]"},
        ('workers.pools: got ["light", "heavy"], allowed: a pool that serves the queue default, too',),
    ),
    Edit(
        "pools as a list",
        "prod",
        {"        default:\n": "        - name: default\n", HEAVY_POOL: ""},
        (
            (
                'workers.pools: got [{"name": "default", "queues": ["default"], "cpuUnits": 2..., allowed: '
                f"a section of 1 to 10 keys, each a section with the keys {POOL_KEYS}"
            ),
        ),
    ),
    Edit(
        "prod that scales to nothing, on Spot",
        "prod",
        {"minCount: 2 #": "minCount: 0 #", "spotPercent: 0 #": "spotPercent: 100 #"},
        (
            "workers.pools.default.minCount: got 0, allowed: 1 or more for prod",
            "workers.pools.default.spotPercent: got 100, allowed: less than 100 for prod",
        ),
    ),
    Edit(
        "tasks longer than the broker waits",
        "prod",
        {"visibilityTimeoutMinutes: 1440": "visibilityTimeoutMinutes: 60"},
        (
            (
                "broker.visibilityTimeoutMinutes: got 60, allowed: more than 750, the minutes of "
                "workers.longestTaskMinutes and workers.taskQueuedTimeoutSeconds together"
            ),
        ),
    ),
    Edit(
        "no NAT, endpoints forgotten",
        "prod",
        {
            "nat: perZone": "nat: none",
            "[ecr.api, ecr.dkr, logs, monitoring, secretsmanager, kms, sts]": "[logs]",
        },
        (
            (
                'network.interfaceEndpoints: got ["logs"], allowed: with nat none also ecr.api, ecr.dkr, '
                "secretsmanager, which no task starts without"
            ),
            (
                'network.interfaceEndpoints: got ["logs"], allowed: with nat none also kms, monitoring, sts, which '
                "prod does not run without"
            ),
        ),
    ),
]
