/** A certificate is renewed while people use the site over HTTPS. */
import * as tls from "node:tls";
import type { Scenario } from "../drill";
import { BASE, type Ground } from "../ground";
import type { Front } from "../load";
import { until } from "../until";

const NAME = "drill.example.org";
const RENEWALS = 5;

export const renewCertificate: Scenario = {
  name: "renew-certificate",
  action: `the Load Balancer's certificate renewed ${RENEWALS} times, load over HTTPS`,
  front,
  prepare: async (ground) => {
    await ground.mustUp({ ...BASE, domain: NAME });
    const { address, ca } = await front(ground);
    return async () => {
      const serials = new Set([await serial(address, ca)]);
      for (let renewal = 0; renewal < RENEWALS; renewal++) {
        const { certificates } = await ground.api<Certificates>("GET", "/v2/certificates");
        const own = certificates.find(({ dns_names }) => dns_names.includes(NAME));
        if (!own) throw new Error(`there is no certificate for ${NAME}`);
        await ground.api("POST", `/_local/certificates/${own.id}/renew`);
        await until("new certificate at the front", 60, async () => {
          const seen = serials.size;
          return serials.add(await serial(address, ca)).size > seen;
        });
      }
      const preview = await ground.pulumi("preview", "--expect-no-changes");
      if (preview.code !== 0) throw new Error(`a renewal shows as a change:\n${preview.stdout}`);
      return [`${serials.size} certificates seen, the next preview shows no change`];
    };
  },
};

interface Certificates {
  readonly certificates: readonly { readonly id: string; readonly dns_names: readonly string[] }[];
}

async function front(ground: Ground): Promise<Front & { address: string; ca: string }> {
  const { address } = await ground.outputs();
  if (address === undefined) throw new Error("the stack has no address");
  const ca = await ground.api<string>("GET", "/ca");
  return { url: `https://${NAME}/`, address, ca };
}

/** Serial number of the certificate that the front shows; one that the authority did not sign is refused. */
function serial(host: string, ca: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = tls.connect({ host, port: 443, servername: NAME, ca }, () => {
      resolve(socket.getPeerCertificate().serialNumber);
      socket.destroy();
    });
    socket.once("error", reject);
  });
}
