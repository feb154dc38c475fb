"""The Airflow roles: the processes of the platform, each with an identity of its own."""

from __future__ import annotations

from enum import StrEnum


class Role(StrEnum):
    """One kind of Airflow process; worker pools are several services of one role."""

    API_SERVER = "api-server"
    """User interface, REST API and the Execution API that tasks talk to."""
    SCHEDULER = "scheduler"
    """Decides what runs and hands it to the broker."""
    DAG_PROCESSOR = "dag-processor"
    """Parses DAG files."""
    TRIGGERER = "triggerer"
    """Runs the waiting part of deferred tasks."""
    WORKER = "worker"
    """Runs tasks of some Celery queues."""
    FLOWER = "flower"
    """Shows the Celery workers and queues."""
    BOOTSTRAP = "bootstrap"
    """One-off task of the platform gate: users, schema, administrator, pools."""
    RELEASE_AGENT = "release-agent"
    """Beside each process that reads DAGs, in its task: holds verified copies of DAG releases, and proves it."""
    RELEASE_PUBLISHER = "release-publisher"
    """One-off task that makes a DAG release readable: the only writer of the DAG storage."""


DAG_READERS = frozenset({Role.DAG_PROCESSOR, Role.TRIGGERER, Role.WORKER})
"""Roles that read DAG files; in Airflow 3 neither scheduler nor api-server does."""
ONE_OFF = frozenset({Role.BOOTSTRAP, Role.RELEASE_PUBLISHER})
"""Roles whose task runs once and ends; no service keeps them, and nobody looks into them."""
