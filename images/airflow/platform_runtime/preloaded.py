"""Preloads when it is imported: a worker's Celery configuration names it among its `imports`."""

from __future__ import annotations

import sys

from .preload import preload

for lack in preload():
    # A slower worker is better than none.
    sys.stderr.write(f"platform: tasks start or end later, because Airflow lacks {lack}\n")
