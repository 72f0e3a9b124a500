import type { ClientsConfig } from '../clients/index.ts';
import type { Resource } from '../resources/index.ts';
import type { Ask } from './probe.ts';

export type FindingState = 'PASS' | 'WARN' | 'FAIL' | 'SKIP';
export type FindingGroup = 'server' | 'challenge' | 'resource_metadata' | 'clients' | 'resources';

/** What a check has found. */
export interface Outcome {
  state: FindingState;
  sentence: string;
  expected?: string | undefined;
  /** In place of the general fix of the check. */
  fix?: string | undefined;
}

/** The keys of the configuration that the doctor reads. */
export type DoctorConfig = ClientsConfig & {
  oauth: { require_scope: boolean; default_resource?: string | undefined };
};

/** What a check works with. */
export interface Examination {
  /** Of this server, byte for byte. */
  issuer: string;
  config: DoctorConfig;
  resources: readonly Resource[];
  /** URL of the MCP server as people paste it; without one this server and every registered resource are examined. */
  url: string;
  ask: Ask;
  now: () => Date;
}

/** One line of the table of checks. */
export interface Check {
  id: string;
  group: FindingGroup;
  title: string;
  /** Clients that trip over it; none means all of them. */
  clients: readonly string[];
  /** What to change where it fails. */
  fix: string;
  run: (examination: Examination) => Promise<Outcome>;
}

/** What a check has found, for people. */
export interface Finding {
  id: string;
  group: FindingGroup;
  title: string;
  state: FindingState;
  sentence: string;
  expected: string | null;
  clients: string[];
  fix: string | null;
}

export const pass = (sentence: string): Outcome => ({ state: 'PASS', sentence });
export const skip = (sentence: string): Outcome => ({ state: 'SKIP', sentence });

export function warn(sentence: string, expected?: string, fix?: string): Outcome {
  return { state: 'WARN', sentence, expected, fix };
}

export function fail(sentence: string, expected?: string, fix?: string): Outcome {
  return { state: 'FAIL', sentence, expected, fix };
}

/** Runs one check. What breaks in it is a finding too, never the end of the examination. */
export async function runCheck(check: Check, examination: Examination): Promise<Finding> {
  const outcome = await check
    .run(examination)
    .catch(() => skip('This could not be told: the check itself failed.'));
  const isWrong = outcome.state === 'WARN' || outcome.state === 'FAIL';
  const { id, group, title, clients } = check;
  return {
    ...{ id, group, title, clients: [...clients] },
    state: outcome.state,
    sentence: outcome.sentence,
    expected: isWrong ? (outcome.expected ?? null) : null,
    fix: isWrong ? (outcome.fix ?? check.fix) : null,
  };
}

const order: readonly FindingState[] = ['FAIL', 'WARN', 'PASS'];

/** The worst of what was found; what could not be told does not count. */
export function verdictOf(findings: readonly { state: FindingState }[]): 'PASS' | 'WARN' | 'FAIL' {
  const worst = order.find((state) => findings.some((one) => one.state === state));
  return worst === 'FAIL' || worst === 'WARN' ? worst : 'PASS';
}
