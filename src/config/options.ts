/**
 * Option declarations. An option lives beside the code that uses it, with its help; names, types and defaults are
 * Cinder's where Cinder has the option. The sample file is generated from these declarations.
 */
export type OptionKind =
  | 'string'
  | 'integer'
  | 'float'
  | 'boolean'
  | 'list'
  | 'multi'
  | 'dict'
  | 'port'
  | 'host address';

export interface Option<T> {
  readonly kind: OptionKind;
  /** May hold `$other_option` references (string kinds), resolved in the same group, then in DEFAULT. */
  readonly default: T;
  readonly help: string;
  readonly min?: number;
  readonly max?: number;
  readonly choices?: readonly string[];
  /** Never printed or logged. */
  readonly secret?: boolean;
  /** May change at a reload without a restart. */
  readonly mutable?: boolean;
  /** Accepted with a warning: `name`, or `group/name`. */
  readonly deprecatedNames?: readonly string[];
  /** What the sample shows instead of the default, where the default depends on the machine. */
  readonly sampleDefault?: string;
}

export type Options = Readonly<Record<string, Option<unknown>>>;
export type ValuesOf<O extends Options> = { readonly [K in keyof O]: O[K] extends Option<infer T> ? T : never };

type Details<T> = Omit<Option<T>, 'kind' | 'default' | 'help'>;

function make<T>(kind: OptionKind, value: T, help: string, details: Details<T> = {}): Option<T> {
  return { kind, default: value, help, ...details };
}

/** Builders: `option.integer(60, 'Seconds without a heartbeat after which …', { min: 1 })`. A null default means: not set. */
export const option = {
  string: <T extends string | null>(value: T, help: string, details?: Details<string | null>) =>
    make<T extends string ? string : string | null>('string', value as never, help, details as never),
  integer: <T extends number | null>(value: T, help: string, details?: Details<number | null>) =>
    make<T extends number ? number : number | null>('integer', value as never, help, details as never),
  float: (value: number, help: string, details?: Details<number>) => make('float', value, help, details),
  boolean: (value: boolean, help: string, details?: Details<boolean>) => make('boolean', value, help, details),
  list: (value: readonly string[], help: string, details?: Details<readonly string[]>) =>
    make<readonly string[]>('list', value, help, details),
  /** May stand several times in a file; each line adds one value. */
  multi: (value: readonly string[], help: string, details?: Details<readonly string[]>) =>
    make<readonly string[]>('multi', value, help, details),
  /** `key:value,key:value`. */
  dict: (value: Readonly<Record<string, string>>, help: string, details?: Details<Readonly<Record<string, string>>>) =>
    make('dict', value, help, details),
  port: (value: number, help: string, details?: Details<number>) =>
    make('port', value, help, { min: 0, max: 65535, ...details }),
  hostAddress: (value: string, help: string, details?: Details<string>) => make('host address', value, help, details),
};
