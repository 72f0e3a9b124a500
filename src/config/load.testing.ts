import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { type LoadedConfig, loadConfig } from './load.ts';
import { ConfigError, type Problem } from './problem.ts';
import type { Environment } from './references.ts';
import { renderProblems } from './render.ts';

/** A directory that is gone after the test. */
export function testDirectory(files: Record<string, string | Uint8Array> = {}): string {
  const directory = mkdtempSync(join(tmpdir(), 'authserver-config-'));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  for (const [name, content] of Object.entries(files))
    writeFileSync(join(directory, name), content);
  return directory;
}

/** Loads `c.yaml` with this content. */
export function load(yaml: string | Uint8Array, env: Environment = {}): LoadedConfig {
  return loadConfig({ file: 'c.yaml', env, cwd: testDirectory({ 'c.yaml': yaml }) });
}

/** The problems of loading; none when it works. */
export function problemsOf(loading: () => unknown): readonly Problem[] {
  try {
    loading();
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
  return [];
}

/** The lines that `config check` prints. */
export function check(yaml: string | Uint8Array, env: Environment = {}): string[] {
  const problems = problemsOf(() => load(yaml, env));
  return problems.length === 0 ? [] : renderProblems(problems).split('\n');
}
