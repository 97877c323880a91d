import process from 'node:process';
import type { Command } from 'commander';
import { UserError } from '../common/errors.js';
import { log } from '../common/log.js';
import { configKeys } from '../config/keys.js';
import { loadConfig } from '../config/load.js';
import type { Setting } from '../config/override.js';
import { addKey } from './config-flags.js';

/** Adds `check`. */
export function addCheck(program: Command): void {
  const settings: Setting[] = [];
  const command = program
    .command('check')
    .argument('[folder]', 'A run directory, a checkpoint or a dataset.')
    .description(
      'Looks for damage in a folder: checksums, formats, shapes, numbers; says what train would go on from. Or, with --backend, whether an engine computes right, and how fast.',
    )
    .option('--json', 'Print one JSON object.');
  for (const path of ['backend', 'gpu', 'threads']) addKey(command, configKeys.get(path)!, settings);
  command.action(async (folder: string | undefined, { json = false }: { json?: boolean }) => {
    if (folder !== undefined && settings.length === 0) return checkFolder(folder, json);
    const { config, warnings } = loadConfig({ sets: settings });
    const { backend, gpu, threads } = config;
    if (folder !== undefined || backend === 'auto')
      throw new UserError({
        problem: `expected a folder, or --backend with the name of an engine, found ${folder !== undefined ? 'both' : settings.length === 0 ? 'nothing' : 'auto'}`,
        hint: 'admin-nmt check run looks for damage in a folder; admin-nmt check --backend webgpu tests an engine.',
      });
    for (const warning of warnings) log.warn(warning);
    await checkBackend({ backend, gpu, threads }, json);
  });
}

async function checkFolder(folder: string, json: boolean): Promise<void> {
  const { check, formatReport, refuseDamage } = await import('../workflows/check/check.js');
  const report = check(folder);
  process.stdout.write(json ? `${JSON.stringify(report, null, 2)}\n` : formatReport(report));
  refuseDamage(folder, report);
}

/** The object goes to standard output, with the table on standard error; else the table alone. */
async function checkBackend(
  asked: Parameters<typeof import('../workflows/self-test/self-test.js').selfTest>[0],
  json: boolean,
): Promise<void> {
  const [{ refuseWrong, selfTest }, { formatSelfTest }] = await Promise.all([
    import('../workflows/self-test/self-test.js'),
    import('../workflows/self-test/format.js'),
  ]);
  const report = await selfTest(asked);
  const table = formatSelfTest(report);
  if (json) {
    log.info(table);
    process.stdout.write(`${JSON.stringify(report, null, 2)}\n`);
  } else process.stdout.write(`${table}\n`);
  refuseWrong(report);
}
