"""What exists in the simulated account: an append-only journal on disk, so that no crash forgets a resource.

The inventory is the cloud's own memory and knows nothing of Pulumi's state: comparing the two shows what a lost state
or an interrupted run left behind.
"""

from __future__ import annotations

import contextlib
import json
import os
import threading
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from sandbox.behaviour.model import Properties
from sandbox.behaviour.values import Archive, Asset


@dataclass(frozen=True)
class Entry:
    """One existing resource."""

    token: str
    id: str
    urn: str
    account: str
    outputs: Properties

    @property
    def key(self) -> tuple[str, str, str]:
        """The identity of the resource in the simulated cloud."""
        return (self.account, self.token, self.id)


def _plain(value: Any) -> Any:
    if isinstance(value, Asset | Archive):
        return {"asset": value.hash}
    raise TypeError(f"{type(value).__name__} cannot be kept in the inventory")


class Inventory:
    """The resources of all simulated accounts; safe to use from several threads of one process."""

    def __init__(self, journal: Path) -> None:
        """Replay the journal; a last line cut off by a crash is ignored."""
        self._journal = journal
        self._lock = threading.RLock()
        self._entries: dict[tuple[str, str, str], Entry] = {}
        self._by_token: dict[str, dict[tuple[str, str, str], Entry]] = {}
        text = journal.read_text(encoding="utf-8") if journal.exists() else ""
        for record in _records(text):
            self._apply(record)
        # A crash may have cut off the last line: what is written next must not be glued to it.
        self._separator = "\n" if text and not text.endswith("\n") else ""

    def __iter__(self) -> Iterator[Entry]:
        with self._lock:
            return iter(list(self._entries.values()))

    def __len__(self) -> int:
        return len(self._entries)

    def put(self, token: str, id: str, urn: str, account: str, outputs: Properties) -> None:
        """Record a created or updated resource before the engine hears of it."""
        self._write({"put": asdict(Entry(token, id, urn, account, outputs))})

    def remove(self, token: str, id: str, account: str) -> None:
        """Record a deletion; deleting what does not exist is not an error, as in the real provider."""
        if (account, token, id) in self._entries:
            self._write({"remove": [account, token, id]})

    def outputs(self, token: str, id: str, account: str) -> Properties | None:
        """Return what the cloud knows of a resource."""
        entry = self._entries.get((account, token, id))
        return entry.outputs if entry else None

    def of_type(self, token: str, account: str) -> list[Entry]:
        """Return the resources of one type in one account."""
        with self._lock:
            return [entry for entry in self._by_token.get(token, {}).values() if entry.account == account]

    def compact(self) -> None:
        """Rewrite the journal with one line per existing resource."""
        with self._lock:
            fresh = self._journal.with_suffix(".new")
            with _private(fresh, os.O_TRUNC) as file:
                for entry in self._entries.values():
                    file.write(json.dumps({"put": asdict(entry)}, default=_plain) + "\n")
            fresh.replace(self._journal)

    def _write(self, record: dict[str, Any]) -> None:
        line = json.dumps(record, default=_plain)
        with self._lock:
            self._apply(json.loads(line))
            self._journal.parent.mkdir(parents=True, exist_ok=True)
            with _private(self._journal, os.O_APPEND) as file:
                file.write(f"{self._separator}{line}\n")
            self._separator = ""

    def _apply(self, record: dict[str, Any]) -> None:
        if "put" in record:
            entry = Entry(**record["put"])
            self._entries[entry.key] = entry
            self._by_token.setdefault(entry.token, {})[entry.key] = entry
        else:
            account, token, id = record["remove"]
            self._entries.pop((account, token, id), None)
            self._by_token.get(token, {}).pop((account, token, id), None)


class AccountView:
    """The world as one account sees it (`sandbox.behaviour.model.World`)."""

    def __init__(self, inventory: Inventory, account: str) -> None:
        """Look at one account of the inventory."""
        self._inventory, self._account = inventory, account

    def find(self, token: str, id: str) -> Properties | None:
        """Return the outputs of a resource of the account, or None."""
        return self._inventory.outputs(token, id, self._account)

    def all(self, token: str) -> Iterable[tuple[str, Properties]]:
        """Return (id, outputs) of every resource of a type in the account."""
        return [(entry.id, entry.outputs) for entry in self._inventory.of_type(token, self._account)]


def _private(path: Path, flags: int) -> Any:
    # Outputs hold generated passwords and keys, as the account itself would: nobody else may read them.
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | flags, 0o600), "w", encoding="utf-8")


def _records(text: str) -> Iterator[dict[str, Any]]:
    for line in text.splitlines():
        with contextlib.suppress(json.JSONDecodeError):
            yield json.loads(line)
