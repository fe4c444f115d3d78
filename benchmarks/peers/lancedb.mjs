// Puts COUNT generated vectors of 384 dimensions into a LanceDB table, 1,024 rows with their texts at a time, opens it
// again and searches it: node lancedb.mjs COUNT FOLDER. Prints lines "value<TAB>name<TAB>number" as
// benchmarks/support/process.hpp does. LanceDB does not sync its files.
import { createRequire } from "node:module";
import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { performance } from "node:perf_hooks";

const require = createRequire(join(process.cwd(), "package.json"));
const lancedb = require("@lancedb/lancedb");

const [count, folder] = [Number(process.argv[2]), process.argv[3]];
const batch = 1024;

function unitVector(seed) {
  let state = BigInt(seed);
  const values = new Float32Array(384);
  let squares = 0;
  for (let i = 0; i < values.length; ++i) {
    state = BigInt.asUintN(64, state * 6364136223846793005n + 1442695040888963407n);
    values[i] = Number(BigInt.asIntN(32, state >> 32n)) / 2147483648;
    squares += values[i] * values[i];
  }
  const scale = 1 / Math.sqrt(squares);
  return values.map((value) => value * scale);
}

function rows(begin, end) {
  const made = [];
  for (let id = begin; id < end; ++id)
    made.push({ id, text: `river stone bridge ${id} water 石头 桥 garden`, vector: Array.from(unitVector(id)) });
  return made;
}

function bytesOf(path) {
  return readdirSync(path, { withFileTypes: true }).reduce(
    (sum, entry) => sum + (entry.isDirectory() ? bytesOf(join(path, entry.name)) : statSync(join(path, entry.name)).size), 0);
}

const print = (name, value) => console.log(`value\t${name}\t${value}`);

let database = await lancedb.connect(folder);
let table;
let milliseconds = 0;
for (let begin = 0; begin < count; begin += batch) {
  const made = rows(begin, Math.min(count, begin + batch));
  const start = performance.now();
  if (table) await table.add(made);
  else table = await database.createTable("t", made);
  milliseconds += performance.now() - start;
}
print("seconds", milliseconds / 1000);
print("disk", bytesOf(folder));
table.close();
database.close();

const opening = performance.now();
database = await lancedb.connect(folder);
table = await database.openTable("t");
print("open", performance.now() - opening);
const query = Array.from(unitVector(77));
const searching = performance.now();
const hits = await table.vectorSearch(query).distanceType("cosine").limit(10).toArray();
print("first search", performance.now() - searching);
if (hits.length !== 10) throw new Error("LanceDB found too little");
