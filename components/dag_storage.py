"""Where DAG releases live: an encrypted file system that only the publisher writes, and the release ledger.

Every client comes in through one of two access points to the same directory, over TLS and with an identity.
The file system's policy only refuses; rights to mount and to write are in the roles' own policies. Files never
move to a colder storage class: every parse reads them again, and releases that nobody reads are removed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import pulumi
import pulumi_aws as aws

from components import checks, naming
from components.iam import data
from components.rendering import Documents

RELEASES_PATH: Final = "/releases"
RELEASES_MODE: Final = "0755"
READER_UID: Final = 50000
"""The user of the Airflow image."""
WRITER_UID: Final = 50001
"""Not the reader's: files of the publisher are closed to everybody else's writing."""
ROOT_GID: Final = 0
"""The group of the Airflow image's user."""
MAX_ZONES: Final = 6
CREATION_TOKEN_LIMIT: Final = 64
LEDGER_KEYS: Final = ("pk", "sk")
LEDGER_EXPIRY: Final = "expiresAt"


@dataclass(frozen=True, kw_only=True)
class DagStorageArgs:
    """Inputs of a DagStorage."""

    subnet_ids: pulumi.Input[Sequence[str]]
    """Data subnets, one in each zone."""
    zone_count: int
    """How many subnets there are: known while a preview does not know their ids."""
    security_group_id: pulumi.Input[str]
    """Decides who reaches the file system."""
    key_arn: pulumi.Input[str]
    """Key of files and ledger. Another key means another, empty file system."""
    protect: bool = True
    """Refuse to delete file system and ledger."""

    def __post_init__(self) -> None:
        """Refuse a number of zones that no region has."""
        checks.between("zone_count", self.zone_count, 1, MAX_ZONES)


class DagStorage(pulumi.ComponentResource):
    """One file system in several zones, two ways into it, and the ledger."""

    file_system_id: pulumi.Output[str]
    file_system_arn: pulumi.Output[str]
    reader_access_point_id: pulumi.Output[str]
    reader_access_point_arn: pulumi.Output[str]
    writer_access_point_id: pulumi.Output[str]
    writer_access_point_arn: pulumi.Output[str]
    ledger_name: pulumi.Output[str]
    ledger_arn: pulumi.Output[str]
    ready: tuple[pulumi.Resource, ...]
    """What a client must depend on: before it there is nothing to mount, or anybody could mount it."""

    def __init__(self, name: str, args: DagStorageArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        """Register the file system, the ways into it, and the ledger."""
        super().__init__("airflow:data:DagStorage", name, {}, opts)
        self._child = pulumi.ResourceOptions(parent=self)
        self._documents = Documents()
        self._kept = pulumi.ResourceOptions(parent=self, protect=args.protect)
        file_system = self._make_file_system(name, args)
        self.file_system_id, self.file_system_arn = file_system.id, file_system.arn
        reader = self._make_access_point(f"{name}-reader", READER_UID)
        writer = self._make_access_point(f"{name}-writer", WRITER_UID)
        self.reader_access_point_id, self.reader_access_point_arn = reader.id, reader.arn
        self.writer_access_point_id, self.writer_access_point_arn = writer.id, writer.arn
        self.ready = (*self._make_mount_targets(name, args), self._make_policy(name))
        ledger = self._make_ledger(name, args)
        self.ledger_name, self.ledger_arn = ledger.name, ledger.arn
        self.register_outputs(
            {
                "fileSystemId": self.file_system_id,
                "readerAccessPointId": self.reader_access_point_id,
                "writerAccessPointId": self.writer_access_point_id,
                "ledgerName": self.ledger_name,
                "documents": self._documents.parts,
            }
        )

    def _make_file_system(self, name: str, args: DagStorageArgs) -> aws.efs.FileSystem:
        file_system_name = naming.fit(f"{name}-files", CREATION_TOKEN_LIMIT)
        return aws.efs.FileSystem(
            file_system_name,
            encrypted=True,
            kms_key_id=args.key_arn,
            performance_mode="generalPurpose",
            throughput_mode="bursting",
            tags={"Name": file_system_name},
            opts=self._kept,
        )

    def _make_access_point(self, access_point_name: str, uid: int) -> aws.efs.AccessPoint:
        """Make one way into the releases.

        EFS makes the directory for whoever mounts first, so both ways name the same owner.
        """
        return aws.efs.AccessPoint(
            access_point_name,
            file_system_id=self.file_system_id,
            posix_user=aws.efs.AccessPointPosixUserArgs(uid=uid, gid=ROOT_GID),
            root_directory=aws.efs.AccessPointRootDirectoryArgs(
                path=RELEASES_PATH,
                creation_info=aws.efs.AccessPointRootDirectoryCreationInfoArgs(
                    owner_uid=WRITER_UID, owner_gid=ROOT_GID, permissions=RELEASES_MODE
                ),
            ),
            tags={"Name": access_point_name},
            opts=self._child,
        )

    def _make_mount_targets(self, name: str, args: DagStorageArgs) -> list[pulumi.Resource]:
        subnet_ids = pulumi.Output.from_input(args.subnet_ids)
        return [
            aws.efs.MountTarget(
                f"{name}-{zone + 1}",
                file_system_id=self.file_system_id,
                subnet_id=subnet_ids[zone],
                security_groups=[args.security_group_id],
                opts=self._child,
            )
            for zone in range(args.zone_count)
        ]

    def _make_policy(self, name: str) -> pulumi.Resource:
        policy = data.efs_policy(
            self.file_system_arn,
            reader_access_point_arn=self.reader_access_point_arn,
            writer_access_point_arn=self.writer_access_point_arn,
        )
        return aws.efs.FileSystemPolicy(
            policy_name := f"{name}-policy",
            file_system_id=self.file_system_id,
            policy=self._documents.text(policy_name, "policy", policy),
            opts=self._child,
        )

    def _make_ledger(self, name: str, args: DagStorageArgs) -> aws.dynamodb.Table:
        partition_key, sort_key = LEDGER_KEYS
        return aws.dynamodb.Table(
            f"{name}-ledger",
            billing_mode="PAY_PER_REQUEST",
            hash_key=partition_key,
            range_key=sort_key,
            attributes=[aws.dynamodb.TableAttributeArgs(name=key, type="S") for key in LEDGER_KEYS],
            ttl=aws.dynamodb.TableTtlArgs(attribute_name=LEDGER_EXPIRY, enabled=True),
            point_in_time_recovery=aws.dynamodb.TablePointInTimeRecoveryArgs(enabled=True),
            server_side_encryption=aws.dynamodb.TableServerSideEncryptionArgs(
                enabled=True, kms_key_arn=args.key_arn
            ),
            deletion_protection_enabled=args.protect,
            opts=self._kept,
        )
