import sharp from 'sharp';
import { expect, it } from 'vitest';
import { toIcon } from './icon-image.ts';

const square = (side: number) =>
  sharp({ create: { width: side, height: side, channels: 4, background: 'red' } })
    .png({ palette: true })
    .toBuffer();

/** An icon file whose entries all name the same bytes. */
function ico(data: Buffer, count: number, side: number): Buffer {
  const head = Buffer.from([0, 0, 1, 0, count & 255, count >> 8]);
  const entry = Buffer.alloc(16);
  entry.writeUInt8(side, 0);
  entry.writeUInt8(side, 1);
  entry.writeUInt16LE(1, 4);
  entry.writeUInt16LE(32, 6);
  entry.writeUInt32LE(data.length, 8);
  entry.writeUInt32LE(6 + 16 * count, 12);
  return Buffer.concat([head, ...Array.from({ length: count }, () => entry), data]);
}

/** The first bytes of an icon file whose one entry says that there are more. */
function cut(whole: Buffer, length: number): Buffer {
  return Buffer.from(whole.subarray(0, length));
}

/** 32 bits to a pixel, all blue, with an empty mask. */
function bitmap(side: number): Buffer {
  const head = Buffer.alloc(40);
  head.writeUInt32LE(40, 0);
  head.writeInt32LE(side, 4);
  head.writeInt32LE(side * 2, 8);
  head.writeUInt16LE(1, 12);
  head.writeUInt16LE(32, 14);
  const pixels = Buffer.alloc(side * side * 4);
  for (let at = 0; at < pixels.length; at += 4) pixels.writeUInt32LE(0xff0000ff, at);
  return Buffer.concat([head, pixels, Buffer.alloc(side * 4)]);
}

async function shape(bytes: Buffer) {
  const icon = await toIcon(bytes);
  if (!icon) return undefined;
  const { format, width, height } = await sharp(icon).metadata();
  return { format, width, height };
}

it('pictures MUST become a PNG of 64 pixels at most', async () => {
  const small = { format: 'png', width: 16, height: 16 };
  const full = { format: 'png', width: 64, height: 64 };
  expect(await shape(await square(500))).toEqual(full);
  expect(await shape(await square(16))).toEqual(small);
  expect(
    await shape(
      await sharp(await square(500))
        .jpeg()
        .toBuffer(),
    ),
  ).toEqual(full);
  expect(
    await shape(
      await sharp(await square(500))
        .webp()
        .toBuffer(),
    ),
  ).toEqual(full);
  expect(await shape(ico(await square(16), 3, 16))).toEqual(small);
  expect(await shape(ico(bitmap(16), 2, 16))).toEqual(small);
});

it('nothing of the file itself MUST be kept', async () => {
  const hidden = Buffer.concat([await square(16), Buffer.from('<script>alert(1)</script>')]);
  expect((await toIcon(hidden))?.includes('script')).not.toBe(true);
});

it('what is too large to decode, or no picture, MUST be none (T28)', async () => {
  expect(await shape(await square(1024))).toBeDefined();
  expect(await shape(await square(1100))).toBeUndefined();
  expect(await shape(ico(await square(16), 33, 16))).toBeUndefined();
  expect(await shape(ico(bitmap(16).subarray(0, 200), 1, 16))).toBeUndefined();
  expect(await shape(ico(bitmap(256), 1, 0))).toBeDefined();
  expect(await shape(ico(bitmap(257), 1, 0))).toBeUndefined();
  expect(await shape(Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"/>'))).toBeUndefined();
  expect(await shape(Buffer.from([0, 0, 1, 0]))).toBeUndefined();
  expect(await shape(Buffer.alloc(0))).toBeUndefined();
});

it('an icon that claims to be longer than its file MUST NOT be drawn from memory behind it (T28)', async () => {
  const whole = ico(bitmap(16), 1, 16);
  for (const length of [22 + 40, 22 + 100, whole.length - 64 - 4]) {
    expect(await toIcon(cut(whole, length))).toBeUndefined();
  }
  expect(await shape(cut(whole, whole.length - 64))).toMatchObject({ width: 16 });
});
