import { randomInt } from 'node:crypto';
import { isPortTaken } from '../../examples/demo/ports.ts';

/**
 * A free port outside of the range from which systems take ports by themselves: it is still free when something that
 * takes long to start listens on it.
 */
export async function quietPort(): Promise<number> {
  for (;;) {
    const port = randomInt(20_000, 32_000);
    if (!(await isPortTaken(port))) return port;
  }
}
