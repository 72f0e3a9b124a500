import { Command } from 'commander';
import type { TrustedIssuer } from '../tokens/index.ts';
import { CommandFailure } from './failure.ts';
import { type ConfigOption, configured } from './load.ts';
import { operator } from './operator.ts';
import {
  type Column,
  fields,
  type JsonOption,
  jsonFlag,
  print,
  printJson,
  table,
} from './output.ts';
import { withRooms } from './storage.ts';

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
      const issuers = await withRooms(options, async (rooms) => rooms.trustedIssuers.all());
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
      const issuer = await withRooms(options, async ({ trustedIssuers }) =>
        trustedIssuers.all().find((one) => one.issuer === which),
      );
      if (!issuer) throw unknown(which);
      if (options.json) printJson(wire(issuer));
      else print(text(issuer));
    });
}

function switching(name: 'enable' | 'disable', description: string): Command {
  return about(name, description).action(async (which: string, options: ConfigOption) => {
    const found = await withRooms(options, ({ trustedIssuers, now }) =>
      trustedIssuers.setEnabled(which, name === 'enable', operator(now())),
    );
    if (!found) throw unknown(which);
    print(`Assertions of ${which} are ${name === 'enable' ? 'accepted' : 'refused'} from now on.`);
  });
}

function about(name: string, description: string): Command {
  return configured(name, description).argument('<issuer>', 'its `iss`, byte for byte');
}

function unknown(which: string): CommandFailure {
  return new CommandFailure(
    `there is no trusted issuer ${which}. authserver trusted-issuer list shows all of them`,
  );
}

function text(issuer: TrustedIssuer): string {
  const { jwks, enabled, ...members } = wire(issuer);
  const keys = jwks ? `${jwks.keys.length} in the row` : (members.jwks_uri ?? 'by discovery');
  return fields({ ...members, keys, enabled: String(enabled) });
}

/** Under the names that the configuration has for it. */
function wire({ jwksUri: jwks_uri, createdAt: _, updatedAt: __, ...issuer }: TrustedIssuer) {
  return { ...issuer, jwks_uri };
}
