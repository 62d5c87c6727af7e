/** The page's address, for a chat that shows it beside the answers (MCP Apps, revision 2026-01-26). */
const uri = 'ui://swf/monitor';
const mimeType = 'text/html;profile=mcp-app';

/** The server's statement at the start that it has pages. */
export const pageExtension = { 'io.modelcontextprotocol/ui': {} };

/** The entry in `resources/list`. */
export const monitorPage = {
  uri,
  name: 'Monitor of an execution',
  description: 'An interactive picture of an execution, for clients that show MCP Apps',
  mimeType,
};

/** The part of a tool's definition that says that the page can show its answer; older clients use the second name. */
export const pageOfTool = { ui: { resourceUri: uri }, 'ui/resourceUri': uri };

/** The answer to `resources/read`: the page loads nothing from elsewhere and draws its own border. */
export const monitorPageContents = (text: string) => ({ uri, mimeType, text, _meta: { ui: { prefersBorder: false } } });
