import { forgetOldest } from './allowance.ts';
import type { StepName, StepReport } from './steps.ts';

/** How long what came before an authorization request is remembered, in milliseconds. */
const remembered = { documents: 10 * 60_000, registration: 60 * 60_000 };
const mostKeys = 5000;

type Seen = Map<string, Partial<Record<StepName, StepReport>>>;

/**
 * What clients did before their authorization request, kept in this process only and for minutes only.
 * Documents carry no name of who fetches them: they are attributed by address and time, which may be
 * somebody else behind the same address, and is nothing at all where the client's program and its person's
 * browser have different addresses. A registration is known by the client_id that it gave.
 */
export function createEarlierSteps() {
  const documents: Seen = new Map();
  const registrations: Seen = new Map();

  function keep(seen: Seen, key: string, steps: Partial<Record<StepName, StepReport>>): void {
    const known = seen.get(key);
    seen.delete(key);
    seen.set(key, { ...known, ...steps });
    forgetOldest(seen, mostKeys);
  }

  function recent(seen: Seen, key: string | undefined, at: Date, age: number): StepReport[] {
    const steps = key === undefined ? undefined : seen.get(key);
    return Object.values(steps ?? {}).filter((step) => at.getTime() - step.at.getTime() <= age);
  }

  return {
    /** A document was fetched from this address. */
    fetched(address: string, step: StepReport): void {
      keep(documents, address, { [step.name]: step });
    },
    /** A client registered itself; what its address fetched before belongs to it from now on. */
    registered(clientId: string, address: string, step: StepReport): void {
      const fetched = recent(documents, address, step.at, remembered.documents);
      const steps = [...fetched, step].map((one) => [one.name, one]);
      keep(registrations, clientId, Object.fromEntries(steps));
    },
    /** What came before a request of this client from this address. */
    before(clientId: string | undefined, address: string, at: Date): StepReport[] {
      const own = recent(registrations, clientId, at, remembered.registration);
      const near = recent(documents, address, at, remembered.documents);
      return [...near.filter(({ name }) => !own.some((one) => one.name === name)), ...own];
    },
  };
}
