"""This module lets a session act by a role that it assumes; the credentials are renewed before they end."""

from __future__ import annotations

from typing import Any

from aiobotocore.credentials import AioAssumeRoleCredentialFetcher, AioDeferredRefreshableCredentials
from botocore.exceptions import NoCredentialsError

#: What CloudTrail of the other account shows.
SESSION_NAME = "genesys-eventbridge"


async def assume(session: Any, role: str, external_id: str | None, **options: Any) -> None:
    """Give a botocore session the credentials of a role, fetched when first needed. `options`: of the STS client.

    Raises NoCredentialsError where there are none to assume it with.
    """
    source = await session.get_credentials()
    if source is None:
        raise NoCredentialsError

    def client(service: str, **credentials: Any) -> Any:
        return session.create_client(service, **options, **credentials)

    extra = {"RoleSessionName": SESSION_NAME, **({"ExternalId": external_id} if external_id else {})}
    fetcher = AioAssumeRoleCredentialFetcher(client, source, role, extra_args=extra)
    session._credentials = AioDeferredRefreshableCredentials(fetcher.fetch_credentials, "assume-role")
