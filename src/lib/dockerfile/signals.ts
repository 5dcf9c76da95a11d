/** Knows the signals of Linux as STOPSIGNAL may name them: the builder and the editor ask the same list. */

/** The names, with their SIG. */
export const SIGNAL_NAMES: readonly string[] = (
  'HUP INT QUIT ILL TRAP ABRT BUS FPE KILL USR1 SEGV USR2 PIPE ALRM TERM STKFLT CHLD CONT STOP TSTP TTIN TTOU URG XCPU ' +
  'XFSZ VTALRM PROF WINCH IO PWR SYS IOT CLD POLL UNUSED'
)
  .split(' ')
  .map((name) => `SIG${name}`);

const KNOWN = new Set(SIGNAL_NAMES);

/** True for a name (with or without SIG, in any casing), `RTMIN+n`, `RTMAX-n`, and a number from 1 to 64. */
export function isSignal(text: string): boolean {
  if (/^\d+$/.test(text)) return Number(text) >= 1 && Number(text) <= 64;
  const name = text.toUpperCase();
  const full = name.startsWith('SIG') ? name : `SIG${name}`;
  return KNOWN.has(full) || /^SIGRTM(IN(\+\d{1,2})?|AX(-\d{1,2})?)$/.test(full);
}
