/**
 * What the admin API takes and answers, noun by noun: the one table from which the router, the typed
 * client and docs/openapi.json come. Shared with the browser, so it imports nothing but zod.
 */
import { z } from 'zod';
import { document } from './document.ts';
import { grantSchemas, grants } from './grants.ts';
import { issuanceSchemas, issuances } from './issuances.ts';
import type { Route } from './route.ts';
import { tokenSchemas, tokens } from './tokens.ts';
import { trustedIssuerSchemas, trustedIssuers } from './trusted-issuers.ts';

export type { Permission, Route } from './route.ts';
export { document, grants, issuances, tokens, trustedIssuers };

/** Every noun with its routes. */
export const contract = { document, grants, issuances, tokens, 'trusted-issuers': trustedIssuers };

/** Every route that there is. */
export const routes: readonly Route[] = Object.values(contract).flatMap((noun) =>
  Object.values<Route>(noun),
);

/** What every failed call answers. */
export const failure = z.strictObject({
  error: z.string().describe('A code of docs/errors.md'),
  error_description: z.string().describe('What was wrong and what to do'),
  trace_id: z.string().describe('Finds the line of the log with the full reason'),
});

/** The schemas that have a name in openapi.json. */
export const schemas: Readonly<Record<string, z.ZodType>> = {
  ...grantSchemas,
  ...issuanceSchemas,
  ...tokenSchemas,
  ...trustedIssuerSchemas,
  Error: failure,
};
