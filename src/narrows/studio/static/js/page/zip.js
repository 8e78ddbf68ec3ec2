/** Many files as one: a zip archive without compression (PKWARE's APPNOTE 6.3): pictures and sounds are compressed already. */

const LOCAL = 0x04034b50;
const CENTRAL = 0x02014b50;
const END = 0x06054b50;
const UTF8 = 0x0800;

/** @type {Uint32Array | null} */
let table = null;

/** The checksum of bytes (CRC-32, ISO 3309). @param {Uint8Array} bytes */
export function crc32(bytes) {
  table ??= Uint32Array.from({ length: 256 }, (_, n) => {
    for (let k = 0; k < 8; k += 1) n = n & 1 ? 0xedb88320 ^ (n >>> 1) : n >>> 1;
    return n >>> 0;
  });
  let crc = 0xffffffff;
  for (let i = 0; i < bytes.length; i += 1) crc = table[(crc ^ bytes[i]) & 255] ^ (crc >>> 8);
  return (crc ^ 0xffffffff) >>> 0;
}

/**
 * @param {File[]} files Their names may not be alike; those in folders keep their path.
 * @returns {Promise<Blob>}
 */
export async function zipped(files) {
  const parts = [];
  const entries = [];
  let at = 0;
  for (const file of files) {
    const bytes = new Uint8Array(await file.arrayBuffer());
    const name = new TextEncoder().encode(file.webkitRelativePath || file.name);
    const facts = [20, UTF8, 0, 0, 0x21, crc32(bytes), bytes.length, bytes.length, name.length, 0];
    parts.push(record(LOCAL, facts, "HHHHHIIIHH"), name, bytes);
    entries.push(record(CENTRAL, [20, ...facts, 0, 0, 0, 0, at], "HHHHHHIIIHHHHHII"), name);
    at += 30 + name.length + bytes.length;
  }
  const size = entries.reduce((sum, part) => sum + part.length, 0);
  const end = record(END, [0, 0, files.length, files.length, size, at, 0], "HHHHIIH");
  return new Blob([...parts, ...entries, end], { type: "application/zip" });
}

/**
 * Numbers after a signature, little endian: H of two bytes, I of four.
 * @param {number} signature @param {number[]} values @param {string} kinds
 */
function record(signature, values, kinds) {
  const widths = [...kinds].map((kind) => (kind === "I" ? 4 : 2));
  const view = new DataView(new ArrayBuffer(4 + widths.reduce((a, b) => a + b, 0)));
  view.setUint32(0, signature, true);
  let at = 4;
  values.forEach((value, i) => {
    if (widths[i] === 4) view.setUint32(at, value, true);
    else view.setUint16(at, value, true);
    at += widths[i];
  });
  return new Uint8Array(view.buffer);
}
