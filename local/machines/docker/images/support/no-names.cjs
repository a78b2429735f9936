// Name server of Droplets that may not reach the internet: no name exists. Silence instead would cost
// each caller its whole timeout, 20 seconds in every `docker pull`.
const { createSocket } = require("node:dgram");

const HEADER_LENGTH = 12;
const IS_RESPONSE = 0x80;
const RECURSION_AVAILABLE = 0x80;
const NO_SUCH_NAME = 3;

const server = createSocket("udp4");
server.on("message", (query, peer) => {
  if (query.length < HEADER_LENGTH) return;
  const answer = Buffer.from(query);
  answer[2] |= IS_RESPONSE;
  answer[3] = RECURSION_AVAILABLE | NO_SUCH_NAME;
  server.send(answer, peer.port, peer.address);
});
server.bind(Number(process.argv[2]), "127.0.0.1");
process.on("SIGTERM", () => process.exit(0));
