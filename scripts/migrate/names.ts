/** SQL names and texts as both databases take them. */

export const identifier = (name: string) => `"${name.replaceAll('"', '""')}"`;

/** With `standard_conforming_strings`, PostgreSQL's default: a backslash is a character as any other. */
export const literal = (text: string) => `'${text.replaceAll("'", "''")}'`;
