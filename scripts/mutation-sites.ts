/**
 * Where a source can be changed for the worse: single mutations of JavaScript or C++, found among its tokens. Types,
 * imports, comments and text are never touched.
 */

export type MutationKind =
  | 'arithmetic'
  | 'boolean'
  | 'bound'
  | 'comparison'
  | 'condition'
  | 'equality'
  | 'jump'
  | 'logic'
  | 'number'
  | 'statement';

/** One mutation: what stands from start to end gives way to the replacement. */
export interface Mutation {
  kind: MutationKind;
  start: number;
  end: number;
  replacement: string;
}

export type Language = 'javascript' | 'c++';

interface Token {
  type: 'word' | 'number' | 'text' | 'sign';
  start: number;
  end: number;
  text: string;
}

/** Binary operators, which a formatter puts between spaces. */
const OPERATORS: Record<string, [MutationKind, string]> = {
  '+': ['arithmetic', '-'],
  '-': ['arithmetic', '+'],
  '*': ['arithmetic', '/'],
  '/': ['arithmetic', '*'],
  '%': ['arithmetic', '*'],
  '+=': ['arithmetic', '-='],
  '-=': ['arithmetic', '+='],
  '*=': ['arithmetic', '/='],
  '<<': ['arithmetic', '>>'],
  '&': ['arithmetic', '|'],
  '|': ['arithmetic', '&'],
  '<': ['comparison', '<='],
  '<=': ['comparison', '<'],
  '>': ['comparison', '>='],
  '>=': ['comparison', '>'],
  '===': ['equality', '!=='],
  '!==': ['equality', '==='],
  '==': ['equality', '!='],
  '!=': ['equality', '=='],
  '&&': ['logic', '||'],
  '||': ['logic', '&&'],
};

const WORDS: Record<string, [MutationKind, string]> = {
  true: ['boolean', 'false'],
  false: ['boolean', 'true'],
  break: ['jump', 'continue'],
  continue: ['jump', 'break'],
  min: ['bound', 'max'],
  max: ['bound', 'min'],
};

/** Begin what is no expression statement. */
const KEYWORDS = new Set([
  ...[
    'async',
    'break',
    'case',
    'class',
    'const',
    'continue',
    'debugger',
    'default',
    'delete',
    'do',
    'else',
    'export',
  ],
  ...[
    'for',
    'function',
    'if',
    'import',
    'let',
    'new',
    'return',
    'static',
    'super',
    'switch',
    'template',
    'throw',
  ],
  ...['try', 'typedef', 'typename', 'using', 'var', 'while', 'yield', 'static_assert'],
]);

