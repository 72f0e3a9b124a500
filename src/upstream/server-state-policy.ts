import type { AuthType, ServerState } from './server.ts';

/** How far a server is set up. */
export interface Standing {
  authType: AuthType;
  state: ServerState;
  enabled: boolean;
}

/** What a server said when it was connected to for real. */
export type ProbeOutcome =
  | 'answered'
  /** 401: it wants to know who asks. */
  | 'unauthorized'
  /** It does not answer, or not as an MCP server does. */
  | 'failed';

/**
 * What `enable` does:
 * - `nothing`: it is ready and enabled
 * - `switch_on`: it was ready, and is enabled again
 * - `connect`: try it with what is stored
 * - `set_up`: find out where members sign in, and become a client there
 * - `ask_member`: the member has to connect first
 */
export type EnableStep = 'nothing' | 'switch_on' | 'connect' | 'set_up' | 'ask_member';

/** @param hasAccess whether there is something to connect with for this member */
export function enableStep({ authType, state, enabled }: Standing, hasAccess: boolean): EnableStep {
  if (state === 'READY') return enabled ? 'nothing' : 'switch_on';
  if (hasAccess) return 'connect';
  if (state === 'AUTHORIZE') return 'ask_member';
  return authType === 'oauth' ? 'set_up' : 'ask_member';
}

/**
 * What follows from connecting during `enable` or `test`.
 *
 * @returns undefined where the server stays as it is
 */
export function afterProbe(
  { state, enabled }: Standing,
  outcome: ProbeOutcome,
): Pick<Standing, 'state' | 'enabled'> | undefined {
  if (outcome !== 'answered' || (state === 'READY' && enabled)) return undefined;
  return { state: 'READY', enabled: true };
}

/** Whether a server that was added without saying how to authenticate is tried with OAuth. */
export function triesOAuth({ authType, state }: Standing, outcome: ProbeOutcome): boolean {
  return outcome === 'unauthorized' && authType === 'none' && state === 'REGISTER';
}

/** Where set-up begins anew, as after another URL. */
export const beginning = { state: 'REGISTER', enabled: false } as const;

/** What `disable` leaves; only OAuth has a registration to clear. */
export function afterDisable(
  { authType, state }: Standing,
  clearRegistration: boolean,
): Pick<Standing, 'state' | 'enabled'> {
  if (clearRegistration && authType === 'oauth') return beginning;
  return { state, enabled: false };
}

/** Tools, prompts and resources: a server that was switched off is not asked. */
export function isOff({ state, enabled }: Standing): boolean {
  return state === 'READY' && !enabled;
}
