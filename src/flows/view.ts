import type { StoredFlowStep } from '../db/index.ts';
import { type StepName, type StepState, stepNames, stepTitles } from './steps.ts';

/** For how long an attempt may rest before it counts as left, in milliseconds: as long as its pages last. */
export const abandonedAfter = 30 * 60_000;

/** An attempt as its row has it. */
interface Row {
  status: 'open' | 'succeeded' | 'failed';
  user_id: string | null;
  steps: Record<string, StoredFlowStep>;
  updated_at: Date;
}

/** A step as operators see it, one that has not come too. */
export interface ShownStep extends Omit<Partial<StoredFlowStep>, 'state'> {
  name: StepName;
  title: string;
  state: StepState;
}

export function statusOf({ status, updated_at }: Row, now: Date) {
  const rested = now.getTime() - updated_at.getTime();
  return status === 'open' && rested > abandonedAfter ? 'abandoned' : status;
}

/** Every step in order: what came, what was passed over, and what is still to come. Pure. */
export function stepsOf(row: Row): ShownStep[] {
  const last = stepNames.findLastIndex((name) => row.steps[name]);
  return stepNames.map((name, place) => {
    const title = stepTitles[name];
    const stored = row.steps[name];
    if (stored) return { ...stored, name, title };
    const state = place < last || isDocument(name) ? 'skipped' : 'waiting';
    return { name, title, state, ...reasonFor(name, state, row) };
  });
}

/** The same for the small funnel of a row. */
export function funnelOf(row: Row): { name: StepName; state: StepState }[] {
  return stepsOf(row).map(({ name, state }) => ({ name, state }));
}

/** The step that an attempt came to grief or to rest at. */
export function stoppedAt(row: Row & { failed_step: string | null }, now: Date): StepName | null {
  const steps = stepsOf(row);
  const named = steps.find(({ name }) => name === row.failed_step);
  if (named) return named.name;
  if (statusOf(row, now) !== 'abandoned') return null;
  const first = steps.find(({ state }) => state === 'failed' || state === 'waiting');
  return first?.name ?? null;
}

function isDocument(name: StepName): boolean {
  return name === 'resource_metadata' || name === 'server_metadata';
}

function reasonFor(name: StepName, state: StepState, { user_id }: Row): { note?: string } {
  if (isDocument(name)) return { note: 'not seen from this address' };
  if (state === 'waiting') return {};
  if (name === 'sign_in' && user_id !== null) return { note: 'was signed in already' };
  if (name === 'consent') return { note: 'remembered' };
  return { note: 'not seen' };
}
