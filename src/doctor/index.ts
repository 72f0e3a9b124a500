/**
 * Asks an MCP server and this server the way that real clients would, and says what to change where they would
 * fail (RFC 9728, RFC 8414, RFC 6750, MCP authorization). Called by the admin API and the command line.
 */
export {
  checks,
  createDoctor,
  type Diagnosis,
  type Doctor,
  type DoctorDeps,
  type DoctorOptions,
  type DoctorReach,
} from './doctor.ts';
export type { Check, DoctorConfig, Finding, FindingState } from './finding.ts';
export { debuggingReference } from './reference.ts';
