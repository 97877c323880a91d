import { DamageError } from '../common/errors.js';
import type { PickleValue } from './pickle.js';
import { type ReadAt, readerOf } from './read-at.js';
import { STORAGE_TYPES } from './torch-storage.js';
import { PickleError, Unpickler } from './unpickle.js';
import { checkZipEntry, type ZipEntry } from './zip.js';

/** What a checkpoint of fairseq may name; nothing of it is ever called. */
const ALLOWED = new Set([
  'argparse.Namespace',
  'collections.OrderedDict',
  'collections.defaultdict',
  'torch._utils._rebuild_tensor_v2',
  'torch._utils._rebuild_tensor',
  'torch._utils._rebuild_parameter',
  'torch.Size',
  'torch.device',
  'copyreg._reconstructor',
  'copy_reg._reconstructor',
  'builtins.object',
  '__builtin__.object',
  'numpy.dtype',
  'numpy.core.multiarray.scalar',
  'numpy._core.multiarray.scalar',
  '_codecs.encode',
  // Types that the `cfg` of fairseq 0.10 and later names, see SETTINGS.
  'typing.Any',
  'typing.Dict',
  'typing.List',
  'typing.Optional',
  'typing.Union',
  ...['builtins', '__builtin__'].flatMap((module) =>
    ['dict', 'list', 'str', 'unicode', 'int', 'long', 'float', 'bool'].map((name) => `${module}.${name}`),
  ),
  ...['AverageMeter', 'StopwatchMeter', 'TimeMeter'].map((name) => `fairseq.meters.${name}`),
  ...Object.keys(STORAGE_TYPES).map((name) => `torch.${name}`),
]);

/** What a `cfg` consists of, and the classes of fairseq that it names as the types of its sections. */
const SETTINGS =
  /^(omegaconf\.(base|nodes|dictconfig|listconfig)|fairseq\.(dataclass|models|tasks|criterions|optim)(\.[a-z_0-9]+)*)\.[A-Z]\w*$/;

/** A file of torch.save, as it is read. */
export class TorchSource {
  readonly file: string;
  readonly size: number;
  readonly read: ReadAt;
  /** Bytes that may still be read as tensors, which can share a storage and grow from half precision. */
  private left: number;
  private readonly checked = new Set<ZipEntry>();

  constructor(file: string, fd: number, size: number) {
    this.file = file;
    this.size = size;
    this.read = readerOf(fd, size, (problem) => this.refuse(problem));
    this.left = 4 * size;
  }

  /** Takes the memory of a tensor from what all tensors together may have. */
  spend(bytes: number): void {
    this.left -= bytes;
    if (this.left < 0) throw this.refuse('its tensors repeat their storages beyond measure');
  }

  /** Reads a file of a zip. @throws DamageError also where its CRC-32 is another */
  readEntry(entry: ZipEntry): Buffer {
    this.check(entry);
    return this.read(entry.start, entry.bytes);
  }

  /** Compares a file of a zip with its CRC-32, once. */
  check(entry: ZipEntry): void {
    if (this.checked.has(entry)) return;
    checkZipEntry(this.read, entry, (problem) => this.refuse(problem));
    this.checked.add(entry);
  }

  refuse(problem: string): DamageError {
    return new DamageError({
      problem: `expected a checkpoint of torch.save: ${problem}`,
      where: this.file,
      hint: 'The file is damaged, of another kind, or holds more than a checkpoint; nothing in it was run.',
    });
  }

  unpickle(bytes: Buffer, place = 0): { value: PickleValue; end: number } {
    try {
      return new Unpickler(bytes, (name) => ALLOWED.has(name) || SETTINGS.test(name), place).read();
    } catch (error) {
      if (error instanceof PickleError) throw this.refuse(`its pickle is refused: ${error.message}`);
      throw error;
    }
  }
}
