using System.Reflection;
using System.Text;
using StickyWs.Http1;
using Yarp.ReverseProxy.Forwarder;

namespace StickyWs.Tests.Http1;

public sealed class HeaderNamesTests
{
    // For plain requests YARP applies a list of its own, which nobody can ask for.
    private static readonly IEnumerable<string> OfYarp =
        (IEnumerable<string>)typeof(RequestUtilities).GetField("_headersToExclude", BindingFlags.NonPublic | BindingFlags.Static)!.GetValue(null)!;

    [Fact]
    public void IsHopByHop_Name_IsInTheListOfYarp()
    {
        var names = typeof(Microsoft.Net.Http.Headers.HeaderNames).GetFields().Select(field => (string)field.GetValue(null)!).Concat(OfYarp)
            .ToHashSet(StringComparer.OrdinalIgnoreCase);

        var ours = names.Where(name => HeaderNames.IsHopByHop(name.AsSpan()));

        Assert.NotEmpty(OfYarp);
        Assert.Equal(OfYarp.Append("Trailer").Order(StringComparer.OrdinalIgnoreCase), ours.Order(StringComparer.OrdinalIgnoreCase),
            StringComparer.OrdinalIgnoreCase);
    }

    [Theory]
    [InlineData("TE", true, true)]
    [InlineData("alt-svc", true, true)]
    [InlineData("Proxy-Authorization", true, true)]
    [InlineData("X-Hop", false, true)]
    [InlineData("Host", false, false)]
    [InlineData("content-length", false, false)]
    [InlineData("Transfer-Encoding", true, false)]
    [InlineData("Forwarded", false, false)]
    [InlineData("X-Forwarded-For", false, false)]
    [InlineData("x_forwarded_for", false, false)]
    [InlineData("", false, true)]
    public void Name_OfBytesOrCharacters_IsJudgedAlike(string name, bool isHopByHop, bool canBeDisowned)
    {
        var bytes = Encoding.ASCII.GetBytes(name);

        Assert.Equal((isHopByHop, isHopByHop), (HeaderNames.IsHopByHop(name.AsSpan()), HeaderNames.IsHopByHop<byte>(bytes)));
        Assert.Equal((canBeDisowned, canBeDisowned), (HeaderNames.CanBeDisowned(name.AsSpan()), HeaderNames.CanBeDisowned<byte>(bytes)));
    }
}
