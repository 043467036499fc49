// What every module draws with: Preact, its hooks, and templates by htm.
import { h, render, Fragment } from "../vendor/preact.js";
import htm from "../vendor/htm.js";

export { useCallback, useEffect, useLayoutEffect, useMemo, useReducer, useRef, useState } from "../vendor/preact-hooks.js";
export { h, render, Fragment };
export const html = htm.bind(h);
