import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type FilesServer, ours, startFilesServer, theirs } from './support/files-server.ts';
import { mcpHttp, type RpcAnswer, rpc, textOf } from './support/mcp-http.ts';

const secret = 'SECRET OF SOMEBODY ELSE';

let files: FilesServer;
let call: (name: string, parameters?: object) => Promise<RpcAnswer>;
const json = async (name: string, parameters: object = {}) => {
  const answer = await call(name, parameters);
  if (answer.error || answer.result?.isError) throw new Error(JSON.stringify(answer));
  return JSON.parse(textOf(answer));
};
const home = (path: string) => join(files.root, ours, path);
const write = (path: string, content: string) =>
  json('write_file', { path, content, overwrite: true });

beforeAll(async () => {
  files = await startFilesServer({
    dailyCap: 100_000,
    limits: { listed: 5, answerBytes: 100, fileBytes: 10_000, visited: 50 },
  });
  const http = mcpHttp(files.resource, files.desk.issue({ workspaceId: ours, expiresIn: 1e6 }));
  const { session } = await http.initialize();
  call = async (name, parameters) => rpc(await http.call(session, name, parameters));
  await mkdir(join(files.root, theirs));
  writeFileSync(join(files.root, theirs, 'secret.txt'), secret);
  await write('mine.txt', 'mine\n');
  symlinkSync(join(files.root, theirs), home('door'));
});
afterAll(async () => {
  expect(files.errors).toEqual([]);
  await files.close();
});

const size = 1;
/** Every tool that takes a path, with everything else right. */
const withPath: [string, (path: string) => object][] = [
  ['list_files', (path) => ({ path })],
  ['search_files', (path) => ({ path, query: 'SECRET' })],
  ['read_file', (path) => ({ path })],
  ['read_file', (path) => ({ path, encoding: 'base64' })],
  ['get_file_info', (path) => ({ path })],
  ['write_file', (path) => ({ path, content: 'x', overwrite: true })],
  ['delete_file', (path) => ({ path, recursive: true })],
  ['create_directory', (path) => ({ path })],
  ['move_file', (path) => ({ from: path, to: 'stolen.txt' })],
  ['move_file', (path) => ({ from: 'mine.txt', to: path, overwrite: true })],
  ['copy_file', (path) => ({ from: path, to: 'stolen.txt' })],
  ['copy_file', (path) => ({ from: 'mine.txt', to: path, overwrite: true })],
  ['insert_lines', (path) => ({ path, line: 1, content: 'x' })],
  ['replace_lines', (path) => ({ path, start_line: 1, end_line: 1, content: 'x' })],
  ['delete_lines', (path) => ({ path, start_line: 1, end_line: 1 })],
  ['find_replace', (path) => ({ path, find: 'S', replace: 'x' })],
  ['insert_after_pattern', (path) => ({ path, pattern: 'S', content: 'x' })],
];

