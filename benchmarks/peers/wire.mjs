// CPU time of this process for a call and for a streamed token: node wire.mjs URL CALLS TOKENS
// Prints "call_us X" and "token_us Y". The server is that of benchmarks/wire.cpp.
import OpenAI from "openai";

const [url, calls, tokens] = [process.argv[2], Number(process.argv[3]), Number(process.argv[4])];
const messages = [
  {role: "system", content: "Answer in one sentence."},
  {role: "user", content: "What does momentum do in gradient descent?"},
];
const client = (path) => new OpenAI({baseURL: `${url}/${path}`, apiKey: "none", maxRetries: 0});

async function many(count) {
  const openai = client("fast");
  let left = count;
  const worker = async () => {
    while (left-- > 0) await openai.chat.completions.create({model: "m", messages});
  };
  await Promise.all(Array.from({length: 32}, worker));
}

async function stream(count) {
  const reply = await client(`tokens-${count}`).chat.completions.create({model: "m", messages, stream: true});
  let text = "";
  let seen = 0;
  for await (const chunk of reply) {
    const piece = chunk.choices[0]?.delta?.content;
    if (piece) {
      text += piece;
      ++seen;
    }
  }
  if (seen !== count) throw new Error(`a stream lost tokens: ${seen} of ${count}`);
}

async function cpu(work) {
  const begin = process.cpuUsage();
  await work();
  const used = process.cpuUsage(begin);
  return used.user + used.system;
}

await many(calls / 10);
console.log("call_us", (await cpu(() => many(calls))) / calls);
await stream(tokens);
const few = await cpu(() => stream(tokens / 10));
const all = await cpu(() => stream(tokens));
console.log("token_us", (all - few) / (tokens - tokens / 10));
