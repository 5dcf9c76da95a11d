/** Measures what a piece of work costs this thread, whatever else the machine is doing. */

/** Milliseconds of this thread's processor time; the least of `attempts` runs. */
export function cpuTime(work: () => void, attempts = 1): number {
  let least = Number.POSITIVE_INFINITY;
  for (let attempt = 0; attempt < attempts; attempt++) {
    const before = process.threadCpuUsage();
    work();
    const { user, system } = process.threadCpuUsage(before);
    least = Math.min(least, (user + system) / 1000);
  }
  return least;
}
