# Installs without running any package's scripts: what the server needs comes prebuilt.
FROM node:24-slim AS build
WORKDIR /build
COPY package.json package-lock.json .npmrc ./
# The dev dependency `node` is an empty link without its script; the image's own Node is used instead.
RUN npm ci --ignore-scripts && rm -f node_modules/.bin/node
COPY . .
RUN npm run build

FROM node:24-slim AS dependencies
WORKDIR /build
COPY package.json package-lock.json .npmrc ./
RUN npm ci --ignore-scripts --omit=dev

FROM node:24-slim
ENV NODE_ENV=production \
    AUTHPLANE_SERVER_ADDRESS=:9000 \
    AUTHPLANE_ADMIN_ADDRESS=:9001
WORKDIR /app
# The embedded database and generated keys, where no Postgres and no secrets are given.
RUN mkdir data && chown node:node data
COPY --from=dependencies /build/node_modules node_modules
COPY --from=build /build/dist dist
COPY package.json LICENSE config.example.yaml ./
USER node
VOLUME /app/data
EXPOSE 9000 9001
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s \
  CMD ["node", "-e", "fetch('http://127.0.0.1:9000/health').then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["node", "dist/src/main.js"]
CMD ["serve"]
