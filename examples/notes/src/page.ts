import type { Note, Report } from "./database";
import type { StoredFile } from "./files";

export interface PageContents {
  readonly counter: number;
  readonly notes: readonly Note[];
  /** Undefined where there is no queue. */
  readonly reports:
    | { readonly waiting: number; readonly done: number; readonly reports: readonly Report[] }
    | undefined;
  /** Undefined where there is no bucket; "away" while it does not answer. */
  readonly uploads: readonly StoredFile[] | "away" | undefined;
  /** Of the visitor; null for a stranger. */
  readonly name: string | null;
  readonly node: string;
  readonly version: string;
}

/** Safe inside elements and quoted attributes. */
export function escapeHtml(text: string): string {
  const entities: Record<string, string> = {
    "&": "&amp;",
    "<": "&lt;",
    ">": "&gt;",
    '"': "&quot;",
    "'": "&#39;",
  };
  return text.replace(/[&<>"']/g, (character) => entities[character] ?? character);
}

const STYLE = `
:root{color-scheme:light dark;--ground:#f6f8fb;--card:#fff;--ink:#16202c;--soft:#52606f;--line:#d8e0ea;--accent:#0b5cad;--on-accent:#fff}
@media (prefers-color-scheme:dark){:root{--ground:#0e1620;--card:#16212e;--ink:#e8eef5;--soft:#9fb0c2;--line:#2a3a4c;--accent:#7cc0ff;--on-accent:#06213b}}
*{box-sizing:border-box}
body{margin:0;background:var(--ground);color:var(--ink);font:1.0625rem/1.55 system-ui,sans-serif}
main,header,footer{max-width:44rem;margin:0 auto;padding:0 1.25rem}
header{padding-top:3rem}
h1{font-size:2rem;line-height:1.2;margin:0 0 .25rem}
header p{margin:0;color:var(--soft)}
section{background:var(--card);border:1px solid var(--line);border-radius:.75rem;padding:1.25rem;margin:1.5rem 0}
h2{font-size:1.1rem;margin:0 0 .75rem}
.counter{display:flex;gap:1.25rem;align-items:center;justify-content:space-between}
output{font-size:2.5rem;font-weight:650;font-variant-numeric:tabular-nums}
form{margin:0}
.add{display:flex;gap:.75rem;flex-wrap:wrap}
input{flex:1 1 14rem;font:inherit;padding:.6rem .8rem;border:1px solid var(--soft);border-radius:.5rem;background:var(--ground);color:inherit}
button{font:inherit;font-weight:600;padding:.6rem 1.1rem;border:0;border-radius:.5rem;background:var(--accent);color:var(--on-accent);cursor:pointer}
button.quiet{background:none;color:var(--accent);padding:.25rem .5rem}
:focus-visible{outline:3px solid var(--accent);outline-offset:2px}
ul{list-style:none;padding:0;margin:1rem 0 0}
li{display:flex;gap:1rem;justify-content:space-between;align-items:start;padding:.6rem 0;border-top:1px solid var(--line);overflow-wrap:anywhere}
time,footer{color:var(--soft);font-size:.9rem}
footer{padding-bottom:3rem}
label{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)}`;

function frame(title: string, body: string): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(title)}</title>
<link rel="icon" href="data:,">
<style>${STYLE}</style>
</head>
<body>
${body}
</body>
</html>
`;
}

function noteItem({ id, text, createdAt }: Note): string {
  return `<li><div>${escapeHtml(text)}<br><time datetime="${escapeHtml(createdAt)}">${escapeHtml(when(createdAt))}</time></div>
<form method="post" action="/notes/${id}/delete"><button class="quiet" aria-label="Delete: ${escapeHtml(text)}">Delete</button></form></li>`;
}

const when = (iso: string) => `${iso.slice(0, 16).replace("T", " ")} UTC`;

function visitor(name: string | null): string {
  if (name !== null) {
    return `<section class="counter"><p>Hello, <strong>${escapeHtml(name)}</strong></p>
<form method="post" action="/session/end"><button class="quiet">Leave</button></form></section>`;
  }
  return `<section><h2>Who are you?</h2>
<form class="add" method="post" action="/session"><label for="name">Your name</label>
<input id="name" name="name" required maxlength="60" placeholder="Your name" autocomplete="nickname"><button>Say hello</button></form></section>`;
}

function reportItem({ seconds, askedAt, doneAt, notes, doneBy, attempts }: Report): string {
  const again = (attempts ?? 1) > 1 ? `, in ${attempts} attempts` : "";
  const state =
    doneAt === null
      ? `Waiting: takes ${seconds} s`
      : `${notes} notes, counted by ${escapeHtml(doneBy ?? "")}${again}`;
  return `<li><div>${state}<br><time datetime="${escapeHtml(askedAt)}">asked for at ${escapeHtml(when(askedAt))}</time></div></li>`;
}

function reportSection(summary: PageContents["reports"]): string {
  if (summary === undefined) return "";
  const { waiting, done, reports } = summary;
  return `<section><h2>Reports</h2>
<form class="counter" method="post" action="/reports"><input type="hidden" name="seconds" value="3"><span>${waiting} waiting, ${done} done</span><button>Count the notes in the background</button></form>
<ul>${reports.map(reportItem).join("\n")}</ul></section>`;
}

function fileItem({ name, size }: StoredFile): string {
  const shown = escapeHtml(name);
  return `<li><div><a href="/files/${shown}">${shown}</a><br><small>${Math.ceil(size / 1024)} KiB</small></div>
<form method="post" action="/files/${shown}/delete"><button class="quiet" aria-label="Delete: ${shown}">Delete</button></form></li>`;
}

function fileSection(uploads: PageContents["uploads"]): string {
  if (uploads === undefined) return "";
  const list =
    uploads === "away"
      ? "<p>The files cannot be reached right now.</p>"
      : `<ul>${uploads.map(fileItem).join("\n")}</ul>`;
  return `<section><h2>Files</h2>
<form class="add" method="post" action="/files" enctype="multipart/form-data"><label for="file">New file</label>
<input id="file" name="file" type="file" required><button>Upload</button></form>
${list}</section>`;
}

/** The home page: works without scripts, every action is a form. */
export function renderPage(contents: PageContents): string {
  const { counter, notes, reports, uploads, name, node, version } = contents;
  const list =
    notes.length === 0 ? "<p>No notes yet.</p>" : `<ul>\n${notes.map(noteItem).join("\n")}\n</ul>`;
  return frame(
    "Notes",
    `<header><h1>Notes</h1><p>A small app that Archipelago keeps running.</p></header>
<main>
${visitor(name)}
<section class="counter"><div><h2 id="counter">Counter</h2><output aria-labelledby="counter">${counter}</output></div>
<form method="post" action="/counter"><button>Count one more</button></form></section>
<section><h2>Your notes</h2>
<form class="add" method="post" action="/notes"><label for="text">New note</label>
<input id="text" name="text" required maxlength="500" placeholder="Write something down" autocomplete="off"><button>Add</button></form>
${list}</section>
${reportSection(reports)}
${fileSection(uploads)}
</main>
<footer>Answered by node <strong>${escapeHtml(node)}</strong>, version <strong>${escapeHtml(version)}</strong></footer>`,
  );
}

export function renderErrorPage(status: number, message: string): string {
  return frame(
    `Error ${status}`,
    `<header><h1>Error ${status}</h1><p>${escapeHtml(message)}</p></header>
<main><p><a href="/">Back to the notes</a></p></main>`,
  );
}
