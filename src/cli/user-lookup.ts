import type { Accounts, User } from '../accounts/index.ts';
import type { Rooms } from '../rooms.ts';
import { CommandFailure } from './failure.ts';
import { operator } from './operator.ts';

const pageSize = 200;

/** Who changes something at the command line, and when. */
export function changedBy(now: () => Date) {
  const { actor, meta } = operator(now());
  return { ...meta, actor };
}

/** @throws CommandFailure where nobody is called so */
export async function findAccount(
  { accounts }: Pick<Rooms, 'accounts'>,
  who: string,
): Promise<User> {
  const user = who.startsWith('usr_') ? await accounts.find(who) : await accounts.findByEmail(who);
  if (user) return user;
  throw new CommandFailure(`there is no account ${who}. authserver user list shows all of them`);
}

/** By e-mail address. */
export async function* everyUser(accounts: Accounts): AsyncGenerator<User> {
  let after: string | undefined = '';
  while (after !== undefined) {
    const page: Awaited<ReturnType<Accounts['list']>> = await accounts.list({
      limit: pageSize,
      after,
    });
    yield* page.items;
    after = page.next;
  }
}
