using StickyWs.TestKit;

namespace StickyWs.IntegrationTests.Blame;

/// <summary>A backend that is well, and has paths at which a client can make it look ill. As a server of HTTP/1.1 it knows no preface of HTTP/2.</summary>
internal static class HonestBackend
{
    /// <param name="port">Where it listens; 0 for any.</param>
    public static RawBackend Start(int port = 0) => RawBackend.Start(ServeAsync, port: port);

    private static async Task ServeAsync(RawBackend backend, Wire wire)
    {
        while (true)
        {
            var head = await backend.TakeHeadAsync(wire);
            switch (PathOf(head))
            {
                case "/destroy":
                    wire.Reset();
                    return;
                case "/close":
                    await wire.DisposeAsync();
                    return;
                case "/hang":
                    return;
                case "/garbage":
                    await wire.WriteAsync("SSH-2.0-OpenSSH_9.6\r\n\r\n");
                    await wire.FinishAsync();
                    return;
                case "/half":
                    await wire.WriteAsync("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nhalf");
                    await wire.DisposeAsync();
                    return;
                case "/false101":
                    await wire.WriteAsync("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                        + "Sec-WebSocket-Accept: AAAAAAAAAAAAAAAAAAAAAAAAAAA=\r\n\r\n");
                    await wire.FinishAsync();
                    return;
                case "*":
                    await wire.WriteAsync("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
                    await wire.FinishAsync();
                    return;
                case "/ws":
                    await wire.WriteAsync(HttpHead.SwitchingProtocols(head));
                    var buffer = new byte[4096];
                    while (await wire.ReadAsync(buffer) is > 0 and var count) await wire.WriteAsync(buffer.AsMemory(0, count));
                    await wire.DisposeAsync();
                    return;
                default:
                    await wire.WriteAsync("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
                    break;
            }
        }
    }

    private static string PathOf(string head) => HttpHead.FirstLine(head).Split(' ')[1];
}
