#!/usr/bin/env python3
"""Records what sacreBLEU says of random text, for the tests of src/metrics.

    python3 scripts/record-sacrebleu-fixtures.py              # writes test/metrics/fixtures/
    python3 scripts/record-sacrebleu-fixtures.py --seed 7 --corpora 500 --only bleu --stdout

The interpreter must be able to import sacrebleu (with `regex`). Text is drawn from the characters that this
interpreter's Unicode knows, so that a newer Unicode elsewhere cannot change the answer.
"""
import argparse
import json
import logging
import pathlib
import random
import struct
import subprocess
import sys
import tempfile
import unicodedata

import sacrebleu
from sacrebleu.metrics.bleu import BLEU, _get_tokenizer

TOKENIZERS = ['13a', 'none', 'char', 'intl', 'zh']
METHODS = [('exp', None), ('exp', None), ('floor', None), ('floor', 0.25), ('add-k', None), ('add-k', 0.5), ('none', None)]
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
              '1.', '.1', ' . ', 'a -\nb-\nc \nd', '&amp;quot;&amp;amp;&nbsp;', 'x<skipped>y', '\U0001f600.\U0001f600,5']


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

    def words(self, longest):
        return [self.rng.choice(self.vocabulary) for _ in range(self.rng.randint(0, longest))]

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
        return out


def make_corpus(rng):
    """Hypotheses and 1 to 4 streams of references, some of them with holes (None)."""
    text = TextMaker(rng)
    kind = rng.choice(['close', 'close', 'close', 'same', 'wrong', 'short', 'empty-hyp', 'empty-ref', 'lines'])
    size = rng.choice([1, 2, 3, 5, 8])
    streams = rng.choice([1, 1, 1, 2, 3, 4])
    hyps, refs = [], [[] for _ in range(streams)]
    for _ in range(size):
        words = text.words({'short': 1, 'lines': 3}.get(kind, 14))
        first = text.join(words)
        segment = [first] + [text.join(text.corrupt(words)) for _ in range(streams - 1)]
        if kind == 'same':
            hyp = rng.choice(segment)
        elif kind == 'wrong':
            hyp = text.join([f'w{i}' for i in range(rng.randint(0, 9))])
        elif kind == 'empty-hyp':
            hyp = rng.choice(['', ' ', '\u3000', first])
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


def make_options(rng):
    method, value = rng.choice(METHODS)
    return {
        'lowercase': rng.random() < 0.35,
        'tokenize': rng.choice(TOKENIZERS),
        'smoothMethod': method,
        **({} if value is None else {'smoothValue': value}),
        'maxNgramOrder': rng.choice([4, 4, 4, 4, 1, 2, 3, 6]),
        'effectiveOrder': rng.random() < 0.4,
    }


def score_case(rng, index, corpus):
    options = make_options(rng)
    metric = BLEU(lowercase=options['lowercase'], tokenize=options['tokenize'], smooth_method=options['smoothMethod'],
                  smooth_value=options.get('smoothValue'), max_ngram_order=options['maxNgramOrder'],
                  effective_order=options['effectiveOrder'], force=True)
    case = {'corpus': index, 'options': options}
    if rng.random() < 0.25:
        case['segment'] = rng.randrange(len(corpus['hypotheses']))
        references = [stream[case['segment']] for stream in corpus['references']]
        # sacreBLEU refuses a first reference that is missing, but not a later one
        references.sort(key=lambda ref: ref is None)
        score = metric.sentence_score(corpus['hypotheses'][case['segment']], references)
    else:
        score = metric.corpus_score(corpus['hypotheses'], corpus['references'])
    signature = metric.get_signature().format()
    width = rng.choice([0, 1, 1, 2, 3, 6, 10])
    return case | {
        'score': score.score, 'bp': score.bp, 'ratio': float(score.ratio), 'sysLen': score.sys_len, 'refLen': score.ref_len,
        'counts': score.counts, 'totals': score.totals, 'precisions': score.precisions,
        'signature': signature, 'shortSignature': metric.get_signature().format(short=True),
        'width': width, 'text': score.format(width=width), 'number': score.format(width=width, score_only=True),
        'jsonScore': repr(json.loads(score.format(width=width, signature=signature, is_json=True))['score']),
    }


def record_bleu(rng, corpora, cases):
    texts = [make_corpus(rng) for _ in range(corpora)]
    return {'corpora': texts, 'cases': [score_case(rng, i, text) for i, text in enumerate(texts) for _ in range(cases)]}


