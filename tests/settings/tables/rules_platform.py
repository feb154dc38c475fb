"""Settings that pass and break the rules about web entry, metastore, broker, DAGs and container sizes."""

from __future__ import annotations

from tests.settings.samples import POOL, PROD
from tests.settings.tables.rules import Row

INTERNAL = "with access internal ranges within 10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16, 100.64.0.0/10"
INTERNET = "with access internet known public ranges, /8 or narrower"
DAG_IMAGE = f"sha256:{'d' * 64}"

ROWS = [
    Row("allowed_ranges_are_distinct", "dev", {"web/allowedCidrs": ["10.0.0.0/8", "10.0.0.0/9"]}),
    Row(
        "allowed_ranges_are_distinct",
        "dev",
        {"web/allowedCidrs": ["10.0.0.0/8", "10.1.0.0/16", "10.0.0.0/8"]},
        'web.allowedCidrs: got ["10.0.0.0/8"], allowed: each range once',
    ),
    Row(
        "internal_access_is_for_private_ranges",
        "dev",
        {"web/allowedCidrs": ["10.0.0.0/8", "172.31.0.0/16", "192.168.1.1/32", "100.64.0.0/10"]},
    ),
    Row(
        "internal_access_is_for_private_ranges",
        "dev",
        {"web/access": "internet", "web/allowedCidrs": ["198.51.100.0/24"]},
    ),
    Row(
        "internal_access_is_for_private_ranges",
        "dev",
        {"web/allowedCidrs": ["10.0.0.0/8", "0.0.0.0/0"]},
        f'web.allowedCidrs[1]: got "0.0.0.0/0", allowed: {INTERNAL}',
    ),
    Row(
        "internal_access_is_for_private_ranges",
        "prod",
        {**PROD, "web/allowedCidrs": ["198.51.100.0/24"]},
        f'web.allowedCidrs[0]: got "198.51.100.0/24", allowed: {INTERNAL}',
    ),
    Row("internet_access_is_for_known_ranges", "dev", {}),
    Row(
        "internet_access_is_for_known_ranges",
        "dev",
        {"web/access": "internet", "web/allowedCidrs": ["198.51.100.7/32", "17.0.0.0/8"]},
    ),
    *(
        Row(
            "internet_access_is_for_known_ranges",
            stack,
            {**changes, "web/access": "internet", "web/allowedCidrs": ["198.51.100.0/24", cidr]},
            f'web.allowedCidrs[1]: got "{cidr}", allowed: {INTERNET}',
        )
        for stack, changes, cidr in (
            ("dev", {}, "0.0.0.0/0"),
            ("prod", PROD, "0.0.0.0/0"),
            ("dev", {}, "128.0.0.0/1"),
            ("dev", {}, "10.1.0.0/16"),
            ("dev", {}, "100.100.0.0/16"),
        )
    ),
    Row("metastore_storage_can_grow", "dev", {"metastore/maxStorageGib": 22}),
    Row("metastore_storage_can_grow", "dev", {"metastore/storageGib": 45, "metastore/maxStorageGib": 50}),
    *(
        Row(
            "metastore_storage_can_grow",
            "dev",
            {"metastore/storageGib": size, "metastore/maxStorageGib": most},
            f"metastore.maxStorageGib: got {most}, allowed: {least} or more: a tenth above metastore.storageGib",
        )
        for size, most, least in ((20, 20, 22), (46, 50, 51), (1000, 1099, 1100), (100, 50, 110))
    ),
    Row("metastore_accepts_every_connection", "dev", {}),
    Row(
        "metastore_accepts_every_connection",
        "dev",
        {"services/apiServer/count": 2, "services/apiServer/processes": 1},
    ),
    Row(
        "metastore_accepts_every_connection",
        "dev",
        {"metastore/instanceClass": "db.t4g.micro"},
        'metastore.instanceClass: got "db.t4g.micro", allowed: one of db.t4g.small, db.t4g.medium, '
        "db.t4g.large, db.m7g.large, db.m7g.xlarge, db.m7g.2xlarge, db.m7g.4xlarge, db.r7g.large, "
        "db.r7g.xlarge, db.r7g.2xlarge, db.r7g.4xlarge: 4 processes may need 125 connections, "
        "this class accepts 71",
    ),
    Row(
        "metastore_accepts_every_connection",
        "prod",
        {**PROD, "services/apiServer/count": 10, "services/apiServer/processes": 5},
        'metastore.instanceClass: got "db.m7g.large", allowed: one of db.m7g.xlarge, db.m7g.2xlarge, '
        "db.m7g.4xlarge, db.r7g.large, db.r7g.xlarge, db.r7g.2xlarge, db.r7g.4xlarge: 54 processes may need "
        "1625 connections, this class accepts 820",
    ),
    Row(
        "metastore_accepts_every_connection",
        "dev",
        {"services/apiServer/count": 20, "services/apiServer/processes": 16},
        'metastore.instanceClass: got "db.t4g.small", allowed: fewer processes in services: 323 processes '
        "may need 9695 connections, this class accepts 178",
    ),
    Row("messages_outlast_the_longest_task", "dev", {"broker/visibilityTimeoutMinutes": 151}),
    Row(
        "messages_outlast_the_longest_task",
        "dev",
        {"broker/visibilityTimeoutMinutes": 150},
        "broker.visibilityTimeoutMinutes: got 150, allowed: more than 150, the minutes of "
        "workers.longestTaskMinutes and workers.taskQueuedTimeoutSeconds together",
    ),
    Row(
        "messages_outlast_the_longest_task",
        "dev",
        {"workers/longestTaskMinutes": 349, "workers/taskQueuedTimeoutSeconds": 601},
        "broker.visibilityTimeoutMinutes: got 360, allowed: more than 360, the minutes of "
        "workers.longestTaskMinutes and workers.taskQueuedTimeoutSeconds together",
    ),
    Row("fargate_has_every_size", "dev", {"services/flower": {"cpuUnits": 256, "memoryMib": 2048}}),
    *(
        Row(
            "fargate_has_every_size",
            "dev",
            {f"{path}/cpuUnits": cpu, f"{path}/memoryMib": memory},
            f"{path.replace('/', '.')}.memoryMib: got {memory}, allowed: {sizes} with cpuUnits {cpu}",
        )
        for path, cpu, memory, sizes in (
            ("services/apiServer", 256, 4096, "512, 1024, 2048"),
            ("services/scheduler", 512, 512, "1024 to 4096 in steps of 1024"),
            ("services/dagProcessor", 1024, 2000, "2048 to 8192 in steps of 1024"),
            ("services/triggerer", 2048, 32768, "4096 to 16384 in steps of 1024"),
            ("workers/pools/default", 8192, 18432, "16384 to 61440 in steps of 4096"),
            ("workers/pools/default", 16384, 16384, "32768 to 122880 in steps of 8192"),
        )
    ),
    Row(
        "fargate_has_every_size",
        "dev",
        {"services/flower": {"cpuUnits": 512, "memoryMib": 512}},
        "services.flower.memoryMib: got 512, allowed: 1024 to 4096 in steps of 1024 with cpuUnits 512",
    ),
    Row("api_server_processes_fit_in_memory", "dev", {"services/apiServer/processes": 3}),
    Row(
        "api_server_processes_fit_in_memory",
        "dev",
        {"services/apiServer/processes": 4},
        "services.apiServer.processes: got 4, allowed: at most 3 with memoryMib 1024: each takes 280 MiB",
    ),
    Row("concurrency_fits_in_memory", "dev", {f"{POOL}/concurrency": 59}),
    Row(
        "concurrency_fits_in_memory",
        "dev",
        {f"{POOL}/concurrency": 60},
        "workers.pools.default.concurrency: got 60, allowed: at most 59 with memoryMib 4096: a worker takes "
        "400 MiB and 62 MiB a task, before the tasks' own code",
    ),
    Row("dag_image_is_for_image_delivery", "dev", {}),
    Row("dag_image_is_for_image_delivery", "dev", {"dags/delivery": "image", "dags/imageDigest": DAG_IMAGE}),
    Row(
        "dag_image_is_for_image_delivery",
        "dev",
        {"dags/delivery": "image"},
        "dags.imageDigest: got null, allowed: the digest of an image with DAGs while dags.delivery is image; "
        "`operations image` makes the first",
    ),
    Row(
        "dag_image_is_for_image_delivery",
        "dev",
        {"dags/imageDigest": DAG_IMAGE},
        f'dags.imageDigest: got "{DAG_IMAGE[:56]}..., allowed: none while dags.delivery is release',
    ),
    Row(
        "dag_image_is_for_image_delivery",
        "dev",
        {"dags/delivery": "image", "dags/imageDigest": DAG_IMAGE, "image/digest": DAG_IMAGE},
        f'dags.imageDigest: got "{DAG_IMAGE[:56]}..., allowed: another image than image.digest, which has no DAGs',
    ),
]
