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

from random_text import EDGE_LINES, TextMaker, make_corpus, make_systems

try:
    import numpy
except ImportError:
    numpy = None

TOKENIZERS = ['13a', 'none', 'char', 'intl', 'zh']
METHODS = [('exp', None), ('exp', None), ('floor', None), ('floor', 0.25), ('add-k', None), ('add-k', 0.5), ('none', None)]
TERCOM_SETTINGS = [[], ['caseSensitive'], ['normalized'], ['noPunct'], ['normalized', 'asianSupport'], ['noPunct', 'asianSupport'],
                   ['normalized', 'noPunct', 'asianSupport']]


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
