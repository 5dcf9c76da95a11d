/** The routes of what the builder remembers, and of what it would do. */

import type {
  BuildPlan,
  BuildPlanRequest,
  BuildRecord,
  BuildSummary,
} from '../../../lib/api/builds.ts';
import type { Shape } from '../body.ts';
import { requireJson } from '../body.ts';
import type { Handlers } from '../exchange.ts';
import { param, sendEmpty, sendJson } from '../exchange.ts';

/** What these routes call. */
export interface BuildRecordService {
  readonly records: {
    list(): BuildSummary[];
    get(id: string): BuildRecord;
    log(id: string, step: number | undefined): string;
    forget(id: string): void;
  };
  forecast(request: BuildPlanRequest): BuildPlan;
}

type Names =
  | 'pinnace.builds'
  | 'pinnace.build'
  | 'pinnace.build-log'
  | 'pinnace.build-forget'
  | 'pinnace.build-plan';

const PLAN: Shape = {
  fields: {
    dockerfile: 'string',
    path: 'string',
    context: 'string',
    buildArgs: { map: 'string' },
    target: 'string',
    platform: 'string',
  },
};

export function buildRecordRoutes(builder: BuildRecordService): Pick<Handlers, Names> {
  const { records } = builder;
  return {
    'pinnace.builds': (exchange) => sendJson(exchange, records.list()),
    'pinnace.build': (exchange) => sendJson(exchange, records.get(param(exchange, 'id'))),
    'pinnace.build-log': (exchange) => {
      const step = exchange.query.int('step', { min: 0 });
      const text = Buffer.from(records.log(param(exchange, 'id'), step));
      exchange.response.writeHead(200, {
        'Content-Type': 'text/plain; charset=utf-8',
        'Content-Length': text.length,
      });
      exchange.response.end(text);
    },
    'pinnace.build-forget': (exchange) => {
      records.forget(param(exchange, 'id'));
      sendEmpty(exchange);
    },
    'pinnace.build-plan': async (exchange) => {
      const request = await requireJson<Partial<BuildPlanRequest>>(exchange.body, PLAN);
      sendJson(exchange, builder.forecast({ ...request, dockerfile: request.dockerfile ?? '' }));
    },
  };
}
