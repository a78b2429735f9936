/** The pages that the edge itself answers with, for people. No external assets, light and dark. */

interface Page {
  readonly title: string;
  readonly text: string;
  /** What an operator can do about it. */
  readonly operator?: string;
}

const escapeHtml = (text: string) =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");

/** HAProxy reads these files as log formats: `%[unique-id]` is filled in, any other percent sign doubled. */
const REQUEST_ID = "%[unique-id]";

function renderPage({ title, text, operator }: Page): string {
  const paragraphs = [text, operator && `For the operator: ${operator}`]
    .filter((line): line is string => typeof line === "string")
    .map((line) => `<p>${escapeHtml(line).replaceAll("%", "%%")}</p>`);
  return [
    "<!doctype html>",
    '<html lang="en"><head><meta charset="utf-8">',
    '<meta name="viewport" content="width=device-width, initial-scale=1">',
    '<meta name="color-scheme" content="light dark">',
    `<title>${escapeHtml(title)}</title>`,
    "<style>body{font:1.1rem/1.6 system-ui,sans-serif;max-width:36rem;margin:18vh auto 0;padding:0 1.5rem}" +
      "small{opacity:.7}</style></head><body><main>",
    `<h1>${escapeHtml(title)}</h1>`,
    ...paragraphs,
    `<p><small>Request ${REQUEST_ID}</small></p>`,
    "</main></body></html>",
    "",
  ].join("\n");
}

const PAGES: Record<string, Page> = {
  "400": { title: "Bad request", text: "The request could not be understood." },
  "403": { title: "Not allowed", text: "This site does not answer your address." },
  "404": {
    title: "Nothing here",
    text: "This address reached the server, but no service answers for this host and path.",
    operator: "add a route for it under services in the stack file.",
  },
  "408": { title: "Too slow", text: "The request took too long to arrive. Please try again." },
  "413": { title: "Too large", text: "What you sent is larger than this site accepts." },
  "429": {
    title: "Too many requests",
    text: "You asked for more than this site answers in a short time. Please wait a moment.",
  },
  "500": { title: "Something went wrong", text: "The proxy failed to handle this request." },
  "502": {
    title: "Bad answer",
    text: "The application closed the connection or sent an answer that cannot be understood.",
    operator: "npm run logs shows what the application said.",
  },
  "504": {
    title: "No answer in time",
    text: "The application received the request but did not answer in time.",
    operator: "npm run logs shows what the application was doing.",
  },
};

/**
 * Every page as file name → contents, `503-<service>.html` naming the service that has no healthy container.
 *
 * @param services Swarm service names.
 */
export function renderPages(services: readonly string[]): Map<string, string> {
  const files = Object.entries(PAGES).map(
    ([status, page]) => [`${status}.html`, renderPage(page)] as const,
  );
  const unavailable = services.map((service) => {
    const page = renderPage({
      title: "Temporarily unavailable",
      text: `No healthy container of the service "${service}" is running right now. It may be starting; please try again in a moment.`,
      operator: "npm run status shows its tasks and their last errors, npm run logs its output.",
    });
    return [`503-${service}.html`, page] as const;
  });
  return new Map([...files, ...unavailable]);
}

/** Statuses answered with the same page by every service. */
export const COMMON_STATUSES = ["400", "408", "500", "502", "504"] as const;

/** What an `http-request return` or `http-error` rule needs to answer with a page. */
export const pageAnswer = (runDir: string, status: string, file = status) =>
  `status ${status} content-type "text/html; charset=utf-8" lf-file ${runDir}/errors/${file}.html`;
