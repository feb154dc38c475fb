"""The targets of a target group: which are good, whose turn it is, and how one leaves in good order.

As in an Application Load Balancer a new target needs one good answer, and one that was unhealthy needs several in a
row. When no good one is left, the unhealthy ones get requests: the load balancer may be the one that is wrong.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Collection, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

import aiohttp
import yarl

from sandbox.twin.balancer_rules import HealthSettings, TargetGroupSettings

CHECKER: Final = "ELB-HealthChecker/2.0"
"""What a health check calls itself."""


class State(StrEnum):
    """What a target's health can be, in AWS's words."""

    INITIAL = "initial"
    HEALTHY = "healthy"
    UNHEALTHY = "unhealthy"
    DRAINING = "draining"


@dataclass(eq=False)
class Target:
    """An address that requests can go to."""

    address: str
    settings: HealthSettings
    state: State = State.INITIAL
    reason: str = "Initial health checks in progress"
    _good: int = 0
    _bad: int = 0
    _open: set[asyncio.Timeout] = field(default_factory=set)

    @property
    def busy(self) -> bool:
        """Whether requests are open."""
        return bool(self._open)

    def record(self, failure: str | None) -> None:
        """Count the result of a health check.

        Args:
            failure: What was wrong; None for a good answer.

        """
        if failure is None:
            self._good, self._bad = self._good + 1, 0
            if self._good >= (1 if self.state is State.INITIAL else self.settings.healthy_threshold):
                self.state, self.reason = State.HEALTHY, ""
            return
        self._good, self._bad = 0, self._bad + 1
        if self._bad >= self.settings.unhealthy_threshold:
            self.state, self.reason = State.UNHEALTHY, failure

    @contextlib.asynccontextmanager
    async def request(self) -> AsyncIterator[asyncio.Timeout]:
        """Count a request as open; it is cut with TimeoutError when the target's time to leave is over."""
        async with asyncio.timeout(None) as limit:
            self._open.add(limit)
            try:
                yield limit
            finally:
                self._open.discard(limit)

    def leave(self, seconds: float) -> None:
        """Give the open requests so long; the caller sends no more."""
        self.state, self.reason = State.DRAINING, "Target deregistration is in progress"
        end = asyncio.get_running_loop().time() + seconds
        for limit in self._open:
            limit.reschedule(end)


class TargetGroup:
    """Targets that take turns."""

    def __init__(
        self, settings: TargetGroupSettings, session: aiohttp.ClientSession, changed: Callable[[], None]
    ) -> None:
        """Start without a target.

        Args:
            settings: The group's settings.
            session: What health checks are made with.
            changed: Called after the health of a target has changed.

        """
        self.settings = settings
        self._session, self._changed = session, changed
        self._targets: dict[str, Target] = {}
        self._leaving: list[Target] = []
        self._checks: dict[str, asyncio.Task[None]] = {}
        self._turn = 0

    def register(self, addresses: Collection[str]) -> None:
        """Make these the targets: new ones are checked at once, those that are missing get no more requests."""
        for address in self._targets.keys() - set(addresses):
            self._checks.pop(address).cancel()
            target = self._targets.pop(address)
            target.leave(self.settings.deregistration_seconds)
            self._leaving.append(target)
        for address in addresses:
            if address not in self._targets:
                target = self._targets[address] = Target(address, self.settings.health)
                self._checks[address] = asyncio.create_task(self._watch(target))

    def next(self) -> Target | None:
        """Return the target whose turn it is; None when there is none that could answer."""
        by_state = {
            state: [target for target in self._targets.values() if target.state is state]
            for state in (State.HEALTHY, State.UNHEALTHY)
        }
        able = by_state[State.HEALTHY] or by_state[State.UNHEALTHY]
        if not able:
            return None
        self._turn += 1
        return able[self._turn % len(able)]

    def health(self) -> Mapping[str, Mapping[str, str]]:
        """Return state and reason of each target, of leaving ones as long as they have open requests."""
        self._leaving = [target for target in self._leaving if target.busy]
        return {
            target.address: {"state": target.state, "reason": target.reason}
            for target in (*self._leaving, *self._targets.values())
        }

    async def close(self) -> None:
        """Stop the health checks."""
        for check in self._checks.values():
            check.cancel()
        await asyncio.gather(*self._checks.values(), return_exceptions=True)

    async def _watch(self, target: Target) -> None:
        """Check a target at each interval; how long it takes to answer does not move the next check."""
        loop = asyncio.get_running_loop()
        moment = loop.time()
        while True:
            before = target.state, target.reason
            target.record(await self._failure(target))
            if (target.state, target.reason) != before:
                self._changed()
            moment = max(moment + target.settings.interval, loop.time())
            await asyncio.sleep(moment - loop.time())

    async def _failure(self, target: Target) -> str | None:
        """Ask a target once; return what was wrong with the answer, in AWS's words."""
        settings = target.settings
        url = yarl.URL(f"{settings.protocol.lower()}://{target.address}{settings.path}", encoded=True)
        limit = aiohttp.ClientTimeout(total=settings.timeout)
        headers = {"User-Agent": CHECKER, "Connection": "close"}
        try:
            async with self._session.get(
                url, timeout=limit, headers=headers, allow_redirects=False
            ) as answer:
                if settings.accepts(answer.status):
                    return None
                return f"Health checks failed with these codes: [{answer.status}]"
        except TimeoutError:
            return "Request timed out"
        except (aiohttp.ClientError, OSError) as error:
            return f"Health checks failed: {error}"
