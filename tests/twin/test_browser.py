"""What a newcomer does first, in a real browser: log in, see the DAGs, trigger one, see it green, read its log.

Set AIRFLOW_UI_SCREENSHOT to a path to keep the picture of the green run (the documentation's is
docs/images/airflow-ui.png). Other browsers than Chromium are not tried.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol

import pytest
from playwright.sync_api import Page, expect, sync_playwright

pytestmark = pytest.mark.twin

PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
FLAGS = (
    "--no-sandbox",  # its sandbox does not work for root, and the pages are our own
    "--disable-gpu",
    # Nothing but the twin may be asked, and nothing else can be reached where tests run.
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
DAG = "example_etl"
SLOW = 30_000
"""Milliseconds that a page may take on a busy machine."""
RUN = 120_000
"""Milliseconds that a run of three short tasks may take there."""


class Twin(Protocol):
    """What a test needs to know of a running twin."""

    url: str
    username: str
    password: str


@pytest.fixture(scope="module")
def page(twin: Twin) -> Iterator[Page]:
    """Log in on the login page, as a person does who was on the way to the DAGs."""
    program = next(filter(None, map(shutil.which, PROGRAMS)), None)
    if program is None:
        pytest.skip(f"needs one of {', '.join(PROGRAMS)}: apt-get install --no-install-recommends chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=FLAGS)
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        page.set_default_timeout(SLOW)
        page.goto(f"{twin.url}/dags")
        page.wait_for_url("**/auth/login/**")
        page.locator("#username").fill(twin.username)
        page.locator("#password").fill(twin.password)
        page.locator("[type=submit]").first.click()
        page.wait_for_url(f"{twin.url}/dags")
        yield page
        browser.close()


@pytest.fixture(scope="module")
def run(page: Page, twin: Twin) -> str:
    """Trigger a DAG by its button; return the address of the run's page, which opens by itself."""
    page.goto(f"{twin.url}/dags/{DAG}")
    page.get_by_test_id("trigger-dag-button").click()
    page.get_by_role("dialog").get_by_role("button", name="Trigger", exact=True).click()
    page.wait_for_url(re.compile(rf"/dags/{DAG}/runs/manual__"))
    return page.url


def test_whoever_logs_in_sees_the_dags(page: Page, twin: Twin) -> None:
    page.goto(f"{twin.url}/dags")

    for name in ("example_deferrable", DAG, "example_mapped", "example_retries"):
        expect(page.get_by_role("link", name=name, exact=True)).to_be_visible(timeout=SLOW)


def test_cookies_are_for_encrypted_connections_and_not_for_scripts(page: Page) -> None:
    # A browser treats localhost as if it were encrypted; with any other name it would drop these cookies.
    cookies: list[Any] = page.context.cookies()

    assert sorted((found["name"], found["secure"], found["httpOnly"]) for found in cookies) == [
        ("_token", True, True),
        ("session", True, True),
    ]


def test_a_triggered_dag_becomes_green(page: Page, run: str, tmp_path: Path) -> None:
    page.goto(run)

    expect(page.get_by_test_id("state-badge").first).to_have_text("Success", timeout=RUN)
    expect(page.get_by_test_id("table-cell-state")).to_have_text(["Success"] * 3, timeout=SLOW)
    page.screenshot(path=os.environ.get("AIRFLOW_UI_SCREENSHOT") or tmp_path / "airflow-ui.png")


def test_the_log_of_a_task_is_on_its_page(page: Page, run: str) -> None:
    page.goto(run)
    page.get_by_test_id("table-list").get_by_role("link", name="load", exact=True).click()

    expect(page.get_by_text("FR: 9.90")).to_be_visible(timeout=RUN)
