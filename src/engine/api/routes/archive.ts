/** The routes of `docker cp`: files of a container as tar streams, their facts in a header. */

import type { Readable } from 'node:stream';
import type { PathStat } from '../../../lib/api/containers.ts';
import type { Exchange, Handlers } from '../exchange.ts';
import { param, sendEmpty } from '../exchange.ts';
import { sendStream } from '../streams.ts';

/** What these routes call. */
export interface ArchiveService {
  archiveStat(ref: string, path: string): Promise<PathStat>;
  archiveGet(
    ref: string,
    path: string,
    signal: AbortSignal,
  ): Promise<{ stat: PathStat; tar: Readable }>;
  archivePut(
    ref: string,
    path: string,
    tar: Readable,
    options: { noOverwriteDirNonDir: boolean; copyUidGid: boolean },
    signal: AbortSignal,
  ): Promise<void>;
}

const STAT_HEADER = 'X-Docker-Container-Path-Stat';

export function archiveRoutes(
  containers: ArchiveService,
): Pick<Handlers, 'archive.stat' | 'archive.get' | 'archive.put'> {
  return {
    'archive.stat': async (exchange) => {
      const stat = await containers.archiveStat(param(exchange, 'id'), pathOf(exchange));
      exchange.response.setHeader(STAT_HEADER, encode(stat));
      sendEmpty(exchange, 200);
    },
    'archive.get': async (exchange) => {
      const { stat, tar } = await containers.archiveGet(
        param(exchange, 'id'),
        pathOf(exchange),
        exchange.signal,
      );
      await sendStream(exchange, tar, {
        'Content-Type': 'application/x-tar',
        [STAT_HEADER]: encode(stat),
      });
    },
    'archive.put': async (exchange) => {
      const { query, body, signal } = exchange;
      const options = {
        noOverwriteDirNonDir: query.bool('noOverwriteDirNonDir'),
        copyUidGid: query.bool('copyUIDGID'),
      };
      await containers.archivePut(param(exchange, 'id'), pathOf(exchange), body, options, signal);
      sendEmpty(exchange, 200);
    },
  };
}

function pathOf(exchange: Exchange): string {
  return exchange.query.required('path');
}

function encode(stat: PathStat): string {
  return Buffer.from(JSON.stringify(stat)).toString('base64');
}
