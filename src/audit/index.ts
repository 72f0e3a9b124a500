/**
 * What happened: one closed `AuditEvent` union, the append-only log and the metrics. Every room that
 * changes something records it here, in the transaction of the change.
 */
export { auditEvents } from './event-table.ts';
export {
  type Actor,
  type AuditDetail,
  type AuditEvent,
  type AuditEventType,
  type AuditMeta,
  isAuditEventType,
} from './events.ts';
export type { Change } from './fields.ts';
export { ensureAuditPartitions, recordAudit } from './log.ts';
export { createMetrics, type Metrics } from './metrics.ts';
export { auditReference, metricsReference } from './reference.ts';
export { auditRow } from './row.ts';
