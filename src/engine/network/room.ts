/** One tenant's place on the networks, while it is there. Data and two small questions; sandboxes.ts changes it. */

import type {
  Endpoint,
  LiveNetwork,
  PortWish,
  ProcessRef,
  PublishedPort,
  Tenant,
} from './types.ts';

export interface Room {
  tenant: Tenant;
  readonly process: ProcessRef;
  endpoints: readonly Endpoint[];
  ports: readonly PublishedPort[];
  /** Id of the endpoint that the ports lead to. */
  carrier: string | null;
  readonly wishes: readonly PortWish[];
  /** False while it is being connected: who does that also does it again. */
  isSettled: boolean;
}

/** The room in the form that is kept. */
export function liveOf({ endpoints, ports, carrier }: Room): LiveNetwork {
  return { endpoints, ports, carrier };
}

/** Waits for all, then throws the first failure. */
export async function allOf(answers: readonly Promise<unknown>[]): Promise<void> {
  const results = await Promise.allSettled(answers);
  const failed = results.find((result) => result.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
}
