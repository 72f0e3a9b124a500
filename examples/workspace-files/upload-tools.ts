import { open, rename } from 'node:fs/promises';
import type { McpServer } from '@modelcontextprotocol/server';
import * as z from 'zod';
import type { Directory } from './directory.ts';
import { hashFile, putFile } from './entries.ts';
import { FileProblem, hasCode } from './problem.ts';
import { answer, answering } from './tool-answers.ts';
import type { ToolDeps } from './tool-deps.ts';
import { overwrite, path, uploadId } from './tool-inputs.ts';
import type { Upload } from './uploads.ts';

const annotations = { readOnlyHint: false, destructiveHint: false, openWorldHint: false };

/** create_upload_session and the three tools that follow it. */
export function addUploadTools(server: McpServer, deps: ToolDeps): void {
  const { workspace, uploads, limits } = deps;
  const find = (id: string) => uploads.find(workspace.id, id);

  server.registerTool(
    'create_upload_session',
    {
      description:
        'Starts the upload of a file that is too large for write_file, or that a program sends. Send the bytes to upload_url with HTTP PUT, in one or more pieces, as the answer shows; then call complete_upload_session.',
      inputSchema: z.object({
        path,
        size: z.number().int().min(0).max(limits.uploadBytes).describe('Size in bytes'),
        overwrite,
      }),
      annotations,
    },
    (ask) =>
      answering(deps, async () => {
        const { upload, token } = await uploads.create({ workspaceId: workspace.id, ...ask });
        const url = `${deps.uploadUrl}/${workspace.id}/${upload.id}`;
        return answer({
          ...status(upload),
          upload_url: url,
          upload_token: token,
          max_piece_bytes: limits.chunkBytes,
          example: `curl -T FILE -H 'Authorization: Bearer ${token}' -H 'Upload-Offset: 0' ${url}`,
        });
      }),
  );
  server.registerTool(
    'get_upload_status',
    {
      description:
        'Tells how many bytes of an upload have arrived; go on with Upload-Offset: received.',
      inputSchema: z.object({ upload_id: uploadId }),
      annotations: { ...annotations, readOnlyHint: true },
    },
    ({ upload_id: id }) => answering(deps, async () => answer(status(await find(id)))),
  );
  server.registerTool(
    'complete_upload_session',
    {
      description:
        'Ends an upload: checks size and SHA-256, then puts the file in its place at once. When the hash is wrong, nothing is put there; abort and upload again.',
      inputSchema: z.object({
        upload_id: uploadId,
        sha256: z
          .string()
          .regex(/^[0-9a-fA-F]{64}$/)
          .describe('SHA-256 of the whole file in hexadecimal digits'),
      }),
      annotations: { ...annotations, destructiveHint: true },
    },
    ({ upload_id: id, sha256 }) =>
      answering(deps, async () => {
        const done = await uploads.alone(id, async () => complete(deps, await find(id), sha256));
        if (!done) throw new FileProblem('Bytes are still arriving; try again when they are there');
        return answer(done);
      }),
  );
  server.registerTool(
    'abort_upload_session',
    {
      description: 'Gives up an upload and throws away the bytes that have arrived.',
      inputSchema: z.object({ upload_id: uploadId }),
      annotations: { ...annotations, destructiveHint: true },
    },
    ({ upload_id: id }) =>
      answering(deps, async () => {
        const done = await uploads.alone(id, async () => {
          await uploads.forget(await find(id));
          return { upload_id: id, aborted: true };
        });
        if (!done) throw new FileProblem('Bytes are still arriving; stop sending them first');
        return answer(done);
      }),
  );
}

const status = ({ id, path, size, received, expiresAt }: Upload) => ({
  upload_id: id,
  path,
  size,
  received,
  complete: received === size,
  expires_at: expiresAt,
});

async function complete({ workspace, uploads }: ToolDeps, upload: Upload, sha256: string) {
  const { path, size, received } = upload;
  if (received !== size) {
    throw new FileProblem(`Only ${received} of ${size} bytes have arrived; send the rest first`);
  }
  const part = await open(upload.part, 'r');
  const arrived = await hashFile(part).finally(() => part.close());
  if (arrived !== sha256.toLowerCase()) {
    throw new FileProblem(`What has arrived has the SHA-256 ${arrived}; abort and upload again`);
  }
  await workspace.install(upload, (directory, name) => enter(upload, directory, name));
  await uploads.forget(upload);
  return { path, size, sha256: arrived };
}

async function enter({ part, overwrite }: Upload, directory: Directory, name: string) {
  try {
    await rename(part, directory.at(name));
  } catch (error) {
    // The home lies on another disk.
    if (!hasCode(error, 'EXDEV')) throw error;
    const file = await open(part, 'r');
    const stream = file.createReadStream({ start: 0, autoClose: false });
    await putFile(directory, name, (copy) => copy.writeFile(stream), overwrite).finally(() =>
      file.close(),
    );
  }
}
