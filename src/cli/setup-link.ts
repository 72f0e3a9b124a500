import type { Command } from 'commander';
import { maintenance } from '../admin/contract/index.ts';
import { withAdmin } from './administration.ts';
import { CommandFailure } from './failure.ts';
import { type ConfigOption, configured } from './load.ts';
import { note, print } from './output.ts';

/** `authserver setup-link` */
export function setupLinkCommand(): Command {
  return configured(
    'setup-link',
    'print a new link that makes the first owner, while there is none; good once, for an hour',
  ).action(async (options: ConfigOption) => {
    const link = await withAdmin(options, async (admin, config) => {
      if (!config.admin.enabled) {
        throw new CommandFailure('the admin listener is off. Set admin.enabled to true');
      }
      const { token } = await admin.call(maintenance.setupLink);
      const { adminUrl } = await import('./ownership.ts');
      const { setupUrl } = await import('../admin/index.ts');
      return token === null ? undefined : setupUrl(adminUrl(config.admin), token);
    });
    if (link === undefined) {
      throw new CommandFailure(
        'this server has an owner, who adds everybody else. authserver user create EMAIL --role owner adds one here',
      );
    }
    print(link);
    note('Open it within an hour, while the server runs.');
  });
}
