import { BlockList, isIP } from 'node:net';

/**
 * @param list addresses and networks, with commas between: `127.0.0.1,10.0.0.0/8,fd00::/8`
 * @returns whether an address is among them
 * @throws {Error} naming what is neither
 */
export function trustedProxies(list: string): (address: string) => boolean {
  const proxies = new BlockList();
  for (const entry of list.split(',').filter((each) => each !== '')) {
    const [address = '', bits] = entry.split('/');
    const version = isIP(address);
    const most = version === 4 ? 32 : 128;
    const length = Number(bits ?? most);
    if (version === 0 || !Number.isInteger(length) || length < 0 || length > most || bits === '') {
      throw new Error(`HTTP_TRUSTED_PROXIES: "${entry}" is neither an address nor a network`);
    }
    proxies.addSubnet(address, length, version === 4 ? 'ipv4' : 'ipv6');
  }
  return (address) => {
    const version = isIP(address);
    return version !== 0 && proxies.check(address, version === 4 ? 'ipv4' : 'ipv6');
  };
}
