import { afterAll, beforeAll, expect, test } from 'vitest';
import { authorize, authorizeUrl, good } from './flow.testing.ts';
import { startServer, type TestServer } from './server.testing.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startServer();
});
afterAll(() => server.close());

test('a client that starts over and over MUST NOT fill up the cookies of the browser', async () => {
  const browser = server.browser();
  for (let attempt = 0; attempt < 30; attempt += 1) {
    await browser.open(authorizeUrl(server, good()));
  }
  const sent = [...browser.jar].map(([name, value]) => `${name}=${value}`).join('; ');
  expect(sent.length).toBeLessThan(6000);
  const { answer } = await authorize(server, good(), { browser });
  expect(answer.get('code')).toBeTruthy();
});
