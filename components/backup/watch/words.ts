import type { Message } from "./incidents";

/** A message as people read it. */
export interface Words {
  readonly subject: string;
  readonly text: string;
}

const SUBJECTS: Readonly<Record<Message["kind"], string>> = {
  alarm: "backups are not in order",
  reminder: "backups are still not in order",
  "all-clear": "backups are in order again",
  test: "test of the backup alarm",
};

const minute = (time: string) => `${time.slice(0, 16).replace("T", " ")} UTC`;

export function wordsOf(stack: string, { kind, problems, ended }: Message): Words {
  const subject = `${stack}: ${SUBJECTS[kind]}`;
  if (kind === "test") {
    return {
      subject,
      text: `${subject}. Somebody asked for it: npm run backup -- ${stack} test-alarm. Nothing is wrong.`,
    };
  }
  const lines = [
    `${subject}.`,
    ...problems.map(({ says, since }) => `- since ${minute(since)}: ${says}`),
    ...ended.map(({ says, endedAt = "" }) => `- ended ${minute(endedAt)}: ${says}`),
    ...(problems.length > 0
      ? [
          `What to do: npm run status -- ${stack}, then npm run logs -- ${stack} backup; npm run backup -- ${stack} makes one now.`,
        ]
      : []),
  ];
  return { subject, text: lines.join("\n") };
}
