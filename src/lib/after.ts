/**
 * Calls `next` with a value that may still have to come: in this very turn if it is here. What is usually
 * here stays synchronous, and so does everything behind it.
 */
export function after<T, R>(value: T | Promise<T>, next: (value: T) => R | Promise<R>): R | Promise<R> {
  return value instanceof Promise ? value.then(next) : next(value);
}
