"""Tests of spans: what an OTLP receiver gets of them, and that none holds anything up."""

import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from clients.otlp import Spans
from settings import SettingsError

BEGUN = b"00-5f0c4a0e7a3c5d0e9b623f6d0a8f1c55-9b623f6d0a8f1c55-01"
TAKEN = b"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"

#: The SDK's thread that sends. None outlives its test: it draws random numbers, which a strategy of a later test must
#: not see (Hypothesis compares the state before and after).
SENDER = "OtelBatchSpanRecordProcessor"


class Receiver(ThreadingHTTPServer):
    """An OTLP receiver of a few lines; `holds`: it answers nothing until it is told to."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.resources, self.spans, self.answers = {}, [], threading.Event()
        self.answers.set()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.answers.wait()
        if self.path == "/v1/traces":
            for found in ExportTraceServiceRequest.FromString(body).resource_spans:
                self.server.resources |= {one.key: one.value.string_value for one in found.resource.attributes}
                self.server.spans += [span for scope in found.scope_spans for span in scope.spans]
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_):
        pass


@pytest.fixture
def receiver():
    with Receiver() as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.answers.set()
        for sender in (one for one in threading.enumerate() if one.name == SENDER):
            sender.join()
        server.shutdown()
        thread.join()


@pytest.fixture
def spans(receiver):
    made = Spans(receiver.url, "1.2.3")
    made.open()
    yield made
    made.close()


def test_a_trace_that_was_begun_here_has_the_receipt_for_its_root(spans, receiver):
    began_ns = time.time_ns()
    spans.note("receive", BEGUN, began_ns, {"event.id": "e"})
    spans.note("process", BEGUN, began_ns, {"routes": ["a", "b"], "absent": None}, error="MappingError")
    spans.close()
    receipt, process = sorted(receiver.spans, key=lambda span: span.name != "receive")
    assert receipt.trace_id.hex() == process.trace_id.hex() == "5f0c4a0e7a3c5d0e9b623f6d0a8f1c55"
    assert (receipt.parent_span_id, receipt.span_id.hex()) == (b"", "9b623f6d0a8f1c55")
    assert (process.parent_span_id, process.span_id == receipt.span_id) == (receipt.span_id, False)
    assert began_ns == receipt.start_time_unix_nano <= receipt.end_time_unix_nano
    assert (process.status.code, process.status.message) == (2, "MappingError")
    assert [one.key for one in process.attributes] == ["routes"]
    assert receiver.resources["service.name"] == "genesys-eventbridge"


def test_a_trace_that_was_taken_is_gone_on_with(spans, receiver):
    spans.note("receive", TAKEN, time.time_ns(), {})
    spans.close()
    (span,) = receiver.spans
    assert span.trace_id.hex() == "4bf92f3577b34da6a3ce929d0e0e4736"
    assert span.parent_span_id.hex() == "00f067aa0ba902b7"
    assert span.span_id != span.parent_span_id


def test_the_service_is_named_as_the_environment_says(receiver, monkeypatch):
    monkeypatch.setenv("OTEL_SERVICE_NAME", "ours")
    spans = Spans(receiver.url, "1.2.3")
    spans.open()
    spans.note("publish", TAKEN, time.time_ns(), {})
    spans.close()
    assert (receiver.resources["service.name"], receiver.resources["service.version"]) == ("ours", "1.2.3")


def test_a_receiver_that_does_not_answer_holds_up_neither_work_nor_the_end(spans, receiver):
    spans.last_s = 0.05
    receiver.answers.clear()
    for _ in range(3_000):  # more than are kept
        spans.note("publish", TAKEN, time.time_ns(), {})
    spans.close()
    receiver.answers.set()
    for sender in (one for one in threading.enumerate() if one.name == SENDER):
        sender.join()
    assert len(receiver.spans) <= 512  # the batch that was under way; no other is sent after the end


def test_without_the_sdk_the_start_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "opentelemetry", None)
    with pytest.raises(SettingsError, match=r"pip install 'genesys-eventbridge\[otel\]'"):
        Spans("http://127.0.0.1:1", "1").open()
