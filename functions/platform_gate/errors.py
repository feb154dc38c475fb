"""The error that closes the gate."""

RUN_AGAIN = "run `pulumi up` again"


class GateError(Exception):
    """Why services must not start, and what to do; the text becomes the error of `pulumi up`."""

    def __init__(self, message: str, remedy: str) -> None:
        """Put the remedy behind the message."""
        super().__init__(f"{message}: {remedy}")
