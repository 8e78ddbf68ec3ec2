// What the page uses of the vendored libraries, for the type check of its modules: they are vendored without types.

declare module "@preact/signals-core" {
  export interface ReadonlySignal<T> {
    readonly value: T;
    peek(): T;
    subscribe(run: (value: T) => void): () => void;
  }
  export interface Signal<T> extends ReadonlySignal<T> {
    value: T;
  }
  export function signal<T>(value: T): Signal<T>;
  export function computed<T>(read: () => T): ReadonlySignal<T>;
  export function effect(run: () => unknown): () => void;
  export function batch<T>(run: () => T): T;
  export function untracked<T>(run: () => T): T;
}

declare module "preact" {
  export const h: any;
  export const options: any;
  export function render(tree: any, root: Element): void;
}

declare module "preact/hooks" {
  type Ref<T> = { current: T };
  export function useState<T>(first: T | (() => T)): [T, (next: T | ((last: T) => T)) => void];
  export function useRef<T>(first: T): Ref<T>;
  export function useEffect(run: () => void | (() => unknown), inputs?: unknown[]): void;
  export function useLayoutEffect(run: () => void | (() => unknown), inputs?: unknown[]): void;
  export function useMemo<T>(make: () => T, inputs: unknown[]): T;
  export function useCallback<T>(run: T, inputs: unknown[]): T;
}

declare module "htm" {
  const htm: { bind(h: any): (strings: TemplateStringsArray, ...values: any[]) => any };
  export default htm;
}

declare module "uplot" {
  const uPlot: any;
  export default uPlot;
}
