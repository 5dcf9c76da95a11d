/**
 * What an engine's events said of containers, until its list says so too. Docker tells that a container has ended, was
 * paused, goes on or has joined a network before it has written that where its list looks, and no later event corrects the answer.
 * Asks nobody.
 */
import type { ContainerSummary } from '../../lib/api/containers.ts';
import type { EventMessage } from '../../lib/api/system.ts';

/** Milliseconds after an answer that was still the old one. A busy machine takes that long to clean up after a container. */
const WAITS = [40, 100, 250, 600, 1500, 4000] as const;

/** Podman's `cleanup` comes last; its `die` can come before its `start`. */
const ENDED: ReadonlySet<string> = new Set(['die', 'died', 'cleanup']);

interface Claim {
  readonly container: string;
  readonly holds: (summary: ContainerSummary) => boolean;
  /** How often an answer has said otherwise. */
  denied: number;
}

export class Claims {
  /** By container and what is said of it: the later word counts. */
  private readonly claims = new Map<string, Claim>();

  /** Takes in what an event says. */
  seen({ Type: type, Action: action, Actor: actor }: EventMessage): void {
    if (type === 'container') {
      const { ID: container } = actor;
      if (ENDED.has(action)) this.set('end', container, ({ State }) => State !== 'running');
      else if (action === 'pause') this.set('pause', container, ({ State }) => State === 'paused');
      else if (action === 'unpause')
        this.set('pause', container, ({ State }) => State !== 'paused');
      else if (action === 'start') this.claims.delete(`${container} end`);
      else if (action === 'destroy' || action === 'remove') this.forget(container);
    }
    const { container = '', name = '' } = actor.Attributes;
    if (type === 'network' && action === 'connect' && container !== '')
      this.set(actor.ID, container, (summary) => isOn(summary, { id: actor.ID, name }));
  }

  /** After an answer: the containers of which it says otherwise, with the time after which to ask again. */
  doubted(summaryOf: (id: string) => ContainerSummary | undefined): ReadonlyMap<string, number> {
    const again = new Map<string, number>();
    for (const [key, claim] of this.claims) {
      const summary = summaryOf(claim.container);
      const wait = WAITS[claim.denied];
      // The old answer can be the right one: with a restart policy, or of what happened since.
      if (summary === undefined || claim.holds(summary) || wait === undefined) {
        this.claims.delete(key);
        continue;
      }
      claim.denied += 1;
      again.set(claim.container, Math.min(wait, again.get(claim.container) ?? wait));
    }
    return again;
  }

  private set(what: string, container: string, holds: Claim['holds']): void {
    this.claims.set(`${container} ${what}`, { container, holds, denied: 0 });
  }

  private forget(container: string): void {
    for (const [key, claim] of this.claims)
      if (claim.container === container) this.claims.delete(key);
  }
}

function isOn(
  { NetworkSettings: settings }: ContainerSummary,
  network: { readonly id: string; readonly name: string },
): boolean {
  const networks = (settings as ContainerSummary['NetworkSettings'] | undefined)?.Networks ?? {};
  return Object.entries(networks).some(
    ([name, endpoint]) => name === network.name || endpoint.NetworkID === network.id,
  );
}
