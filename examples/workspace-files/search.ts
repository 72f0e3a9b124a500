import { type Directory, inside, namesIn, type OpenDirectory } from './directory.ts';
import { look, readBytes, withFile } from './entries.ts';
import type { Limits } from './limits.ts';
import { splitLines } from './lines.ts';
import { finder } from './literal.ts';
import { isTemporaryName, joinPath, parseDirectoryPath } from './paths.ts';
import { FileProblem } from './problem.ts';
import { textIn } from './text.ts';
import { summary, type Workspace } from './workspace.ts';

type Deps = { limits: Limits; openDirectory: OpenDirectory; now: () => Date };
type Entry = { parts: string[]; directory: Directory; name: string } & ReturnType<typeof summary>;
/** What a walk may still look at. */
type Budget = { entries: number; bytes: number; until: number; spent: boolean };

const snippet = 200;

/**
 * The entries of a directory in the order of their names, with those below when `recursive`.
 * @param after the last path of the previous answer, to go on from there
 */
export async function listFiles(
  workspace: Workspace,
  ask: { path: string; recursive: boolean; limit: number; after?: string },
  deps: Deps,
) {
  const start = parseDirectoryPath(ask.path);
  const after = ask.after === undefined ? undefined : parseDirectoryPath(ask.after);
  const budget = newBudget(deps);
  const entries: object[] = [];
  let more = false;
  await workspace.reading(ask.path, () =>
    workspace.home.in(start, (directory) =>
      walk({ directory, parts: start, ...deps, budget, deep: ask.recursive }, async (entry) => {
        if (after && compareParts(entry.parts, after) <= 0) return true;
        more = entries.length >= ask.limit;
        if (more) return false;
        const { type, size, modified } = entry;
        entries.push({ path: joinPath(entry.parts), type, size, modified });
        return true;
      }),
    ),
  );
  return { path: joinPath(start), entries, more: more || budget.spent };
}

/** Files whose name or content holds a literal text. */
export async function searchFiles(
  workspace: Workspace,
  ask: {
    query: string;
    path: string;
    in: 'names' | 'content';
    caseSensitive: boolean;
    limit: number;
  },
  deps: Deps,
) {
  const fold = (text: string) => (ask.caseSensitive ? text : text.toLowerCase());
  const query = finder(fold(ask.query));
  const start = parseDirectoryPath(ask.path);
  const budget = newBudget(deps);
  const matches: object[] = [];
  const found = (match: object) => {
    matches.push(match);
    return matches.length < ask.limit;
  };
  const visit = async (entry: Entry): Promise<boolean> => {
    if (ask.in === 'names') {
      const { parts, type, size } = entry;
      return query(fold(entry.name)) !== -1 ? found({ path: joinPath(parts), type, size }) : true;
    }
    for (const [index, line] of (await textLines(entry, budget, deps)).entries()) {
      const at = query(fold(line));
      if (at === -1) continue;
      const text = line
        .slice(Math.max(0, at - 40))
        .trimEnd()
        .slice(0, snippet);
      if (!found({ path: joinPath(entry.parts), line: index + 1, text })) return false;
    }
    return true;
  };
  await workspace.reading(ask.path, () =>
    workspace.home.in(start, (directory) =>
      walk({ directory, parts: start, ...deps, budget, deep: true }, visit),
    ),
  );
  return { matches, more: matches.length >= ask.limit || budget.spent };
}

type Walk = Deps & { directory: Directory; parts: string[]; budget: Budget; deep: boolean };

/** Visits entries until `visit` says false or the budget is spent. Never goes through a link. */
async function walk(here: Walk, visit: (entry: Entry) => Promise<boolean>): Promise<boolean> {
  const { directory, budget } = here;
  const { names, more } = await namesIn(directory, budget.entries);
  for (const name of names) {
    if (isTemporaryName(name)) continue;
    if (!afford(here)) return false;
    const stat = await look(directory, name);
    if (!stat) continue;
    const parts = [...here.parts, name];
    if (!(await visit({ parts, directory, name, ...summary(stat) }))) return false;
    if (here.deep && stat.isDirectory()) {
      const opening = here.openDirectory(directory.at(name));
      const goOn = await inside(opening, (child) =>
        walk({ ...here, directory: child, parts }, visit),
      )
        // It was removed or replaced meanwhile.
        .catch((error: unknown) => ('code' in Object(error) ? true : Promise.reject(error)));
      if (!goOn) return false;
    }
  }
  budget.spent ||= more;
  return !more;
}

function afford({ budget, now }: Walk): boolean {
  budget.entries -= 1;
  if (budget.entries < 0 || now().getTime() > budget.until) budget.spent = true;
  return !budget.spent;
}

/** The lines of a text file that the budget allows; none of anything else. */
async function textLines(
  { type, size = 0, directory, name }: Entry,
  budget: Budget,
  { limits }: Deps,
) {
  if (type !== 'file' || size > limits.fileBytes) return [];
  if (size > budget.bytes) {
    budget.spent = true;
    return [];
  }
  budget.bytes -= size;
  try {
    const bytes = await withFile(directory, name, (file, stat) =>
      readBytes(file, stat, limits.fileBytes),
    );
    return splitLines(textIn(bytes) ?? '');
  } catch (error) {
    if (error instanceof FileProblem || 'code' in Object(error)) return [];
    throw error;
  }
}

const newBudget = ({ limits, now }: Deps): Budget => ({
  entries: limits.visited,
  bytes: limits.searchedBytes,
  until: now().getTime() + limits.searchTime,
  spent: false,
});

/** The order of a walk: a directory before what is in it, names by their code units. */
function compareParts(a: readonly string[], b: readonly string[]): number {
  for (const [index, part] of a.entries()) {
    const other = b[index];
    if (other === undefined) return 1;
    if (part !== other) return part < other ? -1 : 1;
  }
  return a.length - b.length;
}
