/** The engine's events, in the API's form; the last 1,024 are kept for `since`. */

export interface EngineEvent {
  readonly Type: 'container' | 'image' | 'volume' | 'network' | 'builder' | 'daemon';
  readonly Action: string;
  readonly Actor: { readonly ID: string; readonly Attributes: Readonly<Record<string, string>> };
  readonly scope: 'local';
  /** Seconds. */
  readonly time: number;
  readonly timeNano: number;
}

export interface EventBus {
  emit(
    type: EngineEvent['Type'],
    action: string,
    actor: { ID: string; Attributes: Record<string, string> },
  ): void;
  /** Past events first (since, in nanoseconds), then live ones; returns the end of the subscription. */
  subscribe(listener: (event: EngineEvent) => void, options?: { sinceNano?: number }): () => void;
}
