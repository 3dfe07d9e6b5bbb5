import {
  attachmentSteps,
  attachmentTransitions,
  type Step,
  snapshotTransitions,
  type Transition,
  volumeSteps,
  volumeTransitions,
} from '../src/model/status.ts';

/** The transition tables of src/model/status.ts as Markdown. */
export function renderTransitions(): string {
  return [
    ...transitionTable('Volume', volumeTransitions),
    ...transitionTable('Snapshot', snapshotTransitions),
    ...transitionTable('Attachment', attachmentTransitions),
    ...stepTable('Volume', volumeSteps),
    ...stepTable('Attachment', attachmentSteps),
  ].join('\n');
}

function transitionTable(title: string, transitions: Readonly<Record<string, Transition<string>>>): readonly string[] {
  const rows = Object.entries(transitions).map(([name, { accepts, during, done, failed, recover }]) =>
    row([name, accepts.join(', ') || 'a new row', during, done, failed, recover]),
  );
  return table(`${title}: work`, ['work', 'accepted in', 'during', 'done', 'failed', 'after a crash'], rows);
}

function stepTable(title: string, steps: Readonly<Record<string, Step<string>>>): readonly string[] {
  const rows = Object.entries(steps).map(([name, { from, to }]) => row([name, from.join(', '), to]));
  return table(`${title}: steps done at once`, ['step', 'from', 'to'], rows);
}

function table(title: string, columns: readonly string[], rows: readonly string[]): readonly string[] {
  return ['', `**${title}**`, '', row(columns), row(columns.map(() => '---')), ...rows];
}

function row(cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |`;
}
