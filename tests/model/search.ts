/** A transition: what happens, in words, and what it leads to; `violation` when a property does not hold for it. */
export interface Step<State> {
  label: string;
  next: State;
  violation?: string;
}

export interface Model<State> {
  initial: State;
  steps(state: State): Step<State>[];
  /** Equal for states that behave alike: then only one of them is searched. */
  encode(state: State): string;
}

export interface SearchResult {
  states: number;
  transitions: number;
  /** The longest of the shortest ways to a state. */
  depth: number;
  /** A shortest way to a violation; null when all states were searched and there is none. */
  counterexample: { steps: string[]; violation: string } | null;
}

/** Breadth-first search through every state that the model can reach, or to the first violation, which is then a nearest one. */
export function search<State>(model: Model<State>): SearchResult {
  const seen = new Set([model.encode(model.initial)]);
  // The number of a state is its place in `seen`, which keeps the order of insertion.
  const parents = [-1];
  let transitions = 0;
  let depth = 0;
  let first = 0;
  let level = [model.initial];
  for (;;) {
    const nextLevel: State[] = [];
    for (const [at, state] of level.entries()) {
      for (const { label, next, violation } of model.steps(state)) {
        transitions++;
        if (violation !== undefined) {
          const way = [...retrace(model, [...seen], parents, first + at), label];
          return { states: seen.size, transitions, depth, counterexample: { steps: way, violation } };
        }
        const key = model.encode(next);
        const known = seen.size;
        if (seen.add(key).size === known) continue;
        parents.push(first + at);
        nextLevel.push(next);
      }
    }
    if (nextLevel.length === 0) return { states: seen.size, transitions, depth, counterexample: null };
    depth++;
    first += level.length;
    level = nextLevel;
  }
}

/** Walks again from the initial state to the one with this number, since only the states' codes were kept. */
function retrace<State>(model: Model<State>, keys: string[], parents: number[], number: number): string[] {
  const way: number[] = [];
  for (let at = number; at > 0; at = parents[at] ?? 0) way.unshift(at);
  let state = model.initial;
  return way.map((at) => {
    const step = model.steps(state).find(({ next }) => model.encode(next) === keys[at]);
    if (!step) throw new Error("two states have one code, and they behave differently");
    state = step.next;
    return step.label;
  });
}
