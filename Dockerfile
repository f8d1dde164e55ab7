# syntax=docker/dockerfile:1
# One image, several commands: `celery -A muzikantas worker|beat|flower …`, `alembic upgrade head`, `muzikantas …`.
# It holds no server and no secret: databases, brokers and keys are named by the environment.

FROM python:3.12.12-slim-trixie AS base
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PIP_NO_CACHE_DIR=1

FROM base AS wheel
WORKDIR /src
# The build backend and what it needs, cut out of the lock of development: the same versions, the same hashes.
COPY requirements-dev.lock ./
RUN awk '/^[a-z]/ {keep = /^(hatchling|packaging|pathspec|pluggy|tomlkit|trove-classifiers)==/} keep' requirements-dev.lock > build.lock \
    && python -m venv /opt/venv \
    && pip install --require-hashes --only-binary :all: -r build.lock
COPY pyproject.toml README.md alembic.ini celeryconfig.py beat_schedule.py ./
COPY migrations ./migrations
COPY muzikantas ./muzikantas
RUN pip wheel --no-deps --no-build-isolation --wheel-dir /dist .

FROM base AS packages
# In its own stage and before the code: a change of ours does not install half a gigabyte again.
COPY requirements.lock /tmp/requirements.lock
RUN python -m venv /opt/venv && pip install --require-hashes --only-binary :all: -r /tmp/requirements.lock
COPY --from=wheel /dist /dist
RUN pip install --no-deps --no-index /dist/*.whl && python -m compileall -q /opt/venv

FROM base AS runtime
RUN groupadd --gid 10001 muzikantas \
    && useradd --uid 10001 --gid muzikantas --no-create-home --home-dir /var/lib/muzikantas --shell /usr/sbin/nologin muzikantas \
    && install -d -o muzikantas -g muzikantas -m 0750 /var/lib/muzikantas /var/lib/muzikantas/run /var/lib/muzikantas/store /var/cache/numba
COPY --from=packages /opt/venv /opt/venv
# One thread a process: `--autoscale` adds processes, and threads of BLAS and numba would only fight each other.
# A generic CPU keeps the code that is compiled below usable on every machine that the image runs on.
ENV MUZ_HOME=/var/lib/muzikantas \
    ALEMBIC_CONFIG=/opt/venv/lib/python3.12/site-packages/muzikantas/shipped/alembic.ini \
    NUMBA_CACHE_DIR=/var/cache/numba \
    NUMBA_CPU_NAME=generic \
    NUMBA_NUM_THREADS=1 \
    OMP_NUM_THREADS=1 \
    OPENBLAS_NUM_THREADS=1
USER 10001:10001
WORKDIR /var/lib/muzikantas
# Librosa compiles for up to a minute at its first use: here, not at the start of every container.
RUN python -W ignore -c "from muzikantas.analysis import audio; audio.warm_up()"
# Workers let their tasks end, then hand back what is left; give them longer than a task's hard limit.
STOPSIGNAL SIGTERM
# A worker, beat and Flower are healthy by different signs: docker-compose.yml has each one's check.
HEALTHCHECK NONE
CMD ["muzikantas", "--help"]
