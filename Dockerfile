# One recipe for all services:  docker build --build-arg SERVICE=gateway -t bse-gateway:dev .
# The first stages build a virtual environment without pip; `runtime` takes it into a slim image that runs as
# uid 10001 on a read-only root file system. The stages after it are the table of services; SERVICE picks one.
# 3.13 is the newest series that every locked wheel is built for; production overrides this with a digest.
ARG PYTHON_IMAGE=python:3.13-slim
ARG SERVICE

FROM ${PYTHON_IMAGE} AS dependencies
WORKDIR /build
COPY requirements/ requirements/
# All services share this layer. Wheels only: nothing is compiled, and no package's code runs at install.
RUN python -m venv --without-pip /opt/bse \
 && python -m pip --python /opt/bse/bin/python install --no-cache-dir --disable-pip-version-check \
      --only-binary :all: --require-hashes -r requirements/runtime.lock

FROM dependencies AS build
# The build backend is locked with the development tools: its lines are taken out of there, hashes and all.
RUN awk -v want='^(hatchling|packaging|pathspec|pluggy|tomlkit|trove-classifiers)==' \
      '/^[^ #]/ {keep = $0 ~ want} keep' requirements/dev.lock > build.lock \
 && python -m pip install --no-cache-dir --disable-pip-version-check --root-user-action=ignore \
      --only-binary :all: --require-hashes -r build.lock
COPY shared/ shared/
COPY services/ services/
COPY tools/ tools/
ARG SERVICE
SHELL ["/bin/bash", "-euc"]
RUN case "$SERVICE" in exchange-sim) own=(./tools/exchange-sim) ;; *) own=(./shared "./services/$SERVICE") ;; esac \
 && python -m pip wheel --disable-pip-version-check --no-deps --no-build-isolation -w wheels "${own[@]}" \
 && python -m pip --python /opt/bse/bin/python install --no-cache-dir --disable-pip-version-check \
      --no-deps --no-index --prefix /own wheels/*.whl

FROM ${PYTHON_IMAGE} AS runtime
# No installer in the running image: what is not there cannot be used, and has no advisories.
RUN python -m pip uninstall --yes --quiet --root-user-action=ignore setuptools wheel pip \
 && rm -rf /usr/local/lib/python3.*/ensurepip
COPY --from=dependencies /opt/bse /opt/bse
COPY --from=build /own /opt/bse
ENV PATH=/opt/bse/bin:/usr/local/bin:/usr/bin:/bin \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    HEALTH_PATH=/livez
USER 10001:10001
WORKDIR /
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s --retries=3 CMD ["python", "-ISc", \
  "import http.client, os, sys; e = os.environ; c = http.client.HTTPConnection('127.0.0.1', int(e.get('HTTP_PORT') or e['SIM_PORT']), timeout=2); c.request('GET', e['HEALTH_PATH']); sys.exit(c.getresponse().status != 200)"]

FROM runtime AS service-fetcher
ENV HTTP_HOST=0.0.0.0 HTTP_PORT=8003
EXPOSE 8003
ENTRYPOINT ["python", "-m", "bse_fetcher"]

FROM runtime AS service-gateway
ENV HTTP_HOST=0.0.0.0 HTTP_PORT=8000
EXPOSE 8000
ENTRYPOINT ["python", "-m", "bse_gateway"]

FROM runtime AS service-ws-hub
ENV HTTP_HOST=0.0.0.0 HTTP_PORT=8001
EXPOSE 8001
ENTRYPOINT ["python", "-m", "bse_ws_hub"]

FROM runtime AS service-monitor
ENV HTTP_HOST=0.0.0.0 HTTP_PORT=8002
EXPOSE 8002
ENTRYPOINT ["python", "-m", "bse_monitor"]

FROM runtime AS service-exchange-sim
ENV SIM_HOST=0.0.0.0 SIM_PORT=8004
EXPOSE 8004
ENTRYPOINT ["python", "-m", "bse_exchange_sim"]

# The prefix keeps a mistyped SERVICE from pulling somebody's public image of that name.
# hadolint ignore=DL3006
FROM service-${SERVICE} AS chosen
ARG SERVICE
# An image whose service cannot even explain itself is not built.
RUN ["/bin/bash", "-euc", "python -m \"bse_${SERVICE//-/_}\" --help > /dev/null"]
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="bse-${SERVICE}" \
      org.opencontainers.image.description="Bombay Stock Exchange quotes, delivered in real time: ${SERVICE}" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
