import type { Context } from 'koa';
import { expect, it } from 'vitest';
import { testApp } from './http.testing.ts';
import { html } from './safe-html.ts';
import { type SendPageOptions, sendPage } from './send-page.ts';

const form = { title: 'Form', body: html`<form method="post"></form>` };
const plain = { title: 'Plain', body: html`<p>text</p>` };
const show = (page: typeof form, options?: SendPageOptions) => (ctx: Context) =>
  sendPage(ctx, page, options);

it('a page loads nothing but its style, cannot be framed, sniffed or kept', async () => {
  await using app = await testApp([show(form)], { issuer: 'https://auth.example/tenant' });
  const { headers, status } = await app.fetch('/');
  expect(status).toBe(200);
  expect(headers.get('content-security-policy')).toBe(
    "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
  );
  expect(headers.get('x-frame-options')).toBe('DENY');
  expect(headers.get('x-content-type-options')).toBe('nosniff');
  expect(headers.get('cache-control')).toBe('no-store');
  expect(headers.get('strict-transport-security')).toBe('max-age=31536000');
  expect(headers.get('cross-origin-resource-policy')).toBe('same-origin');
  expect(headers.get('cross-origin-opener-policy')).toBe('same-origin');
  expect(headers.get('content-type')).toBe('text/html; charset=utf-8');
  expect(headers.get('server')).toBeNull();
  expect(headers.get('x-powered-by')).toBeNull();
});

it('a page with a form sends its origin to us only; one without sends nothing', async () => {
  await using withForm = await testApp([show(form)]);
  await using without = await testApp([show(plain)]);
  expect((await withForm.fetch('/')).headers.get('referrer-policy')).toBe('same-origin');
  expect((await without.fetch('/')).headers.get('referrer-policy')).toBe('no-referrer');
});

it('a page of a client’s authorization lets its form lead to the client and keeps the pop-up’s opener', async () => {
  await using app = await testApp([show(form, { formAction: 'anywhere' })]);
  const { headers } = await app.fetch('/');
  expect(headers.get('content-security-policy')).not.toContain('form-action');
  expect(headers.get('cross-origin-opener-policy')).toBeNull();
});

it('HSTS is for https only', async () => {
  await using app = await testApp([show(plain)]);
  expect((await app.fetch('/')).headers.get('strict-transport-security')).toBeNull();
});

it('the layout names the issuer’s host and the trace, and links assets below the issuer’s path', async () => {
  await using app = await testApp([show(plain)], { issuer: 'https://auth.example/tenant' });
  const text = await (await app.fetch('/', { headers: { host: 'evil.test' } })).text();
  expect(text).toContain('<title>Plain · auth.example</title>');
  expect(text).toMatch(/<span>auth\.example<\/span><span>trace <code>[0-9A-Z]{10}<\/code>/);
  expect(text).toMatch(/href="\/tenant\/assets\/pages\.css\?v=[\w-]{12}"/);
  expect(text).not.toContain('evil.test');
  expect(text).not.toMatch(/<script|<style| style=/);
});
