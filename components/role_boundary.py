"""Gives every role below a component its permissions boundary, so that none can be forgotten."""

from __future__ import annotations

import pulumi

ROLE = "aws:iam/role:Role"


def with_boundary(boundary_arn: pulumi.Input[str]) -> pulumi.ResourceTransformation:
    """Return a transformation for the options of a component: roles below it get the boundary.

    Args:
        boundary_arn: ARN of a managed policy; what it does not allow, the roles cannot do.

    """

    def transform(args: pulumi.ResourceTransformationArgs) -> pulumi.ResourceTransformationResult | None:
        if args.type_ != ROLE:
            return None
        props = {**args.props, "permissions_boundary": boundary_arn}
        return pulumi.ResourceTransformationResult(props, args.opts)

    return transform
