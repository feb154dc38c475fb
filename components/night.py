"""The night of each region, in UTC: when backups and maintenance disturb the fewest.

RDS refuses AWS Backup a snapshot within an hour before, and during, its own backup and its maintenance. Left alone, it
chooses both at random, at night. So all three have their hours here, by the region's own time.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

RDS_BACKUP_HOUR: Final = 0
BACKUP_HOUR: Final = 1
"""When AWS Backup begins: RDS's own backup is over, its maintenance and the hour before are three hours away."""
BACKUP_START_MINUTES: Final = 180
"""How long AWS Backup may try to begin, every ten minutes."""
RDS_MAINTENANCE_HOUR: Final = 5

HOURS_AHEAD_OF_UTC: Final[Mapping[str, int]] = {
    "af-south": 2,
    "ap-east": 8,
    "ap-northeast": 9,
    "ap-south": 5,
    "ap-southeast": 8,
    "ca-central": -5,
    "ca-west": -7,
    "cn-north": 8,
    "cn-northwest": 8,
    "eu-central": 1,
    "eu-north": 1,
    "eu-south": 1,
    "eu-west": 0,
    "il-central": 2,
    "me-central": 4,
    "me-south": 3,
    "mx-central": -6,
    "sa-east": -3,
    "us-east": -5,
    "us-gov-east": -5,
    "us-gov-west": -8,
    "us-west": -8,
}
"""Area of regions: about how far its clocks are ahead; summer time and wide areas move the night by some hours."""


def utc_hour(region: str, hour: int) -> int:
    """Return the hour in UTC of an hour in a region; the same hour in an area that is not in the table."""
    return (hour - HOURS_AHEAD_OF_UTC.get(region.rpartition("-")[0], 0)) % 24


def daily(region: str) -> str:
    """Return the schedule of AWS Backup."""
    return f"cron(0 {utc_hour(region, BACKUP_HOUR)} * * ? *)"


def rds_backup(region: str) -> str:
    """Return the half hour of each day in which RDS begins its own backup."""
    hour = utc_hour(region, RDS_BACKUP_HOUR)
    return f"{hour:02}:00-{hour:02}:30"


def rds_maintenance(region: str) -> str:
    """Return the half hour of each week in which RDS may restart the database, on a Sunday in UTC."""
    hour = utc_hour(region, RDS_MAINTENANCE_HOUR)
    return f"sun:{hour:02}:00-sun:{hour:02}:30"
