"""Random text of all scripts, with what tokenizers and metrics stumble over, and corpora of it."""
import unicodedata

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
