import { createHash, randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { request } from 'node:http';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type FilesServer, ours, startFilesServer, theirs } from './support/files-server.ts';
import { mcpHttp, rpc, textOf } from './support/mcp-http.ts';

const hash = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

let time = Date.now();
let files: FilesServer;
beforeEach(async () => {
  time = Date.now();
  files = await startFilesServer({
    clock: () => new Date(time),
    limits: { uploadBytes: 5_000_000, chunkBytes: 2_000_000, uploads: 2 },
  });
});
afterEach(async () => {
  expect(files.errors).toEqual([]);
  await files.close();
});

/** A connected caller, whose tools answer JSON or fail with what the tool said. */
async function connect(workspaceId = ours) {
  const http = mcpHttp(files.resource, files.desk.issue({ workspaceId, expiresIn: 1e6 }));
  const { session } = await http.initialize();
  return async (name: string, parameters: object = {}) => {
    const answer = await rpc(await http.call(session, name, parameters));
    if (answer.error || answer.result?.isError) throw new Error(JSON.stringify(answer));
    return JSON.parse(textOf(answer));
  };
}

type Opened = { upload_id: string; upload_url: string; upload_token: string };

const put = (
  { upload_url, upload_token }: Opened,
  offset: number,
  body: Uint8Array<ArrayBuffer>,
  headers: Record<string, string> = {},
) =>
  fetch(upload_url, {
    method: 'PUT',
    body,
    headers: {
      authorization: `Bearer ${upload_token}`,
      'upload-offset': String(offset),
      ...headers,
    },
  });

test('a file arrives in pieces across a restart of the server and is there as a whole or not at all', async () => {
  const bytes = new Uint8Array(randomBytes(3_000_000));
  const call = await connect();
  const opened = await call('create_upload_session', { path: 'big/file.bin', size: bytes.length });
  expect(opened).toMatchObject({ received: 0, size: bytes.length, complete: false });

  expect((await put(opened, 0, bytes.subarray(0, 1_000_000))).status).toBe(200);
  await files.restart();
  const again = await connect();
  const about = { upload_id: opened.upload_id };
  expect(await again('get_upload_status', about)).toMatchObject({ received: 1_000_000 });
  await expect(again('complete_upload_session', { ...about, sha256: hash(bytes) })).rejects.toThrow(
    'Only 1000000 of 3000000',
  );

  const wrongOffset = await put(opened, 0, bytes.subarray(0, 10));
  expect([wrongOffset.status, wrongOffset.headers.get('upload-offset')]).toEqual([409, '1000000']);
  expect((await put(opened, 1_000_000, bytes.subarray(1_000_000))).status).toBe(200);
  const head = await fetch(opened.upload_url, {
    method: 'HEAD',
    headers: { authorization: `Bearer ${opened.upload_token}` },
  });
  expect(head.headers.get('upload-offset')).toBe('3000000');

  await expect(
    again('complete_upload_session', { ...about, sha256: '0'.repeat(64) }),
  ).rejects.toThrow(hash(bytes));
  expect(existsSync(join(files.root, ours, 'big'))).toBe(false);
  await again('complete_upload_session', { ...about, sha256: hash(bytes).toUpperCase() });
  expect(await readFile(join(files.root, ours, 'big/file.bin'))).toEqual(Buffer.from(bytes));
  expect(await readdir(join(files.root, '.state/uploads', ours))).toEqual([]);
  await expect(again('get_upload_status', about)).rejects.toThrow('no such upload');
});

