import { type Command, Option } from 'commander';
import type { z } from 'zod';
import type { WorkspaceRole } from '../accounts/index.ts';
import { workspaces } from '../admin/contract/index.ts';
import { withAdmin } from './administration.ts';
import { type ConfigOption, configured } from './load.ts';
import {
  type Column,
  type JsonOption,
  jsonFlag,
  note,
  print,
  printJson,
  table,
  when,
} from './output.ts';
import { findWorkspace } from './workspace-lookup.ts';

type Invitation = z.output<typeof workspaces.invitations.answer>['items'][number];

/** `authserver workspace invite` */
export function invite(): Command {
  return about(
    'invite',
    'print a link with which somebody becomes a member; good once, for seven days, for one address',
  )
    .argument('<email>', 'the address of their account, which need not be there yet')
    .addOption(
      new Option('--role <role>', 'what they will be in the workspace')
        .choices(['member', 'admin'])
        .default('member'),
    )
    .option(...jsonFlag)
    .action(async (which: string, email: string, options: InviteOptions) => {
      const { role } = options;
      const made = await withAdmin(options, async (admin) => {
        const { id } = await findWorkspace(admin, which);
        return admin.call(workspaces.invite, { params: { id }, body: { email, role } });
      });
      if (options.json) return printJson(made);
      print(made.url);
      note(`Give it to ${made.email} in a way that you trust. It works once.`);
    });
}

interface InviteOptions extends ConfigOption, JsonOption {
  role: WorkspaceRole;
}

const columns: readonly Column<Invitation>[] = [
  { title: 'E-MAIL', value: (invitation) => invitation.email },
  { title: 'ROLE', value: (invitation) => invitation.role },
  { title: 'INVITED BY', value: ({ invited_by, source }) => invited_by ?? source },
  { title: 'MADE', value: (invitation) => when(invitation.created_at) },
  { title: 'EXPIRES', value: (invitation) => when(invitation.expires_at) },
  { title: 'ID', value: (invitation) => invitation.id },
];

/** `authserver workspace invitations` */
export function invitations(): Command {
  return about('invitations', 'invitations that nobody has used yet, the latest first')
    .option(...jsonFlag)
    .action(async (which: string, options: ConfigOption & JsonOption) => {
      const found = await withAdmin(options, async (admin) => {
        const { id } = await findWorkspace(admin, which);
        // No more than this ever wait.
        const page = await admin.call(workspaces.invitations, {
          params: { id },
          query: { limit: 200 },
        });
        return page.items;
      });
      if (options.json) return printJson(found);
      print(table(found, columns, 'No invitation waits. Make one: authserver workspace invite'));
    });
}

/** `authserver workspace revoke-invitation` */
export function revokeInvitation(): Command {
  return about('revoke-invitation', 'take an invitation back; its link does not work any more')
    .argument('<invitation>', 'its id, as the list shows it')
    .action(async (which: string, invitation_id: string, options: ConfigOption) => {
      const { email } = await withAdmin(options, async (admin) => {
        const { id } = await findWorkspace(admin, which);
        return admin.call(workspaces.revokeInvitation, { params: { id, invitation_id } });
      });
      print(`The invitation for ${email} does not work any more.`);
    });
}

function about(name: string, description: string): Command {
  return configured(name, description).argument('<workspace>', 'its slug or id');
}
