import type { Kysely } from 'kysely';
import { type Actor, type AuditMeta, recordAudit } from '../audit/index.ts';
import type { Database, Tables } from '../db/index.ts';
import { generateSigningKey, type PrivateJwk, publicJwk } from './generate.ts';
import {
  type KeyAction,
  type KeyPlan,
  type KeyTimes,
  nextSignsFrom,
  planKeys,
  type RotationSettings,
} from './policy.ts';
import {
  announceKeys,
  deleteKey,
  insertKey,
  lockKeys,
  retireKey,
  type StoredKey,
  selectKeys,
  setSignsFrom,
} from './queries.ts';
import type { SecretBox } from './secret-box.ts';

/** When the timeline is looked at: see planKeys. */
export type Occasion = 'start' | 'tick';

interface RotationDeps {
  readonly db: Database;
  readonly box: SecretBox;
  readonly settings: RotationSettings;
}

/** One transaction's view: who acts, when, and the key that is ready to be inserted. */
interface Turn {
  readonly trx: Kysely<Tables>;
  readonly deps: RotationDeps;
  readonly now: Date;
  readonly actor: Actor;
  readonly meta: AuditMeta;
  readonly candidate: PrivateJwk | undefined;
}

/** Nobody asked for it: the schedule did. */
export const system: Actor = { kind: 'system' };

/** The context under which the private part of a key is sealed. */
export function sealContext(kid: string): string {
  return `signing_key:${kid}`;
}

/**
 * Does what the timeline asks for, if anything: once, whichever replica comes first, and with its audit
 * events in the same transaction.
 *
 * @param known the keys as read before; when they ask for nothing, nothing is locked
 * @returns whether it may have changed something, so that the caller reads anew
 */
export async function followSchedule(
  deps: RotationDeps,
  known: readonly StoredKey[],
  now: Date,
  occasion: Occasion,
): Promise<boolean> {
  const { actions } = planKeys(known, deps.settings, now, occasion);
  if (actions.length === 0) return false;
  // Made before the lock is taken: an RSA key takes its time.
  const candidate = actions.some((action) => 'signsFrom' in action)
    ? await generateSigningKey(deps.settings.algorithm)
    : undefined;
  await deps.db.kysely.transaction().execute(async (trx) => {
    await lockKeys(trx);
    const turn = { trx, deps, now, actor: system, meta: { at: now }, candidate };
    const plan = planKeys(await selectKeys(trx), deps.settings, now, occasion);
    for (const action of plan.actions) await perform(turn, action, plan);
    await announceKeys(trx);
  });
  return true;
}

/** The key that a rotation by command leads to. */
export interface Rotation {
  readonly kid: string;
  readonly alg: string;
  readonly signsFrom: Date;
}

/**
 * Rotates by command. A key that is already waiting is taken; otherwise one is made. It signs after the
 * publish delay, or at once when forced.
 */
export async function rotateByCommand(
  deps: RotationDeps,
  now: Date,
  command: { actor: Actor; meta: AuditMeta; force: boolean },
): Promise<Rotation> {
  const candidate = await generateSigningKey(deps.settings.algorithm);
  return deps.db.kysely.transaction().execute(async (trx) => {
    await lockKeys(trx);
    const turn = { trx, deps, now, actor: command.actor, meta: command.meta, candidate };
    const rotation = await (command.force ? signAtOnce(turn) : signLater(turn));
    const plan = planKeys(await selectKeys(trx), deps.settings, now);
    for (const action of plan.actions) {
      if (action.do === 'retire') await perform(turn, action, plan);
    }
    await announceKeys(trx);
    return rotation;
  });
}

/** Replicas whose clocks are behind by less than this stop publishing a withdrawn key at once, too; seconds. */
const clockSkew = 300;

/**
 * Withdraws a key that others may know: it is published no more, so that whatever it signed is refused.
 * Where it signs, another key signs from now on; both happen together or not at all.
 *
 * @returns false when no such key is published
 */
