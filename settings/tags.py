"""The tags of every resource: who owns it, who pays for it, and what else a team wants to see."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from settings.section import Section, allowed

AWS_MAX_TAGS = 50
SECTION_KEYS = ("owner", "costCenter")
PROGRAM_KEYS = ("environment", "project", "stack", "managedBy")
RESOURCE_KEYS = ("Name", "SubnetType")
RESERVED_KEYS = frozenset((*SECTION_KEYS, *PROGRAM_KEYS, *RESOURCE_KEYS))
"""Keys that `extra` may not set: this section, the program or a single resource sets them."""
MAX_EXTRA_TAGS = AWS_MAX_TAGS - len(RESERVED_KEYS)

# What every AWS service takes; some services take more, such as letters beyond ASCII.
_SIGNS = "A-Za-z0-9 _.:/=+@-"
_WORDS = "letters a to z, digits, spaces and _.:/=+-@"
TagKey = Annotated[
    str,
    Field(
        pattern=rf"^[{_SIGNS}]{{1,128}}$",
        json_schema_extra=allowed(f"1 to 128 characters: {_WORDS}; not beginning with aws:"),
    ),
]
TagValue = Annotated[
    str,
    Field(pattern=rf"^[{_SIGNS}]{{0,256}}$", json_schema_extra=allowed(f"at most 256 characters: {_WORDS}")),
]
NamedTagValue = Annotated[
    str,
    Field(pattern=rf"^[{_SIGNS}]{{1,256}}$", json_schema_extra=allowed(f"1 to 256 characters: {_WORDS}")),
]


class TagSettings(Section):
    """Tags of every resource; the program adds environment, project, stack and managedBy."""

    owner: NamedTagValue
    """Team that answers for the stack."""
    cost_center: NamedTagValue
    """Cost centre that pays for the stack."""
    extra: Annotated[
        dict[TagKey, TagValue],
        Field(max_length=MAX_EXTRA_TAGS, json_schema_extra={"additionalProperties": False}),
    ] = Field(default_factory=dict)
    """More tags, as AWS shows them; keys are taken as written."""

    def as_tags(self) -> dict[str, str]:
        """Return the tags of this section under their AWS keys."""
        return {"owner": self.owner, "costCenter": self.cost_center, **self.extra}
