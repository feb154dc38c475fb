"""The database of Airflow: RDS PostgreSQL in the data subnets, encrypted and reached over TLS only.

The owner's password is made and renewed by RDS in Secrets Manager; only the platform gate's task reads it. IAM
sign-in is off: nothing of ours uses it, so it would only be another way in. RDS keeps operating system metrics
in a log group that all its instances of the account and region share; that one is not made here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import pulumi
import pulumi_aws as aws

from components import checks, iam, naming, night
from components.iam import data
from components.rendering import as_json

PORT: Final = 5432
DATABASE_NAME: Final = "airflow"
OWNER_NAME: Final = "airflow_owner"
ENGINE_VERSIONS: Final = ("16", "17")
LOG_EXPORTS: Final = ("postgresql", "upgrade")
MONITORING_SERVICE: Final = "monitoring.rds.amazonaws.com"
MONITORING_SECONDS: Final = 60
INSIGHTS_DAYS: Final = 7
"""What is free of charge."""
MIN_STORAGE_GIB, MAX_STORAGE_GIB = 20, 65_536
MIN_BACKUP_DAYS, MAX_BACKUP_DAYS = 7, 35
STORAGE_HEADROOM_PERCENT: Final = 10
"""RDS refuses a limit of growth that is nearer to the size than this."""


@dataclass(frozen=True, kw_only=True)
class MetastoreArgs:
    """Inputs of a Metastore."""

    account_id: str
    """The account it is built in."""
    region: str
    """The region it is built in."""
    role_path: str
    """IAM path of the role that writes operating system metrics."""
    subnet_ids: pulumi.Input[Sequence[str]]
    """Data subnets, in two zones at least."""
    security_group_id: pulumi.Input[str]
    """Decides who reaches the port."""
    key_arn: pulumi.Input[str]
    """Key of storage, backups, owner's password, insights and logs. Another key means another, empty database."""
    identifier: str
    """Physical name, fixed: RDS derives the names of the log groups from it, which must exist before."""
    instance_class: str
    """Size of the instance, such as db.t4g.medium."""
    engine_version: str
    """Major version of PostgreSQL; RDS picks the minor one."""
    multi_az: bool
    """Keep a standby in another zone that takes over by itself."""
    storage_gib: int
    """Storage to begin with."""
    max_storage_gib: int
    """Up to where the storage grows by itself; it never shrinks."""
    backup_retention_days: int
    """Days that the database can be set back to any second, also after it was deleted."""
    log_retention_days: int
    """Days that its logs are kept; a period that CloudWatch Logs knows."""
    protect: bool = True
    """Refuse to delete the database, here and in RDS, and take a last snapshot if it is deleted nevertheless."""

    def __post_init__(self) -> None:
        """Refuse what RDS would refuse only when it is created."""
        checks.account_id(self.account_id)
        checks.matching(
            "role_path", self.role_path, r"/([\w+=,.@-]+/)*", "a path that begins and ends with /"
        )
        checks.matching(
            "identifier",
            self.identifier,
            r"[a-z](?!.*--)[a-z0-9-]{0,62}(?<!-)",
            "1 to 63 lower-case letters, digits and single hyphens, beginning with a letter",
        )
        checks.matching(
            "instance_class",
            self.instance_class,
            r"db\.[a-z0-9]+\.[a-z0-9]+",
            "a class such as db.t4g.medium",
        )
        checks.one_of("engine_version", self.engine_version, ENGINE_VERSIONS)
        checks.between("storage_gib", self.storage_gib, MIN_STORAGE_GIB, MAX_STORAGE_GIB)
        least = self.storage_gib + -(-self.storage_gib * STORAGE_HEADROOM_PERCENT // 100)
        checks.between("max_storage_gib", self.max_storage_gib, least, MAX_STORAGE_GIB)
        checks.between("backup_retention_days", self.backup_retention_days, MIN_BACKUP_DAYS, MAX_BACKUP_DAYS)
        checks.retention_days("log_retention_days", self.log_retention_days)


class Metastore(pulumi.ComponentResource):
    """One instance and what it needs.

    A change that replaces the instance (key, database name, owner's name) fails while the old one has the
    identifier, and deletes nothing. Who takes `protect` away gives up the last snapshot; the automated backups
    stay for their days.
    """

    host: pulumi.Output[str]
    port: int
    database_name: str
    identifier: str
    instance_arn: pulumi.Output[str]
    resource_id: pulumi.Output[str]
    """Changes with every new instance, unlike the identifier."""
    owner_secret_arn: pulumi.Output[str]
    """Secret with the owner's name and password, made by RDS."""

    def __init__(self, name: str, args: MetastoreArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        """Register the instance last: everything else must be there before it."""
        super().__init__("airflow:data:Metastore", name, {}, opts)
        self._child = pulumi.ResourceOptions(parent=self)
        self.port, self.database_name, self.identifier = PORT, DATABASE_NAME, args.identifier
        instance = self._make_instance(name, args)
        self.host, self.instance_arn, self.resource_id = instance.address, instance.arn, instance.resource_id
        self.owner_secret_arn = instance.master_user_secrets[0].secret_arn
        self.register_outputs(
            {
                "host": self.host,
                "identifier": self.identifier,
                "instanceArn": self.instance_arn,
                "resourceId": self.resource_id,
                "ownerSecretArn": self.owner_secret_arn,
            }
        )

    def _make_instance(self, name: str, args: MetastoreArgs) -> aws.rds.Instance:
        monitoring_role, monitoring_policy = self._make_monitoring_role(name, args)
        return aws.rds.Instance(
            f"{name}-instance",
            identifier=args.identifier,
            engine="postgres",
            engine_version=args.engine_version,
            # The major version is an argument, so that changing it is the decision; RDS takes a snapshot before.
            allow_major_version_upgrade=True,
            auto_minor_version_upgrade=True,
            engine_lifecycle_support="open-source-rds-extended-support-disabled",
            instance_class=args.instance_class,
            # The services' connections are sized for the class of this update, not for that of the next
            # maintenance window.
            apply_immediately=True,
            multi_az=args.multi_az,
            db_name=DATABASE_NAME,
            port=PORT,
            username=OWNER_NAME,
            manage_master_user_password=True,
            master_user_secret_kms_key_id=args.key_arn,
            iam_database_authentication_enabled=False,
            parameter_group_name=self._make_parameters(name, args).name,
            ca_cert_identifier="rds-ca-rsa2048-g1",
            db_subnet_group_name=self._make_subnet_group(name, args).name,
            vpc_security_group_ids=[args.security_group_id],
            publicly_accessible=False,
            storage_type="gp3",
            allocated_storage=args.storage_gib,
            max_allocated_storage=args.max_storage_gib,
            storage_encrypted=True,
            kms_key_id=args.key_arn,
            backup_retention_period=args.backup_retention_days,
            backup_window=night.rds_backup(args.region),
            maintenance_window=night.rds_maintenance(args.region),
            delete_automated_backups=False,
            copy_tags_to_snapshot=True,
            deletion_protection=args.protect,
            skip_final_snapshot=not args.protect,
            final_snapshot_identifier=f"{args.identifier}-final" if args.protect else None,
            enabled_cloudwatch_logs_exports=list(LOG_EXPORTS),
            monitoring_interval=MONITORING_SECONDS,
            monitoring_role_arn=monitoring_role.arn,
            database_insights_mode="standard",
            performance_insights_enabled=True,
            performance_insights_kms_key_id=args.key_arn,
            performance_insights_retention_period=INSIGHTS_DAYS,
            opts=pulumi.ResourceOptions(
                parent=self,
                protect=args.protect,
                depends_on=[
                    # RDS tries the role when the instance is created, and refuses one without the rights.
                    monitoring_policy,
                    # RDS makes missing log groups itself: without key and end, and the names are taken then.
                    *self._make_log_groups(name, args),
                ],
            ),
        )

    def _make_subnet_group(self, name: str, args: MetastoreArgs) -> aws.rds.SubnetGroup:
        return aws.rds.SubnetGroup(
            f"{name}-subnets",
            description=f"Data subnets of {name}",
            subnet_ids=args.subnet_ids,
            opts=self._child,
        )

    def _make_parameters(self, name: str, args: MetastoreArgs) -> aws.rds.ParameterGroup:
        parameter = aws.rds.ParameterGroupParameterArgs
        return aws.rds.ParameterGroup(
            f"{name}-parameters",
            description=f"PostgreSQL settings of {name}",
            family=f"postgres{args.engine_version}",
            parameters=[
                parameter(name="rds.force_ssl", value="1"),
                # Says who waited for whom when schedulers stall on each other's rows.
                parameter(name="log_lock_waits", value="1"),
            ],
            opts=self._child,
        )

    def _make_log_groups(self, name: str, args: MetastoreArgs) -> list[pulumi.Resource]:
        return [
            aws.cloudwatch.LogGroup(
                f"{name}-{export}-log",
                name=f"/aws/rds/instance/{args.identifier}/{export}",
                retention_in_days=args.log_retention_days,
                kms_key_id=args.key_arn,
                opts=self._child,
            )
            for export in LOG_EXPORTS
        ]

    def _make_monitoring_role(
        self, name: str, args: MetastoreArgs
    ) -> tuple[aws.iam.Role, aws.iam.RolePolicy]:
        partition = iam.partition_of(args.region)
        trust = iam.service_trust(
            MONITORING_SERVICE,
            account_id=args.account_id,
            source_arn=f"arn:{partition}:rds:{args.region}:{args.account_id}:db:{args.identifier}",
        )
        role = aws.iam.Role(
            naming.fit(f"{name}-monitoring", naming.ROLE_NAME_LIMIT),
            description="RDS writes operating system metrics of the metastore",
            path=args.role_path,
            assume_role_policy=as_json(trust),
            opts=self._child,
        )
        policy = aws.iam.RolePolicy(
            f"{name}-monitoring-policy",
            role=role.name,
            policy=as_json(data.enhanced_monitoring(args.region, args.account_id)),
            opts=self._child,
        )
        return role, policy
