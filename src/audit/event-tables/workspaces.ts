import { changes, event, number, optional, text } from '../fields.ts';

/** Workspaces and their members; `userId` is the member. */
export const workspacesEvents = {
  workspace_created: event('A workspace was made.', {
    workspace_id: text('its id'),
    slug: text('its short name'),
    name: text('its name'),
    source: text('`config`, `admin` or `cli`'),
  }),
  workspace_updated: event('A workspace was renamed.', {
    workspace_id: text('its id'),
    slug: text('its short name'),
    changes: changes('what changed'),
  }),
  workspace_member_added: event('Somebody became a member of a workspace.', {
    workspace_id: text('the workspace'),
    role: text('`member` or `admin`'),
    source: optional(text('`config`, `admin` or `cli`')),
  }),
  workspace_member_changed: event('The role of a member of a workspace changed.', {
    workspace_id: text('the workspace'),
    changes: changes('what changed'),
  }),
  workspace_member_removed: event(
    'Somebody is no member of a workspace any more; what they granted for it ended, and their tokens.',
    {
      workspace_id: text('the workspace'),
      role: text('what they were'),
      grants: optional(number('how many grants ended')),
    },
  ),
} as const;
