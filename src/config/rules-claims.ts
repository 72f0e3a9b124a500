import type { Path } from './path.ts';
import type { Rule, RuleFinding } from './rule.ts';
import type { Config } from './schema.ts';
import { claimNameProblem, largestClaims } from './schema-claims.ts';

/** Rules for DPoP: what demands it needs a server that serves it. */
export const dpopRules: readonly Rule[] = [
  {
    reads: ['dpop.enabled', 'resources[].dpop', 'clients[].dpop_bound_access_tokens'],
    check: ({ dpop, resources, clients }) =>
      dpop.enabled
        ? []
        : [
            ...resources.flatMap(({ dpop: rule }, row) =>
              rule === 'required' ? [switchedOff(['resources', row, 'dpop'])] : [],
            ),
            ...clients.flatMap(({ dpop_bound_access_tokens: bound }, row) =>
              bound ? [switchedOff(['clients', row, 'dpop_bound_access_tokens'])] : [],
            ),
          ],
  },
];

function switchedOff(path: Path): RuleFinding {
  return {
    path,
    problem: 'demands DPoP, which dpop.enabled switches off',
    fix: 'set dpop.enabled to true, or take the demand away',
  };
}

/** Rules for `resources[].claims`. */
export const claimRules: readonly Rule[] = [
  { reads: ['resources[].claims'], check: unusableNames },
  { reads: ['resources[].claims'], check: tooLarge },
];

/** Claims under names that tokens cannot have. */
export function unusableNames({ resources }: Pick<Config, 'resources'>): RuleFinding[] {
  return resources.flatMap(({ claims }, row) =>
    Object.keys(claims).flatMap((name) => {
      const found = claimNameProblem(name);
      return found ? [{ path: ['resources', row, 'claims', name], ...found }] : [];
    }),
  );
}

/** Claims that no token can carry. */
export function tooLarge({ resources }: Pick<Config, 'resources'>): RuleFinding[] {
  return resources.flatMap(({ claims }, row) =>
    Buffer.byteLength(JSON.stringify(claims)) <= largestClaims
      ? []
      : [
          {
            path: ['resources', row, 'claims'],
            problem: `is larger than ${largestClaims} bytes, which is all that a token can carry`,
            fix: 'map fewer claims, or shorten constants',
          },
        ],
  );
}
