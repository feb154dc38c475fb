"""Links of a tree: each must lead to something in it, and no walk over the tree may be endless because of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from .entries import Entry, Kind, Problem, parents, shown

MAX_HOPS: Final = 40
"""Links that Linux follows in one path before it answers ELOOP."""


class _Leads(Exception):
    """A link leads to no good place; the words say where."""


class Links:
    """Where the links of a tree lead."""

    def __init__(self, entries: list[Entry]) -> None:
        """Take all entries of the tree."""
        self._entries = {entry.path: entry for entry in entries}
        self._links = [entry for entry in entries if entry.kind is Kind.LINK]
        self._folders = {folder for entry in entries for folder in parents(entry.path)} | {""}

    def problems(self) -> Iterator[Problem]:
        """Find links that lead out of the tree, to nothing, or in a circle."""
        good = []
        for link in self._links:
            try:
                good.append((link, self._resolve(link)))
            except _Leads as wrong:
                yield Problem(
                    link.path,
                    f"it is a link to {shown(link.target)}, which {wrong}",
                    "want a file or folder of the tree",
                )
        yield from self._circles([(link, end) for link, end in good if end in self._folders])

    def _resolve(self, link: Entry) -> str:
        """Return the path of the file or folder at the end, as the system's own lookup would."""
        place = link.path.split("/")[:-1]
        rest = link.target.split("/")[::-1]
        hops = 1
        while rest:
            part = rest.pop()
            if part in ("", "."):
                continue
            if part == "..":
                if not place:
                    raise _Leads("leaves the tree")
                place.pop()
                continue
            path = "/".join([*place, part])
            entry = self._entries.get(path)
            if entry is not None and entry.kind is Kind.LINK:
                hops += 1
                if hops > MAX_HOPS:
                    raise _Leads("leads in a circle")
                rest += entry.target.split("/")[::-1]
            elif entry is None and path not in self._folders:
                raise _Leads("is not in the tree")
            elif entry is not None and rest:
                raise _Leads("goes through a file as if it were a folder")
            else:
                place.append(part)
        return "/".join(place)

    def _circles(self, leads: list[tuple[Entry, str]]) -> Iterator[Problem]:
        """Find links to folders through which a walk over the tree never ends."""
        onward: dict[str, set[str]] = {end: set() for _, end in leads}
        for link, end in leads:
            for folder in _around(link.path):
                if folder in onward:
                    onward[folder].add(end)
        circle = _circles(onward)
        for link, end in leads:
            # Whoever enters the link comes to a folder that has the link in it.
            if any(circle.get(folder) == circle[end] for folder in _around(link.path)):
                yield Problem(
                    link.path,
                    f"it is a link to {shown(link.target)}, a folder that leads to the link again",
                    "a walk over the tree would never end: link to a file, or elsewhere",
                )


def _around(path: str) -> Iterator[str]:
    yield from parents(path)
    yield ""


def _circles(onward: Mapping[str, set[str]]) -> dict[str, str]:
    """Return for each place one that stands for all which lead to it and back (Kosaraju's algorithm)."""
    backward: dict[str, set[str]] = {place: set() for place in onward}
    for place, to in onward.items():
        for each in to:
            backward[each].add(place)
    left_last: list[str] = []
    seen: set[str] = set()
    for place in onward:
        left_last += _walk(place, onward, seen)
    found: dict[str, str] = {}
    seen = set()
    for place in reversed(left_last):
        found |= dict.fromkeys(_walk(place, backward, seen), place)
    return found


def _walk(start: str, onward: Mapping[str, set[str]], seen: set[str]) -> list[str]:
    """Return the places that are reached and not yet seen, in the order in which a walk in depth leaves them."""
    if start in seen:
        return []
    seen.add(start)
    left: list[str] = []
    way = [(start, iter(onward[start]))]
    while way:
        place, ahead = way[-1]
        following = next((each for each in ahead if each not in seen), None)
        if following is None:
            left.append(place)
            way.pop()
        else:
            seen.add(following)
            way.append((following, iter(onward[following])))
    return left