describe('an upload', () => {
  test('belongs to its workspace: another one neither sees, ends nor fills it', async () => {
    const call = await connect();
    const stranger = await connect(theirs);
    const opened = await call('create_upload_session', { path: 'a', size: 3 });
    const about = { upload_id: opened.upload_id };
    await expect(stranger('get_upload_status', about)).rejects.toThrow('no such upload');
    await expect(stranger('abort_upload_session', about)).rejects.toThrow('no such upload');
    await expect(
      stranger('complete_upload_session', { ...about, sha256: hash(Buffer.from('')) }),
    ).rejects.toThrow('no such upload');
    const elsewhere = { ...opened, upload_url: opened.upload_url.replace(ours, theirs) };
    expect((await put(elsewhere, 0, new Uint8Array(3))).status).toBe(404);
    const other = await stranger('create_upload_session', { path: 'a', size: 3 });
    const swapped = { ...opened, upload_token: other.upload_token };
    expect((await put(swapped, 0, new Uint8Array(3))).status).toBe(404);
  });

  test.each([
    ['no token', { authorization: '' }],
    ['a wrong one', { authorization: 'Bearer x' }],
  ])('takes no bytes with %s', async (_what, headers) => {
    const call = await connect();
    const opened = await call('create_upload_session', { path: 'a', size: 3 });
    expect((await put(opened, 0, new Uint8Array(3), headers)).status).toBe(404);
    const status = await call('get_upload_status', { upload_id: opened.upload_id });
    expect(status).toMatchObject({ received: 0 });
  });

  test('takes no more bytes than were announced, and no piece over the limit', async () => {
    const call = await connect();
    const small = await call('create_upload_session', { path: 'a', size: 3 });
    expect((await put(small, 0, new Uint8Array(10))).status).toBe(413);
    expect(await call('get_upload_status', { upload_id: small.upload_id })).toMatchObject({
      received: 3,
    });
    const large = await call('create_upload_session', { path: 'b', size: 4_000_000 });
    expect((await put(large, 0, new Uint8Array(3_000_000))).status).toBe(413);
    await expect(call('create_upload_session', { path: 'c', size: 6_000_000 })).rejects.toThrow(
      /5000000/,
    );
  });

  test('is one of a few: more are refused until one has ended', async () => {
    const call = await connect();
    const first = await call('create_upload_session', { path: 'a', size: 1 });
    await call('create_upload_session', { path: 'b', size: 1 });
    await expect(call('create_upload_session', { path: 'c', size: 1 })).rejects.toThrow(
      '2 uploads',
    );
    await call('abort_upload_session', { upload_id: first.upload_id });
    await call('create_upload_session', { path: 'c', size: 1 });
    expect((await put(first, 0, new Uint8Array(1))).status).toBe(404);
  });

  test('is one of a few also when many are opened at the same moment', async () => {
    const call = await connect();
    const opened = await Promise.allSettled(
      Array.from({ length: 12 }, () => call('create_upload_session', { path: 'a', size: 1 })),
    );
    expect(opened.filter(({ status }) => status === 'fulfilled')).toHaveLength(2);
  });

  test('is not aborted while bytes arrive, which would be kept beside those that count', async () => {
    const call = await connect();
    const opened = await call('create_upload_session', { path: 'a', size: 10 });
    const sending = request(opened.upload_url, {
      method: 'PUT',
      headers: { authorization: `Bearer ${opened.upload_token}`, 'content-length': 10 },
    });
    const answered = new Promise((resolve) => sending.on('response', resolve));
    sending.write('12345');
    const about = { upload_id: opened.upload_id };
    await expect
      .poll(async () => (await call('get_upload_status', about)).received, { timeout: 5000 })
      .toBe(5);
    await expect(call('abort_upload_session', about)).rejects.toThrow('still arriving');
    sending.end('67890');
    await answered;
    expect(await call('abort_upload_session', about)).toMatchObject({ aborted: true });
  });

  test('expires, and nothing of it is left', async () => {
    const call = await connect();
    const opened = await call('create_upload_session', { path: 'a', size: 3 });
    time += 24 * 60 * 60 * 1000 + 1;
    expect((await put(opened, 0, new Uint8Array(3))).status).toBe(404);
    await files.sweep();
    expect(await readdir(join(files.root, '.state/uploads', ours))).toEqual([]);
  });

  test('replaces a file only when it was told to', async () => {
    const call = await connect();
    await call('write_file', { path: 'a', content: 'old' });
    const bytes = new Uint8Array(Buffer.from('new'));
    for (const [overwrite, content] of [
      [false, 'old'],
      [true, 'new'],
    ] as const) {
      const opened = await call('create_upload_session', { path: 'a', size: 3, overwrite });
      await put(opened, 0, bytes);
      await call('complete_upload_session', {
        upload_id: opened.upload_id,
        sha256: hash(bytes),
      }).catch(() => {});
      expect(await readFile(join(files.root, ours, 'a'), 'utf8')).toBe(content);
    }
  });

  test.each(['../a', '/a', 'a/../../b', 'a\\b'])('to %j is refused', async (path) => {
    const call = await connect();
    await expect(call('create_upload_session', { path, size: 1 })).rejects.toThrow('path');
  });

  test('keeps what a broken connection has brought, and goes on from there', async () => {
    const call = await connect();
    const opened = await call('create_upload_session', { path: 'a', size: 100_000 });
    await new Promise<void>((resolve) => {
      const broken = request(opened.upload_url, {
        method: 'PUT',
        headers: { authorization: `Bearer ${opened.upload_token}`, 'content-length': 100_000 },
      });
      broken.on('error', () => resolve());
      broken.write(Buffer.alloc(50_000), () => setTimeout(() => broken.destroy(), 200));
    });
    const about = { upload_id: opened.upload_id };
    await expect
      .poll(async () => (await call('get_upload_status', about)).received, { timeout: 5000 })
      .toBe(50_000);
    await expect
      .poll(async () => (await put(opened, 50_000, new Uint8Array(50_000))).status)
      .toBe(200);
    const sha256 = hash(new Uint8Array(100_000));
    expect(await call('complete_upload_session', { ...about, sha256 })).toMatchObject({ sha256 });
  });
});
