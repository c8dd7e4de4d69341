import { BlockList, isIP } from 'node:net';

/**
 * @param name whose value the list is, for the error
 * @param list addresses and networks, with commas between: `127.0.0.1,10.0.0.0/8,fd00::/8`
 * @returns whether an address is among them
 * @throws {Error} naming what is neither
 */
export function networks(name: string, list: string): (address: string) => boolean {
  const known = new BlockList();
  for (const entry of list.split(',').filter((each) => each !== '')) {
    const [address = '', bits] = entry.split('/');
    const version = isIP(address);
    const most = version === 4 ? 32 : 128;
    const length = Number(bits ?? most);
    if (version === 0 || !Number.isInteger(length) || length < 0 || length > most || bits === '') {
      throw new Error(`${name}: "${entry}" is neither an address nor a network`);
    }
    known.addSubnet(address, length, version === 4 ? 'ipv4' : 'ipv6');
  }
  return (address) => {
    const version = isIP(address);
    return version !== 0 && known.check(address, version === 4 ? 'ipv4' : 'ipv6');
  };
}
