import type { z } from 'zod';
import { users } from '../admin/contract/index.ts';
import type { AdminClient } from '../admin/index.ts';
import { ifThere } from './administration.ts';
import { CommandFailure } from './failure.ts';

/** A person with all that hangs on them. */
export type Account = z.output<typeof users.get.answer>;

/** Longest `q` that is taken. */
const longestSearch = 200;

/** By id or e-mail address. @throws CommandFailure where nobody is called so */
export async function findAccount(admin: AdminClient, who: string): Promise<Account> {
  const id = who.startsWith('usr_') ? who : await idOfEmail(admin, who);
  const user = id && (await ifThere(admin.call(users.get, { params: { id } })));
  if (user) return user;
  throw new CommandFailure(`there is no account ${who}. authserver user list shows all of them`);
}

/** The id of the account with this e-mail address, in whatever case it is written. */
export async function idOfEmail(admin: AdminClient, text: string): Promise<string | undefined> {
  const email = text.trim().toLowerCase();
  if (email === '') return undefined;
  for await (const user of admin.each(users.list, { q: email.slice(0, longestSearch) })) {
    if (user.email.toLowerCase() === email) return user.id;
  }
  return undefined;
}
