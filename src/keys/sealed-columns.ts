type Row = Readonly<Record<string, unknown>>;

/** Where the database keeps what is sealed under the data-encryption key. */
export interface SealedColumn {
  table: string;
  column: string;
  /** Of a jsonb column: the member that is sealed. */
  member?: string;
  /** Primary key. */
  key: readonly [string, ...string[]];
  /** Other columns of which the context is made. */
  reads?: readonly string[];
  /** As the room seals it: a value opens under the same context only. */
  context: (row: Row) => string;
}

/** What is good for minutes and begun again: not sealed anew but removed. */
export interface ShortLived {
  table: string;
  column: string;
}

const upstreamToken = (kind: 'access' | 'refresh') => (row: Row) =>
  `upstream_token:${kind}:${row.server_id}:${row.user_id}:${row.issuer}`;
const upstreamClient = (row: Row) => `upstream_client:${row.server_id}:${row.issuer}`;
const mcpServer = (what: string) => (row: Row) =>
  `mcp_server:${row.uuid}:${new URL(String(row.url)).origin}:${what}`;

type Place = Pick<SealedColumn, 'table' | 'key' | 'reads'>;
const server: Place = { table: 'mcp_servers', key: ['id'], reads: ['uuid', 'url'] };
const connection: Place = {
  table: 'upstream_connections',
  key: ['server_id', 'user_id'],
  reads: ['issuer'],
};
const revocation: Place = {
  table: 'upstream_revocations',
  key: ['id'],
  reads: ['server_id', 'user_id', 'issuer'],
};

/**
 * Every sealed column of every room, in one place: `authserver key reencrypt` works through them. A test
 * looks for columns that are missing here.
 */
export const sealedColumns: readonly SealedColumn[] = [
  {
    ...{ table: 'signing_keys', column: 'private_sealed', key: ['kid'] },
    context: ({ kid }) => `signing_key:${kid}`,
  },
  {
    ...{ table: 'identity_providers', column: 'client_secret_sealed', key: ['slug'] },
    reads: ['issuer'],
    context: ({ slug, issuer }) => `identity_provider:${slug}:${issuer}`,
  },
  {
    ...{ table: 'resources', column: 'claims_hook', member: 'sealed', key: ['uri'] },
    context: ({ uri }) => `claims_hook:${uri}`,
  },
  {
    ...{ table: 'idempotent_requests', column: 'answer_sealed', key: ['key_hash'] },
    context: ({ key_hash }) => `idempotent_answer:${key_hash}`,
  },
  { ...server, column: 'api_key_sealed', context: mcpServer('api_key') },
  { ...server, column: 'headers_sealed', context: mcpServer('headers') },
  { ...server, column: 'oauth_client_secret_sealed', context: mcpServer('oauth_client_secret') },
  {
    ...{ table: 'upstream_registrations', column: 'client_secret_sealed' },
    ...{ key: ['server_id', 'issuer'], context: upstreamClient },
  },
  { ...connection, column: 'access_sealed', context: upstreamToken('access') },
  { ...connection, column: 'refresh_sealed', context: upstreamToken('refresh') },
  { ...revocation, column: 'access_sealed', context: upstreamToken('access') },
  { ...revocation, column: 'refresh_sealed', context: upstreamToken('refresh') },
  { ...revocation, column: 'client_secret_sealed', context: upstreamClient },
];

export const shortLived: readonly ShortLived[] = [
  { table: 'provider_sign_ins', column: 'verifier_sealed' },
  { table: 'upstream_authorizations', column: 'verifier_sealed' },
];
