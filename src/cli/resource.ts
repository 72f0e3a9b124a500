import { Command } from 'commander';
import { resources as contract } from '../admin/contract/index.ts';
import { all, ifThere, withAdmin } from './administration.ts';
import { CommandFailure } from './failure.ts';
import { type ConfigOption, configured } from './load.ts';
import { type JsonOption, jsonFlag, note, print, printJson, table } from './output.ts';
import { type Resource, resourceColumns, resourceFields, wireResource } from './resource-shown.ts';
import { createResource, updateResource } from './resource-write.ts';

const many = { limit: 200 };

/** `authserver resource …` */
export function resourceCommand(): Command {
  return new Command('resource')
    .description('MCP servers that are protected')
    .addCommand(list())
    .addCommand(show())
    .addCommand(createResource())
    .addCommand(updateResource())
    .addCommand(enable())
    .addCommand(disable())
    .addCommand(remove());
}

function list(): Command {
  return configured('list', 'every resource')
    .option(...jsonFlag)
    .action(async (options: ConfigOption & JsonOption) => {
      const resources = await withAdmin(options, (admin) => all(admin.each(contract.list, many)));
      if (options.json) return printJson(resources.map(wireResource));
      print(
        table(
          resources,
          resourceColumns,
          'There is no resource yet. Declare it under resources in the configuration, or make one with: authserver resource create SLUG --uri URI --scope NAME',
        ),
      );
    });
}

function show(): Command {
  return configured('show', 'one resource')
    .argument('<resource>', 'its slug, URI or alias')
    .option(...jsonFlag)
    .action(async (which: string, options: ConfigOption & JsonOption) => {
      const resources = await withAdmin(options, (admin) => all(admin.each(contract.list, many)));
      const resource = resources.find(
        ({ slug, uri, aliases }) => slug === which || uri === which || aliases.includes(which),
      );
      if (!resource) throw unknown(which);
      if (options.json) printJson(wireResource(resource));
      else print(resourceFields(resource));
    });
}

interface ReasonOption extends ConfigOption {
  reason?: string;
}

function enable(): Command {
  return about('enable', 'issue tokens for a disabled resource again')
    .option('--reason <text>', 'for the audit log')
    .action(async (slug: string, options: ReasonOption) => {
      const body = { reason: options.reason };
      const known = await withAdmin(options, (admin) =>
        ifThere(admin.call(contract.enable, { params: { id: slug }, body })),
      );
      if (!known) throw unknown(slug);
      print(`${slug} is enabled.`);
    });
}

function disable(): Command {
  return about('disable', 'issue no more tokens for a resource')
    .option('--reason <text>', 'for the audit log')
    .action(async (slug: string, options: ReasonOption) => {
      const body = { reason: options.reason };
      const known = await withAdmin(options, (admin) =>
        ifThere(admin.call(contract.disable, { params: { id: slug }, body })),
      );
      if (!known) throw unknown(slug);
      print(`${slug} is disabled.`);
    });
}

function remove(): Command {
  return about('remove', 'remove a resource, its grants and its tokens').action(
    async (slug: string, options: ConfigOption) => {
      const params = { id: slug };
      const { resource, ended } = await withAdmin(options, async (admin) => ({
        resource: await ifThere(admin.call(contract.get, { params })),
        ended: await ifThere(admin.call(contract.remove, { params })),
      }));
      if (!resource || !ended) throw unknown(slug);
      print(`${slug} is removed, and ${ended.grants} grants with it.`);
      declaredNote(resource);
    },
  );
}

function declaredNote({ source, slug }: Resource): void {
  if (source !== 'config') return;
  note(`If the configuration still declares ${slug}, the next start makes it again.`);
}

function about(name: string, description: string): Command {
  return configured(name, description).argument('<slug>');
}

function unknown(which: string): CommandFailure {
  return new CommandFailure(
    `there is no resource ${which}. authserver resource list shows all of them`,
  );
}
