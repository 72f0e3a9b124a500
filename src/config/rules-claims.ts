import type { Rule } from './rule.ts';
import { claimNameProblem, largestClaims } from './schema-claims.ts';

/** Rules for `resources[].claims`. */
export const claimRules: readonly Rule[] = [
  {
    reads: ['resources[].claims'],
    check: ({ resources }) =>
      resources.flatMap(({ claims }, row) =>
        Object.keys(claims).flatMap((name) => {
          const found = claimNameProblem(name);
          return found ? [{ path: ['resources', row, 'claims', name], ...found }] : [];
        }),
      ),
  },
  {
    reads: ['resources[].claims'],
    check: ({ resources }) =>
      resources.flatMap(({ claims }, row) =>
        Buffer.byteLength(JSON.stringify(claims)) <= largestClaims
          ? []
          : [
              {
                path: ['resources', row, 'claims'],
                problem: `is larger than ${largestClaims} bytes, which is all that a token can carry`,
                fix: 'map fewer claims, or shorten constants',
              },
            ],
      ),
  },
];
