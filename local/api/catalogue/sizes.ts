/** Droplet plans, with prices in US dollars; https://www.digitalocean.com/pricing/droplets */

export interface Size {
  readonly slug: string;
  readonly memoryMib: number;
  readonly vcpus: number;
  readonly diskGib: number;
  /** TB a month. */
  readonly transfer: number;
  readonly priceMonthly: number;
  readonly description: string;
}

/** Slug, memory (MiB), vCPUs, disk (GiB), transfer (TB), price a month. */
type Row = readonly [string, number, number, number, number, number];

const families: readonly (readonly [string, readonly Row[]])[] = [
  [
    "Basic",
    [
      ["s-1vcpu-512mb-10gb", 512, 1, 10, 0.5, 4],
      ["s-1vcpu-1gb", 1024, 1, 25, 1, 6],
      ["s-1vcpu-2gb", 2048, 1, 50, 2, 12],
      ["s-2vcpu-2gb", 2048, 2, 60, 3, 18],
      ["s-2vcpu-4gb", 4096, 2, 80, 4, 24],
      ["s-4vcpu-8gb", 8192, 4, 160, 5, 48],
      ["s-8vcpu-16gb", 16384, 8, 320, 6, 96],
    ],
  ],
  [
    "Premium Intel",
    [
      ["s-1vcpu-1gb-intel", 1024, 1, 25, 1, 7],
      ["s-1vcpu-2gb-intel", 2048, 1, 50, 2, 14],
      ["s-2vcpu-2gb-intel", 2048, 2, 60, 3, 21],
      ["s-2vcpu-4gb-intel", 4096, 2, 80, 4, 28],
      ["s-4vcpu-8gb-intel", 8192, 4, 160, 5, 56],
      ["s-8vcpu-16gb-intel", 16384, 8, 320, 6, 112],
    ],
  ],
  [
    "Premium AMD",
    [
      ["s-1vcpu-1gb-amd", 1024, 1, 25, 1, 7],
      ["s-1vcpu-2gb-amd", 2048, 1, 50, 2, 14],
      ["s-2vcpu-2gb-amd", 2048, 2, 60, 3, 21],
      ["s-2vcpu-4gb-amd", 4096, 2, 80, 4, 28],
      ["s-4vcpu-8gb-amd", 8192, 4, 160, 5, 56],
      ["s-8vcpu-16gb-amd", 16384, 8, 320, 6, 112],
    ],
  ],
  [
    "CPU-Optimized",
    [
      ["c-2", 4096, 2, 25, 4, 42],
      ["c-4", 8192, 4, 50, 5, 84],
      ["c-8", 16384, 8, 100, 6, 168],
      ["c-16", 32768, 16, 200, 7, 336],
      ["c-32", 65536, 32, 400, 9, 672],
      ["c-48", 98304, 48, 600, 11, 1008],
    ],
  ],
  [
    "CPU-Optimized 2x SSD",
    [
      ["c2-2vcpu-4gb", 4096, 2, 50, 4, 47],
      ["c2-4vcpu-8gb", 8192, 4, 100, 5, 94],
      ["c2-8vcpu-16gb", 16384, 8, 200, 6, 188],
      ["c2-16vcpu-32gb", 32768, 16, 400, 7, 376],
      ["c2-32vcpu-64gb", 65536, 32, 800, 9, 752],
    ],
  ],
  [
    "General Purpose",
    [
      ["g-2vcpu-8gb", 8192, 2, 25, 4, 63],
      ["g-4vcpu-16gb", 16384, 4, 50, 5, 126],
      ["g-8vcpu-32gb", 32768, 8, 100, 6, 252],
      ["g-16vcpu-64gb", 65536, 16, 200, 7, 504],
      ["g-32vcpu-128gb", 131072, 32, 400, 8, 1008],
      ["g-40vcpu-160gb", 163840, 40, 500, 9, 1260],
    ],
  ],
  [
    "General Purpose 2x SSD",
    [
      ["gd-2vcpu-8gb", 8192, 2, 50, 4, 68],
      ["gd-4vcpu-16gb", 16384, 4, 100, 5, 136],
      ["gd-8vcpu-32gb", 32768, 8, 200, 6, 272],
      ["gd-16vcpu-64gb", 65536, 16, 400, 7, 544],
    ],
  ],
  [
    "Memory-Optimized",
    [
      ["m-2vcpu-16gb", 16384, 2, 50, 4, 84],
      ["m-4vcpu-32gb", 32768, 4, 100, 6, 168],
      ["m-8vcpu-64gb", 65536, 8, 200, 7, 336],
      ["m-16vcpu-128gb", 131072, 16, 400, 8, 672],
      ["m-24vcpu-192gb", 196608, 24, 600, 9, 1008],
      ["m-32vcpu-256gb", 262144, 32, 800, 10, 1344],
    ],
  ],
];

export const sizes: readonly Size[] = families
  .flatMap(([description, rows]) =>
    rows.map(([slug, memoryMib, vcpus, diskGib, transfer, priceMonthly]) => ({
      slug,
      memoryMib,
      vcpus,
      diskGib,
      transfer,
      priceMonthly,
      description,
    })),
  )
  .sort((a, b) => a.priceMonthly - b.priceMonthly);

const bySlug = new Map(sizes.map((size) => [size.slug, size]));

export const findSize = (slug: string): Size | undefined => bySlug.get(slug);

/** The size of something that exists. */
export function sizeOf(slug: string): Size {
  const size = bySlug.get(slug);
  if (!size) throw new Error(`the state names an unknown size: ${slug}`);
  return size;
}

/** DigitalOcean bills a month as 28 days of 24 hours. */
const hoursPerMonth = 672;

export const diskInfo = (gib: number) => [{ type: "local", size: { amount: gib, unit: "gib" } }];

/** @param regions slugs where the size is sold. */
export function sizeView(size: Size, regions: readonly string[]) {
  return {
    slug: size.slug,
    memory: size.memoryMib,
    vcpus: size.vcpus,
    disk: size.diskGib,
    transfer: size.transfer,
    price_monthly: size.priceMonthly,
    price_hourly: Number((size.priceMonthly / hoursPerMonth).toFixed(5)),
    regions,
    available: true,
    description: size.description,
    disk_info: diskInfo(size.diskGib),
  };
}
