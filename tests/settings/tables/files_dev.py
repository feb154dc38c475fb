"""Mistakes in Pulumi.dev.yaml."""

from __future__ import annotations

from typing import NamedTuple

from tests.settings.tables.rules_platform import INTERNAL, INTERNET
from tests.settings.tables.words import ACCOUNT_ID, CLASSES, CPUS, DIGEST, QUOTE, RANGE, SECTIONS

METASTORE_KEYS = (
    "instanceClass, engineVersion, multiAz, storageGib, maxStorageGib, backupRetentionDays, protect"
)


class Edit(NamedTuple):
    """Texts of a stack file and what stands there instead, and all lines that the file is refused with."""

    what: str
    stack: str
    texts: dict[str, str]
    lines: tuple[str, ...]


EDITS = [
    Edit(
        "account id without quotes",
        "dev",
        {'id: "111111111111"': "id: 111111111111"},
        (f"account.id: got 111111111111, allowed: {ACCOUNT_ID}{QUOTE}",),
    ),
    Edit(
        "kind of the shared stack",
        "dev",
        {"kind: environment": "kind: shared"},
        (
            (
                "shared.domainName: is required, allowed: a lower-case DNS name of at most 40 characters without a "
                "final dot, such as nonprod.example.com"
            ),
            "shared.protect: is required, allowed: true or false",
            (
                "shared.stack: unknown key, allowed: domainName, protect, noncurrentVersionDays, "
                "accessLogRetentionDays, imageRetentionCount, keyDeletionDays, serviceLinkedRoles"
            ),
            *(
                f"{section}: unknown key,{meant} allowed: kind, account, shared, tags"
                for section, meant in (
                    *(
                        (name, "")
                        for name in ("environment", "network", "web", "image", "metastore", "broker")
                    ),
                    ("dags", " did you mean tags?"),
                    *((name, "") for name in ("credentials", "services", "workers", "observability")),
                )
            ),
        ),
    ),
    Edit(
        "another region, zones forgotten",
        "dev",
        {"region: eu-west-1": "region: eu-central-1"},
        (
            'network.zones[0]: got "eu-west-1a", allowed: a zone of eu-central-1 (account.region)',
            'network.zones[1]: got "eu-west-1b", allowed: a zone of eu-central-1 (account.region)',
        ),
    ),
    Edit(
        "internet access with an empty list",
        "dev",
        {"access: internal": "access: internet", "[10.0.0.0/8]": "[]"},
        (f"web.allowedCidrs: got [], allowed: a list of 1 to 50, each {RANGE}",),
    ),
    Edit(
        "internet access for everyone",
        "dev",
        {"access: internal": "access: internet", "[10.0.0.0/8]": "[0.0.0.0/0]"},
        (f'web.allowedCidrs[0]: got "0.0.0.0/0", allowed: {INTERNET}',),
    ),
    Edit(
        "internal access, opened to everyone",
        "dev",
        {"[10.0.0.0/8]": "[0.0.0.0/0]"},
        (f'web.allowedCidrs[0]: got "0.0.0.0/0", allowed: {INTERNAL}',),
    ),
    Edit(
        "one address without a prefix length",
        "dev",
        {"[10.0.0.0/8]": "[10.1.2.3]"},
        (f'web.allowedCidrs[0]: got "10.1.2.3", allowed: {RANGE}',),
    ),
    Edit(
        "tag instead of a digest",
        "dev",
        {f'digest: "sha256:{"0" * 64}"': "digest: latest"},
        (f'image.digest: got "latest", allowed: {DIGEST}',),
    ),
    Edit(
        "Airflow 2",
        "dev",
        {'airflowVersion: "3.3.2"': 'airflowVersion: "2.11.0"'},
        ('image.airflowVersion: got "2.11.0", allowed: a release of Airflow 3 in quotes, such as "3.3.2"',),
    ),
    Edit(
        "key in the spelling of AWS",
        "dev",
        {"multiAz: false": "multiAZ: false"},
        (
            "metastore.multiAz: is required, allowed: true or false",
            f"metastore.multiAZ: unknown key, did you mean multiAz? allowed: {METASTORE_KEYS}",
        ),
    ),
    Edit(
        "keys in the spelling of Python",
        "dev",
        {"maxStorageGib: 50": "max_storage_gib: 50"},
        (
            "metastore.maxStorageGib: is required, allowed: a whole number from 20 to 65536",
            f"metastore.max_storage_gib: unknown key, did you mean maxStorageGib? allowed: {METASTORE_KEYS}",
        ),
    ),
    Edit(
        "class of another generation",
        "dev",
        {"instanceClass: db.t4g.small": "instanceClass: db.t3.small"},
        (f'metastore.instanceClass: got "db.t3.small", did you mean db.t4g.small? allowed: {CLASSES}',),
    ),
    Edit(
        "database too small for the connections",
        "dev",
        {"instanceClass: db.t4g.small": "instanceClass: db.t4g.micro"},
        (
            (
                'metastore.instanceClass: got "db.t4g.micro", allowed: one of '
                f"{CLASSES.removeprefix('db.t4g.micro, ')}: 4 processes may need 125 connections, "
                "this class accepts 71"
            ),
        ),
    ),
    Edit(
        "storage that cannot grow",
        "dev",
        {"storageGib: 20 #": "storageGib: 50 #"},
        ("metastore.maxStorageGib: got 50, allowed: 55 or more: a tenth above metastore.storageGib",),
    ),
    Edit(
        "password in the file",
        "dev",
        {"multiAz: false": "multiAz: false\n      password: hunter2\n      #"},
        (f"metastore.password: unknown key, allowed: {METASTORE_KEYS}",),
    ),
    Edit(
        "memory in gigabytes",
        "dev",
        {"scheduler: { cpuUnits: 512, memoryMib: 1024": "scheduler: { cpuUnits: 512, memoryMib: 1"},
        ("services.scheduler.memoryMib: got 1, allowed: a whole number from 512 to 122880",),
    ),
    Edit(
        "CPU in vCPUs",
        "dev",
        {"scheduler: { cpuUnits: 512": "scheduler: { cpuUnits: 0.5"},
        (f"services.scheduler.cpuUnits: got 0.5, allowed: {CPUS}",),
    ),
    Edit(
        "Airflow's default concurrency on a small worker",
        "dev",
        {"cpuUnits: 1024\n          memoryMib: 4096": "cpuUnits: 256\n          memoryMib: 1024"}
        | {"concurrency: 8": "concurrency: 16"},
        (
            (
                "workers.pools.default.concurrency: got 16, allowed: at most 10 with memoryMib 1024: a worker takes "
                "400 MiB and 62 MiB a task, before the tasks' own code"
            ),
        ),
    ),
    Edit(
        "role by its name in Airflow 2",
        "dev",
        {"apiServer: {": "webserver: {"},
        (
            (
                "services.apiServer: is required, allowed: a section with the keys cpuUnits, memoryMib, count, "
                "processes"
            ),
            (
                "services.webserver: unknown key, did you mean apiServer? allowed: execEnabled, apiServer, "
                "scheduler, dagProcessor, triggerer, flower"
            ),
        ),
    ),
    Edit(
        "queues as one text",
        "dev",
        {"queues: [default]": "queues: default,small"},
        (
            (
                'workers.pools.default.queues: got "default,small", allowed: a list of 1 to 20, each 1 to 64 letters, '
                "digits and _.-, a letter or digit first"
            ),
        ),
    ),
    Edit(
        "more workers at least than at most",
        "dev",
        {"minCount: 1 #": "minCount: 5 #"},
        ("workers.pools.default.minCount: got 5, allowed: at most maxCount, 3",),
    ),
    Edit(
        "Airflow's queue timeout with a pool that sleeps",
        "dev",
        {"taskQueuedTimeoutSeconds: 1800": "taskQueuedTimeoutSeconds: 300", "minCount: 1 #": "minCount: 0 #"},
        ("workers.taskQueuedTimeoutSeconds: got 300, allowed: 600 or more, as default may have no worker",),
    ),
    Edit(
        "retention that CloudWatch does not know",
        "dev",
        {"logRetentionDays: 14": "logRetentionDays: 10"},
        (
            (
                "observability.logRetentionDays: got 10, allowed: 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, "
                "400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653"
            ),
        ),
    ),
    Edit(
        "section indented too little",
        "dev",
        {"      delivery: release\n": "    delivery: release\n"}
        | {"      protect: false # every release": "    protect: false # every release"},
        (
            "dags: got null, allowed: a section with the keys delivery, imageDigest, protect",
            f"delivery: unknown key, did you mean dags.delivery? allowed: {SECTIONS}",
            f"protect: unknown key, did you mean metastore.protect? allowed: {SECTIONS}",
        ),
    ),
]
