import { Command, Option } from 'commander';
import type { Client } from '../clients/index.ts';
import type { Rooms } from '../rooms.ts';
import { createClient, initialAccessToken } from './client-create.ts';
import { clientColumns, clientFields, wireClient } from './client-shown.ts';
import { CommandFailure, wrongCall } from './failure.ts';
import { type ConfigOption, configured } from './load.ts';
import { operator } from './operator.ts';
import { type JsonOption, jsonFlag, note, print, printJson, table } from './output.ts';
import { withRooms } from './storage.ts';

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
      const { clients, more } = await withRooms(options, (rooms) => read(rooms, options, limit));
      if (options.json) printJson(clients.map(wireClient));
      else print(table(clients, clientColumns, empty(options)));
      if (more) note(`There are more than ${limit}: narrow it down, or raise --limit.`);
    });
}

async function read(
  { clients }: Pick<Rooms, 'clients'>,
  { kind, status, search: q }: ListOptions,
  limit: number,
): Promise<{ clients: Client[]; more: boolean }> {
  const found: Client[] = [];
  let cursor: string | undefined;
  do {
    const wanted = Math.min(200, limit - found.length);
    const page = await clients.list({ kind, status, q, cursor, limit: wanted });
    found.push(...page.items);
    cursor = page.next_cursor;
  } while (cursor !== undefined && found.length < limit);
  return { clients: found, more: cursor !== undefined };
}

function empty({ kind, status, search }: ListOptions): string {
  if (kind ?? status ?? search) return 'No client matches.';
  return 'There is no client yet. MCP clients register by themselves when they first connect; make one with: authserver client create --redirect-uri URI';
}

function show(): Command {
  return about('show', 'one client')
    .option(...jsonFlag)
    .action(async (id: string, options: ConfigOption & JsonOption) => {
      const client = await withRooms(options, ({ clients }) =>
        clients.find(id, { refresh: false }),
      );
      if (!client) throw unknown(id);
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
      const { client, secret } = await withRooms(options, async ({ clients, now }) => {
        const by = operator(now());
        const client = await clients.find(id, { refresh: false });
        const secret = client && (await clients.rotateSecret(id, by));
        if (secret && options.now) await clients.endSecretOverlap(id, by);
        return { client, secret };
      });
      if (!client) throw unknown(id);
      if (!secret) throw noSecret(client);
      if (options.json) printJson({ client_id: id, client_secret: secret });
      else print(secret);
      note(
        options.now
          ? 'It is shown only now. The old secret has ended.'
          : 'It is shown only now. The secret before it stays good until the next rotation; --now ends it.',
      );
      declaredNote(client);
    });
}

function noSecret({ clientId, metadata }: Client): CommandFailure {
  const method = metadata.token_endpoint_auth_method;
  return new CommandFailure(
    `${clientId} has no secret, since its token_endpoint_auth_method is ${method}. Make a client with --auth-method client_secret_basic for one with a secret`,
  );
}

function suspend(): Command {
  return about('suspend', 'refuse a client until it is resumed')
    .option('--reason <text>', 'for the audit log')
    .action(async (id: string, options: ConfigOption & { reason?: string }) => {
      const { reason } = options;
      const known = await withRooms(options, ({ clients, now }) =>
        clients.suspend(id, operator(now()), reason),
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
      const known = await withRooms(options, ({ clients, now }) =>
        clients.resume(id, operator(now()), reason),
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
      const client = await withRooms(options, async ({ clients, now }) => {
        const known = await clients.find(id, { refresh: false });
        return (await clients.remove(id, operator(now()), { reason })) ? known : undefined;
      });
      if (!client) throw unknown(id);
      print(`${id} is removed. Its tokens have ended.`);
      declaredNote(client);
    });
}

function declaredNote({ source, clientId }: Client): void {
  if (source !== 'config') return;
  note(
    `The configuration declares ${clientId}, and the next start applies it again: change it there.`,
  );
}

function about(name: string, description: string): Command {
  return configured(name, description).argument('<client_id>');
}

function unknown(id: string): CommandFailure {
  return new CommandFailure(`there is no client ${id}. authserver client list shows all of them`);
}
