"""This package is an emulated AWS: EventBridge, SQS, CloudWatch and the schema registry on one port."""

from emulators.aws.emulator import ACCOUNT, REGION, AWSEmulator
from emulators.aws.faults import DEMO, EntryFault, Faults, RequestFault, parse_faults, shorthand
from emulators.faults import FaultError

__all__ = [
    "ACCOUNT",
    "DEMO",
    "REGION",
    "AWSEmulator",
    "EntryFault",
    "FaultError",
    "Faults",
    "RequestFault",
    "parse_faults",
    "shorthand",
]
