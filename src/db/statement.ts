import { createHash } from 'node:crypto';

/** A hot-path statement: prepared once per connection under its name, one round trip per run. */
export interface Statement {
  readonly name: string;
  readonly text: string;
}

/**
 * Names a SQL text for {@link Database.run}.
 *
 * @param name unique among all statements; Postgres caches the plan under it
 * @param text SQL with `$1…` parameters, never with values inside
 */
export function statement(name: string, text: string): Statement {
  return { name: `authserver_${name}`, text };
}

/** The key under which a secret value is stored: its SHA-256, so that the table never holds the secret. */
export function hashId(value: string): string {
  return createHash('sha256').update(value).digest('base64url');
}
