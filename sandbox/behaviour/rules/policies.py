"""Every property that holds a policy document, on all resource types."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Final

from sandbox.behaviour.model import Failure
from sandbox.behaviour.rules import Case, known, objects, rule
from sandbox.behaviour.rules.policy_document import Kind, problems, statements_of, texts

ROLE: Final = "aws:iam/role:Role"
BUCKET_POLICY: Final = "aws:s3/bucketPolicy:BucketPolicy"

PROPERTIES: Final = {
    "aws:iam/policy:Policy": ("policy", Kind.IDENTITY, 6144),
    "aws:iam/rolePolicy:RolePolicy": ("policy", Kind.IDENTITY, 10240),
    ROLE: ("assumeRolePolicy", Kind.TRUST, 4096),
    BUCKET_POLICY: ("policy", Kind.RESOURCE, 20480),
    "aws:s3/bucket:Bucket": ("policy", Kind.RESOURCE, 20480),
    "aws:cloudwatch/logResourcePolicy:LogResourcePolicy": ("policyDocument", Kind.RESOURCE, 5120),
    "aws:kms/key:Key": ("policy", Kind.RESOURCE, 32768),
    "aws:sqs/queue:Queue": ("policy", Kind.RESOURCE, 0),
    "aws:sqs/queuePolicy:QueuePolicy": ("policy", Kind.RESOURCE, 0),
    "aws:sns/topic:Topic": ("policy", Kind.RESOURCE, 30720),
    "aws:sns/topicPolicy:TopicPolicy": ("policy", Kind.RESOURCE, 30720),
    "aws:secretsmanager/secret:Secret": ("policy", Kind.RESOURCE, 20480),
    "aws:secretsmanager/secretPolicy:SecretPolicy": ("policy", Kind.RESOURCE, 20480),
    "aws:ecr/repositoryPolicy:RepositoryPolicy": ("policy", Kind.REPOSITORY, 10240),
    "aws:efs/fileSystemPolicy:FileSystemPolicy": ("policy", Kind.RESOURCE, 20000),
    "aws:backup/vaultPolicy:VaultPolicy": ("policy", Kind.RESOURCE, 0),
    "aws:ec2/vpcEndpoint:VpcEndpoint": ("policy", Kind.RESOURCE, 20480),
    "aws:opensearch/domain:Domain": ("accessPolicies", Kind.RESOURCE, 102400),
}
"""Type: property, kind of policy, limit of AWS in characters without white space (0 for none)."""


@rule(*PROPERTIES)
def policy(case: Case) -> Iterator[Failure]:
    """Check the one policy of a resource."""
    key, kind, limit = PROPERTIES[case.token]
    text = case.known(key)
    if not isinstance(text, str) or text in ("", "{}"):
        return
    yield from _judge(key, text, kind, limit)


def _judge(path: str, text: str, kind: Kind, limit: int) -> Iterator[Failure]:
    size = len("".join(text.split()))
    if limit and size > limit:
        yield Failure(path, f"cannot be longer than {limit} characters without white space, got {size}")
    for problem in problems(text, kind):
        yield Failure(path, problem)


@rule(ROLE)
def inline_policies(case: Case) -> Iterator[Failure]:
    """Check the inline policies of a role."""
    for path, item in objects(case.known("inlinePolicies"), "inlinePolicies"):
        text = known(item, "policy")
        if text:
            yield from _judge(f"{path}.policy", text, Kind.IDENTITY, 10240)


@rule(BUCKET_POLICY)
def bucket_of_policy(case: Case) -> Iterator[Failure]:
    """Check that a bucket policy speaks of its own bucket, as S3 demands."""
    bucket, text = case.known("bucket"), case.known("policy")
    if bucket is None or not text or problems(text, Kind.RESOURCE):
        return
    own = f"arn:{case.session.partition}:s3:::{bucket}"
    for statement in statements_of(json.loads(text)):
        for resource in texts(statement.get("Resource", [])):
            if resource != own and not resource.startswith(f"{own}/"):
                yield Failure("policy", f'"{resource}" is not this bucket: expected {own} or {own}/...')
