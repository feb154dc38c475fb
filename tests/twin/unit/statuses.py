"""What a twin could say of itself."""

from __future__ import annotations

from typing import Any

from sandbox.twin.status import ServiceStatus, Status, TaskStatus


def make_task(id: str = "0123456789abcdef", **changes: Any) -> TaskStatus:
    """Return a healthy task."""
    task: TaskStatus = {
        "id": id,
        "status": "RUNNING",
        "health": "HEALTHY",
        "address": "10.20.0.11",
        "memory_mib": 251.4,
        "limit_mib": 1024,
        "healthy_after_seconds": 8.91,
        "target": None,
    }
    return {**task, **changes}  # type: ignore[typeddict-item]


def make_service(role: str, *tasks: TaskStatus, desired: int = 1, restarts: int = 0) -> ServiceStatus:
    """Return a service of `dev`."""
    return {
        "name": f"dev-{role}",
        "role": role,
        "desired": desired,
        "restarts": restarts,
        "tasks": list(tasks),
    }


def make_status(*services: ServiceStatus, **changes: Any) -> Status:
    """Return the status of a twin that is ready."""
    status: Status = {
        "stack": "dev",
        "url": "http://localhost:8080",
        "mode": "namespaces",
        "phase": "services start",
        "ready": True,
        "error": "",
        "aws": {"AWS_ENDPOINT_URL": "http://127.0.0.1:5000"},
        "notes": [],
        "services": list(services),
    }
    return {**status, **changes}  # type: ignore[typeddict-item]
