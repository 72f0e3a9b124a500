import type { Command } from 'commander';
import type { Verification } from '../audit/index.ts';
import { timeOf } from './audit-filters.ts';
import { CommandFailure, wrongCall } from './failure.ts';
import { type ConfigOption, configured } from './load.ts';
import { fields, type JsonOption, jsonFlag, note, print, printJson } from './output.ts';
import { withRooms } from './storage.ts';

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
      const found = await withRooms(options, ({ auditLog }) =>
        auditLog.verify({ from, known, ...(process.stderr.isTTY && { onProgress: progress() }) }),
      );
      if (options.json) printJson(wire(found));
      else print(told(found));
      if (found.broken) throw new CommandFailure('the audit log is not as it was sealed');
    });
}

function headOf(text: string | undefined): { seq: number; hash: string } | undefined {
  if (text === undefined) return undefined;
  const [, seq, hash] = /^(\d{1,15}):([0-9a-f]{64})$/.exec(text) ?? [];
  if (seq === undefined || hash === undefined) {
    throw wrongCall('--head takes what an earlier run printed as head, such as 1200:5f…');
  }
  return { seq: Number(seq), hash };
}

/** Now and then, for people. */
function progress(): (state: Readonly<Verification>) => void {
  let next = performance.now() + 2000;
  return ({ events, total }) => {
    if (performance.now() < next) return;
    next = performance.now() + 2000;
    note(`${events} of ${total} events`);
  };
}

function wire(found: Verification) {
  const { broken, head } = found;
  return {
    status: broken ? 'broken' : 'ok',
    events: found.events,
    checkpoints: found.checkpoints,
    signed_until: found.signedUntil ?? null,
    unsealed: found.unsealed,
    unsealed_since: found.unsealedSince ?? null,
    dropped_before: found.floor ?? null,
    head: head ?? null,
    broken: broken
      ? {
          kind: broken.kind,
          seq: broken.seq ?? null,
          event_id: broken.eventId ?? null,
          block: broken.block ?? null,
          message: broken.message,
        }
      : null,
  };
}

function told(found: Verification): string {
  const { broken, head, floor, events, checkpoints, signedUntil } = found;
  const unsigned = head ? head.seq - (signedUntil ?? 0) : 0;
  const state = fields({
    'sealed events': events,
    checkpoints,
    'not signed yet': unsigned || undefined,
    'not sealed yet': found.unsealed || undefined,
    since: found.unsealedSince,
    'dropped before': floor,
    head: head && `${head.seq}:${head.hash}`,
  });
  if (broken) return `BROKEN: ${broken.message}\n\n${state}`;
  return `The audit log is as it was sealed.\n\n${state}`;
}
