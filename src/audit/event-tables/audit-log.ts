import { event, flag, list, number, optional, text, time } from '../fields.ts';

/** What happens to the audit log itself. */
export const auditLogEvents = {
  audit_events_dropped: event(
    'Retention (`retention.audit`) dropped whole months of the log. The chain goes on from the checkpoint.',
    {
      partitions: list('the tables that were dropped'),
      before: time('events before it are gone'),
      events: number('how many sealed events were in blocks that went with them'),
    },
  ),
  audit_verification_started: event('Someone had the hash chain of the log checked.', {}),
  audit_exported: event('Someone downloaded events, or began to follow them.', {
    format: text('`ndjson`, `csv` or `live`'),
    filters: list('what they asked for, as `name=value`'),
  }),
  audit_delivery_retried: event('Someone sent a dead letter of the audit webhook once more.', {
    dead_letter: text('its id'),
    type: text('type of the event in it'),
    delivered: flag('whether it was taken this time'),
    reason: optional(text('why it was not')),
  }),
};
