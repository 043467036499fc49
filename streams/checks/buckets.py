"""This module looks at the buckets that routes send large details to, by an object that S3 must refuse."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from clients.aws.answers import AWS_ERRORS, CLIENT_ERRORS, error_code
from clients.aws.client import open_client
from processors.routes.target import Offload
from settings import Settings
from streams.checks.aws import aws_failed
from streams.checks.finding import Finding

#: The MD5 of nothing that we send: S3 refuses a body that it is not of (BadDigest), after looking at the right.
WRONG_MD5 = "AAAAAAAAAAAAAAAAAAAAAA=="

_REFUSED = ("BadDigest", "InvalidDigest")


async def check_buckets(settings: Settings, offloads: Iterable[Offload]) -> list[Finding]:
    """Ask for each whether objects may be put there."""
    places = sorted({(one.bucket, one.prefix) for one in offloads})
    if not places:
        return []
    try:
        async with open_client(settings, "s3") as client:
            return [await _check_bucket(client, bucket, prefix) for bucket, prefix in places]
    except CLIENT_ERRORS as error:
        return [aws_failed("buckets", error, "s3:PutObject")]


async def _check_bucket(client: Any, bucket: str, prefix: str) -> Finding:
    name = f"bucket {bucket}"
    try:
        await client.put_object(Bucket=bucket, Key=f"{prefix}check", Body=b"check", ContentMD5=WRONG_MD5)
    except AWS_ERRORS as error:
        code = error_code(error)
        if code in _REFUSED:
            return Finding(name, True, f"objects may be put under {prefix or '/'}")
        if code == "NoSuchBucket":
            return Finding(name, False, "does not exist", "create it, or fix [offload] of the route")
        return aws_failed(name, error, f"s3:PutObject on {bucket}/{prefix}*")
    return Finding(name, True, f"objects may be put under {prefix or '/'}")
