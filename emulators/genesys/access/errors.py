"""This module gives every refusal of the emulated API the body that Genesys Cloud gives it."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import uuid4

from aiohttp import web

DEFAULT_CODES: Mapping[int, str] = {
    400: "bad.request",
    401: "bad.credentials",
    403: "not.authorized",
    404: "not.found",
    405: "method.not.allowed",
    409: "conflict",
    413: "request.entity.too.large",
    415: "unsupported.media.type",
    429: "too.many.requests",
    500: "internal.server.error",
    502: "bad.gateway",
    503: "service.unavailable",
    504: "request.timeout",
}
"""Genesys error codes by HTTP status (facts: swagger `x-inin-error-codes`)."""


class ApiError(Exception):
    """A request is refused: `status`, Genesys `code`, `message` with its parameters, further headers."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        code: str | None = None,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.code = code or DEFAULT_CODES.get(status, "internal.server.error")
        self.params = dict(params or {})
        self.headers = dict(headers or {})

    def body(self) -> dict[str, object]:
        """The `ErrorBody` of the platform SDK: `{message, code, status, messageParams, contextId, …}`."""
        return {
            "message": self.message.format(**self.params) if self.params else self.message,
            "code": self.code,
            "status": self.status,
            "messageWithParams": self.message,
            "messageParams": self.params,
            "contextId": str(uuid4()),
            "details": [],
            "errors": [],
        }

    def response(self) -> web.Response:
        """The same refusal as an HTTP answer."""
        return web.json_response(self.body(), status=self.status, headers=self.headers)


def too_many_requests(seconds: int) -> ApiError:
    """HTTP 429 with `Retry-After` in seconds and the text that Genesys sends."""
    return ApiError(
        429,
        "Rate limit exceeded the maximum. Retry the request in [{seconds}] seconds",
        params={"seconds": str(seconds)},
        headers={"Retry-After": str(seconds)},
    )


def missing_permissions(permissions: list[str]) -> ApiError:
    """HTTP 403 that names the permissions which the client's roles lack."""
    return ApiError(
        403,
        "Unable to perform the requested action. You are missing the following permission(s): {permissions}",
        code="missing.any.permissions",
        params={"permissions": ", ".join(permissions)},
    )
