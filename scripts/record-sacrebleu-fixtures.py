#!/usr/bin/env python3
"""Records what sacreBLEU says of random text, for the tests of src/metrics.

    python3 scripts/record-sacrebleu-fixtures.py              # writes test/metrics/fixtures/
    python3 scripts/record-sacrebleu-fixtures.py --seed 7 --corpora 500 --only scores --stdout

The interpreter must be able to import sacrebleu (with `regex`). Scores of statistics in single precision, as resampling
makes them, are recorded where it has a numpy from 2 on, since an older one computes them otherwise. Text is drawn from the characters that this
interpreter's Unicode knows, so that a newer Unicode elsewhere cannot change the answer.
"""
import argparse
import json
import logging
import os
import pathlib
import random
import struct
import sys
import unicodedata

import sacrebleu
from sacrebleu.metrics import BLEU, CHRF, TER
from sacrebleu.metrics.bleu import _get_tokenizer
from sacrebleu.significance import PairedTest
from sacrebleu.tokenizers.tokenizer_ter import TercomTokenizer
from sacrebleu.utils import sum_of_lists

try:
    import numpy
except ImportError:
    numpy = None

TOKENIZERS = ['13a', 'none', 'char', 'intl', 'zh']
METHODS = [('exp', None), ('exp', None), ('floor', None), ('floor', 0.25), ('add-k', None), ('add-k', 0.5), ('none', None)]
TERCOM_SETTINGS = [[], ['caseSensitive'], ['normalized'], ['noPunct'], ['normalized', 'asianSupport'], ['noPunct', 'asianSupport'],
                   ['normalized', 'noPunct', 'asianSupport']]
ODD_SPACES = ['\t', '\x0b', '\x0c', '\r', '\x1c', '\x1d', '\x1e', '\x1f', '\x85', '\xa0', '\u1680', '\u2003',
              '\u2028', '\u2029', '\u202f', '\u205f', '\u3000', '\n', '  ']
NOT_SPACES = ['\u200b', '\ufeff', '\u2060', '\u180e', '\x00', '\x7f']
BLOCKS = [(0x61, 0x7a), (0x41, 0x5a), (0xc0, 0x24f), (0x250, 0x2af), (0x391, 0x3c9), (0x410, 0x44f), (0x5d0, 0x5ea),
          (0x621, 0x64a), (0x904, 0x94d), (0xe01, 0xe5b), (0x10a0, 0x10ff), (0x1e00, 0x1fff), (0x2000, 0x2bff),
          (0x2c80, 0x2cff), (0x2e80, 0x31ff), (0x3041, 0x30ff), (0x3200, 0x33ff), (0x3400, 0x4dbf), (0x4e00, 0x9fff),
          (0xa640, 0xa7bf), (0xac00, 0xd7a3), (0xe000, 0xf8ff), (0xf900, 0xfaff), (0xfb00, 0xfdff), (0xfe10, 0xfe6f),
          (0xff01, 0xffef), (0x10330, 0x1034a), (0x10400, 0x1044f), (0x1d400, 0x1d7ff), (0x1e900, 0x1e95f),
          (0x1f000, 0x1faff), (0x20000, 0x2a6dd), (0x2f800, 0x2fa1d), (0x30000, 0x3134a), (0xe0020, 0xe007f),
          (0xf0000, 0xffffd), (0x100000, 0x10fffd)]
ASCII_PUNCTUATION = '!"#$%&\'()*+,-./:;<=>?@[\\]^_`{|}~'
OTHER_PUNCTUATION = '\u00a1\u00ab\u00bb\u00bf\u2013\u2014\u2018\u2019\u201c\u201d\u2026\u203d\u060c\u061f\u0964\u3001\u3002\u300c\u300d\uff01\uff0c\uff0e\u20ac\u00b1\u2211\U0001f600\U0001d6db'
SPECIAL = ['&quot;', '&amp;', '&lt;', '&gt;', '&amp;lt;', '&apos;', '<skipped>', '-\n', '&', "don't", 'e\u0301', 'n\u0303\u0323',
           '\U0001f468\u200d\U0001f469\u200d\U0001f467', '\u2764\ufe0f', '\U0001f1e9\U0001f1ea', 'ΟΔΟΣ', 'Σ', 'ΑΣ.', 'İstanbul',
           'STRASSE', 'straße', 'ǅ', 'U.S.', 'e.g.', '3-4', 'x-y', '1,000.50', '.5', '5.', '1.', ',7', '10%', '$3.50',
           '12:30', '1/2', '\u0663\u066b\u0664', '\u216b', '\u00bd', '\u4e09.\u4e94', 'a.b,c', '...', '--', "''", '``']

