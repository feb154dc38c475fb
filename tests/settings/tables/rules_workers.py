"""Settings that pass and break the rules about worker pools and about the prod account."""

from __future__ import annotations

import json

from tests.settings.samples import POOL, PROD
from tests.settings.tables.rules import Row

PREPROD: dict[str, object] = {**PROD, "environment": "preprod"}
OTHER_POOL = {
    "queues": ["heavy"],
    "cpuUnits": 4096,
    "memoryMib": 30720,
    "concurrency": 4,
    "minCount": 1,
    "maxCount": 2,
}

ROWS = [
    Row("prod_has_backups", "prod", PROD),
    Row("prod_has_backups", "dev", {}),
    Row("prod_has_backups", "dev", {"backups": {"retentionDays": 7, "lock": False}}),
    Row(
        "prod_has_backups",
        "prod",
        {**PROD, "backups": None},
        "backups: got null, allowed: a section with retentionDays and lock for prod",
    ),
    Row(
        "prod_has_backups",
        "preprod",
        {**PREPROD, "backups": {"retentionDays": 13, "lock": True}},
        "backups.retentionDays: got 13, allowed: 14 or more for preprod",
    ),
    Row(
        "prod_has_backups",
        "prod",
        {**PROD, "backups": {"retentionDays": 14, "lock": False}},
        "backups.lock: got false, allowed: true for prod",
    ),
    Row("alarm_addresses_are_distinct", "dev", {"observability/alarmEmails": ["a@b.com", "a@c.com"]}),
    Row(
        "alarm_addresses_are_distinct",
        "dev",
        {"observability/alarmEmails": ["a@b.com", "c@b.com", "A@B.com"]},
        'observability.alarmEmails: got ["a@b.com"], allowed: each address once',
    ),
    Row("pool_counts_are_in_order", "dev", {f"{POOL}/minCount": 3}),
    Row(
        "pool_counts_are_in_order",
        "dev",
        {f"{POOL}/minCount": 4},
        "workers.pools.default.minCount: got 4, allowed: at most maxCount, 3",
    ),
    Row("queues_have_one_pool", "dev", {"workers/pools/heavy": OTHER_POOL}),
    Row(
        "queues_have_one_pool",
        "dev",
        {"workers/pools/heavy": {**OTHER_POOL, "queues": ["heavy", "default"]}},
        'workers.pools.heavy.queues[1]: got "default", allowed: a queue that is not listed yet; '
        "the pool default serves it",
    ),
    Row(
        "queues_have_one_pool",
        "dev",
        {f"{POOL}/queues": ["default", "small", "default"]},
        'workers.pools.default.queues[2]: got "default", allowed: a queue that is not listed yet; '
        "the pool default serves it",
    ),
    Row("default_queue_is_served", "dev", {f"{POOL}/queues": ["small", "default"]}),
    Row(
        "default_queue_is_served",
        "dev",
        {f"{POOL}/queues": ["small"], "workers/pools/heavy": OTHER_POOL},
        'workers.pools: got ["small", "heavy"], allowed: a pool that serves the queue default, too',
    ),
    Row("queued_tasks_outlast_a_worker_start", "dev", {"workers/taskQueuedTimeoutSeconds": 300}),
    Row(
        "queued_tasks_outlast_a_worker_start",
        "dev",
        {"workers/taskQueuedTimeoutSeconds": 600, f"{POOL}/minCount": 0},
    ),
    Row(
        "queued_tasks_outlast_a_worker_start",
        "dev",
        {"workers/taskQueuedTimeoutSeconds": 299},
        "workers.taskQueuedTimeoutSeconds: got 299, allowed: 300 or more for the start of a worker",
    ),
    Row(
        "queued_tasks_outlast_a_worker_start",
        "dev",
        {
            "workers/taskQueuedTimeoutSeconds": 599,
            "workers/pools/heavy": {**OTHER_POOL, "minCount": 0},
            "workers/pools/rare": {**OTHER_POOL, "queues": ["rare"], "minCount": 0},
        },
        "workers.taskQueuedTimeoutSeconds: got 599, allowed: 600 or more, as heavy, rare may have no worker",
    ),
    *(
        row
        for rule, path, fine, value, wanted in (
            ("prod_web_entry_is_protected", "web/deletionProtection", True, False, "true"),
            ("prod_metastore_survives", "metastore/multiAz", True, False, "true"),
            ("prod_metastore_survives", "metastore/backupRetentionDays", 14, 13, "14 or more"),
            ("prod_metastore_survives", "metastore/protect", True, False, "true"),
            (
                "prod_metastore_is_not_burstable",
                "metastore/instanceClass",
                "db.r7g.large",
                "db.t4g.large",
                "a class of the families db.m7g and db.r7g, with CPU that does not run out,",
            ),
            ("prod_broker_survives", "broker/replicas", 1, 0, "1 or more"),
            ("prod_broker_survives", "broker/snapshotRetentionDays", 1, 0, "1 or more"),
            ("prod_broker_survives", "broker/protect", True, False, "true"),
            ("prod_dags_are_protected", "dags/protect", True, False, "true"),
            ("prod_credentials_can_come_back", "credentials/recoveryDays", 7, 0, "7 or more"),
            ("prod_credentials_can_come_back", "credentials/keyDeletionDays", 30, 29, "30"),
            ("prod_has_no_exec", "services/execEnabled", False, True, "false"),
            ("prod_services_survive_a_task", "services/apiServer/count", 2, 1, "2 or more"),
            ("prod_services_survive_a_task", "services/scheduler/count", 2, 1, "2 or more"),
            ("prod_pools_always_work", f"{POOL}/minCount", 1, 0, "1 or more"),
            ("prod_pools_always_work", f"{POOL}/spotPercent", 99, 100, "less than 100"),
            ("prod_logs_are_kept", "observability/logRetentionDays", 90, 60, "90 or more"),
            (
                "prod_access_logs_are_kept",
                "observability/accessLogRetentionDays",
                365,
                364,
                "365 or more",
            ),
        )
        for row in (
            Row(rule, "prod", {**PROD, path: fine}),
            Row(rule, "dev", {path: value}),
            Row(
                rule,
                "prod",
                {**PROD, path: value},
                f"{path.replace('/', '.')}: got {json.dumps(value)}, allowed: {wanted} for prod",
            ),
            Row(
                rule,
                "preprod",
                {**PREPROD, path: value},
                f"{path.replace('/', '.')}: got {json.dumps(value)}, allowed: {wanted} for preprod",
            ),
        )
    ),
]
