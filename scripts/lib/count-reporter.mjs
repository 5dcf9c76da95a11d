// A reporter for Node's test runner that ends with one JSON object: how many tests passed and failed (suites not counted), and how many failed in which test file.
export default async function* count(source) {
  let passed = 0;
  let failed = 0;
  const failedIn = {};
  for await (const { type, data } of source) {
    // A test's own `file` is where test() was called, which may be a rig: only the summary tells the test file.
    if (type === 'test:summary' && data.file !== undefined) {
      const failures = data.counts.failed + data.counts.cancelled;
      if (failures > 0) failedIn[data.file] = failures;
    }
    if (data?.details?.type === 'suite') continue;
    if (type === 'test:pass') passed += 1;
    if (type === 'test:fail') failed += 1;
  }
  yield JSON.stringify({ passed, failed, failedIn });
}
