using System.Text;
using StickyWs.Tls;

namespace StickyWs.Tests.Tls;

/// <summary>What is not a handshake, or more than one may be.</summary>
public sealed class HostileHandshakeTests : TlsTest
{
    [Theory]
    [InlineData("GET / HTTP/1.1\r\nHost: a\r\n\r\n")]
    [InlineData("POST /")]
    [InlineData("SSH-2.0-OpenSSH_9.9\r\n")]
    [InlineData("\0\0\0\0\0\0\0\0")]
    [InlineData("\u0080\u002e\u0001\u0003\u0001\u0000\u0015\u0000\u0000")] // SSLv2's ClientHello.
    [InlineData("\u0016\u0002\u0000\u0000\u0005")]
    [InlineData("\u0016\u0003\u0001\u00ff\u00ff")]
    [InlineData("\u0018\u0003\u0003\u0000\u0003\u0001\u0000\u0001")]
    [InlineData("\u0017\u0003\u0003\u0000\u0001\u0000")]
    [InlineData("\u0016\u0003\u0001\u0000\u0004\u0002\u0000\u0000\u0000")] // A ServerHello.
    public void Bytes_ThatAreNoClientHello_Fail(string latin1)
    {
        var bytes = Encoding.Latin1.GetBytes(latin1);
        var (whole, split) = (Accept(Settings()), Accept(Settings()));

        whole.Receive(bytes);
        foreach (var each in bytes) split.Receive([each]);

        Assert.Equal((TlsStatus.Failed, TlsStatus.Failed), (whole.Status, split.Status));
        Assert.False(whole.HoldsPart || split.HoldsPart);
        Assert.NotNull(whole.FailureReason);
        Assert.Equal(whole.FailureReason, split.FailureReason);
        Assert.True(whole.Close().IsEmpty);
        Assert.True(whole.Receive(bytes).ToPeer.IsEmpty);
    }

    [Fact]
    public void ClientHello_OfMegabytes_IsRefusedByItsLength()
    {
        var server = Accept(Settings());

        var step = server.Receive([22, 3, 1, 0, 5, 1, 0xff, 0xff, 0xff, 0]);

        Assert.Equal(TlsStatus.Failed, step.Status);
        Assert.Equal([21, 3, 3, 0, 2, 2, 47], step.ToPeer.ToArray());
    }

    [Fact]
    public void Handshake_LongerThanTheLimit_IsRefused()
    {
        var server = Accept(Settings());
        // A message as long as OpenSSL takes, in records that each say little.
        server.Receive([22, 3, 1, 0, 4, 1, 0x01, 0xff, 0]);
        byte[] record = [22, 3, 1, 0, 1, 0];
        var taken = 9;
        for (; taken + record.Length <= TlsEnd.MostHandshakeBytes; taken += record.Length)
        {
            Assert.Equal(TlsStatus.Handshaking, server.Receive(record).Status);
        }

        var step = server.Receive(record);

        Assert.Equal(TlsStatus.Failed, step.Status);
        Assert.Equal([21, 3, 3, 0, 2, 2, 40], step.ToPeer.ToArray());
        Assert.Contains("longer than 147456 bytes", server.FailureReason, StringComparison.Ordinal);
    }

    [Fact]
    public void Handshake_WithRandomBytesChanged_NeverOpensAndNeverThrows()
    {
        using var client = new TlsSelfTestClient();
        var hello = client.Receive([], out _);
        var random = new Random(1);
        var context = Context(Settings());
        for (var i = 0; i < 300; i++)
        {
            var bad = hello.ToArray();
            for (var changes = random.Next(1, 4); changes > 0; changes--) bad[random.Next(bad.Length)] = (byte)random.Next(256);
            using var server = TlsEnd.Accept(context);
            server.Receive(bad);
            server.Receive(bad);
            Assert.NotEqual(TlsStatus.Open, server.Status);
        }
    }

    [Fact]
    public void Finished_Changed_IsRefusedWithAnAlert()
    {
        var server = Accept(Settings());
        using var client = new TlsSelfTestClient();
        var finished = client.Receive(server.Receive(client.Receive([], out _)).ToPeer.ToArray(), out _);
        finished[^1] ^= 1;

        var step = server.Receive(finished);

        Assert.Equal(TlsStatus.Failed, step.Status);
        Assert.Equal(23, step.ToPeer[0]);
        Assert.Equal(0, Slab.InUse);
    }
}
