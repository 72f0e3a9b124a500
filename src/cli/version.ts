import { readFileSync } from 'node:fs';
import { Command } from 'commander';

/** `authserver version` */
export function versionCommand(): Command {
  return new Command('version').description('print the version').action(() => {
    process.stdout.write(`authserver ${version()} (node ${process.versions.node})\n`);
  });
}

/** The package's version; package.json is one level up from src/, two from dist/src/. */
export function version(): string {
  for (const path of ['../../package.json', '../../../package.json']) {
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
