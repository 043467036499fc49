"""This module tells where the emulator's queues are."""

from emulators.aws import AWSEmulator


def queue_url(aws: AWSEmulator, name: str) -> str:
    """Raises `KeyError` when there is no such queue."""
    return aws.state.queues.url(aws.state.queues[name])
