# syntax=docker/dockerfile:1
# Two stages: the first fetches every wheel against the hashes of requirements.lock and builds ours; the second
# holds what runs. The root file system may be read-only: state lives in /data, scratch files in /tmp.

FROM python:3.11-slim-bookworm AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_ROOT_USER_ACTION=ignore
WORKDIR /src
COPY requirements.lock ./
RUN pip wheel --require-hashes --wheel-dir /wheels -r requirements.lock \
 && pip install --no-index --find-links /wheels hatchling
COPY . .
RUN pip wheel --no-build-isolation --no-deps --wheel-dir /wheels . \
 && python -m venv /opt/exstream \
 && /opt/exstream/bin/pip install --no-index --find-links /wheels exstream \
 && /opt/exstream/bin/python -m compileall -q /opt/exstream/lib

FROM python:3.11-slim-bookworm
LABEL org.opencontainers.image.title="Exstream" \
      org.opencontainers.image.description="Your own media as round-the-clock television channels"
COPY --from=build /opt/exstream /opt/exstream
COPY --chmod=755 <<'EOF' /usr/local/bin/exstream-entrypoint
#!/bin/sh
# Started as root, the server runs as PUID:PGID (10001:10001 unless said otherwise), without any capability.
# Started as somebody else (docker run --user), it stays that user.
set -eu
data=${EXSTREAM_DATA_DIR:-/data}
uid=${PUID:-10001}
gid=${PGID:-10001}
if [ "$(id -u)" -ne 0 ]; then
  exec exstream "$@"
fi
if [ "$uid" -eq 0 ]; then
  echo "PUID=0: Exstream does not run as root; set PUID and PGID to the owner of your media" >&2
  exit 1
fi
[ "$(stat -c %u:%g "$data")" = "$uid:$gid" ] || chown "$uid:$gid" "$data"
exec setpriv --reuid "$uid" --regid "$gid" --clear-groups --no-new-privs -- exstream "$@"
EOF
ENV PATH=/opt/exstream/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    HOME=/data \
    EXSTREAM_DATA_DIR=/data \
    EXSTREAM_IPTV_PORT=8411 \
    EXSTREAM_HDHR_PORT=5004
RUN mkdir -m 0750 /data && chown 10001:10001 /data
VOLUME /data
WORKDIR /data
EXPOSE 8411 5004
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s --retries=3 \
  CMD ["python", "-c", "import os, urllib.request as u; u.build_opener(u.ProxyHandler({})).open('http://127.0.0.1:' + os.environ['EXSTREAM_IPTV_PORT'] + '/livez', timeout=4)"]
ENTRYPOINT ["exstream-entrypoint"]
CMD ["serve"]
