import type { FastifyInstance } from "fastify";
import { sizeOf } from "../catalogue/sizes";
import { timestamp, type Context } from "../context";

export function accountRoutes(app: FastifyInstance, { store, limits, now }: Context): void {
  app.get("/v2/account", () => ({
    account: {
      droplet_limit: limits.droplets,
      floating_ip_limit: limits.reservedIps,
      reserved_ip_limit: limits.reservedIps,
      volume_limit: limits.volumes,
      email: "local@archipelago.invalid",
      name: "Local DigitalOcean",
      uuid: store.setting<string>("account-uuid"),
      email_verified: true,
      status: "active",
      status_message: "",
      team: { uuid: store.setting<string>("team-uuid"), name: "Local team" },
    },
  }));

  // A local account is never billed; the usage is what the Droplets that exist cost a month.
  app.get("/v2/customers/my/balance", () => ({
    month_to_date_balance: "0.00",
    account_balance: "0.00",
    month_to_date_usage: store.droplets
      .all()
      .reduce((sum, droplet) => sum + sizeOf(droplet.size).priceMonthly, 0)
      .toFixed(2),
    generated_at: timestamp(now()),
  }));
}
