import { userInfo } from 'node:os';
import type { Actor, AuditMeta } from '../audit/index.ts';

/** Who runs the command, for the audit trail: the user of the operating system. */
export function operator(now: Date): { actor: Actor; meta: AuditMeta } {
  return { actor: { kind: 'cli', id: systemUser() }, meta: { at: now } };
}

/** A container may run under a number that has no name. */
function systemUser(): string {
  try {
    return userInfo().username;
  } catch {
    return `uid ${process.getuid?.() ?? 'unknown'}`;
  }
}
