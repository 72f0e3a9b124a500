/** Every key begins with the workspace, so no row can belong to a board or table of another one. */
export const schema = `
create schema if not exists boards;
create table if not exists boards.workspaces (
  id text primary key,
  opened_at timestamptz not null default now()
);
create table if not exists boards.boards (
  workspace_id text not null references boards.workspaces,
  id text not null,
  position int not null,
  name text not null,
  description text not null,
  primary key (workspace_id, id)
);
create table if not exists boards.tables (
  workspace_id text not null,
  id text not null,
  board_id text not null,
  position int not null,
  name text not null,
  columns text[] not null,
  primary key (workspace_id, id),
  foreign key (workspace_id, board_id) references boards.boards
);
create table if not exists boards.rows (
  workspace_id text not null,
  id text not null,
  table_id text not null,
  position int not null,
  cells jsonb not null,
  primary key (workspace_id, id),
  foreign key (workspace_id, table_id) references boards.tables
);
create table if not exists boards.docs (
  workspace_id text not null references boards.workspaces,
  id text not null,
  position int not null,
  title text not null,
  text text not null,
  primary key (workspace_id, id)
);
create index if not exists tables_of_board on boards.tables (workspace_id, board_id, position);
create index if not exists rows_of_table on boards.rows (workspace_id, table_id, position);
`;
