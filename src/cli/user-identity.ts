import type { Command } from 'commander';
import { trustedIssuers, users } from '../admin/contract/index.ts';
import type { AdminClient } from '../admin/index.ts';
import { withAdmin } from './administration.ts';
import { CommandFailure } from './failure.ts';
import { type ConfigOption, configured } from './load.ts';
import { note, print } from './output.ts';
import { findAccount } from './user-lookup.ts';

interface IdentityOptions extends ConfigOption {
  issuer: string;
  subject: string;
}

/** `authserver user link`: says by hand who somebody is at an issuer. */
export function linkUser(): Command {
  return identityCommand('link', 'say who an account is at another issuer').action(
    async (who: string, options: IdentityOptions) => {
      const key = keyOf(options);
      const { user, trusted } = await withAdmin(options, async (admin) => {
        const { id } = await findAccount(admin, who);
        const user = await admin.call(users.link, { params: { id }, body: key });
        return { user, trusted: await isTrusted(key.issuer, admin) };
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
      const user = await withAdmin(options, async (admin) => {
        const { id } = await findAccount(admin, who);
        return admin.call(users.unlink, { params: { id }, query: key });
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

async function isTrusted(issuer: string, admin: AdminClient): Promise<boolean> {
  for await (const one of admin.each(trustedIssuers.list, { enabled: 'true' })) {
    if (one.issuer === issuer) return true;
  }
  return false;
}

/** @throws CommandFailure for what no assertion can have */
function keyOf({ issuer, subject }: IdentityOptions) {
  if (!URL.canParse(issuer)) throw new CommandFailure('--issuer must be a URL');
  if (subject === '' || subject.length > 255) {
    throw new CommandFailure('--subject must have 1 to 255 characters');
  }
  return { issuer, subject };
}
