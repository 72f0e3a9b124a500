import { parseArgs } from 'node:util';
import { createBoardsServer } from './server.ts';

const { BOARDS_PORT, BOARDS_HOST, BOARDS_ISSUER, BOARDS_RESOURCE } = process.env;
const { values } = parseArgs({
  options: {
    port: { type: 'string', default: BOARDS_PORT ?? '8080' },
    host: { type: 'string', default: BOARDS_HOST ?? '127.0.0.1' },
    issuer: { type: 'string', default: BOARDS_ISSUER ?? 'http://localhost:9000' },
    resource: { type: 'string', default: BOARDS_RESOURCE },
  },
});
const resource = values.resource ?? `http://localhost:${values.port}/mcp`;

const server = createBoardsServer({
  issuer: values.issuer,
  resource,
  onError: (error) => console.error(error),
});
await server.listen(Number(values.port), values.host);
console.log(`boards: ${resource}, tokens from ${values.issuer}`);

for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, () => {
    void server.close();
  });
}
