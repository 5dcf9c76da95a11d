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
import { runStage, shellInStage } from './stage.ts';

export const BUILD_COMMANDS: readonly Command[] = [
  buildImage,
  runStage,
  shellInStage,
  openBuild,
  buildAgain,
  compareBuild,
  copyBuild,
  cancelBuild,
  forgetBuild,
  refreshBuilds,
];
