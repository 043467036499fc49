# The worker, and the emulators of the demo, in one image. Base and dependencies are pinned; nothing runs as root.
FROM python:3.13.9-slim-bookworm

ENV PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    PIP_NO_CACHE_DIR=1 \
    PIP_DISABLE_PIP_VERSION_CHECK=1 \
    DATA_DIR=/data

RUN useradd --uid 10001 --create-home --shell /usr/sbin/nologin worker \
    && install --directory --owner=worker --group=worker /data

WORKDIR /app
COPY requirements.lock ./
RUN pip install -r requirements.lock

COPY pyproject.toml README.md LICENSE ./
COPY streams ./streams
COPY agents ./agents
COPY processors ./processors
COPY clients ./clients
COPY settings ./settings
COPY emulators ./emulators
COPY schemas ./schemas
RUN pip install --no-deps .

USER worker
WORKDIR /data
EXPOSE 6066
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 \
    CMD ["python", "-c", "import os, urllib.request; urllib.request.urlopen('http://127.0.0.1:' + os.environ.get('WEB_PORT', '6066') + '/health/live', timeout=4)"]

ENTRYPOINT ["genesys-eventbridge"]
CMD ["worker"]
