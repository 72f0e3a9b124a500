import { type Command, Option } from 'commander';
import type { z } from 'zod';
import type { WorkspaceRole } from '../accounts/index.ts';
import { workspaces } from '../admin/contract/index.ts';
import type { AdminClient } from '../admin/index.ts';
import { withAdmin } from './administration.ts';
import { type ConfigOption, configured } from './load.ts';
import {
  type Column,
  type JsonOption,
  jsonFlag,
  print,
  printJson,
  table,
  when,
  withoutNulls,
} from './output.ts';
import { findAccount } from './user-lookup.ts';
import { findWorkspace } from './workspace-lookup.ts';

type Member = z.output<typeof workspaces.members.answer>['items'][number];

/** `authserver workspace add-member` */
export function addMember(): Command {
  return about('add-member', 'make somebody a member, or give a member another role')
    .argument('<user>', 'e-mail address or id of the account')
    .addOption(
      new Option('--role <role>', 'what they are in the workspace')
        .choices(['member', 'admin'])
        .default('member'),
    )
    .action(async (which: string, who: string, options: ConfigOption & { role: WorkspaceRole }) => {
      const { email, role } = await withAdmin(options, async (admin) => {
        const { id } = await findWorkspace(admin, which);
        const person = await findAccount(admin, who);
        const { role } = options;
        if (!person.workspaces.some((one) => one.id === id)) {
          const body = { user_id: person.id, role };
          return admin.call(workspaces.addMember, { params: { id }, body });
        }
        const params = { id, user_id: person.id };
        return admin.call(workspaces.changeMember, { params, body: { role } });
      });
      print(`${email} is ${role === 'admin' ? 'an admin' : 'a member'} of ${which}.`);
    });
}

/** `authserver workspace remove-member` */
export function removeMember(): Command {
  return about(
    'remove-member',
    'remove somebody; what they granted for this workspace ends, and their tokens for it',
  )
    .argument('<user>', 'e-mail address or id of the account')
    .action(async (which: string, who: string, options: ConfigOption) => {
      const { email } = await withAdmin(options, async (admin) =>
        admin.call(workspaces.removeMember, { params: await memberKey(admin, which, who) }),
      );
      print(`${email} is no member of ${which} any more.`);
    });
}

const columns: readonly Column<Member>[] = [
  { title: 'USER', value: (member) => member.email },
  { title: 'NAME', value: (member) => member.name ?? undefined },
  { title: 'ROLE', value: (member) => member.role },
  { title: 'ADDED BY', value: (member) => member.source },
  { title: 'SINCE', value: (member) => when(member.created_at) },
  { title: 'ID', value: (member) => member.id },
];

/** `authserver workspace members` */
export function members(): Command {
  return about('members', 'who is in a workspace, the latest first')
    .option(...jsonFlag)
    .action(async (which: string, options: ConfigOption & JsonOption) => {
      const found = await withAdmin(options, async (admin) => {
        const { id } = await findWorkspace(admin, which);
        return membersOf(admin, id);
      });
      if (options.json) return printJson(found.map(wire));
      print(
        table(
          found,
          columns,
          'Nobody is a member yet. Add somebody: authserver workspace add-member',
        ),
      );
    });
}

async function membersOf(admin: AdminClient, id: string): Promise<Member[]> {
  const found: Member[] = [];
  let cursor: string | undefined;
  do {
    const query = { limit: 200, cursor };
    const page = await admin.call(workspaces.members, { params: { id }, query });
    found.push(...page.items);
    cursor = page.next_cursor;
  } while (cursor !== undefined);
  return found;
}

async function memberKey(admin: AdminClient, which: string, who: string) {
  const { id } = await findWorkspace(admin, which);
  const { id: user_id } = await findAccount(admin, who);
  return { id, user_id };
}

function wire({ id, email, workspace_id, created_at, ...rest }: Member) {
  return withoutNulls({ user_id: id, user: email, ...rest, workspace_id, created_at });
}

function about(name: string, description: string): Command {
  return configured(name, description).argument('<workspace>', 'its slug or id');
}
