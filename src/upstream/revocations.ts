import type { Kysely } from 'kysely';
import type { Logger } from 'pino';
import type { Database, Tables } from '../db/index.ts';
import { type SecretBox, SecretBoxError } from '../keys/index.ts';
import { openToken } from './connections-sealing.ts';
import type { OAuthClient } from './oauth-client.ts';
import { UpstreamProblem } from './problem.ts';
import { type Registration, secretContext } from './registration-row.ts';

export interface RevocationsDeps {
  db: Database;
  box: SecretBox;
  now: () => Date;
  log: Logger;
  client: Pick<OAuthClient, 'revoke'>;
}

/** Best effort: after that the tokens end by themselves. */
const mostAttempts = 5;
/** Milliseconds until the next attempt, times the attempts so far. */
const pause = 60_000;

/** Ends tokens where they came from (RFC 7009) after they were ended here. */
export function createRevocations({ db, box, now, log, client }: RevocationsDeps) {
  async function revoke(row: QueuedRevocation): Promise<void> {
    const owner = { serverId: row.server_id, userId: row.user_id, issuer: row.issuer };
    const registration = registrationOf(row, box);
    for (const kind of ['refresh', 'access'] as const) {
      const sealed = kind === 'refresh' ? row.refresh_sealed : row.access_sealed;
      if (sealed === null) continue;
      await client.revoke(registration, {
        ...{ token: openToken(box, owner, kind, sealed), hint: `${kind}_token` },
        requester: `server ${row.server_id}`, // its workspace may be gone
      });
    }
  }

  return {
    /** One round of what is due. @returns how many were ended */
    async drain(signal?: AbortSignal): Promise<number> {
      let ended = 0;
      for (const row of await claim(db.kysely, now())) {
        if (signal?.aborted) break;
        try {
          await revoke(row);
          ended += 1;
        } catch (error) {
          if (!(error instanceof UpstreamProblem || error instanceof SecretBoxError)) throw error;
          const isLast = row.attempts >= mostAttempts || error instanceof SecretBoxError;
          log.info(
            { issuer: row.issuer, attempts: row.attempts },
            'a token could not be revoked elsewhere',
          );
          if (!isLast) continue;
        }
        await db.kysely.deleteFrom('upstream_revocations').where('id', '=', row.id).execute();
      }
      return ended;
    },
  };
}

type QueuedRevocation = Awaited<ReturnType<typeof claim>>[number];

/** Takes what is due; whoever dies with it leaves it to the next round but one. */
function claim(db: Kysely<Tables>, now: Date) {
  return db
    .updateTable('upstream_revocations')
    .set((set) => ({
      attempts: set('attempts', '+', 1),
      next_at: new Date(now.getTime() + pause),
    }))
    .where('id', 'in', (from) =>
      from
        .selectFrom('upstream_revocations')
        .select('id')
        .where('next_at', '<=', now)
        .orderBy('next_at')
        .limit(50)
        .forUpdate()
        .skipLocked(),
    )
    .returningAll()
    .execute();
}

/** As much of our registration as revoking needs. */
function registrationOf(row: QueuedRevocation, box: SecretBox): Registration {
  const { server_id: serverId, issuer, client_secret_sealed: sealed } = row;
  return {
    ...{ serverId, issuer, kind: 'dynamic', clientId: row.client_id, authMethod: row.auth_method },
    ...(sealed !== null && { clientSecret: box.open(sealed, secretContext({ serverId, issuer })) }),
    redirectUri: '',
    discovery: {
      ...{ resource: '', issuer, authorizationEndpoint: '', tokenEndpoint: '' },
      revocationEndpoint: row.endpoint,
      clientIdMetadataDocumentSupported: false,
      authorizationResponseIssParameterSupported: false,
    },
  };
}
