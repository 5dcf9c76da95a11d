// A reporter for Node's test runner that ends with one JSON object: how many tests passed and failed (suites not counted), and how many failed in which test file.
import { resolve } from 'node:path';

export default async function* count(source) {
  let passed = 0;
  let failed = 0;
  const failedIn = {};
  /** Failures by where test() was called, which may be a rig: the truth for a file that ended before its summary only. */
  const failedAt = {};
  for await (const { type, data } of source) {
    if (type === 'test:summary' && data.file !== undefined) {
      const failures = data.counts.failed + data.counts.cancelled;
      if (failures > 0) failedIn[data.file] = failures;
    }
    const isFile = data.file !== undefined && resolve(data.name ?? '') === data.file;
    if (type === 'test:complete' && isFile && data.details.error !== undefined)
      failedIn[data.file] ??= 0;
    if (data?.details?.type === 'suite') continue;
    if (type === 'test:pass') passed += 1;
    if (type === 'test:fail') {
      failed += 1;
      failedAt[data.file] = (failedAt[data.file] ?? 0) + 1;
    }
  }
  for (const [file, failures] of Object.entries(failedIn))
    if (failures === 0) failedIn[file] = failedAt[file] ?? 0;
  yield JSON.stringify({ passed, failed, failedIn });
}
