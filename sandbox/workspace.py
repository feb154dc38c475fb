"""A folder of its own for every sandboxed project: copies of the stack files, state, the simulated cloud.

The engine writes into stack files (`encryptionsalt`, rewritten numbers), so it works on copies under
`<project>/.sandbox/workspace`, and a `Pulumi.yaml` there points back to the program. Tracked files are only read.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import yaml

from sandbox.engine import Engine

FOLDER: Final = ".sandbox"
PLACEHOLDER: Final = "simulated-secret-value-of-{path}"
"""What a `secure:` value becomes: the real one is encrypted for other eyes, and the sandbox must not need it."""
PLACEHOLDER_KEY: Final = "simulated-aws"
"""Credentials for a program that asks AWS by itself: they are refused everywhere."""
REFERENCE_KEY: Final = ("shared", "stack")
"""Where a structured configuration object names the stack that it references."""

_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class WorkspaceError(Exception):
    """The project or a stack cannot be used; the message says what is wrong and what is there."""


@dataclass(frozen=True)
class Workspace:
    """The sandbox's files of one Pulumi project."""

    project: Path
    """The folder that holds the project's Pulumi.yaml."""

    @cached_property
    def name(self) -> str:
        """The project's name in its Pulumi.yaml."""
        return str(self._project_file["name"])

    @cached_property
    def root(self) -> Path:
        """The sandbox's folder inside the project."""
        return self.project / FOLDER

    @property
    def program(self) -> Path:
        """The folder of the program, in which it runs."""
        return self.project / str(self._project_file.get("main", "."))

    @property
    def folder(self) -> Path:
        """Where the engine runs: copies of the stack files."""
        return self.root / "workspace"

    @property
    def journal(self) -> Path:
        """The journal of the simulated cloud."""
        return self.root / "cloud.jsonl"

    @cached_property
    def _project_file(self) -> Mapping[str, Any]:
        path = self.project / "Pulumi.yaml"
        if not path.exists():
            raise WorkspaceError(f"{path} does not exist: {self.project} is not a Pulumi project")
        parsed = _read(path)
        if not isinstance(parsed.get("name"), str):
            raise WorkspaceError(f"{path}: name: want the project's name")
        return parsed

    def stacks(self) -> list[str]:
        """Return the stacks that have a file beside Pulumi.yaml."""
        return sorted(
            path.name[len("Pulumi.") : -len(".yaml")] for path in self.project.glob("Pulumi.*.yaml")
        )

    def applied(self) -> list[str]:
        """Return the stacks that have a state."""
        return sorted(path.stem for path in self.states.glob("*.json"))

    @property
    def backend(self) -> str:
        """The URL of the file backend."""
        return f"file://{self.root / 'state'}"

    @property
    def states(self) -> Path:
        """Where the file backend keeps the states of this project's stacks."""
        return self.root / "state" / ".pulumi" / "stacks" / self.name

    @property
    def locks(self) -> Path:
        """Where the file backend keeps the locks of this project's stacks."""
        return self.root / "state" / ".pulumi" / "locks" / "organization" / self.name

    def references(self, stack: str) -> list[str]:
        """Return the stacks that a stack's configuration references, in the order to apply them."""
        found = []
        tracked = self.project / f"Pulumi.{stack}.yaml"
        known = tracked if tracked.exists() else self.folder / tracked.name
        for value in ((_read(known) if known.exists() else {}).get("config") or {}).values():
            named = value
            for key in REFERENCE_KEY:
                named = named.get(key) if isinstance(named, dict) else None
            if isinstance(named, str) and named != stack and named in self.stacks():
                found.append(named)
        return found

    def selected(self) -> str | None:
        """Return the stack that `pulumi stack select` or `stack init` chose last."""
        for path in sorted((self.root / "home" / "workspaces").glob(f"{self.name}-*-workspace.json")):
            chosen = json.loads(path.read_text(encoding="utf-8")).get("stacks", {}).get(self.backend)
            return str(chosen).rsplit("/", 1)[-1] if chosen else None
        return None

    def check_file(self, stack: str) -> None:
        """Refuse to preview or apply a stack whose file is gone: the sandbox's copy of it is stale."""
        self.check_stack(stack)
        if stack not in self.stacks():
            raise WorkspaceError(
                f"{self.project / f'Pulumi.{stack}.yaml'} is gone; only `down {stack}` works on this stack now"
            )

    def check_stack(self, stack: str) -> None:
        """Refuse a stack that has neither a file nor a state."""
        known = sorted({*self.stacks(), *self.applied()})
        if stack not in known:
            raise WorkspaceError(
                f"no stack {stack!r} in {self.project}; there are: {', '.join(known) or 'none'}"
            )

    def refresh(self, engine: Engine) -> None:
        """Bring the copies up to date; salts that the engine wrote into them stay."""
        for folder in (self.folder, self.root / "state", self.root / "home"):
            folder.mkdir(parents=True, exist_ok=True)
        _write(self.root / ".gitignore", "*\n")
        back = os.path.relpath(self.project / str(self._project_file.get("main", ".")), self.folder)
        copy = {key: value for key, value in self._project_file.items() if key != "backend"} | {"main": back}
        runtime = copy.get("runtime")
        if engine.needs_language_host or isinstance(runtime, str):
            # Our host runs programs with the sandbox's own interpreter; it has no toolchain to choose.
            copy["runtime"] = "python"
        else:
            options = {"toolchain": "pip", "virtualenv": os.path.relpath(sys.prefix, self.folder)}
            copy["runtime"] = {"name": "python", "options": options}
        _dump(self.folder / "Pulumi.yaml", copy)
        for stack in self.stacks():
            self._copy_stack(stack)

    def environment(self, engine: Engine, providers: str) -> dict[str, str]:
        """Return the environment of the engine: the sandbox's backend, providers and placeholder credentials."""
        kept = {
            key: value
            for key, value in os.environ.items()
            # Real credentials and backends must not reach a sandboxed program, not even by accident.
            if not key.startswith(("AWS_", "PULUMI_")) and key != "PYTHONDONTWRITEBYTECODE"
        }
        return kept | {
            "PATH": os.pathsep.join([str(engine.path.parent), os.environ.get("PATH", "")]),
            "PULUMI_HOME": str(self.root / "home"),
            "PULUMI_BACKEND_URL": self.backend,
            "PULUMI_CONFIG_PASSPHRASE": "",
            "PULUMI_SKIP_UPDATE_CHECK": "1",
            "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
            "PULUMI_DEBUG_PROVIDERS": providers,
            "AWS_ACCESS_KEY_ID": PLACEHOLDER_KEY,
            "AWS_SECRET_ACCESS_KEY": PLACEHOLDER_KEY,
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "AWS_EC2_METADATA_DISABLED": "true",
            # Our language host, where the engine has no official one, is this interpreter with this package.
            "SANDBOX_PYTHON": sys.executable,
            "SANDBOX_SOURCE": str(Path(__file__).parent.parent),
        }

    def _stack_file(self, stack: str) -> Mapping[str, Any]:
        path = self.project / f"Pulumi.{stack}.yaml"
        return _read(path) if path.exists() else {}

    def _copy_stack(self, stack: str) -> None:
        """Copy a stack file as text, since a YAML round trip would repair values that the real engine refuses."""
        tracked = (self.project / f"Pulumi.{stack}.yaml").read_text(encoding="utf-8")
        self._stack_file(stack)  # refuses what is not YAML, with the tracked file's name
        target = self.folder / f"Pulumi.{stack}.yaml"
        stamp = self.folder / f".{stack}.sha256"
        digest = hashlib.sha256(tracked.encode()).hexdigest()
        if target.exists() and stamp.exists() and stamp.read_text() == digest:
            return
        salt = _read(target).get("encryptionsalt") if target.exists() else None
        text, _ = without_secrets(_FOREIGN_SECRETS.sub("", tracked))
        if salt:
            text = f"{text.rstrip()}\nencryptionsalt: {salt}\n"
        _write(target, text)
        _write(stamp, digest)

    def plain_secrets(self, stack: str) -> Iterator[tuple[str, str]]:
        """Yield (configuration path, placeholder) of secrets that the copy still holds unencrypted."""
        tracked = self.project / f"Pulumi.{stack}.yaml"
        if not tracked.exists():
            return
        copy = (self.folder / tracked.name).read_text(encoding="utf-8")
        for path in without_secrets(tracked.read_text(encoding="utf-8"))[1]:
            placeholder = PLACEHOLDER.format(path=path)
            if re.search(rf"(?:^|\s){re.escape(placeholder)}(?:$|[\s,}}\]])", copy):
                yield path, placeholder


