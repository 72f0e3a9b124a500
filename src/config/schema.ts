import { z } from 'zod';
import { declaredSections } from './schema-declared.ts';
import { oauthSections } from './schema-oauth.ts';
import { resourcesSection, withDemoResource } from './schema-resources.ts';
import { serverSections } from './schema-server.ts';

/**
 * Every key with its default. Names are those of the file; durations come out in whole seconds.
 * What needs two keys to judge is in rules.ts.
 */
export const configSchema = z
  .strictObject({
    ...serverSections,
    ...oauthSections,
    resources: resourcesSection,
    ...declaredSections,
  })
  .transform((config) => ({
    ...config,
    resources: withDemoResource(config.resources, config.server.issuer),
  }));

/** The configuration of the whole server; frozen all the way down once loaded. */
export type Config = z.output<typeof configSchema>;

/** Old names of keys, accepted in the file and the environment. */
export const keyAliases: Readonly<Record<string, string>> = {
  'dcr.default_token_expiry': 'tokens.access_ttl',
  'dcr.default_refresh_expiry': 'tokens.refresh_ttl',
};
