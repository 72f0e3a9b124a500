import { createGuardedRequest } from '../http/index.ts';
import type { Browser } from './browser.testing.ts';
import { clientId, clientSecret } from './federation-idp.testing.ts';
import type { TestServer } from './server.testing.ts';

/** `identity_providers` of a configuration: rows as JSON, which is YAML. */
export function providersYaml(
  ...rows: { slug: string; issuer: string; [key: string]: unknown }[]
): string {
  const whole = rows.map((row) => ({
    client_id: clientId,
    client_secret: clientSecret,
    display_name: `The ${row.slug}`,
    ...row,
  }));
  return `identity_providers: ${JSON.stringify(whole)}\n`;
}

/** A way out that loses patience soon. */
export const impatient = createGuardedRequest({ timeoutMs: 700, now: () => new Date() });

/** The account that is signed in in a browser: what its session row says. */
export async function whoIsIn(server: TestServer, browser: Browser) {
  const shown = await browser.open(`${server.url}/account`);
  if (shown.response.status !== 200 || shown.url.includes('sign-in')) return undefined;
  const users = await server.db.kysely.selectFrom('users').selectAll().execute();
  return users.find(({ email, name }) => shown.html.includes(name ?? email));
}

export async function identityOf(server: TestServer, issuer: string, subject: string) {
  return server.db.kysely
    .selectFrom('user_identities')
    .innerJoin('users', 'users.id', 'user_identities.user_id')
    .selectAll('users')
    .where('user_identities.issuer', '=', issuer)
    .where('user_identities.subject', '=', subject)
    .executeTakeFirst();
}

/** Audit events of a type, oldest first. */
export function audited(server: TestServer, type: string) {
  return server.db.kysely
    .selectFrom('audit_events')
    .select(['type', 'actor_kind', 'actor_id', 'user_id', 'detail', 'trace_id'])
    .where('type', '=', type)
    .orderBy('id')
    .execute();
}
