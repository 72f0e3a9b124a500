import type { z } from 'zod';
import type { KeyInfo, Keys } from '../keys/index.ts';
import { keys as contract } from './contract/index.ts';
import type { key } from './contract/keys.ts';
import { fulfil, type ServedRoute, unknownId } from './served-route.ts';

export interface KeyDeps {
  keys: Pick<Keys, 'list' | 'rotate' | 'withdraw' | 'settings'>;
}

/** Signing keys. There are a few at most, so that a page holds them all. */
export function keyRoutes({ keys }: KeyDeps): ServedRoute[] {
  return [
    fulfil(contract.list, async () => {
      const all = keys.list();
      return { items: all.map((one) => toWire(one, all)), schedule: scheduleOf(keys, all) };
    }),

    fulfil(contract.rotate, async ({ body: { force } }, { actor, meta }) => {
      const { kid } = await keys.rotate(meta, { actor, force });
      return wireOf(keys, kid);
    }),

    fulfil(contract.revoke, async ({ params: { id } }, { actor, meta }) => {
      if (!(await keys.withdraw(id, meta, { actor }))) throw unknownId();
      const current = keys.list().find(({ state }) => state === 'current');
      return { revoked: id, current: wireOf(keys, current?.kid) };
    }),
  ];
}

function wireOf(keys: KeyDeps['keys'], kid: string | undefined): z.input<typeof key> {
  const all = keys.list();
  const found = all.find((one) => one.kid === kid);
  if (!found) throw new Error('a key that was made just now is not there');
  return toWire(found, all);
}

function scheduleOf({ settings }: KeyDeps['keys'], all: readonly KeyInfo[]) {
  const current = all.find(({ state }) => state === 'current');
  const due = current && new Date(current.signsFrom.getTime() + settings.rotateEvery * 1000);
  return {
    algorithm: settings.algorithm,
    rotate_every: settings.rotateEvery,
    publish_before: settings.publishBefore,
    keep_retired_for: settings.keepRetiredFor,
    next_rotation_at: (nextOf(all)?.signsFrom ?? due)?.toISOString() ?? null,
  };
}

function toWire(info: KeyInfo, all: readonly KeyInfo[]): z.input<typeof key> {
  const until = info.state === 'current' ? nextOf(all)?.signsFrom : info.retiredAt;
  return {
    id: info.kid,
    kid: info.kid,
    alg: info.alg,
    state: info.state,
    created_at: info.createdAt.toISOString(),
    signs_from: info.signsFrom.toISOString(),
    signs_until: until?.toISOString() ?? null,
    retired_at: info.retiredAt?.toISOString() ?? null,
    published_until: info.expiresAt?.toISOString() ?? null,
  };
}

/** The next key that will sign. */
function nextOf(all: readonly KeyInfo[]): KeyInfo | undefined {
  return all.find(({ state }) => state === 'next');
}
