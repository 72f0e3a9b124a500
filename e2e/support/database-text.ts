import { Client } from 'pg';

/** Everything that a Postgres database holds, every row of every table as text. */
export async function databaseAsText(dsn: string): Promise<string> {
  return query(dsn, async (client) => {
    const tables = await client.query<{ name: string }>(
      `select format('%I.%I', schemaname, tablename) as name from pg_tables
       where schemaname not in ('pg_catalog', 'information_schema')`,
    );
    const lines: string[] = [];
    for (const { name } of tables.rows) {
      const rows = await client.query<{ line: string }>(`select t::text as line from ${name} t`);
      lines.push(name, ...rows.rows.map(({ line }) => line));
    }
    return lines.join('\n');
  });
}

/** Lets the access token that somebody has at another server end now. */
export async function expireConnection(dsn: string, serverId: number): Promise<void> {
  await query(dsn, (client) =>
    client.query(
      `update upstream_connections set expires_at = now() - interval '1 second' where server_id = $1`,
      [serverId],
    ),
  );
}

async function query<T>(dsn: string, work: (client: Client) => Promise<T>): Promise<T> {
  const client = new Client({ connectionString: dsn });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}
