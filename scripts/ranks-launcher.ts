import { spawnSync } from 'node:child_process';

/** What Debian calls the programs that start processes. */
export type Launcher = 'mpirun.openmpi' | 'mpirun.mpich';

/** Why a launcher cannot be tried here; false where it can. */
export const missing = (launcher: Launcher): string | false =>
  spawnSync(launcher, ['--version']).status === 0 ? false : `${launcher} is not installed`;

/** There are mostly more ranks than processors, and a test may be root. */
const OPTIONS: Record<Launcher, string[]> = { 'mpirun.openmpi': ['--oversubscribe'], 'mpirun.mpich': [] };
export const AS_ROOT = { OMPI_ALLOW_RUN_AS_ROOT: '1', OMPI_ALLOW_RUN_AS_ROOT_CONFIRM: '1' };

/** The start of a command line that runs a program in so many processes. */
export const launch = (launcher: Launcher, size: number): string[] => [
  launcher,
  ...OPTIONS[launcher],
  '-n',
  `${size}`,
];
