/** One large file over HTTP: redirects, proxies of the environment, silence, length and digest are looked after. It never leaves a file that it has not verified. */
import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import { basename } from 'node:path';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { type Dispatcher, EnvHttpProxyAgent, request } from 'undici';
import { EngineError, messageOf } from '../../lib/errors.ts';

export interface DownloadOptions {
  /** The editor's own proxy; undefined or ``: those of the environment. */
  readonly proxy?: string;
  readonly signal: AbortSignal;
  readonly say: (line: string) => void;
}

const MAX_REDIRECTS = 5;
const MAX_BYTES = 1024 ** 3;
const MAX_DIGEST = 4096;
const SILENCE_MS = 30_000;
const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

interface Found {
  readonly url: URL;
  readonly answer: Dispatcher.ResponseData;
  /** In hex, where the service said one on the way. */
  readonly digest: string | undefined;
}

/** Writes the file at `path`. Throws `unavailable` when it is not to be had, is cut short or is not what its digest says; `cancelled`. */
export async function download(url: URL, path: string, options: DownloadOptions): Promise<void> {
  const { proxy = '' } = options;
  const dispatcher = new EnvHttpProxyAgent({
    ...(proxy === '' ? {} : { httpProxy: proxy, httpsProxy: proxy }),
    connectTimeout: 10_000,
    headersTimeout: SILENCE_MS,
    bodyTimeout: SILENCE_MS,
  });
  try {
    const found = await follow(url, dispatcher, options.signal);
    const digest = found.digest ?? (await digestBeside(found.url, dispatcher, options.signal));
    await save(found, digest, path, options);
  } catch (cause) {
    await rm(path, { force: true });
    if (options.signal.aborted)
      throw new EngineError('cancelled', 'the download was cancelled', { cause });
    if (cause instanceof EngineError) throw cause;
    throw new EngineError('unavailable', reasonOf(cause), { cause });
  } finally {
    await dispatcher.destroy();
  }
}

/** The first answer that is no redirect; a secure address leads to secure ones alone. */
async function follow(first: URL, dispatcher: Dispatcher, signal: AbortSignal): Promise<Found> {
  let url = first;
  let digest: string | undefined;
  for (let step = 0; step <= MAX_REDIRECTS; step += 1) {
    const answer = await request(url, { dispatcher, signal });
    digest = digestOf(answer.headers['x-sha256']) ?? digest;
    if (answer.statusCode === 200) return { url, answer, digest };
    await answer.body.dump();
    const next = answer.headers['location'];
    if (!REDIRECTS.has(answer.statusCode) || typeof next !== 'string')
      throw new EngineError('unavailable', `${url.host} answered ${answer.statusCode}`);
    const target = URL.parse(next, url.href);
    if (target === null || !isAllowed(url, target))
      throw new EngineError('unavailable', `${url.host} leads to ${next}, which is not followed`);
    url = target;
  }
  throw new EngineError('unavailable', `${first.host} leads in circles`);
}

function isAllowed(from: URL, to: URL): boolean {
  return to.protocol === 'https:' || (from.protocol === 'http:' && to.protocol === 'http:');
}

/** `FILE.sha256`, which releases of VSCodium have beside each file; undefined when there is none. */
async function digestBeside(
  url: URL,
  dispatcher: Dispatcher,
  signal: AbortSignal,
): Promise<string | undefined> {
  if (!/\.tar\.gz$/.test(url.pathname)) return undefined;
  const beside = new URL(url.href);
  beside.pathname += '.sha256';
  try {
    const { answer } = await follow(beside, dispatcher, signal);
    let text = '';
    for await (const chunk of answer.body as AsyncIterable<Buffer>) {
      text += chunk.toString('latin1');
      if (text.length > MAX_DIGEST) return undefined;
    }
    const [digest, name] = text.trim().split(/\s+/);
    const same = name === undefined || name.replace(/^\*/, '') === basename(url.pathname);
    return same ? digestOf(digest) : undefined;
  } catch (error) {
    if (signal.aborted) throw error;
    return undefined;
  }
}

function digestOf(text: string | string[] | undefined): string | undefined {
  return typeof text === 'string' && /^[0-9a-fA-F]{64}$/.test(text)
    ? text.toLowerCase()
    : undefined;
}

async function save(
  { answer, url }: Found,
  digest: string | undefined,
  path: string,
  { signal, say }: DownloadOptions,
): Promise<void> {
  const promised = Number(answer.headers['content-length'] ?? Number.NaN);
  if (promised > MAX_BYTES)
    throw new EngineError('unavailable', `${url.host} offers ${promised} bytes: too many`);
  const hash = createHash('sha256');
  let length = 0;
  let told = 0;
  const count = new Transform({
    transform: (chunk: Buffer, _encoding, done) => {
      length += chunk.length;
      hash.update(chunk);
      const percent = Math.floor((length / promised) * 10) * 10;
      if (percent > told) {
        told = percent;
        say(`downloading the VS Code Server: ${percent} % of ${(promised / 1e6).toFixed(0)} MB`);
      }
      done(length > MAX_BYTES ? new Error(`it is longer than ${MAX_BYTES} bytes`) : null, chunk);
    },
  });
  await pipeline(answer.body, count, createWriteStream(path, { mode: 0o600 }), { signal });
  if (!Number.isNaN(promised) && promised !== length)
    throw new EngineError('unavailable', `${length} of ${promised} bytes came`);
  const real = hash.digest('hex');
  if (digest !== undefined && digest !== real)
    throw new EngineError(
      'unavailable',
      `what came has the digest ${real}, and ${url.host} says ${digest}`,
    );
}

/** Errors of several tries (IPv6, IPv4) have no message of their own. */
function reasonOf(error: unknown): string {
  if (error instanceof AggregateError) {
    const causes: readonly unknown[] = error.errors;
    return causes.map(messageOf).join('; ');
  }
  return messageOf(error);
}
