using StickyWs.TestKit.Redis;

namespace StickyWs.Redis.Tests;

/// <summary>The servers that every behaviour is tested on: the one in this process, and one that runs at STICKYWS_REDIS (host:port) if that is set.</summary>
public static class Servers
{
    private const string Embedded = "embedded";
    private static readonly Lazy<PinServer> Own = new(() => PinServer.Start());

    public static TheoryData<string> All { get; } = Environment.GetEnvironmentVariable("STICKYWS_REDIS") is { Length: > 0 } address
        ? [Embedded, address] : [Embedded];

    public static string AddressOf(string server) => server == Embedded ? Own.Value.Address : server;
}
