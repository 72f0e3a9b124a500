import type { Change } from '../audit/index.ts';
import { redirectHostKey } from '../oauth/index.ts';
import type { ClientMetadata } from './types.ts';

/** What differs between two versions of a client, member by member, for the audit trail. */
export function metadataChanges(before: ClientMetadata, after: ClientMetadata): Change[] {
  const [from, to] = [facts(before), facts(after)];
  const fields = [...new Set([...Object.keys(from), ...Object.keys(to)])].sort();
  return fields
    .filter((field) => JSON.stringify(from[field]) !== JSON.stringify(to[field]))
    .map((field) => ({ field, from: from[field] ?? null, to: to[field] ?? null }));
}

/** Keys are told by their ids: the trail needs to show that they changed, not what they are. */
function facts(metadata: ClientMetadata): Record<string, unknown> {
  const { jwks, ...rest } = metadata;
  return {
    ...rest,
    redirect_hosts: [...new Set(metadata.redirect_uris.map(redirectHostKey))].sort(),
    ...(jwks ? { jwks: jwks.keys.map((key) => key.kid ?? (key.x ?? key.n)?.slice(0, 12)) } : {}),
  };
}
