#!/usr/bin/env python3
"""Records what sacreBLEU's command prints, for test/cli/score.test.ts.

    python3 scripts/record-sacrebleu-commands.py      # writes test/cli/fixtures/score.json

The interpreter must be able to import sacrebleu (with numpy 2 or later: resampled scores differ in the last digits before).
"""
import json
import os
import pathlib
import subprocess
import sys
import tempfile

import numpy
import sacrebleu

FILES = {
    'hyp': ['Das ist ein Test .', 'Ein Hund läuft durch den Schnee.', '', 'eins', 'Preis: 1,50 € (oder "mehr")', 'ganz falsch hier'],
    'ref': ['Das ist ein Test.', 'Ein Hund rennt durch den Schnee.', '', 'eins', 'Preis: 1,50 € (oder "mehr").', 'Das Haus am See'],
    'ref2': ['Dies ist ein Test.', 'Durch den Schnee läuft ein Hund.', 'nichts', 'Eins', 'Preis: 1.50 €', 'Am See das Haus'],
    'a_b&c': ['Dies ist kein Test.', 'Im Schnee läuft ein Hund.', 'nichts', 'eins zwei', 'Preis: 1.50 Euro (mehr)', 'Ein Haus am See'],
    'ganz_anders': ['Was?', 'Hund, Hund, Hund', '.', 'zwei', 'viel Geld', 'Auf dem Berg'],
    'mark': ['\ufeffDas ist ein Test.', 'Ein Hund rennt\u00a0durch den Schnee.\u3000', ' ', 'eins\r', 'Preis: 1,50 €', 'See'],
    'refs.tsv': ['Das ist ein Test.\tDies ist ein Test.', 'Ein Hund\tDer Hund\trennt', 'a\tb', 'eins\tEins', 'x\ty', 'Am See\tDas Haus am See'],
}
STREAM = ''.join(f'{a}\t{b}\n' for a, b in zip(FILES['ref2'], FILES['ganz_anders']))
RUNS = [
    'ref -i hyp', 'ref ref2 -i hyp', 'ref -i hyp -b', 'ref -i hyp -b -w 4', 'ref -i hyp -w 0', 'ref -i ref', 'ref -i hyp -f text',
    'ref ref2 -i hyp -f text -sh -w 2', 'ref -i hyp -lc -tok intl', 'ref -i hyp -tok char -f text', 'ref -i hyp -s floor',
    'ref -i hyp -s add-k -sv 0.3 -f text', 'ref -i hyp -l de-zh', 'ref -i hyp -sl', 'ref ref2 -i hyp -sl -b -w 3', 'ref -i hyp -sl -sh',
    'ref -i mark', 'ref mark -i hyp -w 4', 'refs.tsv -nr 2 -i hyp -w 3', 'ref -i hyp -m chrf', 'ref -i hyp -m ter -f text',
    'ref -i hyp -m chrf bleu ter', 'ref -i hyp -m chrf bleu ter -f text', 'ref -i hyp -m chrf bleu ter -f text -sh',
    'ref -i hyp -m ter bleu -b', 'ref -i hyp -m chrf -cw 2 -w 4', 'ref -i hyp -m chrf -cc 3 -cw 1 --chrf-beta 3 -f text',
    'ref -i hyp -m chrf --chrf-lowercase --chrf-whitespace --chrf-eps-smoothing -f text', 'ref -i hyp -m chrf -sl', 'ref -i hyp -m ter -sl -w 2',
    'ref -i hyp -m ter --ter-case-sensitive --ter-normalized -f text', 'ref -i hyp -m ter --ter-no-punct --ter-asian-support -f text',
    'ref -i hyp -ci', 'ref -i hyp -ci -f text', 'ref ref2 -i hyp -m bleu chrf ter -ci -cin 200 -f text -w 4', 'ref -i hyp -ci -b -w 3',
    'ref -i hyp -m bleu chrf ter -ci -cin 50', 'ref -i hyp a_b&c', 'ref -i hyp a_b&c -f text', 'ref -i hyp a_b&c ganz_anders -m bleu chrf ter -f text',
    'ref -i hyp a_b&c ganz_anders -m bleu chrf ter -f latex -w 2', 'ref -i hyp a_b&c -f text -sh', 'ref ref2 -i hyp a_b&c -pbs -pbsn 300',
    'ref -i hyp a_b&c ganz_anders -m bleu chrf ter -pbs -pbsn 300 -f text -w 2', 'ref -i hyp a_b&c ganz_anders -m bleu chrf ter -par -parn 500 -f text',
    'ref -i hyp a_b&c -m bleu chrf -par -parn 500', 'ref -i hyp a_b&c ganz_anders -m ter -pbs -pbsn 100 -f latex', 'ref -i a_b&c ganz_anders -par -parn 999',
    ('ref', STREAM), ('ref -f text -m ter bleu', STREAM), ('ref -pbs -pbsn 200 -f text', STREAM), ('ref ref2 -b', '\n'.join(FILES['hyp']) + '\n'),
    ('ref -i hyp a_b&c -pbs -pbsn 200 -f text', None, '7'), ('ref -i hyp -ci -cin 99 -f text', None, '0'),
]


def run(folder, entry):
    line, stdin, seed = (*((entry,) if isinstance(entry, str) else entry), None, None)[:3]
    environment = {**os.environ, 'NO_COLOR': '1'} | ({} if seed is None else {'SACREBLEU_SEED': seed})
    done = subprocess.run([sys.executable, '-m', 'sacrebleu', *line.split(' '), '-q'], cwd=folder, env=environment, check=True,
                          capture_output=True, input=(stdin or '').encode())
    return {'arguments': line, **({'stdin': stdin} if stdin else {}), **({'seed': seed} if seed else {}), 'stdout': done.stdout.decode()}


def main():
    assert int(numpy.__version__.split('.')[0]) >= 2, numpy.__version__
    with tempfile.TemporaryDirectory() as folder:
        for name, lines in FILES.items():
            pathlib.Path(folder, name).write_bytes(''.join(line + '\n' for line in lines).encode())
        runs = [run(folder, entry) for entry in RUNS]
    dump = lambda items: '[\n' + ',\n'.join(json.dumps(item) for item in items) + '\n]'
    origin = {'sacrebleu': sacrebleu.__version__, 'numpy': numpy.__version__}
    target = pathlib.Path(__file__).parent.parent / 'test/cli/fixtures/score.json'
    target.parent.mkdir(exist_ok=True)
    target.write_text(f'{{\n"origin": {json.dumps(origin)},\n"files": {json.dumps(FILES)},\n"runs": {dump(runs)}\n}}\n')


if __name__ == '__main__':
    main()
