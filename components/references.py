"""References to secret values: what a container definition names instead of the value."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi


@dataclass(frozen=True)
class SecretReference:
    """A secret, or one key of a secret whose value is a JSON object.

    The agent that starts the container reads the value; neither the program nor its state ever holds it.
    """

    arn: pulumi.Input[str]
    """ARN of the secret in Secrets Manager."""
    json_key: str | None = None
    """Key inside the JSON object; None for the whole value."""

    @property
    def value_from(self) -> pulumi.Output[str]:
        """What `valueFrom` of a container's secret takes; the newest version of the value is meant."""
        arn = pulumi.Output.from_input(self.arn)
        if self.json_key is None:
            return arn
        # After the key come version stage and version id, both empty.
        return pulumi.Output.concat(arn, ":", self.json_key, "::")
