"""This module is Genesys' own EventBridge integration: detail events, in EventBridge's envelope, into an SQS queue.

The partner bus and the rule between are left out: what they do to an event is the envelope.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Mapping
from uuid import uuid4

import aioboto3
import orjson
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from emulators.genesys.contact_centre.details import iso
from emulators.genesys.notifications.frames import Frame
from emulators.genesys.notifications.sockets import SocketTally

BATCH = 10
RETRY_SECONDS = 0.2
SOURCE = "aws.partner/genesys.com/cloud/00000000-0000-4000-8000-000000000000/emulated"
DETAILS = "v2.detail.events.conversation."


class PartnerBus:
    """Sends what it is offered to the queue at `url`, in order, each until SQS has it."""

    def __init__(self, url: str, tally: SocketTally) -> None:
        self._url, self._tally = url, tally
        self._waiting: deque[tuple[str, str]] = deque()  # body, conversation
        self._come = asyncio.Event()
        self.sent = 0

    @property
    def waiting(self) -> int:
        return len(self._waiting)

    def takes(self, topic: str) -> bool:
        """Whether the integration is set to such a topic: all detail events, and nothing else."""
        return topic.startswith(DETAILS)

    def offer(self, topic: str, body: Mapping[str, object], conversation_id: str, now_ms: int) -> None:
        """Queue an event of such a topic."""
        self._waiting.append((orjson.dumps(envelope(topic, body, now_ms)).decode(), conversation_id))
        self._come.set()

    async def run(self) -> None:
        """Until cancelled."""
        session = aioboto3.Session(
            aws_access_key_id="genesys", aws_secret_access_key="genesys", region_name="us-east-1"
        )
        endpoint = self._url.rsplit("/", 2)[0]
        once = Config(retries={"mode": "standard", "total_max_attempts": 1})
        async with session.client("sqs", endpoint_url=endpoint, config=once) as client:
            while True:
                self._come.clear()
                if not self._waiting:
                    await self._come.wait()
                batch = [self._waiting[number] for number in range(min(BATCH, len(self._waiting)))]
                entries = [{"Id": str(number), "MessageBody": body} for number, (body, _) in enumerate(batch)]
                try:
                    answer = await client.send_message_batch(QueueUrl=self._url, Entries=entries)
                except (BotoCoreError, ClientError):
                    await asyncio.sleep(RETRY_SECONDS)
                    continue
                self._note(batch, {int(one["Id"]) for one in answer.get("Successful", [])})

    def _note(self, batch: list[tuple[str, str]], taken: set[int]) -> None:
        for _ in batch:
            self._waiting.popleft()
        for number, (body, conversation) in enumerate(batch):
            if number in taken:
                self.sent += 1
                self._tally.count_sent(Frame(body, "event", conversation))
            else:
                self._waiting.append((body, conversation))


def envelope(topic: str, body: Mapping[str, object], now_ms: int) -> dict[str, object]:
    """EventBridge's envelope: `detail-type` is the template of the topic, `detail` the notification."""
    moment, step = iso(now_ms), topic.removeprefix(DETAILS).partition(".")[2]
    return {
        "version": "0",
        "id": str(uuid4()),
        "detail-type": f"{DETAILS}{{id}}.{step}",
        "source": SOURCE,
        "account": "123456789012",
        "time": moment[:19] + "Z",
        "region": "us-east-1",
        "resources": [],
        "detail": {
            "topicName": topic,
            "version": "2",
            "eventBody": body,
            "metadata": {"CorrelationId": str(uuid4())},
            "timestamp": moment,
        },
    }
