import { once } from 'node:events';
import { connect } from 'node:net';
import { describe, expect, it } from 'vitest';
import { createLogger } from './logger.ts';
import { createLimitedServer } from './server-limits.ts';

async function limited(readTimeout = 30) {
  const log = createLogger({}, { write: () => undefined });
  const limits = { readTimeout, writeTimeout: 30, idleTimeout: 120 };
  const server = createLimitedServer((_req, res) => void res.end('ok'), { limits, log });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' && address ? address.port : 0;
  return {
    server,
    /** Sends bytes as they are, answers all that comes back until the server closes. */
    async exchange(bytes: string): Promise<string> {
      const socket = connect(port, '127.0.0.1');
      const parts: Buffer[] = [];
      socket.on('data', (part) => parts.push(part));
      socket.on('error', () => undefined);
      socket.write(bytes);
      await once(socket, 'close');
      return Buffer.concat(parts).toString();
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((done) => server.close(done));
    },
  };
}

describe('what cannot be read as HTTP', () => {
  it.each([
    [
      'both lengths',
      'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    ],
    [
      'two Content-Lengths',
      'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd',
    ],
    ['a bare LF header', 'GET / HTTP/1.1\nHost: a\n\n'],
    ['no HTTP at all', 'hello\r\n\r\n'],
    ['headers over 32 KiB', `GET /?state=${'a'.repeat(100_000)} HTTP/1.1\r\nHost: a\r\n\r\n`],
  ])('%s: 400 with a trace id, then the connection is closed', async (_what, bytes) => {
    await using app = await limited();
    const text = await app.exchange(bytes);
    expect(text).toMatch(/^HTTP\/1\.1 400 Bad Request\r\n/);
    expect(text).toContain('Cache-Control: no-store');
    const body = JSON.parse(text.slice(text.indexOf('\r\n\r\n')));
    expect(body).toMatchObject({ error: 'invalid_request', trace_id: expect.any(String) });
  });

  it('a URL of 20,000 characters is still read', async () => {
    await using app = await limited();
    const text = await app.exchange(
      `GET /?state=${'a'.repeat(20_000)} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`,
    );
    expect(text).toMatch(/^HTTP\/1\.1 200 OK/);
  });
});

it('a client that dribbles its headers is cut off', async () => {
  await using app = await limited(1);
  const before = performance.now();
  const text = await app.exchange('GET / HTTP/1.1\r\nHost: a\r\nX-Slow:');
  expect(text).toMatch(/^HTTP\/1\.1 408 /);
  expect(performance.now() - before).toBeLessThan(4_000);
});

it('the timeouts are those of the configuration', async () => {
  await using app = await limited(20);
  const { headersTimeout, requestTimeout, keepAliveTimeout, timeout } = app.server;
  expect({ headersTimeout, requestTimeout, keepAliveTimeout, timeout }).toEqual({
    headersTimeout: 10_000,
    requestTimeout: 20_000,
    keepAliveTimeout: 120_000,
    timeout: 30_000,
  });
});
