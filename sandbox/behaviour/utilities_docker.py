"""The docker provider without a Docker: digests that follow from what would be built or pulled.

A digest is the sha256 of the build's inputs, not of an image: no image with it exists anywhere. The outputs
of these
types have no field for a remark, so nothing in them says that they are simulated.
"""

from __future__ import annotations

import fnmatch
import json
import os
import platform
import random
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from sandbox.behaviour.model import Checked, Created, Failure, Properties
from sandbox.behaviour.values import has_unknown

ARCHITECTURES: Final = {"x86_64": "amd64", "aarch64": "arm64"}


def make(token: str, inputs: Properties, stream: random.Random) -> Created:
    """Build, pull, push or tag an image; `inputs` have their defaults filled in."""
    del stream
    match token.rpartition(":")[2]:
        case "Image":
            return build_image(inputs)
        case "RegistryImage":
            digest = _digest(inputs.get("name"), inputs.get("build"), inputs.get("triggers"))
            return Created(digest, {**inputs, "sha256Digest": digest})
        case "RemoteImage":
            kept = [inputs.get(key) for key in ("name", "build", "platform", "pullTriggers", "triggers")]
            image_id, repository = _digest("image", *kept), _repository(inputs["name"])
            outputs = {**inputs, "imageId": image_id, "repoDigest": f"{repository}@{_digest(*kept)}"}
            return Created(image_id + inputs["name"], outputs)
        case _:
            source, target = inputs["sourceImage"], inputs["targetImage"]
            image_id = source if source.startswith("sha256:") else _digest("image", source)
            return Created(f"{source}.{target}", {**inputs, "sourceImageId": image_id})


def complete(inputs: Properties) -> Checked:
    """Add what the provider's check adds to an `Image`: the digest of the context and the platform."""
    build = inputs.get("build", {})
    if not isinstance(build, dict) or any(has_unknown(build.get(key)) for key in ("context", "dockerfile")):
        return Checked(inputs, _name_failures(inputs))
    context, dockerfile = _paths(build)
    if not context.is_dir():
        return Checked(inputs, (Failure("build.context", f"no such directory: {context}"),))
    if not dockerfile.is_file():
        hint = (
            f". Try setting `dockerfile` to {str(context / dockerfile)!r}"
            if (context / dockerfile).is_file()
            else ""
        )
        return Checked(
            inputs, (Failure("build.dockerfile", f"could not open dockerfile at {dockerfile}{hint}"),)
        )
    host = f"linux/{ARCHITECTURES.get(platform.machine(), platform.machine())}"
    completed = {"platform": host, **build, "contextDigest": context_digest(context, dockerfile)}
    return Checked({**inputs, "build": completed}, _name_failures(inputs))


def context_digest(context: Path, dockerfile: Path) -> str:
    """Return the sha256 (hex) of the paths, modes and contents that `.dockerignore` does not exclude."""
    ignored = _ignore_patterns(context)
    digest = sha256(dockerfile.read_bytes())
    for path in sorted(item for item in context.rglob("*") if not item.is_dir() or item.is_symlink()):
        name = path.relative_to(context).as_posix()
        if path == dockerfile or not _is_ignored(name, ignored):
            content = str(path.readlink()).encode() if path.is_symlink() else path.read_bytes()
            header = f"{name}\0{path.lstat().st_mode & 0o777:o}\0{len(content)}\0"
            digest.update(header.encode() + content)
    return digest.hexdigest()


def build_image(inputs: Properties) -> Created:
    """Build an image and, unless told otherwise, push it."""
    name, build = inputs["imageName"], inputs.get("build", {})
    context, dockerfile = _paths(build)
    # Credentials are no part of a build: a new registry token must give the same digest.
    image_id = _digest("image", build)
    pushed = f"{_repository(name)}@{_digest('manifest', build)}"
    outputs = {
        "imageName": name,
        "baseImageName": name,
        "context": build.get("context", "."),
        "dockerfile": os.path.relpath(dockerfile, context),
        "registryServer": inputs.get("registry", {}).get("server", ""),
        "repoDigest": image_id if inputs.get("skipPush") else pushed,
    }
    if "platform" in build:
        outputs["platform"] = build["platform"]
    return Created(name, outputs)


def _paths(build: Properties) -> tuple[Path, Path]:
    """Return the build context and the Dockerfile."""
    context = Path(build.get("context", "."))
    return context, Path(build["dockerfile"]) if "dockerfile" in build else context / "Dockerfile"


def _name_failures(inputs: Properties) -> tuple[Failure, ...]:
    """Refuse an image name without registry where the provider must know the registry."""
    name, build = inputs.get("imageName"), inputs.get("build", {})
    cached = isinstance(build, dict) and "cacheFrom" in build
    if not isinstance(name, str) or (inputs.get("skipPush") is True and not cached):
        return ()
    host = name.partition("/")[0] if "/" in name else ""
    if "." in host or ":" in host or host == "localhost":
        return ()
    return (
        Failure(
            "imageName", f"got {name!r}, must be fully qualified, such as docker.io/repository/image:tag"
        ),
    )


def _repository(name: str) -> str:
    """Return an image name without tag and digest."""
    name = name.partition("@")[0]
    head, slash, tail = name.rpartition("/")
    return head + slash + tail.partition(":")[0]


def _digest(*parts: Any) -> str:
    """Return the simulated digest of what an image is made from."""
    text = json.dumps(["simulated", *parts], sort_keys=True, default=repr)
    return f"sha256:{sha256(text.encode()).hexdigest()}"


def _ignore_patterns(context: Path) -> list[str]:
    """Read `.dockerignore`."""
    file = context / ".dockerignore"
    lines = file.read_text().splitlines() if file.is_file() else []
    return [line.strip() for line in lines if line.strip() and not line.startswith("#")]


def _is_ignored(name: str, patterns: list[str]) -> bool:
    """Apply patterns in order, the last match wins; a pattern also covers what lies below it."""
    ignored = False
    for pattern in patterns:
        glob = pattern.lstrip("!").strip("/").removeprefix("./")
        globs = [glob, f"{glob}/*", *([glob.removeprefix("**/")] if glob.startswith("**/") else [])]
        if any(_matches(name, item) for item in globs):
            ignored = not pattern.startswith("!")
    return ignored


def _matches(name: str, glob: str) -> bool:
    """Match a path; a single star does not cross a slash unless it ends the pattern."""
    if "**" in glob or glob.endswith("/*"):
        return fnmatch.fnmatchcase(name, glob)
    return name.count("/") == glob.count("/") and fnmatch.fnmatchcase(name, glob)
