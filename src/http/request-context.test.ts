import { expect, it } from 'vitest';
import { jsonOf, reply, testApp } from './http.testing.ts';
import { currentRequest, newTraceId } from './request-context.ts';

it('a trace id is ten characters of Crockford base32, and no two are alike', () => {
  const ids = Array.from({ length: 200 }, newTraceId);
  for (const id of ids) expect(id).toMatch(/^[0-9A-HJKMNP-TV-Z]{10}$/);
  expect(new Set(ids).size).toBe(200);
});

it('there is no current request outside of one', () => {
  expect(() => currentRequest()).toThrow('outside of a request');
});

it('parallel requests each see their own context', async () => {
  await using app = await testApp([
    async (ctx) => {
      const before = currentRequest().traceId;
      await new Promise((done) => setTimeout(done, Math.random() * 20));
      ctx.body = { same: before === currentRequest().traceId, id: before, ip: currentRequest().ip };
    },
  ]);
  const answers = await Promise.all(
    Array.from({ length: 20 }, async () => jsonOf(await app.fetch('/'))),
  );
  expect(answers.every(({ same, ip }) => same && ip === '127.0.0.1')).toBe(true);
  expect(new Set(answers.map(({ id }) => id)).size).toBe(20);
});

it('one log line per request has its trace id and path, never the query or a one-time secret', async () => {
  const secret = 'x'.repeat(43);
  await using app = await testApp([reply(() => currentRequest().traceId)]);
  const id = await (await app.fetch(`/connect/${secret}?code=abc&state=1`)).text();
  await expect.poll(() => app.lines.length).toBe(1);
  expect(app.lines[0]).toMatchObject({
    level: 'info',
    trace_id: id,
    method: 'GET',
    path: '/connect/:redacted',
    status: 200,
  });
  expect(JSON.stringify(app.lines)).not.toMatch(/abc|xxx/);
});

it('health probes are not logged at info', async () => {
  await using app = await testApp([reply(() => 'ok')]);
  await app.fetch('/health');
  await app.fetch('/other');
  await expect.poll(() => app.lines.length).toBe(1);
  expect(app.lines[0]).toMatchObject({ path: '/other' });
});
