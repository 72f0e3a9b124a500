import decodeIco from 'decode-ico';
import sharp from 'sharp';

/** Pixels to a side of what we keep. */
const side = 64;
/** Pixels that an image may have at most, before it is made smaller. */
const mostPixels = 1024 * 1024;
/** Seconds that one image may take. */
const patience = 2;

/**
 * Makes a small PNG of a picture of a stranger: PNG, JPEG, GIF, WebP or ICO, by its first bytes. Attack: an
 * SVG with a script, or a file that is a picture and something else too; nothing of the file itself is kept.
 *
 * @returns undefined where it is no such picture, or a damaged or huge one
 */
export async function toIcon(bytes: Buffer): Promise<Buffer | undefined> {
  try {
    const picture = pictureOf(bytes);
    if (!picture) return undefined;
    return await picture
      .timeout({ seconds: patience })
      .resize(side, side, { fit: 'inside', withoutEnlargement: true })
      .png()
      .toBuffer();
  } catch {
    return undefined; // whatever a decoder says about it
  }
}

function pictureOf(bytes: Buffer) {
  if (isIco(bytes)) return fromIco(bytes);
  return isPlain(bytes) ? plain(bytes) : undefined;
}

function plain(bytes: Buffer) {
  return sharp(bytes, { limitInputPixels: mostPixels, failOn: 'error', pages: 1 });
}

function isPlain(bytes: Buffer): boolean {
  const head = bytes.toString('latin1', 0, 12);
  return (
    head.startsWith('\x89PNG\r\n\x1a\n') ||
    head.startsWith('\xff\xd8\xff') ||
    /^GIF8[79]a/.test(head) ||
    (head.startsWith('RIFF') && head.endsWith('WEBP'))
  );
}

function isIco(bytes: Buffer): boolean {
  return bytes.length >= 22 && bytes.readUInt32LE(0) === 0x00010000;
}

const entrySize = 16;
const headSize = 6;
/** Pixels to a side of a picture in an icon file. */
const mostOfIcon = 256;

/** The largest picture of an icon file; 256 is written as 0. */
function fromIco(bytes: Buffer) {
  const count = bytes.readUInt16LE(4);
  // Attack: 65 535 entries for the same bytes, each decoded in full. One is.
  if (count < 1 || count > 32 || bytes.length < headSize + count * entrySize) return undefined;
  const entries = Array.from({ length: count }, (_, index) => {
    const at = headSize + index * entrySize;
    return bytes.subarray(at, at + entrySize);
  });
  const widthOf = (entry: Buffer) => entry[0] || 256;
  const [largest] = entries.toSorted((a, b) => widthOf(b) - widthOf(a));
  return largest && fromEntry(bytes, largest);
}

function fromEntry(bytes: Buffer, entry: Buffer) {
  const [size, offset] = [entry.readUInt32LE(8), entry.readUInt32LE(12)];
  const data = bytes.subarray(offset, offset + size);
  if (isPlain(data)) return plain(data);
  // Attack: a bitmap of a million pixels, which is decoded at one go. Its height counts the mask too.
  if (data.readUInt32LE(4) > mostOfIcon || data.readUInt32LE(8) > 2 * mostOfIcon) return undefined;
  const alone = Buffer.concat([Buffer.from([0, 0, 1, 0, 1, 0]), entry, data]);
  // Attack: a size beyond the file, by which the decoder would draw what is in memory behind it.
  alone.writeUInt32LE(data.length, headSize + 8);
  alone.writeUInt32LE(headSize + entrySize, headSize + 12);
  const [decoded] = decodeIco(alone);
  if (!decoded) return undefined;
  const { width, height } = decoded;
  return sharp(Buffer.from(decoded.data), { raw: { width, height, channels: 4 } });
}
