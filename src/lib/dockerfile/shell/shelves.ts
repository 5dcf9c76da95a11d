/** Keeps the shelves of a memory whose values depend on the shell in force, each looked up once for each shell of a file. */
import type { Shelf, TextMemory } from '../../text/memory.ts';
import type { ShellInForce } from './shells.ts';

export class ShellShelves<Value> {
  private readonly memory: TextMemory<Value>;
  private readonly surroundings: string;
  private readonly shelves = new Map<ShellInForce | undefined, Shelf<Value>>();

  /** `surroundings`: all that a value depends on beside its text and the shell. */
  constructor(memory: TextMemory<Value>, surroundings: string) {
    this.memory = memory;
    this.surroundings = surroundings;
  }

  /** The shelf of what has a shell, or of what has none. */
  for(shell: ShellInForce | undefined): Shelf<Value> {
    const known = this.shelves.get(shell);
    if (known !== undefined) return known;
    const shelf = this.memory.shelf([this.surroundings, ...(shell?.words ?? [])].join('\0'));
    this.shelves.set(shell, shelf);
    return shelf;
  }
}
