import { Command } from 'commander';
import type { z } from 'zod';
import { workspaceCredentials as contract } from '../admin/contract/index.ts';
import type { AdminClient } from '../admin/index.ts';
import { withAdmin } from './administration.ts';
import { type ConfigOption, configured } from './load.ts';
import {
  type Column,
  type JsonOption,
  jsonFlag,
  note,
  print,
  printJson,
  table,
  when,
  withoutNulls,
} from './output.ts';
import { findResource } from './token-subjects.ts';
import { findAccount } from './user-lookup.ts';
import { findWorkspace } from './workspace-lookup.ts';

type Credential = z.output<typeof contract.get.answer>;
type NewCredential = z.output<typeof contract.create.answer>;

interface WhatFor extends ConfigOption, JsonOption {
  user: string;
  resource: string;
}

/** `authserver workspace credentials …` */
export function credentials(): Command {
  return new Command('credentials')
    .description('what clients that know no OAuth present for a workspace')
    .addCommand(list())
    .addCommand(create())
    .addCommand(regenerate())
    .addCommand(revoke());
}

const columns: readonly Column<Credential>[] = [
  { title: 'ID', value: (credential) => credential.id },
  { title: 'NAME', value: (credential) => credential.label },
  { title: 'KIND', value: (credential) => credential.kind },
  { title: 'ACTS FOR', value: (credential) => credential.username },
  { title: 'RESOURCE', value: (credential) => credential.resource },
  { title: 'STATUS', value: (credential) => credential.status },
  { title: 'CREATED', value: (credential) => when(credential.created_at) },
  { title: 'LAST USED', value: (credential) => when(credential.last_used_at) },
  { title: 'THROUGH', value: (credential) => credential.last_used_from ?? undefined },
];

function list(): Command {
  return about('list', 'the credentials of a workspace, newest first; never their values')
    .option('--all', 'those that have ended too')
    .option(...jsonFlag)
    .action(async (which: string, options: ConfigOption & JsonOption & { all?: boolean }) => {
      const found = await withAdmin(options, async (admin) => {
        const { id } = await findWorkspace(admin, which);
        return credentialsOf(admin, id, options.all ? undefined : 'active');
      });
      if (options.json) return printJson(found.map(wire));
      print(
        table(
          found,
          columns,
          'There is no credential. Admins of the workspace make them on its page; authserver workspace credentials regenerate makes its default one.',
        ),
      );
    });
}

async function credentialsOf(
  admin: AdminClient,
  id: string,
  status: Credential['status'] | undefined,
): Promise<Credential[]> {
  const found: Credential[] = [];
  let cursor: string | undefined;
  do {
    const query = { limit: 200, status, cursor };
    const page = await admin.call(contract.list, { params: { id }, query });
    found.push(...page.items);
    cursor = page.next_cursor;
  } while (cursor !== undefined);
  return found;
}

function create(): Command {
  return whatFor(about('create', 'make one for a single client of a member; shown once'))
    .requiredOption('--label <label>', 'where it will be used')
    .action(async (which: string, options: WhatFor & { label: string }) => {
      const made = await withAdmin(options, async (admin) => {
        const { params, body } = await request(admin, which, options);
        return admin.call(contract.create, { params, body: { ...body, label: options.label } });
      });
      show(made, options);
    });
}

function regenerate(): Command {
  return whatFor(
    about('regenerate', 'make the default one; the default before it ends at once. Shown once'),
  ).action(async (which: string, options: WhatFor) => {
    const made = await withAdmin(options, async (admin) =>
      admin.call(contract.regenerate, await request(admin, which, options)),
    );
    show(made, options);
  });
}

function revoke(): Command {
  return about('revoke', 'end a credential and everything that was exchanged from it')
    .argument('<credential-id>', 'the part of the credential before the dot')
    .action(async (which: string, credential: string, options: ConfigOption) => {
      const ended = await withAdmin(options, async (admin) => {
        const { id } = await findWorkspace(admin, which);
        const [credential_id = ''] = credential.split('.'); // whoever pastes all of it sends no secret
        return admin.call(contract.revoke, { params: { id, credential_id } });
      });
      print(`${ended.id} (${ended.label}) has ended.`);
    });
}

async function request(admin: AdminClient, which: string, { user, resource }: WhatFor) {
  const { id } = await findWorkspace(admin, which);
  const person = await findAccount(admin, user);
  return {
    params: { id },
    body: { sub: person.id, resource: await findResource(admin, resource) },
  };
}

function show(made: NewCredential, { json }: JsonOption): void {
  if (json) printJson(wire(made));
  else print(made.credential);
  note(`It is shown only now. It acts for ${made.username} at ${made.resource} until it is ended.`);
}

function wire({ sub, username, last_used_from, ...credential }: Credential) {
  const who = { user_id: sub, user: username };
  return withoutNulls({ ...credential, ...who, last_used_through: last_used_from });
}

function whatFor(command: Command): Command {
  return command
    .requiredOption('--user <user>', 'the member whom it acts for: e-mail address or id')
    .requiredOption('--resource <resource>', 'what it is for: slug, URI or alias')
    .option(...jsonFlag);
}

function about(name: string, description: string): Command {
  return configured(name, description).argument('<workspace>', 'its slug or id');
}
