"""What AWS answers for S3, EFS and AWS Backup."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from sandbox.behaviour import regions
from sandbox.behaviour.model import Properties
from sandbox.behaviour.outputs_base import Ids, New, Pending, Shape, known_text
from sandbox.behaviour.outputs_network import SUBNET, address_in, default_group

FILE_SYSTEM: Final = "aws:efs/fileSystem:FileSystem"
WEBSITE_WITH_DASH: Final = (
    "ap-northeast-1",
    "ap-southeast-1",
    "ap-southeast-2",
    "eu-west-1",
    "sa-east-1",
    "us-east-1",
    "us-gov-west-1",
    "us-west-1",
    "us-west-2",
)


def _bucket(new: New) -> Properties:
    name = new.text("bucket")
    encryption = {"applyServerSideEncryptionByDefault": {"sseAlgorithm": "AES256", "kmsMasterKeyId": ""}}
    # Older regions write s3-website-REGION, newer ones s3-website.REGION.
    separator = "-" if new.region in WEBSITE_WITH_DASH else "."
    domain = f"s3-website{separator}{new.region}.{new.dns}" if "website" in new.inputs else ""
    return {
        "bucketDomainName": f"{name}.s3.{new.dns}",
        "bucketRegion": new.region,
        "bucketRegionalDomainName": f"{name}.s3.{new.region}.{new.dns}",
        "hostedZoneId": regions.hosted_zone(regions.S3_ZONES, new.region),
        "websiteDomain": domain,
        "websiteEndpoint": f"{name}.{domain}" if domain else "",
        "bucketNamespace": "global",
        "requestPayer": "BucketOwner",
        "grants": [
            {
                "id": Ids(new.account, b"canonical").hex(64),
                "permissions": ["FULL_CONTROL"],
                "type": "CanonicalUser",
                "uri": "",
            }
        ],
        "serverSideEncryptionConfiguration": {"rule": {**encryption, "bucketKeyEnabled": False}},
        "versioning": {"enabled": new.outputs.get("objectLockEnabled") is True, "mfaDelete": False},
    }


def _owned_bucket(new: New) -> str:
    owner = new.text("expectedBucketOwner")
    return f"{new.text('bucket')},{owner}" if owner else new.text("bucket")


def _lifecycle(_new: New) -> Properties:
    return {"expectedBucketOwner": "", "transitionDefaultMinimumObjectSize": "all_storage_classes_128K"}


def _file_system(new: New) -> Properties:
    encrypted = new.outputs.get("encrypted") is True
    zone = new.text("availabilityZoneName")
    return {
        "availabilityZoneId": regions.zone_id(zone) if zone else "",
        "dnsName": f"{new.id}.efs.{new.region}.{new.dns}",
        "encrypted": False,
        "kmsKeyId": new.local("kms", f"key/{Ids(new.account, new.region, 'efs').uuid()}")
        if encrypted
        else "",
        "name": _name_tag(new),
        "numberOfMountTargets": 0,
        "performanceMode": "generalPurpose",
        "protection": {"replicationOverwrite": "ENABLED"},
        "sizeInBytes": [{"value": 6144, "valueInIa": 0, "valueInStandard": 6144}],
        "creationToken": f"terraform-{new.ids.hex(26, 'token')}",
    }


def _name_tag(new: New) -> str:
    tags = new.outputs.get("tagsAll", {})
    return known_text(tags.get("Name")) if isinstance(tags, dict) else ""


def _mount_target(new: New) -> Properties:
    subnet = new.lookup(SUBNET, new.outputs.get("subnetId"))
    system = new.text("fileSystemId")
    zone = known_text(subnet.get("availabilityZone"), regions.zones(new.region)[0])
    domain = f"{system}.efs.{new.region}.{new.dns}"
    return {
        "availabilityZoneId": regions.zone_id(zone),
        "availabilityZoneName": zone,
        "dnsName": domain,
        "mountTargetDnsName": f"{zone}.{domain}",
        "fileSystemArn": new.local("elasticfilesystem", f"file-system/{system}"),
        "ipAddress": address_in(subnet.get("cidrBlock"), new.ids, "ip"),
        "ipAddressType": "IPV4_ONLY",
        "ipv6Address": "",
        "networkInterfaceId": f"eni-{new.ids.hex(17, 'eni')}",
        "ownerId": new.account,
        "securityGroups": [default_group(new, known_text(subnet.get("vpcId")))],
    }


def _access_point(new: New) -> Properties:
    root = new.outputs.setdefault("rootDirectory", {})
    root.setdefault("path", "/")
    return {
        "fileSystemArn": new.local("elasticfilesystem", f"file-system/{new.text('fileSystemId')}"),
        "ownerId": new.account,
    }


def _vault_of(new: New) -> Properties:
    return {"backupVaultArn": new.local("backup", f"backup-vault:{new.text('backupVaultName')}")}


def _next_version(new: New, _old: Properties, changed: frozenset[str]) -> Properties:
    content: frozenset[Any] = changed - {"tags", "tagsAll"}
    return (
        {"version": new.ids.text("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz", 48)}
        if content
        else {}
    )


SHAPES: Final[Mapping[str, Shape]] = {
    "aws:s3/bucket:Bucket": Shape(id="{bucket}", arn="s3:::{bucket}", fill=_bucket),
    "aws:s3/bucketVersioning:BucketVersioning": Shape(id=_owned_bucket),
    "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration": Shape(
        id=_owned_bucket
    ),
    "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration": Shape(
        id=_owned_bucket, fill=_lifecycle
    ),
    "aws:s3/bucketLogging:BucketLogging": Shape(id=_owned_bucket),
    "aws:s3/bucketObjectLockConfiguration:BucketObjectLockConfiguration": Shape(id=_owned_bucket),
    "aws:s3/bucketPolicy:BucketPolicy": Shape(id="{bucket}"),
    "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock": Shape(id="{bucket}"),
    "aws:s3/bucketOwnershipControls:BucketOwnershipControls": Shape(id="{bucket}"),
    "aws:s3/accountPublicAccessBlock:AccountPublicAccessBlock": Shape(
        id="{account}", values={"accountId": "{account}"}
    ),
    FILE_SYSTEM: Shape(
        id="fs-{hex17}",
        arn="elasticfilesystem:{region}:{account}:file-system/{id}",
        values={"ownerId": "{account}"},
        fill=_file_system,
        refresh=lambda new, _old, _changed: {"name": _name_tag(new)},
    ),
    "aws:efs/mountTarget:MountTarget": Shape(id="fsmt-{hex17}", fill=_mount_target),
    "aws:efs/accessPoint:AccessPoint": Shape(
        id="fsap-{hex17}",
        arn="elasticfilesystem:{region}:{account}:access-point/{id}",
        fill=_access_point,
    ),
    "aws:efs/backupPolicy:BackupPolicy": Shape(id="{fileSystemId}"),
    "aws:efs/fileSystemPolicy:FileSystemPolicy": Shape(id="{fileSystemId}"),
    "aws:backup/plan:Plan": Shape(
        id="{uuid}",
        arn="backup:{region}:{account}:backup-plan:{id}",
        values={"version": "{mixed48}"},
        refresh=_next_version,
        pending=(Pending(("version",), "each update stores a new version"),),
    ),
    "aws:backup/vault:Vault": Shape(
        id="{name}",
        arn="backup:{region}:{account}:backup-vault:{name}",
        fill=lambda new: {
            "kmsKeyArn": new.local("kms", f"key/{Ids(new.account, new.region, 'backup').uuid()}"),
            "recoveryPoints": 0,
        },
    ),
    "aws:backup/vaultLockConfiguration:VaultLockConfiguration": Shape(id="{backupVaultName}", fill=_vault_of),
    "aws:backup/vaultPolicy:VaultPolicy": Shape(id="{backupVaultName}", fill=_vault_of),
    "aws:backup/selection:Selection": Shape(id="{uuid}"),
    "aws:backup/restoreTestingPlan:RestoreTestingPlan": Shape(
        id="{name}",
        arn="backup:{region}:{account}:restore-testing-plan:{name}-{uuid}",
        values={"scheduleExpressionTimezone": "Etc/UTC", "startWindowHours": 24},
        framework=True,
    ),
    "aws:backup/restoreTestingSelection:RestoreTestingSelection": Shape(
        id="{name}:{restoreTestingPlanName}",
        values={"restoreMetadataOverrides": {}, "validationWindowHours": 0},
        framework=True,
    ),
}
