"""The prod account: preprod and prod."""

from __future__ import annotations

from collections.abc import Iterator

from settings.errors import Mistake
from settings.rules.base import ACCESS_LOG_DAYS, Rule, prod_account_only
from settings.stacks import EnvironmentSettings

BACKUP_DAYS = 14  # a mistake of Monday is still found after two weeks of holidays
RECOVERY_DAYS = 7  # the shortest window that Secrets Manager has
KEY_DELETION_DAYS = 30  # the longest AWS has: with the key go database, backups and secrets; waiting is free
TASKS = 2  # one in another zone when a zone fails, and one that serves while the other is replaced
LOG_DAYS = 90  # a quarter; longer is the stack's choice, since logs pay by the month
SNAPSHOT_DAYS = 1
BURSTABLE = "db.t4g."
ALL_SPOT = 100


def _unless(
    fine: bool, path: str, given: object, wanted: str, settings: EnvironmentSettings
) -> list[Mistake]:
    return [] if fine else [Mistake(path, given, f"{wanted} for {settings.environment}")]


@prod_account_only
def prod_web_entry_is_protected(settings: EnvironmentSettings, _: str) -> Iterator[Mistake]:
    """Preprod and prod protect their load balancer from deletion."""
    given = settings.web.deletion_protection
    yield from _unless(given, "web.deletionProtection", given, "true", settings)


@prod_account_only
def prod_metastore_survives(settings: EnvironmentSettings, _: str) -> Iterator[Mistake]:
    """Preprod and prod have a standby of the metastore, 14 days of backups, and protection from deletion."""
    store, days = settings.metastore, settings.metastore.backup_retention_days
    yield from _unless(store.multi_az, "metastore.multiAz", store.multi_az, "true", settings)
    yield from _unless(
        days >= BACKUP_DAYS, "metastore.backupRetentionDays", days, f"{BACKUP_DAYS} or more", settings
    )
    yield from _unless(store.protect, "metastore.protect", store.protect, "true", settings)


@prod_account_only
def prod_has_backups(settings: EnvironmentSettings, _: str) -> Iterator[Mistake]:
    """Preprod and prod have backups in a locked vault, and keep them for 14 days or longer."""
    backups = settings.backups
    if backups is None:
        yield Mistake("backups", None, f"a section with retentionDays and lock for {settings.environment}")
        return
    days = backups.retention_days
    yield from _unless(days >= BACKUP_DAYS, "backups.retentionDays", days, f"{BACKUP_DAYS} or more", settings)
    yield from _unless(backups.lock, "backups.lock", backups.lock, "true", settings)


@prod_account_only
def prod_metastore_is_not_burstable(settings: EnvironmentSettings, _: str) -> Iterator[Mistake]:
    """Preprod and prod have no burstable metastore: AWS recommends that for development and tests only."""
    given = settings.metastore.instance_class
    yield from _unless(
        not given.startswith(BURSTABLE),
        "metastore.instanceClass",
        given,
        "a class of the families db.m7g and db.r7g, with CPU that does not run out,",
        settings,
    )


@prod_account_only
def prod_broker_survives(settings: EnvironmentSettings, _: str) -> Iterator[Mistake]:
    """Preprod and prod have a replica of the broker, a daily snapshot, and protection from deletion."""
    broker, days = settings.broker, settings.broker.snapshot_retention_days
    yield from _unless(broker.replicas > 0, "broker.replicas", broker.replicas, "1 or more", settings)
    yield from _unless(
        days >= SNAPSHOT_DAYS, "broker.snapshotRetentionDays", days, f"{SNAPSHOT_DAYS} or more", settings
    )
    yield from _unless(broker.protect, "broker.protect", broker.protect, "true", settings)


@prod_account_only
def prod_dags_are_protected(settings: EnvironmentSettings, _: str) -> Iterator[Mistake]:
    """Preprod and prod protect their storage of DAG releases from deletion."""
    yield from _unless(settings.dags.protect, "dags.protect", settings.dags.protect, "true", settings)


@prod_account_only
def prod_credentials_can_come_back(settings: EnvironmentSettings, _: str) -> Iterator[Mistake]:
    """Preprod and prod can bring back a deleted secret for 7 days or longer, the deleted key for 30."""
    secret, key = settings.credentials.recovery_days, settings.credentials.key_deletion_days
    yield from _unless(
        secret >= RECOVERY_DAYS, "credentials.recoveryDays", secret, f"{RECOVERY_DAYS} or more", settings
    )
    yield from _unless(
        key == KEY_DELETION_DAYS, "credentials.keyDeletionDays", key, f"{KEY_DELETION_DAYS}", settings
    )


@prod_account_only
def prod_has_no_exec(settings: EnvironmentSettings, _: str) -> Iterator[Mistake]:
    """Preprod and prod let nobody open a session inside a container."""
    given = settings.services.exec_enabled
    yield from _unless(not given, "services.execEnabled", given, "false", settings)


@prod_account_only
def prod_services_survive_a_task(settings: EnvironmentSettings, _: str) -> Iterator[Mistake]:
    """Preprod and prod have 2 tasks or more of the api-server and of the scheduler."""
    counts = {
        "services.apiServer.count": settings.services.api_server.count,
        "services.scheduler.count": settings.services.scheduler.count,
    }
    for path, count in counts.items():
        yield from _unless(count >= TASKS, path, count, f"{TASKS} or more", settings)


@prod_account_only
def prod_pools_always_work(settings: EnvironmentSettings, _: str) -> Iterator[Mistake]:
    """Preprod and prod have no pool without a running worker, and none that is all Spot."""
    for name, pool in settings.workers.pools.items():
        path = f"workers.pools.{name}"
        yield from _unless(pool.min_count > 0, f"{path}.minCount", pool.min_count, "1 or more", settings)
        yield from _unless(
            pool.spot_percent < ALL_SPOT,
            f"{path}.spotPercent",
            pool.spot_percent,
            f"less than {ALL_SPOT}",
            settings,
        )


@prod_account_only
def prod_logs_are_kept(settings: EnvironmentSettings, _: str) -> Iterator[Mistake]:
    """Preprod and prod keep logs for 90 days or longer."""
    given = settings.observability.log_retention_days
    yield from _unless(
        given >= LOG_DAYS, "observability.logRetentionDays", given, f"{LOG_DAYS} or more", settings
    )


@prod_account_only
def prod_access_logs_are_kept(settings: EnvironmentSettings, _: str) -> Iterator[Mistake]:
    """Preprod and prod keep access logs for 365 days or longer."""
    given = settings.observability.access_log_retention_days
    yield from _unless(
        given >= ACCESS_LOG_DAYS,
        "observability.accessLogRetentionDays",
        given,
        f"{ACCESS_LOG_DAYS} or more",
        settings,
    )


RULES: tuple[Rule, ...] = (
    prod_web_entry_is_protected,
    prod_metastore_survives,
    prod_has_backups,
    prod_metastore_is_not_burstable,
    prod_broker_survives,
    prod_dags_are_protected,
    prod_credentials_can_come_back,
    prod_has_no_exec,
    prod_services_survive_a_task,
    prod_pools_always_work,
    prod_logs_are_kept,
    prod_access_logs_are_kept,
)
