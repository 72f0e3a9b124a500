import { expect, test } from 'vitest';
import { type KeyTimes, nextSignsFrom, planKeys, type RotationSettings } from './policy.ts';

const hour = 3600;
const day = 24 * hour;
const settings: RotationSettings = {
  algorithm: 'ES256',
  rotateEvery: 90 * day,
  publishBefore: day,
  keepRetiredFor: hour,
};
const start = new Date('2026-01-01T00:00:00Z');
const after = (seconds: number) => new Date(start.getTime() + seconds * 1000);

function key(kid: string, signsFrom: number, more: Partial<KeyTimes> = {}): KeyTimes {
  return { kid, alg: 'ES256', createdAt: start, signsFrom: after(signsFrom), ...more };
}

function summary(
  keys: KeyTimes[],
  seconds: number,
  changed: Partial<RotationSettings> = {},
  occasion?: 'start',
) {
  const { current, next, retired, actions } = planKeys(
    keys,
    { ...settings, ...changed },
    after(seconds),
    occasion,
  );
  const kids = (list: readonly KeyTimes[]) => list.map(({ kid }) => kid).join(' ');
  return [
    current?.kid ?? '-',
    kids(next),
    kids(retired),
    actions
      .map((action) => ('kid' in action ? `${action.do} ${action.kid}` : action.do))
      .join(', '),
  ];
}

const due = 90 * day;
const a = key('a', 0);
const b = key('b', due);
const retiredA = key('a', 0, { retiredAt: after(due), expiresAt: after(due + hour) });
const edDsa = (kid: string, from: number) => key(kid, from, { alg: 'EdDSA' });

test.each<[string, KeyTimes[], number, string[]]>([
  ['an empty table: the first key', [], 0, ['-', '', '', 'create']],
  ['one young key: nothing', [a], 1, ['a', '', '', '']],
  ['a second before the next is due: nothing', [a], due - day - 1, ['a', '', '', '']],
  ['one day before the change: the next', [a], due - day, ['a', '', '', 'publish next']],
  ['after a long stop: the next', [a], 3 * due, ['a', '', '', 'publish next']],
  ['the next waits: nothing', [a, b], due - 1, ['a', 'b', '', '']],
  ['its time came: the old one retires', [a, b], due, ['b', '', 'a', 'retire a']],
  ['a retired key stays published', [retiredA, b], due + hour - 1, ['b', '', 'a', '']],
  ['until the longest token ended', [retiredA, b], due + hour, ['b', '', '', '']],
  ['and is deleted a day later', [retiredA, b], due + hour + day, ['b', '', '', 'expire a']],
  ['a clock that jumps back: the old one signs', [retiredA, b], due - 9, ['a', 'b', '', '']],
  ['a clock before all keys: the first one signs', [a, b], -9, ['a', 'b', '', '']],
  ['all keys expired: a new one', [retiredA], due + hour, ['-', '', '', 'create']],
  [
    'two changes were missed',
    [a, key('b', 5), key('c', 9)],
    9,
    ['c', '', 'a b', 'retire a, retire b'],
  ],
  [
    'two keys of one second: the same wins everywhere',
    [key('y', 0), key('x', 0, { retiredAt: start })],
    1,
    ['y', '', 'x', ''],
  ],
])('%s', (_, keys, seconds, expected) => {
  expect(summary(keys, seconds)).toEqual(expected);
  expect(summary(keys.toReversed(), seconds)).toEqual(expected);
});

test.each<[string, KeyTimes[], number, string[]]>([
  ['the next key has it', [a], 9, ['a', '', '', 'publish next']],
  ['also when one of the old algorithm waits', [a, b], due - 9, ['a', 'b', '', 'publish next']],
  ['once', [a, edDsa('e', day)], 9, ['a', 'e', '', '']],
  ['and the old one retires like any other', [a, edDsa('e', day)], day, ['e', '', 'a', 'retire a']],
  [
    'also back again',
    [edDsa('e', -9), a, key('f', day)],
    9,
    ['a', 'f', 'e', 'publish next, retire e'],
  ],
])('when the algorithm changed at start: %s', (_, keys, seconds, expected) => {
  expect(summary(keys, seconds, { algorithm: 'EdDSA' }, 'start')).toEqual(expected);
});

test('replicas with different algorithms, as in a rolling deployment, MUST NOT outbid each other', () => {
  const keys = [a, edDsa('e', day)];
  expect(summary(keys, 9)).toEqual(['a', 'e', '', '']);
  expect(summary([a], 9, { algorithm: 'EdDSA' })).toEqual(['a', '', '', '']);
});

test('a next key MUST be published for the whole delay before it signs, however late it is made', () => {
  for (const seconds of [due - day, due - day + 1, due, 5 * due]) {
    const { actions } = planKeys([a], settings, after(seconds));
    expect(actions).toEqual([
      {
        do: 'publish next',
        reason: 'schedule',
        signsFrom: after(Math.max(due, seconds + day)),
      },
    ]);
  }
});

test('a retired key MUST stay published for the longest token life and for late signers', () => {
  const { actions } = planKeys([a, b], settings, after(due + 20));
  expect(actions).toEqual([{ do: 'retire', kid: 'a', expiresAt: after(due + 20 + hour + 300) }]);
});

test('a key by command signs after the delay and after every key that waits', () => {
  expect(nextSignsFrom([a], settings, after(9))).toEqual(after(9 + day));
  expect(nextSignsFrom([a, key('z', 5 * day)], settings, after(9))).toEqual(after(5 * day + 1));
});

test('a year of ticks: somebody always signs, was published before, and no key is lost too early', () => {
  let keys: KeyTimes[] = [];
  let made = 0;
  const signedBy = new Map<string, number>();
  for (let seconds = 0; seconds < 365 * day; seconds += hour / 2) {
    const now = after(seconds);
    for (const action of planKeys(keys, settings, now).actions) {
      if (action.do === 'retire')
        keys = keys.map((k) => (k.kid === action.kid ? { ...k, retiredAt: now, ...action } : k));
      else if (action.do === 'expire') keys = keys.filter((k) => k.kid !== action.kid);
      else
        keys.push({ kid: `k${made++}`, alg: 'ES256', createdAt: now, signsFrom: action.signsFrom });
    }
    const { current, next, retired } = planKeys(keys, settings, now);
    if (!current) throw new Error(`nobody signs at ${now.toISOString()}`);
    signedBy.set(current.kid, seconds);
    const published = new Set([current, ...next, ...retired].map(({ kid }) => kid));
    for (const [kid, last] of signedBy)
      if (seconds - last <= settings.keepRetiredFor) expect(published).toContain(kid);
    if (current.kid !== 'k0')
      expect(current.signsFrom.getTime() - current.createdAt.getTime()).toBeGreaterThanOrEqual(
        day * 1000,
      );
  }
  expect(made).toBe(5);
  expect(keys.length).toBe(1);
});
