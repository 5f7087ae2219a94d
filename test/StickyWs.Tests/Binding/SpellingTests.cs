using StickyWs.Binding;
using StickyWs.Tests.Configuration;


namespace StickyWs.Tests.Binding;

public sealed class SpellingTests
{
    [Theory]
    [InlineData("Pool", "Pools")]
    [InlineData("MaxTunels", "MaxTunnels")]
    [InlineData("max-tunnels", "MaxTunnels")]
    [InlineData("HeadDeadlin", "HeadDeadline")]
    [InlineData("TrustedProxy", "TrustedProxies")]
    [InlineData("Pools:chat:Backend", "Backends")]
    [InlineData("Pools:chat:Bakcends", "Backends")]
    [InlineData("Pools:chat:HealthChecks", "Health")]
    [InlineData("Pools:chat:Timeout", "Timeouts")]
    [InlineData("Pools:chat:Backends:a:Adress", "Address")]
    [InlineData("Pools:chat:Backends:a:weigth", "Weight")]
    [InlineData("Pools:chat:Health:Htpp", "Http")]
    [InlineData("Pools:chat:Health:Web-Socket", "WebSocket")]
    [InlineData("Pools:chat:Health:Tcp:Intervall", "Interval")]
    [InlineData("Pools:chat:Match:PathPrefix", "PathPrefixes")]
    [InlineData("Pools:chat:Match:Host", "Hosts")]
    [InlineData("Pools:chat:Affinity:Rule", "Rules")]
    [InlineData("Pools:chat:Affinity:Rules:0:Signal_R", "SignalR")]
    [InlineData("Pools:chat:Affinity:Rules:0:Cookie:Livetime", "Lifetime")]
    [InlineData("Transport:RawLan", "RawLane")]
    [InlineData("Pins:MaxPin", "MaxPins")]
    public void Configure_MisspeltKey_SaysWhatWasMeant(string key, string meant)
        => Assert.StartsWith($"StickyWs:{key} is not an option: did you mean {meant}? Use one of ", Written.ErrorsOf((key, "x"))[0], StringComparison.Ordinal);

    [Theory]
    [InlineData("Colour")]
    [InlineData("X")]
    [InlineData("")]
    [InlineData("Tsl")]
    public void Nearest_NothingNear_IsNone(string written) => Assert.Null(Spelling.Nearest(written, ["Pools", "Pins", "HeadDeadline", "Http"]));
}
