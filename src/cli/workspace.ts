import { Command } from 'commander';
import { workspaces } from '../admin/contract/index.ts';
import { all, withAdmin } from './administration.ts';
import { type ConfigOption, configured } from './load.ts';
import {
  answerFields,
  type Column,
  type JsonOption,
  jsonFlag,
  print,
  printJson,
  table,
  when,
} from './output.ts';
import { credentials } from './workspace-credentials.ts';
import { invitations, invite, revokeInvitation } from './workspace-invitations.ts';
import { findWorkspace, type Workspace } from './workspace-lookup.ts';
import { addMember, members, removeMember } from './workspace-members.ts';

/** `authserver workspace …` */
export function workspaceCommand(): Command {
  return new Command('workspace')
    .description('workspaces, who is a member of them, and who is invited')
    .addCommand(create())
    .addCommand(list())
    .addCommand(show())
    .addCommand(addMember())
    .addCommand(removeMember())
    .addCommand(members())
    .addCommand(invite())
    .addCommand(invitations())
    .addCommand(revokeInvitation())
    .addCommand(credentials());
}

function create(): Command {
  return configured('create', 'make a workspace; it has no members yet')
    .argument('<slug>', 'short name: lower-case letters, digits and inner hyphens')
    .option('--name <name>', 'what people see; default the slug')
    .option(...jsonFlag)
    .action(async (slug: string, options: ConfigOption & JsonOption & { name?: string }) => {
      const body = { slug, name: options.name };
      const made = await withAdmin(options, (admin) => admin.call(workspaces.create, { body }));
      if (options.json) printJson(made);
      else print(answerFields(made));
    });
}

const columns: readonly Column<Workspace>[] = [
  { title: 'SLUG', value: (workspace) => workspace.slug },
  { title: 'NAME', value: (workspace) => workspace.name },
  { title: 'MADE BY', value: (workspace) => workspace.source },
  { title: 'CREATED', value: (workspace) => when(workspace.created_at) },
  { title: 'ID', value: (workspace) => workspace.id },
];

function list(): Command {
  return configured('list', 'every workspace, newest first')
    .option(...jsonFlag)
    .action(async (options: ConfigOption & JsonOption) => {
      const found = await withAdmin(options, (admin) =>
        all(admin.each(workspaces.list, { limit: 200 })),
      );
      if (options.json) return printJson(found);
      print(
        table(
          found,
          columns,
          'There is no workspace yet. Declare it under workspaces in the configuration, or make one: authserver workspace create',
        ),
      );
    });
}

function show(): Command {
  return configured('show', 'one workspace')
    .argument('<workspace>', 'its slug or id')
    .option(...jsonFlag)
    .action(async (which: string, options: ConfigOption & JsonOption) => {
      const workspace = await withAdmin(options, (admin) => findWorkspace(admin, which));
      if (options.json) printJson(workspace);
      else print(answerFields(workspace));
    });
}
