/** From an engine's address as people write it to what the transport dials: unix sockets, tcp with or without TLS, ssh. */
import { readFile } from 'node:fs/promises';
import { connect as tlsConnect } from 'node:tls';
import { EngineError, messageOf } from '../../lib/errors.ts';
import { type Complaint, dialCommand, explainSsh, parseSsh, sshCommand } from './ssh.ts';
import type { Address } from './transport.ts';

/** Paths of PEM files. `ca` alone checks the engine; with `cert` and `key` we also show who we are. */
export interface TlsFiles {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
}

/**
 * The address in `unix:///path`, a plain path, `tcp://host:port`, `ssh://user@host` or `pinnace+ssh://user@host`.
 * Throws EngineError (invalid) for anything else. TLS files are read at each connection.
 */
export function parseAddress(text: string, tls?: TlsFiles): Address {
  if (text.startsWith('unix://')) return { socketPath: text.slice('unix://'.length) };
  if (text.startsWith('/')) return { socketPath: text };
  if (/^(?:pinnace\+)?ssh:/.test(text)) {
    const target = parseSsh(text);
    const words = sshCommand(target);
    const explain = (complaint: string): Complaint => explainSsh(complaint, target);
    return { name: text, dial: () => Promise.resolve(dialCommand(text, words, explain)) };
  }
  const tcp = /^(tcp|https?):\/\/(\[[0-9a-f:]+\]|[^/:@]+):(\d{1,5})\/?$/i.exec(text);
  if (tcp?.[2] === undefined)
    throw new EngineError(
      'invalid',
      `not an engine's address: ${text} (unix:///path, tcp://host:port or ssh://user@host)`,
    );
  const where = { host: tcp[2].replace(/^\[|\]$/g, ''), port: Number(tcp[3]) };
  if (tls === undefined && tcp[1]?.toLowerCase() !== 'https') return where;
  return { name: text, dial: () => dialTls(text, where, tls ?? {}) };
}

async function dialTls(
  name: string,
  where: { readonly host: string; readonly port: number },
  files: TlsFiles,
): ReturnType<Extract<Address, { dial: unknown }>['dial']> {
  const [ca, cert, key] = await Promise.all([files.ca, files.cert, files.key].map(pem));
  const { promise, resolve, reject } = Promise.withResolvers<Awaited<ReturnType<typeof dialTls>>>();
  const socket = tlsConnect({
    ...where,
    // An address is no name that could be asked for (RFC 6066, 3).
    ...(/^[\d.]+$|:/.test(where.host) ? {} : { servername: where.host }),
    minVersion: 'TLSv1.2',
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
  });
  socket.once('secureConnect', () => {
    socket.off('error', reject);
    resolve(socket);
  });
  socket.once('error', reject);
  try {
    return await promise;
  } catch (cause) {
    throw new EngineError('unavailable', `no TLS connection to ${name}: ${messageOf(cause)}`, {
      cause,
    });
  }
}

async function pem(path: string | undefined): Promise<Buffer | undefined> {
  if (path === undefined || path === '') return undefined;
  try {
    return await readFile(path);
  } catch (cause) {
    const message = `the TLS file ${path} cannot be read: ${messageOf(cause)}`;
    throw new EngineError('invalid', message, { cause, path });
  }
}
