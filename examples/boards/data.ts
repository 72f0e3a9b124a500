/** A small workspace to look around in. */
export type Row = { id: string; values: Record<string, string | number | boolean> };
export type Table = { id: string; name: string; columns: string[]; rows: Row[] };
export type Board = { id: string; name: string; description: string; tables: Table[] };
export type Doc = { id: string; title: string; text: string };
export type Workspace = { name: string; boards: Board[]; docs: Doc[] };

/** The workspace this example serves; a fresh copy each time. */
export function sampleWorkspace(): Workspace {
  return {
    name: 'Harbour Studio',
    boards: [
      {
        id: 'brd_launch',
        name: 'Website launch',
        description: 'Everything between now and the day the new site goes live',
        tables: [
          {
            id: 'tbl_tasks',
            name: 'Tasks',
            columns: ['title', 'owner', 'status', 'estimate_days'],
            rows: [
              row('row_t1', ['Write the copy', 'Ada', 'done', 3]),
              row('row_t2', ['Photograph the workshop', 'Grace', 'in progress', 2]),
              row('row_t3', ['Accessibility review', 'Edsger', 'todo', 4]),
              row('row_t4', ['Move the domain', 'Ada', 'todo', 1]),
            ],
          },
          {
            id: 'tbl_risks',
            name: 'Risks',
            columns: ['title', 'owner', 'status', 'estimate_days'],
            rows: [row('row_r1', ['The photographer falls ill', 'Grace', 'watched', 5])],
          },
        ],
      },
      {
        id: 'brd_customers',
        name: 'Customers',
        description: 'Who buys, who asks, and what they wait for',
        tables: [
          {
            id: 'tbl_accounts',
            name: 'Accounts',
            columns: ['title', 'owner', 'status', 'estimate_days'],
            rows: [
              row('row_a1', ['Lighthouse Hotels', 'Barbara', 'renewal', 10]),
              row('row_a2', ['Quayside Books', 'Barbara', 'onboarding', 6]),
            ],
          },
        ],
      },
    ],
    docs: [
      {
        id: 'doc_handbook',
        title: 'Handbook',
        text: 'We review accessibility before every launch. Holidays are agreed two weeks ahead.',
      },
      {
        id: 'doc_pricing',
        title: 'Pricing notes',
        text: 'Hotels pay per property. Bookshops pay per branch, with the first branch free.',
      },
    ],
  };
}

function row(id: string, [title, owner, status, days]: [string, string, string, number]): Row {
  return { id, values: { title, owner, status, estimate_days: days } };
}
