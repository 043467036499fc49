"""This package is an emulated AWS: EventBridge, SQS, CloudWatch and the schema registry on one port."""

from emulators.aws.emulator import AWSEmulator
from emulators.aws.faults import EntryFault, Faults, RequestFault
from emulators.faults import FaultError

__all__ = [
    "AWSEmulator",
    "EntryFault",
    "FaultError",
    "Faults",
    "RequestFault",
]
