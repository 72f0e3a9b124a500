import { Command } from 'commander';
import type { z } from 'zod';
import { trustedIssuers } from '../admin/contract/index.ts';
import type { AdminClient } from '../admin/index.ts';
import { all, withAdmin } from './administration.ts';
import { CommandFailure } from './failure.ts';
import { type ConfigOption, configured } from './load.ts';
import {
  type Column,
  fields,
  type JsonOption,
  jsonFlag,
  print,
  printJson,
  table,
} from './output.ts';

type TrustedIssuer = z.output<typeof trustedIssuers.get.answer>;

/** `authserver trusted-issuer …`: the configuration declares them; here trust is ended and restored. */
export function trustedIssuerCommand(): Command {
  return new Command('trusted-issuer')
    .description('identity providers whose identity assertions (ID-JAG) are accepted')
    .addCommand(list())
    .addCommand(show())
    .addCommand(
      switching('disable', 'refuse the assertions of an issuer; tokens live out their time'),
    )
    .addCommand(switching('enable', 'accept the assertions of a disabled issuer again'));
}

const columns: readonly Column<TrustedIssuer>[] = [
  { title: 'ISSUER', value: ({ issuer }) => issuer },
  { title: 'SUBJECT', value: ({ subject }) => subject },
  { title: 'CLIENTS', value: ({ clients }) => clients ?? 'any' },
  { title: 'RESOURCES', value: ({ resources }) => resources ?? 'any' },
  { title: 'SCOPES', value: ({ scopes }) => scopes ?? 'any' },
  { title: 'STATUS', value: ({ enabled }) => (enabled ? 'enabled' : 'disabled') },
];

function list(): Command {
  return configured('list', 'every trusted issuer')
    .option(...jsonFlag)
    .action(async (options: ConfigOption & JsonOption) => {
      const issuers = await withAdmin(options, (admin) =>
        all(admin.each(trustedIssuers.list, { limit: 200 })),
      );
      if (options.json) return printJson(issuers.map(wire));
      print(
        table(
          issuers,
          columns,
          'No issuer is trusted yet. Declare one under trusted_issuers in the configuration and start the server: authserver serve',
        ),
      );
    });
}

function show(): Command {
  return about('show', 'one trusted issuer')
    .option(...jsonFlag)
    .action(async (which: string, options: ConfigOption & JsonOption) => {
      const issuer = await withAdmin(options, (admin) => find(admin, which));
      if (options.json) printJson(wire(issuer));
      else print(text(issuer));
    });
}

function switching(name: 'enable' | 'disable', description: string): Command {
  return about(name, description).action(async (which: string, options: ConfigOption) => {
    await withAdmin(options, async (admin) => {
      const { id } = await find(admin, which);
      return admin.call(trustedIssuers[name], { params: { id } });
    });
    print(`Assertions of ${which} are ${name === 'enable' ? 'accepted' : 'refused'} from now on.`);
  });
}

/** @throws CommandFailure */
async function find(admin: AdminClient, which: string): Promise<TrustedIssuer> {
  for await (const one of admin.each(trustedIssuers.list, { limit: 200 })) {
    if (one.issuer === which) return one;
  }
  throw new CommandFailure(
    `there is no trusted issuer ${which}. authserver trusted-issuer list shows all of them`,
  );
}

function about(name: string, description: string): Command {
  return configured(name, description).argument('<issuer>', 'its `iss`, byte for byte');
}

function text(issuer: TrustedIssuer): string {
  const { jwks, enabled, ...members } = wire(issuer);
  const keys = jwks ? `${jwks.keys.length} in the row` : (members.jwks_uri ?? 'by discovery');
  return fields({ ...members, keys, enabled: String(enabled) });
}

/** Under the names that the configuration has for it. */
function wire({ id: _, version: __, created_at: ___, updated_at: ____, ...row }: TrustedIssuer) {
  const { jwks, jwks_uri, clients, resources, scopes, ...issuer } = row;
  const lists = { clients: clients ?? undefined, resources: resources ?? undefined };
  const keys = { jwks: jwks ?? undefined, jwks_uri: jwks_uri ?? undefined };
  return { ...issuer, ...lists, scopes: scopes ?? undefined, ...keys };
}
