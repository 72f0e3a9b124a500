import { Command } from 'commander';
import type { Workspace } from '../accounts/index.ts';
import type { Rooms } from '../rooms.ts';
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
import { withRooms } from './storage.ts';
import { changedBy } from './user-lookup.ts';
import { findWorkspace } from './workspace-lookup.ts';
import { addMember, members, removeMember } from './workspace-members.ts';

const pageSize = 200;

/** `authserver workspace …` */
export function workspaceCommand(): Command {
  return new Command('workspace')
    .description('workspaces, and who is a member of them')
    .addCommand(create())
    .addCommand(list())
    .addCommand(show())
    .addCommand(addMember())
    .addCommand(removeMember())
    .addCommand(members());
}

function create(): Command {
  return configured('create', 'make a workspace; it has no members yet')
    .argument('<slug>', 'short name: lower-case letters, digits and inner hyphens')
    .option('--name <name>', 'what people see; default the slug')
    .option(...jsonFlag)
    .action(async (slug: string, options: ConfigOption & JsonOption & { name?: string }) => {
      const made = await withRooms(options, ({ workspaces, now }) =>
        workspaces.create({ slug, name: options.name, source: 'cli' }, changedBy(now)),
      );
      if (options.json) printJson(wire(made));
      else print(fields(wire(made)));
    });
}

const columns: readonly Column<Workspace>[] = [
  { title: 'SLUG', value: (workspace) => workspace.slug },
  { title: 'NAME', value: (workspace) => workspace.name },
  { title: 'MADE BY', value: (workspace) => workspace.source },
  { title: 'CREATED', value: (workspace) => workspace.createdAt },
  { title: 'ID', value: (workspace) => workspace.id },
];

function list(): Command {
  return configured('list', 'every workspace, newest first')
    .option(...jsonFlag)
    .action(async (options: ConfigOption & JsonOption) => {
      const found = await withRooms(options, all);
      if (options.json) return printJson(found.map(wire));
      print(
        table(
          found,
          columns,
          'There is no workspace yet. Declare it under workspaces in the configuration, or make one: authserver workspace create',
        ),
      );
    });
}

async function all({ workspaces }: Rooms): Promise<Workspace[]> {
  const found: Workspace[] = [];
  let cursor: string | undefined;
  do {
    const page = await workspaces.list({ cursor, limit: pageSize });
    found.push(...page.items);
    cursor = page.next_cursor;
  } while (cursor !== undefined);
  return found;
}

function show(): Command {
  return configured('show', 'one workspace')
    .argument('<workspace>', 'its slug or id')
    .option(...jsonFlag)
    .action(async (which: string, options: ConfigOption & JsonOption) => {
      const workspace = await withRooms(options, (rooms) => findWorkspace(rooms, which));
      if (options.json) printJson(wire(workspace));
      else print(fields(wire(workspace)));
    });
}

function wire({ id, slug, name, source, createdAt, updatedAt }: Workspace) {
  return { id, slug, name, source, created_at: createdAt, updated_at: updatedAt };
}
