import type { z } from 'zod';
import { formatPath, type Path } from './path.ts';
import type { RuleFinding } from './rule.ts';
import { tooLarge, unusableNames } from './rules-claims.ts';
import { unknownScopes } from './rules-rows.ts';
import { type ResourceConfig, resource } from './schema-resources.ts';

export type JudgedResource =
  | { ok: true; resource: ResourceConfig }
  /** Sentences, each with what to do. */
  | { ok: false; problems: string[] };

/**
 * Judges one resource as if the configuration declared it, in the names of the file with durations as text:
 * what is made elsewhere has to follow the same rules.
 */
export function judgeResource(declared: unknown): JudgedResource {
  const parsed = resource.safeParse(declared);
  if (!parsed.success) return { ok: false, problems: parsed.error.issues.map(sentence) };
  const row = { resources: [parsed.data] };
  const found = [...unknownScopes(row), ...unusableNames(row), ...tooLarge(row)];
  if (found.length === 0) return { ok: true, resource: parsed.data };
  return { ok: false, problems: found.map(ruleSentence) };
}

function sentence(issue: z.core.$ZodIssue): string {
  const path: Path = issue.path.map((step) => (typeof step === 'symbol' ? String(step) : step));
  const fix = issue.code === 'custom' ? issue.params?.fix : undefined;
  return `${formatPath(path)} ${issue.message}${typeof fix === 'string' ? `: ${fix}` : ''}.`;
}

function ruleSentence({ path, problem, fix }: RuleFinding): string {
  return `${formatPath(path.slice(2))} ${problem}: ${fix}.`;
}
