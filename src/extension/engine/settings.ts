/** From the extension's settings to what the `pinnace` command takes: environment variables and flags. */

interface Setting {
  /** Below `pinnace.` in package.json. */
  readonly key: string;
  readonly variable: string;
}

export const SETTINGS: readonly Setting[] = [
  { key: 'engine.dataRoot', variable: 'PINNACE_DATA_ROOT' },
  { key: 'engine.runRoot', variable: 'PINNACE_RUN_ROOT' },
];

/** Variables for the settings that hold a text; an empty one leaves the default in force. */
export function settingsEnvironment(get: (key: string) => unknown): Record<string, string> {
  const env: Record<string, string> = {};
  for (const { key, variable } of SETTINGS) {
    const value = get(key);
    if (typeof value === 'string' && value.trim() !== '') env[variable] = value.trim();
  }
  return env;
}

/** Seconds in a day: an engine that idles longer was forgotten. */
const LONGEST_IDLE = 86_400;

/** The flags of `pinnace engine start` for the settings; values that make no sense are left to the command's defaults. */
export function startArguments(get: (key: string) => unknown): string[] {
  const mode = get('engine.mode');
  const idle = get('engine.idleExit');
  const known = mode === 'system' || mode === 'rootless' || mode === 'single-id';
  const seconds = typeof idle === 'number' && idle >= 0 && idle <= LONGEST_IDLE;
  return [
    ...(known ? ['--mode', mode] : []),
    ...(seconds ? ['--idle-exit', String(Math.floor(idle))] : []),
  ];
}
