import { createHash } from 'node:crypto';
import type { BoardsDatabase } from './database.ts';
import { noSamples, sampleContent } from './samples.ts';

export type Board = { id: string; name: string; description: string };
export type Table = { id: string; name: string; columns: string[] };
export type Row = { id: string; cells: Record<string, unknown> };
export type FoundRow = Row & { board_id: string; table_id: string };
export type Doc = { id: string; title: string; text: string };

/** What one workspace holds. Every statement below names the workspace: there is no way to ask for another one. */
export type Content = {
  boards(): Promise<Board[]>;
  /** @returns undefined when this workspace has no such board */
  tables(boardId: string): Promise<Table[] | undefined>;
  /** @returns undefined when this workspace has no such table */
  rows(tableId: string, limit: number): Promise<Row[] | undefined>;
  searchRows(words: string): Promise<FoundRow[]>;
  searchDocs(words: string): Promise<Doc[]>;
  counts(): Promise<{ boards: number; docs: number }>;
};

/** The workspace of tokens that name none: where the resource is not workspace-scoped, everybody shares it. */
export const sharedWorkspace = '';

const mostResults = 50;

/** @param workspaceId of the token; `sharedWorkspace` where it has none */
export function contentOf(database: BoardsDatabase, workspaceId: string): Content {
  const ask = <Answer>(statement: string, ...values: readonly unknown[]) =>
    database.query<Answer>(statement, [workspaceId, ...values]);

  async function has(table: 'boards' | 'tables', id: string): Promise<boolean> {
    const found = await ask(
      `select 1 from boards.${table} where workspace_id = $1 and id = $2`,
      id,
    );
    return found.length > 0;
  }

  return {
    boards: () =>
      ask<Board>(
        'select id, name, description from boards.boards where workspace_id = $1 order by position',
      ),
    async tables(boardId) {
      if (!(await has('boards', boardId))) return undefined;
      return ask<Table>(
        `select id, name, columns from boards.tables
         where workspace_id = $1 and board_id = $2 order by position`,
        boardId,
      );
    },
    async rows(tableId, limit) {
      if (!(await has('tables', tableId))) return undefined;
      return ask<Row>(
        `select id, cells from boards.rows
         where workspace_id = $1 and table_id = $2 order by position limit $3`,
        tableId,
        limit,
      );
    },
    searchRows: (words) =>
      ask<FoundRow>(
        `select t.board_id, r.table_id, r.id, r.cells
         from boards.rows r join boards.tables t on t.workspace_id = r.workspace_id and t.id = r.table_id
         where r.workspace_id = $1 and exists (
           select 1 from jsonb_each_text(r.cells) cell where strpos(lower(cell.value), lower($2)) > 0)
         order by t.board_id, r.table_id, r.position limit ${mostResults}`,
        words,
      ),
    searchDocs: (words) =>
      ask<Doc>(
        `select id, title, text from boards.docs
         where workspace_id = $1 and strpos(lower(title || ' ' || text), lower($2)) > 0
         order by position limit ${mostResults}`,
        words,
      ),
    async counts() {
      const [counted] = await ask<{ boards: number; docs: number }>(
        `select (select count(*)::int from boards.boards where workspace_id = $1) as boards,
                (select count(*)::int from boards.docs where workspace_id = $1) as docs`,
      );
      return counted ?? { boards: 0, docs: 0 };
    },
  };
}

/**
 * Makes the workspace on the first call that names it. One statement, so two first calls at once make it once, and
 * neither sees half of it.
 * @param samples whether it begins with something to look at
 */
export async function openWorkspace(
  database: BoardsDatabase,
  workspaceId: string,
  samples: boolean,
): Promise<void> {
  const known = await database.query('select 1 from boards.workspaces where id = $1', [
    workspaceId,
  ]);
  if (known.length > 0) return;
  const { boards, tables, rows, docs } = samples ? sampleContent(ending(workspaceId)) : noSamples;
  const contents = [boards, tables, rows, docs].map((part) => JSON.stringify(part));
  await database.query(newWorkspace, [workspaceId, ...contents]);
}

const newWorkspace = `
with opened as (
  insert into boards.workspaces (id) values ($1) on conflict do nothing returning id
), new_boards as (
  insert into boards.boards (workspace_id, id, position, name, description)
  select opened.id, b.id, b.position, b.name, b.description from opened,
    jsonb_to_recordset($2::jsonb) b(id text, position int, name text, description text)
), new_tables as (
  insert into boards.tables (workspace_id, id, board_id, position, name, columns)
  select opened.id, t.id, t.board_id, t.position, t.name, t.columns from opened,
    jsonb_to_recordset($3::jsonb) t(id text, board_id text, position int, name text, columns text[])
), new_rows as (
  insert into boards.rows (workspace_id, id, table_id, position, cells)
  select opened.id, r.id, r.table_id, r.position, r.cells from opened,
    jsonb_to_recordset($4::jsonb) r(id text, table_id text, position int, cells jsonb)
), new_docs as (
  insert into boards.docs (workspace_id, id, position, title, text)
  select opened.id, d.id, d.position, d.title, d.text from opened,
    jsonb_to_recordset($5::jsonb) d(id text, position int, title text, text text)
) select id from opened`;

/** Differs from workspace to workspace, and stays. */
function ending(workspaceId: string): string {
  if (workspaceId === sharedWorkspace) return '';
  return `_${createHash('sha256').update(workspaceId).digest('hex').slice(0, 8)}`;
}
