import { type Command, Option } from 'commander';
import type { Role } from '../accounts/index.ts';
import { users } from '../admin/contract/index.ts';
import type { AdminClient } from '../admin/index.ts';
import { withAdmin } from './administration.ts';
import { type ConfigOption, configured } from './load.ts';
import { type JsonOption, jsonFlag, note, print, printJson } from './output.ts';
import { findAccount, idOfEmail } from './user-lookup.ts';

const roles: readonly Role[] = ['viewer', 'operator', 'owner'];

interface InviteOptions extends ConfigOption, JsonOption {
  role?: Role;
  name?: string;
  group?: string[];
}

/** `authserver user invite`: an account and the link with which its person chooses a password. */
export function inviteUser(): Command {
  return configured(
    'invite',
    'make an account, or take one without a password, and print a link with which its person chooses one; good once, for three days',
  )
    .argument('<email>', 'e-mail address, with which the person signs in')
    .option('--name <name>', 'how the person is shown')
    .addOption(
      new Option('--role <role>', 'role in the administration; default none').choices(roles),
    )
    .option('--group <group>', 'a group, for rules about access; may be repeated', collect)
    .option(...jsonFlag)
    .action(async (email: string, options: InviteOptions) => {
      const { name, role, group: groups } = options;
      const link = await withAdmin(options, (admin) =>
        invite(admin, { email, name, role, groups }),
      );
      show(link, options, `Give it to ${email} in a way that you trust. It works once.`);
    });
}

/** `authserver user reset-link` */
export function resetLink(): Command {
  return configured(
    'reset-link',
    'print a link with which somebody sets a new password; good once, for an hour',
  )
    .argument('<user>', 'e-mail address or id of the account')
    .option(...jsonFlag)
    .action(async (who: string, options: ConfigOption & JsonOption) => {
      const link = await withAdmin(options, async (admin) => {
        const { id } = await findAccount(admin, who);
        return admin.call(users.resetLink, { params: { id } });
      });
      show(link, options, 'Give it to them in a way that you trust. It works once.');
    });
}

interface ShownLink {
  url: string;
  expires_at: string;
}

type Invited = Pick<InviteOptions, 'name' | 'role'> & {
  email: string;
  groups: string[] | undefined;
};

/** Whoever has no password yet is invited again; their account stays as it is. */
async function invite(admin: AdminClient, person: Invited): Promise<ShownLink> {
  const id = await idOfEmail(admin, person.email);
  if (id !== undefined) return admin.call(users.invite, { params: { id } });
  const { invite } = await admin.call(users.create, { body: person });
  if (invite) return invite;
  throw new TypeError('no invitation was made');
}

function show(link: ShownLink, { json }: JsonOption, advice: string): void {
  if (json) printJson(link);
  else {
    print(link.url);
    note(advice);
  }
}

function collect(value: string, before: string[] = []): string[] {
  return [...before, value];
}