/** Lines that fetch modules, keep an argument, or only tell somebody something. */
const LEFT_OUT = [
  /^(import\b|export \*|this\.(\w+) = \2;)/,
  /\b(log\.\w+|log|say|warn|note|option|describe|description|addHelpText|\w*[pP]rogress\w*\.\w+)\(/,
];
const isLeftOut = (text: string): boolean => LEFT_OUT.some((pattern) => pattern.test(text));

/** All single mutations of a source, in the order of their places. */
export function mutationsOf(source: string, language: Language): Mutation[] {
  const tokens = tokenize(source, language);
  const found = tokens.flatMap((_, i) => [
    ...operator(source, tokens, i),
    ...word(tokens, i),
    ...number(tokens, i),
    ...condition(source, tokens, i),
  ]);
  return [...found, ...statements(source, tokens)]
    .filter(({ start }) => !isLeftOut(lineAt(source, start)))
    .sort((a, b) => a.start - b.start);
}

/** The line that an offset lies in, without the white space around it. */
export function lineAt(source: string, offset: number): string {
  const end = source.indexOf('\n', offset);
  return source.slice(source.lastIndexOf('\n', offset - 1) + 1, end < 0 ? undefined : end).trim();
}

const change = (token: Token, [kind, replacement]: [MutationKind, string]): Mutation => ({
  ...{ kind, replacement, start: token.start, end: token.end },
});

function operator(source: string, tokens: readonly Token[], i: number): Mutation[] {
  const token = tokens[i];
  if (token.type !== 'sign' || !Object.hasOwn(OPERATORS, token.text)) return [];
  const between = /\s/.test(source[token.start - 1] ?? '') && /\s/.test(source[token.end] ?? '');
  const ofText =
    token.text.startsWith('+') && [tokens[i - 1], tokens[i + 1]].some((side) => side?.type === 'text');
  return between && !ofText ? [change(token, OPERATORS[token.text])] : [];
}

function word(tokens: readonly Token[], i: number): Mutation[] {
  const token = tokens[i];
  if (token.type !== 'word' || !Object.hasOwn(WORDS, token.text)) return [];
  const isBound = token.text === 'min' || token.text === 'max';
  if (isBound && !['Math.', 'std::'].includes(`${tokens[i - 2]?.text}${tokens[i - 1]?.text}`)) return [];
  return [change(token, WORDS[token.text])];
}

function number(tokens: readonly Token[], i: number): Mutation[] {
  const token = tokens[i];
  if (token.type !== 'number') return [];
  const { text } = token;
  const next = text === '0' ? '1' : text === '1' ? '0' : `(${text} + ${text.endsWith('n') ? '1n' : '1'})`;
  return [change(token, ['number', next])];
}

/** `if (x)` becomes `if (!(x))`. */
function condition(source: string, tokens: readonly Token[], i: number): Mutation[] {
  if (tokens[i].text !== 'if') return [];
  const open = tokens[i + 1]?.text === 'constexpr' ? i + 2 : i + 1;
  const close = closing(tokens, open);
  if (close === undefined) return [];
  const [start, end] = [tokens[open].end, tokens[close].start];
  return [{ kind: 'condition', start, end, replacement: `!(${source.slice(start, end)})` }];
}

/** Calls and assignments that stand by themselves: left out. */
function statements(source: string, tokens: readonly Token[]): Mutation[] {
  const open: string[] = [];
  return tokens.flatMap((token, i) => {
    if (token.type === 'sign' && '([{'.includes(token.text)) open.push(token.text);
    if (token.type === 'sign' && ')]}'.includes(token.text)) open.pop();
    const begins = i > 0 && [';', '{', '}'].includes(tokens[i - 1].text) && (open.at(-1) ?? '{') === '{';
    if (!begins || token.type !== 'word' || KEYWORDS.has(token.text)) return [];
    const first = token.text === 'await' ? i + 1 : i;
    if (!['.', '?.', '->', '::', '(', '[', '=', '+=', '-=', '*=', '|='].includes(tokens[first + 1]?.text))
      return [];
    const last = endOfStatement(tokens, first);
    if (last === undefined) return [];
    const mutation: Mutation = {
      ...{ kind: 'statement', start: token.start, end: tokens[last].end, replacement: ';' },
    };
    return isLeftOut(source.slice(mutation.start, mutation.end)) ? [] : [mutation];
  });
}

/** The semicolon that ends an assignment or a call; undefined where it is something else. */
function endOfStatement(tokens: readonly Token[], first: number): number | undefined {
  let assigns = false;
  for (let i = first; i < tokens.length; i++) {
    const { text, type } = tokens[i];
    if (type !== 'sign') continue;
    if (text === ';') return assigns || tokens[i - 1].text === ')' ? i : undefined;
    if (')]}:'.includes(text)) return undefined;
    if ('([{'.includes(text)) {
      const close = closing(tokens, i);
      if (close === undefined) return undefined;
      i = close;
    } else if (/^[^=!<>]?=$/.test(text)) assigns = true;
  }
  return undefined;
}

function closing(tokens: readonly Token[], open: number): number | undefined {
  let depth = 0;
  for (let i = open; i < tokens.length; i++) {
    if (tokens[i].type !== 'sign') continue;
    if ('([{'.includes(tokens[i].text)) depth++;
    if (')]}'.includes(tokens[i].text)) depth--;
    if (depth === 0) return i;
  }
  return undefined;
}

const SPACE = /(?:\s+|\/\/[^\n]*|\/\*[\s\S]*?\*\/)+/y;
const PREPROCESSOR = /#(?:\\\n|[^\n])*/y;
const QUOTED = /"(?:\\[\s\S]|[^"\\])*"|'(?:\\[\s\S]|[^'\\])*'/y;
const REGULAR = /\/(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\n[])+\/\w*/y;
const NUMBER = /0[xXbB][\da-fA-F_']+\w*|(?:\d[\d_']*(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?\w*/y;
const WORD = /[\p{L}\p{N}_$#]+/uy;
const SIGN = /===|!==|\*\*|=>|->|::|\?\.|\?\?|\+\+|--|&&|\|\||<<|>>>?|[-+*/%&|^<>=!]=|[\s\S]/y;

/** After these a slash begins a regular expression. */
const BEFORE_EXPRESSION = /^(?:[-([{,;:=!&|?+*%<>~^]|=>|&&|\|\||return|typeof|case|in|of)$/;

function tokenize(source: string, language: Language): Token[] {
  const tokens: Token[] = [];
  let at = 0;
  const match = (pattern: RegExp): number => {
    pattern.lastIndex = at;
    return pattern.exec(source)?.[0].length ?? 0;
  };
  const javascript = language === 'javascript';
  while (at < source.length) {
    const space = match(SPACE) || (javascript ? 0 : match(PREPROCESSOR));
    at += space;
    if (space > 0) continue;
    const before = tokens.at(-1);
    const expects = before === undefined || (before.type !== 'text' && BEFORE_EXPRESSION.test(before.text));
    const text =
      match(QUOTED) ||
      (javascript && source[at] === '`' ? endOfTemplate(source, at) - at : 0) ||
      (javascript && expects ? match(REGULAR) : 0);
    const number = text || match(NUMBER);
    const word = number || match(WORD);
    const end = at + (word || match(SIGN));
    const type = text ? 'text' : number ? 'number' : word ? 'word' : 'sign';
    tokens.push({ type, start: at, end, text: source.slice(at, end) });
    at = end;
  }
  return tokens;
}

/** Where a template ends, whatever stands in its `${}`. */
function endOfTemplate(source: string, start: number): number {
  for (let at = start + 1; at < source.length; at++) {
    if (source[at] === '\\') at++;
    else if (source[at] === '`') return at + 1;
    else if (source.startsWith('${', at)) at = endOfInset(source, at + 2);
  }
  return source.length;
}

function endOfInset(source: string, start: number): number {
  let depth = 1;
  for (let at = start; at < source.length; at++) {
    QUOTED.lastIndex = at;
    const quoted = QUOTED.exec(source)?.[0].length ?? 0;
    if (quoted > 0) at += quoted - 1;
    else if (source[at] === '`') at = endOfTemplate(source, at) - 1;
    else if (source[at] === '{') depth++;
    else if (source[at] === '}' && --depth === 0) return at;
  }
  return source.length;
}
