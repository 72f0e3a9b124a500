import { parseArgs } from 'node:util';
import { createBoardsServer } from './server.ts';

const { env } = process;
const { values } = parseArgs({
  options: {
    port: { type: 'string', default: env.BOARDS_PORT ?? '8080' },
    host: { type: 'string', default: env.BOARDS_HOST ?? '127.0.0.1' },
    issuer: { type: 'string', default: env.BOARDS_ISSUER ?? 'http://localhost:9000' },
    resource: { type: 'string', default: env.BOARDS_RESOURCE },
    'client-id': { type: 'string', default: env.BOARDS_CLIENT_ID ?? 'boards' },
    database: { type: 'string', default: env.BOARDS_DATABASE_URL ?? 'memory' },
    'initial-scopes': { type: 'string', default: env.BOARDS_INITIAL_SCOPES ?? 'access_boards' },
    'no-samples': { type: 'boolean', default: env.BOARDS_SAMPLES === 'off' },
  },
});
const resource = values.resource ?? `http://localhost:${values.port}/mcp`;
// Not an option: arguments are visible to every user of the machine.
const clientSecret = env.BOARDS_CLIENT_SECRET;

const server = createBoardsServer({
  issuer: values.issuer,
  resource,
  database: values.database,
  samples: !values['no-samples'],
  initialScopes: values['initial-scopes'].split(' '),
  ...(clientSecret && { introspection: { clientId: values['client-id'], clientSecret } }),
  onError: (error) => console.error(error),
});
await server.listen(Number(values.port), values.host);
console.log(`boards: ${resource}, tokens from ${values.issuer}`);
if (!clientSecret) console.log('Without BOARDS_CLIENT_SECRET it takes JWTs only.');

for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, () => {
    void server.close();
  });
}
