/** The steps of an authorization, in order. */
export const stepNames = [
  'resource_metadata',
  'server_metadata',
  'client',
  'authorize',
  'sign_in',
  'consent',
  'token',
  'first_call',
] as const;

export type StepName = (typeof stepNames)[number];
export type StepState = 'ok' | 'failed' | 'skipped' | 'waiting';

/** What people call a step. */
export const stepTitles: Record<StepName, string> = {
  resource_metadata: 'Resource metadata',
  server_metadata: 'Server metadata',
  client: 'Client',
  authorize: 'Authorize',
  sign_in: 'Sign-in',
  consent: 'Consent',
  token: 'Token',
  first_call: 'First call',
};

/** A value that was sent, beside what would have been accepted. */
export interface Difference {
  what: string;
  sent: string | null;
  /** Nearest first. */
  expected: string[];
}

/** What is told of one step when it happens. */
export interface StepReport {
  name: StepName;
  state: 'ok' | 'failed';
  at: Date;
  traceId: string;
  /** Milliseconds that the server worked on it. */
  ms?: number | undefined;
  /** Method and path, never the query. */
  request?: string | undefined;
  /** Status or error code. */
  answer?: string | undefined;
  note?: string | undefined;
  error?: string | undefined;
  sentence?: string | undefined;
  differences?: Difference[] | undefined;
  /** What was sent and found; never a secret. */
  facts?: Record<string, string | undefined> | undefined;
  /** Names of the compatibility rules that helped. */
  rules?: readonly string[] | undefined;
}

/** Whom an attempt is about, as far as it is known by now. */
export interface FlowHead {
  clientId?: string | undefined;
  clientName?: string | undefined;
  clientKind?: 'preregistered' | 'dcr' | 'cimd' | undefined;
  /** A person who has signed in. */
  userId?: string | undefined;
  /** The registered URI, or what was sent in its place. */
  resource?: string | undefined;
  redirectHost?: string | undefined;
  scope?: string | undefined;
  familyId?: string | undefined;
}

/** One request of an attempt. */
export interface FlowReport extends FlowHead {
  flowId: string;
  /** Bucket of the address that it came from: what strangers are counted by; never stored. */
  address: string;
  traceId: string;
  at: Date;
  outcome: 'open' | 'succeeded' | 'failed';
  steps: readonly StepReport[];
  /** The first request of an attempt, with what this address asked for before it. */
  begins?: boolean | undefined;
}
