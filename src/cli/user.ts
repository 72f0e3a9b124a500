import { Command, Option } from 'commander';
import type { z } from 'zod';
import type { Role } from '../accounts/index.ts';
import { users } from '../admin/contract/index.ts';
import { all, withAdmin } from './administration.ts';
import { type ConfigOption, configured } from './load.ts';
import {
  answerFields,
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
import { type PasswordOption, passwordFlag, readPassword } from './password.ts';
import { linkUser, unlinkUser } from './user-identity.ts';
import { inviteUser, resetLink } from './user-links.ts';
import { type Account, findAccount } from './user-lookup.ts';

const roles: readonly Role[] = ['viewer', 'operator', 'owner'];

/** `authserver user …` */
export function userCommand(): Command {
  return new Command('user')
    .description('people who sign in')
    .addCommand(create())
    .addCommand(inviteUser())
    .addCommand(list())
    .addCommand(show())
    .addCommand(disable())
    .addCommand(enable())
    .addCommand(setPassword())
    .addCommand(resetLink())
    .addCommand(signOut())
    .addCommand(linkUser())
    .addCommand(unlinkUser());
}

interface CreateOptions extends ConfigOption, JsonOption, PasswordOption {
  role?: Role;
  name?: string;
  group?: string[];
  /** False with `--no-password`. */
  password: boolean;
}

function create(): Command {
  return configured('create', 'make an account; the password is asked for')
    .argument('<email>', 'e-mail address, with which the person signs in')
    .option('--name <name>', 'how the person is shown')
    .addOption(
      new Option('--role <role>', 'role in the administration; default none').choices(roles),
    )
    .option('--group <group>', 'a group, for rules about access; may be repeated', collect)
    .option(...passwordFlag)
    .option('--no-password', 'for someone who signs in through an identity provider only')
    .option(...jsonFlag)
    .action(async (email: string, options: CreateOptions) => {
      const password = options.password ? await readPassword(options) : undefined;
      const { name, role, group: groups } = options;
      const user = await withAdmin(options, (admin) => {
        const body = { email, password, name, role, groups, invite: false };
        return admin.call(users.create, { body });
      });
      if (options.json) printJson(wire(user));
      else print(`${user.email} can sign in. Its id is ${user.id}.`);
    });
}

const columns: readonly Column<z.output<typeof users.list.answer>['items'][number]>[] = [
  { title: 'EMAIL', value: (user) => user.email },
  { title: 'NAME', value: (user) => user.name ?? undefined },
  { title: 'ROLE', value: (user) => user.role ?? undefined },
  { title: 'STATUS', value: (user) => user.status },
  { title: 'LAST SIGN-IN', value: (user) => when(user.last_login_at) },
  { title: 'ID', value: (user) => user.id },
];

function list(): Command {
  return configured('list', 'every account, by e-mail address')
    .option(...jsonFlag)
    .action(async (options: ConfigOption & JsonOption) => {
      const people = await withAdmin(options, (admin) =>
        all(admin.each(users.list, { sort: 'email', limit: 200 })),
      );
      if (options.json) return printJson(withoutNulls(people));
      print(
        table(
          people,
          columns,
          'There is no account yet. Make the first one with: authserver user create EMAIL --role owner',
        ),
      );
    });
}

function show(): Command {
  return about('show', 'one account')
    .option(...jsonFlag)
    .action(async (who: string, options: ConfigOption & JsonOption) => {
      const seen = await withAdmin(options, (admin) => findAccount(admin, who));
      if (options.json) return printJson(wire(seen));
      const names = seen.identities.map(({ issuer, subject }) => `${subject} at ${issuer}`);
      const spaces = seen.workspaces.map(({ slug, role }) => `${slug} (${role})`);
      const lists = { identities: names.join(', ') || null, workspaces: spaces.join(', ') || null };
      print(answerFields({ ...wire(seen), ...lists }));
    });
}

function disable(): Command {
  return about('disable', 'refuse sign-in to an account, and end its sessions and tokens').action(
    async (who: string, options: ConfigOption) => {
      const user = await withAdmin(options, async (admin) => {
        const { id } = await findAccount(admin, who);
        return admin.call(users.disable, { params: { id } });
      });
      print(`${user.email} is disabled. Its sessions and tokens have ended.`);
    },
  );
}

function enable(): Command {
  return about('enable', 'let a disabled account sign in again').action(
    async (who: string, options: ConfigOption) => {
      const user = await withAdmin(options, async (admin) => {
        const { id } = await findAccount(admin, who);
        return admin.call(users.enable, { params: { id } });
      });
      print(`${user.email} can sign in again.`);
    },
  );
}

function setPassword(): Command {
  return about('set-password', 'set a new password, which is asked for; ends its sessions')
    .option(...passwordFlag)
    .action(async (who: string, options: ConfigOption & PasswordOption) => {
      const password = await readPassword(options);
      const user = await withAdmin(options, async (admin) => {
        const { id } = await findAccount(admin, who);
        return admin.call(users.setPassword, { params: { id }, body: { password } });
      });
      print(`${user.email} has a new password and is signed out everywhere.`);
      if (user.source === 'config') {
        note(
          'The configuration declares this account: a password there replaces this one at start.',
        );
      }
    });
}

function signOut(): Command {
  return about(
    'sign-out',
    'end every session of an account; its applications stay connected',
  ).action(async (who: string, options: ConfigOption) => {
    const user = await withAdmin(options, async (admin) => {
      const { id } = await findAccount(admin, who);
      return admin.call(users.signOut, { params: { id } });
    });
    const { ended } = user;
    print(`${user.email} is signed out: ${ended} ${ended === 1 ? 'session' : 'sessions'} ended.`);
  });
}

function about(name: string, description: string): Command {
  return configured(name, description).argument('<user>', 'e-mail address or id of the account');
}

function wire({ version: _, ...user }: Account) {
  return withoutNulls(user);
}

function collect(value: string, before: string[] = []): string[] {
  return [...before, value];
}
