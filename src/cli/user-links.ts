import { type Command, Option } from 'commander';
import type { NewUser, Role } from '../accounts/index.ts';
import type { Config } from '../config/index.ts';
import type { Rooms } from '../rooms.ts';
import { type ConfigOption, configured } from './load.ts';
import { type JsonOption, jsonFlag, note, print, printJson } from './output.ts';
import { withRooms } from './storage.ts';
import { changedBy, findAccount } from './user-lookup.ts';

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
      const link = await withRooms(options, (rooms, config) =>
        invite(rooms, config, { email, name, role, groups, source: 'cli' }),
      );
      show(link, options, `Give it to ${email} on a way that you trust. It works once.`);
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
      const link = await withRooms(options, async (rooms, config) => {
        const { id } = await findAccount(rooms, who);
        const { passwordLinks } = rooms.accounts;
        return shown(config, await passwordLinks.create(id, 'reset', changedBy(rooms.now)));
      });
      show(link, options, 'Give it to them on a way that you trust. It works once.');
    });
}

interface ShownLink {
  url: string;
  expires_at: Date;
}

/** Whoever has no password yet is invited again; their account stays as it is. */
async function invite(
  rooms: Rooms,
  config: Config,
  person: Omit<NewUser, 'password'>,
): Promise<ShownLink> {
  const { passwordLinks, findByEmail } = rooms.accounts;
  const known = await findByEmail(person.email);
  const by = changedBy(rooms.now);
  if (known) return shown(config, await passwordLinks.create(known.id, 'invite', by));
  return shown(config, (await passwordLinks.invite(person, by)).link);
}

async function shown(
  { server }: Config,
  { token, expiresAt }: { token: string; expiresAt: Date },
): Promise<ShownLink> {
  const { passwordLinkUrl } = await import('../admin/index.ts');
  return { url: passwordLinkUrl(server.issuer, token), expires_at: expiresAt };
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
