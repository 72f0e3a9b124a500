import { clientsEvents } from './event-tables/clients.ts';
import { consentEvents } from './event-tables/consent.ts';
import { issuersEvents } from './event-tables/issuers.ts';
import { keysEvents } from './event-tables/keys.ts';
import { peopleEvents } from './event-tables/people.ts';
import { resourcesEvents } from './event-tables/resources.ts';
import { tokensEvents } from './event-tables/tokens.ts';

/**
 * Every audit event there is: the one table from which the `AuditEvent` type and docs/audit-events.md
 * come. Detail fields keep wire names; none may ever hold a secret, a token or a password.
 */
export const auditEvents = {
  ...tokensEvents,
  ...consentEvents,
  ...clientsEvents,
  ...peopleEvents,
  ...keysEvents,
  ...resourcesEvents,
  ...issuersEvents,
} as const;