# the ends of the ranges of `zh`; numbers that are not digits, for `intl`; what `13a` takes for markup
EDGE_LINES = ['a\u2a6db\u2a6ec', 'a\u2001b\u2010c', 'a\u2e7fb\u2e80c\u2fdfd\u2fe0e\u2ff0f\u303fg\u3040h', 'a\u3130b\u3190c\u31a0d\u31eff\u31f0g',
              'a\u4db5b\u4db6c\u4e00d\u9fbbe\u9fbcf', 'a\uf8ffb\uf900c\ufa2dd\ufa2ee\ufa30f\ufa6ag\ufa6bh', 'a\ufad9b\ufadac\ufe0fd\ufe10e\ufe1ff\ufe20g',
              'a\ufe4fb\ufe50c\ufeffd\uff00e\uffeff\ufff0g', 'a\U00020000b\U0002f800c', '\u216b.\u216b \u00bd,5 \u00b2-\u00b3 3.\u0664 a.\u0664', '1. 2, (3) 4.5.',
              '1.', '.1', ' . ', 'a -\nb-\nc \nd', '&amp;quot;&amp;amp;&nbsp;', 'x<skipped>y', '\U0001f600.\U0001f600,5',
              ' '.join(f'a{mark}b' for mark in ASCII_PUNCTUATION), "Jim's 'scar' 's", "dogs's\x1f", '4.2 4,a a.2 .. a,,b 3-x x-3 -3- 3--4', '1.\U0001f600.2',
              'over-\n-flow\nnext', '&quot;a&amp;quot;&amp;lt;&lt;&gt;', 'a\u2e7fb\u2e80c\u2effd\u2f00e\u31bff\u31c0g\u31efh\u31f0i',
              'a\u31ffb\u3200c\u3f22d\u3f23e\u4dbff\u4dc0g\u4dffh\u4e00i\u9fffj\ua000k', 'a\uf8ffb\uf900c\ufaffd\ufb00e\ufe2ff\ufe30g\ufe4fh\ufe50i',
              '\u308a\u306e\u62f3\u9283\u3092\u6301', '\u30ab\u30bf\u30ab\u30ca', '\u31f0\u31f1', 'a\u3000b\u3001c\u3002d\u3003e\u3007f\u3008g\u3011h\u3012i\u3013j\u3014k\u301fl\u3020m',
              'a\u30fab\u30fbc\u30fcd\uff60e\uff61f\uff65g\uff66h', ''.join(f'{chr(c)}x' for c in range(0xff01, 0xff20))]


class TextMaker:
    def __init__(self, rng):
        self.rng = rng
        self.vocabulary = [self.new_word() for _ in range(rng.choice([3, 12, 60]))]

    def character(self, block=None):
        low, high = block or self.rng.choice(BLOCKS)
        while True:
            character = chr(self.rng.randint(low, high))
            if unicodedata.category(character) not in ('Cn', 'Cs'):
                return character

    def new_word(self):
        rng = self.rng
        kind = rng.random()
        if kind < 0.35:
            return ''.join(self.character(BLOCKS[0]) for _ in range(rng.randint(1, 6)))
        if kind < 0.6:
            block = rng.choice(BLOCKS)
            return ''.join(self.character(block) for _ in range(rng.randint(1, 4)))
        if kind < 0.7:
            return ''.join(self.character() for _ in range(rng.randint(1, 4)))
        if kind < 0.8:
            return rng.choice(SPECIAL)
        if kind < 0.9:
            return ''.join(rng.choice('0123456789.,-') for _ in range(rng.randint(1, 6)))
        if kind < 0.95:
            return rng.choice(NOT_SPACES) + rng.choice(['', 'q', '.'])
        return rng.choice(ASCII_PUNCTUATION + OTHER_PUNCTUATION) * rng.choice([1, 1, 2, 3])

    def separator(self, tokenized):
        rng = self.rng
        draw = rng.random()
        if draw < 0.06:
            return rng.choice(ODD_SPACES)
        if draw < 0.16:
            mark = rng.choice(ASCII_PUNCTUATION + OTHER_PUNCTUATION)
            return f' {mark} ' if tokenized else rng.choice([mark, mark + ' ', ' ' + mark])
        return ' '

    def join(self, words):
        tokenized = self.rng.random() < 0.3
        line = words[0] if words else ''
        for word in words[1:]:
            line += self.separator(tokenized) + word
        if words and self.rng.random() < 0.6:
            line += ' .' if tokenized else self.rng.choice(['.', '!', '\u3002', '. ', '\n'])
        return line

    def words(self, longest, shortest=0):
        return [self.rng.choice(self.vocabulary) for _ in range(self.rng.randint(shortest, longest))]

    def corrupt(self, words):
        rng, out = self.rng, []
        for word in words:
            draw = rng.random()
            if draw < 0.08:
                continue
            out.append(rng.choice(self.vocabulary) if draw < 0.2 else word)
            if draw > 0.95:
                out.append(word)
            elif draw > 0.9:
                out[-1] = rng.choice([word.upper(), word.lower(), word.title()])
            elif draw > 0.85 and len(out) > 1:
                out[-2:] = out[:-3:-1]
        for _ in range(rng.choice([0, 0, 1, 1, 3])):
            self.shift(out)
        return out

    def shift(self, words):
        """Moves a block of words elsewhere."""
        start = self.rng.randint(0, len(words))
        block = words[start:start + self.rng.randint(1, 12)]
        del words[start:start + len(block)]
        target = self.rng.randint(0, len(words))
        words[target:target] = block


