/** Who is registered where: bindings, and the stores that keep them. */
export { MemoryStore } from "./memory.ts";
export { type Aor, type Binding, type Change, type LocationStore, StoreFullError } from "./store.ts";
