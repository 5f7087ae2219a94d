using System.Text;
using StickyWs.Configuration;
using StickyWs.Direct;
using StickyWs.TestKit;

namespace StickyWs.Tests.Direct;

/// <summary>Exchanges over both kinds of reactors, seen from both ends. Whatever a test does, no buffer and no lease is left at its end.</summary>
public abstract class DirectExchangeTests(ReactorMode mode)
{
    private const string Get = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
    private const string One = "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\none";
    private const string Two = "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\ntwo";

    [Fact]
    public async Task Requests_OfSeveralClients_UseOneKeptConnection()
    {
        await using var rig = new DirectRig(mode);
        var (first, _) = rig.Connect();
        var (second, _) = rig.Connect();
        DirectRig.Send(first, Get);
        var backend = await rig.AcceptAsync();
        DirectRig.ReadTo(backend, "\r\n\r\n");
        DirectRig.Send(backend, One);
        Assert.Equal(One, DirectRig.ReadTo(first, "one"));
        for (var i = 0; i < 10; i++)
        {
            DirectRig.Send(second, Get);
            DirectRig.ReadTo(backend, "\r\n\r\n");
            DirectRig.Send(backend, Two);
            Assert.Equal(Two, DirectRig.ReadTo(second, "two"));
        }
    }

    // Nobody asked for the second: it belongs to no request, and neither does its connection.
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task AnAnswerThatNobodyAskedFor_ReachesNobody(bool comesLater)
    {
        await using var rig = new DirectRig(mode);
        var (first, _) = rig.Connect();
        var (second, _) = rig.Connect();
        DirectRig.Send(first, Get);
        var backend = await rig.AcceptAsync();
        DirectRig.ReadTo(backend, "\r\n\r\n");
        DirectRig.Send(backend, comesLater ? One : One + Two);
        Assert.Equal(One, DirectRig.ReadTo(first, "one"));
        if (comesLater) DirectRig.Send(backend, Two);
        await Wait.UntilAsync(async () => await rig.Reactor.DoAsync(() => rig.Desk.Kept.Count) == 0);
        DirectRig.Send(second, Get);
        var another = await rig.AcceptAsync();
        DirectRig.ReadTo(another, "\r\n\r\n");
        DirectRig.Send(another, One);
        Assert.Equal(One, DirectRig.ReadTo(second, "one"));
    }

    [Fact]
    public async Task AHead_ThatIsNotPlain_ComesBackWithEverythingBehindIt()
    {
        await using var rig = new DirectRig(mode);
        var (client, connection) = rig.Connect();
        const string Rest = "GET / HTTP/1.0\r\nHost: a\r\n\r\nand more";
        DirectRig.Send(client, Get + Rest);
        var backend = await rig.AcceptAsync();
        DirectRig.ReadTo(backend, "\r\n\r\n");
        DirectRig.Send(backend, One);
        Assert.Equal(One, DirectRig.ReadTo(client, "one"));
        Assert.True(await connection.Serving!.WaitAsync(Wait.Bound));
        Assert.Equal(Rest, Encoding.Latin1.GetString(connection.Back!.Value.Prefix.Span));
    }

    // Behind the answers of the requests before it, with what has come behind it; the rest stays in the kernel.
    [Fact]
    public async Task AHandshake_ComesBackOnABareSocketWithWhatIsBehindIt()
    {
        await using var rig = new DirectRig(mode);
        var (client, connection) = rig.Connect();
        var rest = HttpHead.Handshake() + "and more";
        DirectRig.Send(client, Get + rest);
        var backend = await rig.AcceptAsync();
        DirectRig.ReadTo(backend, "\r\n\r\n");
        await rig.Reactor.TurnAsync();
        Assert.False(connection.Leaving!.IsCompleted);
        DirectRig.Send(backend, One);

        var departure = await connection.Leaving.WaitAsync(Wait.Bound);

        Assert.Equal((DepartureWay.ToTunnel, rest), (departure.Way, Encoding.Latin1.GetString(departure.Plain.Span)));
        Assert.Equal(One, DirectRig.ReadTo(client, "one"));
        using var bare = connection.Bare;
        DirectRig.Send(client, "and the last");
        await bare.WaitReadableAsync(Wait.Token());
        Assert.Equal(12, bare.TryPeek(new byte[100]));
    }

    // In any split of request and answer.
    [Fact]
    public async Task Messages_InAnySplit_AreTheSame()
    {
        await using var rig = new DirectRig(mode);
        const string Post = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n";
        const string Answer = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nX-T: 1\r\n\r\n";
        var (client, _) = rig.Connect();
        System.Net.Sockets.Socket? backend = null;
        for (var split = 1; split < Post.Length; split += 3)
        {
            DirectRig.Send(client, Post[..split]);
            await rig.Reactor.TurnAsync();
            DirectRig.Send(client, Post[split..]);
            backend ??= await rig.AcceptAsync();
            Assert.EndsWith("\r\n\r\n3\r\nabc\r\n0\r\n\r\n", DirectRig.ReadTo(backend, "0\r\n\r\n"), StringComparison.Ordinal);
            var at = Math.Min(split, Answer.Length - 1);
            DirectRig.Send(backend, Answer[..at]);
            await rig.Reactor.TurnAsync();
            DirectRig.Send(backend, Answer[at..]);
            Assert.Equal(Answer, DirectRig.ReadTo(client, "X-T: 1\r\n\r\n"));
        }
    }

    [Fact]
    public async Task AClientThatLeaves_TakesItsBackendsConnectionWithIt()
    {
        await using var rig = new DirectRig(mode);
        var (client, _) = rig.Connect();
        DirectRig.Send(client, Get);
        var backend = await rig.AcceptAsync();
        DirectRig.ReadTo(backend, "\r\n\r\n");
        DirectRig.Send(backend, One[..^1]);
        DirectRig.ReadTo(client, "on");
        client.LingerState = new System.Net.Sockets.LingerOption(true, 0);
        client.Dispose();
        Assert.ThrowsAny<System.Net.Sockets.SocketException>(() => DirectRig.ReadTo(backend, null) is "" ? throw new System.Net.Sockets.SocketException() : "");
    }

    [Fact]
    public async Task AnExchange_InTheSteadyState_AllocatesNothing()
    {
        await using var rig = new DirectRig(mode);
        var (client, _) = rig.Connect();
        DirectRig.Send(client, Get);
        var backend = await rig.AcceptAsync();
        Exchange(2000);
        var before = await rig.Reactor.DoAsync(GC.GetAllocatedBytesForCurrentThread);
        Exchange(2000);
        var after = await rig.Reactor.DoAsync(GC.GetAllocatedBytesForCurrentThread);
        Assert.InRange(after - before, 0, 16_000);

        void Exchange(int count)
        {
            var (bytes, request, answer) = (new byte[4096], Encoding.Latin1.GetBytes(Get), Encoding.Latin1.GetBytes(One));
            for (var i = 0; i < count; i++)
            {
                var length = 0;
                while (!bytes.AsSpan(0, length).EndsWith("\r\n\r\n"u8)) length += backend.Receive(bytes.AsSpan(length));
                backend.Send(answer);
                for (length = 0; length < answer.Length;) length += client.Receive(bytes.AsSpan(length));
                client.Send(request);
            }
        }
    }

    public sealed class OnIoUring() : DirectExchangeTests(ReactorMode.IoUring);

    public sealed class OnEpoll() : DirectExchangeTests(ReactorMode.Epoll);
}
