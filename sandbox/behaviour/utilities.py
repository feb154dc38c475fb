"""The docker, random and tls providers: what they compute, and what they check beyond their schema."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from hashlib import sha256
from typing import Final

from sandbox.behaviour import utilities_docker, utilities_random, utilities_tls
from sandbox.behaviour.model import Checked, Created, Failure, Properties, Session
from sandbox.behaviour.schema import UnknownType, facts_of
from sandbox.behaviour.values import UNKNOWN, has_unknown

IMAGE: Final = "docker:index/image:Image"
REMOTE_IMAGE: Final = "docker:index/remoteImage:RemoteImage"
SECRETS: Final[Mapping[str, frozenset[str]]] = {
    "random:index/randomBytes:RandomBytes": frozenset({"base64", "hex"}),
    "random:index/randomPassword:RandomPassword": frozenset({"bcryptHash", "result"}),
    "tls:index/certRequest:CertRequest": frozenset({"privateKeyPem", "privateKeyPemWo"}),
    "tls:index/locallySignedCert:LocallySignedCert": frozenset({"caPrivateKeyPem", "caPrivateKeyPemWo"}),
    "tls:index/privateKey:PrivateKey": frozenset(
        {"privateKeyOpenssh", "privateKeyPem", "privateKeyPemPkcs8"}
    ),
    "tls:index/selfSignedCert:SelfSignedCert": frozenset({"privateKeyPem", "privateKeyPemWo"}),
}
MAKERS: Final[Mapping[str, Callable[[str, Properties, random.Random], Created]]] = {
    "docker:": utilities_docker.make,
    "random:": utilities_random.make,
    "tls:": utilities_tls.make,
}


def secret_outputs(token: str) -> frozenset[str]:
    """Return the top-level outputs that the provider marks as secret.

    Raises:
        UnknownType: the type is not simulated.

    """
    facts_of(token)
    return SECRETS.get(token, frozenset())


def complete(token: str, inputs: Properties) -> Checked:
    """Do what the provider's check does beyond the schema.

    A docker `Image` gets `build.contextDigest` and `build.platform`, so that changed files show as a change.

    Returns:
        The completed inputs, and as failures what the schema cannot say: rules between properties, a build
        context or a Dockerfile that does not exist, an image name without registry.

    """
    facts_of(token)
    failures: tuple[Failure, ...] = ()
    if token == IMAGE:
        return utilities_docker.complete(inputs)
    if token.startswith("random:"):
        failures = utilities_random.check(inputs)
    return Checked(inputs, failures)


def compute(token: str, name: str, inputs: Properties, session: Session, seed: bytes) -> Created:
    """Create a resource: all outputs and the id.

    Args:
        token: Pulumi type token.
        name: logical name.
        inputs: checked inputs.
        session: not used, these types belong to no account.
        seed: random bytes; the same seed, name and inputs give the same values, except for RSA keys, times
            and
            signatures.

    Raises:
        UnknownType: the type is not simulated.
        AwsError: what the provider finds only now, such as a key that cannot be read.

    """
    del session
    maker = MAKERS.get(f"{token.partition(':')[0]}:")
    if maker is None:
        raise UnknownType(f"{token} is not a type of the docker, random or tls provider")
    key = sha256(b"\0".join([token.encode(), name.encode(), seed])).digest()
    stream = random.Random(key)
    return _shown(token, maker(token, echo(token, inputs), stream))


def plan(token: str, inputs: Properties) -> Properties:
    """Return the outputs of a create as a preview knows them; a docker build is not previewed."""
    outputs = {**echo(token, inputs), **dict.fromkeys(facts_of(token)["computedOutputs"], UNKNOWN)}
    if token == IMAGE and inputs.get("buildOnPreview") is True and not has_unknown(inputs):
        outputs = utilities_docker.build_image(outputs).outputs
    return _visible(token, outputs)


def update(
    token: str, name: str, old_outputs: Properties, inputs: Properties, session: Session, seed: bytes
) -> Properties:
    """Return the outputs after an update in place: docker images are made again, others keep theirs."""
    if token in (IMAGE, REMOTE_IMAGE):
        return compute(token, name, inputs, session, seed).outputs
    return plan_update(token, old_outputs, inputs)


def plan_update(token: str, old_outputs: Properties, inputs: Properties) -> Properties:
    """Return the outputs of an update in place as a preview knows them."""
    if token in (IMAGE, REMOTE_IMAGE):
        return plan(token, inputs)
    kept = {key: old_outputs[key] for key in facts_of(token)["computedOutputs"] if key in old_outputs}
    return _visible(token, {**echo(token, inputs), **kept})


def echo(token: str, inputs: Properties) -> Properties:
    """Return the inputs with the provider's defaults, without internal keys; write-only ones are still in."""
    properties = facts_of(token)["properties"]
    given = {key: value for key, value in inputs.items() if not key.startswith("__")}
    defaults = {key: facts["awsDefault"] for key, facts in properties.items() if "awsDefault" in facts}
    if "numeric" in properties:
        # number is the old name of numeric; whichever is given decides both.
        both = given.get("numeric", given.get("number", True))
        defaults |= {"number": both, "numeric": both}
    return {**defaults, **given}


def _shown(token: str, created: Created) -> Created:
    """Drop what is no output."""
    return Created(created.id, _visible(token, created.outputs))


def _visible(token: str, outputs: Properties) -> Properties:
    """Drop write-only values, and for a docker image all arguments but its name."""
    if token == IMAGE:
        hidden = set(facts_of(token)["properties"]) - {"imageName"}
    else:
        hidden = {key for key, facts in facts_of(token)["properties"].items() if facts.get("writeOnly")}
    return {key: value for key, value in outputs.items() if key not in hidden}