def record_tokenizers(rng, lines):
    tokenizers = {name: _get_tokenizer(name)() for name in TOKENIZERS}
    texts = [TextMaker(rng) for _ in range(lines)]
    out = []
    for line in EDGE_LINES + [text.join(text.words(10)) for text in texts]:
        line = ''.join(c for c in line if unicodedata.category(c) != 'Cn').rstrip()
        out.append({'line': line, 'lower': line.lower(), **{name: call(line).split() for name, call in tokenizers.items()}})
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


CLI_FILES = {
    'hyp': ['Das ist ein Test .', 'Ein Hund läuft durch den Schnee.', '', 'eins', 'Preis: 1,50 € (oder "mehr")', 'ganz falsch hier'],
    'ref': ['Das ist ein Test.', 'Ein Hund rennt durch den Schnee.', '', 'eins', 'Preis: 1,50 € (oder "mehr").', 'Das Haus am See'],
    'ref2': ['Dies ist ein Test.', 'Durch den Schnee läuft ein Hund.', 'nichts', 'Eins', 'Preis: 1.50 €', 'Am See das Haus'],
}
CLI_RUNS = [
    (['ref', '-i', 'hyp'], {}),
    (['ref', 'ref2', '-i', 'hyp'], {}),
    (['ref', '-i', 'hyp', '-b'], {'scoreOnly': True}),
    (['ref', '-i', 'hyp', '-b', '-w', '4'], {'scoreOnly': True, 'width': 4}),
    (['ref', '-i', 'hyp', '-w', '0'], {'width': 0}),
    (['ref', '-i', 'ref'], {'input': 'ref'}),
    (['ref', '-i', 'hyp', '-f', 'text'], {'format': 'text'}),
    (['ref', 'ref2', '-i', 'hyp', '-f', 'text', '-sh', '-w', '2'], {'format': 'text', 'shortSignature': True, 'width': 2}),
    (['ref', '-i', 'hyp', '-lc', '-tok', 'intl'], {'lowercase': True, 'tokenize': 'intl'}),
    (['ref', '-i', 'hyp', '-tok', 'char', '-f', 'text'], {'tokenize': 'char', 'format': 'text'}),
    (['ref', '-i', 'hyp', '-s', 'floor'], {'smoothMethod': 'floor'}),
    (['ref', '-i', 'hyp', '-s', 'add-k', '-sv', '0.3', '-f', 'text'], {'smoothMethod': 'add-k', 'smoothValue': 0.3, 'format': 'text'}),
    (['ref', '-i', 'hyp', '-l', 'de-zh'], {'targetLang': 'zh'}),
    (['ref', '-i', 'hyp', '-sl'], {'sentenceLevel': True}),
    (['ref', 'ref2', '-i', 'hyp', '-sl', '-b', '-w', '3'], {'sentenceLevel': True, 'scoreOnly': True, 'width': 3}),
    (['ref', '-i', 'hyp', '-sl', '-sh'], {'sentenceLevel': True, 'shortSignature': True}),
]


def record_cli():
    runs = []
    with tempfile.TemporaryDirectory() as folder:
        for name, lines in CLI_FILES.items():
            pathlib.Path(folder, name).write_text(''.join(line + '\n' for line in lines), encoding='utf-8')
        for arguments, options in CLI_RUNS:
            stdout = subprocess.run([sys.executable, '-m', 'sacrebleu', *arguments], cwd=folder, check=True,
                                    capture_output=True).stdout.decode()
            references = [name for name in arguments if name.startswith('ref')][:arguments.index('-i')]
            runs.append({'options': {'references': references, 'input': 'hyp', **options}, 'stdout': stdout})
    return {'files': CLI_FILES, 'runs': runs}


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
    parser.add_argument('--cases', type=int, default=5, help='sets of options for each corpus')
    parser.add_argument('--lines', type=int, default=150, help='lines for the tokenizers')
    parser.add_argument('--numbers', type=int, default=40, help='numbers of each kind for the decimals')
    parser.add_argument('--only', choices=['bleu', 'tokenizers', 'decimals', 'cli'])
    parser.add_argument('--stdout', action='store_true', help='print one JSON object instead of writing files')
    args = parser.parse_args()
    logging.disable(logging.WARNING)

    rng = lambda part: random.Random(f'{args.seed} {part}')
    parts = {
        'bleu': lambda: record_bleu(rng('bleu'), args.corpora, args.cases),
        'tokenizers': lambda: record_tokenizers(rng('tokenizers'), args.lines),
        'decimals': lambda: record_decimals(rng('decimals'), args.numbers),
        'cli': record_cli,
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
