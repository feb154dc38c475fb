"""Wrong fields of the sections that describe the platform."""

from __future__ import annotations

import json

from tests.settings.samples import DELETED, POOL
from tests.settings.tables.fields import Wrong
from tests.settings.tables.words import (
    CLASSES,
    CPUS,
    DIGEST,
    EMAILS,
    LABEL,
    MEMORY,
    NODES,
    PERIODS,
    POOL_KEYS,
    QUEUE,
    QUOTE,
    RANGE,
    RELEASE,
    SECTIONS,
    SIGNS,
)

WRONG = [
    Wrong("environment", "web/access", "public", 'web.access: got "public", allowed: internal, internet'),
    Wrong(
        "environment",
        "web/access",
        "Internal",
        'web.access: got "Internal", did you mean internal? allowed: internal, internet',
    ),
    Wrong(
        "environment",
        "web/allowedCidrs",
        [],
        f"web.allowedCidrs: got [], allowed: a list of 1 to 50, each {RANGE}",
    ),
    Wrong(
        "environment",
        "web/allowedCidrs",
        DELETED,
        f"web.allowedCidrs: is required, allowed: a list of 1 to 50, each {RANGE}",
    ),
    Wrong(
        "environment",
        "web/allowedCidrs",
        "10.0.0.0/8",
        f'web.allowedCidrs: got "10.0.0.0/8", allowed: a list of 1 to 50, each {RANGE}',
    ),
    *(
        Wrong(
            "environment",
            "web/allowedCidrs/0",
            value,
            f'web.allowedCidrs[0]: got "{value}", allowed: {RANGE}',
        )
        for value in ("10.0.0.1/8", "10.0.0.1", "10.0.0.0/33", "10.0.0.0/255.0.0.0", "::/0", "home")
    ),
    Wrong(
        "environment",
        "web/allowedCidrs/0",
        10,
        f"web.allowedCidrs[0]: got 10, allowed: {RANGE}{QUOTE}",
    ),
    *(
        Wrong("environment", "web/hostLabel", value, f'web.hostLabel: got "{value}", allowed: {LABEL}')
        for value in ("", "Airflow", "air.flow", "-a", "a-", "1a", "a" * 16)
    ),
    Wrong(
        "environment",
        "image/digest",
        "3.3.2",
        f'image.digest: got "3.3.2", allowed: {DIGEST}',
    ),
    Wrong(
        "environment",
        "image/digest",
        "sha256:" + "A" * 64,
        f'image.digest: got "sha256:{"A" * 49}..., allowed: {DIGEST}',
    ),
    Wrong("environment", "image/digest", DELETED, f"image.digest: is required, allowed: {DIGEST}"),
    *(
        Wrong(
            "environment",
            "image/airflowVersion",
            value,
            f'image.airflowVersion: got "{value}", allowed: {RELEASE}',
        )
        for value in ("2.11.0", "3.3", "3.3.2rc1", "3.03.1", "v3.3.2")
    ),
    Wrong(
        "environment",
        "image/airflowVersion",
        3.3,
        f"image.airflowVersion: got 3.3, allowed: {RELEASE}{QUOTE}",
    ),
    Wrong(
        "environment",
        "image/architecture",
        "arm",
        'image.architecture: got "arm", did you mean arm64? allowed: arm64, x86_64',
    ),
    Wrong(
        "environment",
        "image/tag",
        "latest",
        "image.tag: unknown key, allowed: digest, airflowVersion, architecture",
    ),
    Wrong(
        "environment",
        "metastore/instanceClass",
        "db.t3.micro",
        f'metastore.instanceClass: got "db.t3.micro", did you mean db.t4g.micro? allowed: {CLASSES}',
    ),
    Wrong(
        "environment",
        "metastore/instanceClass",
        True,
        f"metastore.instanceClass: got true, allowed: {CLASSES}",
    ),
    Wrong(
        "environment",
        "metastore/engineVersion",
        17,
        f"metastore.engineVersion: got 17, allowed: 16, 17{QUOTE}",
    ),
    Wrong(
        "environment",
        "metastore/engineVersion",
        "15",
        'metastore.engineVersion: got "15", allowed: 16, 17',
    ),
    Wrong(
        "environment",
        "metastore/multiAZ",
        True,
        "metastore.multiAZ: unknown key, did you mean multiAz? allowed: instanceClass, engineVersion, multiAz, "
        "storageGib, maxStorageGib, backupRetentionDays, protect",
    ),
    Wrong(
        "environment",
        "metastore/password",
        "x",
        "metastore.password: unknown key, allowed: instanceClass, engineVersion, multiAz, "
        "storageGib, maxStorageGib, backupRetentionDays, protect",
    ),
    Wrong(
        "environment",
        "broker/nodeType",
        "t4g.micro",
        f'broker.nodeType: got "t4g.micro", did you mean cache.t4g.micro? allowed: {NODES}',
    ),
    Wrong(
        "environment",
        "broker/nodeType",
        "db.m7g.large",
        f'broker.nodeType: got "db.m7g.large", did you mean cache.m7g.large? allowed: {NODES}',
    ),
    Wrong(
        "environment",
        "broker/engineVersion",
        8.0,
        f"broker.engineVersion: got 8.0, allowed: 7.2, 8.0, 8.1{QUOTE}",
    ),
    Wrong("environment", "dags/delivery", "git", 'dags.delivery: got "git", allowed: release, image'),
    Wrong(
        "environment",
        "dags/imageDigest",
        "sha256:0",
        f'dags.imageDigest: got "sha256:0", allowed: {DIGEST}',
    ),
    Wrong(
        "environment",
        "credentials/recoveryDays",
        "7",
        'credentials.recoveryDays: got "7", did you mean 7? allowed: 0, or a whole number from 7 to 30; '
        "without quotes",
    ),
    Wrong(
        "environment",
        "services/scheduler/cpuUnits",
        1000,
        f"services.scheduler.cpuUnits: got 1000, allowed: {CPUS}",
    ),
    Wrong(
        "environment",
        "services/scheduler/cpuUnits",
        0.5,
        f"services.scheduler.cpuUnits: got 0.5, allowed: {CPUS}",
    ),
    Wrong(
        "environment",
        "services/scheduler/cpuUnits",
        True,
        f"services.scheduler.cpuUnits: got true, allowed: {CPUS}",
    ),
    Wrong(
        "environment",
        "services/apiServer/memoryMib",
        "2 GB",
        f'services.apiServer.memoryMib: got "2 GB", allowed: {MEMORY}; without quotes',
    ),
    Wrong(
        "environment",
        "services/webserver",
        {},
        "services.webserver: unknown key, did you mean apiServer? "
        "allowed: execEnabled, apiServer, scheduler, dagProcessor, triggerer, flower",
    ),
    Wrong(
        "environment",
        "services/triggerer",
        DELETED,
        "services.triggerer: is required, allowed: a section with the keys cpuUnits, memoryMib, count",
    ),
    Wrong(
        "environment",
        "services/flower",
        True,
        "services.flower: got true, allowed: a section with the keys cpuUnits, memoryMib",
    ),
    Wrong(
        "environment",
        "services/flower",
        {"cpuUnits": 256},
        f"services.flower.memoryMib: is required, allowed: {MEMORY}",
    ),
    Wrong(
        "environment",
        "services/flower",
        {"cpuUnits": 256, "memoryMib": 512, "count": 2},
        "services.flower.count: unknown key, did you mean cpuUnits? allowed: cpuUnits, memoryMib",
    ),
    *(
        Wrong(
            "environment",
            "observability/alarmEmails",
            [address],
            f"observability.alarmEmails[0]: got {json.dumps(address)}, allowed: {EMAILS.partition('each ')[2]}",
        )
        for address in (
            "ops",
            "ops@example",
            "ops@@example.com",
            "o ps@example.com",
            "ops@example.com\n",
            "@a.com",
        )
    ),
    Wrong(
        "environment",
        "observability/alarmEmails",
        "ops@example.com",
        f'observability.alarmEmails: got "ops@example.com", allowed: {EMAILS}',
    ),
    Wrong(
        "environment",
        "backups",
        True,
        "backups: got true, allowed: a section with the keys retentionDays, lock",
    ),
    Wrong(
        "environment", "backups", {"retentionDays": 35}, "backups.lock: is required, allowed: true or false"
    ),
    *(
        Wrong(
            "environment",
            "backups",
            {"retentionDays": days, "lock": True},
            f"backups.retentionDays: got {days}, allowed: a whole number from 7 to 3650",
        )
        for days in (6, 3651)
    ),
    Wrong(
        "environment",
        "workers/pools",
        {},
        f"workers.pools: got {{}}, allowed: a section of 1 to 10 keys, each a section with the keys {POOL_KEYS}",
    ),
    Wrong(
        "environment",
        "workers/pools",
        ["default"],
        'workers.pools: got ["default"], allowed: a section of 1 to 10 keys, each a section with the keys '
        f"{POOL_KEYS}",
    ),
    Wrong(
        "environment",
        POOL,
        "default",
        f'workers.pools.default: got "default", allowed: a section with the keys {POOL_KEYS}',
    ),
    Wrong(
        "environment",
        f"{POOL}/queue",
        "default",
        f"workers.pools.default.queue: unknown key, did you mean queues? allowed: {POOL_KEYS}",
    ),
    Wrong(
        "environment",
        "queues",
        ["default"],
        f"queues: unknown key, did you mean workers.pools.<name>.queues? allowed: {SECTIONS}",
    ),
    Wrong(
        "environment",
        f"{POOL}/queues",
        "default",
        f'workers.pools.default.queues: got "default", allowed: a list of 1 to 20, each {QUEUE}',
    ),
    *(
        Wrong(
            "environment",
            f"{POOL}/queues/0",
            value,
            f'workers.pools.default.queues[0]: got "{value}", allowed: {QUEUE}',
        )
        for value in ("", "a,b", "a b", "-a", "é")
    ),
    Wrong(
        "environment",
        f"{POOL}/minCount",
        DELETED,
        "workers.pools.default.minCount: is required, allowed: a whole number from 0 to 100",
    ),
    Wrong(
        "environment",
        "observability/logRetentionDays",
        0,
        f"observability.logRetentionDays: got 0, allowed: {PERIODS}",
    ),
    Wrong(
        "environment",
        "tags/extra/" + "k" * 129,
        "c",
        f'tags.extra: got the key "{"k" * 56}..., allowed: 1 to 128 characters: {SIGNS}; '
        "not beginning with aws:",
    ),
]
