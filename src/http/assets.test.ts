import { expect, it } from 'vitest';
import { assets } from './assets.ts';
import { testApp } from './http.testing.ts';
import { assetUrl, createSite } from './site.ts';

const site = createSite('https://auth.example/tenant/');
const address = assetUrl(site, 'pages.css');

it('the stylesheet with the current hash may be kept for a year', async () => {
  await using app = await testApp([assets(site)]);
  const answer = await app.fetch(address);
  expect(answer.status).toBe(200);
  expect(answer.headers.get('content-type')).toBe('text/css; charset=utf-8');
  expect(answer.headers.get('cache-control')).toBe('public, max-age=31536000, immutable');
  expect(await answer.text()).toContain('--accent');
});

it('with another hash it is answered but not kept, and revalidated by its ETag', async () => {
  await using app = await testApp([assets(site)]);
  const answer = await app.fetch('/tenant/assets/pages.css?v=old');
  expect(answer.headers.get('cache-control')).toBe('no-cache');
  const etag = answer.headers.get('etag') ?? '';
  const again = await app.fetch('/tenant/assets/pages.css', {
    headers: { 'if-none-match': etag, 'cache-control': 'max-age=0' },
  });
  expect(again.status).toBe(304);
});

it.each([
  '/tenant/assets/',
  '/tenant/assets/../site.ts',
  '/tenant/assets/tokens.css',
  '/assets/pages.css',
])('there is nothing at %s', async (path) => {
  await using app = await testApp([assets(site)]);
  expect((await app.fetch(path)).status).toBe(404);
});

it('loads nothing from elsewhere', () => {
  expect(site.assets.get('pages.css')?.body.toString()).not.toMatch(/url\(|@import/);
});
