import { RequestError } from "./body";
import type { Files, StoredFile } from "./files";
import type { Route } from "./routes";
import { fileName, formFile, streamedFile } from "./upload";

const FILES_LISTED = 100;
const HOME = { seeOther: "/" } as const;

/** What the page shows of them: it is worth having without. */
export async function filesShown(files: Files): Promise<StoredFile[] | "away"> {
  return files.list(FILES_LISTED).catch((error: Error) => {
    console.error(error.message);
    return "away" as const;
  });
}

/** Files that visitors upload: kept in a bucket, because tasks come and go with their disks. */
export function fileRoutes(files: Files | undefined): Route[] {
  const bucket = () => {
    if (files === undefined) throw new RequestError(501, "files need a bucket");
    return files;
  };
  return [
    {
      method: "GET",
      path: /^\/api\/files$/,
      handle: async () => ({ json: { files: await present(bucket().list(FILES_LISTED)) } }),
    },
    {
      method: "PUT",
      path: /^\/api\/files\/([^/]+)$/,
      handle: async (request, given) => {
        const name = fileName(given);
        const { size, type, body } = streamedFile(request);
        await present(bucket().put(name, type, size, body));
        return { status: 201, json: { file: { name, size } } };
      },
    },
    {
      method: "POST",
      path: /^\/files$/,
      handle: async (request) => {
        const there = bucket();
        const file = await formFile(request);
        const type = file.type || "application/octet-stream";
        await present(there.put(fileName(file.name), type, file.size, file));
        return HOME;
      },
    },
    {
      method: "GET",
      path: /^\/(?:api\/)?files\/([^/]+)$/,
      handle: async (_request, given) => {
        const name = fileName(given);
        const file = await present(bucket().get(name));
        if (file === undefined) throw new RequestError(404, "there is no such file");
        return { file, name };
      },
    },
    {
      method: "DELETE",
      path: /^\/api\/files\/([^/]+)$/,
      handle: async (_request, given) => {
        await present(bucket().delete(fileName(given)));
        return { json: { deleted: given } };
      },
    },
    {
      method: "POST",
      path: /^\/files\/([^/]+)\/delete$/,
      handle: async (_request, given) => {
        await present(bucket().delete(fileName(given)));
        return HOME;
      },
    },
  ];
}

/** The bucket's own words go to the log, never to the client. */
async function present<T>(work: Promise<T>): Promise<T> {
  return work.catch((error: Error) => {
    console.error(error.message);
    throw new RequestError(503, "The files cannot be reached right now. Please try again.");
  });
}
