/** The route of `docker commit`. */

import type { ContainerConfig } from '../../../lib/api/containers.ts';
import { EngineError } from '../../../lib/errors.ts';
import { readJson } from '../body.ts';
import type { Handlers } from '../exchange.ts';
import { sendJson } from '../exchange.ts';

/** What this route calls. */
export interface CommitService {
  commit(
    ref: string,
    request: {
      name: string;
      comment: string;
      author: string;
      pause: boolean;
      changes: readonly string[];
      config: ContainerConfig | undefined;
      signal: AbortSignal;
    },
  ): Promise<string>;
}

export function commitRoutes(containers: CommitService): Pick<Handlers, 'image.commit'> {
  return {
    'image.commit': async (exchange) => {
      const { query, body, signal } = exchange;
      const repo = query.text('repo');
      const tag = query.text('tag');
      if (repo === '' && tag !== '')
        throw new EngineError('invalid', 'the query parameter tag needs repo');
      const id = await containers.commit(query.required('container'), {
        name: tag === '' ? repo : `${repo}:${tag}`,
        comment: query.text('comment'),
        author: query.text('author'),
        pause: query.bool('pause', 'true'),
        changes: query.all('changes').flatMap((change) => change.split('\n')),
        config: await readJson<ContainerConfig>(body, 'any'),
        signal,
      });
      sendJson(exchange, { Id: id }, 201);
    },
  };
}
