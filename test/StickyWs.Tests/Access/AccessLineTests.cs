using System.Net;
using System.Text.RegularExpressions;
using StickyWs.Access;
using StickyWs.Kernel;
using StickyWs.Transport;

namespace StickyWs.Tests.Access;

public sealed partial class AccessLineTests
{
    private const int Words = 16;

    [Fact]
    public void ToString_Tunnel_ReadsLikeALineOfHAProxy()
        => Assert.Equal(
            "192.0.2.7:54321 10.0.0.1:443 203.0.113.9 chat/b 10.0.0.1:41234 [2001:db8::1]:5000 raw/1.3 Affinity/kept 0.002914/312.450 101 1204/88123 "
            + "Opened/ClientClosed/both 1000/1005/1012 4bf92f3577b34da6a3ce929d0e0e4736 0HN7 \"GET example.com /chat\"",
            Tunnel().ToString());

    [Fact]
    public void ToString_NothingKnown_HasAllPlacesAndDashes()
        => Assert.Equal("- - - chat/- - - raw/- -/- -/- - -/- -/-/- -/-/- - 0HN8 \"- - -\"", Bare("chat", "0HN8", null, null).ToString());

    [Fact]
    public void Names_AreThoseOfTheTemplateInItsOrder()
        => Assert.Equal(AccessLine.Names, Placeholder().Matches(AccessLine.Template).Select(match => match.Groups["name"].Value));

    [Fact]
    public void Fields_OfATunnel_AreTypedAndNamed()
    {
        var fields = Tunnel().ToDictionary(field => field.Key, field => field.Value);

        Assert.Equal([.. AccessLine.Names, "{OriginalFormat}"], fields.Keys);
        Assert.Equal(AccessLine.Template, fields["{OriginalFormat}"]);
        Assert.Equal((1204L, 88123L, 101, 312.45), (fields["BytesToBackend"], fields["BytesToClient"], fields["Status"], fields["Seconds"]));
        Assert.Equal("4bf92f3577b34da6a3ce929d0e0e4736", fields["TraceId"]);
    }

    // Whatever stands in a name of somebody else's, the line has as many words as ever, and its fields are one word each.
    [Fact]
    public void Line_HostileNames_CannotForgeALineOrAField()
    {
        for (var c = 0; c < 0x300; c++)
        {
            var hostile = $"a{(char)c}b\" {(char)c}\r\n192.0.2.1";
            var line = Bare(hostile, hostile, hostile, hostile);

            var text = line.ToString();
            Assert.DoesNotContain(text, char.IsControl);
            Assert.Equal(Words + 2, text.Split(' ').Length);
            Assert.Equal(2, text.Count(one => one == '"'));
            Assert.All(line.Take(AccessLine.Names.Count).Select(field => field.Value).OfType<string>(),
                value => Assert.DoesNotContain(value, one => one is <= ' ' or '"' or > '~'));
        }
    }

    private static AccessLine Bare(string pool, string connectionId, string? host, string? path)
        => new()
        {
            Event = AccessEvent.Handshake,
            Pool = pool,
            Lane = "raw",
            ConnectionId = connectionId,
            Host = host,
            Path = path,
            Method = host,
            Backend = host,
        };

    private static AccessLine Tunnel() => new()
    {
        Event = AccessEvent.Tunnel,
        Client = Tuple("192.0.2.7:54321", "10.0.0.1:443"),
        Upstream = Tuple("10.0.0.1:41234", "[2001:db8::1]:5000"),
        ForwardedClient = IPAddress.Parse("203.0.113.9"),
        Pool = "chat",
        Backend = "b",
        Lane = "raw",
        TlsVersion = "1.3",
        ChosenBy = "Affinity",
        Pin = "kept",
        Handshake = TimeSpan.FromMicroseconds(2914),
        Duration = TimeSpan.FromSeconds(312.45),
        Status = 101,
        BytesToBackend = 1204,
        BytesToClient = 88123,
        Outcome = "Opened",
        EndReason = "ClientClosed",
        Farewell = "both",
        ClientCloseCode = 1000,
        BackendCloseCode = 1005,
        OwnCloseCode = 1012,
        TraceId = UInt128.Parse("4bf92f3577b34da6a3ce929d0e0e4736", System.Globalization.NumberStyles.HexNumber, null),
        ConnectionId = "0HN7",
        Method = "GET",
        Host = "example.com",
        Path = "/chat",
    };

    private static ConnectionTuple Tuple(string source, string destination)
        => new(new RawAddress(IPEndPoint.Parse(source)), new RawAddress(IPEndPoint.Parse(destination)));

    [GeneratedRegex(@"\{(?<name>\w+)\}")]
    private static partial Regex Placeholder();
}
