import { auditEvents } from './event-table.ts';
import type { DetailOf } from './fields.ts';

export type AuditEventType = keyof typeof auditEvents;

/** Who did it: a person, a client, an API key or operator, the server itself, or the command line. */
export interface Actor {
  readonly kind: 'user' | 'client' | 'admin' | 'system' | 'cli';
  readonly id?: string | undefined;
}

/** Detail of one type of event. */
export type AuditDetail<T extends AuditEventType> = DetailOf<(typeof auditEvents)[T]['detail']>;

/** One thing that happened, closed over its type: the compiler knows the detail of each. */
export type AuditEvent = {
  [T in AuditEventType]: {
    readonly type: T;
    readonly actor: Actor;
    readonly clientId?: string | undefined;
    /** Whom it concerns, which need not be the actor. */
    readonly userId?: string | undefined;
    readonly resource?: string | undefined;
    readonly detail: AuditDetail<T>;
  };
}[AuditEventType];

/** When and from where; rooms get it from the request, jobs make it from the clock. */
export interface AuditMeta {
  readonly at: Date;
  readonly ip?: string | undefined;
  readonly userAgent?: string | undefined;
  readonly traceId?: string | undefined;
}

export function isAuditEventType(name: string): name is AuditEventType {
  return Object.hasOwn(auditEvents, name);
}
