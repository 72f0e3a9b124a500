import { describe, expect, it } from 'vitest';
import { GuardedFetchError } from './guarded-error.ts';
import { createFetchLimits } from './guarded-limits.ts';

function limitsAt(clock: { at: number }) {
  return createFetchLimits(
    {
      concurrency: 5,
      concurrencyPerRequester: 2,
      concurrencyPerHost: 3,
      burstPerHost: 4,
      perSecondAndHost: 1,
    },
    () => new Date(clock.at),
  );
}

const reasonOf = (work: () => unknown) => {
  try {
    work();
  } catch (error) {
    if (error instanceof GuardedFetchError) return error.reason;
    throw error;
  }
  return undefined;
};

describe('createFetchLimits', () => {
  it('refuses more fetches at once than allowed, per host and in all, and a place comes back', () => {
    const limits = limitsAt({ at: 0 });
    const leave = [1, 2, 3].map(() => limits.enter('a'));
    expect(reasonOf(() => limits.enter('a'))).toEqual({ kind: 'busy', scope: 'host' });
    limits.enter('b');
    limits.enter('b');
    expect(reasonOf(() => limits.enter('c'))).toEqual({ kind: 'busy', scope: 'global' });
    leave[0]?.();
    expect(reasonOf(() => limits.enter('a'))).toBeUndefined();
  });

  it('limits how often one host is asked, whatever the path, and refills with time', () => {
    const clock = { at: 0 };
    const limits = limitsAt(clock);
    const tryOnce = () => reasonOf(() => limits.enter('a')());
    expect([1, 2, 3, 4].map(tryOnce)).toEqual([undefined, undefined, undefined, undefined]);
    expect(tryOnce()).toEqual({ kind: 'busy', scope: 'host' });
    clock.at += 1000;
    expect(tryOnce()).toBeUndefined();
    expect(tryOnce()).toEqual({ kind: 'busy', scope: 'host' });
  });

  it('one requester MUST leave the others a part of a host, in places and in time', () => {
    const clock = { at: 0 };
    const limits = createFetchLimits(
      {
        ...{ concurrency: 100, concurrencyPerRequester: 50, concurrencyPerHost: 4 },
        ...{ burstPerHost: 8, perSecondAndHost: 2, requesterShare: 0.5 },
      },
      () => new Date(clock.at),
    );
    const leave = [1, 2].map(() => limits.enter('a', 'one'));
    expect(reasonOf(() => limits.enter('a', 'one'))).toEqual({ kind: 'busy', scope: 'host' });
    expect(reasonOf(() => limits.enter('b', 'one'))).toBeUndefined();
    expect(reasonOf(() => limits.enter('a', 'two')())).toBeUndefined();
    for (const end of leave) end();
    const often = () => [1, 2, 3, 4].map(() => reasonOf(() => limits.enter('a', 'one')())?.kind);
    expect(often()).toEqual([undefined, undefined, 'busy', 'busy']);
    expect(reasonOf(() => limits.enter('a', 'two')())).toBeUndefined();
    clock.at += 1000;
    expect(often()).toEqual([undefined, 'busy', 'busy', 'busy']);
  });

  it('one requesting address has a share of the places only, and gets its places back', () => {
    const limits = limitsAt({ at: 0 });
    const leave = ['a', 'b'].map((host) => limits.enter(host, '192.0.2.1'));
    expect(reasonOf(() => limits.enter('c', '192.0.2.1'))).toEqual({
      kind: 'busy',
      scope: 'requester',
    });
    expect(reasonOf(() => limits.enter('c', '192.0.2.2'))).toBeUndefined();
    leave[0]?.();
    expect(reasonOf(() => limits.enter('c', '192.0.2.1'))).toBeUndefined();
  });

  it('what no request asks for has no share to keep to', () => {
    const limits = limitsAt({ at: 0 });
    for (const host of ['a', 'a', 'a', 'b', 'b']) limits.enter(host);
    expect(reasonOf(() => limits.enter('b'))).toEqual({ kind: 'busy', scope: 'global' });
  });

  it('a clock that jumps back does not take tokens away', () => {
    const clock = { at: 1_000_000 };
    const limits = limitsAt(clock);
    limits.enter('a')();
    clock.at = 0;
    expect(reasonOf(() => limits.enter('a')())).toBeUndefined();
  });
});
