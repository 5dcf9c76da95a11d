// `npm run package`: the VSIX of this platform. Its file list is compared with test/package/files.golden (UPDATE=1 rewrites it).
import { packageExtension } from '../lib/vsix.ts';

const { file, list } = await packageExtension();
console.log(`${file}: ${list.length} files`);
