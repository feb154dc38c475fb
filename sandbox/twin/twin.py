"""A platform that runs: its services, its one-off tasks, and what commands may do with them.

Nothing here waits or makes threads; `tick` does what is due. Whoever calls from several threads holds one lock.
"""

from __future__ import annotations

import subprocess
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from sandbox.cli import SandboxError
from sandbox.twin import hosts, rewriting
from sandbox.twin.aws_endpoint import ServiceTask, TaskRequest, TaskState
from sandbox.twin.ecs_api import metadata
from sandbox.twin.isolation import Isolation, Mode
from sandbox.twin.log_view import LogFile
from sandbox.twin.logs import Logs
from sandbox.twin.model import Booted, Container, Overrides, Service, TaskDefinition
from sandbox.twin.rewrites import Facts
from sandbox.twin.service import ServiceController
from sandbox.twin.status import ServiceStatus, TaskStatus
from sandbox.twin.surroundings import BalancerProcess, Servers
from sandbox.twin.task import Health, Host, Placement, Status, Task

VOLUMES: Final = "volumes"
"""Folder of a task beside those of its containers."""
ONE_OFF: Final = "one-off"
"""In place of a service's name: its tasks run once."""
MIB: Final = 1024 * 1024


Controller = ServiceController[Task]


class TwinError(SandboxError):
    """A command asks for something that is not there."""


@dataclass(frozen=True)
class Change:
    """What a drill changes about a service's containers; nothing else can."""

    variables: Mapping[str, str | None]
    """Values by name; None takes a variable away. A secret variable becomes a plain one."""
    arguments: Sequence[str] = ()
    """Added to the command."""
    mounts: Mapping[str, str] = field(default_factory=dict)
    """Paths in the container by what lies there instead: files or folders of this machine. Namespaces only."""
    container: str | None = None
    """Which one; None: the essential ones."""

    def concerns(self, container: Container) -> bool:
        """Say whether this container is changed."""
        return container.essential if self.container is None else container.name == self.container

    def apply(self, container: Container) -> Container:
        """Return the container, changed."""
        environment = {**container.environment, **self.variables}
        return replace(
            container,
            environment={name: value for name, value in environment.items() if value is not None},
            secrets={name: row for name, row in container.secrets.items() if name not in self.variables},
            command=(*container.command, *self.arguments),
        )

    def over(self, booted: Booted) -> Booted:
        """Return the container with other files in place of its own."""
        return replace(
            booted, mounts={**booted.mounts, **{path: Path(here) for path, here in self.mounts.items()}}
        )


