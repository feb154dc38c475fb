"""The Pulumi CLI that the sandbox drives: found on PATH, downloaded, or built from its Go modules."""

from sandbox.engine.discovery import Engine, EngineError, find

__all__ = ["Engine", "EngineError", "find"]
