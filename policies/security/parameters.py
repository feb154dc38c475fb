"""Settings in parameter groups of databases and caches."""

from __future__ import annotations

from policies.crossguard.values import View


def parameter(group: View, name: str) -> View:
    """Return the value that a group gives a setting; absent where the default of its family stays.

    Raises:
        UndecidedError: It could be one whose name is not known yet.
        WrongTypeError: The parameters are none.

    """
    items = [*group["parameters"].items()]
    for item in items:
        if not item["name"].unknown and item["name"].text() == name:
            return item["value"]
    for item in items:
        item["name"].known()
    return View.of(None, f"parameters[{name}]")
