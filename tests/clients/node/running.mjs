// Reads the facts from standard input, runs each case (or the ones named as arguments), prints what each said.
import { text } from "node:stream/consumers";

export const facts = JSON.parse(await text(process.stdin));

/** cases: name -> async function that returns a token or raises. One JSON object on standard output. */
export async function run(cases) {
  const wanted = process.argv.slice(2);
  const answers = {};
  for (const [name, acquire] of Object.entries(cases)) {
    if (wanted.length && !wanted.includes(name)) continue;
    try {
      answers[name] = await acquire();
    } catch (error) {
      answers[name] = { error: `${error.name}: ${error.message}` };
    }
  }
  process.stdout.write(JSON.stringify(answers));
}
