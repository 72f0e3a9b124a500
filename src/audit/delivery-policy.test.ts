import { expect, test } from 'vitest';
import { decide, outcomeOf } from './delivery-policy.ts';

const down = { kind: 'down', reason: 'ECONNREFUSED' } as const;
const refused = { kind: 'refused', reason: 'status 400' } as const;

test.each([
  [200, 'taken'],
  [204, 'taken'],
  [301, 'down'],
  [400, 'refused'],
  [401, 'down'],
  [404, 'down'],
  [413, 'refused'],
  [422, 'refused'],
  [429, 'down'],
  [500, 'refused'],
  [503, 'down'],
])('status %i means %s', (status, kind) => {
  expect(outcomeOf(status).kind).toBe(kind);
});

test.each([
  [{ kind: 'taken' } as const, { size: 5, attempts: 1 }, { do: 'advance' }],
  [refused, { size: 5, attempts: 1 }, { do: 'split' }],
  [refused, { size: 1, attempts: 1 }, { do: 'wait', seconds: 2 }],
  [refused, { size: 1, attempts: 3 }, { do: 'wait', seconds: 8 }],
  [refused, { size: 1, attempts: 4 }, { do: 'bury' }],
  [down, { size: 5, attempts: 1 }, { do: 'wait', seconds: 5 }],
  [down, { size: 5, attempts: 2 }, { do: 'wait', seconds: 10 }],
  [down, { size: 5, attempts: 11 }, { do: 'wait', seconds: 300 }],
  [down, { size: 5, attempts: 12 }, { do: 'bury' }],
])('%j after %j: %j', (outcome, attempt, decision) => {
  expect(decide(outcome, { ...attempt, most: 12 })).toEqual(decision);
});
