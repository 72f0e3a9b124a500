import { readFileSync } from 'node:fs';

/** The package's version; package.json is one level up from src/, two from dist/src/. */
export function version(): string {
  for (const path of ['../package.json', '../../package.json']) {
    try {
      const parsed: { name?: string; version?: string } = JSON.parse(
        readFileSync(new URL(path, import.meta.url), 'utf8'),
      );
      if (parsed.name === 'authserver' && parsed.version) return parsed.version;
    } catch {
      // not there: look one level further up
    }
  }
  return 'unknown';
}
