/** The program: reads argv and env, and hands over to the role that is asked for. */
import { enableCompileCache, flushCompileCache } from 'node:module';

enableCompileCache();

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
if (major < 24 || (major === 24 && minor < 15)) {
  process.stderr.write(
    `ashlar needs Node.js 24.15 or later, this is ${process.versions.node}. In a checkout, \`npm ci\` brings the right one.\n`,
  );
  process.exit(1);
}

const [command, role, name] = process.argv.slice(2);
if (command === 'worker' && role !== undefined && name !== undefined) {
  // A worker loads what its role needs, and nothing of the command line.
  const { runWorkerProgram } = await import('./roles/worker-program.ts');
  const trouble = runWorkerProgram(role, name);
  if (trouble !== null) {
    process.stderr.write(`${trouble}\n`);
    process.exitCode = 2;
  }
} else {
  const { main } = await import('./main.ts');
  process.exitCode = await main({ onReady: flushCompileCache });
}
