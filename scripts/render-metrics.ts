import { createMetrics } from '../src/service/metrics.ts';

/** The table of all metrics, for src/service/README.md. */
export function renderMetrics(): string {
  const metrics = createMetrics({ version: '', role: '' });
  metrics.stop();
  return [
    '| metric | kind | labels | what |',
    '|---|---|---|---|',
    ...metrics
      .families()
      .map(({ name, type, labels, help }) => `| \`${name}\` | ${type} | ${labels.join(', ')} | ${help} |`),
  ].join('\n');
}
