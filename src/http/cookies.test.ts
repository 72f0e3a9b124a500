import { expect, it } from 'vitest';
import { clearCookie, readCookie, setCookie } from './cookies.ts';
import { reply, testApp } from './http.testing.ts';
import { createSite } from './site.ts';

const site = createSite('https://auth.example/tenant');

it('several cookies can be set on one answer, each with its flags', async () => {
  await using app = await testApp([
    (ctx) => {
      setCookie(ctx, site, 'a', 'v.1', 60.9);
      clearCookie(ctx, site, 'b');
      ctx.body = 'ok';
    },
  ]);
  expect((await app.fetch('/')).headers.getSetCookie()).toEqual([
    '__Host-a=v.1; Path=/; HttpOnly; SameSite=Lax; Secure; Max-Age=60',
    '__Host-b=; Path=/; HttpOnly; SameSite=Lax; Secure; Max-Age=0',
  ]);
});

it('a value that would end the cookie or the header is a mistake, not a cookie', async () => {
  for (const value of ['a; Domain=evil.test', 'a\r\nSet-Cookie: b=c', 'a,b']) {
    await using app = await testApp([(ctx) => setCookie(ctx, site, 'a', value)]);
    const answer = await app.fetch('/');
    expect([answer.status, answer.headers.getSetCookie()]).toEqual([500, []]);
  }
});

it('the first cookie of a name counts', async () => {
  await using app = await testApp([reply((ctx) => readCookie(ctx, site, 'a') ?? 'none')]);
  const read = async (cookie: string) => (await app.fetch('/', { headers: { cookie } })).text();
  expect(await read('x=1; __Host-a=one; __Host-a=two')).toBe('one');
  expect(await read('a=one;__Host-ab=two')).toBe('none');
});
