"""A service over time: what its scheduler starts, stops and says."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.twin.decisions import Limits, Seen, Standing, decide
from sandbox.twin.health import Health
from sandbox.twin.service import STOPPED_BY_USER, UNABLE, Throttle
from sandbox.twin.task import Status
from tests.twin.unit.tasks import GOOD, FakeTask, Fate, World, definition, service

LIVE = (Status.PROVISIONING, Status.RUNNING)
CRASHES = Fate(healthy=None, ends=2.0)
NEVER_HEALTHY = Fate(healthy=None, unhealthy=10.0)
NO_WAIT = Throttle(first_seconds=0.0)


def world(*fates: Fate, **options: Any) -> World:
    """Return a service of which the first tasks have these fates; options of the service, or of the world."""
    own = {name: options.pop(name) for name in ("target_health", "throttle", "has_check") if name in options}
    return World(service(**options), iter(fates), **own)


# Desired count.


def test_a_service_starts_its_tasks() -> None:
    there = world(desired_count=2)
    there.live(1)
    assert there.ids(Status.PROVISIONING) == ["t0", "t1"]
    there.live(6)
    assert there.serving == ["t0", "t1"]


def test_it_says_when_it_is_steady_once() -> None:
    there = world()
    there.live(60)
    assert there.said == ["has started task t0", "has reached a steady state"]
    assert there.controller.is_steady(there.now)


def test_a_task_that_ends_is_replaced() -> None:
    there = world(Fate(ends=20.0))
    there.live(30)
    assert there.serving == ["t1"]
    assert there.controller.restarts == 1
    assert "task t0 has stopped: Essential container in task exited (exit code 1)" in there.said


def test_what_is_over_is_remembered() -> None:
    there = world(Fate(ends=20.0))
    there.live(30)
    assert [task.id for task in there.controller.stopped] == ["t0"]


def test_a_task_can_be_stopped_and_is_replaced_at_once() -> None:
    there = world()
    there.live(10)
    there.controller.stop_task("t0", there.now)
    there.live(1)
    assert there.ids() == ["t0", "t1"]
    assert there.launched[0].stopped_reason == STOPPED_BY_USER
    assert there.controller.restarts == 0


def test_an_unknown_task_cannot_be_stopped() -> None:
    with pytest.raises(KeyError, match="t9"):
        world().controller.stop_task("t9", 0.0)


def test_scaling_out_starts_more() -> None:
    there = world()
    there.live(10)
    there.controller.scale(3, there.now)
    there.live(1)
    assert there.ids(*LIVE) == ["t0", "t1", "t2"]


def test_scaling_in_stops_the_youngest() -> None:
    there = world(desired_count=3)
    there.live(10)
    there.controller.scale(1, there.now)
    there.live(1)
    assert there.ids(*LIVE) == ["t0"]


def test_scaling_in_stops_first_what_does_not_serve_yet() -> None:
    there = world(Fate(healthy=50.0), GOOD, desired_count=2)
    there.live(10)
    there.controller.scale(1, there.now)
    there.live(1)
    assert there.ids(*LIVE) == ["t1"]


def test_scaling_to_nothing_stops_everything() -> None:
    there = world(GOOD, NEVER_HEALTHY, Fate(healthy=60.0), desired_count=3)
    there.live(20)
    there.controller.scale(0, there.now)
    there.live(1)
    assert there.ids(*LIVE) == []
    there.live(3)
    assert there.ids() == []


# Health.


def test_an_unhealthy_task_stays_until_its_replacement_serves() -> None:
    there = world(Fate(unhealthy=20.0))
    there.live(22)
    assert there.ids(*LIVE) == ["t0", "t1"]
    there.live(6)
    assert there.ids(*LIVE) == ["t1"]
    assert there.launched[0].stopped_reason == "Task failed container health checks"


def test_without_room_the_unhealthy_task_goes_first() -> None:
    there = world(Fate(unhealthy=20.0), minimum_healthy_percent=0, maximum_percent=100)
    there.live(21)
    assert there.ids(*LIVE) == []
    there.live(1)
    assert there.ids(*LIVE) == ["t1"]


def test_without_room_unhealthy_tasks_go_one_by_one() -> None:
    sick = Fate(unhealthy=20.0)
    there = world(sick, sick, sick, desired_count=3, minimum_healthy_percent=0, maximum_percent=100)
    there.live(22)
    assert there.ids(*LIVE) == ["t1", "t2", "t3"]
    there.live(40)
    assert there.serving == ["t3", "t4", "t5"]


def test_an_unhealthy_task_that_recovers_stays_and_the_youngest_goes() -> None:
    there = world(Fate(unhealthy=20.0))
    there.live(22)
    there.launched[0].fate = GOOD
    there.live(1)
    assert there.ids(*LIVE) == ["t0"]


def test_a_task_that_is_never_healthy_is_replaced_again_and_again() -> None:
    there = world(NEVER_HEALTHY, NEVER_HEALTHY, NEVER_HEALTHY)
    there.live(60)
    assert there.serving == ["t3"]


def test_in_the_grace_period_a_failing_check_does_not_count() -> None:
    there = world(NEVER_HEALTHY, grace_period_seconds=60.0)
    there.live(60)
    assert there.ids(*LIVE) == ["t0"]
    there.live(2)
    assert there.ids(*LIVE) == ["t0", "t1"]


def test_a_task_without_a_check_serves_after_40_seconds() -> None:
    there = world(has_check=False)
    there.live(40)
    assert there.serving == []
    there.live(1)
    assert there.serving == ["t0"]


GROUP = (("arn:aws:elasticloadbalancing:eu-central-1:123456789012:targetgroup/api/1", 8080),)


@pytest.mark.parametrize("has_check", [True, False])
def test_behind_a_balancer_a_task_serves_when_the_balancer_says_so(has_check: bool) -> None:
    answer = Health.UNKNOWN
    there = world(target_groups=GROUP, target_health=lambda task: answer, has_check=has_check)
    there.live(60)
    assert there.serving == []
    answer = Health.HEALTHY
    assert there.serving == ["t0"]


def test_a_task_that_the_balancer_finds_unhealthy_is_replaced() -> None:
    sick = {"t0"}
    there = world(
        target_groups=GROUP, target_health=lambda t: Health.UNHEALTHY if t.id in sick else Health.HEALTHY
    )
    there.live(10)
    assert there.serving == ["t1"]
    assert there.launched[0].stopped_reason == "Task failed ELB health checks"


def test_the_balancer_is_not_asked_for_a_service_without_a_target_group() -> None:
    there = world(target_health=lambda task: Health.UNHEALTHY)
    there.live(10)
    assert there.serving == ["t0"]


# Throttling.


def test_tasks_that_keep_failing_wait_longer_and_longer() -> None:
    there = world(*[CRASHES] * 9)
    there.live(200)
    starts = [task.created_at for task in there.launched]
    # Each crash takes 2 seconds: the rest is waiting. The last of the nine are at the limit of 30.
    gaps = [later - earlier - 2.0 for earlier, later in itertools.pairwise(starts)]
    assert gaps == [0.0, 1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0, 30.0]
    assert "is unable to consistently start tasks successfully: waits 30 s" in there.said


def test_tasks_that_cannot_even_run_wait_as_well() -> None:
    there = world(*[Fate(never_runs=True)] * 3)
    there.live(20)
    assert [task.created_at for task in there.launched] == [0.0, 1.0, 3.0, 6.0]
    assert "task t0 has stopped: ResourceInitializationError: no such secret" in there.said


def test_a_task_that_serves_does_not_hide_that_another_one_keeps_failing() -> None:
    there = world(Fate(healthy=0.0), *[CRASHES] * 5, desired_count=2)
    there.live(40)
    assert [task.created_at for task in there.launched] == [0.0, 0.0, 2.0, 5.0, 9.0, 15.0, 25.0]


def test_a_task_that_served_is_replaced_without_a_wait() -> None:
    there = world(*[Fate(ends=20.0)] * 5)
    there.live(100)
    assert [task.created_at for task in there.launched] == [0.0, 20.0, 40.0, 60.0, 80.0]


def test_a_deployment_forgets_the_failures() -> None:
    there = world(*[CRASHES] * 7)
    there.live(40)
    launched = len(there.launched)
    there.controller.deploy(there.service, there.now)
    there.live(1)
    assert len(there.launched) == launched + 1


@pytest.mark.parametrize(
    ("failures", "seconds"), [(0, 0.0), (1, 0.0), (2, 1.0), (3, 2.0), (6, 16.0), (7, 30.0), (10_000, 30.0)]
)
def test_the_wait_doubles_up_to_a_limit(failures: int, seconds: float) -> None:
    assert Throttle().delay(failures) == seconds


# Deployments.


def test_a_single_task_is_replaced_without_a_gap() -> None:
    there = world()
    there.live(10)
    there.controller.deploy(replace(there.service, definition=definition(family="new")), there.now)
    served: list[int] = []
    there.live(20, every=lambda: served.append(len(there.serving)))
    assert min(served) == 1
    assert [task.definition.family for task in there.controller.tasks] == ["new"]
    assert not there.controller.deploying
    assert there.said.count("has reached a steady state") == 2


def test_the_old_task_is_stopped_when_the_new_one_serves() -> None:
    there = world()
    there.live(10)
    there.controller.deploy(there.service, there.now)
    there.live(5)
    assert (there.ids(Status.RUNNING), there.ids(Status.STOPPING)) == (["t0", "t1"], [])
    there.live(1)
    assert (there.ids(Status.RUNNING), there.ids(Status.STOPPING)) == (["t1"], ["t0"])
    assert there.launched[0].stopped_reason == "Scaling activity initiated by (deployment 2)"


def test_a_task_that_must_be_alone_is_stopped_before_the_new_one_starts() -> None:
    there = world(minimum_healthy_percent=0, maximum_percent=100)
    there.live(10)
    there.controller.deploy(there.service, there.now)
    there.live(1)
    assert (there.ids(*LIVE), there.ids(Status.STOPPING)) == ([], ["t0"])
    there.live(1)
    assert there.ids(*LIVE) == ["t1"]


def test_a_batch_is_as_large_as_the_maximum_allows() -> None:
    there = world(desired_count=4, minimum_healthy_percent=100, maximum_percent=150)
    there.live(10)
    there.controller.deploy(there.service, there.now)
    there.live(1)
    assert there.ids(Status.PROVISIONING) == ["t4", "t5"]


def test_without_additional_capacity_the_minimum_stays() -> None:
    there = world(desired_count=4, minimum_healthy_percent=50, maximum_percent=100)
    there.live(10)
    there.controller.deploy(there.service, there.now)
    there.live(1)
    assert there.ids(*LIVE) == ["t2", "t3"]


def test_a_deployment_that_never_serves_leaves_the_old_tasks_alone() -> None:
    there = world(GOOD, GOOD, *[CRASHES] * 99, desired_count=2)
    there.live(10)
    there.controller.deploy(there.service, there.now)
    there.live(300)
    assert there.serving == ["t0", "t1"]


def test_a_task_lost_during_a_deployment_is_replaced_by_its_own_revision() -> None:
    there = world(Fate(ends=20.0), Fate(healthy=None), definition=definition(family="old"))
    there.live(10)
    there.controller.deploy(replace(there.service, definition=definition(family="new")), there.now)
    there.live(20)
    assert [(task.id, task.definition.family) for task in there.controller.tasks] == [
        ("t1", "new"),
        ("t2", "old"),
    ]


def test_an_old_revision_that_keeps_failing_leaves_room_for_the_new_one() -> None:
    there = world(CRASHES, CRASHES, desired_count=2, maximum_percent=150, definition=definition(family="old"))
    there.live(3)
    there.controller.deploy(replace(there.service, definition=definition(family="new")), there.now)
    there.live(30)
    assert [task.definition.family for task in there.controller.tasks] == ["new", "new"]


def test_a_drained_task_does_not_come_back() -> None:
    """Not even when a task of the newest deployment is lost before that one is complete."""
    there = world(
        GOOD, GOOD, Fate(ends=20.0), Fate(healthy=50.0), desired_count=2, definition=definition(family="old")
    )
    there.live(10)
    there.controller.deploy(replace(there.service, definition=definition(family="new")), there.now)
    there.live(40)
    assert [task.definition.family for task in there.launched] == ["old", "old", "new", "new", "new"]


def test_an_old_task_that_ends_when_the_new_one_serves_is_not_missed() -> None:
    there = world(Fate(ends=15.0))
    there.live(10)
    there.controller.deploy(there.service, there.now)
    there.live(10)
    assert not there.controller.deploying


def test_no_task_is_stopped_earlier_than_necessary() -> None:
    """Although the minimum would allow it."""
    there = world(desired_count=2, minimum_healthy_percent=50)
    there.live(10)
    there.controller.deploy(there.service, there.now)
    served: list[int] = []
    there.live(20, every=lambda: served.append(len(there.serving)))
    assert min(served) == 2


@pytest.mark.parametrize(("desired", "limits"), [(1, (1, 1)), (3, (2, 4)), (4, (2, 6)), (0, (0, 0))])
def test_the_minimum_is_rounded_up_and_the_maximum_down(desired: int, limits: tuple[int, int]) -> None:
    found = Limits.of(desired, 50, 150)
    assert (found.minimum, found.maximum) == limits


def test_an_old_revision_is_started_no_more_than_the_minimum_needs() -> None:
    tasks = [Seen("t9", 2, Standing.HEALTHY)]
    made = decide(tasks, {1: 2, 2: 2}, Limits(desired=2, minimum=2, maximum=3), may_start=True)
    assert made.start == [1, 2]


def test_a_second_deployment_replaces_the_first_that_is_under_way() -> None:
    there = world(definition=definition(family="first"))
    there.live(10)
    for family in ("second", "third"):
        there.controller.deploy(replace(there.service, definition=definition(family=family)), there.now)
        there.live(3)
    there.live(20)
    assert [task.definition.family for task in there.controller.tasks] == ["third"]


def test_percentages_that_allow_nothing_are_said_once() -> None:
    there = world(minimum_healthy_percent=100, maximum_percent=100)
    there.live(10)
    there.controller.deploy(there.service, there.now)
    there.live(30)
    assert there.serving == ["t0"]
    assert there.said.count(UNABLE) == 1


def test_a_deployment_may_change_the_desired_count() -> None:
    there = world()
    there.live(10)
    there.controller.deploy(replace(there.service, desired_count=3), there.now)
    there.live(30)
    assert len(there.serving) == 3


# Whatever happens.

MAYBE_SECONDS = st.none() | st.integers(0, 40).map(float)
FATES = st.builds(
    Fate,
    healthy=MAYBE_SECONDS,
    unhealthy=MAYBE_SECONDS,
    ends=MAYBE_SECONDS,
    never_runs=st.booleans(),
    stop_seconds=st.integers(0, 30).map(float),
)
ACTS = st.lists(
    st.tuples(st.integers(1, 30), st.sampled_from(["deploy", "scale", "stop"]), st.integers(0, 5)), max_size=5
)
PERCENTAGES = st.tuples(st.integers(0, 100), st.integers(100, 300))


def _act(there: World, act: str, number: int) -> None:
    controller = there.controller
    if act == "deploy":
        controller.deploy(controller.service, there.now)
    elif act == "scale":
        controller.scale(number, there.now)
    elif running := there.ids(*LIVE):
        controller.stop_task(running[number % len(running)], there.now)


class Watched(World):
    """Compares what the scheduler does with the limits, at every second."""

    def watch(self) -> None:
        """Look at one tick."""
        service = self.controller.service
        limits = Limits.of(service.desired_count, service.minimum_healthy_percent, service.maximum_percent)
        before = {task.id for task in self.controller.tasks}
        told = [
            task for task in self.controller.tasks if task.status is Status.STOPPING and self._now_told(task)
        ]
        started = [task for task in self.launched if task.created_at == self.now]
        if started:
            assert len(self.ids(*LIVE)) + len(told) <= limits.maximum, before
        if any(task.health is Health.HEALTHY for task in told):
            assert len(self.serving) >= limits.minimum

    def _now_told(self, task: FakeTask) -> bool:
        return task.stopping_at == self.now and task.stopped_reason != STOPPED_BY_USER


@given(st.integers(0, 5), PERCENTAGES, st.lists(FATES, max_size=12), ACTS)
def test_the_limits_hold_whatever_happens(
    desired: int, percentages: tuple[int, int], fates: list[Fate], acts: list[tuple[int, str, int]]
) -> None:
    """Never more than the maximum by a start, never fewer healthy ones than the minimum by a stop."""
    minimum, maximum = percentages
    there = Watched(
        service(desired_count=desired, minimum_healthy_percent=minimum, maximum_percent=maximum), iter(fates)
    )
    for seconds, act, number in acts:
        there.live(seconds, there.watch)
        _act(there, act, number)
    there.live(60, there.watch)


@given(st.integers(0, 5), PERCENTAGES, st.lists(FATES, max_size=12), ACTS)
def test_it_ends_with_the_desired_tasks_of_the_newest_deployment(
    desired: int, percentages: tuple[int, int], fates: list[Fate], acts: list[tuple[int, str, int]]
) -> None:
    """Once tasks are good ones, if the percentages let anything move at all."""
    minimum, maximum = percentages
    there = World(
        service(desired_count=desired, minimum_healthy_percent=minimum, maximum_percent=maximum),
        iter(fates),
        throttle=NO_WAIT,
    )
    for seconds, act, number in acts:
        there.live(seconds)
        _act(there, act, number)
    last = there.controller.service
    limits = Limits.of(last.desired_count, minimum, maximum)
    if last.desired_count and limits.maximum <= limits.minimum:
        return
    there.fates = iter(())
    for task in there.launched:
        task.fate = replace(task.fate, healthy=0.0 if task.fate.healthy is None else task.fate.healthy)
    there.live(300)
    assert there.controller.is_steady(there.now)
    assert len(there.ids()) == last.desired_count
    assert not there.controller.deploying
