import { writeFile } from 'node:fs/promises';
import { isIP } from 'node:net';
import { join } from 'node:path';
import { generate } from 'selfsigned';

export type Certificate = { key: string; cert: string };

export type CertificateAuthority = {
  /** PEM file to put into NODE_EXTRA_CA_CERTS of whoever shall trust this authority. */
  file: string;
  /** A server certificate for these host names and IP addresses. */
  issue(...names: string[]): Promise<Certificate>;
};

const day = 24 * 60 * 60 * 1000;
const ecdsa = { keyType: 'ec', curve: 'P-256', algorithm: 'sha256' } as const;

/**
 * Makes a certificate authority that lives for a day, so that client metadata documents can be
 * served over real https on this computer. Its key stays in memory.
 * @param directory where its certificate is written, as `authority.pem`
 */
export async function createCertificateAuthority(directory: string): Promise<CertificateAuthority> {
  const notAfterDate = new Date(Date.now() + day);
  const authority = await generate([{ name: 'commonName', value: 'Throwaway demo authority' }], {
    ...ecdsa,
    notAfterDate,
    extensions: [
      { name: 'basicConstraints', cA: true, critical: true },
      { name: 'keyUsage', keyCertSign: true, cRLSign: true, critical: true },
    ],
  });
  const file = join(directory, 'authority.pem');
  await writeFile(file, authority.cert);

  async function issue(...names: string[]): Promise<Certificate> {
    const leaf = await generate([{ name: 'commonName', value: names[0] ?? 'localhost' }], {
      ...ecdsa,
      notAfterDate,
      ca: { key: authority.private, cert: authority.cert },
      extensions: [
        { name: 'basicConstraints', cA: false },
        { name: 'keyUsage', digitalSignature: true, critical: true },
        { name: 'extKeyUsage', serverAuth: true },
        { name: 'subjectAltName', altNames: names.map(alternativeName) },
      ],
    });
    return { key: leaf.private, cert: leaf.cert };
  }

  return { file, issue };
}

function alternativeName(name: string): { type: 2; value: string } | { type: 7; ip: string } {
  return isIP(name) === 0 ? { type: 2, value: name } : { type: 7, ip: name };
}
