"""The night of regions: exact hours, and that what happens in it does not get in each other's way."""

from __future__ import annotations

import pytest

from components import night


@pytest.mark.parametrize(
    ("region", "hour"),
    [
        ("eu-west-1", 1),
        ("eu-central-1", 0),
        ("us-east-1", 6),
        ("us-west-2", 9),
        ("ap-southeast-2", 17),
        ("cn-northwest-1", 17),
        ("us-gov-east-1", 6),
    ],
)
def test_one_o_clock_in_utc(region: str, hour: int) -> None:
    assert night.utc_hour(region, 1) == hour


def test_an_unknown_area_is_in_utc() -> None:
    assert night.utc_hour("xx-north-1", 1) == 1


@pytest.mark.parametrize(
    ("region", "schedule", "backup", "maintenance"),
    [
        ("eu-west-1", "cron(0 1 * * ? *)", "00:00-00:30", "sun:05:00-sun:05:30"),
        ("eu-north-1", "cron(0 0 * * ? *)", "23:00-23:30", "sun:04:00-sun:04:30"),
        ("us-east-2", "cron(0 6 * * ? *)", "05:00-05:30", "sun:10:00-sun:10:30"),
        ("ap-northeast-1", "cron(0 16 * * ? *)", "15:00-15:30", "sun:20:00-sun:20:30"),
    ],
)
def test_hours_of_a_region(region: str, schedule: str, backup: str, maintenance: str) -> None:
    assert (night.daily(region), night.rds_backup(region), night.rds_maintenance(region)) == (
        schedule,
        backup,
        maintenance,
    )


def test_backups_begin_between_what_rds_does_itself() -> None:
    """After RDS's own half hour, and for as long as maintenance is more than an hour away."""
    begins = night.BACKUP_HOUR * 60
    assert begins >= night.RDS_BACKUP_HOUR * 60 + 30
    assert begins + night.BACKUP_START_MINUTES <= (night.RDS_MAINTENANCE_HOUR - 1) * 60
