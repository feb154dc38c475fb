"""IAM: roles, policies' names and attachments."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from sandbox.behaviour.formats import is_arn
from sandbox.behaviour.model import Failure
from sandbox.behaviour.rules import Case, rule
from sandbox.behaviour.service_linked_roles import NAMES, WITH_SUFFIX
from sandbox.behaviour.service_linked_roles import TOKEN as SERVICE_LINKED_ROLE

_DESCRIPTION: Final = re.compile("[\t\n\r\x20-\x7e\xa1-\xff]*")


@rule(
    "aws:iam/role:Role",
    "aws:iam/policy:Policy",
    "aws:iam/instanceProfile:InstanceProfile",
    SERVICE_LINKED_ROLE,
)
def path_and_description(case: Case) -> Iterator[Failure]:
    """Check the path and the characters of the description."""
    path = case.known("path")
    if path is not None and (not path.startswith("/") or not path.endswith("/") or "//" in path):
        yield Failure("path", f'must begin and end with a slash and must not contain //, got "{path}"')
    description = case.known("description")
    if description is not None and not _DESCRIPTION.fullmatch(description):
        yield Failure("description", "may hold Latin-1 characters only")


@rule("aws:iam/rolePolicyAttachment:RolePolicyAttachment", "aws:iam/rolePolicy:RolePolicy")
def role_name(case: Case) -> Iterator[Failure]:
    """Check that a role is given by name."""
    role = case.known("role")
    if role is not None and is_arn(role):
        yield Failure("role", f'expected the name of a role, got the ARN "{role}"')


@rule("aws:iam/openIdConnectProvider:OpenIdConnectProvider")
def provider_url(case: Case) -> Iterator[Failure]:
    """Check the URL of an identity provider."""
    url = case.known("url")
    if url is not None and (not url.startswith("https://") or "?" in url):
        yield Failure("url", f'expected a URL with https and without query, got "{url}"')


@rule(SERVICE_LINKED_ROLE)
def service_linked_role(case: Case) -> Iterator[Failure]:
    """Check that the service has a known role, and takes a suffix if there is one."""
    service = case.known("awsServiceName")
    if service is None:
        return
    if service not in NAMES:
        yield Failure(
            "awsServiceName",
            f'the sandbox does not know the role of "{service}"; the services it knows: {", ".join(NAMES)}',
        )
    elif case.known("customSuffix") and service not in WITH_SUFFIX:
        yield Failure("customSuffix", f"Custom suffix is not allowed for {service}")
