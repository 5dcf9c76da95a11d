// `npm run package [-- --resolvers]`: the VSIX of this platform, or the one for editors that allow the proposed API `resolvers`. The file list is compared with test/package/files.golden (UPDATE=1 rewrites it).
import { packageExtension, packageResolvers } from '../lib/vsix.ts';

const [flag, ...more] = process.argv.slice(2);
if (more.length > 0 || (flag !== undefined && flag !== '--resolvers')) {
  console.error(`package: ${[flag, ...more].join(' ')}: only --resolvers is known`);
  process.exitCode = 2;
} else if (flag === undefined) {
  const { file, list } = await packageExtension();
  console.log(`${file}: ${list.length} files`);
} else {
  console.log(await packageResolvers());
}
