import { Command, Option } from 'commander';
import type { Accounts, Identity, Role, User } from '../accounts/index.ts';
import { type ConfigOption, configured } from './load.ts';
import {
  type Column,
  fields,
  type JsonOption,
  jsonFlag,
  note,
  print,
  printJson,
  table,
} from './output.ts';
import { type PasswordOption, passwordFlag, readPassword } from './password.ts';
import { withRooms } from './storage.ts';
import { linkUser, unlinkUser } from './user-identity.ts';
import { inviteUser, resetLink } from './user-links.ts';
import { changedBy, everyUser, findAccount } from './user-lookup.ts';

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
      const user = await withRooms(options, ({ accounts, now }) => {
        const input = { email, password, name, role, groups, source: 'cli' as const };
        return accounts.create(input, changedBy(now));
      });
      if (options.json) printJson(wire(user));
      else print(`${user.email} can sign in. Its id is ${user.id}.`);
    });
}

const columns: readonly Column<User>[] = [
  { title: 'EMAIL', value: (user) => user.email },
  { title: 'NAME', value: (user) => user.name },
  { title: 'ROLE', value: (user) => user.role },
  { title: 'STATUS', value: (user) => user.status },
  { title: 'LAST SIGN-IN', value: (user) => user.lastLoginAt },
  { title: 'ID', value: (user) => user.id },
];

function list(): Command {
  return configured('list', 'every account, by e-mail address')
    .option(...jsonFlag)
    .action(async (options: ConfigOption & JsonOption) => {
      const users = await withRooms(options, ({ accounts }) => everyone(accounts));
      if (options.json) return printJson(users.map(wire));
      print(
        table(
          users,
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
      const seen = await withRooms(options, async (rooms) => {
        const user = await findAccount(rooms, who);
        const identities = await rooms.accounts.identities.listFor(user.id);
        const sessions = await rooms.accounts.sessions.countFor(user.id);
        return { ...wire(user), sessions, identities: identities.map(wireIdentity) };
      });
      if (options.json) return printJson(seen);
      const names = seen.identities.map(({ issuer, subject }) => `${subject} at ${issuer}`);
      print(fields({ ...seen, identities: names.join(', ') || undefined }));
    });
}

function disable(): Command {
  return about('disable', 'refuse sign-in to an account, and end its sessions and tokens').action(
    async (who: string, options: ConfigOption) => {
      const user = await withRooms(options, async (rooms) => {
        const { id } = await findAccount(rooms, who);
        return rooms.accounts.disable(id, changedBy(rooms.now));
      });
      print(`${user.email} is disabled. Its sessions and tokens have ended.`);
    },
  );
}

function enable(): Command {
  return about('enable', 'let a disabled account sign in again').action(
    async (who: string, options: ConfigOption) => {
      const user = await withRooms(options, async (rooms) => {
        const { id } = await findAccount(rooms, who);
        return rooms.accounts.enable(id, changedBy(rooms.now));
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
      const user = await withRooms(options, async (rooms) => {
        const one = await findAccount(rooms, who);
        await rooms.accounts.setPassword(one.id, password, changedBy(rooms.now));
        return one;
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
    const { user, ended } = await withRooms(options, async (rooms) => {
      const one = await findAccount(rooms, who);
      const count = await rooms.accounts.sessions.endAllFor(one.id, changedBy(rooms.now));
      return { user: one, ended: count };
    });
    print(`${user.email} is signed out: ${ended} ${ended === 1 ? 'session' : 'sessions'} ended.`);
  });
}

function about(name: string, description: string): Command {
  return configured(name, description).argument('<user>', 'e-mail address or id of the account');
}

async function everyone(accounts: Accounts): Promise<User[]> {
  const users: User[] = [];
  for await (const user of everyUser(accounts)) users.push(user);
  return users;
}

function wireIdentity({ createdAt, lastUsedAt, ...key }: Identity) {
  return { ...key, created_at: createdAt, last_used_at: lastUsedAt };
}

function wire(user: User) {
  const { createdAt: created_at, lastLoginAt: last_login_at, ...rest } = user;
  return { ...rest, created_at, last_login_at };
}

function collect(value: string, before: string[] = []): string[] {
  return [...before, value];
}
