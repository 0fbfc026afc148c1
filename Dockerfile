# The server's image: Python and onegate, nothing else. Builds with the classic builder and BuildKit.
#
# BASE needs python3 (3.11 or newer), a shell, coreutils and findutils: python:3.x-slim has them, and
# so has what `wsgi-matrix base` makes from Debian's packages where no image registry is reached.
ARG BASE=python:3.13-slim

# The server's own files, with times, modes and owners that say nothing of when and where they were
# copied: the layer made of them has one digest for the same sources, on every base and machine.
FROM ${BASE} AS server
USER 0
COPY server/onegate /server/opt/onegate/onegate
RUN chown -R 0:0 /server \
 && find /server -type d -exec chmod 755 {} + \
 && find /server -type f -exec chmod 644 {} + \
 && find /server -depth -exec touch -d @0 {} +

# Compiled beforehand because the root is read-only when it runs; with hashes of the sources instead
# of times, so that a source that differs is noticed.
FROM server AS compiled
RUN python3 -m compileall -q --invalidation-mode checked-hash -s /server -p / /server/opt/onegate \
 && find /server -name '*.py' -delete

FROM ${BASE}
USER 0
# The official Python images bring pip, and ensurepip with another one inside. The server needs none.
RUN rm -rf /usr/local/bin/pip* /usr/local/lib/python3.*/site-packages/pip* \
           /usr/local/lib/python3.*/ensurepip \
 && mkdir -p /usr/local/bin \
 && printf '%s\n' '#!/usr/bin/env python3' 'import sys' '' 'sys.path[0] = "/opt/onegate"' \
           'from onegate.cli import main' '' 'sys.exit(main())' >/usr/local/bin/onegate \
 && chmod 755 /usr/local/bin/onegate
COPY --from=compiled /server/ /
ENV PYTHONUNBUFFERED=1
USER 10001:10001
STOPSIGNAL SIGTERM
ENTRYPOINT ["onegate"]
ARG VERSION=""
ARG REVISION=""
LABEL org.opencontainers.image.title="onegate" \
      org.opencontainers.image.description="A WSGI HTTP/1.1 server in pure Python that knows its limits" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
# Last, and alone in its layer: the sources.
COPY --from=server /server/ /
