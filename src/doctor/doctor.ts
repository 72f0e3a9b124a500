import type { GuardedRequest, Reach } from '../http/index.ts';
import { OAuthError } from '../oauth/index.ts';
import type { Resource, Resources } from '../resources/index.ts';
import { challengeChecks } from './challenge-checks.ts';
import { clientChecks } from './client-checks.ts';
import {
  type Check,
  type DoctorConfig,
  type Examination,
  type Finding,
  runCheck,
  verdictOf,
} from './finding.ts';
import { isThisComputer } from './places.ts';
import { createAsk } from './probe.ts';
import { resourceChecks } from './resource-checks.ts';
import { serverChecks } from './server-checks.ts';

export interface DoctorDeps {
  request: GuardedRequest;
  resources: Pick<Resources, 'all'>;
  now: () => Date;
}

export interface DoctorOptions {
  /**
   * Whether MCP servers on this computer and in private networks may be asked: who calls the doctor over the
   * network must not look around in ours through it. The issuer itself may always be asked.
   */
  privateAddresses: boolean;
}

/** What the doctor has found out. */
export interface Diagnosis {
  url: string | null;
  issuer: string;
  verdict: 'PASS' | 'WARN' | 'FAIL';
  checkedAt: Date;
  /** Milliseconds. */
  took: number;
  findings: Finding[];
}

/** `everywhere`: for who sits on this computer, and could ask private addresses without us. */
export type DoctorReach = 'configured' | 'everywhere';

export type Doctor = ReturnType<typeof createDoctor>;

/** Every check there is, in the order in which clients come to them. */
export const checks: readonly Check[] = [
  ...serverChecks,
  ...challengeChecks,
  ...resourceChecks,
  ...clientChecks,
];

const mostResources = 20;
const mostAtOnce = 2;

/** Asks an MCP server and this server as clients would ask, and says what to change. */
export function createDoctor(
  deps: DoctorDeps,
  config: DoctorConfig & { server: { issuer: string } },
  options: DoctorOptions,
) {
  let running = 0;

  function examinationOf(url: string, reach: DoctorReach): Examination {
    const { issuer } = config.server;
    const own = { privateAddresses: options.privateAddresses || reach === 'everywhere' };
    return {
      issuer,
      config,
      url,
      resources: deps.resources.all(),
      now: deps.now,
      ask: createAsk(deps.request, (target) => reachOf(target, issuer, own)),
    };
  }

  async function run(url: string | undefined, reach: DoctorReach): Promise<Finding[]> {
    const examination = examinationOf(url ?? '', reach);
    if (url !== undefined) return runAll(checks, examination);
    const own = await runAll(serverChecks, examination);
    const registered = examination.resources.filter(({ enabled, source }) => {
      return enabled && source !== 'builtin';
    });
    const found: Finding[] = [];
    for (const resource of registered.slice(0, mostResources)) {
      found.push(await summary(resource, { ...examination, url: resource.uri }));
    }
    return [...own, ...found];
  }

  return {
    /**
     * @param url of an MCP server as people paste it; without one this server and what is registered are examined
     * @throws OAuthError invalid_request for what is no URL; 429 while others are examined
     */
    async examine(url?: string, reach: DoctorReach = 'configured'): Promise<Diagnosis> {
      const checkedAt = deps.now();
      const started = performance.now();
      const target = url === undefined ? undefined : readUrl(url);
      if (running >= mostAtOnce) throw busy();
      running += 1;
      try {
        const findings = await run(target, reach);
        const took = Math.round(performance.now() - started);
        const { issuer } = config.server;
        return {
          url: target ?? null,
          issuer,
          verdict: verdictOf(findings),
          checkedAt,
          took,
          findings,
        };
      } finally {
        running -= 1;
      }
    },
  };
}

async function runAll(all: readonly Check[], examination: Examination): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const check of all) findings.push(await runCheck(check, examination));
  return findings;
}

/** One finding for a registered resource: whatever is wrong with it. */
async function summary(resource: Resource, examination: Examination): Promise<Finding> {
  const findings = await runAll([...challengeChecks, ...resourceChecks], examination);
  const wrong = findings.filter(({ state }) => state === 'FAIL' || state === 'WARN');
  const [worst = wrong[0]] = wrong.filter(({ state }) => state === 'FAIL');
  return {
    id: `resource_${resource.slug}`,
    group: 'resources',
    title: `${resource.displayName} is ready for clients`,
    state: verdictOf(findings),
    sentence: worst ? wrong.map(({ sentence }) => sentence).join(' ') : `${resource.uri} is ready.`,
    expected: worst?.expected ?? null,
    clients: [...new Set(wrong.flatMap(({ clients }) => clients))],
    fix: worst?.fix ?? null,
  };
}

/** @throws OAuthError invalid_request */
function readUrl(text: string): string {
  const url = URL.parse(text);
  const isPlain = url && url.username === '' && url.password === '' && !text.includes('#');
  if (isPlain && /^https?:\/\//i.test(text)) return text;
  throw new OAuthError(
    'invalid_request',
    'url has to be the http or https URL of an MCP server, without user name and fragment.',
  );
}

/** Where a URL may lead. The issuer is the operator's own; everything else was named by who asks. */
function reachOf(
  url: string,
  issuer: string,
  { privateAddresses }: DoctorOptions,
): Reach | undefined {
  const isOwn = URL.parse(url)?.origin === new URL(issuer).origin;
  if (isThisComputer(url)) return isOwn || privateAddresses ? 'loopback' : undefined;
  return isOwn || privateAddresses ? 'private' : 'public';
}

function busy(): OAuthError {
  return new OAuthError('temporarily_unavailable', 'The doctor is busy. Try again in a minute.', {
    status: 429,
    headers: { 'Retry-After': '30' },
  });
}
