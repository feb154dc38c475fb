"""Both pipelines as data: their tables, their jobs, and the shell steps of each job as a machine would run them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import yaml

ROOT: Final = Path(__file__).parents[2]
WORKFLOW: Final = ROOT / "pipelines" / "github" / "dags.yml"
JENKINSFILE: Final = ROOT / "pipelines" / "jenkins" / "Jenkinsfile"
SYSTEMS: Final = ("github", "jenkins")
CHECK, RELEASE = "check", "release"
TOKENS: Final = re.compile(
    r"""(?P<comment>//[^\n]*|/\*.*?\*/)
    |(?P<string>'''(?:[^\\]|\\.)*?'''|'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*")
    |(?P<word>\w+)
    |(?P<sign>\S)""",
    re.VERBOSE | re.DOTALL,
)

Token = tuple[str, str]
"""Kind and text; of a string its content."""


def workflow() -> dict[str, Any]:
    """Return GitHub's workflow; YAML reads its key `on` as true."""
    found: dict[str, Any] = yaml.safe_load(WORKFLOW.read_text())
    found["on"] = found.pop(True)  # type: ignore[call-overload]
    return found


def tokens(text: str) -> list[Token]:
    """Split Groovy into words, strings and signs, without comments."""
    found = []
    for match in TOKENS.finditer(text):
        kind = match.lastgroup or ""
        if kind != "comment":
            found.append((kind, _content(match[0]) if kind == "string" else match[0]))
    return found


def block(all_tokens: Sequence[Token], *opening: str) -> list[Token]:
    """Return what stands between the braces that follow some tokens."""
    texts = [text for _, text in all_tokens]
    for at in range(len(texts)):
        if tuple(texts[at : at + len(opening)]) == opening:
            begin = at + len(opening)
            assert texts[begin] == "{", f"{opening} has no block"
            depth = 0
            for end in range(begin, len(texts)):
                depth += {("sign", "{"): 1, ("sign", "}"): -1}.get(all_tokens[end], 0)
                if depth == 0:
                    return list(all_tokens[begin + 1 : end])
    raise AssertionError(f"there is no {' '.join(opening)}")


def stage(job: str) -> list[Token]:
    """Return a stage of the Jenkinsfile."""
    return block(tokens(JENKINSFILE.read_text()), "stage", "(", job.capitalize(), ")")


def joined(some: Sequence[Token]) -> str:
    """Return tokens as one line, to be compared."""
    return " ".join(repr(text) if kind == "string" else text for kind, text in some)


def table(system: str) -> str:
    """Return which branch releases to which stack, as it stands there."""
    if system == "github":
        return str(workflow()["env"]["DAG_STACKS"])
    return _environment()["DAG_STACKS"]


def pairs(text: str) -> list[list[str]]:
    """Return the rows of a table."""
    return [line.split() for line in text.splitlines() if line.strip()]


def shell_steps(system: str, job: str) -> list[str]:
    """Return the shell steps of a job, in their order."""
    if system == "github":
        return [step["run"] for step in workflow()["jobs"][job]["steps"] if "run" in step]
    return _sh(stage(job))


def variables(system: str, job: str, given: Mapping[str, str]) -> dict[str, str]:
    """Return what a job's steps find in their environment.

    Args:
        system: Whose job.
        job: Which.
        given: BRANCH, and what a team sets up for its pipeline.

    """
    if system == "github":
        parts = workflow()
        texts = parts["env"] | parts["jobs"][job].get("env", {})
        known = {f"vars.{name}": value for name, value in given.items()} | {
            "github.ref_name": given["BRANCH"]
        }
        return {
            name: re.sub(r"\$\{\{ ([\w.]+) \}\}", lambda match: known.get(match[1], ""), str(text))
            for name, text in texts.items()
        }
    own = _environment()
    assert own.pop("BRANCH") == "${env.BRANCH_NAME}"
    return {**given, **own}


def _environment() -> dict[str, str]:
    """Return the variables of the Jenkinsfile."""
    found = block(tokens(JENKINSFILE.read_text()), "environment")
    assert len(found) % 3 == 0
    return {found[at][1]: found[at + 2][1] for at in range(0, len(found), 3)}


def _sh(some: Sequence[Token]) -> list[str]:
    """Return the scripts of `sh`, also those of the function that a stage calls."""
    texts = [text for _, text in some]
    found: list[str] = []
    for at, token in enumerate(some):
        if token == ("word", "sh"):
            named = ["(", "script", ":"]
            script = some[at + 4] if texts[at + 1 : at + 4] == named else some[at + 1]
            assert script[0] == "string", f"a script that is no plain string: {texts[at : at + 5]}"
            found.append(script[1])
        elif texts[at : at + 3] == ["prepare", "(", ")"]:
            found += _sh(block(tokens(JENKINSFILE.read_text()), "void", "prepare", "(", ")"))
    return found


def _content(literal: str) -> str:
    quotes = 3 if literal.startswith("'''") else 1
    content = literal[quotes:-quotes]
    # Every other escape would have to be undone here.
    assert "\\" not in content, f"an escape in {literal}"
    return content