def make_corpus(rng):
    """Hypotheses and 1 to 4 streams of references, some of them with holes (None)."""
    text = TextMaker(rng)
    kind = rng.choice(['close'] * 20 + ['same', 'wrong', 'short', 'empty-hyp', 'empty-ref', 'lines'] * 5 + ['long', 'uneven'])
    rare = kind in ('long', 'uneven')
    size = 1 if rare else rng.choice([1, 2, 3, 5, 8])
    streams = rng.choice([1, 1, 1, 2] if rare else [1, 1, 1, 2, 3, 4])
    hyps, refs = [], [[] for _ in range(streams)]
    for _ in range(size):
        words = text.words(240, 60) if rare else text.words({'short': 1, 'lines': 3}.get(kind, 14))
        first = text.join(words)
        segment = [first] + [text.join(text.corrupt(words)) for _ in range(streams - 1)]
        if kind == 'same':
            hyp = rng.choice(segment)
        elif kind == 'wrong':
            hyp = text.join([f'w{i}' for i in range(rng.randint(0, 9))])
        elif kind == 'empty-hyp':
            hyp = rng.choice(['', ' ', '\u3000', first])
        elif kind == 'uneven':
            hyp = text.join(text.words(3, 1))
            if rng.random() < 0.4:
                hyp, segment = first, [hyp] * streams
        else:
            hyp = text.join(text.corrupt(words))
        if kind == 'empty-ref':
            segment = [rng.choice(['', first]) for _ in segment]
        keep = rng.randrange(streams)
        if rng.random() < 0.4:
            segment = [ref if k == keep or rng.random() < 0.6 else None for k, ref in enumerate(segment)]
        hyps.append(hyp)
        for stream, ref in zip(refs, segment):
            stream.append(ref)
    return {'hypotheses': hyps, 'references': refs}


def make_bleu(rng):
    method, value = rng.choice(METHODS)
    options = {
        'lowercase': rng.random() < 0.35,
        'tokenize': rng.choice(TOKENIZERS),
        'smoothMethod': method,
        **({} if value is None else {'smoothValue': value}),
        'maxNgramOrder': rng.choice([4, 4, 4, 4, 1, 2, 3, 6]),
        'effectiveOrder': rng.random() < 0.4,
    }
    return options, BLEU(lowercase=options['lowercase'], tokenize=options['tokenize'], smooth_method=method, smooth_value=value,
                         max_ngram_order=options['maxNgramOrder'], effective_order=options['effectiveOrder'], force=True)


def make_chrf(rng):
    options = {
        'charOrder': rng.choice([6, 6, 6, 1, 2, 9]),
        'wordOrder': rng.choice([0, 0, 2, 2, 1, 3]),
        'beta': rng.choice([2, 2, 2, 1, 3]),
        'lowercase': rng.random() < 0.35,
        'whitespace': rng.random() < 0.35,
        'epsSmoothing': rng.random() < 0.35,
    }
    return options, CHRF(char_order=options['charOrder'], word_order=options['wordOrder'], beta=options['beta'],
                         lowercase=options['lowercase'], whitespace=options['whitespace'], eps_smoothing=options['epsSmoothing'])


def make_tercom(settings, make):
    return make(normalized='normalized' in settings, no_punct='noPunct' in settings, asian_support='asianSupport' in settings,
                case_sensitive='caseSensitive' in settings)


def make_ter(rng):
    settings = [name for name in ('normalized', 'noPunct', 'asianSupport', 'caseSensitive') if rng.random() < 0.4]
    return {name: True for name in settings}, make_tercom(settings, TER)


