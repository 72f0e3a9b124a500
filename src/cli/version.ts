import { Command } from 'commander';
import { version } from '../version.ts';

/** `authserver version` */
export function versionCommand(): Command {
  return new Command('version').description('print the version').action(() => {
    process.stdout.write(`authserver ${version()} (node ${process.versions.node})\n`);
  });
}
