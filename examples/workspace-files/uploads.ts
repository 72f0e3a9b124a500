import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';
import { isWorkspaceId } from './home.ts';
import type { Limits } from './limits.ts';
import { createLocks } from './locks.ts';
import { joinPath, parsePath } from './paths.ts';
import { FileProblem, hasCode } from './problem.ts';

const recordSchema = z.object({
  id: z.string(),
  workspaceId: z.string(),
  path: z.string(),
  size: z.number(),
  overwrite: z.boolean(),
  tokenHash: z.string(),
  expiresAt: z.string(),
});

/** An upload that is under way. Everything but the content is in its record; how far it came is the size of `part`. */
export type Upload = z.infer<typeof recordSchema> & { received: number; part: string };

/** The uploads under way, kept on disk so that they survive a restart. */
export type Uploads = ReturnType<typeof createUploads>;

type Ask = { workspaceId: string; path: string; size: number; overwrite: boolean };

const uploadId = /^upl_[0-9A-Za-z_-]{22}$/;
const hash = (token: string) => createHash('sha256').update(token).digest();

/** @param directory where records and received bytes are kept, on the disk of the homes but outside of them */
export function createUploads(directory: string, limits: Limits, now: () => Date) {
  const folder = (workspaceId: string) => join(directory, workspaceId);
  const recordFile = (workspaceId: string, id: string) => join(folder(workspaceId), `${id}.json`);
  const partFile = (workspaceId: string, id: string) => join(folder(workspaceId), `${id}.part`);

  async function load(workspaceId: string, id: string): Promise<Upload | undefined> {
    if (!isWorkspaceId(workspaceId) || !uploadId.test(id)) return undefined;
    try {
      const text = await readFile(recordFile(workspaceId, id), 'utf8');
      const record = recordSchema.parse(JSON.parse(text));
      const part = partFile(workspaceId, id);
      return { ...record, part, received: (await stat(part)).size };
    } catch (error) {
      if (hasCode(error, 'ENOENT')) return undefined;
      throw error;
    }
  }

  const isOver = ({ expiresAt }: Upload) => now().getTime() >= Date.parse(expiresAt);

  async function find(workspaceId: string, id: string): Promise<Upload> {
    const upload = await load(workspaceId, id);
    if (upload && !isOver(upload)) return upload;
    if (upload) await forget(upload);
    throw new FileProblem('There is no such upload: it was completed, aborted, or has expired');
  }

  async function forget({ workspaceId, id }: Upload): Promise<void> {
    await rm(recordFile(workspaceId, id), { force: true });
    await rm(partFile(workspaceId, id), { force: true });
  }

  async function idsOf(workspaceId: string): Promise<string[]> {
    const files = await readdir(folder(workspaceId)).catch(() => []);
    return files.filter((name) => name.endsWith('.json')).map((name) => name.slice(0, -5));
  }

  /** Removes what has expired; answers what is left of one workspace. */
  async function sweepOne(workspaceId: string): Promise<number> {
    let open = 0;
    for (const id of await idsOf(workspaceId)) {
      const upload = await load(workspaceId, id);
      if (upload && !isOver(upload)) open += 1;
      else await forget(upload ?? { workspaceId, id, ...nothing });
    }
    return open;
  }

  async function create(ask: Ask) {
    if (ask.size > limits.uploadBytes) {
      throw new FileProblem(`The limit of an upload is ${limits.uploadBytes} bytes`);
    }
    const path = joinPath(parsePath(ask.path));
    if ((await sweepOne(ask.workspaceId)) >= limits.uploads) {
      throw new FileProblem(
        `There are ${limits.uploads} uploads under way; complete or abort one of them`,
      );
    }
    const id = `upl_${randomBytes(16).toString('base64url')}`;
    const token = randomBytes(32).toString('base64url');
    const record = {
      ...ask,
      id,
      path,
      tokenHash: hash(token).toString('hex'),
      expiresAt: new Date(now().getTime() + limits.uploadTime).toISOString(),
    };
    await mkdir(folder(ask.workspaceId), { recursive: true, mode: 0o700 });
    const part = partFile(ask.workspaceId, id);
    await writeFile(part, '', { mode: 0o600, flag: 'wx' });
    const file = recordFile(ask.workspaceId, id);
    await writeFile(`${file}.new`, JSON.stringify(record), { mode: 0o600, flush: true });
    await rename(`${file}.new`, file);
    return { upload: { ...record, part, received: 0 }, token };
  }

  // One after the other, or many at once would not see each other.
  const creating = createLocks();
  const held = new Set<string>();

  return {
    find,
    forget,

    /** Runs `work` while nobody else uses this upload. @returns undefined, and does nothing, when somebody does */
    async alone<Value>(id: string, work: () => Promise<Value>): Promise<Value | undefined> {
      if (held.has(id)) return undefined;
      held.add(id);
      return work().finally(() => held.delete(id));
    },

    /** Opens an upload. @returns it, and the token that its requests carry, which is not kept */
    create: (ask: Ask) => creating(ask.workspaceId, () => create(ask)),

    /** The upload that a request to its address is for; undefined unless the token is its own. */
    async authorize(workspaceId: string, id: string, token: string): Promise<Upload | undefined> {
      const upload = await load(workspaceId, id);
      if (!upload || isOver(upload)) return undefined;
      return timingSafeEqual(hash(token), Buffer.from(upload.tokenHash, 'hex'))
        ? upload
        : undefined;
    },

    /** Removes everything that has expired. */
    async sweep(): Promise<void> {
      for (const name of await readdir(directory).catch(() => [])) {
        if (isWorkspaceId(name)) await sweepOne(name);
      }
    },
  };
}

/** Stands for what a record without its content would say. */
const nothing = {
  path: '',
  size: 0,
  overwrite: false,
  tokenHash: '',
  expiresAt: '',
  received: 0,
  part: '',
};
