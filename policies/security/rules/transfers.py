"""Tasks of DataSync: what was copied, and whether it arrived."""

from __future__ import annotations

from typing import Final

from policies.crossguard.checks import all_of, is_set, none_of, one_of
from policies.crossguard.rules import Rule, Severity, Tier

TASK: Final = "aws:datasync/task:Task"

RULES: Final = (
    Rule(
        name="datasync-logged",
        why="Nobody can tell which files were copied, and which were not.",
        fix="Set `cloudwatchLogGroupArn`, and `logLevel` of `options` to BASIC or TRANSFER.",
        severity=Severity.MEDIUM,
        tier=Tier.EVERYWHERE,
        controls=("112",),
        references=("DataSync.1",),
        on=(TASK,),
        check=all_of(
            is_set("cloudwatchLogGroupArn", "a log group"),
            one_of("options.logLevel", {"BASIC", "TRANSFER"}, default="OFF"),
        ),
    ),
    Rule(
        name="datasync-verified",
        why="A file that arrived broken is taken for the original.",
        fix="Remove `verifyMode` of `options`, or set it to anything but NONE.",
        severity=Severity.MEDIUM,
        tier=Tier.EVERYWHERE,
        controls=("112",),
        on=(TASK,),
        check=none_of("options.verifyMode", {"NONE"}),
    ),
)
