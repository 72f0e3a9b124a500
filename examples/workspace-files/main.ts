import { parseArgs } from 'node:util';
import { createWorkspaceFilesServer } from './server.ts';

const { env } = process;
const { values } = parseArgs({
  options: {
    port: { type: 'string', default: env.FILES_PORT ?? '8081' },
    host: { type: 'string', default: env.FILES_HOST ?? '127.0.0.1' },
    issuer: { type: 'string', default: env.FILES_ISSUER ?? 'http://localhost:9000' },
    resource: { type: 'string', default: env.FILES_RESOURCE },
    root: { type: 'string', default: env.FILES_ROOT ?? 'data/workspace-files' },
    'client-id': { type: 'string', default: env.FILES_CLIENT_ID ?? 'workspace-files' },
    'daily-cap': { type: 'string', default: env.FILES_DAILY_CAP ?? '1000' },
  },
});
const resource = values.resource ?? `http://localhost:${values.port}/mcp`;
const dailyCap = Number(values['daily-cap']);

stopIf(process.platform === 'win32', 'workspace-files needs Linux or macOS');
stopIf(!Number.isInteger(dailyCap) || dailyCap < 1, 'FILES_DAILY_CAP: a whole number above 0');
stopIf(
  !env.FILES_CLIENT_SECRET,
  'Set FILES_CLIENT_SECRET to the secret of the client workspace-files',
);

const server = createWorkspaceFilesServer({
  issuer: values.issuer,
  resource,
  root: values.root,
  client: { clientId: values['client-id'], clientSecret: env.FILES_CLIENT_SECRET ?? '' },
  dailyCap,
  onError: (error) => console.error(error),
});
await server.listen(Number(values.port), values.host);
console.log(`workspace-files: ${resource}, homes in ${values.root}, tokens from ${values.issuer}`);

for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, () => {
    void server.close();
  });
}

function stopIf(wrong: boolean, message: string): void {
  if (!wrong) return;
  console.error(message);
  process.exit(2);
}
