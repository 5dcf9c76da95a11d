/** What containers and the API may ask of the networks. */

import type { NetworkInfo } from '../../lib/api/system.ts';

export interface NetworkMember {
  readonly id: string;
  readonly name: string;
  readonly network: string;
}

export interface Networks {
  /** Docker's filters: name, id, driver, type, label, scope, dangling. */
  list(filters: Readonly<Record<string, readonly string[]>>): NetworkInfo[];
  /** By name, id or unique id prefix; throws not-found (`network x not found`). */
  get(reference: string): NetworkInfo;
  /** These four throw: `not-implemented`, or `forbidden` for the predefined networks. */
  create(request: { Name?: string; Driver?: string }): { Id: string; Warning: string };
  remove(reference: string): void;
  connect(reference: string, container: string): void;
  disconnect(reference: string, container: string): void;
  prune(): { NetworksDeleted: string[] };
  /** Tells who is attached, for inspect's `Containers`; set once by the composition root. */
  setMembers(members: () => readonly NetworkMember[]): void;
}
