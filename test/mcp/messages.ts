/** The params of the handshake. */
export const initializeParams = {
  protocolVersion: '2025-11-25',
  capabilities: {},
  clientInfo: { name: 'test', version: '0' },
};

/** What each request of the stateless era has in its params. */
export const stateless = {
  _meta: {
    'io.modelcontextprotocol/protocolVersion': '2026-07-28',
    'io.modelcontextprotocol/clientInfo': { name: 'test', version: '0' },
    'io.modelcontextprotocol/clientCapabilities': {},
  },
};

export const request = (method: string, id: number, params: object = {}): object => ({
  jsonrpc: '2.0',
  id,
  method,
  params,
});

export const lines = (...messages: object[]): string =>
  messages.map((message) => `${JSON.stringify(message)}\n`).join('');
