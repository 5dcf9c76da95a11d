/**
 * Containers whose end an engine has told, until its list says so too: Docker tells `die` before it has written the new
 * state where its list looks, and no later event corrects that. Asks nobody.
 */
import type { EventMessage } from '../../lib/api/system.ts';

/** Milliseconds after an answer that was still the old one. Cleaning up a container takes a busy machine that long. */
const WAITS = [40, 100, 250, 600, 1500, 4000] as const;

export class Endings {
  private readonly asked = new Map<string, number>();

  seen({ Type, Action, Actor }: EventMessage): void {
    if (Type !== 'container') return;
    if (Action === 'die' || Action === 'died') this.asked.set(Actor.ID, 0);
    // It runs again, or there is nothing to ask of.
    if (Action === 'start' || Action === 'destroy' || Action === 'remove')
      this.asked.delete(Actor.ID);
  }

  /** After an answer: those that it calls running though they have ended, with the time after which to ask again. */
  doubted(stateOf: (id: string) => string | undefined): ReadonlyMap<string, number> {
    const again = new Map<string, number>();
    for (const [id, count] of this.asked) {
      const wait = WAITS[count];
      // With a restart policy the old answer can be the right one for long.
      if (stateOf(id) !== 'running' || wait === undefined) this.asked.delete(id);
      else {
        this.asked.set(id, count + 1);
        again.set(id, wait);
      }
    }
    return again;
  }
}
