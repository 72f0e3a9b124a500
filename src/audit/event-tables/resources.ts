import { changes, event, list, optional, text } from '../fields.ts';

/** Resources, and the configuration that declares rows. */
export const resourcesEvents = {
  resource_created: event('A resource (protected MCP server) was registered.', {
    slug: text('its short name'),
    scopes: list('its scopes'),
    source: optional(text('`config`, `admin` or `builtin`')),
    token_format: optional(text('`jwt` or `opaque`')),
  }),
  resource_updated: event('A resource changed.', {
    slug: text('its short name'),
    changes: changes('what changed'),
  }),
  config_reconciled: event('Declared rows were compared with the database at start.', {
    noun: text('`resources`, `clients`, `users` …'),
    created: list('rows that were made'),
    updated: list('rows that were changed'),
    undeclared: list('rows that are no longer declared; they were left alone'),
  }),
} as const;
