using StickyWs.IntegrationTests.Proxying;
using StickyWs.TestKit;
using RawBackend = StickyWs.IntegrationTests.Proxying.RawBackend;

namespace StickyWs.IntegrationTests.Pipeline;

/// <summary>Backends that answer requests and handshakes alike.</summary>
internal static class Backend
{
    public static RawBackend Answering(string headers = "", string body = "ok") => new((wire, head) => wire.WriteAsync(HttpHead.Value(head, "Upgrade") is null
        ? $"HTTP/1.1 200 OK\r\nContent-Length: {body.Length}\r\n{headers}\r\n{body}"
        : HttpHead.SwitchingProtocols(head, headers)));

    /// <summary>One that reads heads and says nothing; it tells of each.</summary>
    public static RawBackend Silent(TaskCompletionSource asked) => new((_, _) =>
    {
        asked.TrySetResult();
        return Task.CompletedTask;
    });
}
