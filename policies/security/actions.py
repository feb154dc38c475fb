"""What the actions of IAM mean: which need `*`, and which give more than their names say.

Every action is of one kind, and every kind is judged by one rule, so that one mistake raises one rule. Names are in
lower case, as IAM compares them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, auto
from typing import Final

from policies.security.documents import has_wildcard, like


class Kind(Enum):
    """What an action is about."""

    PASSES_ROLE = auto()
    """Gives a role to a service of AWS."""
    DECRYPTS = auto()
    """Opens what is encrypted."""
    ESCALATES = auto()
    """Gives rights to identities, and with them to oneself."""
    MAKES_CREDENTIALS = auto()
    """Returns credentials."""
    READS_DATA = auto()
    """Returns what is stored."""
    MANAGES_ACCESS = auto()
    """Opens a resource to others."""
    OTHER = auto()
    """Anything else."""


@dataclass(frozen=True)
class Unavoidable:
    """Why an action needs `*` as its resource."""

    reason: str
    condition: str = ""
    """Key of a condition that has to limit it instead."""


UNAVOIDABLE: Final[Mapping[str, Unavoidable]] = {
    "ecr:getauthorizationtoken": Unavoidable("The token is for the registry, not for a repository."),
    "ssmmessages:createcontrolchannel": Unavoidable("A channel has no ARN."),
    "ssmmessages:createdatachannel": Unavoidable("A channel has no ARN."),
    "ssmmessages:opencontrolchannel": Unavoidable("A channel has no ARN."),
    "ssmmessages:opendatachannel": Unavoidable("A channel has no ARN."),
    "logs:describeloggroups": Unavoidable("It lists log groups."),
    "ec2:describe*": Unavoidable("Nearly all of them list, and change nothing."),
    "rds:describe*": Unavoidable("Most of them list, and change nothing."),
    "elasticfilesystem:describefilesystems": Unavoidable("It lists file systems."),
    "ecs:describetaskdefinition": Unavoidable("IAM knows no resource for it."),
    "ecs:listtaskdefinitions": Unavoidable("It lists task definitions."),
    "ecs:registertaskdefinition": Unavoidable("A revision has no ARN before it is registered."),
    "ecs:deregistertaskdefinition": Unavoidable("IAM knows no resource for it."),
    "ecs:listservices": Unavoidable("It lists; the cluster limits it.", "ecs:cluster"),
    "ecs:listtasks": Unavoidable("It lists; the cluster limits it.", "ecs:cluster"),
    "cloudwatch:putmetricdata": Unavoidable(
        "A metric has no ARN; its name limits it.", "cloudwatch:namespace"
    ),
    "tag:getresources": Unavoidable("It searches the whole account."),
    "xray:put*": Unavoidable("A trace has no ARN."),
    "sts:getcalleridentity": Unavoidable("It tells only who asks."),
}
"""Actions, in full or as patterns, that no policy can limit to a resource; every other `*` is a mistake."""

BOUNDED: Final = frozenset(
    {"iam:createrole", "iam:putrolepolicy", "iam:attachrolepolicy", "iam:putrolepermissionsboundary"}
)
"""Actions on roles that IAM can limit to roles with a certain boundary."""
_NEVER_RIGHTS: Final = frozenset(
    {
        "iam:addusertogroup",
        "iam:attachgrouppolicy",
        "iam:attachuserpolicy",
        "iam:createuser",
        "iam:deleterolepermissionsboundary",
        "iam:deleteuserpermissionsboundary",
        "iam:putgrouppolicy",
        "iam:putuserpermissionsboundary",
        "iam:putuserpolicy",
    }
)
_NEVER_CREDENTIALS: Final = frozenset(
    {
        "iam:createaccesskey",
        "iam:createloginprofile",
        "iam:createservicespecificcredential",
        "iam:resetservicespecificcredential",
        "iam:updateaccesskey",
        "iam:updateloginprofile",
        "sts:getfederationtoken",
        "sts:getsessiontoken",
    }
)
NEVER: Final = _NEVER_RIGHTS | _NEVER_CREDENTIALS
"""Actions that no role needs: there are no users, no static keys, and no role without a boundary."""

_KINDS: Final[Mapping[Kind, frozenset[str]]] = {
    Kind.PASSES_ROLE: frozenset({"iam:passrole"}),
    Kind.DECRYPTS: frozenset({"kms:decrypt", "kms:reencryptfrom"}),
    Kind.ESCALATES: BOUNDED
    | _NEVER_RIGHTS
    | {
        "iam:addroletoinstanceprofile",
        "iam:createpolicyversion",
        "iam:setdefaultpolicyversion",
        "iam:updateassumerolepolicy",
        "lambda:updatefunctioncode",
        "lambda:updatefunctionconfiguration",
    },
    Kind.MAKES_CREDENTIALS: _NEVER_CREDENTIALS
    | {"rds-db:connect", "sts:assumerole", "sts:assumerolewithsaml", "sts:assumerolewithwebidentity"},
    Kind.READS_DATA: frozenset(
        {
            "dynamodb:batchgetitem",
            "dynamodb:exporttabletopointintime",
            "dynamodb:getitem",
            "dynamodb:query",
            "dynamodb:scan",
            "logs:filterlogevents",
            "logs:getlogevents",
            "logs:startquery",
            "rds:copydbsnapshot",
            "rds:startexporttask",
            "s3:getobject",
            "s3:getobjectversion",
            "secretsmanager:batchgetsecretvalue",
            "secretsmanager:getsecretvalue",
            "sqs:receivemessage",
            "ssm:getparameter",
            "ssm:getparameterhistory",
            "ssm:getparameters",
            "ssm:getparametersbypath",
        }
    ),
    Kind.MANAGES_ACCESS: frozenset(
        {
            "backup:putbackupvaultaccesspolicy",
            "dynamodb:putresourcepolicy",
            "ec2:modifyimageattribute",
            "ec2:modifysnapshotattribute",
            "ecr:setrepositorypolicy",
            "elasticfilesystem:deletefilesystempolicy",
            "elasticfilesystem:putfilesystempolicy",
            "iam:deleterolepolicy",
            "iam:detachrolepolicy",
            "kms:creategrant",
            "kms:putkeypolicy",
            "lambda:addpermission",
            "rds:modifydbclustersnapshotattribute",
            "rds:modifydbsnapshotattribute",
            "s3:bypassgovernanceretention",
            "s3:deletebucketpolicy",
            "s3:putaccountpublicaccessblock",
            "s3:putbucketacl",
            "s3:putbucketpolicy",
            "s3:putbucketpublicaccessblock",
            "s3:putobjectacl",
            "secretsmanager:deleteresourcepolicy",
            "secretsmanager:putresourcepolicy",
            "sns:addpermission",
            "sns:settopicattributes",
            "sqs:addpermission",
            "sqs:setqueueattributes",
        }
    ),
}
_ANYTHING: Final = re.compile(r"[*?:/]+")
_WHOLE_KIND: Final = re.compile(r"[\w-]+[:/][*?]+")


def is_wild(action: str) -> bool:
    """Say whether an action is a whole service or more, or any action that ends in something."""
    service, colon, name = action.partition(":")
    return not colon or has_wildcard(service) or name[:1] in ("", "*", "?")


def kind_of(action: str) -> Kind:
    """Return the kind of an action; of a pattern, the first kind that it reaches into.

    One that is a whole service is of no kind: it is refused as it is.
    """
    lower = action.lower()
    if is_wild(lower):
        return Kind.OTHER
    return next((kind for kind, actions in _KINDS.items() if _reaches(lower, actions)), Kind.OTHER)


def is_bounded(action: str) -> bool:
    """Say whether an action, or a pattern, reaches one that a boundary has to limit."""
    return _reaches(action.lower(), BOUNDED)


def is_never(action: str) -> bool:
    """Say whether an action, or a pattern, reaches one that no role needs."""
    return _reaches(action.lower(), NEVER)


def _reaches(action: str, actions: frozenset[str]) -> bool:
    if not has_wildcard(action):
        return action in actions
    return any(like(each, action) for each in actions)


def unavoidable(action: str) -> Unavoidable | None:
    """Return why an action needs `*`, if it does; a pattern does if all that it reaches does."""
    lower = action.lower()
    # The signs of a narrower pattern match the `*` of a wider one.
    return next((why for pattern, why in UNAVOIDABLE.items() if like(lower, pattern)), None)


def reaches_everything(resource: str) -> bool:
    """Say whether a resource is no certain one: `*`, or an ARN that has nothing of its own."""
    parts = resource.split(":", 5)
    if len(parts) < 6 or parts[0] != "arn":
        return True
    return has_wildcard(parts[2]) or _ANYTHING.fullmatch(parts[5]) is not None


def reaches_whole_kind(resource: str) -> bool:
    """Say whether a resource is everything, or all of one kind, such as every secret of an account."""
    if reaches_everything(resource):
        return True
    _, _, service, _, account, name = resource.split(":", 5)
    # The ARNs of S3 name no account and no kind: `bucket/*` is the content of one bucket.
    return service != "s3" and (has_wildcard(account) or _WHOLE_KIND.fullmatch(name) is not None)


_ROLES: Final = re.compile(r"arn:[\w-]+:iam::\d{12}:role/(([^*?/]+/)*[^*?/]+|([^*?/]+/)+\*)")


def names_roles(resource: str) -> bool:
    """Say whether a resource is one role of a certain account, or all of a path of its own."""
    return _ROLES.fullmatch(resource) is not None
