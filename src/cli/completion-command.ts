import process from 'node:process';
import { Argument, type Command } from 'commander';

const SHELLS = ['bash', 'zsh', 'fish'] as const;

/** Adds `completion`. @param whole makes the program with all of its commands */
export function addCompletion(program: Command, whole: () => Promise<Command>): void {
  program
    .command('completion')
    .addArgument(new Argument('<shell>', 'The shell that is to complete.').choices(SHELLS))
    .description('A script that has the shell complete commands, flags, keys of the config and their values.')
    .action(async (shell: (typeof SHELLS)[number]) => {
      const [table, { bashScript }, { zshScript }, { fishScript }] = await Promise.all([
        import('./completion/table.js'),
        import('./completion/bash.js'),
        import('./completion/zsh.js'),
        import('./completion/fish.js'),
      ]);
      const script = { bash: bashScript, zsh: zshScript, fish: fishScript }[shell];
      const command = table.completedCommand(await whole());
      process.stdout.write(script(command, table.completedKeys(), table.completedSections()));
    });
}
