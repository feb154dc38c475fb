"""The metastore: Airflow's database on RDS for PostgreSQL."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from components.sizing import DATABASE_MEMORY_GIB
from settings.section import Section


def known_class(name: str) -> str:
    """Return `name`; raise ValueError unless its memory, and so its number of connections, is known."""
    if name not in DATABASE_MEMORY_GIB:
        raise ValueError("not a known class")
    return name


InstanceClass = Annotated[
    str, AfterValidator(known_class), Field(json_schema_extra={"enum": list(DATABASE_MEMORY_GIB)})
]


class MetastoreSettings(Section):
    """The database. Its password is made and kept by AWS, never a setting."""

    instance_class: InstanceClass
    """Size of the instance. Its memory decides how many connections the database accepts."""
    engine_version: Literal["16", "17"] = "17"
    """Major version of PostgreSQL; Airflow 3.3 supports both, RDS picks and raises the minor version. There
    is no way back to a lower one."""
    multi_az: bool
    """Keep a standby in a second zone: doubles the price of the instance, and a failed zone costs one to two
    minutes instead of the database."""
    storage_gib: Annotated[int, Field(ge=20, le=65536)]
    """GiB of storage at the start; 20 is the least that RDS has. It can grow and never shrink."""
    max_storage_gib: Annotated[int, Field(ge=20, le=65536)]
    """GiB up to which RDS enlarges the storage by itself before it is full."""
    backup_retention_days: Annotated[int, Field(ge=7, le=35)]
    """Days back to which the database can be restored, to any second; 35 is the most that RDS keeps."""
    protect: bool
    """Refuse to delete the database, in AWS and in Pulumi, until this is changed to false and applied."""
