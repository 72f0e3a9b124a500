import { type Change, recordAudit } from '../audit/index.ts';
import type { Database } from '../db/index.ts';
import { canonicalResource, isScopeToken, OAuthError, parseScope } from '../oauth/index.ts';
import { metadataChanges } from './changes.ts';
import type { Check } from './lifecycle.ts';
import { decidePreregistered } from './policy.ts';
import { lockClient, updateClient } from './queries.ts';
import { needsSecret } from './register.ts';
import { clientOf } from './rows.ts';
import type { By, Client, ClientMetadata, ClientsConfig } from './types.ts';

/** Members of a client under their wire names; null takes one away, one that is left out stays. */
export interface ClientEdit {
  scope?: string | null | undefined;
  resources?: readonly string[] | null | undefined;
  [member: string]: unknown;
}

export interface EditingDeps {
  db: Database;
  now: () => Date;
  changed: (clientId: string) => Promise<void>;
}

/** What a client is after an edit. */
interface Edited {
  metadata: ClientMetadata;
  rules: string[];
  scope: string | null;
  resources: string[] | null;
}

const ceilings = ['scope', 'resources'];

/** Changes that operators make to clients that exist. */
export function createEditing({ db, now, changed }: EditingDeps, config: ClientsConfig) {
  /**
   * Changes a client. One that an operator made is judged like a new registration; of one that registered
   * itself or has a document only the ceilings change, and one that the configuration declares is changed
   * there.
   *
   * @param edit what changes, or what makes that of the client as it is now
   * @param check judges the client before it is changed, such as that it is the one that was read
   * @returns the client, or undefined where there is none
   * @throws OAuthError invalid_client_metadata, invalid_redirect_uri, or invalid_request 409
   */
  async function update(
    clientId: string,
    edit: ClientEdit | ((client: Client) => ClientEdit),
    { actor, meta }: By,
    check: Check = () => {},
  ): Promise<Client | undefined> {
    const client = await db.kysely.transaction().execute(async (trx) => {
      const row = await lockClient(trx, clientId);
      if (!row) return undefined;
      const before = clientOf(row);
      check(before);
      const wanted = typeof edit === 'function' ? edit(before) : edit;
      const after = decideEdit(before, wanted, config);
      const changes = changesOf(before, after);
      if (changes.length === 0) return before;
      await updateClient(trx, clientId, { ...columnsOf(before, after), updated_at: now() });
      const detail = { changes };
      await recordAudit(trx, { type: 'client_updated', actor, clientId, detail }, meta);
      return (await lockClient(trx, clientId).then((fresh) => fresh && clientOf(fresh))) ?? before;
    });
    await changed(clientId);
    return client;
  }

  return { update };
}

/**
 * What an edit makes of a client, judged in full as at registration.
 *
 * @throws OAuthError
 */
export function decideEdit(client: Client, edit: ClientEdit, config: ClientsConfig): Edited {
  refuseForeign(client, edit);
  const scope = edit.scope === undefined ? (client.scope ?? null) : edit.scope;
  const resources = edit.resources === undefined ? client.resources : edit.resources;
  checkCeilings(scope, resources ?? null);
  const limits = { scope, resources: resources ? [...resources] : null };
  if (client.kind !== 'preregistered') {
    return { metadata: client.metadata, rules: client.rules, ...limits };
  }
  const { metadata, rules } = decidePreregistered(merged(client.metadata, edit), config);
  return { metadata, rules, ...limits };
}

function refuseForeign({ clientId, kind, source }: Client, edit: ClientEdit): void {
  if (source === 'config') {
    throw new OAuthError(
      'invalid_request',
      `The configuration declares ${clientId}. Change it under clients in the configuration file and start the server again.`,
      { status: 409 },
    );
  }
  const other = Object.keys(edit).find((member) => !ceilings.includes(member));
  if (kind === 'preregistered' || other === undefined) return;
  const where = kind === 'cimd' ? 'is taken from its metadata document' : 'is what it registered';
  throw new OAuthError(
    'invalid_client_metadata',
    `${other} of this client ${where}. Only scope and resources can be changed here.`,
  );
}

/** Keys are given in one way, and what follows from other members is decided anew. */
function merged({ response_types: _, ...before }: ClientMetadata, edit: ClientEdit): object {
  const { scope: _scope, resources: _resources, ...members } = edit;
  const body: Record<string, unknown> = { ...before, ...members };
  if (members.jwks && members.jwks_uri === undefined) body.jwks_uri = null;
  if (members.jwks_uri && members.jwks === undefined) body.jwks = null;
  if (members.redirect_uris && members.application_type === undefined) body.application_type = null;
  const present = Object.entries(body).filter(([, value]) => value !== null && value !== undefined);
  return Object.fromEntries(present);
}

function checkCeilings(scope: string | null, resources: readonly string[] | null): void {
  const wrongScope = parseScope(scope ?? undefined).find((name) => !isScopeToken(name));
  if (wrongScope !== undefined) {
    throw new OAuthError('invalid_client_metadata', `scope has ${wrongScope}, which is no scope`);
  }
  const wrong = resources?.findIndex((uri) => canonicalResource(uri) === undefined) ?? -1;
  if (wrong < 0) return;
  throw new OAuthError(
    'invalid_client_metadata',
    `resources[${wrong}] must be an absolute URI without user name and fragment`,
  );
}

function columnsOf(before: Client, { metadata, rules, scope, resources }: Edited) {
  return {
    ...(before.kind === 'preregistered' && {
      client_name: metadata.client_name ?? null,
      metadata: JSON.stringify(metadata),
      rules,
      ...(!needsSecret(metadata) && { secret_hashes: [] }),
    }),
    scope,
    resources,
  };
}

function changesOf(before: Client, after: Edited): Change[] {
  return [
    ...metadataChanges(before.metadata, after.metadata),
    ...difference('scope', before.scope ?? null, after.scope),
    ...difference('resources', before.resources ?? null, after.resources),
  ];
}

/** One member, as the audit log shows it. */
export function difference(field: string, from: unknown, to: unknown): Change[] {
  return JSON.stringify(from) === JSON.stringify(to) ? [] : [{ field, from, to }];
}
