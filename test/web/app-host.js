// A chat that hosts the page, made of the protocol's own host library. The test asks the server in its stead.
import { AppBridge, PostMessageTransport } from 'ext-apps/app-bridge';

globalThis.hostPage = async (html, executionId) => {
  const frame = document.createElement('iframe');
  frame.setAttribute('sandbox', 'allow-scripts');
  frame.style.cssText = 'width: 100%; border: 0';
  const seen = { initialized: false, heights: [], messages: [], calls: 0 };
  const bridge = new AppBridge(
    null,
    { name: 'test', version: '1' },
    { serverTools: {}, message: { text: {} } },
    { hostContext: { theme: 'dark', displayMode: 'inline', availableDisplayModes: ['inline', 'fullscreen'] } },
  );
  const began = new Promise((resolve) => {
    bridge.addEventListener('initialized', () => {
      seen.initialized = true;
      resolve();
    });
  });
  bridge.addEventListener('sizechange', ({ height }) => {
    seen.heights.push(height);
    frame.style.height = `${height}px`;
  });
  bridge.oncalltool = (params) => {
    seen.calls += 1;
    return globalThis.callTool(params);
  };
  bridge.onrequestdisplaymode = ({ mode }) => Promise.resolve({ mode });
  bridge.onmessage = (message) => {
    seen.messages.push(message);
    return Promise.resolve({});
  };
  document.body.append(frame);
  await bridge.connect(new PostMessageTransport(frame.contentWindow, frame.contentWindow));
  frame.srcdoc = html;
  await began;
  if (executionId !== '') await bridge.sendToolInput({ arguments: { execution_id: executionId } });
  globalThis.refuse = (text) => bridge.sendToolResult({ isError: true, content: [{ type: 'text', text }] });
  globalThis.seen = seen;
  globalThis.teardown = () => bridge.teardownResource({});
};
