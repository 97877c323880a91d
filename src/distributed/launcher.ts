/** What a process is told by whoever starts it. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** Who has started this process as one of several, and with which MPI it can speak with the others. */
export interface Launch {
  /** As users call it. */
  launcher: string;
  rank: number;
  size: number;
  /** Files of the libraries that understand this launcher, the likeliest first. */
  libraries: readonly string[];
  /** Where it gives them no way to find each other: what to do about that. */
  strangers?: string;
}

const OPEN_MPI = ['libmpi.so.40', 'libmpi.40.dylib'];
/** Of one ABI: MPICH's, Debian's name for it, Intel's and MVAPICH's. */
const MPICH = ['libmpich.so.12', 'libmpi.so.12', 'libmpi.12.dylib', 'libpmpi.12.dylib'];

/** What launchers tell the processes that they start: who they are is in the first two variables. */
const LAUNCHERS: readonly { name: string; rank: string; size: string; libraries: readonly string[] }[] = [
  {
    name: 'mpirun of Open MPI',
    rank: 'OMPI_COMM_WORLD_RANK',
    size: 'OMPI_COMM_WORLD_SIZE',
    libraries: OPEN_MPI,
  },
  { name: 'mpirun of MPICH', rank: 'PMI_RANK', size: 'PMI_SIZE', libraries: [...MPICH, ...OPEN_MPI] },
  {
    name: 'srun with PMIx',
    rank: 'PMIX_RANK',
    size: 'SLURM_STEP_NUM_TASKS',
    libraries: [...OPEN_MPI, ...MPICH],
  },
];

/** Who has started this process as one of several; undefined where nobody has. */
export function findLaunch(env: Environment): Launch | undefined {
  for (const { name, rank, size, libraries } of LAUNCHERS) {
    if (env[rank] === undefined || !(Number(env[size]) > 0)) continue;
    const launcher = env.SLURM_STEP_NUM_TASKS !== undefined && rank === 'PMI_RANK' ? 'srun with PMI' : name;
    const asked = env.ADMIN_NMT_MPI;
    return {
      launcher,
      rank: Number(env[rank]),
      size: Number(env[size]),
      libraries: asked === undefined ? libraries : [asked],
    };
  }
  const size = Number(env.SLURM_STEP_NUM_TASKS);
  if (!(size > 1)) return undefined;
  const strangers = 'Give srun --mpi=pmix (Open MPI) or --mpi=pmi2 (MPICH).';
  return { launcher: 'srun', rank: Number(env.SLURM_PROCID), size, libraries: [], strangers };
}
