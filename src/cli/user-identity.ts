import type { Command } from 'commander';
import type { Rooms } from '../rooms.ts';
import { CommandFailure } from './failure.ts';
import { type ConfigOption, configured } from './load.ts';
import { note, print } from './output.ts';
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
      const { user, trusted } = await withRooms(options, async (rooms) => {
        const { id } = await findAccount(rooms, who);
        const user = await rooms.accounts.identities.link(id, key, changedBy(rooms.now));
        return { user, trusted: isTrusted(key.issuer, rooms) };
      });
      print(`${user.email} is ${key.subject} at ${key.issuer} from now on.`);
      if (!trusted) {
        note(
          `Warning: ${key.issuer} is not trusted, so this link opens nothing yet. authserver trusted-issuer list shows the issuers that are; they are compared byte for byte.`,
        );
      }
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

function isTrusted(issuer: string, { trustedIssuers }: Pick<Rooms, 'trustedIssuers'>): boolean {
  return trustedIssuers.all().some((one) => one.issuer === issuer && one.enabled);
}

/** @throws CommandFailure for what no assertion can have */
function keyOf({ issuer, subject }: IdentityOptions) {
  if (!URL.canParse(issuer)) throw new CommandFailure('--issuer must be a URL');
  if (subject === '' || subject.length > 255) {
    throw new CommandFailure('--subject must have 1 to 255 characters');
  }
  return { issuer, subject };
}
