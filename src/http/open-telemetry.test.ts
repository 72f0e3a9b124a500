import { once } from 'node:events';
import { createServer } from 'node:http';
import Koa from 'koa';
import { expect, test } from 'vitest';
import { createTracing } from './open-telemetry.ts';

interface Sent {
  resourceSpans: { scopeSpans: { spans: SentSpan[] }[] }[];
}

interface SentSpan {
  name: string;
  traceId: string;
  spanId: string;
  parentSpanId?: string;
  attributes: { key: string; value: { stringValue?: string; intValue?: number } }[];
}

/** A collector that keeps what it is sent. */
async function startCollector() {
  const bodies: string[] = [];
  const server = createServer((req, res) => {
    const parts: Buffer[] = [];
    req.on('data', (part: Buffer) => parts.push(part));
    req.on('end', () => {
      bodies.push(Buffer.concat(parts).toString());
      res.setHeader('content-type', 'application/json').end('{}');
    });
  });
  const url = await listen(server);
  return {
    bodies,
    endpoint: `${url}/v1/traces`,
    spans: () =>
      bodies.flatMap((body) => {
        const { resourceSpans }: Sent = JSON.parse(body);
        return resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap(({ spans }) => spans));
      }),
    close: () => server.close(),
  };
}

async function listen(server: ReturnType<typeof createServer>): Promise<string> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  return `http://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}`;
}

test('a request and its statements are spans of the trace that the caller named, without what was sent', async () => {
  const collector = await startCollector();
  const tracing = createTracing({ endpoint: collector.endpoint });
  const app = new Koa();
  app.use(tracing.middleware);
  app.use((ctx) => {
    ctx._matchedRoute = '/oauth/token';
    tracing.query({ name: 'authserver_read_source', milliseconds: 3 });
    ctx.body = 'ok';
  });
  const server = createServer(app.callback());
  const url = await listen(server);
  const traceId = '0af7651916cd43dd8448eb211c80319c';
  await fetch(`${url}/oauth/token?code=a-secret-code`, {
    method: 'POST',
    headers: { traceparent: `00-${traceId}-b7ad6b7169203331-01`, authorization: 'Bearer secret' },
    body: 'code=a-secret-code',
  });
  tracing.query({ name: 'of a job', milliseconds: 1 });
  server.close();
  await once(server, 'close');
  await tracing.close();
  collector.close();

  const spans = collector.spans();
  expect(spans.map(({ name }) => name).sort()).toEqual([
    'POST /oauth/token',
    'authserver_read_source',
  ]);
  const request = spans.find(({ name }) => name.startsWith('POST'));
  const statement = spans.find(({ name }) => name.startsWith('authserver_'));
  expect(request).toMatchObject({ traceId, parentSpanId: 'b7ad6b7169203331' });
  expect(statement).toMatchObject({ traceId, parentSpanId: request?.spanId });
  expect(request?.attributes).toContainEqual({
    key: 'http.response.status_code',
    value: { intValue: 200 },
  });
  expect(collector.bodies.join('')).not.toContain('secret');
});
