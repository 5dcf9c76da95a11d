/** How Node is started for the language server, by whoever starts it. */

/**
 * The flags (docs/decisions/0022): a nursery with room for some versions of a
 * large file, and a heap that grows to one and a half of what is alive, not to four times.
 */
export const LANGUAGE_SERVER_FLAGS: readonly string[] = [
  '--min-semi-space-size=32',
  '--max-semi-space-size=32',
  '--heap-growing-percent=50',
];
