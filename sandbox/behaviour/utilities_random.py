"""The random provider: values with the length, classes and minimums that were asked for."""

from __future__ import annotations

import base64
import random
import string
import uuid
from collections.abc import Callable, Mapping
from typing import Any, Final

from sandbox.behaviour.model import AwsError, Created, Failure, Properties
from sandbox.behaviour.values import UNKNOWN

SPECIAL: Final = "!@#$%&*()-_=+[]{}<>:?"
"""Special characters when `overrideSpecial` gives no others."""
BCRYPT: Final = "./" + string.ascii_uppercase + string.ascii_lowercase + string.digits
ADVERBS: Final = (
    "barely",
    "calmly",
    "clearly",
    "deeply",
    "early",
    "gladly",
    "highly",
    "lately",
    "neatly",
    "openly",
)
ADJECTIVES: Final = (
    "able",
    "bold",
    "calm",
    "eager",
    "fair",
    "keen",
    "loyal",
    "quick",
    "sunny",
    "warm",
    "wise",
)
ANIMALS: Final = (
    "badger",
    "crane",
    "dingo",
    "falcon",
    "heron",
    "ibex",
    "koala",
    "lynx",
    "otter",
    "seal",
    "wren",
)
CLASSES: Final = (
    ("upper", "minUpper"),
    ("lower", "minLower"),
    ("numeric", "minNumeric"),
    ("special", "minSpecial"),
)


def make(token: str, inputs: Properties, stream: random.Random) -> Created:
    """Create a random value; `inputs` have their defaults filled in."""
    if seed := inputs.get("seed"):
        stream = random.Random(seed)
    identity, computed = KINDS[token.rpartition(":")[2]](inputs, stream)
    return Created(identity, {**inputs, **computed})


def check(inputs: Properties) -> tuple[Failure, ...]:
    """Find what the schema cannot say about a password or string."""
    failures = []
    length, minimums = inputs.get("length"), [inputs.get(minimum, 0) for _, minimum in CLASSES]
    if isinstance(length, int) and UNKNOWN not in minimums and length < sum(minimums):
        failures.append(
            Failure(
                "length",
                f"got {length}, must be at least {sum(minimums)}, "
                "the sum of minUpper, minLower, minNumeric and minSpecial",
            )
        )
    number, numeric = inputs.get("number"), inputs.get("numeric")
    if isinstance(number, bool) and isinstance(numeric, bool) and number != numeric:
        failures.append(Failure("number", f"got {number}, but numeric, its new name, is {numeric}"))
    return tuple(failures)


def _text(inputs: Properties, stream: random.Random) -> str:
    """Return a string that has the minimum of each class, the rest from all classes."""
    alphabets = {
        "upper": string.ascii_uppercase,
        "lower": string.ascii_lowercase,
        "numeric": string.digits,
        "special": inputs.get("overrideSpecial") or SPECIAL,
    }
    everything = "".join(alphabets[kind] for kind, _ in CLASSES if inputs[kind])
    characters = [stream.choice(alphabets[kind]) for kind, least in CLASSES for _ in range(inputs[least])]
    rest = inputs["length"] - len(characters)
    if rest < 0 or (rest and not everything):
        raise AwsError("Random Read Error", "the character classes cannot give the length", "length")
    characters += [stream.choice(everything) for _ in range(rest)]
    stream.shuffle(characters)
    return "".join(characters)


def _string(inputs: Properties, stream: random.Random) -> tuple[str, Properties]:
    result = _text(inputs, stream)
    return result, {"result": result}


def _password(inputs: Properties, stream: random.Random) -> tuple[str, Properties]:
    result = _text(inputs, stream)
    return "none", {"result": result, "bcryptHash": "$2a$10$" + "".join(stream.choices(BCRYPT, k=53))}


def _id(inputs: Properties, stream: random.Random) -> tuple[str, Properties]:
    value, prefix = stream.randbytes(inputs["byteLength"]), inputs.get("prefix", "")
    url = base64.urlsafe_b64encode(value).decode().rstrip("=")
    return url, {
        "b64Std": prefix + base64.b64encode(value).decode(),
        "b64Url": prefix + url,
        "dec": prefix + str(int.from_bytes(value, "big")),
        "hex": prefix + value.hex(),
    }


def _bytes(inputs: Properties, stream: random.Random) -> tuple[str, Properties]:
    value = stream.randbytes(inputs["length"])
    encoded = base64.b64encode(value).decode()
    return encoded, {"base64": encoded, "hex": value.hex()}


def _uuid(inputs: Properties, stream: random.Random) -> tuple[str, Properties]:
    del inputs
    result = str(uuid.UUID(bytes=stream.randbytes(16), version=4))
    return result, {"result": result}


def _integer(inputs: Properties, stream: random.Random) -> tuple[str, Properties]:
    if inputs["min"] > inputs["max"]:
        raise AwsError(
            "Create Random Integer Error", "The minimum (min) value needs to be smaller than or equal", "min"
        )
    result = stream.randint(inputs["min"], inputs["max"])
    return str(result), {"result": result}


def _shuffle(inputs: Properties, stream: random.Random) -> tuple[str, Properties]:
    given: list[Any] = inputs["inputs"]
    count = inputs.get("resultCount") or len(given)
    results: list[Any] = []
    while given and len(results) < count:
        results += stream.sample(given, len(given))
    return "-", {"results": results[:count]}


def _pet(inputs: Properties, stream: random.Random) -> tuple[str, Properties]:
    length = inputs["length"]
    words = [stream.choice(ADVERBS) for _ in range(length - 2)]
    words += [stream.choice(ADJECTIVES)] * (length > 1)
    words.append(stream.choice(ANIMALS))
    prefix = [inputs["prefix"]] if inputs.get("prefix") else []
    return inputs["separator"].join([*prefix, *words]), {}


KINDS: Final[Mapping[str, Callable[[Properties, random.Random], tuple[str, Properties]]]] = {
    "RandomBytes": _bytes,
    "RandomId": _id,
    "RandomInteger": _integer,
    "RandomPassword": _password,
    "RandomPet": _pet,
    "RandomShuffle": _shuffle,
    "RandomString": _string,
    "RandomUuid": _uuid,
}
