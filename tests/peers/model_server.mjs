// A model server of another make for tests/peers/model_server.sh: prints its address, then serves until it is killed.
import {LLMock} from "@copilotkit/aimock";

const server = new LLMock({port: 0});
server.onMessage(/向量检索/, {content: "It is called vector search, 也叫语义检索."});
server.onEmbedding(/requests|请求/, {embedding: [0.1, 0.9, 0.2]});
server.onEmbedding(/./, {embedding: [0.9, 0.1, 0.2]});
await server.start();
console.log(server.url);
