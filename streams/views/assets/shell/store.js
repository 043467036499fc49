// A value that components follow. `set` takes the next value, or a function of the present one.
import { useEffect, useState } from "./html.js";

export function store(value) {
  const listeners = new Set();
  return {
    get: () => value,
    set(next) {
      const found = typeof next === "function" ? next(value) : next;
      if (Object.is(found, value)) return;
      value = found;
      for (const listener of [...listeners]) listener(value);
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

export function useStore(kept) {
  const [value, setValue] = useState(() => kept.get());
  useEffect(() => {
    setValue(() => kept.get()); // it may have moved between drawing and now
    return kept.subscribe((next) => setValue(() => next));
  }, [kept]);
  return value;
}
