// `npm run build`: the native helper and the four bundles into out/.
import { buildBundles } from '../lib/bundles.ts';
import { buildNative } from '../lib/native.ts';

await Promise.all([buildBundles(), buildNative()]);
