import { once } from 'node:events';
import { createServer } from 'node:net';

/** A TCP port that nothing listens on right now, chosen by the system. */
export async function freePort(): Promise<number> {
  const probe = createServer();
  probe.listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const address = probe.address();
  probe.close();
  await once(probe, 'close');
  if (address === null || typeof address === 'string') throw new Error('The system gave no port.');
  return address.port;
}

/**
 * Whether another program already listens on `port` of this computer.
 * Does not reserve the port: somebody may take it a moment later.
 */
export async function isPortTaken(port: number): Promise<boolean> {
  const probe = createServer();
  try {
    probe.listen(port, '127.0.0.1');
    await once(probe, 'listening');
    probe.close();
    await once(probe, 'close');
    return false;
  } catch {
    return true;
  }
}
