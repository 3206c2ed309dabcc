// JSON that nobody is trusted for: JSON.parse keeps the last of equal names, and nests without end.

/** Deeper, whoever walks the value might run out of stack. */
const MAX_DEPTH = 256;

/** Errors: SyntaxError, also for names that come twice in an object and for values nested too deeply. */
export function parseJson(text: string): unknown {
  // First, as parsing takes its time with levels without end.
  checkNames(text);
  return JSON.parse(text);
}

/** Walks what may be JSON; what is not, the parser finds. */
function checkNames(text: string): void {
  const open: Set<string>[] = [];
  let start = 0;
  let end = 0;
  for (let i = 0; i < text.length; i++) {
    switch (text[i]) {
      case '"':
        start = i++;
        for (; i < text.length && text[i] !== '"'; i++) if (text[i] === "\\") i++;
        end = i + 1;
        break;
      case ":":
        addName(open.at(-1), JSON.parse(text.slice(start, end)));
        break;
      case "{":
      case "[":
        if (open.push(new Set()) > MAX_DEPTH) throw new SyntaxError(`more than ${MAX_DEPTH} levels`);
        break;
      case "}":
      case "]":
        open.pop();
    }
  }
}

function addName(names: Set<string> | undefined, name: string): void {
  if (names?.has(name)) throw new SyntaxError(`the name ${JSON.stringify(name.slice(0, 40))} twice`);
  names?.add(name);
}
