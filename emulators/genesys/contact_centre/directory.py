"""This module is the organisation's directory: queues and users, by id; queues can be added at run time."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import uuid5

from emulators.genesys.event_stream.events import ORGANISATION, QUEUE_IDS, queue_id

DIVISION_ID = str(uuid5(ORGANISATION, "division:Home"))
FIRST_NAMES = ("Ada", "Grace", "Alan", "Edsger", "Barbara", "Donald", "Margaret", "Ken", "Radia", "Leslie")
LAST_NAMES = ("Keller", "Okafor", "Santos", "Novak", "Lindqvist")


DIVISION = {"id": DIVISION_ID, "name": "Home", "selfUri": f"/api/v2/authorization/divisions/{DIVISION_ID}"}


@dataclass(frozen=True, slots=True)
class Queue:
    id: str
    name: str

    def as_json(self) -> dict[str, object]:
        return {
            "id": self.id,
            "name": self.name,
            "division": DIVISION,
            "selfUri": f"/api/v2/routing/queues/{self.id}",
        }


@dataclass(frozen=True, slots=True)
class User:
    id: str
    name: str

    def as_json(self) -> dict[str, object]:
        address = self.name.lower().replace(" ", ".") + "@example.com"
        return {
            "id": self.id,
            "name": self.name,
            "division": DIVISION,
            "email": address,
            "username": address,
            "state": "active",
            "version": 1,
            "selfUri": f"/api/v2/users/{self.id}",
        }


class Directory:
    """Starts with the queues that the stream's events name, and fifty users."""

    def __init__(self) -> None:
        self.queues = {ident: Queue(ident, name) for name, ident in QUEUE_IDS.items()}
        names = [f"{first} {last}" for last in LAST_NAMES for first in FIRST_NAMES]
        users = [User(str(uuid5(ORGANISATION, f"user:{name}")), name) for name in names]
        self.users = {user.id: user for user in users}

    def add_queue(self, name: str) -> Queue:
        """The queue of that name, made if there is none yet."""
        queue = Queue(queue_id(name), name)
        return self.queues.setdefault(queue.id, queue)
