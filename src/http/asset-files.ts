import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';

export type Asset = { body: Buffer; type: string; version: string };
export type Assets = ReadonlyMap<string, Asset>;

const sources: { name: string; type: string; files: string[] }[] = [
  { name: 'pages.css', type: 'text/css; charset=utf-8', files: ['tokens.css', 'pages.css'] },
  { name: 'icon.svg', type: 'image/svg+xml', files: ['icon.svg'] },
  {
    name: 'one-time-link.js',
    type: 'text/javascript; charset=utf-8',
    files: ['one-time-link.js'],
  },
];

/** Reads the stylesheet, the icon and the one script of the pages once; `version` is a hash of the content. */
export function loadAssets(): Assets {
  return new Map(sources.map(({ name, type, files }) => [name, loadAsset(type, files)]));
}

function loadAsset(type: string, files: string[]): Asset {
  const parts = files.map((file) => readFileSync(new URL(`assets/${file}`, import.meta.url)));
  const body = Buffer.concat(parts);
  const version = createHash('sha256').update(body).digest('base64url').slice(0, 12);
  return { body, type, version };
}
