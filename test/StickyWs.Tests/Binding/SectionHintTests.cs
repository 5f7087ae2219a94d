using Microsoft.Extensions.Configuration;
using StickyWs.Binding;

namespace StickyWs.Tests.Binding;

public sealed class SectionHintTests
{
    private const string Address = "Pools:chat:Backends:a:Address";

    [Theory]
    [InlineData("StickyWs", "Sticky-Ws:" + Address, "nothing reads Sticky-Ws: did you mean StickyWs?")]
    [InlineData("StickyWs", "StickyWss:MaxTunnels", "nothing reads StickyWss: did you mean StickyWs?")]
    [InlineData("StickyWs", "StickWs:MaxTunnels", "nothing reads StickWs: did you mean StickyWs?")]
    [InlineData("StickyWs", "StickyWebSockets:" + Address, "nothing reads StickyWebSockets: did you mean StickyWs?")]
    [InlineData("StickyWs", "LoadBalancer:" + Address, "nothing reads LoadBalancer: did you mean StickyWs?")]
    [InlineData("StickyWs", Address, "nothing reads Pools: did you mean StickyWs:Pools?")]
    [InlineData("StickyWs", "AppSettings:StickyWs:" + Address, "nothing reads AppSettings:StickyWs: did you mean StickyWs?")]
    [InlineData("StickyWs", "STICKYWS_POOLS_CHAT_BACKENDS_A_ADDRESS", "nothing reads STICKYWS_POOLS_CHAT_BACKENDS_A_ADDRESS: did you mean "
        + "StickyWs__Pools__<pool>__Backends__<backend>__Address?")]
    [InlineData("Edge:Balancer", "Edge:Balancr:MaxTunnels", "nothing reads Edge:Balancr: did you mean Edge:Balancer?")]
    public void For_WhatLooksLikeIt_IsNamed(string path, string key, string hint)
        => Assert.Equal(hint, SectionHint.For(Of((key, "x"), ("Logging:LogLevel:Default", "Information")), path));

    [Theory]
    [InlineData("STICKYWS:" + Address)]
    [InlineData("stickyws:MaxTunnels")]
    [InlineData("StickyWs")]
    [InlineData("Logging:LogLevel:Default")]
    [InlineData("STICKYWS_TEST")]
    [InlineData("StickyNotes")]
    [InlineData("Kestrel:Endpoints:Http:Url")]
    public void For_TheSectionItselfOrNothingLikeIt_IsNone(string key) => Assert.Null(SectionHint.For(Of((key, "x")), "StickyWs"));

    [Fact]
    public void For_NoConfiguration_IsNone() => Assert.Null(SectionHint.For(null, "StickyWs"));

    private static IConfigurationRoot Of(params (string Key, string? Value)[] keys)
        => new ConfigurationBuilder().AddInMemoryCollection(keys.Select(key => KeyValuePair.Create(key.Key, key.Value))).Build();
}
