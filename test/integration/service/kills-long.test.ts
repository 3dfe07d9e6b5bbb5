/** As kills.test.ts, fifty rounds of each. */
import { test } from 'node:test';
import { runKillRounds } from '../../support/kill-rounds.ts';
import { missingRabbitmq } from '../../support/rabbitmq.ts';
import { missingTgtd } from '../../support/tgtd.ts';

const ROUNDS = 50;
const SEED = Number(process.env.CHAOS_SEED ?? Date.now() % 1_000_000);
const skip = missingTgtd() ?? missingRabbitmq() ?? false;

test(`fifty kills of the child and of the parent leave nothing stuck (CHAOS_SEED=${SEED})`, { skip }, async (t) => {
  await runKillRounds(ROUNDS, { seed: SEED, say: (line) => t.diagnostic(line) });
});
