import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import type { ClientHome, RunningCommand } from './command-line-client.ts';

export type ConformanceCheck = { id: string; status: string; errorMessage?: string };

export type ConformanceOptions = {
  issuer: string;
  /** A registered client whose redirect URI is `http://127.0.0.1:<port>/callback`. */
  clientId: string;
  port: number;
  resource: string;
  /** The person who visits the authorization URL that the suite prints. */
  visit: (authorizationUrl: URL) => Promise<URL>;
};

export type ConformanceResult = {
  exitCode: number | null;
  checks: ConformanceCheck[];
  output: string;
};

/** Runs all authorization-server scenarios of the official conformance suite. */
export async function runConformance(
  home: ClientHome,
  options: ConformanceOptions,
): Promise<ConformanceResult> {
  const { issuer, clientId, port, resource, visit } = options;
  const results = join(home.directory, 'results');
  const suite = home.run('conformance', [
    ...['authorization', '--url', issuer, '--client-id', clientId, '--resource', resource],
    ...['--port', String(port), '--output-dir', results],
  ]);
  const redirect = await visit(await printedUrl(suite));
  await (await fetch(redirect)).text();
  const exitCode = await suite.exit();
  return { exitCode, checks: await readChecks(results), output: suite.stdout() + suite.stderr() };
}

async function printedUrl(suite: RunningCommand): Promise<URL> {
  const deadline = Date.now() + 60_000;
  while (Date.now() < deadline) {
    const line = suite
      .stdout()
      .split('\n')
      .find((text) => text.includes('response_type=code') && URL.canParse(text));
    if (line !== undefined) return new URL(line);
    await wait(50);
  }
  await suite.exit(0);
  throw new Error(`The suite printed no URL:\n${suite.stdout()}${suite.stderr()}`);
}

async function readChecks(directory: string): Promise<ConformanceCheck[]> {
  const files = await readdir(directory, { recursive: true });
  const contents = await Promise.all(
    files
      .filter((file) => file.endsWith('checks.json'))
      .map((file) => readFile(join(directory, file), 'utf8')),
  );
  return contents.flatMap((content): ConformanceCheck[] => JSON.parse(content));
}
