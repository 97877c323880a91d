import { Made, type PickleValue } from '../../formats/pickle.js';

type Entries = ReadonlyMap<string, PickleValue>;

/**
 * What a checkpoint of fairseq says of its model and task, by the names that `args` had: `args` itself (an
 * argparse.Namespace), or, of fairseq ≥ 0.10, `cfg`, which is a dict of sections, or a DictConfig of omegaconf with them.
 *
 * @returns null where the checkpoint has neither
 */
export function fairseqSettings(checkpoint: Entries): Map<string, PickleValue> | null {
  const args = sectionOf(checkpoint.get('args'));
  if (args !== null) return args;
  const cfg = sectionOf(checkpoint.get('cfg'));
  if (cfg === null) return null;
  const [model, task] = ['model', 'task'].map((name) => sectionOf(cfg.get(name)));
  if (model === null) return null;
  return new Map([...(task ?? []), ...flat(model)]);
}

/** The settings of a stack may stand in a section of its own: `encoder: {embed_dim}` is `encoder_embed_dim`. */
function flat(model: Entries): [string, PickleValue][] {
  return [...model].flatMap(([name, value]): [string, PickleValue][] => {
    const section = name === 'encoder' || name === 'decoder' ? sectionOf(value) : null;
    if (section === null) return [[name, value]];
    return [...section].map(([key, each]) => [`${name}_${key}`, each]);
  });
}

/** The entries of a dict, a Namespace or a DictConfig; null for anything else. */
function sectionOf(value: PickleValue | undefined): Map<string, PickleValue> | null {
  const entries = contentOf(value);
  if (!(entries instanceof Map)) return null;
  const named = [...entries].filter((entry): entry is [string, PickleValue] => typeof entry[0] === 'string');
  return new Map(named.map(([name, each]) => [name, plain(each)]));
}

function contentOf(value: PickleValue | undefined): PickleValue | undefined {
  if (!(value instanceof Made)) return value;
  const name = String(value.by);
  if (name === 'argparse.Namespace') return value.state;
  if (name === 'collections.OrderedDict') return value.items;
  return name === 'omegaconf.dictconfig.DictConfig' ? attribute(value, '_content') : undefined;
}

/** The value of a node of omegaconf; everything else as it is. */
function plain(value: PickleValue): PickleValue {
  const isNode = value instanceof Made && /^omegaconf\.nodes\.\w+$/.test(String(value.by));
  return isNode ? (attribute(value, '_val') ?? null) : value;
}

function attribute({ state }: Made, name: string): PickleValue | undefined {
  return state instanceof Map ? state.get(name) : undefined;
}
