import type { z } from 'zod';
import { compatibilityRules } from '../clients/index.ts';
import {
  type Fix,
  funnelOf,
  type ListedFlow,
  type ShownStep,
  statusOf,
  stepsOf,
  stoppedAt,
} from '../flows/index.ts';
import type { Resource } from '../resources/index.ts';
import type { flow } from './contract/flows.ts';

/** An attempt as a list shows it. */
export function flowRow(
  row: ListedFlow,
  { resources, now }: { resources: readonly Resource[]; now: Date },
): z.input<typeof flow> {
  const { created_at: began, updated_at: ended } = row;
  return {
    id: row.id,
    trace_id: row.last_trace,
    status: statusOf(row, now),
    failed_step: stoppedAt(row, now),
    error: row.error,
    sentence: row.sentence,
    client_id: row.client_id,
    client_name: row.client_name,
    client_kind: row.client_kind,
    sub: row.user_id,
    username: row.email,
    resource: row.resource,
    resource_name: resources.find(({ uri }) => uri === row.resource)?.displayName ?? null,
    redirect_host: row.redirect_host,
    scope: row.scope,
    attempts: row.attempts,
    created_at: began.toISOString(),
    updated_at: ended.toISOString(),
    duration_ms: Math.max(0, ended.getTime() - began.getTime()),
    funnel: funnelOf(row),
  };
}

/** The same with everything that is known of its steps. */
export function flowDetail(
  row: ListedFlow,
  context: { resources: readonly Resource[]; now: Date; fixes: Fix[] },
) {
  return {
    ...flowRow(row, context),
    trace_ids: row.trace_ids,
    steps: stepsOf(row).map(stepOnWire),
    fixes: context.fixes,
  };
}

function stepOnWire({ name, title, state, ...step }: ShownStep) {
  return {
    ...{ name, title, state },
    at: step.at ?? null,
    duration_ms: step.ms ?? null,
    request: step.request ?? null,
    answer: step.answer ?? null,
    note: step.note ?? null,
    error: step.error ?? null,
    sentence: step.sentence ?? null,
    differences: step.differences ?? [],
    rules: (step.rules ?? []).map((rule) => ({ name: rule, reason: reasonOf(rule) })),
    facts: Object.entries(step.facts ?? {}).map(([fact, value]) => ({ name: fact, value })),
    trace_id: step.trace ?? null,
  };
}

/** What the client did that needs a rule; nothing for one that this version has no more. */
function reasonOf(name: string): string {
  return compatibilityRules.find((rule) => rule.name === name)?.when ?? '';
}