METRICS = {'BLEU': make_bleu, 'CHRF': make_chrf, 'TER': make_ter}
FACTS = {
    'BLEU': lambda score: {'bp': score.bp, 'ratio': float(score.ratio), 'sysLen': score.sys_len, 'refLen': score.ref_len,
                           'counts': score.counts, 'totals': score.totals, 'precisions': score.precisions},
    'CHRF': lambda score: {'charOrder': score.char_order, 'wordOrder': score.word_order, 'beta': score.beta},
    'TER': lambda score: {'numEdits': score.num_edits, 'refLength': score.ref_length},
}


def score_single(metric, sums):
    """The score of statistics in single precision, as a resample has them."""
    if numpy is None or int(numpy.__version__.split('.')[0]) < 2:
        return {}
    return {'single': float(metric._compute_score_from_stats(numpy.array(sums, dtype='float32')).score)}


def score_case(rng, index, corpus, kind):
    options, metric = METRICS[kind](rng)
    case = {'corpus': index, 'metric': kind, 'options': options}
    hypotheses, references = corpus['hypotheses'], corpus['references']
    if rng.random() < 0.25:
        case['segment'] = rng.randrange(len(hypotheses))
        hypotheses = [hypotheses[case['segment']]]
        references = [[stream[case['segment']]] for stream in references]
    # the two steps of corpus_score and sentence_score
    sums = sum_of_lists(metric._extract_corpus_statistics(hypotheses, references))
    score = metric._compute_score_from_stats(list(sums))
    signature = metric.get_signature().format()
    width = rng.choice([0, 1, 1, 2, 3, 6, 10])
    return case | {
        'name': score.name, 'score': score.score, **FACTS[kind](score), **score_single(metric, sums),
        'signature': signature, 'shortSignature': metric.get_signature().format(short=True),
        'width': width, 'text': score.format(width=width), 'number': score.format(width=width, score_only=True),
        'jsonScore': repr(json.loads(score.format(width=width, signature=signature, is_json=True))['score']),
    }


def record_scores(rng, corpora, cases):
    texts = [make_corpus(rng) for _ in range(corpora)]
    return {'corpora': texts, 'cases': [score_case(rng, i, text, kind) for i, text in enumerate(texts)
                                        for kind in METRICS for _ in range(cases)]}


def make_systems(rng):
    """References, and the hypotheses of two or three systems of unequal merit.

    At most two references: mean lengths that are thirds make p-values of TER hang on the rounding of numpy's matrix product.
    """
    text = TextMaker(rng)
    size, streams = rng.choice([1, 2, 7, 20, 33, 60]), rng.choice([1, 1, 2])
    segments = [text.words(14, 1) for _ in range(size)]
    references = [[text.join(words if k == 0 else text.corrupt(words)) for words in segments] for k in range(streams)]
    worsen = lambda words, times: words if times == 0 else text.corrupt(worsen(words, times - 1))
    systems = [[text.join(worsen(words, times)) for words in segments] for times in rng.choice([(1, 1), (1, 3), (2, 1), (1, 2, 3), (0, 1)])]
    return references, systems


def outcome(result, width):
    numbers = [result.score, result.mean, result.ci, result.p_value]
    texts = [None if number is None else f'{number:.{places}f}' for number, places in zip(numbers, [width] * 3 + [4])]
    return {'values': [None if number is None else float(number) for number in numbers], 'texts': texts}


def record_confidence(kind, options, hypotheses, references, samples, width):
    metric = options[kind][1]()
    try:
        score = metric.corpus_score(hypotheses, references, n_bootstrap=samples)
    except TypeError:  # a mean of scores of which some are single-precision numbers and some are not
        return None
    return {'values': [float(score.score), float(score._mean), float(score._ci)], 'text': score.format(width=width),
            'signature': metric.get_signature().format()}