describe.each([
  `../${theirs}/secret.txt`,
  `a/../../${theirs}/secret.txt`,
  'door/secret.txt',
  'door/new/file.txt',
  '/etc/passwd',
  '..',
  '../.state',
  'secret.txt\0.png',
  '..\\secret.txt',
  '\uFF0E\uFF0E/secret.txt',
])('the path %j', (path) => {
  test.each(withPath)('leads nowhere by %s', async (name, parameters) => {
    const answer = await call(name, parameters(path));
    expect(answer.result?.isError).toBe(true);
    expect(JSON.stringify(answer)).not.toMatch(/SECRET|root:|\/tmp\//);
    expect(readFileSync(join(files.root, theirs, 'secret.txt'), 'utf8')).toBe(secret);
    expect(readdirSync(join(files.root, theirs))).toEqual(['secret.txt']);
    expect(readFileSync(home('mine.txt'), 'utf8')).toBe('mine\n');
  });

  test('is no place for an upload', async () => {
    const opened = await call('create_upload_session', { path, size });
    if (opened.result?.isError) return;
    const upload = JSON.parse(textOf(opened));
    const authorization = `Bearer ${upload.upload_token}`;
    await fetch(upload.upload_url, { method: 'PUT', body: 'x', headers: { authorization } });
    const sha256 = createHash('sha256').update('x').digest('hex');
    const about = { upload_id: upload.upload_id };
    const done = await call('complete_upload_session', { ...about, sha256 });
    expect(done.result?.isError).toBe(true);
    expect(readdirSync(join(files.root, theirs))).toEqual(['secret.txt']);
    await call('abort_upload_session', about);
  });
});

test('the home directory itself is neither deleted, moved nor replaced', async () => {
  for (const path of ['', '.']) {
    expect((await call('delete_file', { path, recursive: true })).result?.isError ?? true).toBe(
      true,
    );
    const moved = await call('move_file', { from: path, to: 'a' });
    expect(moved.result?.isError ?? true).toBe(true);
  }
  expect(readFileSync(home('mine.txt'), 'utf8')).toBe('mine\n');
});

test('what an answer would make too long comes in parts', async () => {
  await write('long.txt', Array.from({ length: 50 }, (_, n) => `line ${n + 1}\n`).join(''));
  const { result } = await call('read_file', { path: 'long.txt' });
  const about = JSON.parse(result?.content?.[1]?.text ?? '');
  expect(about).toMatchObject({ start_line: 1, lines: 50, next_line: about.end_line + 1 });
  const rest = await call('read_file', { path: 'long.txt', start_line: about.next_line });
  expect(textOf(rest).startsWith(`line ${about.next_line}\n`)).toBe(true);

  await write('one-line.txt', 'x'.repeat(101));
  expect(textOf(await call('read_file', { path: 'one-line.txt' }))).toContain('base64');
  const bytes = await call('read_file', { path: 'one-line.txt', encoding: 'base64', offset: 1 });
  expect(Buffer.from(textOf(bytes), 'base64').toString()).toBe('x'.repeat(100));

  for (const name of ['a', 'b', 'c', 'd', 'e', 'f', 'g']) await write(`many/${name}`, '');
  const first = await json('list_files', { path: 'many', limit: 5 });
  expect(first).toMatchObject({ more: true });
  const second = await json('list_files', { path: 'many', limit: 5, after: 'many/e' });
  expect(second.entries.map(({ path }: { path: string }) => path)).toEqual(['many/f', 'many/g']);
  expect(second.more).toBe(false);
  expect((await call('list_files', { limit: 6 })).result?.isError ?? true).toBe(true);
});

test('files that are too large, binary or not UTF-8 are told apart', async () => {
  await expect(write('big.txt', 'x'.repeat(10_001))).rejects.toThrow('create_upload_session');
  writeFileSync(home('grown.txt'), 'x'.repeat(10_001));
  expect(textOf(await call('read_file', { path: 'grown.txt' }))).toContain('the limit here');
  for (const bytes of [[0], [0xff, 0xfe], [0xc0, 0xaf], [0xed, 0xa0, 0x80]]) {
    writeFileSync(home('binary'), Buffer.from(bytes));
    expect(textOf(await call('read_file', { path: 'binary' }))).toContain('binary');
    const edit = await call('insert_lines', { path: 'binary', line: 1, content: 'x' });
    expect(edit.result?.isError).toBe(true);
    expect(readFileSync(home('binary'))).toEqual(Buffer.from(bytes));
  }
  await json('write_file', {
    path: 'written.bin',
    content: Buffer.from([0, 255]).toString('base64'),
    encoding: 'base64',
  });
  expect(readFileSync(home('written.bin'))).toEqual(Buffer.from([0, 255]));
  const bad = await call('write_file', { path: 'b', content: '*no base64*', encoding: 'base64' });
  expect(bad.result?.isError).toBe(true);
});

test('changes at the same moment all happen, one after the other', async () => {
  await write('log.txt', '');
  const lines = Array.from({ length: 20 }, (_, n) => `entry ${n}`);
  const edits = lines.map((content) => json('insert_lines', { path: 'log.txt', line: 1, content }));
  await Promise.all(edits);
  expect(readFileSync(home('log.txt'), 'utf8').trim().split('\n').sort()).toEqual(lines.sort());
});

test('expected_sha256 refuses to change what somebody else has changed since', async () => {
  const { sha256 } = await write('shared.txt', 'first\n');
  await write('shared.txt', 'second\n');
  for (const [name, more] of [
    ['write_file', { content: 'lost', overwrite: true }],
    ['insert_lines', { line: 1, content: 'lost' }],
    ['find_replace', { find: 'second', replace: 'lost' }],
  ] as const) {
    const answer = await call(name, { path: 'shared.txt', expected_sha256: sha256, ...more });
    expect(textOf(answer)).toContain('changed meanwhile');
  }
  expect(readFileSync(home('shared.txt'), 'utf8')).toBe('second\n');
});

test('readers see the old file or the new one, never a part', async () => {
  const [old, fresh] = ['a'.repeat(9000), 'b'.repeat(9000)];
  await write('whole.txt', old);
  let done = false;
  const writing = (async () => {
    for (let n = 0; n < 30; n += 1) await write('whole.txt', n % 2 ? old : fresh);
    done = true;
  })();
  while (!done) {
    const seen = readFileSync(home('whole.txt'), 'utf8');
    expect(seen === old || seen === fresh).toBe(true);
    await new Promise((resolve) => setImmediate(resolve));
  }
  await writing;
  expect(readdirSync(home('')).filter((name) => name.startsWith('.workspace-'))).toEqual([]);
});

test('moving does not replace, and no directory goes into itself', async () => {
  await write('tree/leaf.txt', 'leaf');
  await write('other/leaf.txt', 'other');
  for (const [from, to] of [
    ['tree', 'tree/inside'],
    ['tree', 'tree'],
    ['tree', 'other'],
    ['tree/leaf.txt', 'other/leaf.txt'],
  ]) {
    expect((await call('move_file', { from, to })).result?.isError).toBe(true);
  }
  expect(readdirSync(home('tree'))).toEqual(['leaf.txt']);
  const overwrite = { from: 'tree/leaf.txt', to: 'other/leaf.txt', overwrite: true };
  await json('move_file', overwrite);
  expect(readFileSync(home('other/leaf.txt'), 'utf8')).toBe('leaf');
  expect((await call('delete_file', { path: 'other' })).result?.isError).toBe(true);
  await json('delete_file', { path: 'tree' });
});
