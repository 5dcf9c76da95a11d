/** The calls on the engine's build records and on its plans. Only Pinnace has them: others answer not-found, which is thrown as such. */
import type {
  BuildPlan,
  BuildPlanRequest,
  BuildRecord,
  BuildSummary,
} from '../../lib/api/builds.ts';
import type { Transport } from '../api/transport.ts';

type Signal = { readonly signal?: AbortSignal };

/** A step's log above this many bytes is cut at its beginning. */
const LOG_LIMIT = 8 * 1024 * 1024;

/** The builds that the engine remembers, the newest first. */
export function listBuilds(transport: Transport, options: Signal = {}): Promise<BuildSummary[]> {
  return transport.json('pinnace.builds', options);
}

/** One build with its steps; throws not-found. */
export function readBuild(
  transport: Transport,
  id: string,
  options: Signal = {},
): Promise<BuildRecord> {
  return transport.json('pinnace.build', { params: { id }, ...options });
}

/** What a step printed; throws not-found. */
export async function readBuildLog(
  transport: Transport,
  { id, step }: { readonly id: string; readonly step: number },
  options: Signal = {},
): Promise<string> {
  const call = { params: { id }, query: { step }, ...options };
  const stream = await transport.open('pinnace.build-log', call);
  const decoder = new TextDecoder();
  let text = '';
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    text = (text + decoder.decode(chunk, { stream: true })).slice(-LOG_LIMIT);
  }
  return text;
}

/** Forgets a build; its image and the cache stay. */
export async function forgetBuild(transport: Transport, id: string): Promise<void> {
  await transport.send('pinnace.build-forget', { params: { id } });
}

/** What a build of a text would take from the cache; nothing is built. */
export function planBuild(
  transport: Transport,
  request: BuildPlanRequest,
  options: Signal = {},
): Promise<BuildPlan> {
  return transport.json('pinnace.build-plan', { json: request, ...options });
}
