import { test } from 'vitest';
import { good } from './flow.testing.ts';
import { encode, startServer } from './server.testing.ts';
test('x', async () => {
  const server = await startServer();
  for (const headers of [{}, {accept: 'text/html'}]) {
  const a = await fetch(`${server.url}/oauth/authorize`, { method: 'POST', body: encode(good().params), redirect: 'manual', headers });
  console.log(a.status, a.headers.get('location'), await a.text());
  }
  console.log(server.logged().split('\n').slice(-5).join('\n'));
  await server.close();
});
