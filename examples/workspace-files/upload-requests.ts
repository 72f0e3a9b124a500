import { open } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Limits } from './limits.ts';
import { hasCode } from './problem.ts';
import type { Upload, Uploads } from './uploads.ts';

/** What browsers need to be told to let a page of any origin upload. */
const cors = {
  'access-control-allow-origin': '*',
  'access-control-allow-methods': 'HEAD, PUT, OPTIONS',
  'access-control-allow-headers': 'Authorization, Content-Type, Upload-Offset',
  'access-control-expose-headers': 'Upload-Offset, Upload-Length',
};

/**
 * The address where the bytes of an upload go: `PUT` with `Upload-Offset` appends a piece, `HEAD` tells how far it came.
 * Whoever has the upload's token may use it; it opens nothing else.
 * @param prefix path of the addresses, `/mcp/uploads/`
 * @returns a handler that says false for other paths
 */
export function uploadRequests(uploads: Uploads, limits: Limits, prefix: string) {
  async function append(upload: Upload, req: IncomingMessage, res: ServerResponse) {
    const offset = Number(req.headers['upload-offset'] ?? 0);
    if (offset !== upload.received) {
      return answer(res, 409, upload, `Send the bytes from ${upload.received} on`);
    }
    const room = Math.min(limits.chunkBytes, upload.size - upload.received);
    const written = await receive(upload, req, room);
    const now = { ...upload, received: written.received };
    if (written.tooMuch) {
      res.setHeader('connection', 'close');
      return answer(res, 413, now, `At most ${room} bytes fit; what came beyond was not kept`);
    }
    return answer(res, 200, now);
  }

  return async (req: IncomingMessage, res: ServerResponse): Promise<boolean> => {
    const [workspaceId = '', id = '', ...more] = pathOf(req, prefix);
    if (id === '' || more.length > 0) return false;
    for (const [name, value] of Object.entries(cors)) res.setHeader(name, value);
    if (req.method === 'OPTIONS') {
      res.writeHead(204).end();
      return true;
    }
    const find = () => uploads.authorize(workspaceId, id, bearer(req));
    if (req.method === 'HEAD') {
      const upload = await find();
      if (upload) answer(res, 200, upload);
      else refuse(res, 404, unknown);
      return true;
    }
    if (req.method !== 'PUT') {
      res.setHeader('allow', cors['access-control-allow-methods']);
      refuse(res, 405, 'Send the bytes with PUT');
      return true;
    }
    const served = await uploads.alone(id, async () => {
      const upload = await find();
      if (upload) await append(upload, req, res);
      else refuse(res, 404, unknown);
      return true;
    });
    if (!served) refuse(res, 423, 'Another request is sending bytes; send one at a time');
    return true;
  };
}

/** A wrong token and an upload that is not there look the same. */
const unknown = 'There is no such upload, or this is not its token';

function pathOf(req: IncomingMessage, prefix: string): string[] {
  const path = (req.url ?? '').split('?', 1)[0] ?? '';
  return path.startsWith(prefix) ? path.slice(prefix.length).split('/') : [];
}

const bearer = (req: IncomingMessage) =>
  /^Bearer ([\w-]+)$/i.exec(req.headers.authorization ?? '')?.[1] ?? '';

/** Appends what comes, as far as there is room. What a broken connection has brought stays. */
async function receive(upload: Upload, req: IncomingMessage, room: number) {
  const file = await open(upload.part, 'r+');
  let [position, tooMuch] = [upload.received, false];
  try {
    for await (const piece of req.iterator({ destroyOnReturn: false })) {
      const bytes: Buffer = piece;
      const fits = bytes.subarray(0, upload.received + room - position);
      await file.write(fits, 0, fits.length, position);
      position += fits.length;
      tooMuch = fits.length < bytes.length;
      if (tooMuch) break;
    }
  } catch (error) {
    // The client went away; it asks how far it came when it is back.
    if (!hasCode(error, 'ECONNRESET')) throw error;
  } finally {
    await file.sync();
    await file.close();
  }
  return { received: position, tooMuch };
}

function answer(res: ServerResponse, status: number, upload: Upload, problem?: string): void {
  const { id, received, size } = upload;
  res.writeHead(status, {
    'content-type': 'application/json',
    'cache-control': 'no-store',
    'upload-offset': String(received),
    'upload-length': String(size),
  });
  const body = { upload_id: id, received, size, complete: received === size, error: problem };
  res.end(JSON.stringify(body));
}

function refuse(res: ServerResponse, status: number, error: string): void {
  res.writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store' });
  res.end(JSON.stringify({ error }));
}
