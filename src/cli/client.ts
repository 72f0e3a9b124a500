import { Command, Option } from 'commander';
import { clients } from '../admin/contract/index.ts';
import type { AdminClient } from '../admin/index.ts';
import { ifThere, withAdmin } from './administration.ts';
import { createClient, initialAccessToken } from './client-create.ts';
import {
  type Client,
  clientColumns,
  clientFields,
  type ListedClient,
  wireClient,
} from './client-shown.ts';
import { CommandFailure, wrongCall } from './failure.ts';
import { type ConfigOption, configured } from './load.ts';
import { type JsonOption, jsonFlag, note, print, printJson, table } from './output.ts';

/** `authserver client …` */
export function clientCommand(): Command {
  return new Command('client')
    .description('programs that ask for tokens')
    .addCommand(createClient())
    .addCommand(list())
    .addCommand(show())
    .addCommand(rotateSecret())
    .addCommand(suspend())
    .addCommand(resume())
    .addCommand(remove())
    .addCommand(initialAccessToken());
}

interface ListOptions extends ConfigOption, JsonOption {
  kind?: Client['kind'];
  status?: Client['status'];
  search?: string;
  limit: string;
}

function list(): Command {
  return configured('list', 'clients, the newest first')
    .addOption(
      new Option(
        '--kind <kind>',
        'made by an operator, self-registered, or known by a document',
      ).choices(['preregistered', 'dcr', 'cimd']),
    )
    .addOption(new Option('--status <status>').choices(['active', 'suspended']))
    .option('--search <text>', 'how the id, name or document host begins')
    .option('--limit <number>', 'how many at most', '100')
    .option(...jsonFlag)
    .action(async (options: ListOptions) => {
      const limit = Number(options.limit);
      if (!Number.isInteger(limit) || limit < 1)
        throw wrongCall('--limit takes a whole number, 1 or more');
      const { rows, more, details } = await withAdmin(options, async (admin) => {
        const found = await read(admin, options, limit);
        return { ...found, details: options.json ? await detailsOf(admin, found.rows) : [] };
      });
      if (options.json) printJson(details.map(wireClient));
      else print(table(rows, clientColumns, empty(options)));
      if (more) note(`There are more than ${limit}: narrow it down, or raise --limit.`);
    });
}

async function read(
  admin: AdminClient,
  { kind, status, search: q }: ListOptions,
  limit: number,
): Promise<{ rows: ListedClient[]; more: boolean }> {
  const rows: ListedClient[] = [];
  let cursor: string | undefined;
  do {
    const wanted = Math.min(200, limit - rows.length);
    const query = { kind, status, q, cursor, limit: wanted };
    const page = await admin.call(clients.list, { query });
    rows.push(...page.items);
    cursor = page.next_cursor;
  } while (cursor !== undefined && rows.length < limit);
  return { rows, more: cursor !== undefined };
}

/** A list has not all that a program may want to know. */
async function detailsOf(admin: AdminClient, rows: readonly ListedClient[]): Promise<Client[]> {
  const found: Client[] = [];
  for (const { id } of rows) {
    const client = await ifThere(admin.call(clients.get, { params: { id } }));
    if (client) found.push(client);
  }
  return found;
}

function empty({ kind, status, search }: ListOptions): string {
  if (kind ?? status ?? search) return 'No client matches.';
  return 'There is no client yet. MCP clients register by themselves when they first connect; make one with: authserver client create --redirect-uri URI';
}

function show(): Command {
  return about('show', 'one client')
    .option(...jsonFlag)
    .action(async (id: string, options: ConfigOption & JsonOption) => {
      const client = await withAdmin(options, (admin) => find(admin, id));
      if (options.json) printJson(wireClient(client));
      else print(clientFields(client));
    });
}

function rotateSecret(): Command {
  return about(
    'rotate-secret',
    'give a client a new secret, shown once; the old one stays good too',
  )
    .option('--now', 'let the old secret end at once')
    .option(...jsonFlag)
    .action(async (id: string, options: ConfigOption & JsonOption & { now?: boolean }) => {
      const old_secret = options.now ? 'end' : 'overlap';
      const { client_secret, old_secret_until: until } = await withAdmin(options, async (admin) => {
        const { client_id } = await find(admin, id);
        const params = { id: client_id };
        return admin.call(clients.rotateSecret, { params, body: { old_secret } });
      });
      if (options.json) printJson({ client_id: id, client_secret });
      else print(client_secret);
      note(
        until === null
          ? 'It is shown only now. The old secret has ended.'
          : `It is shown only now. The secret before it stays good until ${until}; --now ends it.`,
      );
    });
}

function suspend(): Command {
  return about('suspend', 'refuse a client until it is resumed')
    .option('--reason <text>', 'for the audit log')
    .action(async (id: string, options: ConfigOption & { reason?: string }) => {
      const { reason } = options;
      const known = await withAdmin(options, (admin) =>
        ifThere(admin.call(clients.suspend, { params: { id }, body: { reason } })),
      );
      if (!known) throw unknown(id);
      print(`${id} is suspended.`);
    });
}

function resume(): Command {
  return about('resume', 'let a suspended client ask for tokens again')
    .option('--reason <text>', 'for the audit log')
    .action(async (id: string, options: ConfigOption & { reason?: string }) => {
      const { reason } = options;
      const known = await withAdmin(options, (admin) =>
        ifThere(admin.call(clients.resume, { params: { id }, body: { reason } })),
      );
      if (!known) throw unknown(id);
      print(`${id} is active.`);
    });
}

function remove(): Command {
  return about('remove', 'remove a client and end what it was granted')
    .option('--reason <text>', 'for the audit log')
    .action(async (id: string, options: ConfigOption & { reason?: string }) => {
      const { reason } = options;
      const client = await withAdmin(options, async (admin) => {
        const known = await find(admin, id);
        await admin.call(clients.remove, { params: { id }, query: { reason } });
        return known;
      });
      print(`${id} is removed. Its tokens have ended.`);
      declaredNote(client);
    });
}

function declaredNote({ source, client_id: id }: Client): void {
  if (source !== 'config') return;
  note(`The configuration declares ${id}, and the next start applies it again: change it there.`);
}

/** @throws CommandFailure */
async function find(admin: AdminClient, id: string): Promise<Client> {
  const client = await ifThere(admin.call(clients.get, { params: { id } }));
  if (!client) throw unknown(id);
  return client;
}

function about(name: string, description: string): Command {
  return configured(name, description).argument('<client_id>');
}

function unknown(id: string): CommandFailure {
  return new CommandFailure(`there is no client ${id}. authserver client list shows all of them`);
}
