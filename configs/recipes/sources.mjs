// What the text of each recipe is made of: archives, and which of their files become which split. The order, the
// cleaning and the splits are those of the official scripts (pre-process/*.sh of the official implementation).

const STATMT = 'http://www.statmt.org';

/** Sizes in bytes and sums as others have published them; undefined where nobody that we know of has. */
const archives = {
  iwslt14: {
    // The first address, wit3.fbk.eu, has been gone since 2020 (fairseq#2984); this is fairseq's copy.
    url: 'http://dl.fbaipublicfiles.com/fairseq/data/iwslt14/de-en.tgz',
    sum: 'md5:10936dfdf616504ddbd844e91b94ef4a',
  },
  europarl: {
    url: `${STATMT}/wmt13/training-parallel-europarl-v7.tgz`,
    bytes: 657632379,
    sum: 'sha256:0224c7c710c8a063dfd893b0cc0830202d61f4c75c17eb8e31836103d27d96e7', // TensorFlow Datasets
  },
  commoncrawl: {
    url: `${STATMT}/wmt13/training-parallel-commoncrawl.tgz`,
    bytes: 918311367,
    sum: 'sha256:c7a74e2ea01ac6c920123108627e35278d4ccb5701e15428ffa34de86fa3a9e5', // TensorFlow Datasets
  },
  newsCommentary9: {
    url: `${STATMT}/wmt14/training-parallel-nc-v9.tgz`,
    bytes: 80418416,
    sum: 'sha256:cb8953f292298e6877ae433c98912b927cb0766b303f4540512ddd286c748485', // TensorFlow Datasets
  },
  newsCommentary12: {
    url: 'http://data.statmt.org/wmt17/translation-task/training-parallel-nc-v12.tgz',
    sum: 'sha256:2b45f30ef1d550d302fd17dd3a5cbe19134ccc4c2cf50c2dae534aee600101a2',
  },
  un: { url: `${STATMT}/wmt13/training-parallel-un.tgz` },
  giga: { url: `${STATMT}/wmt10/training-giga-fren.tar`, bytes: 2595102720 }, // TensorFlow's translate tutorial
  dev: {
    url: 'http://data.statmt.org/wmt17/translation-task/dev.tgz',
    sum: 'sha256:9d5ff04a28496b7796904ea65e50e3837bab14dbdca88b1e063105f17513dca9',
  },
  test: { url: `${STATMT}/wmt14/test-full.tgz`, sum: 'md5:a8cd784e006feb32ac6f3d9ec7eb389a' }, // sacreBLEU
};

/**
 * Each text names its languages and its parts. A part becomes `split`; `files` are pairs of source and target, in
 * their order, each with its archive. `form` says what a line is: `plain`, `tags` (IWSLT's training text), `segments`
 * (SGML or XML). Then come `normalise` and `lowercase`; `words` drops pairs by their number of words, and every
 * `hold.every`th pair that is left goes into the split `hold.split`.
 */
export const texts = {
  'iwslt14-de-en': {
    languages: ['de', 'en'],
    parts: [
      {
        split: 'train',
        form: 'tags',
        files: [pair('iwslt14', (language) => `de-en/train.tags.de-en.${language}`)],
        lowercase: true,
        words: { min: 1, max: 175, ratio: 1.5 },
        hold: { split: 'valid', every: 23 },
      },
      {
        split: 'test',
        form: 'segments',
        files: ['TED.dev2010', 'TEDX.dev2012', 'TED.tst2010', 'TED.tst2011', 'TED.tst2012'].map((name) =>
          pair('iwslt14', (language) => `de-en/IWSLT14.${name}.de-en.${language}.xml`),
        ),
        lowercase: true,
      },
    ],
  },
  'wmt14-en-de': {
    languages: ['en', 'de'],
    parts: [
      {
        split: 'train',
        form: 'plain',
        files: [
          pair('europarl', (language) => `training/europarl-v7.de-en.${language}`),
          pair('commoncrawl', (language) => `commoncrawl.de-en.${language}`),
          pair('newsCommentary12', (language) => `training/news-commentary-v12.de-en.${language}`),
        ],
        normalise: true,
        words: { min: 1, max: 80, ratio: 9 },
      },
      {
        split: 'newstest2013',
        form: 'plain',
        files: [pair('dev', (language) => `dev/newstest2013.${language}`)],
        normalise: true,
      },
      newstest2014('deen'),
    ],
  },
  'wmt14-en-fr': {
    languages: ['en', 'fr'],
    parts: [
      {
        split: 'train',
        form: 'plain',
        files: [
          pair('europarl', (language) => `training/europarl-v7.fr-en.${language}`),
          pair('commoncrawl', (language) => `commoncrawl.fr-en.${language}`),
          pair('un', (language) => `un/undoc.2000.fr-en.${language}`),
          pair('newsCommentary9', (language) => `training/news-commentary-v9.fr-en.${language}`),
          pair('giga', (language) => `giga-fren.release2.fixed.${language}.gz`),
        ],
        normalise: true,
        hold: { split: 'valid', every: 1333 },
      },
      newstest2014('fren'),
    ],
  },
};

/** @param nameOf the path of a language's file within the archive */
function pair(archive, nameOf) {
  return { archive: archives[archive], nameOf };
}

function newstest2014(languages) {
  const nameOf = (language) =>
    `test-full/newstest2014-${languages}-${language === 'en' ? 'src' : 'ref'}.${language}.sgm`;
  return { split: 'newstest2014', form: 'segments', files: [pair('test', nameOf)] };
}