def significance_case(rng):
    references, systems = make_systems(rng)
    width, bs, ar = rng.choice([1, 2, 2, 3, 4]), rng.choice([40, 100, 129, 250]), rng.choice([50, 200, 333])
    options = {}
    for kind, make in METRICS.items():
        seed = rng.random()
        # sacreBLEU's randomization adds k to whole numbers, which drops its fraction
        while make(random.Random(seed))[0].get('smoothValue') == 0.5:
            seed = rng.random()
        options[kind] = (make(random.Random(seed))[0], lambda make=make, seed=seed: make(random.Random(seed))[1])
    case = {'seed': int(os.environ.get('SACREBLEU_SEED', '12345')), 'references': references, 'systems': systems, 'width': width, 'resamples': bs, 'trials': ar,
            'options': {kind: option for kind, (option, _) in options.items()},
            'confidence': {kind: record_confidence(kind, options, systems[0], references, bs, width) for kind in METRICS}}
    for test, samples in ('bs', bs), ('ar', ar):
        signatures, results = PairedTest([(str(i), hyps) for i, hyps in enumerate(systems)], {k: make() for k, (_, make) in options.items()},
                                         references, test_type=test, n_samples=samples)()
        del results['System']
        case[test] = [{'name': name, 'signature': signatures[name].format(), 'results': [outcome(result, width) for result in column]}
                      for name, column in results.items()]
    return case


def record_significance(rng, corpora):
    if numpy is None or int(numpy.__version__.split('.')[0]) < 2:
        sys.exit('intervals and p-values are recorded under numpy 2 or later')
    return [significance_case(rng) for _ in range(corpora)]


def record_tokenizers(rng, lines):
    tokenizers = {name: _get_tokenizer(name)() for name in TOKENIZERS}
    tercom = {'+'.join(settings): make_tercom(settings, TercomTokenizer) for settings in TERCOM_SETTINGS}
    texts = [TextMaker(rng) for _ in range(lines)]
    out = []
    for line in EDGE_LINES + [text.join(text.words(10)) for text in texts]:
        line = ''.join(c for c in line if unicodedata.category(c) != 'Cn').rstrip()
        out.append({'line': line, 'lower': line.lower(), **{name: call(line).split() for name, call in tokenizers.items()},
                    'tercom': {name: call(line).split() for name, call in tercom.items()}})
    return out


def record_decimals(rng, numbers):
    """Values with a digit count, ties of every kind among them, and what Python prints."""
    values = [0.0, 0.125, 0.375, 0.5, 1.5, 2.5, 0.05, 0.15, 0.25, 0.35, 1.005, 100.00000000000004, 99.95, 1e-5, 5e-324]
    values += [rng.randrange(20000) / 2 ** rng.randint(0, 8) for _ in range(numbers)]
    values += [rng.uniform(0, 100) for _ in range(numbers)]
    values += [rng.randrange(10 ** 7) / 10 ** rng.randint(1, 7) for _ in range(numbers)]
    values += [abs(v) for v in (struct.unpack('d', rng.randbytes(8))[0] for _ in range(numbers)) if abs(v) < 1e20]
    out = []
    for value in values:
        digits = rng.randint(0, 8)
        out.append([repr(value), digits, f'{value:.{digits}f}'])
    return out


def dump(value):
    """JSON with one record a line."""
    if isinstance(value, dict):
        return '{\n' + ',\n'.join(f'{json.dumps(key)}: {dump(part)}' for key, part in value.items()) + '\n}'
    if isinstance(value, list):
        return '[\n' + ',\n'.join(json.dumps(part) for part in value) + '\n]'
    return json.dumps(value)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--seed', type=int, default=20260112)
    parser.add_argument('--corpora', type=int, default=60, help='random corpora')
    parser.add_argument('--cases', type=int, default=3, help='sets of options for each corpus and metric')
    parser.add_argument('--lines', type=int, default=150, help='lines for the tokenizers')
    parser.add_argument('--numbers', type=int, default=40, help='numbers of each kind for the decimals')
    parser.add_argument('--only', choices=['scores', 'significance', 'tokenizers', 'decimals'])
    parser.add_argument('--stdout', action='store_true', help='print one JSON object instead of writing files')
    args = parser.parse_args()
    logging.disable(logging.WARNING)

    rng = lambda part: random.Random(f'{args.seed} {part}')
    parts = {
        'scores': lambda: record_scores(rng('scores'), args.corpora, args.cases),
        'significance': lambda: record_significance(rng('significance'), max(1, args.corpora // 4)),
        'tokenizers': lambda: record_tokenizers(rng('tokenizers'), args.lines),
        'decimals': lambda: record_decimals(rng('decimals'), args.numbers),
    }
    folder = pathlib.Path(__file__).parent.parent / 'test/metrics/fixtures'
    origin = {'sacrebleu': sacrebleu.__version__, 'unicode': unicodedata.unidata_version, 'seed': args.seed}
    for name in [args.only] if args.only else parts:
        text = dump({'origin': origin, name: parts[name]()}) + '\n'
        if args.stdout:
            sys.stdout.write(text)
        else:
            (folder / f'{name}.json').write_text(text, encoding='ascii')


if __name__ == '__main__':
    main()
