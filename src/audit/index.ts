/**
 * What happened: one closed `AuditEvent` union, the append-only log and the metrics. Every room that
 * changes something records it here, in the transaction of the change.
 */

export { alignAuditOrder } from './align.ts';
export { type AuditLog, createAuditLog, type SealOf } from './audit-log.ts';
export type { Broken } from './broken.ts';
export type { ChainKeys } from './checkpoint.ts';
export { documentChanges } from './client-history.ts';
export type { DeadLetter } from './delivery-queries.ts';
export { type Ending, findEnding } from './endings.ts';
export { type EventPlace, eventKey } from './event-key.ts';
export { auditEvents } from './event-table.ts';
export {
  type Actor,
  type AuditDetail,
  type AuditEvent,
  type AuditEventType,
  type AuditMeta,
  isAuditEventType,
} from './events.ts';
export { type ExportFormat, exportTypes, wireEvent } from './export.ts';
export type { Change } from './fields.ts';
export type { EventFilters } from './filters.ts';
export { countEvents, countedUntil } from './hourly-counts.ts';
export { dayOf, hourOf } from './hourly-policy.ts';
export type { EventQuery, ListedEvent, TimePlace } from './listing.ts';
export { ensureAuditPartitions, recordAudit } from './log.ts';
export { createMetrics, type Metrics } from './metrics.ts';
export { auditReference, metricsReference } from './reference.ts';
export { createRefusalCounts } from './refusal-counts.ts';
export { ensureAuditPartitionsFor } from './restored-partitions.ts';
export { auditRow } from './row.ts';
export {
  createStats,
  type Stats,
  type StatsPeriod,
  type StatsRow,
  type StatsStep,
} from './stats.ts';
export { mostListeners } from './tail.ts';
export type { VerifierState } from './verifier.ts';
export type { Verification } from './verify.ts';
export { createWebhookCall } from './webhook-call.ts';
