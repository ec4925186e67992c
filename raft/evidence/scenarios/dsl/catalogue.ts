/** A bug of another implementation. */
export interface Bug {
  /** Its number in the catalogue, which is never reused. */
  bug: number;
  /** What goes wrong there. */
  wrong: string;
  /** Where it was seen: `owner/repo#N`, `#N` of the repository named before, commits by eight digits. */
  seen: string;
  /** Files of raft/ that guard against it, besides those that its mutant patches. */
  guardedIn?: readonly string[];
}

export interface CatalogueEntry extends Bug {
  story?: { title: string; source: string; transcript?: string };
  /** Why there is no story. */
  reason?: string;
}

const HEAD = `# Catalogue of bugs

Bugs of other Raft implementations, by number: what goes wrong there, where it was seen, the scenario that plays it here,
and the files that guard against it. A comment or document that says "catalogue no. N" means a number of this page.

\`npm run rewrite\` writes this page from the scenarios' options; \`scenarios.test.ts\` compares it to the letter.
`;

/** The page, in Markdown. */
export function renderCatalogue(entries: readonly CatalogueEntry[]): string {
  const numbers = [...new Set(entries.map(({ bug }) => bug))].sort((a, b) => a - b);
  const sections = numbers.map((number) => section(entries.filter(({ bug }) => bug === number)));
  return [HEAD, ...sections].join('\n');
}

function section(entries: readonly CatalogueEntry[]): string {
  const guards = unique(entries.flatMap(({ guardedIn = [] }) => guardedIn)).sort();
  return [
    `## No. ${entries[0]!.bug}`,
    '',
    unique(entries.map(({ wrong }) => wrong)).join(' '),
    '',
    `- Seen: ${unique(entries.map(({ seen }) => withLinks(seen))).join('; ')}`,
    ...entries.map(storyLine),
    ...(guards.length > 0 ? [`- Guarded in: ${guards.map(fileLink).join(', ')}`] : []),
    '',
  ].join('\n');
}

function storyLine({ story, reason }: CatalogueEntry): string {
  if (!story) return `- No story: ${reason}`;
  const { title, source, transcript } = story;
  const played = transcript ? `, [transcript](../transcripts/${transcript})` : '';
  return `- Story: ${title} ([${source}](${source})${played})`;
}

const fileLink = (file: string): string => `[${file}](../../${file})`;

const unique = (texts: readonly string[]): string[] => [...new Set(texts)];

/** Pages other than issues and commits on GitHub. */
const PAGES: readonly [text: string, url: string][] = [
  ['RATIS-2274', 'https://issues.apache.org/jira/browse/RATIS-2274'],
  ['RATIS-2084', 'https://issues.apache.org/jira/browse/RATIS-2084'],
  ['raft-dev thread t4xj6dJTP6E', 'https://groups.google.com/g/raft-dev/c/t4xj6dJTP6E'],
  ['arXiv 2406.17455', 'https://arxiv.org/abs/2406.17455'],
  ['jepsen.io/analyses/redis-raft-1b3fbf6', 'https://jepsen.io/analyses/redis-raft-1b3fbf6'],
  ['Jepsen etcd 2014', 'https://aphyr.com/posts/316-jepsen-etcd-and-consul'],
  ['Rebello et al., ATC 2020', 'https://www.usenix.org/conference/atc20/presentation/rebello'],
  ['notes on divergence', 'https://github.com/hashicorp/raft/blob/main/docs/divergence.md'],
  [
    'decentralizedthoughts.github.io, 2020-12-12',
    'https://decentralizedthoughts.github.io/2020-12-12-raft-liveness-full-omission/',
  ],
];

/** Repositories, issues and commits as links to GitHub. `#N` and commits belong to the repository that was named last. */
function withLinks(seen: string): string {
  let repository = '';
  const token = /\b([A-Za-z][\w-]*\/[A-Za-z][\w-]*)(#\d+)?(?![\w./-])|#(\d+)|\b([0-9a-f]{8})\b/g;
  const linked = seen.replace(
    token,
    (text, named?: string, issue?: string, further?: string, commit?: string) => {
      if (named !== undefined) repository = named;
      const number = issue?.slice(1) ?? further;
      const place = number ? `issues/${number}` : commit ? `commit/${commit}` : '';
      return `[${text}](https://github.com/${repository}${place && `/${place}`})`;
    },
  );
  return PAGES.reduce((text, [name, url]) => text.replace(name, `[${name}](${url})`), linked);
}
