namespace StickyWs.Tests.Configuration;

public sealed class PingRulesTests
{
    private const string Tunnels = "Pools:chat:Tunnels";

    [Fact]
    public void Validate_PingWithoutFrames_IsOneError()
        => Assert.Equal(
            [$"StickyWs:{Tunnels}:Ping:Interval is '00:00:30': remove it, or FollowFrames: a ping goes between two frames."],
            Written.ErrorsOf(($"{Tunnels}:Ping:Interval", "00:00:30"), ($"{Tunnels}:FollowFrames", "false")));

    [Fact]
    public void Validate_FramesNotFollowed_NeedNoPing() => Assert.Empty(Written.ErrorsOf(($"{Tunnels}:FollowFrames", "false")));

    [Fact]
    public void Validate_CloseCodeThatMayNotBeSent_IsOneError()
        => Assert.Equal(
            [$"StickyWs:{Tunnels}:CloseCode is '1006': use a code that may be sent: 1000 to 1003, 1007 to 1014, or 3000 to 4999."],
            Written.ErrorsOf(($"{Tunnels}:CloseCode", "1006")));
}
