import { fakeTarget } from '../../drivers/target/fake.ts';
import { ietTarget } from '../../drivers/target/iet/index.ts';
import { lioTarget } from '../../drivers/target/lio/index.ts';
import { nvmetTarget } from '../../drivers/target/nvmet/index.ts';
import { tgtTarget } from '../../drivers/target/tgt/index.ts';
import type { TargetModule } from '../driver/target.ts';

/** The roll-call of targets: one line adds one. */
export const targets: readonly TargetModule[] = [tgtTarget, lioTarget, nvmetTarget, ietTarget, fakeTarget];

/** The target that a value of `target_helper` means: its short name, or another name that is known for it. */
export function findTarget(name: string): TargetModule | undefined {
  return targets.find((target) => target.name === name || target.aliases.includes(name));
}
