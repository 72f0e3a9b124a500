import { text } from 'node:stream/consumers';
import { Command } from 'commander';
import type { z } from 'zod';
import { issuances, tokens } from '../admin/contract/index.ts';
import type { AdminClient } from '../admin/index.ts';
import { all, ifThere, withAdmin } from './administration.ts';
import { CommandFailure } from './failure.ts';
import { type ConfigOption, configured } from './load.ts';
import {
  answerFields,
  type Column,
  type JsonOption,
  jsonFlag,
  print,
  printJson,
  table,
  when,
  withoutNulls,
} from './output.ts';
import { createToken, mintToken } from './token-create.ts';
import { findAccount } from './user-lookup.ts';

type PersonalToken = z.output<typeof tokens.get.answer>;
type Issuance = z.output<typeof issuances.get.answer>;

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
  { title: 'USER', value: (token) => token.username },
  { title: 'RESOURCE', value: (token) => token.resource },
  { title: 'WORKSPACE', value: (token) => token.workspace_id ?? undefined },
  { title: 'SCOPES', value: (token) => token.scope },
  { title: 'STATUS', value: (token) => token.status },
  { title: 'EXPIRES', value: (token) => when(token.expires_at) },
  { title: 'LAST USED', value: (token) => when(token.last_used_at) },
  { title: 'THROUGH', value: (token) => token.last_used_from ?? undefined },
  { title: 'ID', value: (token) => token.id },
];

function list(): Command {
  return configured('list', 'personal access tokens, newest first; never their values')
    .option('--user <user>', 'only those of this account: e-mail address or id')
    .option(...jsonFlag)
    .action(async (options: ConfigOption & JsonOption & { user?: string }) => {
      const found = await withAdmin(options, async (admin) => {
        const { user: who } = options;
        const sub = who === undefined ? undefined : (await findAccount(admin, who)).id;
        return all(admin.each(tokens.list, { sub, limit: 200 }));
      });
      if (options.json) return printJson(found.map(wire));
      print(
        table(
          found,
          columns,
          'There is no personal access token. People make them on their account page; authserver token create makes one for somebody.',
        ),
      );
    });
}

function show(): Command {
  return about('show', 'what a token is, from the record of its issuance')
    .option(...jsonFlag)
    .action(async (which: string, options: ConfigOption & JsonOption) => {
      const shown = await withAdmin(options, async (admin) => {
        const issued = await findIssued(admin, which);
        const { id } = issued;
        const isPersonal = issued.kind === 'personal_access_token';
        const personal = isPersonal
          ? await ifThere(admin.call(tokens.get, { params: { id } }))
          : undefined;
        return withoutNulls({ ...explained(issued), ...(personal && own(personal)) });
      });
      if (options.json) printJson(shown);
      else print(answerFields(shown));
    });
}

function revoke(): Command {
  return about(
    'revoke',
    'end a token and everything that was exchanged from it; a refresh token ends its authorization',
  ).action(async (which: string, options: ConfigOption) => {
    const { issued, count } = await withAdmin(options, async (admin) => {
      const issued = await findIssued(admin, which);
      const params = { id: issued.id };
      const { revoked } = await admin.call(issuances.revoke, { params });
      return { issued, count: revoked.length };
    });
    print(endingOf(issued, count));
  });
}

function endingOf({ jti, kind, family_id }: Issuance, count: number): string {
  if (count === 0) return `${jti} had ended before.`;
  if (kind === 'refresh_token' && family_id !== null) {
    return `The authorization ${family_id} of ${jti} has ended.`;
  }
  return `${jti} has ended${count > 1 ? `, and ${count - 1} exchanged from it` : ''}.`;
}

/** @throws CommandFailure where no record is found */
async function findIssued(admin: AdminClient, which: string): Promise<Issuance> {
  const given = which === '-' ? (await text(process.stdin)).trim() : which;
  for (const id of await identifiers(given)) {
    const issued = await ifThere(admin.call(issuances.get, { params: { id } }));
    if (issued) return issued;
  }
  throw new CommandFailure(
    'there is no record of such a token: it was never issued here, or retention.issuances is over',
  );
}

/** What a record may be found under: an id, or that of a value. Does NOT verify a signature. */
async function identifiers(given: string): Promise<string[]> {
  const { hashId } = await import('../db/index.ts');
  const { readOpaqueToken } = await import('../tokens/index.ts');
  if (readOpaqueToken(given) || given.startsWith('wsc_')) return [hashId(given)]; // a value is no id to be sent
  if (given.split('.').length !== 3) return [given, hashId(given)];
  const { decodeJwt } = await import('jose');
  try {
    const { jti } = decodeJwt(given);
    return jti === undefined ? [] : [jti];
  } catch {
    return [];
  }
}

function explained({ jti, status, username, root, ...issued }: Issuance) {
  const { parents: _, children: __, id: ___, ...rest } = issued;
  return {
    id: jti,
    status: status === 'active' || status === 'expired' ? status : 'ended',
    ...rest,
    user: username,
    root: root === jti ? null : root,
    revoked_at: null,
  };
}

/** What only a personal access token has. */
function own({ name, status, revoked_at, last_used_at, last_used_from }: PersonalToken) {
  const used = { last_used_at, last_used_through: last_used_from };
  return { name, ...(status === 'revoked' && { status }), revoked_at, ...used };
}

function wire({ sub, username, scope, last_used_from, ...token }: PersonalToken) {
  const who = { user_id: sub, user: username };
  const scopes = scope === '' ? [] : scope.split(' ');
  return withoutNulls({ ...token, ...who, scopes, last_used_through: last_used_from });
}

/** Ids may begin with a hyphen, which must not make options of them. */
function about(name: string, description: string): Command {
  return configured(name, description)
    .argument('<token>', 'its id; or its value, which - reads from standard input')
    .allowUnknownOption();
}
