/** Imported into a process of ours (`node --import`): at SIGWINCH it collects its garbage and writes down what it holds. */
import { renameSync, writeFileSync } from 'node:fs';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

const directory = process.env.MEMORY_PROBE;
if (directory !== undefined) {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  process.on('SIGWINCH', () => {
    for (let round = 0; round < 3; round += 1) collect();
    const file = `${directory}/memory-${process.pid}.json`;
    writeFileSync(`${file}.new`, JSON.stringify(process.memoryUsage()));
    renameSync(`${file}.new`, file);
  });
}
