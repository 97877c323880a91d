import { z } from 'zod';
import { free } from './key-facts.js';
import { count, file, section, texts } from './values.js';

/** What serves translations, and what it takes. */
export const serveSection = section(
  {
    host: free(
      z
        .string()
        .min(1)
        .default('127.0.0.1')
        .describe('Address to listen at; 127.0.0.1 is for this machine alone, 0.0.0.0 for any.'),
    ),
    port: free(count(5000, 'Port to listen at; 0 takes any free one.', 0, 65_535)),
    'token-file': free(file('A file with the token that requests must have; null asks for none.')),
    'allow-hosts': free(
      texts('Names that the server is called by, beside localhost and IP addresses; others are refused.'),
    ),
    'allow-origin': free(
      z
        .string()
        .min(1)
        .nullable()
        .default(null)
        .describe(
          'The web origin whose pages may ask, such as https://example.org; null allows none but its own.',
        ),
    ),
    'max-body': free(count(1_000_000, 'Most bytes of a request, or of a line of a stream.', 1), {
      unit: 'bytes',
    }),
    'max-lines': free(count(2000, 'Most sentences of a request.', 1), { unit: 'sentences' }),
    'max-request-tokens': free(count(50_000, 'Most source tokens of a request.', 1), {
      unit: 'source tokens',
    }),
    'max-waiting-tokens': free(
      count(100_000, 'Source tokens that wait for the model at which further requests are refused.', 1),
      { unit: 'source tokens' },
    ),
    timeout: free(
      z
        .number()
        .positive()
        .max(86_400)
        .default(60)
        .describe('Seconds that a request may take to come, and that its translation may take.'),
      { unit: 'seconds' },
    ),
  },
  'Serving translations.',
);
