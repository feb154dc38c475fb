"""Lambda: functions, permissions, invocations; Step Functions."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Final

from sandbox.behaviour.model import Failure
from sandbox.behaviour.rules import Case, known, rule
from sandbox.behaviour.rules.secret_values import secret_in

FUNCTION: Final = "aws:lambda/function:Function"
MAX_MEMORY: Final = 10240
MAX_ENVIRONMENT: Final = 4096
"""Bytes, names and values together."""

_RESERVED: Final = ("AWS_LAMBDA_", "AWS_REGION", "AWS_DEFAULT_REGION", "AWS_ACCESS_KEY", "AWS_SECRET_ACCESS_KEY",
                    "AWS_SESSION_TOKEN", "AWS_EXECUTION_ENV", "LAMBDA_TASK_ROOT", "LAMBDA_RUNTIME_DIR")  # fmt: skip
_RETIRED: Final = frozenset(
    {"python2.7", "python3.6", "python3.7", "python3.8", "nodejs", "nodejs4.3", "nodejs6.10", "nodejs8.10",
     "nodejs10.x", "nodejs12.x", "nodejs14.x", "nodejs16.x", "dotnetcore1.0", "dotnetcore2.0", "dotnetcore2.1",
     "dotnetcore3.1", "ruby2.5", "ruby2.7", "go1.x", "java8", "provided"}
)  # fmt: skip


@rule(FUNCTION)
def package(case: Case) -> Iterator[Failure]:
    """Check what Zip functions need, and retired runtimes."""
    kind = case.inputs.get("packageType", "Zip")
    if kind == "Zip":
        for key in ("handler", "runtime"):
            if not case.has(key):
                yield Failure(key, "is required with packageType Zip")
    runtime = case.known("runtime")
    if runtime in _RETIRED:
        yield Failure("runtime", f'"{runtime}" is retired: AWS creates no new functions with it')


@rule(FUNCTION)
def limits(case: Case) -> Iterator[Failure]:
    """Check memory, name and logging."""
    memory = case.known("memorySize")
    if memory is not None and memory > MAX_MEMORY and not case.has("capacityProviderConfig"):
        yield Failure("memorySize", f"must be at most {MAX_MEMORY} MB, got {memory}")
    name = case.known("name")
    if name is not None and len(name.rpartition("function:")[2]) > 64:
        yield Failure("name", f"cannot be longer than 64 characters, got {len(name)}")
    logging = case.known("loggingConfig")
    for key in ("applicationLogLevel", "systemLogLevel"):
        if known(logging, key) and known(logging, "logFormat") == "Text":
            yield Failure(f"loggingConfig.{key}", "needs logFormat JSON")


@rule(FUNCTION)
def environment(case: Case) -> Iterator[Failure]:
    """Check the environment: names that AWS keeps, size, secrets in plain text."""
    variables = known(case.known("environment"), "variables") or {}
    plain = {name: value for name, value in variables.items() if isinstance(value, str)}
    for name, value in plain.items():
        path = f"environment.variables.{name}"
        if name.startswith(_RESERVED):
            yield Failure(path, "is a name that Lambda keeps for itself")
        elif problem := secret_in(name, value):
            yield Failure(path, problem)
    size = sum(len(name.encode()) + len(value.encode()) for name, value in plain.items())
    if size > MAX_ENVIRONMENT:
        yield Failure("environment.variables", f"takes at most {MAX_ENVIRONMENT} bytes, got {size}")


@rule("aws:lambda/permission:Permission")
def permission(case: Case) -> Iterator[Failure]:
    """Check the function and the kind of invocation."""
    function = case.known("function", "")
    if len(function.rpartition("function:")[2].partition(":")[0]) > 64:
        yield Failure("function", "the name of a function has at most 64 characters")
    if case.has("functionUrlAuthType") and case.known("action") not in (None, "lambda:InvokeFunctionUrl"):
        yield Failure("functionUrlAuthType", "needs action lambda:InvokeFunctionUrl")


@rule("aws:lambda/invocation:Invocation")
def invocation(case: Case) -> Iterator[Failure]:
    """Check the payload of a function that is also called on update and delete."""
    text = case.known("input")
    if text is None or case.inputs.get("lifecycleScope", "CREATE_ONLY") == "CREATE_ONLY":
        return
    if not isinstance(json.loads(text), dict):
        yield Failure("input", "must be a JSON object unless lifecycleScope is CREATE_ONLY")


@rule("aws:sfn/stateMachine:StateMachine")
def state_machine(case: Case) -> Iterator[Failure]:
    """Check the definition's outline, as AWS validates it at plan time, and the log destination."""
    text = case.known("definition")
    if text is not None and (problem := _definition_problem(text)):
        yield Failure("definition", problem)
    destination = known(case.known("loggingConfiguration"), "logDestination")
    if destination and not destination.endswith(":*"):
        yield Failure("loggingConfiguration.logDestination", f'must end with ":*", got "{destination}"')


def _definition_problem(text: str) -> str | None:
    try:
        machine = json.loads(text)
    except ValueError as error:
        return f"contains invalid JSON: {error}"
    if not isinstance(machine, dict) or not isinstance(machine.get("States"), dict) or not machine["States"]:
        return "needs States"
    states = machine["States"]
    if machine.get("StartAt") not in states:
        return f"StartAt must name one of the states, got {json.dumps(machine.get('StartAt'))}"
    for name, state in states.items():
        following = state.get("Next") if isinstance(state, dict) else None
        if not isinstance(state, dict) or "Type" not in state:
            return f'state "{name}" needs a Type'
        if following is not None and following not in states:
            return f'state "{name}": there is no state "{following}" to go to next'
        if (
            following is None
            and state["Type"] not in ("Choice", "Succeed", "Fail")
            and state.get("End") is not True
        ):
            return f'state "{name}" needs Next or End'
    return None
