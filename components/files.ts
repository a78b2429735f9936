import * as digitalocean from "@pulumi/digitalocean";
import * as pulumi from "@pulumi/pulumi";

/** Spaces takes what is signed for this region in each of its own: DigitalOcean's provider signs nothing else. */
const SIGNING_REGION = "us-east-1";

export interface FilesArgs {
  /** DigitalOcean region slug. Changing this replaces the bucket, without its files. */
  readonly region: string;
  /** Unique in the region among everybody's. Changing this replaces the bucket. @default the component's name and random digits */
  readonly bucket?: string | undefined;
  /** Keep what is overwritten or deleted. */
  readonly versioning: boolean;
  /** Whether deleting the bucket is refused; else it is deleted with all that is in it. */
  readonly protect: boolean;
  /** URL that services reach Spaces by. @default Spaces' own in that region */
  readonly endpoint?: string | undefined;
}

/**
 * A private bucket of DigitalOcean Spaces, and a key that reads and writes there and nowhere else.
 *
 * ```ts
 * new Files("files", { region: "fra1", versioning: false, protect: true });
 * ```
 *
 * Costs $5 a month for the account, with 250 GiB of storage in all its buckets. Nothing is made public.
 */
export class Files extends pulumi.ComponentResource {
  readonly bucket: digitalocean.SpacesBucket;
  /** Variables for services. */
  readonly told: Readonly<Record<string, pulumi.Output<string>>>;
  /** Secrets for services, by file name. */
  readonly given: Readonly<Record<string, pulumi.Output<string>>>;

  constructor(name: string, args: FilesArgs, opts?: pulumi.ComponentResourceOptions) {
    super("archipelago:files:Files", name, {}, opts);
    this.bucket = new digitalocean.SpacesBucket(
      name,
      {
        ...(args.bucket !== undefined && { name: args.bucket }),
        region: args.region,
        acl: "private",
        versioning: { enabled: args.versioning },
        forceDestroy: !args.protect,
      },
      {
        parent: this,
        protect: args.protect,
        // The provider would take another name for the same bucket, and find nothing there.
        replaceOnChanges: ["name"],
      },
    );
    const key = new digitalocean.SpacesKey(
      name,
      { grants: [{ bucket: this.bucket.name, permission: "readwrite" }] },
      { parent: this },
    );
    this.told = {
      FILES_ENDPOINT: pulumi.output(
        args.endpoint ?? pulumi.interpolate`https://${this.bucket.endpoint}`,
      ),
      FILES_REGION: pulumi.output(SIGNING_REGION),
      FILES_BUCKET: this.bucket.name,
      FILES_ACCESS_KEY: key.accessKey,
    };
    this.given = { files_secret_key: pulumi.secret(key.secretKey) };
    this.registerOutputs({});
  }
}
