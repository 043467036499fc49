"""This module hands spans of events to OpenTelemetry, which sends them by OTLP; the SDK is an extra, `otel`.

A span is made when its work is over, of events alone whose trace is sampled, and never holds anything up: where the
receiver is unreachable, or slower than the events, spans are dropped.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Mapping
from typing import Any, Self

from processors.event.trace_context import is_begun_here
from settings import Settings, SettingsError

SERVICE = "genesys-eventbridge"

INSTALL = "pip install 'genesys-eventbridge[otel]'"

#: The span of an event's receipt, whose id is part of the trace that is begun with it.
RECEIVE = "receive"


class Spans:
    """Spans for the OTLP receiver at `endpoint`, once it is opened; without one none are made.

    The SDK reads its further settings by itself (`OTEL_*`).
    """

    #: Seconds that the last spans get at the end.
    last_s = 2.0

    def __init__(self, endpoint: str | None = None, version: str = "") -> None:
        self._endpoint, self._version = endpoint, version
        self._processor: Any = None
        self._exporter: Any = None

    @classmethod
    def of(cls, settings: Settings, version: str) -> Self:
        """As the settings say."""
        return cls(settings.otel_exporter_otlp_endpoint, version)

    @property
    def are_wanted(self) -> bool:
        """Whether somebody receives them: who asks first saves an idle worker every step towards one."""
        return self._endpoint is not None

    def open(self) -> None:
        """Begin to send. Raises SettingsError where the SDK is not installed."""
        if self._endpoint is None:
            return
        try:
            from opentelemetry import trace
            from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
            from opentelemetry.sdk import trace as sdk
            from opentelemetry.sdk.resources import Resource
            from opentelemetry.sdk.trace.export import BatchSpanProcessor
            from opentelemetry.sdk.util.instrumentation import InstrumentationScope
        except ImportError:
            raise SettingsError(f"OTEL_EXPORTER_OTLP_ENDPOINT needs the SDK: {INSTALL}") from None
        self._api, self._sdk = trace, sdk
        self._scope = InstrumentationScope(SERVICE, self._version)
        found = Resource.create({"service.version": self._version})
        is_named = not str(found.attributes["service.name"]).startswith("unknown_service")
        self._resource = found if is_named else found.merge(Resource({"service.name": SERVICE}))
        self._exporter = OTLPSpanExporter(endpoint=f"{self._endpoint}/v1/traces")
        self._processor = BatchSpanProcessor(self._exporter)

    def note(
        self,
        name: str,
        traceparent: bytes | None,
        began_ns: int,
        attributes: Mapping[str, Any],
        *,
        error: str | None = None,
    ) -> None:
        """A span of work that is over now, of an event whose trace is sampled; `error`: the code of its failure."""
        if self._processor is None or traceparent is None:
            return
        trace, parent = int(traceparent[3:35], 16), int(traceparent[36:52], 16)
        is_root = name == RECEIVE and is_begun_here(traceparent)
        own = parent if is_root else random.getrandbits(64) or 1
        status = self._api.Status(self._api.StatusCode.ERROR, error) if error else self._api.Status()
        self._processor.on_end(
            self._sdk.ReadableSpan(
                name,
                context=self._context(trace, own, is_remote=False),
                parent=None if is_root else self._context(trace, parent, is_remote=True),
                resource=self._resource,
                attributes={key: value for key, value in attributes.items() if value is not None},
                kind=self._kind(name),
                status=status,
                start_time=began_ns,
                end_time=time.time_ns(),
                instrumentation_scope=self._scope,
            )
        )

    def close(self) -> None:
        """Send what there is, for a moment at most, and no more; blocks."""
        if self._processor is not None:
            last = threading.Thread(target=self._processor.shutdown, daemon=True)
            last.start()
            last.join(self.last_s)
            if last.is_alive():  # the SDK would try for half a minute yet
                self._exporter.shutdown()

    def _context(self, trace: int, span: int, *, is_remote: bool) -> Any:
        flags = self._api.TraceFlags(self._api.TraceFlags.SAMPLED)
        return self._api.SpanContext(trace, span, is_remote, flags)

    def _kind(self, name: str) -> Any:
        kinds = {RECEIVE: "CONSUMER", "publish": "PRODUCER", "mirror": "PRODUCER"}
        return self._api.SpanKind[kinds.get(name, "INTERNAL")]
