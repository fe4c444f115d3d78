// The vectors of a folder that `ragstone_bench_nearest --part write` made, in usearch, zvec or LanceDB:
//   node nearest.mjs PEER build FOLDER    puts them in, with a graph of M 16 and efConstruction 200
//   node nearest.mjs PEER open FOLDER     opens that, asks once, twenty times more, then everything
//   node nearest.mjs table FILE [JSON]    the medians of the JSON lines in FILE, and into the file JSON
// Prints a JSON line. Modules are found from the current folder. Times are in milliseconds and begin after the module
// is loaded; LanceDB's graph is its own IVF_HNSW_SQ.
import { createRequire } from "node:module";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { performance } from "node:perf_hooks";

const require = createRequire(join(process.cwd(), "package.json"));
const [peer, action, folder] = process.argv.slice(2);
const hits = 10;
const more = 20;
const batch = 2000;

function numbers(name, type) {
  const bytes = readFileSync(join(folder, name));
  return new type(bytes.buffer, bytes.byteOffset, bytes.byteLength / type.BYTES_PER_ELEMENT);
}

function readSet(withBase) {
  const set = JSON.parse(readFileSync(join(folder, "set.json"), "utf8"));
  const queries = numbers("queries.f32", Float32Array);
  set.query = (i) => queries.subarray(i * set.dimension, (i + 1) * set.dimension);
  if (withBase) {
    const base = numbers("base.f32", Float32Array);
    set.row = (i) => base.subarray(i * set.dimension, (i + 1) * set.dimension);
    set.range = (begin, end) => base.subarray(begin * set.dimension, end * set.dimension);
  } else {
    set.truth = numbers("truth.u32", Uint32Array);
  }
  return set;
}

const peers = {
  usearch: (set) => {
    const { Index, MetricKind, ScalarKind } = require("usearch");
    const index = new Index({
      dimensions: set.dimension, metric: MetricKind.IP, quantization: ScalarKind.F32, connectivity: 16,
      expansion_add: 200, expansion_search: 64, multi: false,
    });
    const file = join(folder, "usearch", "index");
    return {
      async build() {
        for (let begin = 0; begin < set.rows; begin += batch) {
          const end = Math.min(set.rows, begin + batch);
          index.add(BigUint64Array.from({ length: end - begin }, (_, i) => BigInt(begin + i)), set.range(begin, end), 2);
        }
        index.save(file);
      },
      async open() { index.view(file); },
      async ask(query) { return Array.from(index.search(query, hits, 1).keys, Number); },
    };
  },

  zvec: (set) => {
    const zvec = require("@zvec/zvec");
    zvec.ZVecInitialize({ logLevel: zvec.ZVecLogLevel.ERROR });
    const path = join(folder, "zvec", "collection");
    const graph = { indexType: zvec.ZVecIndexType.HNSW, metricType: zvec.ZVecMetricType.IP, m: 16, efConstruction: 200 };
    let collection;
    return {
      async build() {
        collection = zvec.ZVecCreateAndOpen(path, new zvec.ZVecCollectionSchema({
          name: "rows",
          vectors: { name: "v", dataType: zvec.ZVecDataType.VECTOR_FP32, dimension: set.dimension, indexParams: graph },
        }));
        for (let begin = 0; begin < set.rows; begin += 500)
          collection.insertSync(Array.from({ length: Math.min(500, set.rows - begin) },
                                           (_, i) => ({ id: String(begin + i), vectors: { v: set.row(begin + i) } })));
        collection.optimizeSync();
        collection.closeSync();
      },
      async open() { collection = zvec.ZVecOpen(path); },
      async ask(query) {
        const params = { indexType: zvec.ZVecIndexType.HNSW, ef: 64 };
        return collection.querySync({ fieldName: "v", vector: query, topk: hits, params }).map((hit) => Number(hit.id));
      },
    };
  },

  lancedb: (set) => {
    const lancedb = require("@lancedb/lancedb");
    const path = join(folder, "lancedb");
    let table;
    return {
      async build() {
        const database = await lancedb.connect(path);
        for (let begin = 0; begin < set.rows; begin += batch) {
          const rows = Array.from({ length: Math.min(batch, set.rows - begin) },
                                  (_, i) => ({ id: begin + i, vector: Array.from(set.row(begin + i)) }));
          if (table) await table.add(rows);
          else table = await database.createTable("rows", rows);
        }
        await table.optimize();
        await table.createIndex("vector", {
          config: lancedb.Index.hnswSq({ distanceType: "dot", m: 16, efConstruction: 200 }), waitTimeoutSeconds: 600 });
      },
      async open() { table = await (await lancedb.connect(path)).openTable("rows"); },
      async ask(query) {
        const found = await table.vectorSearch(query).distanceType("dot").ef(64).limit(hits).select(["id", "_distance"]).toArray();
        return found.map((row) => Number(row.id));
      },
    };
  },
};

