/** One control of a form, by the names that HTML gives it. */
export type Control = {
  kind: string;
  name: string;
  value: string;
  checked: boolean;
};

export type Form = { action: URL; method: string; controls: Control[] };

const tag = (name: string) => `<(${name})\\b((?:"[^"]*"|'[^']*'|[^'">])*)>`;
const attribute = /([^\s=/]+)(?:\s*=\s*(?:"([^"]*)"|'([^']*)'|(\S+)))?/g;
const entities: Record<string, string> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

/** The forms of a page with their controls, in the order of the page. Not a general HTML parser. */
export function readForms(html: string, page: URL): Form[] {
  const forms = html.matchAll(new RegExp(`${tag('form')}([\\s\\S]*?)</form>`, 'gi'));
  return [...forms].map(([, , attributes = '', inner = '']) => {
    const given = readAttributes(attributes);
    return {
      action: new URL(given.get('action') ?? '', page),
      method: (given.get('method') ?? 'get').toUpperCase(),
      controls: [...inner.matchAll(new RegExp(tag('input|button'), 'gi'))].map(
        ([, name = '', text = '']) => readControl(name.toLowerCase(), readAttributes(text)),
      ),
    };
  });
}

/** The title and the words of a page, for messages. */
export function readText(html: string): string {
  const words = html
    .replace(/<(script|style|title)[\s\S]*?<\/\1>/gi, ' ')
    .replace(/<[^>]*>/g, ' ')
    .replace(/\s+/g, ' ');
  return decode(words).trim();
}

function readControl(element: string, attributes: Map<string, string>): Control {
  const kind = attributes.get('type') ?? (element === 'button' ? 'submit' : 'text');
  const fallback = kind === 'checkbox' || kind === 'radio' ? 'on' : '';
  return {
    kind: kind.toLowerCase(),
    name: attributes.get('name') ?? '',
    value: attributes.get('value') ?? fallback,
    checked: attributes.has('checked'),
  };
}

function readAttributes(text: string): Map<string, string> {
  const found = text.matchAll(attribute);
  return new Map(
    [...found].map(([, name = '', double, single, bare]) => [
      name.toLowerCase(),
      decode(double ?? single ?? bare ?? ''),
    ]),
  );
}

function decode(text: string): string {
  return text.replace(/&(?:#x([0-9a-f]+)|#(\d+)|(\w+));/gi, (whole, hex, decimal, name) => {
    if (hex) return String.fromCodePoint(Number.parseInt(hex, 16));
    if (decimal) return String.fromCodePoint(Number(decimal));
    return entities[name] ?? whole;
  });
}
