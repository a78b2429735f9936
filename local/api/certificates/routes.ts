import { randomUUID } from "node:crypto";
import type { FastifyInstance } from "fastify";
import type { Context } from "../context";
import { forbidden, notFound, unprocessable } from "../errors";
import { paginate, type Query } from "../pagination";
import { readCertificate } from "./input";
import { type CertificateRecord, certificateView, usersOf } from "./model";

interface CertificatePath {
  Params: { certificate: string };
}

/** https://docs.digitalocean.com/reference/api/digitalocean/#tag/Certificates */
export function certificateRoutes(app: FastifyInstance, context: Context): void {
  const { store, lifecycle, now } = context;
  const path = "/v2/certificates";

  const find = (id: string): CertificateRecord => {
    const certificate = store.certificates.get(id);
    if (!certificate) throw notFound();
    return certificate;
  };

  app.get(path, (request) => {
    const { name } = request.query as Query;
    const found = store.certificates.filter((each) => !name || each.name === name);
    return paginate(request, "certificates", found.map(certificateView));
  });

  app.post(path, (request, reply) => {
    const { value } = lifecycle.commit(() => {
      const certificate: CertificateRecord = {
        ...readCertificate(store, request.body, now()),
        id: randomUUID(),
        createdAt: now().toISOString(),
      };
      store.certificates.put(certificate.id, certificate);
      if (certificate.state === "pending")
        lifecycle.begin("certificate.issue", { certificateId: certificate.id });
      return certificate;
    });
    return reply.code(201).send({ certificate: certificateView(value) });
  });

  app.get<CertificatePath>(`${path}/:certificate`, ({ params }) => ({
    certificate: certificateView(find(params.certificate)),
  }));

  app.delete<CertificatePath>(`${path}/:certificate`, (request, reply) => {
    store.transaction(() => {
      const certificate = find(request.params.certificate);
      // Official clients wait on exactly this sentence (FACTS 22).
      if (usersOf(context, certificate).length > 0)
        throw forbidden("Make sure the certificate is not in use before deleting it");
      store.certificates.remove(certificate.id);
    });
    return reply.code(204).send();
  });

  // DigitalOcean renews by itself, weeks before the end; here also at once.
  app.post<CertificatePath>("/_local/certificates/:certificate/renew", async (request, reply) => {
    const { settled } = lifecycle.commit(() => {
      const { id, type } = find(request.params.certificate);
      if (type !== "lets_encrypt")
        throw unprocessable("only certificates of type lets_encrypt are renewed");
      lifecycle.begin("certificate.renew", { certificateId: id });
    });
    await settled;
    return reply.code(204).send();
  });
}