export async function withdrawByCommand(
  deps: RotationDeps,
  now: Date,
  { kid, actor, meta }: { kid: string; actor: Actor; meta: AuditMeta },
): Promise<boolean> {
  const candidate = await generateSigningKey(deps.settings.algorithm);
  return deps.db.kysely.transaction().execute(async (trx) => {
    await lockKeys(trx);
    const { current, next, retired } = planKeys(await selectKeys(trx), deps.settings, now);
    const key = [current, ...next, ...retired].find((one) => one?.kid === kid);
    if (!key) return false;
    if (key === current) await signAtOnce({ trx, deps, now, actor, meta, candidate });
    const expiresAt = new Date(now.getTime() - clockSkew * 1000);
    await retireKey(trx, kid, { retiredAt: key.retiredAt ?? now, expiresAt });
    const detail = { kid, alg: key.alg, signed_until_now: key === current };
    await recordAudit(trx, { type: 'key_withdrawn', actor, detail }, meta);
    await announceKeys(trx);
    return true;
  });
}

async function signLater(turn: Turn): Promise<Rotation> {
  const { current, waiting, all } = await timeline(turn);
  if (waiting && current) return described(waiting);
  return publish(turn, nextSignsFrom(all, turn.deps.settings, turn.now), 'command');
}

async function signAtOnce(turn: Turn): Promise<Rotation> {
  const { current, waiting } = await timeline(turn);
  // Later than the current key even when both were made within one millisecond.
  const signsFrom = new Date(Math.max(turn.now.getTime(), (current?.signsFrom.getTime() ?? 0) + 1));
  if (!waiting) return publish(turn, signsFrom, 'command');
  await setSignsFrom(turn.trx, waiting.kid, signsFrom);
  return described({ ...waiting, signsFrom });
}

/** Without the sealed key. */
function described({ kid, alg, signsFrom }: Rotation): Rotation {
  return { kid, alg, signsFrom };
}

async function timeline({ trx, deps: { settings }, now }: Turn) {
  const all = await selectKeys(trx);
  const { current, next } = planKeys(all, settings, now);
  return { all, current, waiting: next.find((key) => key.alg === settings.algorithm) };
}

async function perform(turn: Turn, action: KeyAction, plan: KeyPlan<KeyTimes>): Promise<void> {
  switch (action.do) {
    case 'create':
    case 'publish next':
      await publish(turn, action.signsFrom, action.reason);
      return;
    case 'retire':
      await retire(turn, action, plan);
      return;
    case 'expire':
      await remove(turn, action.kid);
  }
}

async function publish(turn: Turn, signsFrom: Date, reason: string): Promise<Rotation> {
  const { trx, deps, now, actor, meta } = turn;
  const jwk = turn.candidate ?? (await generateSigningKey(deps.settings.algorithm));
  const { kid, alg } = jwk;
  const privateSealed = deps.box.seal(JSON.stringify(jwk), sealContext(kid));
  const key = { kid, alg, privateSealed, publicJwk: publicJwk(jwk), createdAt: now, signsFrom };
  await insertKey(trx, key);
  const detail = { kid, alg, signs_from: signsFrom, reason };
  await recordAudit(trx, { type: 'key_published', actor, detail }, meta);
  return { kid, alg, signsFrom };
}

async function retire(
  { trx, now, actor, meta }: Turn,
  { kid, expiresAt }: Extract<KeyAction, { do: 'retire' }>,
  { current }: KeyPlan<KeyTimes>,
): Promise<void> {
  await retireKey(trx, kid, { retiredAt: now, expiresAt });
  if (!current) return;
  const detail = {
    kid: current.kid,
    alg: current.alg,
    previous_kid: kid,
    published_until: expiresAt,
  };
  await recordAudit(trx, { type: 'key_rotated', actor, detail }, meta);
}

async function remove({ trx, actor, meta }: Turn, kid: string): Promise<void> {
  await deleteKey(trx, kid);
  await recordAudit(trx, { type: 'key_removed', actor, detail: { kid } }, meta);
}
