import { text } from 'node:stream/consumers';
import { Command } from 'commander';
import { decodeJwt } from 'jose';
import { hashId } from '../db/index.ts';
import type { Rooms } from '../rooms.ts';
import {
  endIssued,
  type IssuedToken,
  type PersonalToken,
  readOpaqueToken,
} from '../tokens/index.ts';
import { CommandFailure } from './failure.ts';
import { type ConfigOption, configured } from './load.ts';
import { operator } from './operator.ts';
import {
  type Column,
  fields,
  type JsonOption,
  jsonFlag,
  print,
  printJson,
  table,
} from './output.ts';
import { withRooms } from './storage.ts';
import { createToken, mintToken } from './token-create.ts';
import { findAccount } from './user-lookup.ts';

const pageSize = 200;

/** `authserver token …` */
export function tokenCommand(): Command {
  return new Command('token')
    .description('tokens: personal ones, and the record of every issued one')
    .addCommand(createToken())
    .addCommand(list())
    .addCommand(show())
    .addCommand(revoke())
    .addCommand(mintToken());
}

const columns: readonly Column<PersonalToken>[] = [
  { title: 'NAME', value: (token) => token.name },
  { title: 'USER', value: (token) => token.email },
  { title: 'RESOURCE', value: (token) => token.resource },
  { title: 'WORKSPACE', value: (token) => token.workspace?.name },
  { title: 'SCOPES', value: (token) => token.scopes },
  { title: 'STATUS', value: (token) => token.status },
  { title: 'EXPIRES', value: (token) => token.expiresAt },
  { title: 'LAST USED', value: (token) => token.lastUsedAt },
  { title: 'THROUGH', value: (token) => token.lastUsedFrom },
  { title: 'ID', value: (token) => token.id },
];

function list(): Command {
  return configured('list', 'personal access tokens, newest first; never their values')
    .option('--user <user>', 'only those of this account: e-mail address or id')
    .option(...jsonFlag)
    .action(async (options: ConfigOption & JsonOption & { user?: string }) => {
      const tokens = await withRooms(options, async (rooms) => {
        const who = options.user;
        return all(rooms, who === undefined ? undefined : (await findAccount(rooms, who)).id);
      });
      if (options.json) return printJson(tokens.map(wire));
      print(
        table(
          tokens,
          columns,
          'There is no personal access token. People make them on their account page; authserver token create makes one for somebody.',
        ),
      );
    });
}

async function all({ tokens, now }: Rooms, userId: string | undefined): Promise<PersonalToken[]> {
  const found: PersonalToken[] = [];
  let cursor: string | undefined;
  do {
    const which = { userId, cursor, limit: pageSize, now: now() };
    const page = await tokens.personal.list(which);
    found.push(...page.items);
    cursor = page.next_cursor;
  } while (cursor !== undefined);
  return found;
}

function show(): Command {
  return about('show', 'what a token is, from the record of its issuance')
    .option(...jsonFlag)
    .action(async (which: string, options: ConfigOption & JsonOption) => {
      const shown = await withRooms(options, async (rooms) => {
        const issued = await findIssued(rooms, which);
        const personal = await rooms.tokens.personal.find(issued.jti, rooms.now());
        return { ...explained(issued, rooms.now()), ...(personal && own(personal)) };
      });
      if (options.json) printJson(shown);
      else print(fields(shown));
    });
}

function revoke(): Command {
  return about(
    'revoke',
    'end a token and everything that was exchanged from it; a refresh token ends its authorization',
  ).action(async (which: string, options: ConfigOption) => {
    const { issued, count } = await withRooms(options, async (rooms) => {
      const issued = await findIssued(rooms, which);
      return { issued, count: await end(rooms, issued) };
    });
    print(endingOf(issued, count));
  });
}

function endingOf({ jti, kind, family_id }: IssuedToken, count: number): string {
  if (count === 0) return `${jti} had ended before.`;
  if (kind === 'refresh_token' && family_id !== null) {
    return `The authorization ${family_id} of ${jti} has ended.`;
  }
  return `${jti} has ended${count > 1 ? `, and ${count - 1} exchanged from it` : ''}.`;
}

/** @returns how many tokens ended just now */
async function end({ db, tokens, now }: Rooms, { jti }: IssuedToken): Promise<number> {
  const ended = await endIssued(
    { db, exchange: tokens.exchange },
    { jti, extent: 'token', ...operator(now()) },
  );
  return ended?.length ?? 0;
}

/** @throws CommandFailure where no record is found */
async function findIssued({ tokens }: Rooms, which: string): Promise<IssuedToken> {
  const given = which === '-' ? (await text(process.stdin)).trim() : which;
  for (const jti of identifiers(given)) {
    const issued = await tokens.exchange.issued(jti);
    if (issued) return issued;
  }
  throw new CommandFailure(
    'there is no record of such a token: it was never issued here, or retention.issuances is over',
  );
}

/** What a record may be found under: an id, or that of a value. Does NOT verify a signature. */
function identifiers(given: string): string[] {
  if (readOpaqueToken(given)) return [hashId(given)];
  if (given.split('.').length !== 3) return [given, hashId(given)];
  try {
    const { jti } = decodeJwt(given);
    return jti === undefined ? [] : [jti];
  } catch {
    return [];
  }
}

function explained(issued: IssuedToken, now: Date) {
  const { alive, username, jti, issued_at, expires_at } = issued;
  const ended = expires_at > now ? 'ended' : 'expired';
  return {
    id: jti,
    status: alive && expires_at > now ? 'active' : ended,
    kind: issued.kind,
    grant_type: issued.grant_type,
    token_type: issued.token_type,
    client_id: issued.client_id ?? undefined,
    sub: issued.sub,
    user: username ?? undefined,
    resource: issued.resource,
    scope: issued.scope,
    ...{ issued_at, expires_at },
    jkt: issued.jkt ?? undefined,
    workspace_id: issued.workspace_id ?? undefined,
    parent: issued.parent_jti ?? undefined,
    root: issued.root_jti === jti ? undefined : (issued.root_jti ?? undefined),
    grant_id: issued.grant_id ?? undefined,
    family_id: issued.family_id ?? undefined,
  };
}

/** What only a personal access token has. */
function own({ name, status, revokedAt, lastUsedAt, lastUsedFrom }: PersonalToken) {
  const used = { last_used_at: lastUsedAt, last_used_through: lastUsedFrom };
  return { name, ...(status === 'revoked' && { status }), revoked_at: revokedAt, ...used };
}

function wire(token: PersonalToken) {
  const { id, userId, email, resource, scopes, createdAt, expiresAt, status, ...rest } = token;
  return {
    ...{ id, name: rest.name, user_id: userId, user: email, resource, scopes, status },
    workspace_id: rest.workspace?.id,
    created_at: createdAt,
    expires_at: expiresAt,
    revoked_at: rest.revokedAt,
    last_used_at: rest.lastUsedAt,
    last_used_through: rest.lastUsedFrom,
  };
}

/** Ids may begin with a hyphen, which must not make options of them. */
function about(name: string, description: string): Command {
  return configured(name, description)
    .argument('<token>', 'its id; or its value, which - reads from standard input')
    .allowUnknownOption();
}
