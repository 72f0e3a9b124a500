import type { z } from 'zod';
import type { Accounts } from '../accounts/index.ts';
import type { Clients } from '../clients/index.ts';
import type { Resources } from '../resources/index.ts';
import type { Tokens } from '../tokens/index.ts';
import type { step } from './contract/stats.ts';

export interface GettingStartedDeps {
  accounts: Pick<Accounts, 'list' | 'setup'>;
  clients: Pick<Clients, 'list'>;
  resources: Pick<Resources, 'all'>;
  tokens: Pick<Tokens, 'issuances'>;
  now: () => Date;
}

type Step = z.input<typeof step>;

/** The way from an empty server to the first token. */
export async function gettingStarted(deps: GettingStartedDeps, hasOwner: boolean) {
  const done = await hasToken(deps);
  const steps: Step[] = [
    {
      id: 'owner',
      title: 'Make the first owner',
      detail: 'Open the one-time link that the server prints, or run authserver setup-link.',
      done: hasOwner,
      link: '/users',
    },
    {
      id: 'resource',
      title: 'Register your MCP server',
      detail: 'Its URI exactly as clients reach it, and its scopes.',
      done: deps.resources.all().some(({ enabled, source }) => enabled && source !== 'builtin'),
      link: '/resources/new',
    },
    {
      id: 'person',
      title: 'Add the people who sign in',
      detail: 'Invite them by a link, or connect an identity provider.',
      done: (await deps.accounts.list({ limit: 1 })).items.length > 0,
      link: '/users',
    },
    {
      id: 'client',
      title: 'Connect a client',
      detail:
        'Give Claude, ChatGPT, VS Code or another client the address of your MCP server; it finds this server and registers by itself.',
      done: (await deps.clients.list({ limit: 1 })).items.length > 0,
      link: '/doctor',
    },
    {
      id: 'token',
      title: 'Get the first token',
      detail: 'Sign in and allow the client. If it fails, Flows shows the step and the fix.',
      done,
      link: '/flows',
    },
  ];
  return { done, steps };
}

async function hasToken({ tokens, now }: GettingStartedDeps): Promise<boolean> {
  return (await tokens.issuances.list({ limit: 1 }, now())).items.length > 0;
}
