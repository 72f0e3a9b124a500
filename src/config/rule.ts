import type { Finding } from './explain.ts';
import type { Config } from './schema.ts';

/** What needs more than one key to judge. */
export interface Rule {
  /** The keys it reads, as in the reference; when one of them was refused, the rule is not asked. */
  reads: readonly string[];
  check(config: Config): RuleFinding[];
}

export interface RuleFinding extends Finding {
  /** The key that makes this a problem; its place is named when the key itself is not given. */
  because?: string;
}

/** Shorthand for a rule that finds one thing or nothing. */
export function when(wrong: unknown, finding: RuleFinding): RuleFinding[] {
  return wrong ? [finding] : [];
}
