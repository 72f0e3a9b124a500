import type { StoredFlowStep } from '../db/index.ts';
import { cleaned, cleanedFacts, withoutQueries } from './clean.ts';
import type { FlowReport, StepName, StepReport } from './steps.ts';

/** What the table shall learn of one attempt: a row of the batch. */
export interface PendingFlow {
  id: string;
  status: FlowReport['outcome'];
  failed_step: StepName | null;
  error: string | null;
  sentence: string | null;
  client_id: string | null;
  client_name: string | null;
  client_kind: string | null;
  user_id: string | null;
  resource: string | null;
  redirect_host: string | null;
  scope: string | null;
  family_id: string | null;
  /** To be added to those of the row. */
  attempts: number;
  trace_ids: string[];
  steps: Record<string, StoredFlowStep>;
  /** Steps that only count where the row has none of that name. */
  earlier: Record<string, StoredFlowStep>;
  created_at: Date;
  updated_at: Date;
}

/** Trace ids kept of one attempt. */
export const mostTraces = 20;

/** A report as a row. `repeats` counts it as one more attempt of the same kind. */
export function pendingOf(
  report: FlowReport,
  { id, earlier, attempts }: { id: string; earlier: readonly StepReport[]; attempts: number },
): PendingFlow {
  const failed = report.steps.find((step) => step.state === 'failed');
  const isFailed = report.outcome === 'failed';
  const text = (value: string | undefined, length?: number) =>
    value === undefined ? null : cleaned(value, length);
  return {
    id,
    status: report.outcome,
    failed_step: isFailed ? (failed?.name ?? null) : null,
    error: isFailed ? text(failed?.error, 64) : null,
    sentence: isFailed ? text(failed?.sentence && withoutQueries(failed.sentence)) : null,
    client_id: text(report.clientId),
    client_name: text(report.clientName, 256),
    client_kind: report.clientKind ?? null,
    user_id: text(report.userId),
    resource: text(report.resource),
    redirect_host: text(report.redirectHost, 256),
    scope: text(report.scope),
    family_id: report.familyId ?? null,
    attempts,
    trace_ids: [report.traceId],
    steps: storedSteps(report.steps),
    earlier: storedSteps(earlier),
    created_at: report.at,
    updated_at: report.at,
  };
}

function storedSteps(steps: readonly StepReport[]): Record<string, StoredFlowStep> {
  return Object.fromEntries(steps.map((step) => [step.name, storedStep(step)]));
}

/** What a step says, cut and cleaned. */
export function storedStep(step: StepReport): StoredFlowStep {
  const { state, at, ms, traceId, differences, facts = {}, rules } = step;
  const texts = { request: step.request, answer: step.answer, note: step.note };
  const { error, sentence } = step;
  const reasons = { error, sentence: sentence && withoutQueries(sentence) };
  return {
    state,
    at: at.toISOString(),
    ...(ms === undefined ? {} : { ms: Math.round(ms) }),
    trace: traceId,
    ...cleanedFacts({ ...texts, ...reasons }),
    ...(differences?.length ? { differences: differences.map(cleanedDifference) } : {}),
    ...(Object.keys(facts).length > 0 ? { facts: cleanedFacts(facts) } : {}),
    ...(rules?.length ? { rules: [...rules].slice(0, 20) } : {}),
  };
}

function cleanedDifference({
  what,
  sent,
  expected,
}: NonNullable<StepReport['differences']>[number]) {
  return {
    what: cleaned(what, 64),
    sent: sent === null ? null : cleaned(sent),
    expected: expected.slice(0, 10).map((one) => cleaned(one)),
  };
}

/** Two things learnt of one attempt, as one. */
export function merged(before: PendingFlow, after: PendingFlow): PendingFlow {
  const ranks = { open: 0, failed: 1, succeeded: 2 };
  const decides = ranks[after.status] >= ranks[before.status] ? after : before;
  const { status, failed_step, error, sentence } = decides;
  return {
    ...before,
    ...known(after),
    ...{ status, failed_step, error, sentence },
    attempts: before.attempts + after.attempts,
    trace_ids: [...new Set([...before.trace_ids, ...after.trace_ids])].slice(-mostTraces),
    steps: { ...before.steps, ...after.steps, ...succeeded(before.steps) },
    earlier: { ...after.earlier, ...before.earlier },
    created_at: before.created_at,
  };
}

function succeeded(steps: Record<string, StoredFlowStep>): Record<string, StoredFlowStep> {
  return Object.fromEntries(Object.entries(steps).filter(([, { state }]) => state === 'ok'));
}

function known(flow: PendingFlow): Partial<PendingFlow> {
  return Object.fromEntries(Object.entries(flow).filter(([, value]) => value !== null));
}
