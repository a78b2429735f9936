// Runs one of our TypeScript programs: node run.cjs <entry> [arguments].
const [entry] = process.argv.splice(2, 1);
require("./load.cjs")(entry);
