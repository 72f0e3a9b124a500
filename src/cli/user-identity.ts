import type { Command } from 'commander';
import { CommandFailure } from './failure.ts';
import { type ConfigOption, configured } from './load.ts';
import { print } from './output.ts';
import { withRooms } from './storage.ts';
import { changedBy, findAccount } from './user-lookup.ts';

interface IdentityOptions extends ConfigOption {
  issuer: string;
  subject: string;
}

/** `authserver user link`: says by hand who somebody is at an issuer. */
export function linkUser(): Command {
  return identityCommand('link', 'say who an account is at another issuer').action(
    async (who: string, options: IdentityOptions) => {
      const key = keyOf(options);
      const user = await withRooms(options, async (rooms) => {
        const { id } = await findAccount(rooms, who);
        return rooms.accounts.identities.link(id, key, changedBy(rooms.now));
      });
      print(`${user.email} is ${key.subject} at ${key.issuer} from now on.`);
    },
  );
}

/** `authserver user unlink` */
export function unlinkUser(): Command {
  return identityCommand('unlink', 'forget who an account is at another issuer').action(
    async (who: string, options: IdentityOptions) => {
      const key = keyOf(options);
      const user = await withRooms(options, async (rooms) => {
        const one = await findAccount(rooms, who);
        await rooms.accounts.identities.unlink(one.id, key, changedBy(rooms.now));
        return one;
      });
      print(`${user.email} is no longer ${key.subject} at ${key.issuer}.`);
    },
  );
}

function identityCommand(name: string, description: string): Command {
  return configured(name, description)
    .argument('<user>', 'e-mail address or id of the account')
    .requiredOption('--issuer <url>', '`iss` of the issuer, byte for byte')
    .requiredOption('--subject <sub>', '`sub` of the person there');
}

/** @throws CommandFailure for what no assertion can have */
function keyOf({ issuer, subject }: IdentityOptions) {
  if (!URL.canParse(issuer)) throw new CommandFailure('--issuer must be a URL');
  if (subject === '' || subject.length > 255) {
    throw new CommandFailure('--subject must have 1 to 255 characters');
  }
  return { issuer, subject };
}
