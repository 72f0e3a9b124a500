import { setTimeout as sleep } from 'node:timers/promises';
import type { Command } from 'commander';
import type { z } from 'zod';
import { audit } from '../admin/contract/index.ts';
import type { AdminClient } from '../admin/index.ts';
import { withAdmin } from './administration.ts';
import { timeOf } from './audit-filters.ts';
import { CommandFailure, wrongCall } from './failure.ts';
import { type ConfigOption, configured } from './load.ts';
import { fields, type JsonOption, jsonFlag, note, print, printJson, when } from './output.ts';

type Verification = z.output<typeof audit.verification.answer>;
type Head = { seq: number; hash: string };

/** Milliseconds. */
const askAgain = 100;

interface VerifyOptions {
  from?: string;
  head?: string;
}

/** `authserver audit verify`: ends with 1 where something is not as it was sealed. */
export function verifyAudit(): Command {
  return configured('verify', 'check that no sealed event was changed, removed, added or moved')
    .option('--from <time>', 'begin at the last checkpoint before it instead of the beginning')
    .option(
      '--head <seq:hash>',
      'a head that an earlier run printed: the log must still contain it, which shows a log cut short',
    )
    .option(...jsonFlag)
    .action(async (options: ConfigOption & JsonOption & VerifyOptions) => {
      const from = timeOf('--from', options.from);
      const known = headOf(options.head);
      const found = await withAdmin(options, (admin) =>
        verified(admin, { from: from?.toISOString(), head: known }),
      );
      if (options.json) printJson(wire(found));
      else print(told(found));
      if (found.broken) throw new CommandFailure('the audit log is not as it was sealed');
    });
}

/** Waits for the end of a check that begins now. @throws CommandFailure when it cannot be finished */
async function verified(
  admin: AdminClient,
  body: { from: string | undefined; head: Head | undefined },
): Promise<Verification> {
  const told = progress();
  let state = await admin.call(audit.verification);
  while (state.status === 'running') state = await later(admin, told, state); // of somebody else
  let ours = await admin.call(audit.verify, { body });
  state = ours;
  while (state.status === 'running') {
    state = await later(admin, told, state);
    // One of several processes answers, which may not be the one that was asked before.
    const isOurs = (state.started_at ?? '') >= (ours.started_at ?? '');
    if (!isOurs) state = ours = await admin.call(audit.verify, { body });
  }
  if (state.status === 'ok' || state.status === 'broken') return state;
  throw new CommandFailure(`the audit log could not be verified: ${state.message}`);
}

async function later(
  admin: AdminClient,
  told: (state: Verification) => void,
  state: Verification,
): Promise<Verification> {
  told(state);
  await sleep(askAgain);
  return admin.call(audit.verification);
}

function headOf(text: string | undefined): Head | undefined {
  if (text === undefined) return undefined;
  const [, seq, hash] = /^(\d{1,15}):([0-9a-f]{64})$/.exec(text) ?? [];
  if (seq === undefined || hash === undefined) {
    throw wrongCall('--head takes what an earlier run printed as head, such as 1200:5f…');
  }
  return { seq: Number(seq), hash };
}

/** Now and then, for people. */
function progress(): (state: Verification) => void {
  let next = performance.now() + 2000;
  return ({ events, total }) => {
    if (!process.stderr.isTTY || performance.now() < next) return;
    next = performance.now() + 2000;
    note(`${events} of ${total} events`);
  };
}

function wire(found: Verification) {
  const { status, events, checkpoints, signed_until, unsealed, unsealed_since } = found;
  const { dropped_before, head, broken } = found;
  const seen = { status, events, checkpoints, signed_until, unsealed, unsealed_since };
  return { ...seen, dropped_before, head, broken };
}

function told(found: Verification): string {
  const { broken, head, events, checkpoints, signed_until, dropped_before } = found;
  const unsigned = head ? head.seq - (signed_until ?? 0) : 0;
  const state = fields({
    'sealed events': events,
    checkpoints,
    'not signed yet': unsigned || undefined,
    'not sealed yet': found.unsealed || undefined,
    since: when(found.unsealed_since),
    'dropped before': dropped_before ?? undefined,
    head: head ? `${head.seq}:${head.hash}` : undefined,
  });
  if (broken) return `BROKEN: ${broken.message}\n\n${state}`;
  return `The audit log is as it was sealed.\n\n${state}`;
}
