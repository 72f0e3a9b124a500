type Cells = Record<string, string | number>;

/** What a new workspace begins with, as rows of the tables in schema.ts. */
export type Samples = {
  boards: { id: string; position: number; name: string; description: string }[];
  tables: { id: string; board_id: string; position: number; name: string; columns: string[] }[];
  rows: { id: string; table_id: string; position: number; cells: Cells }[];
  docs: { id: string; position: number; title: string; text: string }[];
};

const columns = ['title', 'owner', 'status', 'estimate_days'];

/** Nothing at all: a workspace whose people have yet to make something. */
export const noSamples: Samples = { boards: [], tables: [], rows: [], docs: [] };

/**
 * A small studio to look around in.
 * @param ending put after every id, so that no two workspaces share one
 */
export function sampleContent(ending: string): Samples {
  const id = (name: string) => `${name}${ending}`;
  const board = (name: string, position: number, title: string, description: string) => ({
    ...{ id: id(name), position, name: title, description },
  });
  const table = (name: string, of: string, position: number, title: string) => ({
    ...{ id: id(name), board_id: id(of), position, name: title, columns },
  });
  const row = (name: string, of: string, position: number, [title, owner, status, days]: Line) => ({
    ...{ id: id(name), table_id: id(of), position },
    cells: { title, owner, status, estimate_days: days },
  });
  const doc = (name: string, position: number, title: string, text: string) => ({
    ...{ id: id(name), position, title, text },
  });
  return {
    boards: [
      board('brd_launch', 1, 'Website launch', 'All that is left before the new site goes live'),
      board('brd_customers', 2, 'Customers', 'Who buys, who asks, and what they wait for'),
    ],
    tables: [
      table('tbl_tasks', 'brd_launch', 1, 'Tasks'),
      table('tbl_risks', 'brd_launch', 2, 'Risks'),
      table('tbl_accounts', 'brd_customers', 1, 'Accounts'),
    ],
    rows: [
      row('row_t1', 'tbl_tasks', 1, ['Write the copy', 'Ada', 'done', 3]),
      row('row_t2', 'tbl_tasks', 2, ['Photograph the workshop', 'Grace', 'in progress', 2]),
      row('row_t3', 'tbl_tasks', 3, ['Accessibility review', 'Edsger', 'todo', 4]),
      row('row_t4', 'tbl_tasks', 4, ['Move the domain', 'Ada', 'todo', 1]),
      row('row_r1', 'tbl_risks', 1, ['The photographer falls ill', 'Grace', 'watched', 5]),
      row('row_a1', 'tbl_accounts', 1, ['Lighthouse Hotels', 'Barbara', 'renewal', 10]),
      row('row_a2', 'tbl_accounts', 2, ['Quayside Books', 'Barbara', 'onboarding', 6]),
    ],
    docs: [
      doc(
        'doc_handbook',
        1,
        'Handbook',
        'We review accessibility before every launch. Holidays are agreed two weeks ahead.',
      ),
      doc(
        'doc_pricing',
        2,
        'Pricing notes',
        'Hotels pay per property. Bookshops pay per branch, with the first branch free.',
      ),
    ],
  };
}

type Line = [title: string, owner: string, status: string, days: number];
