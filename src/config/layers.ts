import { groupKey } from './groups.ts';
import type { ConfigEntry } from './parse.ts';

/** What a program sets by itself: group -> option -> text, or several texts of a multi option. */
export type ConfigTexts = Readonly<Record<string, Readonly<Record<string, string | readonly string[]>>>>;

/** The entries of one source, found by group and name. A higher layer hides a lower one, option by option. */
export interface Layer {
  readonly entries: readonly ConfigEntry[];
  find(group: string, name: string): readonly ConfigEntry[];
}

export function layerOf(entries: readonly ConfigEntry[]): Layer {
  const byKey = Map.groupBy(entries, (entry) => entryKey(entry.group, entry.name));
  return { entries, find: (group, name) => byKey.get(entryKey(group, name)) ?? [] };
}

/** Entries for texts that come from no file; `label` takes the file's place in messages. */
export function entriesOf(texts: ConfigTexts, label: string): readonly ConfigEntry[] {
  return Object.entries(texts).flatMap(([group, options]) =>
    Object.entries(options).flatMap(([name, value]) =>
      [value].flat().map((text) => ({ group, name, value: text, file: label, line: 0 })),
    ),
  );
}

/** Identifies an option across the spellings of its group. */
export function entryKey(group: string, name: string): string {
  return `${groupKey(group)}/${name}`;
}
