import { type LoadedConfig, loadConfig, readEnvironment } from '../config/index.ts';

/** Options that every command has which reads the configuration. */
export interface ConfigOption {
  config?: string;
}

/** @throws ConfigError with every problem at once */
export function load({ config: file }: ConfigOption): LoadedConfig {
  return loadConfig({ file, env: readEnvironment(), cwd: process.cwd() });
}
