import { createServer } from 'node:http';
import { log } from '../../common/log.js';
import type { Config, ServeConfig, WrittenConfig } from '../../config/schema.js';
import { locateCheckpoint } from '../../decode/checkpoint-location.js';
import { translatePage } from '../../report/translate-page.js';
import { LOOPBACK, listen, once } from '../http/local-server.js';
import { OpenModel } from '../open-model.js';
import { type AskedSearch, askedConfig } from './asked-search.js';
import { Metrics } from './metrics.js';
import { Models, runName, type ServedModel, targetsOf } from './models.js';
import { answer } from './routes.js';
import type { Service } from './session.js';
import { readToken } from './token.js';

/** A run, and its config with what the command line changes in it. */
export interface RunToServe {
  readonly run: string;
  readonly config: Config;
  /** The same as it is written: what requests ask for goes over it. */
  readonly written: WrittenConfig;
}

/** Milliseconds that the headers of a request may take, and that a connection may idle. */
const HEADERS_TIMEOUT = 10_000;
const KEEP_ALIVE = 15_000;

/**
 * `admin-nmt serve`: translates for whoever asks over HTTP, until it is told to end; then it finishes what it has begun.
 *
 * @param untilEnd resolves when it is to end; a second time when at once
 * @throws UserError for what the user can mend
 */
export async function serve(
  runs: readonly RunToServe[],
  config: ServeConfig,
  untilEnd: () => Promise<void>,
): Promise<void> {
  const isToken = readToken(config.tokenFile);
  const opened: OpenModel[] = [];
  try {
    const models: ServedModel[] = [];
    const tell = once((message) => log.warn(`Serving goes on: ${message}`));
    const service = { config, isToken, metrics: new Metrics(), ending: false };
    for (const { run, config, written } of runs) {
      const model = await OpenModel.open(locateCheckpoint(run), config);
      opened.push(model);
      const { sourceLang: source, targetLang, validTag } = config.data;
      const lines = model.translateAsTheyCome();
      const searchBy = (asked: AskedSearch) => model.lineSearch(askedConfig(written, asked));
      for (const direction of targetsOf(targetLang, lines.tags, config.decode.tag ?? validTag))
        models.push({ name: runName(run), source, ...direction, lines, searchBy });
    }
    const served = new Models(models);
    const pairs = models.map(({ name, source, target }) => ({ name, source, target }));
    const page = translatePage({ pairs, asksToken: isToken !== undefined });
    await serveUntil({ ...service, models: served, page }, untilEnd, tell);
  } finally {
    for (const model of opened) model.dispose();
  }
}

async function serveUntil(
  service: Service & { ending: boolean },
  untilEnd: () => Promise<void>,
  tell: (message: string) => void,
): Promise<void> {
  const { host, port, timeout } = service.config;
  // Bodies have time limits of their own: a stream may take as long as it likes.
  const limits = { headersTimeout: HEADERS_TIMEOUT, requestTimeout: 0, keepAliveTimeout: KEEP_ALIVE };
  const server = createServer({ ...limits, connectionsCheckingInterval: 2000 }, (request, response) =>
    answer(service, request, response, tell),
  );
  const address = await listen(server, host, port, tell);
  if (host !== LOOPBACK && host !== 'localhost' && host !== '::1' && service.isToken === undefined)
    log.warn('others can reach this server, and it asks for no token: --token-file FILE');
  log.info(`Serving: ${address}  (Ctrl-C ends)`);
  await untilEnd();
  service.ending = true;
  log.info('Ending: what was begun is finished; again ends at once');
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  const hurry = setTimeout(() => server.closeAllConnections(), 1000 * timeout);
  void untilEnd().then(() => server.closeAllConnections());
  await closed;
  clearTimeout(hurry);
}
