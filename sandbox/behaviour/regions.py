"""What AWS fixes per region: zones, short codes, hosted zone ids of its services and managed prefix lists."""

from __future__ import annotations

import hashlib
from typing import Final

ZONES: Final = {
    "af-south-1": "abc",
    "ap-east-1": "abc",
    "ap-northeast-1": "acd",
    "ap-northeast-2": "abcd",
    "ap-northeast-3": "abc",
    "ap-south-1": "abc",
    "ap-south-2": "abc",
    "ap-southeast-1": "abc",
    "ap-southeast-2": "abc",
    "ap-southeast-3": "abc",
    "ap-southeast-4": "abc",
    "ca-central-1": "abd",
    "ca-west-1": "abc",
    "cn-north-1": "abd",
    "cn-northwest-1": "abc",
    "eu-central-1": "abc",
    "eu-central-2": "abc",
    "eu-north-1": "abc",
    "eu-south-1": "abc",
    "eu-south-2": "abc",
    "eu-west-1": "abc",
    "eu-west-2": "abc",
    "eu-west-3": "abc",
    "il-central-1": "abc",
    "me-central-1": "abc",
    "me-south-1": "abc",
    "sa-east-1": "abc",
    "us-east-1": "abcdef",
    "us-east-2": "abc",
    "us-gov-east-1": "abc",
    "us-gov-west-1": "abc",
    "us-west-1": "ac",
    "us-west-2": "abcd",
}
"""Letters of the availability zones of each region, as a usual account sees them."""

DESCRIPTIONS: Final = {
    "eu-central-1": "Europe (Frankfurt)",
    "eu-north-1": "Europe (Stockholm)",
    "eu-west-1": "Europe (Ireland)",
    "eu-west-2": "Europe (London)",
    "eu-west-3": "Europe (Paris)",
    "us-east-1": "US East (N. Virginia)",
    "us-east-2": "US East (Ohio)",
    "us-west-1": "US West (N. California)",
    "us-west-2": "US West (Oregon)",
}

APPLICATION_LB_ZONES: Final = {
    "ap-northeast-1": "Z14GRHDCWA56QT",
    "ap-south-1": "ZP97RAFLXTNZK",
    "ap-southeast-1": "Z1LMS91P8CMLE5",
    "ap-southeast-2": "Z1GM3OXH4ZPM65",
    "ca-central-1": "ZQSVJUPU6J1EY",
    "eu-central-1": "Z215JYRZR1TBD5",
    "eu-north-1": "Z23TAZ6LKFMNIO",
    "eu-west-1": "Z32O12XQLNTSW2",
    "eu-west-2": "ZHURV8PSTC4K8",
    "eu-west-3": "Z3Q77PNBQS71R4",
    "sa-east-1": "Z2P70J7HTTTPLU",
    "us-east-1": "Z35SXDOTRQ7X7K",
    "us-east-2": "Z3AADJGX6KTTL2",
    "us-west-1": "Z368ELLRRE2KJ0",
    "us-west-2": "Z1H1FL5HABSF5",
}

NETWORK_LB_ZONES: Final = {
    "eu-central-1": "Z3F0SRJ5LGBH90",
    "eu-west-1": "Z2IFOLAFXWLO4F",
    "us-east-1": "Z26RNL4JYFTOTI",
    "us-east-2": "ZLMOA37VPKANP",
    "us-west-2": "Z18D5FSROUN65G",
}

