import { once } from 'node:events';
import { createServer } from 'node:net';

/** What the server says to a program that connects. */
type Refusal = { version: number } | { code: string; message: string };

/**
 * Speaks just enough of the Postgres protocol (version 3, §55.7) to say that it is too old, or that it
 * lets nobody in: states into which a real test server cannot be brought.
 */
export async function refusingPostgres(refusal: Refusal) {
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.on('data', (data) => {
      const type = String.fromCharCode(data[0] ?? 0);
      if (type === 'X') socket.end();
      else if (type === 'Q') socket.write('version' in refusal ? answer(refusal.version) : ready);
      else if ('version' in refusal) socket.write(Buffer.concat([message('R', int32(0)), ready]));
      else socket.end(message('E', errorFields(refusal)));
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' && address ? address.port : 0;
  return {
    dsn: `postgres://me:secret@127.0.0.1:${port}/authserver`,
    async [Symbol.asyncDispose]() {
      server.close();
      await once(server, 'close');
    },
  };
}

const ready = message('Z', Buffer.from('I'));

/** One row with one column of text. */
function answer(version: number): Buffer {
  const text = Buffer.from(String(version));
  const column = Buffer.concat([
    Buffer.from('server_version_num\0'),
    Buffer.from([0, 0, 0, 0, 0, 0, 0, 0, 0, 25, 255, 255, 255, 255, 255, 255, 0, 0]),
  ]);
  return Buffer.concat([
    message('T', Buffer.concat([int16(1), column])),
    message('D', Buffer.concat([int16(1), int32(text.length), text])),
    message('C', Buffer.from('SHOW\0')),
    ready,
  ]);
}

function errorFields({ code, message: text }: { code: string; message: string }): Buffer {
  return Buffer.from(`SFATAL\0VFATAL\0C${code}\0M${text}\0\0`);
}

function message(type: string, body: Buffer): Buffer {
  return Buffer.concat([Buffer.from(type), int32(body.length + 4), body]);
}

function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
}

function int16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeInt16BE(value);
  return bytes;
}
