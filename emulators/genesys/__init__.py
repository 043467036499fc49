"""This package is an emulated Genesys Cloud: login, HTTP stream, notification sockets, queues, analytics."""

from emulators.faults import FaultError
from emulators.genesys.access.permissions import ALL_PERMISSIONS
from emulators.genesys.emulator import GenesysEmulator
from emulators.genesys.event_stream.events import GeneratedEvent, Shares, generate
from emulators.genesys.faults import AnswerFault, Faults
from emulators.genesys.notifications.channels import ChannelLimits
from emulators.genesys.organisation import CLIENT_ID, CLIENT_SECRET

__all__ = [
    "ALL_PERMISSIONS",
    "CLIENT_ID",
    "CLIENT_SECRET",
    "AnswerFault",
    "ChannelLimits",
    "FaultError",
    "Faults",
    "GeneratedEvent",
    "GenesysEmulator",
    "Shares",
    "generate",
]