S3_ZONES: Final = {
    "ap-northeast-1": "Z2M4EHUR26P7ZW",
    "ap-south-1": "Z11RGJOFQNVJUP",
    "ap-southeast-1": "Z3O0J2DXBE1FTB",
    "ap-southeast-2": "Z1WCIGYICN2BYD",
    "ca-central-1": "Z1QDHH18159H29",
    "eu-central-1": "Z21DNDUVLTQW6Q",
    "eu-north-1": "Z3BAZG2TWCNX0D",
    "eu-west-1": "Z1BKCTXD74EZPE",
    "eu-west-2": "Z3GKZC51ZF0DB4",
    "eu-west-3": "Z3R1K369G5AVDG",
    "sa-east-1": "Z7KQH4QJS55SO",
    "us-east-1": "Z3AQBSTGFYJSTF",
    "us-east-2": "Z2O1EMRO9K5GLX",
    "us-west-1": "Z2F56UZL2M1ACD",
    "us-west-2": "Z3BJ6K6RIION7M",
}

RDS_ZONES: Final = {
    "eu-central-1": "Z1RLNUO7B9Q6NB",
    "eu-west-1": "Z29XKXDKYMONMX",
    "us-east-1": "Z2R2ITUGPM61AM",
}

PREFIX_LISTS: Final = {
    ("eu-west-1", "s3"): ("pl-6da54004", ["52.218.0.0/17", "52.92.0.0/17", "3.5.64.0/21", "3.5.72.0/23"]),
    ("eu-west-1", "dynamodb"): ("pl-6fa54006", ["52.94.24.0/23", "52.94.26.0/23", "52.119.240.0/21"]),
    ("us-east-1", "s3"): ("pl-63a5400a", ["54.231.0.0/16", "52.216.0.0/15", "3.5.0.0/19"]),
    ("us-east-1", "dynamodb"): ("pl-02cd2c6b", ["52.94.0.0/22", "52.119.224.0/20"]),
}
"""Managed prefix lists of the two services with gateway endpoints; other regions get made-up ids."""

_DIRECTIONS: Final = {
    "northeast": "ne",
    "northwest": "nw",
    "southeast": "se",
    "southwest": "sw",
    "north": "n",
    "south": "s",
    "east": "e",
    "west": "w",
    "central": "c",
}


def short_code(region: str) -> str:
    """Give AWS's short code of a region, such as `euw1`, as it appears in zone ids and cache endpoints."""
    area, *middle, number = region.split("-")
    if area == "us" and middle[:1] == ["gov"]:
        area, middle = "ug", middle[1:]
    return area + "".join(_DIRECTIONS.get(word, word[:1]) for word in middle) + number


def zones(region: str) -> list[str]:
    """List the availability zones of a region; regions that are not in the table get three."""
    return [region + letter for letter in ZONES.get(region, "abc")]


def zone_id(zone: str) -> str:
    """Give the zone id of a zone name; accounts differ in AWS, here letters are numbered in order."""
    names = zones(zone[:-1])
    number = names.index(zone) + 1 if zone in names else ord(zone[-1:] or "a") - ord("a") + 1
    return f"{short_code(zone[:-1])}-az{number}"


def zone_name(zone_id: str, region: str) -> str:
    """Give the zone name of a zone id of a region, or an empty string."""
    return next((zone for zone in zones(region) if _zone_id(zone) == zone_id), "")


_zone_id = zone_id


def dns_suffix(region: str) -> str:
    """Give the domain of AWS endpoints in the region's partition."""
    return "amazonaws.com.cn" if region.startswith("cn-") else "amazonaws.com"


def hosted_zone(table: dict[str, str], region: str) -> str:
    """Look up a service's Route 53 zone id; regions that are not in the table get a made-up one."""
    made_up = hashlib.sha256(f"{region}{sorted(table)}".encode()).hexdigest()[:13].upper()
    return table.get(region) or f"Z{made_up}"


def prefix_list(region: str, service: str) -> tuple[str, list[str]]:
    """Give id and CIDR blocks of the managed prefix list of `s3` or `dynamodb`."""
    made_up = hashlib.sha256(f"{region}.{service}".encode()).hexdigest()[:8]
    return PREFIX_LISTS.get((region, service), (f"pl-{made_up}", ["198.18.0.0/20", "198.18.32.0/22"]))
