import { auditEvents } from './event-table.ts';
import type { Fields } from './fields.ts';
import { metricDefinitions, metricPrefix } from './metric-definitions.ts';

const generated =
  '<!-- Generated from the source by `npm run docs`; a test fails when it is stale. -->';

/** docs/audit-events.md */
export function auditReference(): string {
  const events = Object.entries(auditEvents).map(([name, { description, detail }]) =>
    [`## \`${name}\``, description, fieldTable(detail)].join('\n\n'),
  );
  return `${[
    '# Audit events',
    generated,
    'Every row of the audit log has `id`, `at`, `type`, `actor_kind` (`user`, `client`, `admin`, `system` or `cli`) and, where they are known, `actor_id`, `client_id`, `user_id`, `resource`, `ip`, `user_agent`, `trace_id`. `detail` is an object whose members depend on the type; they are listed here. The log is append-only, holds no secrets, tokens or passwords, and an event is written in the same transaction as what it tells of. Long texts are cut.',
    '[audit.md](audit.md) tells how to read, export, verify and receive it.',
    ...events,
  ].join('\n\n')}\n`;
}

/** docs/metrics.md */
export function metricsReference(): string {
  const rows = Object.entries(metricDefinitions).map(
    ([name, { type, help, labels }]) =>
      `| \`${metricPrefix}${name}\` | ${type} | ${labelList(labels)} | ${help} |`,
  );
  return `${[
    '# Metrics',
    generated,
    `Prometheus metrics are served at \`/metrics\` on the admin listener, to callers that send \`admin.api_key\` as \`Authorization: Bearer\`; without the key, and while none is configured, the answer is 401. All names begin with \`${metricPrefix}\`; no label ever holds a client_id, a user or a requested path.`,
    ['| metric | type | labels | meaning |', '|---|---|---|---|', ...rows].join('\n'),
    `The usual process and Node.js metrics (CPU, memory, event-loop lag, garbage collection, handles) are there under the same prefix: \`${metricPrefix}process_…\` and \`${metricPrefix}nodejs_…\`.`,
  ].join('\n\n')}\n`;
}

function fieldTable(fields: Fields): string {
  const rows = Object.entries(fields).map(
    ([name, { type, description, optional }]) =>
      `| \`${name}\` | ${type}${optional ? ', optional' : ''} | ${description} |`,
  );
  return ['| detail | type | meaning |', '|---|---|---|', ...rows].join('\n');
}

function labelList(labels: Readonly<Record<string, string>>): string {
  const names = Object.entries(labels).map(([name, meaning]) => `\`${name}\`: ${meaning}`);
  return names.join('; ') || '–';
}
