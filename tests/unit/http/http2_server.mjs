// An HTTP/2 server of another make for http2_test.cpp: node http2_server.mjs CERTIFICATE KEY
// Prints its port and its process id, then serves until it is killed, at most a minute.
import {readFileSync} from "node:fs";
import http2 from "node:http2";

const server = http2.createSecureServer({cert: readFileSync(process.argv[2]), key: readFileSync(process.argv[3])});
let sessions = 0;
let open = 0;
server.on("session", () => ++sessions);
server.on("stream", (stream, headers) => {
  ++open;
  stream.on("close", () => --open);
  stream.on("error", () => {});
  const path = headers[":path"];
  if (path === "/count") {
    stream.respond({":status": 200});
    stream.end(`${sessions} ${open}`);
    return;
  }
  stream.respond({":status": 200, "content-type": "text/event-stream"});
  if (path === "/hang") {
    stream.write("data: one\n\n");
  } else if (path === "/reset") {
    stream.write("data: one\n\n");
    setTimeout(() => stream.destroy(new Error("broken")), 5);
  } else if (path === "/drop") {
    stream.write("data: one\n\n");
    setTimeout(() => stream.session.destroy(), 5);
  } else if (path === "/tokens") {
    let left = 20;
    const next = () => {
      stream.write("data: token\n\n");
      if (--left > 0) setImmediate(next);
      else stream.end();
    };
    next();
  } else {
    stream.pipe(stream);
  }
});
server.listen(0, "127.0.0.1", () => console.log(server.address().port, process.pid));
setTimeout(() => process.exit(), 60_000);
