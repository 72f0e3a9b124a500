import type { z } from 'zod';
import type { DiskState } from '../db/index.ts';
import type { KeyInfo, RotationSettings } from '../keys/index.ts';
import type { JobState } from '../scheduler/index.ts';
import type { attention } from './contract/stats.ts';
import { diskProblems, jobProblems } from './health-policy.ts';

export type Attention = z.input<typeof attention>;

/** What is known of the server when the first page is made. */
export interface Circumstances {
  now: Date;
  hasOwner: boolean;
  restartNeeded: boolean;
  disk: DiskState | undefined;
  jobs: readonly JobState[];
  keys: readonly KeyInfo[];
  rotation: Pick<RotationSettings, 'rotateEvery'>;
  /** Of the last 24 hours. */
  thefts: number;
  lockouts: number;
  registrations: number;
  /** Of the last hour or two. */
  latestRegistrations: number;
  /** Attempts to connect that failed within 24 hours, 100 at most. */
  failedFlows: number;
  /** When an audit event last could not be delivered; undefined while all were. */
  undelivered: Date | undefined;
}

const many = { lockouts: 5, registrations: 50, failedFlows: 3 };
const unusual = 5; // times what is usual in so short a time
/** The schedule follows within a minute; a day late means that it does not. */
const lateRotation = 86_400_000;

/** What needs the operator, most urgent first. */
export function attentionOf(state: Circumstances): Attention[] {
  const found = [
    ...ownership(state),
    ...operation(state),
    ...overdueKey(state),
    ...suspicious(state),
    ...connections(state),
    ...delivery(state),
  ];
  const rank = { critical: 0, warning: 1, info: 2 };
  return found.toSorted((a, b) => rank[a.severity] - rank[b.severity]);
}

function ownership({ hasOwner }: Circumstances): Attention[] {
  if (hasOwner) return [];
  return [
    {
      ...matter('owner_missing', 'warning', '/users'),
      title: 'Nobody owns this server',
      detail:
        'Open the link that the server prints on its terminal, or run authserver setup-link, to make the first owner.',
    },
  ];
}

function operation({ jobs, disk, restartNeeded }: Circumstances): Attention[] {
  const ofJobs = jobs.flatMap((job) =>
    jobProblems(job).map(({ severity, detail }): Attention => {
      const kind = job.status === 'late' ? 'job_late' : 'job_failing';
      const title = kind === 'job_late' ? 'A background job is late' : 'A background job fails';
      const since = job.succeededAt?.toISOString() ?? null;
      return { ...matter(kind, severity, '/settings/health', job.name), title, detail, since };
    }),
  );
  const ofDisk = diskProblems(disk).map(({ severity, detail }) => {
    const about = matter('disk_nearly_full', severity, '/settings/health');
    return { ...about, title: 'The disk is nearly full', detail };
  });
  if (!restartNeeded) return [...ofJobs, ...ofDisk];
  const about = matter('restart_needed', 'info', '/settings');
  const detail =
    'The configuration file has changed since the server read it. Check it with authserver config check, then restart.';
  return [...ofJobs, ...ofDisk, { ...about, title: 'A restart is needed', detail }];
}

function overdueKey({ keys, rotation, now }: Circumstances): Attention[] {
  const current = keys.find(({ state }) => state === 'current');
  if (!current || keys.some(({ state }) => state === 'next')) return [];
  const due = current.signsFrom.getTime() + rotation.rotateEvery * 1000;
  if (now.getTime() < due + lateRotation) return [];
  return [
    {
      ...matter('rotation_overdue', 'warning', '/keys'),
      title: 'The signing key should have been replaced',
      detail: `The key ${current.kid} has signed for longer than signing.rotate_every. Rotate it, and look into the log for why the schedule did not.`,
      since: new Date(due).toISOString(),
    },
  ];
}

function suspicious({ thefts, lockouts, ...state }: Circumstances): Attention[] {
  const found: Attention[] = [];
  if (thefts > 0) {
    found.push({
      ...matter('possible_theft', 'critical', '/audit?type=refresh_token_reused'),
      title: `${thefts} refresh ${thefts === 1 ? 'token was' : 'tokens were'} used twice in a suspicious way`,
      detail:
        'Somebody may have copied them. Their authorizations were ended. Look at who and from where in the audit log.',
    });
  }
  if (lockouts >= many.lockouts) {
    found.push({
      ...matter('lockouts', 'warning', '/audit?type=user_locked_out'),
      title: `${lockouts} lockouts in 24 hours`,
      detail: 'Somebody guesses passwords or codes. The audit log has the addresses.',
    });
  }
  const usualPerHour = (state.registrations - state.latestRegistrations) / 23;
  const latest = state.latestRegistrations;
  if (latest >= many.registrations && latest > usualPerHour * unusual) {
    found.push({
      ...matter('registrations_spike', 'warning', '/clients?sort=-created_at'),
      title: `${latest} clients registered within two hours`,
      detail:
        'That is far more than usual. Nobody gets a token without consent; dcr.mode and dcr.rate_limit say who may register. Unused ones are removed by themselves.',
    });
  }
  return found;
}

function connections({ failedFlows }: Circumstances): Attention[] {
  if (failedFlows < many.failedFlows) return [];
  const count = failedFlows >= 100 ? '100 or more' : String(failedFlows);
  return [
    {
      ...matter('flows_failing', 'info', '/flows?status=failed'),
      title: `${count} connections failed in 24 hours`,
      detail: 'Each shows the step that failed, what was sent and expected, and how it is fixed.',
    },
  ];
}

function delivery({ undelivered }: Circumstances): Attention[] {
  if (!undelivered) return [];
  return [
    {
      ...matter('audit_delivery_failing', 'warning', '/audit/dead-letters'),
      title: 'Audit events could not be delivered',
      detail:
        'The webhook refused them, or did not answer, until the retries were used up. They are kept: mend the receiver, then send them again.',
      since: undelivered.toISOString(),
    },
  ];
}

function matter(
  kind: Attention['kind'],
  severity: Attention['severity'],
  link: string,
  part?: string,
): Pick<Attention, 'id' | 'kind' | 'severity' | 'link' | 'since'> {
  return { id: part === undefined ? kind : `${kind}:${part}`, kind, severity, link, since: null };
}
