claude mcp add swf-mcp -- node /path/to/swf-mcp/dist/cli.js --db /path/to/swf.db
