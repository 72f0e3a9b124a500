import type { Kysely } from 'kysely';
import { endAllSignIns } from './accounts/index.ts';
import { revokeAllApiKeys } from './admin/index.ts';
import { endAllReconnectLinks } from './api/index.ts';
import { revokeAllGrants } from './consent/index.ts';
import type { Tables } from './db/index.ts';
import { endAllIssued } from './tokens/index.ts';
import { endAllConnecting } from './upstream/index.ts';

/**
 * Moves the moment before which nothing counts: tokens, answers to consent, sign-ins, keys of the admin API and links
 * from before end. After an old backup was restored nobody knows which of them had been revoked since.
 */
export async function endEverything(trx: Kysely<Tables>, now: Date): Promise<void> {
  await endAllIssued(trx, now);
  await revokeAllGrants(trx, now);
  await endAllSignIns(trx);
  await endAllReconnectLinks(trx);
  await endAllConnecting(trx);
  await revokeAllApiKeys(trx, now);
}
