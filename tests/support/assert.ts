/** The assertions of the standard library; the package they come in has no types, so they are given here. */
import * as std from "@std/assert";

interface Assertions {
  assert(actual: unknown, message?: string): asserts actual;
  assertEquals<T>(actual: T, expected: T, message?: string): void;
  assertNotEquals<T>(actual: T, expected: T, message?: string): void;
  assertMatch(actual: string, expected: RegExp, message?: string): void;
  assertStringIncludes(actual: string, expected: string, message?: string): void;
  assertThrows<E extends Error>(fn: () => unknown, type?: new (...args: never[]) => E, part?: string): E;
  assertRejects<E extends Error>(
    fn: () => Promise<unknown>,
    type?: new (...args: never[]) => E,
    part?: string,
  ): Promise<E>;
}

const typed: Assertions = std;

export const assert: Assertions["assert"] = typed.assert;
export const {
  assertEquals,
  assertNotEquals,
  assertMatch,
  assertStringIncludes,
  assertThrows,
  assertRejects,
} = typed;
