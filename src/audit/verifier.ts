import type { BaseLogger } from 'pino';
import { type Verification, type VerifyDeps, type VerifyOptions, verifyChain } from './verify.ts';

/** What the last look through the chain found, or how far the running one is. */
export interface VerifierState extends Partial<Verification> {
  status: 'never' | 'running' | 'ok' | 'broken' | 'failed';
  startedAt?: Date;
  finishedAt?: Date;
  message?: string;
}

export interface VerifierDeps extends VerifyDeps {
  now: () => Date;
  log: Pick<BaseLogger, 'info' | 'error'>;
}

/** Where to begin, and what the chain must hold. */
type Asked = Pick<VerifyOptions, 'from' | 'known'>;

/** Looks through the chain in the background, one look at a time in each process. */
export function createVerifier(deps: VerifierDeps) {
  const { now, log } = deps;
  let state: VerifierState = { status: 'never' };
  let running: Promise<void> | undefined;
  let stop = new AbortController();

  async function look(startedAt: Date, signal: AbortSignal, asked: Asked): Promise<void> {
    try {
      const found = await verifyChain(deps, {
        ...{ ...asked, signal },
        onProgress: (so) => {
          state = { ...so, status: 'running', startedAt };
        },
      });
      state = {
        ...found,
        ...{ startedAt, finishedAt: now() },
        status: found.broken ? 'broken' : 'ok',
      };
      if (found.broken)
        log.error({ broken: found.broken }, 'the audit log is not as it was sealed');
      else log.info({ events: found.events }, 'the audit log was verified');
    } catch (err) {
      const message = signal.aborted ? 'it was stopped' : 'it could not be finished; see the log';
      if (!signal.aborted) log.error({ err }, 'the audit log could not be verified');
      state = { status: 'failed', startedAt, finishedAt: now(), message };
    }
  }

  return {
    state: (): VerifierState => state,
    /** Begins a look unless one is running. */
    start(asked: Asked = {}): VerifierState {
      if (running) return state;
      const startedAt = now();
      state = { status: 'running', startedAt };
      stop = new AbortController();
      running = look(startedAt, stop.signal, asked).finally(() => {
        running = undefined;
      });
      return state;
    },
    async close(): Promise<void> {
      stop.abort();
      await running;
    },
  };
}