async function build(set) {
  rmSync(join(folder, peer), { recursive: true, force: true });
  mkdirSync(join(folder, peer));
  const start = performance.now();
  await peers[peer](set).build();
  console.log(JSON.stringify({ peer, build: performance.now() - start }));
}

async function open(set) {
  const index = peers[peer](set);
  const start = performance.now();
  await index.open();
  if ((await index.ask(set.query(0))).length !== hits) throw new Error(`${peer} found too little`);
  const first = performance.now() - start;
  for (let i = 1; i <= more; ++i) await index.ask(set.query(i));
  const twentyMore = performance.now() - start;
  let right = 0;
  const asking = performance.now();
  for (let i = 0; i < set.queries; ++i) {
    const truth = set.truth.subarray(i * hits, (i + 1) * hits);
    for (const row of await index.ask(set.query(i))) right += truth.includes(row) ? 1 : 0;
  }
  const query = (performance.now() - asking) / set.queries;
  console.log(JSON.stringify({
    peer, evicted: process.env.RAGSTONE_EVICTED === "1", first, more: twentyMore, query,
    recall: right / (hits * set.queries) }));
}

function table(file, json) {
  const lines = readFileSync(file, "utf8").split("\n").filter((line) => line.startsWith("{")).map((line) => JSON.parse(line));
  const median = (values) => values.sort((a, b) => a - b)[Math.floor(values.length / 2)];
  const of = (name, evicted, key) =>
    median(lines.filter((l) => l.peer === name && l.evicted === evicted && key in l).map((l) => l[key]));
  const names = [...new Set(lines.map((line) => line.peer))];
  const summary = names.map((name) => ({
    peer: name, build: of(name, undefined, "build"), first: of(name, false, "first"), more: of(name, false, "more"),
    evictedFirst: of(name, true, "first"), evictedMore: of(name, true, "more"), query: of(name, false, "query"),
    recall: of(name, false, "recall"), failed: lines.find((l) => l.peer === name && l.failed)?.failed }));
  const ours = summary.find((line) => line.peer === "ragstone");
  const cell = (value, digits = 2) => (value === undefined ? "-" : value.toFixed(digits)).padStart(10);
  console.log("peer         build s | warm: first  21st ms | evicted: first  21st ms |  query ms   recall");
  for (const l of summary)
    console.log(l.peer.padEnd(11) + cell(l.build && l.build / 1000, 1) + cell(l.first) + cell(l.more) +
                cell(l.evictedFirst) + cell(l.evictedMore) + cell(l.query, 3) + cell(l.recall, 4) +
                (l.failed ? `  failed: ${l.failed}` : ""));
  const part = (a, b) => (a === undefined || b === undefined ? undefined : Number((a / b).toFixed(4)));
  const shares = !ours ? [] : summary.filter((line) => line !== ours).map((l) => ({
    peer: l.peer, first: part(ours.first, l.first), more: part(ours.more, l.more),
    evictedFirst: part(ours.evictedFirst, l.evictedFirst), evictedMore: part(ours.evictedMore, l.evictedMore),
    query: part(ours.query, l.query) }));
  for (const s of shares)
    console.log(`ragstone / ${s.peer}: first answer warm ${s.first ?? "-"}, evicted ${s.evictedFirst ?? "-"}, ` +
                `21 answers evicted ${s.evictedMore ?? "-"}`);
  const result = JSON.stringify({ peers: summary, shares });
  console.log(result);
  if (json) writeFileSync(json, `${result}\n`);
}

if (peer === "table") table(action, folder);
else if (action === "build") await build(readSet(true));
else await open(readSet(false));
