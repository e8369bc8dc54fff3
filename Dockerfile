# The worker, with the packages that it needs to run and no others.

FROM python:3.11-slim AS packages
COPY requirements-worker.lock ./
RUN python -m venv /opt/venv \
    && /opt/venv/bin/pip install --no-cache-dir --require-hashes --only-binary :all: -r requirements-worker.lock

FROM python:3.11-slim
COPY --from=packages /opt/venv /opt/venv
ENV PATH=/opt/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1

WORKDIR /app
COPY formats formats
COPY restore restore
COPY stores stores
COPY activities activities
COPY workflows workflows
COPY starter starter
COPY deploy deploy
COPY worker.py ./

# By number, so that a cluster can see that it is not root.
USER 10001:10001

# The worker lets copies in flight end, then stops.
STOPSIGNAL SIGTERM
CMD ["python", "worker.py"]
