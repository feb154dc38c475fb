"""What a person sees of a twin."""

from __future__ import annotations

from sandbox.twin.status import News, healthy, missing, table, welcome
from tests.twin.unit.statuses import make_service, make_status, make_task


def test_the_table_has_a_line_for_each_task() -> None:
    found = make_status(
        make_service("api-server", make_task(target="healthy")),
        make_service(
            "worker",
            make_task("aaaaaaaabbbb", memory_mib=810.6, limit_mib=2048, address="10.20.0.12"),
            make_task("ccccccccdddd", health="UNKNOWN", healthy_after_seconds=None, address="10.20.0.13"),
            desired=2,
            restarts=3,
        ),
        make_service("flower"),
        notes=["live logs of one worker only"],
    )

    assert table(found).splitlines() == [
        "dev at http://localhost:8080 (namespaces): ready",
        "SERVICE         TASK      STATUS   HEALTH   TARGET   ADDRESS     MEMORY        HEALTHY AFTER  RESTARTS",
        "api-server 1/1  01234567  RUNNING  HEALTHY  healthy  10.20.0.11  251/1024 MiB  8.9 s          0",
        "worker 1/2      aaaaaaaa  RUNNING  HEALTHY           10.20.0.12  811/2048 MiB  8.9 s          3",
        "                cccccccc  RUNNING  UNKNOWN           10.20.0.13  251/1024 MiB",
        "flower 0/1      none                                                                          0",
        "live logs of one worker only",
        "export AWS_ENDPOINT_URL=http://127.0.0.1:5000",
        'export NO_PROXY="127.0.0.1${NO_PROXY:+,$NO_PROXY}"',
        'export no_proxy="$NO_PROXY"',
        "unset AWS_PROFILE AWS_SESSION_TOKEN",
    ]


def test_a_twin_that_is_not_ready_says_what_it_is_doing() -> None:
    first, *_ = table(make_status(make_service("worker"), ready=False, phase="bootstrap runs")).splitlines()

    assert first == "dev at http://localhost:8080 (namespaces): bootstrap runs"


def test_a_stopping_task_is_not_healthy_any_more() -> None:
    assert healthy(make_service("worker", make_task(status="STOPPING"), make_task())) == 1


def test_news_tell_each_thing_once() -> None:
    news = News()
    steps = [
        make_status(ready=False, phase="servers start", notes=["plain processes"]),
        make_status(
            make_service("worker", make_task(health="UNKNOWN", healthy_after_seconds=None)), ready=False
        ),
        make_status(make_service("worker", make_task(healthy_after_seconds=5.54)), ready=False),
        make_status(make_service("worker", make_task(healthy_after_seconds=5.54), restarts=1)),
    ]

    assert [list(news.of(step)) for step in steps] == [
        ["plain processes", "servers start"],
        ["services start"],
        ["worker: 1 healthy, 5.5 s after its start"],
        ["worker: a task was replaced (1 so far)"],
    ]


def test_of_several_tasks_the_slowest_counts() -> None:
    tasks = make_task("a", healthy_after_seconds=3.0), make_task("b", healthy_after_seconds=9.0)

    assert "worker: 2 healthy, 9.0 s after its start" in list(
        News().of(make_status(make_service("worker", *tasks, desired=2)))
    )


def test_what_is_missing_is_named() -> None:
    found = make_status(
        make_service("scheduler", make_task()), make_service("worker", make_task(), desired=2)
    )

    assert missing(found) == "worker 1/2"


def test_with_all_services_healthy_the_balancer_is_what_is_missing() -> None:
    assert missing(make_status(make_service("worker", make_task()))) == "no target of the balancer is healthy"


def test_the_welcome_says_how_to_begin() -> None:
    login = {"username": "admin", "password": "p w", "source": "secret dev/admin"}

    assert welcome(make_status(), login, "twin").splitlines() == [  # type: ignore[arg-type]
        "Airflow   http://localhost:8080",
        "log in    admin, password p w",
        "          (made for this twin alone: secret dev/admin)",
        "a run     twin trigger example_etl --wait --stack dev",
        "look      twin status --stack dev",
        "end       twin stop --stack dev",
    ]
