import { request } from 'node:http';
import { describe, expect, it } from 'vitest';
import { readForm, readJson, readQuery } from './body.ts';
import { jsonOf, reply, testApp } from './http.testing.ts';

const limits = { limitBytes: 1000, maxDepth: 8 };
const formApp = () => testApp([reply(async (ctx) => ({ fields: await readForm(ctx, 1000) }))]);
const jsonApp = () => testApp([reply(async (ctx) => ({ value: await readJson(ctx, limits) }))]);
const form = 'application/x-www-form-urlencoded';
const send = (
  type: string | undefined,
  body: string | Uint8Array<ArrayBuffer>,
  headers: Record<string, string> = {},
) => ({
  method: 'POST',
  body,
  headers: { ...(type ? { 'content-type': type } : {}), ...headers },
});

describe('readForm', () => {
  it('decodes parameters and keeps repeated ones as a list', async () => {
    await using app = await formApp();
    const answer = await app.fetch(
      '/',
      send(form, 'a=1+2&b=%C3%A9&scope=x&scope=y&empty=&flag&c[]=1&__proto__=p'),
    );
    expect(JSON.parse(await answer.text()).fields).toEqual(
      JSON.parse(
        '{"a":"1 2","b":"é","scope":["x","y"],"empty":"","flag":"","c[]":"1","__proto__":"p"}',
      ),
    );
  });

  it.each([
    ['a percent sign that starts nothing', 'a=%zz'],
    ['a cut percent sequence', 'a=%C3'],
    ['an encoded surrogate', 'a=%ED%A0%80'],
    ['NUL in a value', 'a=%00'],
    ['NUL in a name', 'a%00b=1'],
    ['bytes that are not UTF-8', Uint8Array.of(0x61, 0x3d, 0xff)],
  ])('refuses %s with 400', async (_what, body) => {
    await using app = await formApp();
    const answer = await app.fetch('/', send(form, body));
    expect([answer.status, (await jsonOf(answer)).error]).toEqual([400, 'invalid_request']);
  });

  it.each([
    ['JSON', 'application/json', {}],
    ['multipart', 'multipart/form-data; boundary=x', {}],
    ['no content type', undefined, {}],
    ['charset utf-7', `${form}; charset=utf-7`, {}],
    ['charset utf-16', `${form};charset="UTF-16"`, {}],
    ['compression', form, { 'content-encoding': 'gzip' }],
  ])('refuses %s with 415', async (_what, type, headers) => {
    await using app = await formApp();
    const answer = await app.fetch('/', send(type, new TextEncoder().encode('a=1'), headers));
    expect([answer.status, (await jsonOf(answer)).error]).toEqual([415, 'invalid_request']);
  });

  it.each([
    `${form}; charset=UTF-8`,
    `${form};charset="utf-8"`,
    'Application/X-WWW-Form-Urlencoded',
  ])('takes %s', async (type) => {
    await using app = await formApp();
    expect((await app.fetch('/', send(type, 'a=1'))).status).toBe(200);
  });

  it('refuses a body over the limit with 413, announced or not, and keeps none of it', async () => {
    await using app = await formApp();
    const announced = await app.fetch('/', send(form, 'a'.repeat(10_000_000)));
    expect(announced.status).toBe(413);
    const chunked = await post(app.port, form, 'a'.repeat(200_000));
    expect(chunked).toBe(413);
    expect((await app.fetch('/', send(form, 'a=1'))).status).toBe(200);
  });
});

describe('readJson', () => {
  it('reads a value', async () => {
    await using app = await jsonApp();
    const answer = await app.fetch(
      '/',
      send('application/json; charset=utf-8', '{"a":[1,"é",null]}'),
    );
    expect((await jsonOf(answer)).value).toEqual({ a: [1, 'é', null] });
  });

  it('drops __proto__, which must not reach a prototype', async () => {
    await using app = await jsonApp();
    const answer = await app.fetch(
      '/',
      send('application/json', '{"a":{"__proto__":{"admin":true},"b":1}}'),
    );
    expect(await answer.text()).toBe('{"value":{"a":{"b":1}}}');
  });

  it.each([
    ['what is not JSON', '{"a":'],
    ['an empty body', ''],
    ['a duplicate name', '{"a":1,"\\u0061":2}'],
    ['too deep nesting', `${'['.repeat(9)}${']'.repeat(9)}`],
    ['NUL', '{"a":"\\u0000"}'],
    ['a lone surrogate in a value', '{"a":"\\ud800"}'],
    ['a lone surrogate in a name', '{"\\udfff":1}'],
    ['a byte order mark', '\ufeff{}'],
    ['bytes that are not UTF-8', Uint8Array.of(0x22, 0xff, 0x22)],
  ])('refuses %s with 400', async (_what, body) => {
    await using app = await jsonApp();
    const answer = await app.fetch('/', send('application/json', body));
    expect([answer.status, (await jsonOf(answer)).error]).toEqual([400, 'invalid_request']);
  });

  it('refuses a form with 415', async () => {
    await using app = await jsonApp();
    expect((await app.fetch('/', send(form, 'a=1'))).status).toBe(415);
  });
});

it('readQuery is as strict as a form', async () => {
  await using app = await testApp([reply((ctx) => readQuery(ctx))]);
  expect(await jsonOf(await app.fetch('/?a=1&a=2&b=%20'))).toEqual({ a: ['1', '2'], b: ' ' });
  for (const query of ['a=%zz', 'a=%00', 'a=%ff']) {
    expect((await app.fetch(`/?${query}`)).status).toBe(400);
  }
});

/** Sends a body in chunks, so that no Content-Length announces it. */
function post(port: number, type: string, body: string): Promise<number | undefined> {
  const { promise, resolve, reject } = Promise.withResolvers<number | undefined>();
  const call = request({ port, method: 'POST', headers: { 'content-type': type } }, (answer) => {
    answer.resume();
    resolve(answer.statusCode);
  });
  call.on('error', reject);
  for (let at = 0; at < body.length; at += 10_000) call.write(body.slice(at, at + 10_000));
  call.end();
  return promise;
}
