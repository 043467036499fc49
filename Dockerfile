# The worker, and the emulators of the demo, in one image, for amd64 and arm64:
#   docker buildx build --platform linux/amd64,linux/arm64 --sbom=true --provenance=true -t genesys-eventbridge:0.1.0 .
# Base and dependencies are pinned by their hashes, the base by that of its index, which names both platforms;
# nothing runs as root, and nothing is written but /data and /tmp. An extra (msk-iam, otel, global-endpoint) takes an image of your own:
#   FROM genesys-eventbridge:0.1.0
#   USER root
#   RUN pip install 'genesys-eventbridge[otel]'
#   USER 10001:10001
FROM python:3.13.9-slim-bookworm@sha256:b685a4fa58bb19d1814d78a1ec0f0208f351452724f78b20212c984d6e124a34 AS build
ENV PIP_NO_CACHE_DIR=1 \
    PIP_DISABLE_PIP_VERSION_CHECK=1
WORKDIR /build
RUN python -m venv /opt/venv
COPY requirements.lock ./
RUN /opt/venv/bin/pip install --require-hashes -r requirements.lock
COPY pyproject.toml README.md LICENSE ./
COPY streams ./streams
COPY agents ./agents
COPY processors ./processors
COPY clients ./clients
COPY settings ./settings
COPY emulators ./emulators
COPY schemas ./schemas
RUN /opt/venv/bin/pip install --no-deps . \
    && /opt/venv/bin/python -m compileall -q /opt/venv/lib

FROM python:3.13.9-slim-bookworm@sha256:b685a4fa58bb19d1814d78a1ec0f0208f351452724f78b20212c984d6e124a34
ENV PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    PATH=/opt/venv/bin:$PATH \
    DATA_DIR=/data
LABEL org.opencontainers.image.title="genesys-eventbridge" \
      org.opencontainers.image.description="Genesys Cloud events, through Kafka and Faust, onto an AWS EventBridge bus" \
      org.opencontainers.image.licenses="Apache-2.0"
COPY --from=build /opt/venv /opt/venv
RUN install --directory --owner=10001 --group=10001 /data
USER 10001:10001
WORKDIR /data
VOLUME ["/data"]
EXPOSE 6066
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 \
    CMD ["python", "-c", "import os, urllib.request; urllib.request.urlopen('http://127.0.0.1:' + os.environ.get('WEB_PORT', '6066') + '/health/live', timeout=4)"]

ENTRYPOINT ["genesys-eventbridge"]
CMD ["worker"]
