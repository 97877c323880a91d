import process from 'node:process';
import type { Models } from './models.js';

/** Upper bounds of the histogram of seconds. */
const BOUNDS = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];

/** What a server has done, in the text format of Prometheus. */
export class Metrics {
  private readonly requests = new Map<string, number>();
  private readonly seconds = BOUNDS.map(() => 0);
  private secondsSum = 0;
  private secondsCount = 0;
  private gone = 0;
  private sentences = 0;
  private readonly tokens = { source: 0, target: 0 };

  /** @param route the path, where it is one of the server's */
  answered(route: string, status: number): void {
    const labels = `route="${route}",status="${status}"`;
    this.requests.set(labels, (this.requests.get(labels) ?? 0) + 1);
  }

  /** A request for translations was answered with them after so many seconds. */
  took(seconds: number): void {
    this.secondsSum += seconds;
    this.secondsCount++;
    const place = BOUNDS.findIndex((bound) => seconds <= bound);
    if (place !== -1) this.seconds[place]++;
  }

  /** Whoever asked has left before the answer. */
  left(): void {
    this.gone++;
  }

  translated(sourceTokens: number, targetTokens: number): void {
    this.sentences++;
    this.tokens.source += sourceTokens;
    this.tokens.target += targetTokens;
  }

  /** @returns the text, with what the models are at */
  format({ loaded }: Models): string {
    const { rss } = process.memoryUsage();
    const { user, system } = process.cpuUsage();
    const ofModels = (value: (model: Models['loaded'][number]) => number) =>
      loaded.map((model) => [`{source="${model.source}",target="${model.target}"}`, value(model)] as const);
    return [
      metric('requests_total', 'counter', 'Requests by route and status.', [
        ...[...this.requests].map(([labels, count]) => [`{${labels}}`, count] as const),
      ]),
      this.histogram(),
      metric('clients_gone_total', 'counter', 'Requests whose client left before the answer.', [
        ['', this.gone],
      ]),
      metric('sentences_total', 'counter', 'Sentences translated.', [['', this.sentences]]),
      metric('tokens_total', 'counter', 'Tokens of those sentences.', [
        ['{side="source"}', this.tokens.source],
        ['{side="target"}', this.tokens.target],
      ]),
      metric('sentences_waiting', 'gauge', 'Sentences that wait for a place in a batch.', [
        ...ofModels(({ lines }) => lines.waiting),
      ]),
      metric('tokens_waiting', 'gauge', 'Source tokens of those sentences.', [
        ...ofModels(({ lines }) => lines.waitingTokens),
      ]),
      metric('sentences_running', 'gauge', 'Sentences in a batch.', [
        ...ofModels(({ lines }) => lines.running),
      ]),
      metric('memory_bytes', 'gauge', 'Memory of the process.', [['', rss]]),
      metric('cpu_seconds_total', 'counter', 'Processor time of the process.', [['', (user + system) / 1e6]]),
    ].join('');
  }

  private histogram(): string {
    let below = 0;
    const buckets = BOUNDS.map((bound, i) => {
      below += this.seconds[i];
      return [`_bucket{le="${bound}"}`, below] as const;
    });
    return metric('request_seconds', 'histogram', 'Time to the answer of translate requests.', [
      ...buckets,
      ['_bucket{le="+Inf"}', this.secondsCount],
      ['_sum', this.secondsSum],
      ['_count', this.secondsCount],
    ]);
  }
}

function metric(
  name: string,
  type: string,
  help: string,
  values: readonly (readonly [labels: string, value: number])[],
): string {
  const full = `admin_nmt_${name}`;
  return [
    `# HELP ${full} ${help}`,
    `# TYPE ${full} ${type}`,
    ...values.map(([labels, value]) => `${full}${labels} ${value}`),
    '',
  ].join('\n');
}
