/** Where the page is, for a chat that shows it beside the answers (MCP Apps, revision 2026-01-26). */
const uri = 'ui://swf/monitor';
const mimeType = 'text/html;profile=mcp-app';

/** As the server says at the start that it has pages. */
export const pageExtension = { 'io.modelcontextprotocol/ui': {} };

/** As `resources/list` has it. */
export const monitorPage = {
  uri,
  name: 'Monitor of an execution',
  description: 'An interactive picture of an execution, for clients that show MCP Apps',
  mimeType,
};

/** The part of a tool's definition that says that its answer can be shown by the page; the second name is that of older clients. */
export const pageOfTool = { ui: { resourceUri: uri }, 'ui/resourceUri': uri };

/** The answer of `resources/read`: the page asks for nothing from elsewhere, and draws its own border. */
export const monitorPageContents = (html: string) => ({
  uri,
  mimeType,
  text: html,
  _meta: { ui: { prefersBorder: false } },
});
