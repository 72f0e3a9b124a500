import type { ColumnType } from 'kysely';

type Time = ColumnType<Date, Date, Date>;

export interface WorkspacesTable {
  /** A UUID in lower case: `workspace_id` of tokens. */
  id: string;
  slug: string;
  name: string;
  source: 'config' | 'admin' | 'cli';
  created_at: Time;
  updated_at: Time;
}

export interface WorkspaceMembersTable {
  workspace_id: string;
  user_id: string;
  role: 'member' | 'admin';
  source: 'config' | 'admin' | 'cli';
  created_at: Time;
}
