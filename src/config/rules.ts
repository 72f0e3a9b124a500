import type { Path } from './path.ts';
import type { Rule, RuleFinding } from './rule.ts';
import { claimRules, dpopRules } from './rules-claims.ts';
import { rowRules } from './rules-rows.ts';
import { serverRules } from './rules-server.ts';
import { rowWarnings, serverWarnings } from './rules-warnings.ts';
import { inFile, type Removed, type Salvage } from './salvage.ts';

/** What the configuration must not say. */
export const rules: readonly Rule[] = [...serverRules, ...rowRules, ...claimRules, ...dpopRules];

/** What it may say but probably did not mean. */
export const warningRules: readonly Rule[] = [...serverWarnings, ...rowWarnings];

/** Asks the rules, but for what rests on keys that were refused. Paths are those of the file. */
export function applyRules(
  list: readonly Rule[],
  { config, removed, rows }: Salvage,
): RuleFinding[] {
  return list.flatMap(({ reads, check }) => {
    const gone = removed.filter(({ key }) => reads.some((read) => covers(key, read)));
    return check(config)
      .map((finding) => ({ ...finding, path: inFile(finding.path, rows) }))
      .filter(({ path }) => !gone.some((one) => concerns(one, path)));
  });
}

// A refused row (`clients[]`) says nothing about the rows that remain; a rule that must see every row names
// `clients[]` itself.
function covers(gone: string, read: string): boolean {
  if (gone === read) return true;
  return !gone.endsWith('[]') && (read.startsWith(`${gone}.`) || read.startsWith(`${gone}[`));
}

// What was refused in one row leaves what is found in another row of the same list true.
function concerns({ key, row }: Removed, path: Path): boolean {
  const sameList =
    row !== undefined && key.startsWith(`${path[0]}[]`) && typeof path[1] === 'number';
  return !sameList || path[1] === row;
}
