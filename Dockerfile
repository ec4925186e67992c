# .ci/image carries these steps out without Docker: RUN and COPY use relative destinations, so that it can.
FROM node:20-bookworm-slim AS build
WORKDIR /src
# raft/ is a package for others, too; here it is built as a part of the whole.
COPY package.json package-lock.json .npmrc ./
RUN npm ci --include=dev --no-audit --no-fund --workspaces=false
COPY tsconfig.json tsconfig.build.json ./
COPY common ./common
COPY raft ./raft
COPY health ./health
COPY rpc ./rpc
COPY conductor ./conductor
RUN npm run build

FROM node:20-bookworm-slim AS modules
WORKDIR /src
COPY package.json package-lock.json .npmrc ./
# LevelDB comes compiled inside its package: nothing is to be run at installation.
RUN npm ci --omit=dev --ignore-scripts --no-audit --no-fund --workspaces=false

FROM node:20-bookworm-slim
LABEL org.opencontainers.image.title="Baton" \
      org.opencontainers.image.description="High-availability conductor for rollup sequencers" \
      org.opencontainers.image.licenses="MIT"
WORKDIR /var/lib
RUN mkdir -p baton && chown 1000:1000 baton
# Where op-conductor's image has it.
WORKDIR /usr/local/bin
RUN ln -s ../../../baton/dist/conductor/main.js op-conductor
WORKDIR /baton
COPY package.json LICENSE ./
COPY --from=modules /src/node_modules ./node_modules
COPY --from=build /src/dist ./dist
COPY docs ./docs
RUN mkdir bin && ln -s ../dist/conductor/main.js bin/baton && ln -s ../dist/conductor/main.js bin/op-conductor
ENV NODE_ENV=production PATH=/baton/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
USER 1000:1000
EXPOSE 8545 50050 7300 8546
# The file itself: its first line has node's flags and the size of libuv's pool, and env replaces itself by node, so
# that node is the first process and gets SIGTERM. It starts no children, so that nothing needs an init to reap it.
ENTRYPOINT ["/baton/bin/baton"]
