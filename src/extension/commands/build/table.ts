/** The commands of building. */
import type { Command } from '../desk.ts';
import {
  buildAgain,
  cancelBuild,
  compareBuild,
  copyBuild,
  forgetBuild,
  openBuild,
  refreshBuilds,
} from './builds.ts';
import { buildImage } from './image.ts';

export const BUILD_COMMANDS: readonly Command[] = [
  buildImage,
  openBuild,
  buildAgain,
  compareBuild,
  copyBuild,
  cancelBuild,
  forgetBuild,
  refreshBuilds,
];
