import { type Database, hashId, statement } from '../db/index.ts';
import type { Artifact } from './artifacts.ts';

/** Kind of the artifacts that stand for devices on their way to a token (RFC 8628). */
export const deviceCodeKind = 'DeviceCode';

/** A device that waits for somebody to type its code. */
export interface WaitingDevice {
  /** Under which its code is stored; of no use at the token endpoint. */
  id: string;
  clientId: string;
  /** What it asked for. */
  params: Record<string, unknown>;
}

/** What a device asked for, and the two codes that it got. */
export interface NewDevice {
  deviceCode: string;
  /** Without separators, upper case. */
  userCode: string;
  clientId: string;
  payload: Record<string, unknown>;
  /** When the codes stop to work. */
  expiresAt: Date;
}

/** What polling a code that is still pending came to. */
export interface Poll {
  tooSoon: boolean;
}

/**
 * Seconds for which a code is still known after it has expired: who polls it then is told that, and not
 * that it never was.
 */
const keptAfterExpiry = 300;

const open = `expires_at > $2::timestamptz + interval '${keptAfterExpiry} s' AND consumed_at IS NULL
    AND NOT payload ? 'accountId' AND NOT payload ? 'error'`;

/** Nothing happens where a live code is the same by chance. */
const save = statement(
  'save_device',
  `INSERT INTO artifacts (id, kind, client_id, payload, user_code, expires_at, created_at)
   VALUES ($1, '${deviceCodeKind}', $2, $3::jsonb, $4, $5, $6)
   ON CONFLICT (user_code) DO NOTHING RETURNING id`,
);

/** Typing a code claims it for that browser; nobody else can go on with it. $1 code, $2 now, $3 browser */
const claim = statement(
  'claim_device',
  `UPDATE artifacts SET payload = payload || jsonb_build_object('browser', $3::text)
    WHERE user_code = $1 AND kind = '${deviceCodeKind}' AND ${open}
      AND coalesce(payload ->> 'browser', $3::text) = $3::text
   RETURNING id, client_id, payload -> 'params' AS params`,
);

/** The first answer counts. $1 id, $2 now, $3 answer, $4 family or null */
const decide = statement(
  'decide_device',
  `UPDATE artifacts SET payload = payload || $3::jsonb, family_id = $4
    WHERE id = $1 AND kind = '${deviceCodeKind}' AND ${open}
   RETURNING id`,
);

const find = statement(
  'find_device',
  `SELECT payload, expires_at, consumed_at FROM artifacts WHERE id = $1 AND kind = '${deviceCodeKind}'`,
);

/**
 * Counts one poll of a pending code, on whatever replica (RFC 8628 §3.5). The interval grows with every
 * poll that comes too soon, and the next one is measured from this one. $1 id, $2 now in milliseconds,
 * $3 first interval, $4 growth, both in milliseconds, $5 milliseconds by which a poll may come early
 */
const poll = statement(
  'poll_device',
  `UPDATE artifacts SET payload = payload || CASE
       WHEN $2::bigint < coalesce((payload ->> 'polled')::bigint, 0)
            + coalesce((payload ->> 'interval')::bigint, $3::bigint) - $5::bigint
       THEN jsonb_build_object('polled', $2::bigint, 'soon', true,
              'interval', coalesce((payload ->> 'interval')::bigint, $3::bigint) + $4::bigint)
       ELSE jsonb_build_object('polled', $2::bigint, 'soon', false)
     END
    WHERE id = $1 AND kind = '${deviceCodeKind}'
   RETURNING (payload ->> 'soon')::boolean AS "tooSoon"`,
);

/** Seconds between two polls, and by how many they grow each time a device is told to slow down. */
export const pollingInterval = 5;
/** Milliseconds by which networks and timers may bring a poll too early. */
const leniency = 1000;

interface DeviceRow {
  payload: Record<string, unknown>;
  expires_at: Date;
  consumed_at: Date | null;
}

/** Device codes: issued to a device, claimed by who types the user code, decided once, polled. */
export function createDevices(db: Database) {
  return {
    /**
     * Stores what a device asked for, by the hashes of its two codes.
     *
     * @returns false when the user code is taken
     */
    async save(device: NewDevice, now: Date): Promise<boolean> {
      const { deviceCode, userCode, clientId, payload, expiresAt } = device;
      const key = userCodeKey(userCode);
      const until = new Date(expiresAt.getTime() + keptAfterExpiry * 1000);
      const values = [hashId(deviceCode), clientId, JSON.stringify(payload), key, until, now];
      return (await db.run(save, values)).length === 1;
    },

    /**
     * Claims the device whose code somebody typed for that person's browser.
     *
     * @param userCode without separators, upper case
     * @param browser tells browsers apart; the same one may type its code again
     * @returns undefined for a code that is unknown, expired, answered, or typed elsewhere before
     */
    async claim(
      { userCode, browser }: { userCode: string; browser: string },
      now: Date,
    ): Promise<WaitingDevice | undefined> {
      const [row] = await db.run<{
        id: string;
        client_id: string;
        params: WaitingDevice['params'];
      }>(claim, [userCodeKey(userCode), now, browser]);
      return row && { id: row.id, clientId: row.client_id, params: row.params };
    },

    /** Stores what the person decided. @returns false when the code was answered before, or is over */
    async decide(
      id: string,
      { answer, familyId }: { answer: Record<string, unknown>; familyId: string | undefined },
      now: Date,
    ): Promise<boolean> {
      const rows = await db.run(decide, [id, now, JSON.stringify(answer), familyId ?? null]);
      return rows.length === 1;
    },

    /** A device code by the id under which it is stored. */
    async find(id: string): Promise<Omit<Artifact, 'kind'> | undefined> {
      const [row] = await db.run<DeviceRow>(find, [id]);
      if (!row) return undefined;
      const { payload, expires_at: expiresAt, consumed_at: consumedAt } = row;
      return { payload, expiresAt, consumedAt: consumedAt ?? undefined };
    },

    /** Counts a poll of a code that nobody has answered yet. */
    async poll(deviceCode: string, now: Date): Promise<Poll> {
      const interval = pollingInterval * 1000;
      const values = [hashId(deviceCode), now.getTime(), interval, interval, leniency];
      const [row] = await db.run<Poll>(poll, values);
      return { tooSoon: row?.tooSoon ?? false };
    },
  };
}

export type Devices = ReturnType<typeof createDevices>;

/** How a user code is kept: it is short, so its hash hides it only from a passing glance. */
function userCodeKey(userCode: string): string {
  return hashId(`user_code:${userCode}`);
}
