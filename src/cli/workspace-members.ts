import { type Command, Option } from 'commander';
import type { Member, WorkspaceRole } from '../accounts/index.ts';
import type { Rooms } from '../rooms.ts';
import { type ConfigOption, configured } from './load.ts';
import { type Column, type JsonOption, jsonFlag, print, printJson, table } from './output.ts';
import { withRooms } from './storage.ts';
import { changedBy, findAccount } from './user-lookup.ts';
import { findWorkspace } from './workspace-lookup.ts';

const pageSize = 200;

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
      const { email, role } = await withRooms(options, async (rooms) => {
        const { workspaces, now } = rooms;
        const key = await memberKey(rooms, which, who);
        const { role } = options;
        const by = changedBy(now);
        if (await workspaces.member(key)) return workspaces.setRole({ ...key, role }, by);
        const { workspaceId, userId: id } = key;
        return workspaces.addMember({ workspaceId, who: { id }, role, source: 'cli' }, by);
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
      const { email } = await withRooms(options, async (rooms) =>
        rooms.workspaces.removeMember(await memberKey(rooms, which, who), changedBy(rooms.now)),
      );
      print(`${email} is no member of ${which} any more.`);
    });
}

const columns: readonly Column<Member>[] = [
  { title: 'USER', value: (member) => member.email },
  { title: 'NAME', value: (member) => member.name },
  { title: 'ROLE', value: (member) => member.role },
  { title: 'ADDED BY', value: (member) => member.source },
  { title: 'SINCE', value: (member) => member.createdAt },
  { title: 'ID', value: (member) => member.userId },
];

/** `authserver workspace members` */
export function members(): Command {
  return about('members', 'who is in a workspace, the latest first')
    .option(...jsonFlag)
    .action(async (which: string, options: ConfigOption & JsonOption) => {
      const found = await withRooms(options, (rooms) => all(rooms, which));
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

async function all(rooms: Rooms, which: string): Promise<Member[]> {
  const { id: workspaceId } = await findWorkspace(rooms, which);
  const found: Member[] = [];
  let cursor: string | undefined;
  do {
    const page = await rooms.workspaces.members({ workspaceId, cursor, limit: pageSize });
    found.push(...page.items);
    cursor = page.next_cursor;
  } while (cursor !== undefined);
  return found;
}

async function memberKey(rooms: Rooms, which: string, who: string) {
  const { id: workspaceId } = await findWorkspace(rooms, which);
  const { id: userId } = await findAccount(rooms, who);
  return { workspaceId, userId };
}

function wire({ userId, workspaceId, email, name, role, source, createdAt }: Member) {
  const member = { user_id: userId, user: email, name, role, source };
  return { ...member, workspace_id: workspaceId, created_at: createdAt };
}

function about(name: string, description: string): Command {
  return configured(name, description).argument('<workspace>', 'its slug or id');
}
