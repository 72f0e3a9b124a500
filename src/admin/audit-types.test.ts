import { expect, it } from 'vitest';
import { auditEvents } from '../audit/index.ts';
import { auditTypes } from './contract/audit-types.ts';

it('the contract MUST name every type of the audit log once, so that the console can filter by it', () => {
  const named = Object.values(auditTypes).flat();
  expect([...named].sort()).toEqual(Object.keys(auditEvents).sort());
});
