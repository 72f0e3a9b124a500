import { Command } from 'commander';
import type { z } from 'zod';
import { identityProviders } from '../admin/contract/index.ts';
import { all, ifThere, withAdmin } from './administration.ts';
import { CommandFailure } from './failure.ts';
import { type ConfigOption, configured } from './load.ts';
import { type Column, type JsonOption, jsonFlag, print, printJson, table } from './output.ts';

type IdentityProvider = z.output<typeof identityProviders.get.answer>;

/** `authserver identity-provider …`: the configuration or the admin UI makes them; here they are switched. */
export function identityProviderCommand(): Command {
  return new Command('identity-provider')
    .description('OpenID providers at which people may sign in')
    .addCommand(list())
    .addCommand(switching('disable', 'let nobody sign in there; who is signed in stays so'))
    .addCommand(switching('enable', 'let people sign in there again'));
}

const columns: readonly Column<IdentityProvider>[] = [
  { title: 'SLUG', value: ({ slug }) => slug },
  { title: 'ISSUER', value: ({ issuer }) => issuer },
  { title: 'CLIENT', value: ({ client_id }) => client_id },
  { title: 'ACCOUNTS', value: ({ automatic }) => (automatic ? 'automatic' : 'linked only') },
  { title: 'STATUS', value: ({ enabled }) => (enabled ? 'enabled' : 'disabled') },
];

function list(): Command {
  return configured('list', 'every identity provider')
    .option(...jsonFlag)
    .action(async (options: ConfigOption & JsonOption) => {
      const providers = await withAdmin(options, (admin) =>
        all(admin.each(identityProviders.list, { limit: 200 })),
      );
      if (options.json) return printJson(providers.map(wire));
      const none =
        'There is no identity provider yet. Declare one under identity_providers in the configuration: docs/identity-providers.md';
      print(table(providers, columns, none));
    });
}

function switching(name: 'enable' | 'disable', description: string): Command {
  return configured(name, description)
    .argument('<slug>', 'its short name')
    .action(async (slug: string, options: ConfigOption) => {
      const changed = await withAdmin(options, (admin) =>
        ifThere(admin.call(identityProviders[name], { params: { id: slug } })),
      );
      if (!changed) {
        const all = 'authserver identity-provider list shows all of them';
        throw new CommandFailure(`there is no identity provider ${slug}. ${all}`);
      }
      print(`${slug} is ${name}d.`);
    });
}

/** Under the names that the configuration has for it; the secret is not in an answer. */
function wire({ id: _, version: __, created_at: ___, updated_at: ____, ...row }: IdentityProvider) {
  return row;
}
