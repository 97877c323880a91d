type Camel<S extends string> = S extends `${infer Head}-${infer Tail}`
  ? `${Head}${Capitalize<Camel<Tail>>}`
  : S;

/** The type of a tree of plain objects with its kebab-case keys in camelCase; arrays and leaves stay. */
export type CamelizeKeys<T> = T extends readonly unknown[]
  ? T
  : T extends object
    ? { [K in keyof T as K extends string ? Camel<K> : K]: CamelizeKeys<T[K]> }
    : T;

/** `max-tokens` → `maxTokens`. */
export function camelize(key: string): string {
  return key.replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());
}

/** Copies a tree of plain objects with its keys in camelCase. */
export function camelizeKeys<T>(tree: T): CamelizeKeys<T> {
  if (Array.isArray(tree) || typeof tree !== 'object' || tree === null) return tree as CamelizeKeys<T>;
  return Object.fromEntries(
    Object.entries(tree).map(([key, value]) => [camelize(key), camelizeKeys(value)]),
  ) as CamelizeKeys<T>;
}
