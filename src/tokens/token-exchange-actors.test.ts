import { describe, expect, test } from 'vitest';
import { anIssued, aTarget } from './token-exchange.testing.ts';
import { delegate } from './token-exchange-actors.ts';

const exchanged = 'urn:ietf:params:oauth:grant-type:token-exchange';
const target = aTarget();

/** A subject that names these actors, the current one first. */
function actedBy(...actors: string[]) {
  const act = actors.reduceRight<object | undefined>(
    (inner, sub) => ({ sub, ...(inner ? { act: inner } : {}) }),
    undefined,
  );
  return anIssued(act ? { claims: { act }, grant_type: exchanged } : {});
}

const ask = { target, callerId: 'GW', actor: undefined, maxDepth: 3 };

describe('delegation (RFC 8693 §4.1)', () => {
  test.each([
    ['the caller', [], { sub: 'GW' }, 1],
    ['outside of who acted before', ['A'], { sub: 'GW', act: { sub: 'A' } }, 2],
    ['the same actor again', ['GW'], { sub: 'GW', act: { sub: 'GW' } }, 2],
    ['up to the limit', ['B', 'A'], { sub: 'GW', act: { sub: 'B', act: { sub: 'A' } } }, 3],
  ])('act names %s', (_what, before, act, depth) => {
    expect(delegate({ ...ask, subject: actedBy(...before) })).toEqual({ act, depth });
  });

  test('an actor token names its own subject', () => {
    const { act } = delegate({ ...ask, subject: actedBy(), actor: 'usr_bob' });
    expect(act).toEqual({ sub: 'usr_bob' });
  });

  test.each([
    ['a chain beyond the limit', ['C', 'B', 'A'], 'chain_too_deep'],
    ['one client over and over', ['GW', 'GW', 'GW'], 'chain_too_deep'],
    ['a token that comes back', ['B', 'GW'], 'actor_loop'],
  ])('%s MUST be refused (TX06)', (_what, before, reason) => {
    expect(() => delegate({ ...ask, subject: actedBy(...before) })).toThrow(
      expect.objectContaining({ error: 'invalid_request', detail: { reason } }),
    );
  });

  test.each([['text'], [{}], [{ sub: 1 }], [{ sub: 'A', act: [] }]])(
    'an act claim that is none (%j) MUST NOT be forgotten',
    (act) => {
      const subject = anIssued({ claims: { act } });
      expect(() => delegate({ ...ask, subject })).toThrow(TypeError);
    },
  );
});

describe('impersonation (RFC 8693 §1.1)', () => {
  const listing = aTarget({
    exchange: { clients: ['GW'], consent: 'operator', impersonation: ['GW'] },
  });

  test('only a listed client gets a token without act', () => {
    const subject = actedBy();
    expect(delegate({ ...ask, target: listing, subject })).toEqual({ act: undefined, depth: 0 });
    expect(delegate({ ...ask, target: listing, callerId: 'RS1', subject }).act).toEqual({
      sub: 'RS1',
    });
  });

  test.each([
    ['a token that somebody exchanged before', actedBy('A'), undefined, 2],
    ['a token that was impersonated before', anIssued({ grant_type: exchanged }), undefined, 1],
    ['a request that names its actor', actedBy(), 'GW', 1],
  ])('%s is delegated all the same: no actor is forgotten', (_what, subject, actor, depth) => {
    expect(delegate({ ...ask, target: listing, subject, actor }).depth).toBe(depth);
  });
});
