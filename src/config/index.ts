/**
 * Configuration: the schema with every default, YAML and `AUTHPLANE_*` loading, secret references. Yields one
 * frozen `Config` in the names of the file, durations in seconds, or every problem at once. Called by the CLI;
 * each room gets only its slice. The only reader of the process's environment.
 */
export { fileDigest } from './config-file.ts';
export { formatDuration, parseDuration } from './duration.ts';
export { readEnvironment } from './environment.ts';
export { renderJsonSchema } from './json-schema.ts';
export { type LoadedConfig, type LoadOptions, loadConfig } from './load.ts';
export { isLoopbackHost, isLoopbackUrl } from './loopback.ts';
export { ConfigError, configProblemsExitCode, type Problem } from './problem.ts';
export { renderReference } from './reference.ts';
export type { Environment } from './references.ts';
export { maskedConfig, renderConfig, renderProblems } from './render.ts';
export { type JudgedResource, judgeResource } from './resource-row.ts';
export type { Config } from './schema.ts';
export {
  type ClaimAttribute,
  type ClaimSource,
  type ClaimsMapping,
  claimAttributes,
  claimNameProblem,
  largestClaims,
  reservedClaims,
  webhookKey,
} from './schema-claims.ts';
export type { ClientConfig, UserConfig } from './schema-declared.ts';
export type { ResourceConfig } from './schema-resources.ts';
export { describeSettings, type Setting } from './settings.ts';
export { decodeKey, parseAddress } from './values.ts';
