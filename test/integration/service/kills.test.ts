/** Child and parent killed under load, a few times; kills-long.test.ts does it fifty times each. */
import { test } from 'node:test';
import { runKillRounds } from '../../support/kill-rounds.ts';
import { missingRabbitmq } from '../../support/rabbitmq.ts';
import { missingTgtd } from '../../support/tgtd.ts';

const SEED = Number(process.env.CHAOS_SEED ?? Date.now() % 1_000_000);
const skip = missingTgtd() ?? missingRabbitmq() ?? false;

test(`child and parent, killed under load, leave nothing stuck (CHAOS_SEED=${SEED})`, { skip }, async (t) => {
  await runKillRounds(3, { seed: SEED, say: (line) => t.diagnostic(line) });
});
