import process from 'node:process';
import type { Command } from 'commander';
import { loadRunConfig } from '../config/load.js';
import { addCommon, begin, type Common } from './model-commands.js';

/** Adds `serve`. What it does is imported when it runs. */
export function addServe(program: Command): void {
  const command = program
    .command('serve')
    .argument('<run...>', 'Run directories of train, or checkpoints in them, of different languages.')
    .description(
      'Translations over HTTP, as LibreTranslate’s clients ask for them, and a page to type into.',
    );
  const settings = addCommon(command, ['backend', 'gpu', 'threads', 'decode', 'serve']);
  command.action(async (runs: string[], options: Common) => {
    const [first, ...others] = runs.map((run) => ({
      run,
      load: () => loadRunConfig(run, { sets: settings }),
    }));
    const loaded = begin(options, first.load);
    if (loaded === undefined) return;
    const { serve } = await import('../workflows/serve/serve.js');
    const served = [{ run: first.run, ...loaded }, ...others.map(({ run, load }) => ({ run, ...load() }))];
    await serve(served, loaded.config.serve, untilSignal);
  });
}

function untilSignal(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve());
  });
}