_FOREIGN_SECRETS: Final = re.compile(r"^(?:secretsprovider|encryptedkey|encryptionsalt):.*\n?", re.MULTILINE)
"""The tracked file's secrets provider and salt belong to the real backend."""


def without_secrets(text: str) -> tuple[str, list[str]]:
    """Replace every `secure:` value of a stack file by a labelled placeholder.

    Returns:
        The text, changed in those places only, and the paths of the values as `pulumi config set --path` takes them.

    """
    if "secure" not in text:
        return text, []
    found: list[tuple[int, int, str]] = []
    root = yaml.compose(text, yaml.SafeLoader)
    for key, value in root.value if isinstance(root, yaml.MappingNode) else ():
        if key.value == "config" and isinstance(value, yaml.MappingNode):
            for name, item in value.value:
                _find_secrets(item, name.value, found)
    for start, end, path in reversed(found):
        text = f"{text[:start]}{PLACEHOLDER.format(path=path)}{text[end:]}"
    return text, [path for _, _, path in found]


def _find_secrets(node: yaml.Node, path: str, found: list[tuple[int, int, str]]) -> None:
    if isinstance(node, yaml.MappingNode):
        if [key.value for key, _ in node.value] == ["secure"]:
            # A block's own end lies behind the comments that follow it.
            end = node.end_mark if node.flow_style else node.value[0][1].end_mark
            found.append((node.start_mark.index, end.index, path))
            return
        for key, value in node.value:
            _find_secrets(value, f"{path}.{key.value}", found)
    elif isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            _find_secrets(value, f"{path}[{index}]", found)


def _read(path: Path) -> dict[str, Any]:
    try:
        parsed = yaml.load(path.read_text(encoding="utf-8"), _Loader)  # noqa: S506  safe, and written in C
    except yaml.YAMLError as error:
        raise WorkspaceError(f"{path} is not YAML: {' '.join(str(error).split())}") from error
    if parsed is None:
        return {}
    if not isinstance(parsed, dict):
        raise WorkspaceError(f"{path}: want a mapping at the top, got {type(parsed).__name__}")
    return parsed


def _dump(path: Path, content: Mapping[str, Any]) -> None:
    _write(path, yaml.safe_dump(dict(content), sort_keys=False))


def _write(path: Path, text: str) -> None:
    """Write a file when its content differs, and never leave half of it."""
    if path.exists() and path.read_text(encoding="utf-8") == text:
        return
    fresh = path.with_name(path.name + ".new")
    fresh.write_text(text, encoding="utf-8")
    fresh.replace(path)
