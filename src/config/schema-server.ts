import { z } from 'zod';
import { isLoopbackUrl } from './loopback.ts';
import { auditWebhook } from './schema-audit.ts';
import {
  address,
  addressRange,
  count,
  decodeKey,
  duration,
  flag,
  oneOf,
  secret,
  text,
  webUrl,
} from './values.ts';

/** Sections about running the server: where it listens, what it stores, how it reports. */
export const serverSections = {
  server: z
    .strictObject({
      issuer: text(
        'The public URL of this server, byte for byte as clients will see it: https (http on this computer only), no trailing slash, no query, no fragment. May have a path.',
      ).prefault('http://localhost:9000'),
      address: address(
        'Where the public listener binds, as host:port. Default `127.0.0.1:9000` for an issuer on this computer, `:9000` (every address) otherwise.',
      ).optional(),
      trusted_proxies: z
        .array(addressRange())
        .describe('Reverse proxies whose `X-Forwarded-For` is believed: addresses or CIDR ranges.')
        .prefault([]),
      workers: count(
        'Processes that serve requests. More than one needs Postgres.',
        1,
        64,
      ).prefault(1),
      read_timeout: duration('How long a client may take to send a request.', {
        max: '1h',
      }).prefault('30s'),
      write_timeout: duration('How long an answer may take to be written.', { max: '1h' }).prefault(
        '30s',
      ),
      idle_timeout: duration('How long an idle connection is kept open.', { max: '1h' }).prefault(
        '120s',
      ),
      drain_wait: duration(
        'How long, at shutdown, requests are still taken while health says 503, so that a load balancer can stop sending them.',
        { min: '0s', max: '10m' },
      ).prefault('0s'),
      shutdown_wait: duration('How long running requests may take to finish at shutdown.', {
        min: '0s',
        max: '10m',
      }).prefault('10s'),
    })
    .describe('The public listener.')
    .prefault({})
    .transform((server) => ({
      ...server,
      address: server.address ?? (isLoopbackUrl(server.issuer) ? '127.0.0.1:9000' : ':9000'),
    })),

  storage: z
    .strictObject({
      driver: oneOf('The embedded database or a Postgres server.', ['pglite', 'postgres']).prefault(
        'pglite',
      ),
      pglite: z
        .strictObject({
          path: text('Directory of the embedded database, made at the first start.').prefault(
            'data/authserver',
          ),
          accept_risk: flag(
            'The embedded database survives a killed process, not a power cut. Beyond this computer it starts only when you accept that here.',
          ).prefault(false),
        })
        .prefault({}),
      postgres: z
        .strictObject({
          dsn: secret('Connection URL, `postgres://user:password@host:5432/database`.')
            .refine((value) => /^postgres(?:ql)?:\/\/./.test(value), {
              error: 'is not a Postgres URL',
              params: { fix: 'write postgres://user:password@host:5432/database' },
            })
            .optional(),
          max_conns: count('Connections in the pool of each process.', 1, 1000).prefault(10),
          statement_timeout: duration('How long one statement may take.', { max: '1h' }).prefault(
            '5s',
          ),
          connect_timeout: duration('How long to wait for a connection.', { max: '10m' }).prefault(
            '5s',
          ),
        })
        .prefault({}),
    })
    .describe('Where everything is kept.')
    .prefault({}),

  session: z
    .strictObject({
      secret: secret(
        'Signs cookies; 32 characters or more. Generated and kept in the data directory for an issuer on this computer, required otherwise.',
      ).optional(),
      max_age: duration('How long a person stays signed in.').prefault('168h'),
      local_sign_in: flag(
        'People may sign in with a password of this server. Switching it off needs an identity provider.',
      ).prefault(true),
    })
    .describe('Sign-in sessions.')
    .prefault({}),

  data_encryption: z
    .strictObject({
      key: secret(
        'Encrypts secrets at rest: 32 bytes in base64 (`openssl rand -base64 32`). Generated and kept in the data directory for an issuer on this computer, required otherwise. Losing it loses the signing keys.',
      )
        .refine((value) => decodeKey(value) !== undefined, {
          error: 'is not 32 bytes in base64',
          params: { fix: 'make one with: openssl rand -base64 32' },
        })
        .optional(),
    })
    .describe('Encryption at rest.')
    .prefault({}),

  admin: z
    .strictObject({
      enabled: flag('Serve the admin UI, the admin API and `/metrics`.').prefault(true),
      address: address('Where the admin listener binds.').prefault('127.0.0.1:9001'),
      external_url: webUrl(
        'The URL people open the admin UI at. Requests must name its host, or this computer.',
      ).optional(),
      api_key: secret(
        'A key for programs, sent as `Authorization: Bearer`; 16 characters or more. It may do everything; make keys with a role of their own with it, or sign in instead.',
        16,
      ).optional(),
      session_idle: duration(
        'How long somebody who does nothing stays signed in to the administration.',
        { min: '5m', max: '24h' },
      ).prefault('30m'),
      session_max_age: duration(
        'How long a sign-in to the administration lasts, whatever is done.',
        { min: '5m', max: '30d' },
      ).prefault('12h'),
    })
    .describe('The admin listener.')
    .prefault({}),

  rate_limit: z
    .strictObject({
      enabled: flag('Limit requests per address (IPv6: per /64).').prefault(true),
      requests_per_second: count('Steady rate per address.', 1, 1_000_000).prefault(100),
      burst: count('Requests that may come at once.', 1, 1_000_000).prefault(200),
      auth_fail_max: count(
        'Failed sign-ins of an account before a lockout; an address, which many people may share, has five times as many.',
        1,
        10_000,
      ).prefault(10),
      auth_fail_window: duration('The window in which failures are counted.').prefault('10m'),
      auth_lockout: duration('How long a lockout lasts.').prefault('15m'),
    })
    .describe('Limits on requests and on failed sign-ins.')
    .prefault({}),

  observability: z
    .strictObject({
      logging: z
        .strictObject({
          level: oneOf('The least severe level that is written.', [
            'trace',
            'debug',
            'info',
            'warn',
            'error',
            'fatal',
            'silent',
          ]).prefault('info'),
          format: oneOf('JSON lines, or text for a terminal.', ['json', 'pretty']).prefault('json'),
        })
        .prefault({}),
      metrics: z
        .strictObject({
          enabled: flag(
            'Serve Prometheus metrics at `/metrics` of the admin listener, for callers with an API key.',
          ).prefault(true),
        })
        .prefault({}),
      tracing: z
        .strictObject({
          enabled: flag('Send OpenTelemetry traces.').prefault(false),
          otlp_endpoint: webUrl('OTLP/HTTP endpoint of the collector.').optional(),
        })
        .prefault({}),
      audit_webhook: auditWebhook.optional(),
    })
    .describe('Logs to stdout, metrics, traces, and where audit events are sent.')
    .prefault({}),

  retention: z
    .strictObject({
      issuances: duration('How long records of issued tokens are kept.', { min: '1d' }).prefault(
        '90d',
      ),
      audit: duration('How long audit events are kept.', { min: '1d' }).prefault('400d'),
      flows: duration('How long traces of authorization attempts are kept.', {
        min: '1h',
      }).prefault('14d'),
    })
    .describe('How long history is kept.')
    .prefault({}),
};
