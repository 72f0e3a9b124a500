import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export interface UiFile {
  body: Buffer;
  /** Compressed when it was built. */
  brotli?: Buffer | undefined;
  type: string;
  /** Hash of the content. */
  version: string;
}

/** What `npm run build:ui` made. */
export interface UiFiles {
  /** A file beside the page, such as `assets/index-4f2c.js`. */
  find(name: string): UiFile | undefined;
  /** The one page; undefined when nothing was built. */
  page(): UiFile | undefined;
}

const types: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
};

/** Sources run from `src/`, the package from `dist/src/`; the console is in `dist/admin-ui` for both. */
const beside = import.meta.url.endsWith('.ts') ? '../../dist/admin-ui' : '../../admin-ui';

/**
 * Keeps the files of the console in memory, about a megabyte, and reads them anew after a build. Only names
 * that were found in its directory are ever served.
 */
export function createUiFiles(
  directory = fileURLToPath(new URL(beside, import.meta.url)),
): UiFiles {
  let files = new Map<string, UiFile>();
  let builtAt: number | undefined;

  function page(): UiFile | undefined {
    const changed = statSync(join(directory, 'index.html'), { throwIfNoEntry: false })?.mtimeMs;
    if (changed === undefined) return undefined;
    if (changed !== builtAt) {
      files = readAll(directory);
      builtAt = changed;
    }
    return files.get('index.html');
  }

  function find(name: string): UiFile | undefined {
    const file = files.get(name) ?? (page() && files.get(name));
    return name === 'index.html' ? undefined : file;
  }

  return { find, page };
}

function readAll(directory: string): Map<string, UiFile> {
  const names = readdirSync(directory, { recursive: true, encoding: 'utf8' }).filter(
    (name) => extname(name) in types,
  );
  return new Map(names.map((name) => [name.replaceAll('\\', '/'), read(join(directory, name))]));
}

function read(path: string): UiFile {
  const body = readFileSync(path);
  const version = createHash('sha256').update(body).digest('base64url').slice(0, 16);
  const compressed = `${path}.br`;
  const brotli = statSync(compressed, { throwIfNoEntry: false }) && readFileSync(compressed);
  return { body, brotli, type: types[extname(path)] ?? 'application/octet-stream', version };
}
