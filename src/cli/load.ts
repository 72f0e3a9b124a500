import { Command } from 'commander';
import { type LoadedConfig, loadConfig, readEnvironment } from '../config/index.ts';

/** Options that every command has which reads the configuration. */
export interface ConfigOption {
  config?: string;
}

/** A command that reads the configuration. */
export function configured(name: string, description: string): Command {
  return new Command(name)
    .description(description)
    .option('--config <file>', 'configuration file (YAML)');
}

/** @throws ConfigError with every problem at once */
export function load({ config: file }: ConfigOption): LoadedConfig {
  return loadConfig({ file, env: readEnvironment(), cwd: process.cwd() });
}
