# One image for everything: the launcher, and each actor as a service of its own (see docker-compose.yml).
# Models are not in it: the service `models` fetches them into the volume /cache.

FROM node:24.21.0-bookworm-slim AS page
WORKDIR /voxbus
COPY package.json package-lock.json .npmrc ./
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY contract ./contract
COPY gateway ./gateway
COPY kernel ./kernel
COPY ui ./ui
RUN node node_modules/vite/bin/vite.js build ui --config ui/vite.config.ts

FROM node:24.21.0-bookworm-slim
# Python for the CTranslate2 engine; tini so that SIGTERM arrives and an actor finishes the unit it holds.
RUN apt-get update \
  && apt-get install --yes --no-install-recommends python3=3.11.* python3-pip=23.* python3-venv=3.11.* tini=0.19.* \
  && rm -rf /var/lib/apt/lists/*
WORKDIR /voxbus
# What changes seldom comes first: the packages stay in their layer.
COPY package.json package-lock.json .npmrc ./
RUN npm ci --omit=dev --ignore-scripts --no-audit --no-fund
COPY actors ./actors
COPY contract ./contract
COPY gateway ./gateway
COPY kernel ./kernel
COPY launcher ./launcher
COPY library ./library
COPY models ./models
COPY --from=page /voxbus/ui/dist ./ui/dist
RUN mkdir -p /data /cache && chown -R node:node /data /cache
# The user `node` of the image.
USER 1000:1000
ENV VOXBUS_HOME=/data VOXBUS_CACHE=/cache VOXBUS_LOG_FORMAT=json
VOLUME ["/data", "/cache"]
ENTRYPOINT ["/usr/bin/tini", "--", "node"]
CMD ["launcher/main.ts", "start"]