class Twin:
    """The services of one platform."""

    def __init__(
        self,
        *,
        facts: Facts,
        servers: Servers,
        isolation: Isolation,
        gateway: str | None,
        folder: Path,
        clock: Callable[[], float] = time.monotonic,
        told: Callable[[str], None] = lambda _: None,
    ) -> None:
        """Start nothing yet.

        Args:
            facts: What is true for every container.
            servers: What they find around them.
            isolation: How they run.
            gateway: Address of the servers; None in plain mode, where names are not needed.
            folder: Where files of tasks go.
            clock: Seconds.
            told: Gets what went wrong inside.

        """
        self.facts, self.servers = facts, servers
        self._platform, self._gateway, self._clock = facts.platform, gateway, clock
        self._logs = Logs(folder / "logs")
        self._host = Host(isolation=isolation, boot=self._boot, logs=self._logs, folder=folder / "tasks")
        self._changes: dict[str, Change] = {}
        self._overrides: dict[str, Mapping[str, Overrides]] = {}
        """By container, by the id of a one-off task."""
        self._one_off: list[Task] = []
        self._names: dict[str, list[str]] = {}
        self._told, self._troubles = told, set[str]()
        self._leaving: set[str] = set()
        """Services that the stack no longer has."""
        self.services: dict[str, Controller] = {}
        self.balancer: BalancerProcess | None = None

    def start_services(self, balancer: BalancerProcess) -> None:
        """Create every service, as the program does after its gate."""
        self.balancer = balancer
        for service in self._platform.services:
            self.services[service.name] = self._controller_of(rewriting.service(service, self.facts))

    def update(self, facts: Facts) -> None:
        """Bring the services to another state of the stack: new ones, other definitions, other counts."""
        now = self._clock()
        self.facts, self._platform = facts, facts.platform
        wanted = {service.name: rewriting.service(service, facts) for service in facts.platform.services}
        self._leaving = self.services.keys() - wanted.keys()
        for name in self._leaving:
            self.services[name].scale(0, now)
        for name, service in wanted.items():
            controller = self.services.get(name)
            if controller is None:
                self.services[name] = self._controller_of(service)
            elif replace(controller.service, desired_count=service.desired_count) != service:
                controller.deploy(service, now)
            elif controller.service.desired_count != service.desired_count:
                controller.scale(service.desired_count, now)

    def tick(self) -> None:
        """Do what is due."""
        now = self._clock()
        for task in self._one_off:
            self._guarded(task.tick, now)
        for name, controller in tuple(self.services.items()):
            self._guarded(controller.tick, now)
            if name in self._leaving and not controller.tasks:
                del self.services[name]
        self._publish()

    def _guarded(self, tick: Callable[[float], None], now: float) -> None:
        """Do what is due for one part; its trouble, such as no more memory, must not end the others."""
        try:
            tick(now)
        except Exception:
            trouble = traceback.format_exc()
            if trouble not in self._troubles:
                self._troubles.add(trouble)
                self._told(trouble)

    def stop(self) -> None:
        """Begin to stop every task."""
        now = self._clock()
        for controller in self.services.values():
            controller.scale(0, now)
        for task in self._one_off:
            task.stop("the twin ends", now)

    @property
    def over(self) -> bool:
        """Whether no task runs."""
        return not self._tasks()

    # What the rest of AWS asks for.

    def run_task(self, request: TaskRequest) -> Callable[[], TaskState]:
        """Start a one-off task and return what tells its state."""
        definition = self.definition(request.definition)
        if definition is None:
            raise TwinError(f"the stack has no task definition {request.definition}")
        task = Task(definition, ONE_OFF, self._host, self._clock(), id=request.id)
        self._overrides[task.id] = request.overrides
        self._one_off.append(task)
        return lambda: self._task_state(task)

    def definition(self, named: str) -> TaskDefinition | None:
        """Return a task definition by its ARN, or by family and revision."""
        return next(
            (each for each in self._platform.definitions if named in (each.arn, _short(each.arn))), None
        )

    def service_tasks(self) -> list[ServiceTask]:
        """Return the tasks of all services, those that are ending included."""
        return [
            ServiceTask(
                id=task.id, service=task.service, definition=task.definition, state=self._task_state(task)
            )
            for controller in self.services.values()
            for task in controller.tasks
        ]

    def log_lines(self, group: str, stream: str) -> list[str] | None:
        """Return what a container has written, by where CloudWatch Logs would have it; None if there is no such."""
        stream, _, task_id = stream.rpartition("/")
        for task in self._every_task():
            for container in task.definition.containers if task.id == task_id else ():
                place = container.log
                if place and (place.group, f"{place.prefix}/{container.name}") == (group, stream):
                    path = task.log(container.name)
                    return path.read_text(errors="replace").splitlines() if path.exists() else []
        return None

    def metadata(self, container_id: str) -> Mapping[str, Any] | None:
        """Return what ECS tells a container about its task, by the container's id."""
        for task in self._every_task():
            if container_id.startswith(task.id):
                found = metadata(
                    task.id,
                    task.definition,
                    cluster_arn=self._platform.cluster_arn,
                    service="" if task.service == ONE_OFF else task.service,
                    state=self._task_state(task),
                )
                known = {each["DockerId"] for each in found["Containers"]}
                return found if container_id in known else None
        return None

    def modify_user(self, request: Mapping[str, Any]) -> None:
        """Give the broker's user what ModifyUser asks for."""
        if request["UserId"] != self._platform.broker.user_id:
            raise TwinError(f"the broker has no user {request['UserId']}")
        mode = request.get("AuthenticationMode") or {}
        passwords = mode.get("Passwords") or request.get("Passwords") or []
        self.servers.redis.set_user(self._platform.broker.user_name, request["AccessString"], passwords)

    def running_count(self, service: str) -> int:
        """Return how many tasks of a service run."""
        controller = self.services.get(service)
        tasks = controller.tasks if controller else ()
        return sum(task.status is Status.RUNNING for task in tasks)

    # Commands.

    def status(self, *, memory: bool = True) -> list[ServiceStatus]:
        """Return every service with its tasks; to count their memory takes 10 ms a process."""
        return [self._service_status(controller, memory=memory) for controller in self.services.values()]

    def ready(self) -> bool:
        """Say whether every service has its healthy tasks, and the balancer a healthy target."""
        if not self.services or self.balancer is None:
            return False
        now = self._clock()
        return all(controller.is_steady(now) for controller in self.services.values())

    def logs_path(self, service: str, task: str | None = None) -> list[LogFile]:
        """Return the log files of a service's tasks, of the stopped ones too when one is named."""
        controller = None if service == ONE_OFF else self._controller(service)
        tasks = [*controller.tasks, *(controller.stopped if task else ())] if controller else self._one_off
        return [
            LogFile(task=each.id, container=container.name, path=str(each.log(container.name)))
            for each in tasks
            if task is None or each.id == task
            for container in each.definition.containers
        ]

    def execute(
        self,
        service: str,
        command: Sequence[str],
        descriptors: Sequence[int],
        task: str | None = None,
        container: str | None = None,
    ) -> subprocess.Popen[bytes]:
        """Start a command in a container."""
        found = self._task(service, task)
        name = container or next(each.name for each in found.definition.containers if each.essential)
        if name not in found.processes:
            raise TwinError(f"task {found.id} has no running container {name}")
        out, error = descriptors
        return found.processes[name].exec(command, found.environments[name], stdout=out, stderr=error)

    def environment(self, service: str, task: str | None = None) -> Mapping[str, Mapping[str, str]]:
        """Return what the containers of a task were started with."""
        return {name: dict(found) for name, found in self._task(service, task).environments.items()}

    def stop_task(self, service: str, task: str) -> None:
        """Stop a task as StopTask does."""
        controller = self._controller(service)
        controller.stop_task(self._task(service, task).id, self._clock())

    def kill(self, service: str, task: str, signal: int, container: str | None = None) -> None:
        """Send a signal to the command of a container, or of the essential ones, of a task."""
        self._task(service, task).signal(signal, container)

    def destroy(self, service: str, task: str) -> None:
        """End a task as when its machine is lost: everything in it at once."""
        self._task(service, task).kill()

    def deploy(self, service: str) -> None:
        """Replace the tasks of a service one by one."""
        controller = self._controller(service)
        controller.deploy(controller.service, self._clock())

    def scale(self, service: str, count: int) -> None:
        """Change how many tasks of a service run."""
        self._controller(service).scale(count, self._clock())

    def change(
        self,
        service: str,
        variables: Mapping[str, str | None],
        arguments: Sequence[str] = (),
        mounts: Mapping[str, str] | None = None,
        container: str | None = None,
    ) -> None:
        """Deploy a service with other variables, further arguments or other files; none of them: as rendered.

        The change is one of the essential containers, unless another one is named.
        """
        if mounts and self.facts.mode is Mode.PLAIN:
            raise TwinError(
                "plain processes share one file system: only in namespaces can a file be another one"
            )
        name = self._controller(service).service.name
        self._changes[name] = Change(dict(variables), tuple(arguments), dict(mounts or {}), container)
        self.deploy(name)

    def events(self) -> list[tuple[float, str]]:
        """Return what the services have done, with seconds of the epoch."""
        shift = time.time() - self._clock()
        return sorted(
            (event.time + shift, event.text)
            for controller in self.services.values()
            for event in controller.events
        )

    def database(self, action: str) -> None:
        """Stop or start the database."""
        _do(self.servers.postgresql, action, {"stop": "stop", "start": "start"})

    def broker(self, action: str) -> None:
        """Stop, start, restart or flush the broker; a restart forgets all messages."""
        if action == "restart":
            self.servers.redis.stop("kill")
            action = "start"
        _do(self.servers.redis, action, {"stop": "stop", "start": "start", "flush": "flush"})

    def queue(self, name: str = "default") -> int:
        """Return how many messages wait in a queue."""
        return int(self.servers.redis.command("LLEN", name))

    # Inside.

    def _boot(self, container: Container, placement: Placement) -> Booted:
        """Return a container as it is started."""
        change = self._changes.get(placement.service)
        if change and not change.concerns(container):
            change = None
        if change:
            container = change.apply(container)
        if overrides := self._overrides.get(placement.task_id, {}).get(container.name):
            container = rewriting.overridden(container, overrides)
        hosts_file = placement.folder / "hosts"
        hosts.write(hosts_file, placement.address, self._all_names())
        task = rewriting.Task(
            id=placement.task_id,
            address=placement.address,
            hosts_file=hosts_file,
            scratch=placement.folder / container.name,
            volumes=placement.folder / VOLUMES,
            ports=self.facts.ports if self.facts.mode is Mode.PLAIN else {},
        )
        booted = rewriting.boot(container, self.facts, task, self.servers.endpoint.resolve)
        return change.over(booted) if change else booted

    def _all_names(self) -> dict[str, list[str]]:
        if self._gateway is None:
            return {}
        servers = (self._platform.metastore.host, self._platform.broker.host)
        return {**{name: [self._gateway] for name in servers}, **self._names}

    def _publish(self) -> None:
        """Tell containers and balancer which tasks there are."""
        names: dict[str, list[str]] = {}
        targets: dict[str, list[str]] = {group: [] for group in self._platform.balancer.target_groups}
        for controller in self.services.values():
            addresses = [task.address for task in controller.tasks if _serves(task)]
            for name in controller.service.dns_names:
                names.setdefault(name, []).extend(addresses)
            for group, target in self._targets(controller):
                targets.setdefault(group, []).append(target)
        if names != self._names:
            self._names = names
            for task in self._tasks():
                if task.address and task.folder.exists():
                    hosts.write(task.folder / "hosts", task.address, self._all_names())
        if self.balancer is not None:
            self.balancer.register(targets)

    def _targets(self, controller: Controller) -> list[tuple[str, str]]:
        """Return target group and address of what a service offers to the balancer."""
        return [
            (group, f"{task.address}:{self._port(port)}")
            for group, port in controller.service.target_groups
            for task in controller.tasks
            if task.status is Status.RUNNING
        ]

    def _port(self, rendered: int) -> int:
        return self.facts.ports.get(rendered, rendered)

    def _tasks(self) -> list[Task]:
        tasks = [task for controller in self.services.values() for task in controller.tasks]
        return [task for task in (*tasks, *self._one_off) if task.status is not Status.STOPPED]

    def _every_task(self) -> list[Task]:
        """Return what is known of tasks, those that ended lately included."""
        of_services = [
            task for controller in self.services.values() for task in (*controller.tasks, *controller.stopped)
        ]
        return [*of_services, *self._one_off]

    def _task_state(self, task: Task) -> TaskState:
        stopped = task.status is Status.STOPPED
        started = None if task.started_at is None else task.started_at + time.time() - self._clock()
        return TaskState(
            status=task.status.value,
            exit_codes=dict(task.exit_codes),
            stop_code="EssentialContainerExited" if stopped and task.exit_codes else None,
            stopped_reason=task.stopped_reason or None,
            started_at=started,
        )

    def _controller(self, service: str) -> Controller:
        found = [
            controller
            for controller in self.services.values()
            if service in (controller.service.name, controller.service.role)
        ]
        if len(found) != 1:
            names = ", ".join(controller.service.name for controller in found) or ", ".join(self.services)
            raise TwinError(f"{len(found) or 'no'} services {service!r}; there are: {names}")
        return found[0]

    def _task(self, service: str, task: str | None) -> Task:
        tasks = [each for each in self._controller(service).tasks if task in (None, each.id)]
        running = [each for each in tasks if each.status is Status.RUNNING] or tasks
        if not running:
            raise TwinError(f"{service} has no task {task or ''}".rstrip())
        return running[0]

    def _controller_of(self, service: Service) -> Controller:
        return ServiceController(service, self._launcher(service.name), target_health=self._target_health)

    def _launcher(self, service: str) -> Callable[[TaskDefinition, float], Task]:
        return lambda definition, now: Task(definition, service, self._host, now)

    def _target_health(self, task: Task) -> Health:
        """Return what the balancer says of a task, in the words of ECS."""
        assert self.balancer is not None
        groups = self._controller(task.service).service.target_groups
        states = {self.balancer.state(f"{task.address}:{self._port(port)}") for _, port in groups}
        if states == {"healthy"}:
            return Health.HEALTHY
        return Health.UNHEALTHY if "unhealthy" in states else Health.UNKNOWN

    def _service_status(self, controller: Controller, *, memory: bool) -> ServiceStatus:
        service = controller.service
        port = next((port for _, port in service.target_groups), None)
        return ServiceStatus(
            name=service.name,
            role=service.role,
            desired=service.desired_count,
            restarts=controller.restarts,
            tasks=[self._task_status(task, port, memory=memory) for task in controller.tasks],
        )

    def _task_status(self, task: Task, port: int | None, *, memory: bool) -> TaskStatus:
        after = None if task.healthy_at is None else task.healthy_at - task.created_at
        state = self.balancer.state(f"{task.address}:{self._port(port)}") if self.balancer and port else None
        return TaskStatus(
            id=task.id,
            status=task.status.value,
            health=task.health.value,
            address=task.address,
            memory_mib=round(task.memory_bytes() / MIB, 1) if memory else None,
            limit_mib=float(task.definition.memory_mib),
            healthy_after_seconds=after,
            target=state,
        )


def _serves(task: Task) -> bool:
    """Say whether a task is one that others may use."""
    return task.status is Status.RUNNING and (task.health is Health.HEALTHY or not task.has_check)


def _short(arn: str) -> str:
    return arn.rpartition("/")[2]


def _do(server: Any, action: str, known: Mapping[str, str]) -> None:
    if action not in known:
        raise TwinError(f"no action {action!r}; there are: {', '.join(known)}")
    getattr(server, known[action])()
