import {
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type ParsedNode,
  parseDocument,
  type YAMLError,
  type YAMLMap,
} from 'yaml';
import { childKey, type Raw, type RawMap } from './path.ts';
import type { Problem } from './problem.ts';

/** What a YAML file says and where it says it. */
export interface YamlSource {
  root: RawMap;
  /** Line of each key and list item, by `clients[0].client_id`. */
  lines: Map<string, number>;
  problems: Problem[];
}

interface Reader extends YamlSource {
  file: string;
  counter: LineCounter;
}

const mostSyntaxErrors = 20;
const longestLine = 32 * 1024; // keeps the parser's recursion, and so its time, small

/**
 * Parses YAML 1.2. Duplicate keys, anchors and tags are problems; everything readable is still returned
 * unless the syntax is broken, because what follows such a place cannot be trusted.
 */
export function readYaml(file: string, text: string): YamlSource {
  const counter = new LineCounter();
  const reader: Reader = { file, counter, root: {}, lines: new Map(), problems: [] };
  if (text.includes('\0')) {
    report(reader, undefined, '', 'holds a NUL byte', 'save it as plain text');
    return reader;
  }
  if (text.split('\n').some((line) => line.length > longestLine)) {
    report(
      reader,
      undefined,
      '',
      `has a line of more than ${longestLine} characters`,
      'put each key on a line of its own',
    );
    return reader;
  }
  try {
    parseInto(reader, text);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    report(reader, undefined, '', 'is nested too deep', 'follow config.example.yaml'); // the stack ended
  }
  return reader;
}

function parseInto(reader: Reader, text: string): void {
  const document = parseDocument(text, {
    lineCounter: reader.counter,
    prettyErrors: false,
    stringKeys: true,
    uniqueKeys: false, // ours names the key
  });
  for (const error of [...document.errors, ...document.warnings].slice(0, mostSyntaxErrors)) {
    report(reader, error.pos[0], '', describe(error), fixOf(error));
  }
  if (document.errors.length === 0) readRoot(reader, document.contents);
}

function readRoot(reader: Reader, contents: ParsedNode | null): void {
  if (contents === null || (isScalar(contents) && contents.value === null)) return;
  if (isMap(contents)) {
    reader.root = readMap(reader, contents, '');
    return;
  }
  report(
    reader,
    contents.range[0],
    '',
    'is not a mapping',
    'write sections such as "server:" with keys below',
  );
}

function readNode(reader: Reader, node: ParsedNode | null, key: string): Raw {
  if (node === null) return null;
  if (isAlias(node)) {
    report(reader, node.range[0], key, 'uses a YAML alias', 'write the value out');
    return null;
  }
  if (isMap(node)) return readMap(reader, node, key);
  if (isSeq(node)) {
    return node.items.map((item, index) => {
      const itemKey = childKey(key, index);
      if (item) reader.lines.set(itemKey, lineAt(reader, item.range[0]));
      return readNode(reader, item, itemKey);
    });
  }
  const { value } = node;
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean')
    return value;
  return value === null ? null : String(value);
}

function readMap(reader: Reader, map: YAMLMap.Parsed, parent: string): RawMap {
  const result: RawMap = {};
  for (const { key: node, value } of map.items) {
    const name = isScalar(node) ? String(node.value) : '?';
    const key = childKey(parent, name);
    const offset = node?.range?.[0];
    if (name === '__proto__') {
      report(reader, offset, key, 'is not a known key', 'remove it');
    } else if (Object.hasOwn(result, name)) {
      const first = reader.lines.get(key);
      report(reader, offset, key, `is given twice, first in line ${first}`, 'keep one of them');
    } else {
      reader.lines.set(key, lineAt(reader, offset));
      result[name] = readNode(reader, value, key);
    }
  }
  return result;
}

function report(
  reader: Reader,
  offset: number | undefined,
  key: string,
  problem: string,
  fix: string,
) {
  const where = offset === undefined ? reader.file : `${reader.file}:${lineAt(reader, offset)}`;
  reader.problems.push({ where, key, problem, fix });
}

function lineAt(reader: Reader, offset: number | undefined): number {
  return offset === undefined ? 1 : Math.max(1, reader.counter.linePos(offset).line);
}

function describe(error: YAMLError): string {
  if (error.code === 'TAB_AS_INDENT') return 'is indented with a tab';
  if (error.code === 'MULTIPLE_DOCS') return 'holds more than one document';
  if (/stack/i.test(error.message)) return 'is nested too deep';
  return `is not valid YAML (${error.message.split('\n')[0]?.trim()})`;
}

function fixOf(error: YAMLError): string {
  if (error.code === 'TAB_AS_INDENT') return 'indent with spaces';
  if (error.code === 'MULTIPLE_DOCS') return 'remove what follows "---"';
  return 'correct the line; values with : # or quotes go in quotes';
}
